import Fleet
import Logs

/// What `verify` looks at.
public struct VerifyScope: Sendable {
  /// Which batches; those that are proven and match.
  public var filter = BatchFilter()
  /// Read every object whole.
  public var isDeep = false
  public var removesOrphans = false
  var rules = ProtocolRules()

  public init() {}

  /// All batches: then rows and deletions that no proof names are looked for, too.
  var isWhole: Bool { filter.isEmpty }

  func matches(_ node: Node) -> Bool {
    filter.nodes.isEmpty || filter.nodes.contains { wildcardMatches($0, node.name) }
  }
}
