import Logs
import Support

/// The names of a run's objects in the store.
enum RunKeys {
  static let open = "runs/open/"
  static func open(_ run: String) -> String { open + run }
  static func folder(_ run: String) -> String { "runs/\(run)/" }
  static func plan(_ run: String) -> String { "runs/\(run)/plan.json" }
  static func proof(_ run: String) -> String { "runs/\(run)/proof.json" }
  static func summary(_ run: String) -> String { "runs/\(run)/summary.json" }
  static func task(_ run: String, _ name: String) -> String { "runs/\(run)/task/\(name).json" }
  static func staged(_ run: String) -> String { "runs/\(run)/staged/" }
  static func pruned(_ run: String) -> String { "runs/\(run)/pruned/" }
}

/// A run's id: its time, so that ids sort, and 64 random bits, so that two machines never share one.
func newRunID(at time: Instant) -> String { "\(runTime(time))-\(randomName())" }

/// What the ids of all runs that began in this second begin with.
func runTime(_ time: Instant) -> String { time.basicStamp }

func isRunID(_ text: some StringProtocol) -> Bool {
  text.count == 33 && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
}
