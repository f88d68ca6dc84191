import Files
public import HTTP
public import Support

/// An object store under a prefix of a bucket, on AWS or any server that speaks S3.
public struct S3Store: ObjectStore {
  /// What an object is, by the first part of its key.
  public enum Kind: String, Sendable, CaseIterable {
    case raw, alerts, runs, queries, warehouse
  }

  public struct Settings: Sendable {
    /// How objects of a kind are kept; the bucket's default for others.
    public var storageClasses: [Kind: String] = [:]
    /// Whether the server honours `If-None-Match: *`. Nil: not known, and not relied on.
    public var isConditional: Bool?
    /// From this size on a file is sent in parts.
    public var partsFrom = ByteCount.mebibytes(32)
    public var partSize = ByteCount.mebibytes(16)
    public var partsAtOnce = 4

    public init() {}
  }

  let client: S3Client
  public var settings: Settings
  /// What can be addressed besides.
  let places = Shared<[S3Place]>([])
  public var location: S3Location { client.location }
  public var url: String { client.location.url }

  /// The server has called our time wrong, and its own is taken since. Another program that reads the store does not know that.
  public var isClockOff: Bool { client.skew.value != 0 }

  public init(
    _ location: S3Location, http: HTTPClient, keys: KeySource, clock: WallClock = .system,
    settings: Settings = Settings()
  ) {
    self.init(S3Client(location: location, http: http, keys: keys, clock: clock), settings)
  }

  init(_ client: S3Client, _ settings: Settings = Settings()) {
    self.client = client
    self.settings = settings
  }

  func request(_ method: HTTPRequest.Method, _ key: String) throws(Failure) -> S3Request {
    guard isProperKey(key) else {
      throw Failure("store.key", "'\(printable(key))' is no name for an object.")
    }
    guard let place = place(of: key) else { return S3Request(method, location.bucketKey(key)) }
    var request = S3Request(method, place.bucketKey(key))
    request.place = place
    return request
  }

  /// What an object that is written is kept as.
  func storageHeaders(_ key: String) -> [(name: String, value: String)] {
    let kind = place(of: key) != nil ? .warehouse : Kind(rawValue: String(key.prefix { $0 != "/" }))
    return kind.flatMap { settings.storageClasses[$0] }.map { [("x-amz-storage-class", $0)] } ?? []
  }

  // MARK: writing

  public func put(_ bytes: [UInt8], at key: String) async throws(Failure) {
    _ = try await client.send(try putting(bytes, at: key), "write the object \(key)")
  }

  private func putting(_ bytes: [UInt8], at key: String) throws(Failure) -> S3Request {
    var request = try request(.put, key)
    request.body = .bytes(bytes)
    let digest = sha256Digest(bytes)
    request.digest = hex(digest)
    request.headers = storageHeaders(key) + [("x-amz-checksum-sha256", base64(digest))]
    // A server that knows no newer checksum looks at this one.
    request.headers.append(("Content-MD5", base64(md5Digest(bytes))))
    return request
  }

