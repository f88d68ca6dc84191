import Files
import HTTP
public import Support

/// The parts that a file goes up in. Pure.
struct PartPlan: Equatable, Sendable {
  /// All but the last have this size: servers that are not AWS want that.
  var partSize: Int64
  var count: Int
  let size: Int64

  /// S3 takes at most 10,000 parts, each of 5 MiB and more.
  init(size: Int64, partSize wanted: ByteCount) {
    let least: Int64 = 5 << 20
    let mebibyte: Int64 = 1 << 20
    let needed = (size + 9_999) / 10_000
    let rounded = (needed + mebibyte - 1) / mebibyte * mebibyte
    partSize = max(least, wanted.bytes, rounded)
    count = max(1, Int((size + partSize - 1) / partSize))
    self.size = size
  }

  /// The number is counted from 0.
  func part(_ number: Int) -> (offset: Int64, count: Int64) {
    let offset = Int64(number) * partSize
    return (offset, min(partSize, size - offset))
  }
}

extension S3Store {
  /// Sends the parts side by side and joins them. What was sent goes when it fails.
  func putInParts(_ path: String, size: Int64, at key: String) async throws(Failure) {
    let operation = "write the object \(key)"
    var create = try request(.post, key)
    create.query = [("uploads", "")]
    create.headers = storageHeaders(key) + [("x-amz-checksum-algorithm", "CRC32C")]
    let answer = try await client.send(create, operation).response
    guard let upload = XMLTree(parsing: answer.body)?["UploadId"]?.text, !upload.isEmpty else {
      throw Failure(
        "store.answer",
        "The S3 server \(location.endpoint) gave no id for an upload in parts. (It was to \(operation).)",
        remedy: "Check 'store.endpoint'.")
    }
    do throws(Failure) {
      let plan = PartPlan(size: size, partSize: settings.partSize)
      let parts = try await sendParts(plan, path, upload, at: key)
      try await complete(upload, parts, size: size, at: key)
    } catch {
      await abort(upload, at: key)
      throw error
    }
  }

  private struct SentPart: Sendable {
    var number: Int
    var etag: String
    var crc: UInt32
  }

  private func sendParts(
    _ plan: PartPlan, _ path: String, _ upload: String, at key: String
  ) async throws(Failure) -> [SentPart] {
    try await inParallel(settings.partsAtOnce, Array(0..<plan.count)) { number throws(Failure) in
      try await sendPart(plan, number, path, upload, at: key)
    }
  }

  private func sendPart(
    _ plan: PartPlan, _ number: Int, _ path: String, _ upload: String, at key: String
  ) async throws(Failure) -> SentPart {
    let (offset, count) = plan.part(number)
    var request = try request(.put, key)
    request.query = [("partNumber", String(number + 1)), ("uploadId", upload)]
    let crc = try attach(path, from: offset, count: count, to: &request, key)
    let response = try await client.send(request, "write a part of the object \(key)").response
    guard let etag = response.headers["etag"], !etag.isEmpty else {
      throw Failure(
        "store.answer", "The S3 server \(location.endpoint) gave no ETag for a part of the object \(key).",
        remedy: "Check 'store.endpoint'.")
    }
    return SentPart(number: number + 1, etag: etag, crc: crc)
  }

  private func complete(_ upload: String, _ parts: [SentPart], size: Int64, at key: String)
    async throws(Failure)
  {
    var request = try request(.post, key)
    request.query = [("uploadId", upload)]
    request.mayHideError = true
    let isGoogle = (request.place?.location ?? location).vendor == .google
    let list = parts.map { part in
      let digest = isGoogle ? "" : "<ChecksumCRC32C>\(checksum(part.crc).value)</ChecksumCRC32C>"
      return
        "<Part>\(digest)<ETag>\(escapedXML(part.etag))</ETag><PartNumber>\(part.number)</PartNumber></Part>"
    }
    let document =
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(list.joined())</CompleteMultipartUpload>"
    request.body = .bytes(Array(document.utf8))
    let operation = "join the parts of the object \(key)"
    let (response, isRepeated) = try await client.send(request, operation, accepting: [404])
    if response.isSuccess, XMLTree(parsing: response.body)?.name == "CompleteMultipartUploadResult" { return }
    // An attempt whose answer was lost has joined them: the upload is gone then, and the object there. The same holds for an answer that can't be
    // read: S3 has sent its status before it knew.
    if isRepeated || response.isSuccess, try await stat(key)?.size == size { return }
    if response.isSuccess {
      throw Failure(
        "store.answer",
        "The S3 server \(location.endpoint) does not answer as S3 does. (It was to \(operation).)",
        remedy: "Check 'store.endpoint'.")
    }
    throw client.error(response).failure(operation, at: request.place?.location ?? location)
  }

  private func abort(_ upload: String, at key: String) async {
    guard var request = try? request(.delete, key) else { return }
    request.query = [("uploadId", upload)]
    // It must be done even when the work was cancelled, and when it can't be, the clean-up of a later day finds it.
    let aborting = request
    let client = client
    await Task.detached { _ = try? await client.send(aborting, "abort an upload", accepting: [404]) }.value
  }

  /// Aborts uploads in parts under this store's prefix that were begun before the moment: of programs that were killed.
  ///
  /// - Returns: how many there were.
  public func abortUploads(before moment: Instant) async throws(Failure) -> Int {
    var aborted = try await abortUploads(before: moment, in: nil)
    for place in places.value { aborted += try await abortUploads(before: moment, in: place) }
    return aborted
  }

  private func abortUploads(before moment: Instant, in place: S3Place?) async throws(Failure) -> Int {
    var aborted = 0
    func key(_ name: String) -> String? {
      place.map { $0.key(inBucket: name) } ?? location.key(inBucket: name)
    }
    var markers: (key: String, upload: String)?
    repeat {
      var request = S3Request(.get, nil)
      request.place = place
      request.query = [
        ("uploads", ""), ("prefix", (place?.location ?? location).keyPrefix), ("max-uploads", "1000"),
      ]
      if let markers { request.query += [("key-marker", markers.key), ("upload-id-marker", markers.upload)] }
      let response = try await client.send(request, "list uploads in parts").response
      guard let tree = XMLTree(parsing: response.body), tree.name == "ListMultipartUploadsResult" else {
        return aborted
      }
      for entry in tree.all("Upload") {
        guard let key = entry["Key"].flatMap({ key($0.text) }),
          let upload = entry["UploadId"]?.text,
          let begun = entry["Initiated"].flatMap({ listingDate($0.text) }), begun < moment
        else { continue }
        await abort(upload, at: key)
        aborted += 1
      }
      let next = (tree["NextKeyMarker"]?.text ?? "", tree["NextUploadIdMarker"]?.text ?? "")
      let isSame = markers.map { $0 == next } ?? false
      markers = tree["IsTruncated"]?.text == "true" && !isSame ? next : nil
    } while markers != nil
    return aborted
  }
}

func escapedXML(_ text: String) -> String {
  var result = ""
  for character in text.unicodeScalars {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    default: result.unicodeScalars.append(character)
    }
  }
  return result
}
