import Files
import Logs
import Support
import Synchronization

/// One pass over a rotated file on two threads. One of its own reads the file, and compresses or inflates it; the caller's gets the text, to hash
/// and to scan. Both have about as much to do.
struct FilePass: ~Copyable {
  /// What the reading thread has to say at its end.
  struct Reading: Sendable {
    /// The gzip'd form, when one was asked for.
    var raw: RawCopy.Finished?
    var hadLease: Bool
  }

  private let ring: BlockRing
  private let thread: Thread<Result<Reading, any Error>>
  private var ending: Result<Reading, any Error>?

  /// Starts to read.
  ///
  /// - Parameter raw: where the gzip'd form is written; nil for none.
  init(
    _ file: RotatedFile, raw: String?, settle: Double, now: Instant, limits: InflateLimits
  ) throws(Failure) {
    // Four blocks: enough that neither side waits for the other's every hiccup.
    let ring = BlockRing(blocks: 4, of: RotatedFileReader.blockSize)
    self.ring = ring
    thread = try Thread {
      let result = Result<Reading, any Error> {
        try Self.read(file, raw: raw, settle: settle, now: now, limits: limits, into: ring)
      }
      ring.end()
      return result
    }
  }

  deinit {
    ring.stop()
    if ending == nil { _ = thread.join() }
  }

  private struct Stopped: Error {}

  private static func read(
    _ file: RotatedFile, raw path: String?, settle: Double, now: Instant, limits: InflateLimits,
    into ring: BlockRing
  ) throws -> Reading {
    var reader = try RotatedFileReader.open(file, settle: settle, now: now)
    reader.limits = limits
    var raw: RawCopy?
    if let path { raw = try RawCopy.create(file, at: path) }
    let breaks = leaseBreaks()
    _ = try reader.read(
      raw: { try raw?.take($0) },
      text: { block in
        try raw?.takeText(block)
        let goesOn = try ring.put(block) {
          // Somebody wants to write to it while the other side is busy: it waits no longer than this.
          if leaseBreaks() != breaks {
            throw ReadingRefusal.passOver(.waiting, "somebody opened it for writing while it was read")
          }
        }
        if !goesOn { throw Stopped() }
      })
    let hadLease = reader.hasLease
    reader.close()
    return Reading(raw: try raw.take()?.finish(), hadLease: hadLease)
  }

  /// Lends the text, block by block, until about `limit` bytes have come or the file ends.
  ///
  /// - Returns: whether it has ended.
  /// - Throws: what the body throws, and why the file can't be read to its end (``ReadingRefusal``, ``SystemError``).
  mutating func text(atMost limit: Int64 = .max, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
    -> Bool
  {
    var taken: Int64 = 0
    while taken < limit {
      let goesOn = try ring.next { block in
        taken += Int64(block.count)
        try body(block)
      }
      if !goesOn {
        _ = try end()
        return true
      }
    }
    return false
  }

  private mutating func end() throws -> Reading {
    let result = ending ?? thread.join()
    ending = result
    return try result.get()
  }

  /// What the reading thread has done, after the text has ended.
  consuming func finish() throws -> Reading { try end() }
}
