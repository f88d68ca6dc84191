public import Support

extension SeededRandom {
  /// Chance that is the input's own, so that an input alone repeats what it did.
  init(of bytes: [UInt8]) {
    // FNV-1a.
    self.init(seed: bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
  }

  mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
  mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[below(choices.count)] }
}

/// The bytes with a few things changed, as disks, networks and people change them.
public func damage(_ input: [UInt8], words: [String] = [], using random: inout SeededRandom) -> [UInt8] {
  let words = words + oddWords
  var bytes = input
  for _ in 0...random.below(3) {
    guard !bytes.isEmpty else { return Array(random.pick(words).utf8) }
    let place = random.below(bytes.count)
    let end = min(bytes.count, place + 1 + random.below(8))
    switch random.below(7) {
    case 0: bytes[place] = UInt8(random.below(256))
    case 1: bytes[place] ^= 1 << UInt8(random.below(8))
    case 2: bytes.insert(contentsOf: random.pick(words).utf8, at: place)
    case 3: bytes.replaceSubrange(place..<end, with: random.pick(words).utf8)
    case 4: bytes.removeSubrange(place..<end)
    case 5: bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
    default: bytes.removeSubrange(place...)
    }
  }
  return bytes
}

private let oddWords = [
  "0", "-1", "9223372036854775807", "-9223372036854775808", "1e999", "\0", "\n", "é", "\u{301}",
]

extension Property {
  /// Damaged input; what is JSON stays JSON half of the time.
  public func damaged(_ input: [UInt8], using random: inout SeededRandom) -> [UInt8] {
    if shape == .json, random.below(2) == 0, let reshaped = reshaped(input, using: &random) {
      return reshaped
    }
    return damage(input, words: words, using: &random)
  }

  /// One line of it with one value changed, still JSON; nil when it isn't any.
  public func reshaped(_ input: [UInt8], using random: inout SeededRandom) -> [UInt8]? {
    var lines = input.split(separator: 0x0A).map(Array.init)
    guard !lines.isEmpty else { return nil }
    // Long lines are where most values are.
    let byte = random.below(input.count)
    let place = min(input[..<byte].count { $0 == 0x0A }, lines.count - 1)
    guard var value = try? JSONValue(parsing: lines[place]) else { return nil }
    var countdown = random.below(value.count)
    change(&value, &countdown, &random)
    lines[place] = value.encoded
    if random.below(8) == 0 { lines.insert(lines[random.below(lines.count)], at: place) }
    return Array(lines.joined(separator: [0x0A]))
  }

  /// Changes the value at which the countdown ends.
  private func change(_ value: inout JSONValue, _ countdown: inout Int, _ random: inout SeededRandom) {
    countdown -= 1
    if countdown < 0 {
      replace(&value, &random)
      return
    }
    switch value {
    case .object(var members):
      for key in members.keys.sorted() where countdown >= 0 {
        var member = members[key] ?? .null
        change(&member, &countdown, &random)
        members[key] = member
      }
      value = .object(members)
    case .array(var items):
      for place in items.indices where countdown >= 0 { change(&items[place], &countdown, &random) }
      value = .array(items)
    default: break
    }
  }

  private func replace(_ value: inout JSONValue, _ random: inout SeededRandom) {
    switch (value, random.below(5)) {
    case (.object(var members), 0...3) where !members.isEmpty:
      let key = random.pick(members.keys.sorted())
      if random.below(3) == 0 {
        members[random.pick(words + oddWords)] = members[key]
      } else {
        members[key] = nil
      }
      value = .object(members)
    case (.array(var items), 0...3) where !items.isEmpty:
      let place = random.below(items.count)
      switch random.below(3) {
      case 0: items.remove(at: place)
      case 1: items.append(items[place])
      default: items.swapAt(place, random.below(items.count))
      }
      value = .array(items)
    case (.integer(let number), 0...2):
      value = .integer(
        random.pick([number &+ 1, number &- 1, 0 &- number, .max, .min, 1 << 31, 1 << 53, 1 << 62]))
    default:
      value = random.pick([
        .null, .bool(true), .integer(0), .integer(-1), .double(1e300), .array([]), .object([:]),
        .array([value]),
        .string(""), .string(random.pick(words + oddWords)),
      ])
    }
  }
}

extension JSONValue {
  /// The value and all that is in it.
  fileprivate var count: Int {
    switch self {
    case .object(let members): members.values.reduce(1) { $0 + $1.count }
    case .array(let items): items.reduce(1) { $0 + $1.count }
    default: 1
    }
  }
}
