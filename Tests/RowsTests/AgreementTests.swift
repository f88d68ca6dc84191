// The scanner against three other readers of JSON. They must agree, but for the differences that are listed by name.

import TestSupport
import Testing

@Suite struct AgreementTests {
  @Test(.tags(.medium)) func theScannerAgreesWithOtherReaders() async throws {
    var seen: Set<String> = []
    for seed in [11, 12, 13] as [UInt64] {
      var generator = LineGenerator(seed: seed)
      for difference in try await disagreements((0..<2500).map { _ in generator.line() }) {
        let known = difference.traits.filter {
          $0.scope[difference.reader]?.contains(difference.aspect) ?? false
        }
        #expect(!known.isEmpty, "\(difference)")
        for name in known { seen.insert("\(name) \(difference.reader)") }
      }
    }
    // A difference that no longer shows has to leave the list.
    let listed = KnownDifference.allCases.flatMap { name in name.scope.keys.map { "\(name) \($0)" } }
    #expect(seen == Set(listed))
  }
}
