import Support

/// Characters that a string bound keeps, as Java's writer does.
let boundCharacters = 16

/// A lower bound in Iceberg's single-value encoding (spec, appendix D): never above the value.
///
/// - Parameter text: the value; microseconds since 1970 for a timestamp.
func lowerBound(_ kind: TableColumn.Kind, _ text: String) -> [UInt8]? {
  switch kind {
  case .string: Array(String(String.UnicodeScalarView(text.unicodeScalars.prefix(boundCharacters))).utf8)
  case .long, .timestamptz: Int64(text).map(littleEndian)
  }
}

/// An upper bound: never below the value. A text that is cut has its last character raised; one that can't be raised has no bound.
func upperBound(_ kind: TableColumn.Kind, _ text: String) -> [UInt8]? {
  guard kind == .string else { return Int64(text).map(littleEndian) }
  var scalars = Array(text.unicodeScalars.prefix(boundCharacters + 1))
  guard scalars.count > boundCharacters else { return Array(text.utf8) }
  scalars.removeLast()
  while let last = scalars.popLast() {
    // Behind U+D7FF come the surrogates, which are no characters.
    let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
    if let raised = Unicode.Scalar(next) {
      scalars.append(raised)
      return Array(String(String.UnicodeScalarView(scalars)).utf8)
    }
  }
  return nil
}

func littleEndian(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
func littleEndian(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
