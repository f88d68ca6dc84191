import Files
import Support
import TestSupport

/// Rotated files of every kind, the same ones for the same seed.
struct GeneratedFiles {
  private var random: SeededRandom
  private var serial = 0
  /// Kinds of malformed lines that were written.
  private(set) var kinds: Set<String> = []

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// Puts one file onto one of the first nodes: its name, form and content follow from its index.
  mutating func putFile(_ index: Int, into fleet: TestFleet, nodes: Int = 6, folders: Int = 3) throws {
    let node = index % nodes
    // Five days, and never the same second twice in a stream.
    let rotated = TestFleet.hour - Int64(index % 5) * 86_400 + Int64(index)
    let day = ["20261123", "20261122", "20261121", "20261120", "20261119"][index % 5]
    let dashed = "\(day.prefix(4))-\(day.dropFirst(4).prefix(2))-\(day.suffix(2))"
    let content = try fileContent(index)
    let isGzip = index % 3 == 1 || content.isEmpty && index % 2 == 0
    let tail = isGzip ? ".gz" : ""
    let (name, stream): (String, String) =
      switch index % 6 {
      case 0: ("my_logs.log.\(index + 1)\(tail)", "my_logs.log")
      case 1: ("my_logs.log-\(day)-\(10 + index % 14)\(tail)", "my_logs.log")
      case 2: ("app.\(dashed).\(index).log\(tail)", "app.log")
      case 3: ("worker-\(index).log-\(day)\(tail)", "worker-\(index).log")
      case 4: ("größe_\(index).log.1\(tail)", "größe_\(index).log")
      default: ("job \(index)\(tail)", "job \(index)")
      }
    var folder = TestFleet.rawLogs
    // The subfolders' globs take gzip'd names and numbered ones only.
    if folders > 1, isGzip || index % 6 == 0 || index % 6 == 4, index % 4 == 1 || index % 4 == 2 {
      folder = "var/logs/by-service/\(index % 4 == 1 ? "auth" : "web")"
    }
    let stored = isGzip ? compressed(content, members: index % 4) : nil
    try fleet.put(name, content, on: node, in: folder, stored: stored, rotated: rotated, stream: stream)
  }

  /// Gzip with so many members more than one, the last of them followed by zeros now and then.
  private func compressed(_ content: [UInt8], members: Int) -> [UInt8] {
    guard members > 0, content.count > 10 else { return gzip(content) }
    let cut = content.count / (members + 1)
    var bytes: [UInt8] = []
    for part in 0...members {
      bytes += gzip(Array(content[part * cut..<(part == members ? content.count : (part + 1) * cut)]))
    }
    return members == 3 ? bytes + [UInt8](repeating: 0, count: 512) : bytes
  }

