import Files
import Support
import Testing

@testable import ObjectStorage

/// Does things at random to a few objects of one prefix, and knows what may be there: one content, or several after an error.
struct StoreModel {
  let store: S3Store
  let folder: String
  var random: SeededRandom
  var possible: [String: Set<[UInt8]?>] = [:]
  var failed = 0

  init(store: S3Store, folder: String, seed: Int) {
    self.store = store
    self.folder = folder
    random = SeededRandom(seed: UInt64(seed))
    for number in 0..<5 { possible["raw/\(number)"] = [nil] }
  }

  mutating func step() async throws {
    let key = "raw/\(random.next() % 5)"
    let content = randomContent(Int(random.next() % 20_000), seed: random.next())
    let before = possible[key] ?? [nil]
    // What may be there once this has ended in an error.
    var after = before
    do {
      switch random.next() % 12 {
      case 0, 1, 2:
        after.insert(content)
        try await store.put(content, at: key)
        possible[key] = [content]
      case 3:
        after.insert(content)
        let file = joined(folder, "file")
        try publish(content, at: file, replacing: true)
        try await store.put(file: file, at: key)
        possible[key] = [content]
      case 4, 5:
        if before.contains(nil) { after.insert(content) }
        if try await store.putIfAbsent(content, at: key) {
          #expect(before.contains(nil), "\(key) was there")
          possible[key] = [content]
        } else {
          possible[key] = before.subtracting([nil])
          #expect(possible[key] != [], "nobody else has written \(key)")
        }
      case 6:
        let found = try await store.get(key, limit: .mebibytes(1))
        #expect(before.contains(found), "\(key)")
        possible[key] = [found]
      case 7:
        let target = joined(folder, "target")
        defer { #expect(!exists(target)) }
        if try await store.get(key, toFile: target) {
          let found = try readFile(target, limit: .mebibytes(1))
          try removeFile(target)
          #expect(before.contains(found), "\(key)")
        } else {
          #expect(before.contains(nil), "\(key)")
        }
      case 8:
        let (offset, count) = (Int(random.next() % 20_000), Int(random.next() % 20_000) + 1)
        let found = try await store.range(key, from: Int64(offset), count: count)
        #expect(before.contains { $0.map { Array($0.dropFirst(offset).prefix(count)) } == found }, "\(key)")
      case 9:
        let found = try await store.stat(key)
        #expect(before.contains { $0.map { Int64($0.count) } == found?.size }, "\(key)")
      case 10:
        let found = Dictionary(uniqueKeysWithValues: try await store.list("raw/").map { ($0.key, $0.size) })
        #expect(Set(found.keys).isSubset(of: possible.keys))
        for (key, states) in possible {
          #expect(states.contains { $0.map { Int64($0.count) } == found[key] }, "\(key)")
        }
      default:
        after.insert(nil)
        try await store.delete(key)
        possible[key] = [nil]
      }
    } catch let failure as Failure {
      #expect(
        ["store.unavailable", "store.broken", "store.unreachable", "store.timeout"].contains(failure.code),
        "\(failure)")
      possible[key] = after
      failed += 1
    }
  }
}
