import Files
import Ledger
import Logs
import Rows
import Support

/// Why a file's content was not taken.
enum ReadingRefusal: Error {
  /// The file stays as it is; the report says why.
  case passOver(PassedOver.Reason, String)
}

/// What one pass over a rotated file gives.
struct FileContent {
  /// SHA-256 of the uncompressed bytes in hex, and how many there are.
  var digest: String
  var bytes: Int64
  var counts: ScanCounts
  var reading: FilePass.Reading

  /// The gzip'd form, a scratch file.
  var raw: RawCopy.Finished? { reading.raw }
  var hadLease: Bool { reading.hadLease }
}

/// What a gzip file may grow to. Logs shrink to a tenth or a thirtieth; gzip's best, on nothing but zeros, is one in 1,030.
struct InflateLimits {
  /// Text of this many bytes is never too much for its file.
  var harmless: Int64 = 1 << 30
  /// Beyond that, bytes of text a byte of the file.
  var ratio: Int64 = 500
}

/// Opens a rotated file, makes sure that nobody writes to it, and lends the reading of it.
///
/// The lease is taken before the first byte is read. Somebody who opens the file to write waits until it goes, so each block looks whether it
/// was asked back, and then everything is given up: the file is left for the next run.
struct RotatedFileReader: ~Copyable {
  let file: RotatedFile
  private let descriptor: Descriptor
  private let lease: ReadLease?
  private let breaksBefore: UInt32
  private var inflater = GzipReader()
  private var isAtStart = true
  private var inflated: Int64 = 0
  var limits = InflateLimits()

  static let blockSize = 1 << 20

  /// - Parameters:
  ///   - settle: seconds that size and time must have been still where no lease is permitted.
  ///   - changed: its change time before a rename of ours, which is no writer's.
  static func open(
    _ file: RotatedFile, settle: Double, now: Instant, changed: Int64? = nil
  ) throws(ReadingRefusal) -> RotatedFileReader {
    let before = leaseBreaks()
    let descriptor = try openUnchanged(file)
    if file.isOwn {
      return RotatedFileReader(file: file, descriptor: descriptor, lease: nil, breaksBefore: before)
    }
    do throws(ReadLease.Refusal) {
      let lease = try ReadLease.take(descriptor, owner: file.info.uid)
      return RotatedFileReader(file: file, descriptor: descriptor, lease: lease, breaksBefore: before)
    } catch {
      switch error {
      case .writerPresent: throw .passOver(.waiting, "its writer still has it open")
      case .notPermitted:
        let still =
          Double(now.microseconds) / 1e6 - Double(max(file.info.modified, changed ?? file.info.changed)) / 1e9
        guard still >= settle else {
          throw .passOver(
            .waiting,
            still < 0
              ? "no lease is permitted on it, and its time lies ahead of this machine's clock"
              : "no lease is permitted on it, and it has been still for less than the settle time")
        }
      }
    }
    return RotatedFileReader(
      file: file, descriptor: try openUnchanged(file), lease: nil, breaksBefore: before)
  }

  private static func openUnchanged(_ file: RotatedFile) throws(ReadingRefusal) -> Descriptor {
    do throws(SystemError) {
      let descriptor = try Descriptor.input(file.path)
      if FileIdentity(try descriptor.info()) == FileIdentity(file.info) { return descriptor }
    } catch {
      if error.isMissing { throw .passOver(.changed, "it went away before it was read") }
      throw .passOver(.unreadable, error.words)
    }
    throw .passOver(.changed, "it changed between the look and the reading")
  }

  private init(
    file: RotatedFile, descriptor: consuming Descriptor, lease: consuming ReadLease?, breaksBefore: UInt32
  ) {
    self.file = file
    self.descriptor = descriptor
    self.lease = lease
    self.breaksBefore = breaksBefore
  }

  var hasLease: Bool { lease != nil || file.isOwn }

  /// Reads on from where the last call ended, until about `limit` more bytes of text have come or the file ends. `raw` gets the bytes as they
  /// lie on the disk, `text` the uncompressed ones.
  /// - Returns: whether the file has ended.
  mutating func read(
    atMost limit: Int64 = .max, raw: (UnsafeRawBufferPointer) throws -> Void,
    text: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Bool {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 64)
    defer { buffer.deallocate() }
    var taken: Int64 = 0
    var isFirst = isAtStart
    isAtStart = false
    let isGzip = file.isGzip
    func inspected(_ block: UnsafeRawBufferPointer) throws {
      taken += Int64(block.count)
      if isGzip {
        inflated += Int64(block.count)
        if inflated > limits.harmless, inflated > file.info.size * limits.ratio {
          throw ReadingRefusal.passOver(
            .compression, "it inflates to more than \(limits.ratio) times its size: no log does")
        }
      }
      if isGzip, isFirst {
        let head = Array(block.prefix(16))
        if head.starts(with: [0x1F, 0x8B]) || otherCompression(head) != nil {
          throw ReadingRefusal.passOver(.compression, "there is a compressed file within the gzip")
        }
      }
      isFirst = false
      try text(block)
    }
    do {
      while taken < limit {
        let got = try descriptor.read(into: buffer)
        if got == 0 {
          if isGzip { try inflater.finish() }
          try checkUnchanged()
          return true
        }
        let block = UnsafeRawBufferPointer(rebasing: buffer[..<got])
        try raw(block)
        if isGzip { try inflater.read(block, to: inspected) } else { try inspected(block) }
        try checkLease()
      }
      return false
    } catch let error as GzipError {
      throw ReadingRefusal.passOver(.brokenGzip, error.rawValue)
    }
  }

  /// Without a lease, or when one was asked back between two looks, the file itself says whether it changed.
  private func checkUnchanged() throws(ReadingRefusal) {
    let after: FileInfo
    do { after = try descriptor.info() } catch { throw .passOver(.unreadable, error.words) }
    guard after.size == file.info.size, after.modified == file.info.modified else {
      throw .passOver(.changed, "it changed while it was read")
    }
  }

  /// Gives the lease back and closes the file.
  consuming func close() {}

  private func checkLease() throws(ReadingRefusal) {
    guard leaseBreaks() != breaksBefore else { return }
    switch lease {
    case .none: return
    case .some(let lease):
      if !lease.isWhole { throw .passOver(.waiting, "somebody opened it for writing while it was read") }
    }
  }
}

/// The digest of a file's uncompressed content, read by the same rules.
func contentDigest(_ file: RotatedFile, settle: Double, now: Instant) throws -> String {
  var digest = SHA256()
  var reader = try RotatedFileReader.open(file, settle: settle, now: now)
  _ = try reader.read(raw: { _ in }, text: { digest.update($0) })
  return digest.hexDigest()
}
