// What Fuzzing/ asks for hours, asked of a few damaged seeds each time, and of every input that broke something once.

import Properties
import Support
import Testing

@Suite struct PropertiesTests {
  @Test(arguments: Property.all) func holdsForSeedsAndWhatDamageMakesOfThem(_ property: Property) throws {
    var random = SeededRandom(seed: 1)
    var inputs = property.seeds()
    for seed in inputs { try check(property, seed) }
    for _ in 0..<rounds {
      // Damage on damage, now and then.
      let input = property.damaged(inputs[Int.random(in: 0..<inputs.count, using: &random)], using: &random)
      try check(property, input)
      if inputs.count < 40 { inputs.append(input) }
    }
  }

  /// Found by Fuzzing/.
  @Test(arguments: [
    // A number that came back as another one, since it was written in another form.
    ("json", "922337203685477580.107"), ("duckdb-output", "[-9223372036854775807.008]"),
    // Nanoseconds, and a moment, that no 64 bits hold.
    ("duration", "9999999999999999991d"),
    ("configuration", "store: {url: 'file:s'}\nlogs: {settle: 999999999999d}"),
  ]) func holdsForWhatBrokeItOnce(_ name: String, _ input: String) throws {
    let property = try #require(Property.all.first { $0.name == name })
    try check(property, Array(input.utf8))
  }

  private let rounds = 2_000

  private func check(_ property: Property, _ input: [UInt8]) throws {
    do {
      try property.check(input)
    } catch {
      Issue.record(
        "\(property.name): \(error), for \(String(decoding: input, as: UTF8.self).debugDescription)")
    }
  }
}
