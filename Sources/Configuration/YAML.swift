// The configuration: YAML events to typed values, with line and column in every error.

import CYAML
import Support

/// A place in a file, counted from 1.
public struct Mark: Sendable, Equatable, CustomStringConvertible {
  public var line: Int
  public var column: Int
  public var description: String { "line \(line), column \(column)" }
}

/// A YAML document as it was written: scalars stay text until a key says what it expects.
indirect enum YAMLNode: Sendable {
  /// `quoted` tells `"null"` from `null`.
  case scalar(String, quoted: Bool, Mark)
  case sequence([YAMLNode], Mark)
  case mapping([(key: String, mark: Mark, value: YAMLNode)], Mark)

  var mark: Mark {
    switch self {
    case .scalar(_, _, let mark), .sequence(_, let mark), .mapping(_, let mark): mark
    }
  }
}

/// Reads one YAML document through libyaml's events. Refused: a second document, anchors and aliases, tags, duplicate keys, keys that are no
/// scalars, and nesting beyond 32 levels.
func parseYAML(_ bytes: [UInt8], path: String) throws(Failure) -> YAMLNode {
  var parser = YAMLEvents(path: path)
  return try bytes.withUnsafeBufferPointer { buffer throws(Failure) in
    parser.start(buffer)
    defer { parser.end() }
    return try parser.document()
  }
}

private struct YAMLEvents {
  let path: String
  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)

  init(path: String) { self.path = path }

  func start(_ buffer: UnsafeBufferPointer<UInt8>) {
    yaml_parser_initialize(parser)
    yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
  }

  func end() {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  private enum Event {
    case scalar(String, quoted: Bool)
    case sequenceStart, sequenceEnd, mappingStart, mappingEnd, documentEnd, streamEnd, other
  }

  func failure(_ mark: Mark, _ what: String, words: String = "") -> Failure {
    Failure("config.syntax", "\(path), \(mark): \(what)", words: words)
  }

  private func next() throws(Failure) -> (Event, Mark) {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else {
      let mark = Mark(
        line: Int(parser.pointee.problem_mark.line) + 1, column: Int(parser.pointee.problem_mark.column) + 1)
      let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it can't be read"
      throw failure(mark, "this is no YAML.", words: problem)
    }
    defer { yaml_event_delete(&event) }
    let mark = Mark(line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
    func refuse(_ anchor: UnsafeMutablePointer<yaml_char_t>?, _ tag: UnsafeMutablePointer<yaml_char_t>?)
      throws(Failure)
    {
      if anchor != nil {
        throw failure(mark, "anchors are not read here; write the value where it is wanted.")
      }
      if tag != nil { throw failure(mark, "tags are not read here.") }
    }
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      try refuse(scalar.anchor, scalar.tag)
      let text = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      return (.scalar(text, quoted: scalar.style != YAML_PLAIN_SCALAR_STYLE), mark)
    case YAML_SEQUENCE_START_EVENT:
      try refuse(event.data.sequence_start.anchor, event.data.sequence_start.tag)
      return (.sequenceStart, mark)
    case YAML_MAPPING_START_EVENT:
      try refuse(event.data.mapping_start.anchor, event.data.mapping_start.tag)
      return (.mappingStart, mark)
    case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, mark)
    case YAML_MAPPING_END_EVENT: return (.mappingEnd, mark)
    case YAML_ALIAS_EVENT:
      throw failure(mark, "aliases are not read here; write the value where it is wanted.")
    case YAML_DOCUMENT_END_EVENT: return (.documentEnd, mark)
    case YAML_STREAM_END_EVENT: return (.streamEnd, mark)
    default: return (.other, mark)
    }
  }

  mutating func document() throws(Failure) -> YAMLNode {
    var (event, mark) = try next()
    while case .other = event { (event, mark) = try next() }
    // An empty file sets nothing.
    if case .streamEnd = event { return .mapping([], Mark(line: 1, column: 1)) }
    let root = try node(event, mark, depth: 0)
    while true {
      let (event, mark) = try next()
      switch event {
      case .streamEnd: return root
      case .documentEnd, .other: continue
      default: throw failure(mark, "a second document begins here; one is read.")
      }
    }
  }

  private func node(_ event: Event, _ mark: Mark, depth: Int) throws(Failure) -> YAMLNode {
    guard depth < 32 else { throw failure(mark, "this is nested too deeply.") }
    switch event {
    case .scalar(let text, let quoted): return .scalar(text, quoted: quoted, mark)
    case .sequenceStart:
      var items: [YAMLNode] = []
      while true {
        let (event, mark) = try next()
        if case .sequenceEnd = event { break }
        items.append(try node(event, mark, depth: depth + 1))
      }
      return .sequence(items, mark)
    case .mappingStart:
      var members: [(key: String, mark: Mark, value: YAMLNode)] = []
      while true {
        let (event, keyMark) = try next()
        if case .mappingEnd = event { break }
        guard case .scalar(let key, _) = event else { throw failure(keyMark, "a key has to be plain text.") }
        if let earlier = members.first(where: { $0.key == key }) {
          throw failure(
            keyMark, "the key '\(printable(key))' stands here a second time; the first is at \(earlier.mark)."
          )
        }
        let (valueEvent, valueMark) = try next()
        members.append((key, keyMark, try node(valueEvent, valueMark, depth: depth + 1)))
      }
      return .mapping(members, mark)
    default: throw failure(mark, "nothing can be read here.")
    }
  }
}
