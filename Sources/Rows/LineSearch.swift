import CShims

/// Finds the next line that may hold one of some texts, without reading the ones before it.
///
/// A text stands in a JSON string as it is or with escapes: a line with a backslash is always one that may.
struct LineSearch: ~Copyable {
  private let needles: [[UInt8]]
  /// Where each is next, nil when the block has no more of it.
  private var next: [Bytes?]

  init(_ literals: [[UInt8]]) {
    needles = literals + [[backslash]]
    next = needles.map { _ in nil }
  }

  /// Starts a block.
  mutating func begin(_ at: Bytes, _ end: Bytes) {
    for index in needles.indices { next[index] = find(index, at, end) }
  }

  /// The first place at or behind `at` where one of them is; nil when there is none.
  mutating func first(_ at: Bytes, _ end: Bytes) -> Bytes? {
    var first: Bytes?
    for index in needles.indices {
      guard let place = next[index] else { continue }
      if place < at { next[index] = find(index, at, end) }
      if let place = next[index], first.map({ place < $0 }) ?? true { first = place }
    }
    return first
  }

  private func find(_ index: Int, _ at: Bytes, _ end: Bytes) -> Bytes? {
    let found = needles[index].withUnsafeBufferPointer { gw_find(at, end - at, $0.baseAddress!, $0.count) }
    return found.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }
  }
}
