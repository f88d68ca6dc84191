import Fleet
import Harvest
import Logs
import Support
import Synchronization

/// Shows how a harvest goes: on a terminal a live line per node, elsewhere a line per event. Always on standard error.
final class ProgressView: Sendable {
  private struct Line {
    var node: Node
    var text: String
  }

  private struct State {
    var lines: [Line] = []
    var drawn = 0
    var hasEnded = false
  }

  private let state = Mutex(State())
  private let width: Int?
  private let isQuiet: Bool
  /// More nodes than this don't get a line each.
  private static let shownNodes = 16

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    width = Terminal.width(.errors)
  }

  func show(_ event: HarvestEvent) {
    guard !isQuiet else { return }
    state.withLock { state in
      guard !state.hasEnded else { return }
      if width != nil { draw(event, &state) } else { tell(event) }
    }
  }

  /// Takes the live lines away; what is printed next begins on a clean line.
  func end() {
    state.withLock { state in
      guard !isQuiet, width != nil, !state.hasEnded else { return }
      state.hasEnded = true
      Output.errors.write(clearing(state))
    }
  }

  private func clearing(_ state: State) -> String {
    state.drawn > 0 ? "\u{1B}[\(state.drawn)A\r\u{1B}[J" : ""
  }

  private func draw(_ event: HarvestEvent, _ state: inout State) {
    var above = ""
    switch event {
    case .started(_, let nodes): state.lines = nodes.map { Line(node: $0, text: "waiting") }
    case .progress(let node, let phase, let bytes, let entries):
      set(node, "\(phase)  \(ByteCount(bytes))  \(grouped(entries)) entries", &state)
    case .answered(let node, let kind): set(node, kind == .stage ? "staged" : "pruned", &state)
    case .staged(let node, let totals):
      set(node, "staged   \(ByteCount(totals.bytesIn))  \(grouped(totals.entries)) entries", &state)
    case .failed(let node, let reason): set(node, "✘ \(firstLine(reason))", &state)
    case .pruned(let node, let files, let bytes):
      set(node, "pruned   \(counted(files, "file"))  \(ByteCount(bytes))", &state)
    case .note, .committed: above = sentence(event)
    }
    let width = width ?? 80
    var text = clearing(state)
    if !above.isEmpty { text += Terminal.cut(above, width * 3) + "\n" }
    let shown = state.lines.prefix(Self.shownNodes)
    for line in shown { text += Terminal.cut("\(line.node)  \(line.text)", width - 1) + "\n" }
    if state.lines.count > shown.count { text += "… and \(state.lines.count - shown.count) more nodes\n" }
    state.drawn = shown.count + (state.lines.count > shown.count ? 1 : 0)
    Output.errors.write(text)
  }

  private func set(_ node: Node, _ text: String, _ state: inout State) {
    guard let index = state.lines.firstIndex(where: { $0.node == node }) else { return }
    state.lines[index].text = text
  }

  private func tell(_ event: HarvestEvent) {
    switch event {
    // What changes ten times a second, or is said again in full, is for a terminal only.
    case .progress, .answered, .pruned(_, files: 0, _): return
    case .staged(_, let totals) where totals.batches == 0: return
    default: Output.errors.line(sentence(event))
    }
  }

  private func sentence(_ event: HarvestEvent) -> String {
    switch event {
    case .started(let run, let nodes): return "run \(run): \(counted(nodes.count, "node"))"
    case .progress(let node, let phase, let bytes, _): return "\(node): \(phase) \(ByteCount(bytes))"
    case .answered(let node, let kind): return "\(node): \(kind.rawValue) done"
    case .staged(let node, let totals):
      return
        "\(node): staged \(counted(totals.batches, "batch", plural: "batches")), \(grouped(totals.entries)) entries, \(grouped(totals.malformed)) malformed, \(grouped(totals.urgent)) urgent"
    case .failed(let node, let reason): return "\(node): failed: \(reason)"
    case .note(let node?, let text): return "\(node): \(text)"
    case .note(nil, let text): return text
    case .committed(let snapshot, let rows, let files):
      return "committed snapshot \(snapshot): \(grouped(rows)) rows in \(counted(files, "data file"))"
    case .pruned(let node, let files, let bytes):
      return "\(node): deleted \(counted(files, "file")), \(ByteCount(bytes))"
    }
  }

  private func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }
}
