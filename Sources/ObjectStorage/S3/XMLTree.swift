import CExpat

/// A small XML document, read by expat: what S3 answers with. Attributes and what is neither element nor text are left out.
struct XMLTree: Sendable, Equatable {
  var name: String
  var children: [XMLTree] = []
  var text = ""

  subscript(name: String) -> XMLTree? { children.first { $0.name == name } }
  func all(_ name: String) -> [XMLTree] { children.filter { $0.name == name } }

  /// Nil for what is no XML, or is deeper or has more elements than any answer of S3's.
  init?(parsing bytes: [UInt8]) {
    guard bytes.count <= Int(Int32.max), let parser = XML_ParserCreate(nil) else { return nil }
    defer { XML_ParserFree(parser) }
    let reader = Reader()
    XML_SetUserData(parser, Unmanaged.passUnretained(reader).toOpaque())
    XML_SetElementHandler(
      parser,
      { context, name, _ in
        guard let context, let name else { return }
        Unmanaged<Reader>.fromOpaque(context).takeUnretainedValue().begin(String(cString: name))
      },
      { context, _ in
        guard let context else { return }
        Unmanaged<Reader>.fromOpaque(context).takeUnretainedValue().end()
      })
    XML_SetCharacterDataHandler(parser) { context, text, count in
      guard let context, let text else { return }
      let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
      Unmanaged<Reader>.fromOpaque(context).takeUnretainedValue().take(bytes)
    }
    // What a server sends while it works on a long answer stands before it.
    let blanks: Set<UInt8> = [0x09, 0x0A, 0x0D, 0x20]
    let status = bytes.drop { blanks.contains($0) }.withUnsafeBytes {
      XML_Parse(parser, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count), 1)
    }
    guard status == XML_STATUS_OK, !reader.isTooMuch, let root = reader.root else { return nil }
    self = root
  }

  private init(name: String) { self.name = name }

  private final class Reader {
    var open: [XMLTree] = []
    var root: XMLTree?
    var count = 0
    var isTooMuch = false

    func begin(_ name: String) {
      count += 1
      isTooMuch = isTooMuch || count > 200_000 || open.count >= 32
      // A name may carry its namespace's prefix.
      if !isTooMuch { open.append(XMLTree(name: String(name.split(separator: ":").last ?? ""))) }
    }
    func take(_ text: UnsafeRawBufferPointer) {
      if !isTooMuch, !open.isEmpty { open[open.count - 1].text += String(decoding: text, as: UTF8.self) }
    }
    func end() {
      guard !isTooMuch, let done = open.popLast() else { return }
      if open.isEmpty { root = done } else { open[open.count - 1].children.append(done) }
    }
  }
}
