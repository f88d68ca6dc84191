public import Support

/// A part of S3 beside the store, or inside it with keys of its own: where a catalog has put the table.
///
/// Its objects have keys of the form `s3:/BUCKET/…`, which no object of the store itself has.
struct S3Place: Sendable {
  var location: S3Location
  var keys: KeySource

  /// What keys of its objects begin with.
  var prefix: String { bucket + location.keyPrefix }
  private var bucket: String { "s3:/\(location.bucket)/" }

  func bucketKey(_ key: String) -> String { String(Substring(key.utf8.dropFirst(bucket.utf8.count))) }
  func key(inBucket name: String) -> String? {
    guard name.utf8.starts(with: location.keyPrefix.utf8), isProperKey(bucket + name) else { return nil }
    return bucket + name
  }
}

extension S3Store {
  /// Lets the objects under this URL be addressed as well: from now on ``key(of:)`` knows them.
  ///
  /// - Parameters:
  ///   - keys: in place of the store's own.
  ///   - endpoint: in place of the store's own.
  /// - Throws: `store.url` for what is no URL of S3's.
  public func reach(_ url: String, keys: KeySource?, endpoint: String? = nil, region: String? = nil)
    throws(Failure)
  {
    var place = S3Place(
      location: try S3Location(
        url: url, endpoint: endpoint ?? location.endpoint, region: region ?? location.region, style: nil),
      keys: keys ?? client.keys)
    if endpoint == nil { place.location.style = location.style }
    places.update { places in
      places.removeAll { $0.location.url == place.location.url }
      places.append(place)
    }
  }

  public func reach(_ url: String) throws(Failure) {
    guard key(of: url + "/x") == nil, url.hasPrefix("s3://") || url.hasPrefix("s3a://") else { return }
    try reach(url, keys: nil)
  }

  /// The part that an object lies in, by its key or the beginning of its key; nil for the store itself.
  func place(of key: String) -> S3Place? {
    guard key.hasPrefix("s3:/") else { return nil }
    return places.value.filter { key.utf8.starts(with: $0.prefix.utf8) }.max {
      $0.prefix.utf8.count < $1.prefix.utf8.count
    }
  }

  public func key(of url: String) -> String? {
    if let rest = ["s3://", "s3a://"].first(where: url.hasPrefix).map({ url.dropFirst($0.count) }) {
      let key = "s3:/" + rest
      if place(of: key) != nil { return isProperKey(key) ? key : nil }
    }
    return key(under: self.url, of: url)
  }

  public func url(of key: String) -> String {
    place(of: key) == nil ? url + "/" + key : "s3://" + key.dropFirst(4)
  }

  /// Everything that can be addressed, with what requests are signed with now: for another program that reads there.
  public func access() async throws(Failure) -> [(location: S3Location, keys: AccessKeys)] {
    var all = [(location, try await client.keys.keys())]
    for place in places.value { all.append((place.location, try await place.keys.keys())) }
    return all
  }
}
