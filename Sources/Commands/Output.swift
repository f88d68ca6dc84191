import CShims
import Files
import Glibc
import Support
import Synchronization

/// Folders that go when the program ends in the middle of something, because nobody reads its output any more.
let temporaryFolders = Mutex<[String]>([])

private func endEarly(_ status: Int32) -> Never {
  for folder in temporaryFolders.withLock({ $0 }) { try? removeTree(folder) }
  exit(status)
}

/// Standard output or standard error, written whole and unbuffered. A reader that went away is no error: the program ends quietly. A full
/// disk behind standard output is one.
struct Output: Sendable {
  let descriptor: Int32

  static let standard = Output(descriptor: 1)
  static let errors = Output(descriptor: 2)

  func write(_ text: String) { write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done) }
      if count > 0 {
        done += count
      } else if errno == EPIPE {
        if descriptor == 1 { endEarly(0) }
        return
      } else if errno != EINTR && errno != EAGAIN {
        guard descriptor == 1 else { return }
        let failure = Failure(
          "output.unwritable", "Standard output can't be written to.", words: String(cString: strerror(errno))
        )
        Output.errors.write("gadwall: \(failure.description)\n")
        endEarly(ExitStatus.failed.rawValue)
      }
    }
  }

  func line(_ text: String) { write(text + "\n") }
}

/// What the terminal is like.
enum Terminal {
  /// Columns of the terminal behind the descriptor; nil when it is none.
  static func width(_ output: Output) -> Int? {
    let width = Int(gw_terminal_width(output.descriptor))
    return width > 0 ? width : nil
  }

  /// Whether somebody types what comes on standard input.
  static var isInteractive: Bool { isatty(0) == 1 }

  static var helpWidth: Int { min(110, max(40, width(.standard) ?? 100)) }

  /// The text cut to so many columns.
  static func cut(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
  }
}

/// Rows in aligned columns.
struct TextTable {
  enum Alignment { case left, right }

  var columns: [(title: String, alignment: Alignment)]
  var rows: [[String]] = []

  /// Columns that it takes when nothing has to give way.
  var naturalWidth: Int {
    columns.indices.reduce(2 * (columns.count - 1)) { sum, index in
      sum + max(columns[index].title.count, rows.map { $0[index].count }.max() ?? 0)
    }
  }

  /// The table without some columns.
  func dropping(_ titles: Set<String>) -> TextTable {
    let kept = columns.indices.filter { !titles.contains(columns[$0].title) }
    var table = TextTable(columns: kept.map { columns[$0] })
    table.rows = rows.map { row in kept.map { row[$0] } }
    return table
  }

  /// - Parameter width: the widest left-aligned column gives way when the table is wider than this; nil for no limit.
  func rendered(width: Int?) -> String {
    var widths = columns.indices.map { index in
      max(columns[index].title.count, rows.map { $0[index].count }.max() ?? 0)
    }
    if let width {
      let total = widths.reduce(0, +) + 2 * (widths.count - 1)
      let flexible = columns.indices.filter { columns[$0].alignment == .left }
      if total > width, let widest = flexible.max(by: { widths[$0] < widths[$1] }) {
        widths[widest] = max(8, widths[widest] - (total - width))
      }
    }
    func line(_ cells: [String]) -> String {
      let text = cells.indices.map { index in
        let cell = Terminal.cut(cells[index], widths[index])
        let space = String(repeating: " ", count: widths[index] - cell.count)
        return columns[index].alignment == .left ? cell + space : space + cell
      }.joined(separator: "  ")
      let cut = width.map { Terminal.cut(text, $0) } ?? text
      var trimmed = Substring(cut)
      while trimmed.last == " " { trimmed.removeLast() }
      return trimmed + "\n"
    }
    return line(columns.map(\.title)) + line(widths.map { String(repeating: "─", count: $0) })
      + rows.map(line).joined()
  }
}
