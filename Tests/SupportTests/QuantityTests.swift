import Support
import Testing

@Suite struct QuantityTests {
  @Test(arguments: [
    (Int64(0), "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1_048_524, "1023.9 KiB"),
    (1_048_575, "1.0 MiB"),
    (3 << 20, "3.0 MiB"), (5 << 40, "5.0 TiB"),
  ])
  func bytesAreShownWithBinaryUnits(bytes: Int64, text: String) {
    #expect(ByteCount(bytes).description == text)
  }
}
