import Files
public import Harvest
public import Logs
import Rows
public import Support

/// Keys of what a query leaves in the store, and that is swept after a day.
enum QueryKeys {
  static let all = "queries/"
  /// What all keys of a query begin with. No folder of its own: a store on a disk would keep that, empty.
  static func prefix(_ query: String) -> String { "\(all)\(query)-" }
  static func task(_ query: String) -> String { prefix(query) + "task.json" }
  /// Whoever has looked at its files, and is not too old, says so with an object of its name.
  static func looks(_ query: String) -> String { prefix(query) + "look-" }
  static func answers(_ query: String, _ node: Node) -> String { "\(prefix(query))\(node.key)-" }
  /// Written last. Of a node that answers twice the later one counts, whole.
  static func report(_ query: String, _ node: Node) -> String { answers(query, node) + "report.json" }
}

/// What a node is to do for a query. The same document for all; what differs is in `nodes`.
public struct QueryDocument: Sendable, Codable {
  public struct NodePart: Sendable, Codable {
    /// Batches whose files are left out: the snapshot that the archive is read as of holds them.
    public var held: Set<String>
    /// The number of the node's first file, and how many it may have: no two nodes give a file the same number.
    public var firstFile: Int32
    public var fileCount: Int32

    var isSane: Bool { firstFile >= 0 && fileCount >= 0 && fileCount <= Int32.max - firstFile }
  }

  public var format = 1
  public var query: String
  /// What the user wrote; for people, since what is asked are the questions.
  public var statement: String
  /// Seconds that a node may take.
  public var seconds: Double
  public var logs: TaskDocument.Logs
  /// The sequence number of the snapshot that the archive is read as of.
  public var sequence: Int64
  /// What of the rows is asked for.
  var used: UsedColumns
  /// What is asked of its rows; when there is nothing, the frames themselves are the answer.
  var questions: [QueryPlan.Question]
  /// Which rows these are: the others may be left out.
  var filter: RowFilter
  /// Whether nodes say that they have looked.
  var announces = false
  /// How much of an answer a node may send.
  public var answerLimit: ByteCount
  /// A node sends up to so many rows as they are: to group them it would have to start a DuckDB.
  var fewRows = 0
  /// Whether rows that are sent as they are go a long way, and are packed before. Not for a folder that both sides see.
  var packs = false
  public var nodes: PartsByReader<NodePart>

  /// Names of the columns that it uses, in conditions and for others, too, in the relations' order.
  var askedColumns: [String] {
    let beside = filter.columnNames.union(used.derived.compactMap(\.source?.name))
    return relationColumns.map(\.name).filter { used.uses($0) || beside.contains($0) }
  }

  /// The same with commas between them.
  public var columnList: String { askedColumns.joined(separator: ",") }

  /// Numbers that the node may give its files.
  func numbers(of node: Node) -> Range<Int32> {
    guard let part = nodes[node.key], part.isSane else { return 0..<0 }
    return part.firstFile..<(part.firstFile + part.fileCount)
  }
}

/// What a node has to say of a query. Its rows are in objects that the report names; it is written last.
public struct QueryReport: Sendable, Codable {
  public struct File: Sendable, Codable {
    /// What its rows carry in the column `batch` of a frame.
    public var number: Int32
    public var stream: String
    /// Seconds since 1970, and the batch's id; nil for a file that is being written.
    public var rotated: Int64?
    public var batch: String?
  }

  public struct Part: Sendable, Codable {
    public var key: String
    /// CRC-32C. It tells of accidents: whoever can write a node's answers can write its report, too.
    public var checksum: UInt32
    public var bytes: Int64
    public var rows: Int64
    /// The question that it answers; nil for a frame.
    public var question: Int?
  }

  public var format = 1
  public var query: String
  public var node: Node
  public var version: String
  /// The node has pruned a batch that only a later snapshot than the one named holds: the statement has to be asked as of that one.
  public var tooOld = false
  /// What DuckDB says of the statement: it fails over this node's rows, and so it would over all in one place.
  public var sqlError: String?
  /// Why the node's policy lets nothing out for it.
  public var refused: String?
  /// What the node's policy changes of its rows.
  public var policy: [String] = []
  /// Its policy keeps back groups that are too small, if there are any: whether there are would tell of single rows.
  public var mayWithhold = false
  public var fileCount = 0
  /// Those that rows have to be told of.
  public var files: [File] = []
  public var parts: [Part] = []
  public var bytes: Int64 = 0
  public var lines: Int64 = 0
  /// Nil when lines were passed over that could not have a row of the answer: nobody knows what they are.
  public var malformed: Int64? = 0
  /// Files that were not read, since none of their rows could be in the answer.
  public var prunedFiles = 0
  public var passedOver: [PassedOver] = []
  public var missingFolders: [String] = []
  public var seconds = 0.0

  init(query: String, node: Node, version: String) {
    self.query = query
    self.node = node
    self.version = version
  }
}