  private mutating func fileContent(_ index: Int) throws -> [UInt8] {
    switch index % 20 {
    case 7: return []
    case 13: return Array("\n\n  \t\n\r\n\u{B}\u{C}\n".utf8)
    case 17: return Array(" \t ".utf8)
    default: break
    }
    var bytes: [UInt8] = []
    for _ in 0..<(5 + Int(random.next() % 40)) {
      bytes += line()
      bytes += random.next() % 5 == 0 ? [0x0D, 0x0A] : [0x0A]
    }
    if index == 42 {
      kinds.insert("too-long")
      bytes += [UInt8](repeating: 0x78, count: (4 << 20) + 1) + [0x0A]
      bytes += Array(#"{"id":"after-the-long-one"}"#.utf8) + [0x0A]
    }
    // No line end at the end, and a carriage return that no line feed follows.
    if index % 4 == 3 { bytes += line() }
    if index % 8 == 5 { bytes += line() + [0x0D] }
    return bytes
  }

  private mutating func line() -> [UInt8] {
    serial += 1
    switch random.next() % 12 {
    case 0: return Array(pick(Self.blanks).utf8)
    case 1:
      let (kind, bytes) = pick(Self.malformed)
      kinds.insert(kind)
      return bytes
    case 2, 3: return Array(pick(Self.odd).replacing("SERIAL", with: "\(serial)").utf8)
    default:
      let category = pick(["INFO", "WARN", "CRITICAL", "SECURITY"])
      return Array(
        #"{"id":"line-\#(serial)","@timestamp":"\#(pick(Self.times))","@version":"1.1","message":"\#(pick(["Auth", "AppStack", "Database"])) [\#(category)] \#(pick(Self.words)) \#(pick(Self.words))"}"#
          .utf8)
    }
  }

  private mutating func pick<Value>(_ values: [Value]) -> Value {
    values[Int(random.next() % UInt64(values.count))]
  }

  private static let blanks = ["", " ", "\t\t", "\u{B}", " \u{C} "]
  private static let words = [
    "dog", "Käse", "牛", "🚗", #"\"quoted\""#, #"back\\slash"#, #"\u00e9t\u00e9"#, #"\ud83d\ude97"#,
    #"new\nline"#, #"tab\t"#, "[x]",
    "=", "",
  ]
  private static let times = [
    "2026-11-23T13:00:00.000Z", "2026-11-23T13:00:00Z", "2026-11-23 13:00:00", "2026-11-23t13:00z",
    "2026-11-23T13:00:00,5+01:00", "2026-11-23T13:00:00.123456789-0830", "2026-11-23",
    "2026-11-23T00:30:00+14",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2024-02-29T12:00:00Z", "1969-12-31T23:59:59.5Z",
    // Unreadable:
    "2026-02-29T12:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T13:00:60Z", "now", "epoch", "", "infinity",
    "2026-11-23T13:00:00 UTC", "2026-11-23T13:00:00+24:00", "0001-01-01T00:00:00+01:00", "2026-11-23T13",
    "2026-11-23T13:00:00.Z", "26-11-23T13:00:00Z", " 2026-11-23T13:00:00Z",
  ]
  /// Entries that are odd and right.
  private static let odd = [
    "{}", " { } ", #"{"id":"odd-SERIAL"}"#,
    #"{"id":17,"message":null,"@version":1.10,"@timestamp":1700000000}"#,
    #"{"@timestamp":null,"id":{"a": [1, 2 ,{ }]},"message":true}"#,
    #"{"id":"odd-SERIAL","logger_name":"c.e.Main","thread_name":"main","level":"INFO","level_value":20000,"message":"App [INFO] up"}"#,
    #"{"message":"first","message":"Auth [SECURITY] second","id":null,"id":"later-SERIAL"}"#,
    #"{"node":"fool","ts":"2020-01-01","batch":1,"region":"x","id":"odd-SERIAL","line":0}"#,
    #"{"big":123456789012345678901234567890.10E+5,"neg":-0,"x":1e400,"id":"odd-SERIAL"}"#,
    #"{"\u0069d":"escaped key SERIAL","mess\u0061ge":"Auth [INFO] k"}"#,
    #"{"a":"\u0000","id":"nul SERIAL"}"#, #"{"message":"Auth [SECURITY]","id":"odd-SERIAL"}"#,
    #"{"message":"Auth  [INFO] two blanks"}"#, #"{"message":"Auth [IN FO] x"}"#,
    #"{"message":"Auth [INFO]x"}"#,
    #"{"message":"Auth [INFO] a\nb\n"}"#, #"{"message":"Auth [INFO]\n"}"#, #"{"message":"[INFO] x"}"#,
    #"{"message":"Über [Größe] ü"}"#, #"{"message":"a\u00a0b [INFO] nbsp is no blank"}"#,
    #"  {"id" : "spaced-SERIAL" , "z" : [ ] , "y" : { "k" : "v w" } , "z" : false }  "#,
    String(repeating: #"{"a":"#, count: 511) + "{}" + String(repeating: "}", count: 511),
  ]
  private static let malformed: [(String, [UInt8])] =
    [
      #"{"a":1,}"#, #"{"a":NaN}"#, #"{"a":Infinity}"#, #"{'a':1}"#, #"{"a":1} {"b":2}"#, #"{"a":"\ud800"}"#,
      #"{"a":01}"#,
      #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":"unended"#, "{", "not json at all [SECURITY]", #"{"a":"\x"}"#,
      "\u{FEFF}{}",
      #"{"a":tru}"#, "{\"a\":\"tab\there\"}", #"{"a":1}x"#, #"{"a" 1}"#, #"{a:1}"#, #"{"a":1}//"#,
      String(repeating: "[", count: 513) + String(repeating: "]", count: 513),
      String(repeating: #"{"a":"#, count: 512) + "{}" + String(repeating: "}", count: 512),
    ].map { ("not-json", Array($0.utf8)) }
    + ["[]", "[1,2]", "17", "-0.5e3", "true", "null", #""a string""#, " [ {} ] "].map {
      ("not-an-object", Array($0.utf8))
    }
    + [
      ("nul-byte", Array("{\"a\":\"\0\"}".utf8)), ("nul-byte", Array("\0".utf8)),
      ("invalid-utf8", Array(#"{"a":""#.utf8) + [0xFF] + Array(#"","b":"\n"}"#.utf8)),
      ("invalid-utf8", [0xC0, 0xAF]), ("invalid-utf8", [0xED, 0xA0, 0x80]), ("invalid-utf8", [0xE2, 0x82]),
      ("invalid-utf8", [0xF4, 0x90, 0x80, 0x80]),
      ("invalid-utf8", Array("Grüße ".utf8) + [0xE4, 0x5C, 0x00]),
      ("invalid-utf8", [0xF0, 0x9F, 0x98, 0x41]),
    ]
}
