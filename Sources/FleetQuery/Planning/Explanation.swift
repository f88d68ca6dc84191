import DuckDB
import Rows
import Support

/// A plan as text for people, a line for each thing that `--explain` tells.
func explanation(_ plan: QueryPlan, reads relations: Set<Relation>, asked: Int, of nodes: Int) -> String {
  var lines: [(name: String, text: String)] = []
  switch plan.way {
  case .nothing: lines.append(("way", "nothing: the statement reads no relation"))
  case .split: lines.append(("way", "split: nodes send groups, which are finished here"))
  case .ship:
    lines.append(("way", "ship: nodes send the columns that are used, and the statement runs here"))
  }
  lines.append(("reads", relations.map(\.rawValue).sorted().joined(separator: ", ")))
  lines.append(("nodes", "\(asked) of \(nodes)"))
  if relations.contains(where: \.hasLive) {
    let ofFiles = plan.liveFilter.without { !$0.isOfFiles }
    lines.append(("files", ofFiles == .everything ? "all" : "those with \(ofFiles.sql)"))
  }
  let columns = relationColumns.map(\.name).filter(plan.used.uses) + plan.used.derived.map(\.shown)
  lines.append(("columns", columns.joined(separator: ", ")))
  if plan.liveFilter != .everything { lines.append(("scanned", "\(plan.liveFilter.sql)")) }
  for question in plan.questions {
    lines.append(("asked", "\(question.sql)\(question.isBag ? "  -- each row for as many" : "")"))
  }
  lines += plan.moves.map { ("moves", $0) }
  lines.append(("gather", plan.gather.text))
  return lines.map { "\($0.name.padding(to: 9))\($0.text)\n" }.joined()
}

extension QueryPlan {
  /// What is expected to leave a node.
  fileprivate var moves: [String] {
    if way == .nothing { return [] }
    if questions.isEmpty { return ["these columns of every row that is scanned"] }
    return questions.map(\.moves)
  }
}

extension QueryPlan.Question {
  fileprivate var moves: String {
    if let mostRows { return "these columns of at most \(grouped(Int64(mostRows))) rows a node" }
    if isOfRows { return "these columns of the rows for which the conditions are true" }
    let hasKeys = columns.contains { $0.name.hasPrefix(SplitParts.keyPrefix) }
    guard columns.contains(where: { $0.name.hasPrefix(SplitParts.memberPrefix) }) else {
      return hasKeys ? "a row for each group of a node" : "one row a node"
    }
    var text = "each different value of a \(hasKeys ? "node's group" : "node") once"
    if isBag { text += ", with how often it is there" }
    if !groupsSQL.isEmpty { text += "; rows as they are where more than half of them are different" }
    return text
  }
}

extension RowFilter.Column {
  /// Whether it is the same for all rows of a file.
  fileprivate var isOfFiles: Bool {
    switch self {
    case .text(let column): [.stream, .region, .zone, .node].contains(column)
    case .number(let column): column == .rotated
    case .extra, .malformed: false
    }
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