  public func putIfAbsent(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool {
    guard settings.isConditional == true else { return try await putUnlessThere(bytes, at: key) }
    var request = try putting(bytes, at: key)
    request.headers.append(("If-None-Match", "*"))
    let (response, isRepeated) = try await client.send(request, "write the object \(key)", accepting: [412])
    if response.isSuccess { return true }
    // What an attempt before it wrote is ours: nobody else writes these very bytes.
    return isRepeated ? try await holds(bytes, at: key) : false
  }

  private func holds(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool {
    do throws(Failure) {
      return try await get(key, limit: ByteCount(bytes.count)) == bytes
    } catch {
      // Longer: another's.
      if error.code == "store.unreadable" { return false }
      throw error
    }
  }

  /// Where the server does not honour the condition: names that nobody else uses carry the promise, and what is there afterwards is looked at.
  private func putUnlessThere(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool {
    if try await stat(key) != nil { return false }
    try await put(bytes, at: key)
    return try await holds(bytes, at: key)
  }

  public func put(file path: String, at key: String) async throws(Failure) {
    let size: Int64
    do throws(SystemError) { size = try FileInfo(path: path).size } catch {
      throw error.failure("store.file", "The file for the object \(key) can't be read.")
    }
    if size >= settings.partsFrom.bytes { return try await putInParts(path, size: size, at: key) }
    var request = try request(.put, key)
    request.headers = storageHeaders(key)
    _ = try attach(path, from: 0, count: size, to: &request, key)
    _ = try await client.send(request, "write the object \(key)")
  }

  /// Makes part of a file the request's body, with the digests that a server may compare it with: not every server knows CRC-32C.
  ///
  /// - Returns: its CRC-32C.
  func attach(
    _ path: String, from offset: Int64, count: Int64, to request: inout S3Request, _ key: String
  ) throws(Failure) -> UInt32 {
    let isOpen = (request.place?.location ?? location).scheme == "http"
    let found: BodyDigests
    do throws(SystemError) {
      // Over TLS nobody can change it on the way, and it need not be signed.
      found = try digests(file: path, from: offset, count: count, withSHA256: isOpen)
    } catch {
      throw error.failure("store.file", "The file for the object \(key) can't be read.")
    }
    request.body = .file(path, offset: offset, count: count)
    request.headers += [checksum(found.crc32c), ("Content-MD5", base64(found.md5))]
    request.digest = found.sha256 ?? Signer.unsignedPayload
    return found.crc32c
  }

  func checksum(_ crc: UInt32) -> (name: String, value: String) {
    ("x-amz-checksum-crc32c", base64((0..<4).map { UInt8(truncatingIfNeeded: crc >> (24 - 8 * $0)) }))
  }

  // MARK: reading

  public func get(_ key: String, limit: ByteCount) async throws(Failure) -> [UInt8]? {
    var request = try request(.get, key)
    request.limit = limit
    let response = try await client.send(request, "read the object \(key)", accepting: [404]).response
    if response.isSuccess { return response.body }
    return try absent(response, request, "read the object \(key)")
  }

  public func get(_ key: String, toFile path: String) async throws(Failure) -> Bool {
    var request = try request(.get, key)
    request.limit = ByteCount(Int64.max)
    do throws(SystemError) {
      _ = try Descriptor.create(path)
    } catch {
      throw error.failure("store.file", "The file for the object \(key) can't be written.")
    }
    request.sink = .file(path, offset: 0)
    do throws(Failure) {
      let response = try await client.send(request, "read the object \(key)", accepting: [404]).response
      if response.isSuccess {
        try cut(path, to: response.received, key)
        return true
      }
      try? removeFile(path)
      _ = try absent(response, request, "read the object \(key)") as [UInt8]?
      return false
    } catch {
      try? removeFile(path)
      throw error
    }
  }

  /// An attempt that was cut off may have written more than the one that ended well.
  private func cut(_ path: String, to size: Int64, _ key: String) throws(Failure) {
    do throws(SystemError) { try setSize(path, size) } catch {
      throw error.failure("store.file", "The file for the object \(key) can't be written.")
    }
  }

  public func range(_ key: String, from offset: Int64, count: Int) async throws(Failure) -> [UInt8]? {
    guard count > 0 else { return try await stat(key).map { _ in [] } }
    var request = try request(.get, key)
    request.headers = [("Range", "bytes=\(offset)-\(offset + Int64(count) - 1)")]
    request.limit = ByteCount(count)
    let response = try await client.send(request, "read the object \(key)", accepting: [404, 416]).response
    switch response.status {
    // Some send a part with a status of 200. One without the header is the whole object, which fits.
    case 200 where response.headers["content-range"] == nil:
      return Array(response.body.dropFirst(Int(min(offset, Int64(response.body.count)))))
    case 200, 206: return response.body
    case 416: return []
    default: return try absent(response, request, "read the object \(key)")
    }
  }

  /// Nil for an object that is not there; an error when it is the bucket that is missing, or the server no S3.
  private func absent<Value>(
    _ response: HTTPResponse, _ request: S3Request, _ operation: String
  ) throws(Failure) -> Value? {
    let error = client.error(response)
    if error.code == "NoSuchBucket" || error.isForeign {
      throw error.failure(operation, at: request.place?.location ?? location)
    }
    return nil
  }

  public func stat(_ key: String) async throws(Failure) -> ObjectInfo? {
    let operation = "look at the object \(key)"
    let head = try request(.head, key)
    let answer: HTTPResponse
    do throws(Failure) {
      answer = try await client.send(head, operation, accepting: [404]).response
    } catch {
      // An answer to HEAD has no words. The same question as GET has, and what they say may be put right: another time, expired keys.
      guard ["store.denied", "store.refused", "store.region", "store.answer"].contains(error.code) else {
        throw error
      }
      var again = try request(.get, key)
      again.headers = [("Range", "bytes=0-0")]
      _ = try await client.send(again, operation, accepting: [404, 416])
      answer = try await client.send(head, operation, accepting: [404]).response
    }
    guard answer.isSuccess else { return nil }
    guard let size = answer.headers["content-length"].flatMap({ Int64($0) }), size >= 0 else {
      throw Failure(
        "store.answer", "The S3 server \(location.endpoint) does not say how long the object \(key) is.")
    }
    let modified = answer.headers["last-modified"].flatMap(httpDate) ?? Instant(microseconds: 0)
    return ObjectInfo(key: key, size: size, modified: modified)
  }

  public func list(_ prefix: String, after start: String) async throws(Failure) -> [ObjectInfo] {
    // As with a folder: no key begins so.
    guard prefix.isEmpty || !prefix.hasPrefix("/") else { return [] }
    let place = place(of: prefix)
    func name(_ key: String) -> String { place?.bucketKey(key) ?? location.bucketKey(key) }
    func own(_ name: String) -> String? { place == nil ? location.key(inBucket: name) : nil }
    var found: [ObjectInfo] = []
    var token: String?
    repeat {
      var request = S3Request(.get, nil)
      request.place = place
      request.query = [("list-type", "2"), ("prefix", name(prefix)), ("max-keys", "1000")]
      if let token {
        request.query.append(("continuation-token", token))
      } else if !start.isEmpty {
        request.query.append(("start-after", name(start)))
      }
      request.mayHideError = true
      let operation = "list the objects under \(prefix)"
      let response = try await client.send(request, operation).response
      guard let tree = XMLTree(parsing: response.body), tree.name == "ListBucketResult" else {
        throw Failure(
          "store.answer",
          "The S3 server \(location.endpoint) does not answer as S3 does. (It was to \(operation).)",
          remedy: "Check 'store.endpoint'.")
      }
      for entry in tree.all("Contents") {
        guard
          let key = entry["Key"].flatMap({ place?.key(inBucket: $0.text) ?? own($0.text) }),
          let size = entry["Size"].flatMap({ Int64($0.text) }),
          // Not every server knows where to start.
          start.isEmpty || start.utf8.lexicographicallyPrecedes(key.utf8)
        else { continue }
        let modified = entry["LastModified"].flatMap { listingDate($0.text) } ?? Instant(microseconds: 0)
        found.append(ObjectInfo(key: key, size: size, modified: modified))
      }
      let next = tree["NextContinuationToken"]?.text
      // The same token again would never end.
      token = tree["IsTruncated"]?.text == "true" && next != token ? next : nil
    } while token != nil
    return found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  // MARK: removing

  public func delete(_ key: String) async throws(Failure) {
    _ = try await client.send(try request(.delete, key), "delete the object \(key)", accepting: [404])
  }

  /// A thousand at a time, and each of them by itself where the server knows no other way.
  public func delete(_ keys: [String]) async throws(Failure) {
    if location.vendor == .google {
      _ = try await inParallel(8, keys) { key throws(Failure) in try await delete(key) }
      return
    }
    var groups: [String: [String]] = [:]
    for key in keys { groups[place(of: key)?.location.url ?? "", default: []].append(key) }
    for keys in groups.values {
      for start in stride(from: 0, to: keys.count, by: 1000) {
        try await deleteTogether(keys[start..<min(start + 1000, keys.count)])
      }
    }
  }

  private func deleteTogether(_ keys: ArraySlice<String>) async throws(Failure) {
    var entries = ""
    var request = S3Request(.post, nil)
    for key in keys {
      let one = try self.request(.delete, key)
      entries += "<Object><Key>\(escapedXML(one.key ?? ""))</Key></Object>"
      request.place = one.place
    }
    let body = Array("<Delete><Quiet>true</Quiet>\(entries)</Delete>".utf8)
    request.query = [("delete", "")]
    request.body = .bytes(body)
    request.headers = [
      ("Content-MD5", base64(md5Digest(body))), ("x-amz-checksum-sha256", base64(sha256Digest(body))),
    ]
    let operation = "delete \(counted(keys.count, "object"))"
    let response = try await client.send(request, operation).response
    // Each may have failed by itself. What was not there is none of them.
    for error in XMLTree(parsing: response.body)?.all("Error") ?? []
    where error["Code"]?.text != "NoSuchKey" {
      throw Failure(
        error["Code"]?.text == "AccessDenied" ? "store.denied" : "store.refused",
        "The S3 server \(location.endpoint) did not delete the object \(printable(error["Key"]?.text ?? "")).",
        words: "\(error["Code"]?.text ?? "") \(error["Message"]?.text ?? "")")
    }
  }

  public func thaw(_ key: String) async throws(Failure) -> Bool {
    var request = try request(.post, key)
    request.query = [("restore", "")]
    request.body = .bytes(
      Array(
        "<RestoreRequest><Days>7</Days><GlacierJobParameters><Tier>Standard</Tier></GlacierJobParameters></RestoreRequest>"
          .utf8))
    return try await client.send(request, "bring back the object \(key)", accepting: [409]).response.isSuccess
  }

  /// Whether the server honours `If-None-Match: *`. It is asked once, and what it did is kept in the store.
  public func honoursConditions() async throws(Failure) -> Bool {
    struct Known: Codable { var honoursIfNoneMatch: Bool }
    let key = "runs/store.json"
    if let bytes = try await get(key, limit: .kibibytes(64)),
      let known = try? decodeJSON(Known.self, from: bytes, code: "store.answer", document: key)
    {
      return known.honoursIfNoneMatch
    }
    let probe = "runs/probe-\(randomName())"
    let known = Known(honoursIfNoneMatch: try await probeConditions(at: probe))
    try await delete(probe)
    try await put(encodeJSON(known), at: key)
    return known.honoursIfNoneMatch
  }

  /// Asks the server whether it honours `If-None-Match: *`: some overwrite in silence. And whether it is a store at
  /// all: a web server may take whatever is written to it. Four requests.
  ///
  /// - Parameter key: of an object that is there, or is written for it, and that nobody needs.
  public func probeConditions(at key: String) async throws(Failure) -> Bool {
    let content = Array("probe\n".utf8)
    var request = try putting(content, at: key)
    request.headers.append(("If-None-Match", "*"))
    let operation = "write the object \(key)"
    // A server that does not know the condition may say so.
    let first = try await client.send(request, operation, accepting: [400, 412, 501]).response
    if first.isSuccess, first.status != 501 {
      guard try await get(key, limit: .kibibytes(64)) == content else {
        throw Failure(
          "store.answer",
          "The S3 server \(location.endpoint) does not answer as S3 does. (It was to read the object \(key), which was just written.)",
          remedy: "Check 'store.endpoint'.")
      }
      let second = try await client.send(request, operation, accepting: [400, 412, 501]).response
      return second.status == 412
    }
    return first.status == 412
  }
}
