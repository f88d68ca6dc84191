// What Fuzzing/ asks for hours, asked of a few damaged seeds each time, and of every input that broke something once.

import Properties
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

  private let rounds = 400

  private func check(_ property: Property, _ input: [UInt8]) throws {
    do {
      try property.check(input)
    } catch {
      Issue.record(
        "\(property.name): \(error), for \(String(decoding: input, as: UTF8.self).debugDescription)")
    }
  }
}

extension Property: CustomTestStringConvertible {
  public var testDescription: String { name }
}
