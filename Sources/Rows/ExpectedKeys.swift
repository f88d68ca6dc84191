/// A member's key, and the places of its second quote and of the value, in bytes from its first.
struct MemberKey {
  var known: KnownKey
  var end: Int
  var value: Int
}

/// The keys of the line before, by their places: in a log the n-th member of a line nearly always has the key that it had there, and then one
/// comparison stands for reading the key and for finding out which one it is.
struct ExpectedKeys: ~Copyable {
  private struct Expected {
    /// From the key's first quote to the value, and which bits of that are it.
    var text: (UInt64, UInt64) = (0, 0)
    var mask: (UInt64, UInt64) = (0, 0)
    /// Nil while none was seen.
    var key: MemberKey?
    var misses: UInt8 = 0
  }

  /// Members behind these are read as if they were never seen.
  private static let count = 16
  /// Longer ones as well. Less than two words, so that a byte behind it can be read.
  private static let longest = 15
  private let keys: UnsafeMutablePointer<Expected>

  init() {
    keys = .allocate(capacity: Self.count)
    keys.initialize(repeating: Expected(), count: Self.count)
  }

  deinit { keys.deallocate() }

  /// The member's key, if the text there is the same and a value begins behind it.
  @inline(__always)
  func found(_ member: Int, _ at: Bytes, _ limit: Bytes) -> MemberKey? {
    guard member < Self.count, limit - at > Self.longest else { return nil }
    let (text, mask) = (keys[member].text, keys[member].mask)
    let differs = (loadWord(at) ^ text.0) & mask.0 | (loadWord(at + 8) ^ text.1) & mask.1
    return differs == 0 ? keys[member].key : nil
  }

  /// Takes a key that was not expected for the next line's. Not each time: lines of two kinds in turn would only undo what the other has done.
  ///
  /// - Parameter start: its first quote.
  @inline(__always)
  func missed(_ key: MemberKey, _ member: Int, _ start: Bytes) {
    guard member < Self.count else { return }
    keys[member].misses &+= 1
    if keys[member].key == nil || keys[member].misses & 7 == 0 { learn(key, member, start) }
  }

  @inline(never)
  private func learn(_ key: MemberKey, _ member: Int, _ start: Bytes) {
    // The line's UTF-8 is checked where its strings were seen to have other bytes than ASCII, and a key that is expected is not looked at.
    guard key.value <= Self.longest, !(0..<key.value).contains(where: { start[$0] > 0x7F }) else { return }
    func word(_ first: Int, _ byte: (Int) -> UInt8) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(first + $1 < key.value ? byte(first + $1) : 0) << UInt64(8 * $1) }
    }
    keys[member] = Expected(
      text: (word(0) { start[$0] }, word(8) { start[$0] }),
      mask: (word(0) { _ in 0xFF }, word(8) { _ in 0xFF }), key: key)
  }
}
