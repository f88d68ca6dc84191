import Files
import Support
import Testing

@Suite struct BlockRingTests {
  private struct Enough: Error {}

  @Test(arguments: [1, 2, 4]) func bytesComeThroughInOrder(_ blocks: Int) throws {
    let ring = BlockRing(blocks: blocks, of: 7)
    let sent = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let thread = try Thread {
      var rest = sent[...]
      var size = 0
      while !rest.isEmpty {
        size = size % 23 + 1
        let part = Array(rest.prefix(size))
        _ = try? part.withUnsafeBytes { try ring.put($0) }
        rest = rest.dropFirst(size)
      }
      ring.end()
      return true
    }
    var got: [UInt8] = []
    while ring.next({ got += $0 }) {}
    #expect(thread.join())
    #expect(got == sent)
    // The end stays the end.
    #expect(!ring.next { _ in })
  }

  @Test func whoFillsHearsThatTheOtherHasStopped() throws {
    let ring = BlockRing(blocks: 2, of: 4)
    let thread = try Thread {
      var count = 0
      while (try? [UInt8](repeating: 1, count: 4).withUnsafeBytes { try ring.put($0) }) == true { count += 1 }
      ring.end()
      return count
    }
    _ = ring.next { _ in }
    ring.stop()
    #expect(thread.join() >= 1)
  }

  @Test func whoFillsCanGiveUpWhileItWaits() throws {
    let ring = BlockRing(blocks: 1, of: 4)
    let thread = try Thread {
      do {
        for _ in 0..<3 {
          _ = try [UInt8](repeating: 1, count: 4).withUnsafeBytes { try ring.put($0) { throw Enough() } }
        }
        return false
      } catch {
        return error is Enough
      }
    }
    // Nobody empties it: the second block has to wait.
    #expect(thread.join())
  }
}
