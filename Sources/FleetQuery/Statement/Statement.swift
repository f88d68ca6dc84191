public import DuckDB
public import Support

/// One SELECT that was read by DuckDB's own parser and may run.
public struct Statement: Sendable {
  /// As the user wrote it. DuckDB gets it as a literal alone, never as a statement.
  public var text: String
  /// Its syntax tree, in which clocks stand still.
  var query: Syntax
  /// The same before they did: its columns are called by it.
  var named: Syntax
  /// What it reads.
  public var relations: Set<Relation>

  /// The longest text, in bytes.
  public static let limit = 64 << 10
}

extension Session {
  /// Reads and judges a statement.
  ///
  /// - Parameters:
  ///   - parameters: values of `$name`, as the text that a literal would have.
  ///   - moment: what all of its clocks say.
  /// - Throws: `sql.syntax` with DuckDB's words and the place; `sql.refused` with the reason.
  public func statement(
    _ text: String, parameters: [String: String] = [:], at moment: Instant = WallClock.system.now()
  ) async throws(Failure) -> Statement {
    guard text.utf8.count <= Statement.limit else {
      throw Failure(
        "sql.refused", "The statement is longer than \(ByteCount(Int64(Statement.limit))).",
        remedy: "Write a shorter one.")
    }
    guard !text.utf8.contains(0) else { throw Failure("sql.refused", "The statement holds a NUL character.") }
    let answer = try await run(["SELECT json_serialize_sql(\(text))::VARCHAR AS tree"])
    let tree = try Syntax(parsing: answer.first?.first?["tree"]?.string ?? "")
    guard tree["error"]?.isTrue == false else { throw unreadable(tree, text) }
    let statements = tree["statements"]?.items ?? []
    guard statements.count == 1, let query = statements[0]["node"] else {
      throw Failure(
        "sql.refused",
        statements.isEmpty ? "There is no statement." : "These are \(statements.count) statements.",
        remedy: "Give one SELECT.")
    }
    let whole = try withParameters(try withFaithfulNumbers(query), parameters)
    let gated = try gate(whole)
    return Statement(
      text: text, query: withFixedClocks(gated.query, at: moment), named: gated.query,
      relations: gated.relations)
  }

  /// The text of a tree, as DuckDB writes it.
  func rendered(_ query: Syntax) async throws(Failure) -> SQL {
    let tree = Syntax.node([
      Syntax.Member(key: "error", value: .bool(false)),
      Syntax.Member(
        key: "statements",
        value: .list([
          .node([
            Syntax.Member(key: "node", value: query), Syntax.Member(key: "named_param_map", value: .list([])),
          ])
        ])),
    ])
    let answer = try await run(["SELECT json_deserialize_sql(\(tree.json)::JSON) AS text"])
    guard let text = answer.first?.first?["text"]?.string else {
      throw Failure("sql.tree", "DuckDB gave no text for the statement's tree.")
    }
    return SQL(trusted: text.hasSuffix(";") ? String(text.dropLast()) : text)
  }
}

private func unreadable(_ tree: Syntax, _ text: String) -> Failure {
  let words = tree["error_message"]?.string ?? ""
  if words.contains("Only SELECT statements") {
    let start = text.drop { $0.isWhitespace || $0 == "(" }.prefix(5).uppercased()
    if start == "PIVOT" || text.uppercased().contains("PIVOT ") {
      return Failure(
        "sql.refused", "PIVOT finds its columns by running the statement first, which is not possible here.",
        remedy: "Name the values: PIVOT … ON column IN ('a', 'b').", words: words)
    }
    return Failure("sql.refused", "Only a SELECT can be asked of a fleet.", words: words)
  }
  guard let position = tree["position"]?.string.flatMap({ Int($0) }), position <= text.utf8.count else {
    return Failure("sql.syntax", "DuckDB can't read the statement.", words: words)
  }
  return Failure(
    "sql.syntax", "DuckDB can't read the statement.", words: words + "\n" + placed(text, at: position))
}

/// The line of a text with a sign below one of its bytes.
func placed(_ text: String, at position: Int) -> String {
  let bytes = Array(text.utf8)
  let start = bytes[..<position].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
  let end = bytes[position...].firstIndex(of: 0x0A) ?? bytes.count
  let number = bytes[..<start].count { $0 == 0x0A } + 1
  let line = printable(String(decoding: bytes[start..<end], as: UTF8.self))
  let before = printable(String(decoding: bytes[start..<position], as: UTF8.self))
  let head = "LINE \(number): "
  return head + line + "\n" + String(repeating: " ", count: head.count + before.count) + "^"
}

/// Numbers that DuckDB writes in another way than it read them, as casts of what they are: `1e3` would come back as the DECIMAL `1000.0`, `2.` as
/// the INTEGER `2`, and `1e400` is infinity, which it does not read at all.
private func withFaithfulNumbers(_ query: Syntax) throws(Failure) -> Syntax {
  try query.rewritten { part throws(Failure) in
    guard part.expressionClass == "CONSTANT", let value = part["value"], let type = value["type"],
      case .number(let digits)? = value["value"]
    else { return part }
    switch type["id"]?.string {
    case "DOUBLE", "FLOAT": break
    case "DECIMAL" where type["type_info"]?["scale"] == .number("0"): break
    default: return part
    }
    return .cast(.constant(digits), to: type, like: part)
  }
}

private func withParameters(_ query: Syntax, _ parameters: [String: String]) throws(Failure) -> Syntax {
  var unused = Set(parameters.keys)
  let whole = try query.rewritten { part throws(Failure) in
    guard part.expressionClass == "PARAMETER", let name = part["identifier"]?.string,
      let value = parameters[name]
    else { return part }
    unused.remove(name)
    return .constant(value, like: part)
  }
  if let name = unused.sorted().first {
    throw Failure(
      "sql.refused", "The statement has no parameter $\(printable(name)).",
      remedy: "Write $\(printable(name)) where its value is to stand.")
  }
  return whole
}
