// A node's own record of what it has staged, what was proven and what it has pruned.

import CSQLite
import Support

/// One SQLite connection, for one task at a time.
struct Database: ~Copyable {
  private let handle: OpaquePointer
  let path: String

  init(path: String, isReadOnly: Bool = false) throws(Failure) {
    var opened: OpaquePointer?
    let flags =
      SQLITE_OPEN_NOMUTEX | (isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
    let result = sqlite3_open_v2(path, &opened, flags, nil)
    guard result == SQLITE_OK, let opened else {
      let words = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
      sqlite3_close(opened)
      throw Failure("ledger.unreadable", "The ledger \(path) can't be opened.", words: words)
    }
    handle = opened
    self.path = path
    sqlite3_busy_timeout(handle, 10_000)
  }

  deinit { sqlite3_close(handle) }

  func failure(_ what: String) -> Failure {
    let code = sqlite3_errcode(handle) & 0xFF
    if code == SQLITE_CORRUPT || code == SQLITE_NOTADB {
      return Failure(
        "ledger.corrupt", "The ledger \(path) is damaged.",
        remedy:
          "Nothing is staged or deleted on this node until it is mended. Bring it back from a backup, or move it away: the next harvest then tells the node what is proven of it.",
        words: String(cString: sqlite3_errmsg(handle)))
    }
    return Failure(
      "ledger.failed", "The ledger \(path) failed: \(what).",
      remedy: "If the disk is full, free some space and run it again; what the ledger holds stays true.",
      words: String(cString: sqlite3_errmsg(handle)))
  }

  /// Runs statements that return nothing.
  func execute(_ sql: String) throws(Failure) {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
      throw failure("a statement was refused")
    }
  }

  /// Runs one statement with its parameters in order, and gives each row to the body.
  func query(_ sql: String, _ values: [Value] = [], _ row: (borrowing Statement) -> Void = { _ in })
    throws(Failure)
  {
    var prepared: OpaquePointer?
    guard sqlite3_prepare_v2(handle, sql, -1, &prepared, nil) == SQLITE_OK, let prepared else {
      throw failure("a statement could not be prepared")
    }
    let statement = Statement(handle: prepared)
    for (index, value) in values.enumerated() { statement.bind(Int32(index + 1), value) }
    while true {
      switch sqlite3_step(prepared) {
      case SQLITE_ROW: row(statement)
      case SQLITE_DONE: return
      default: throw failure("a statement failed")
      }
    }
  }

  /// All of the body's changes, or none of them.
  func transaction(_ body: () throws(Failure) -> Void) throws(Failure) {
    try execute("BEGIN IMMEDIATE")
    do {
      try body()
      try execute("COMMIT")
    } catch {
      try? execute("ROLLBACK")
      throw error
    }
  }
}

enum Value {
  case null
  case integer(Int64)
  case text(String)

  static func optional(_ value: Int64?) -> Value { value.map { .integer($0) } ?? .null }
  static func optional(_ value: String?) -> Value { value.map { .text($0) } ?? .null }
}

struct Statement: ~Copyable {
  fileprivate let handle: OpaquePointer
  deinit { sqlite3_finalize(handle) }

  fileprivate func bind(_ index: Int32, _ value: Value) {
    switch value {
    case .null: sqlite3_bind_null(handle, index)
    case .integer(let number): sqlite3_bind_int64(handle, index, number)
    case .text(let text):
      // SQLITE_TRANSIENT: SQLite makes its own copy.
      sqlite3_bind_text(
        handle, index, text, Int32(text.utf8.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
    }
  }

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
  func optionalInteger(_ column: Int32) -> Int64? {
    sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : integer(column)
  }
  func text(_ column: Int32) -> String { optionalText(column) ?? "" }
  func optionalText(_ column: Int32) -> String? {
    guard let start = sqlite3_column_text(handle, column) else { return nil }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }
}
