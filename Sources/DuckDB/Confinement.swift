import Glibc
import Processes
public import Support

extension DuckDB {
  /// A DuckDB that the operating system leaves these folders, itself and what it must read to start, and nothing else: no other file, no
  /// network, no other process (``Sandbox`` has the rights one by one).
  ///
  /// DuckDB's own `enable_external_access = false` is another wall, and a weaker one (docs/security.md).
  public struct Confinement: Sendable {
    /// Files and folders with what its statements read.
    public var readable: [String] = []
    /// Folders for results, and for what it spills.
    public var writable: [String] = []
    /// The size of each file that it writes, and of all that it spills.
    public var fileLimit = ByteCount.gibibytes(64)

    public init(readable: [String] = [], writable: [String] = []) {
      self.readable = readable
      self.writable = writable
    }
  }

  func sandbox(_ settings: Settings) -> Sandbox? {
    guard let confinement = settings.confinement, !sandboxIsOptional || Sandbox.isAvailable else {
      return nil
    }
    var sandbox = Sandbox(readable: confinement.readable, writable: confinement.writable)
    if !settings.load.isEmpty { sandbox.readable.append(extensions) }
    sandbox.system += Self.system
    sandbox.fileBytes = confinement.fileLimit
    sandbox.openFiles = 4096
    // Not all that it allocates counts towards its own limit. This one is for what a single function makes of its arguments.
    sandbox.memory = ByteCount(settings.memory.bytes * 2 + (512 << 20))
    // The deadline is by the clock on the wall; a second is one on each of its threads.
    let seconds = settings.deadline.map { max(0, $0.remainingSeconds) } ?? 3600
    sandbox.cpuSeconds = UInt64(min(seconds, 86_400) * Double(settings.threads)) + 10
    return sandbox
  }

  /// How much memory and how many processors its control group has: it does not start without being told (1.5.5: `INTERNAL Error`), and takes
  /// too much when it finds nothing. Of the processors malloc keeps arenas.
  private static let system = [
    "/proc/self/cgroup", "/sys/fs/cgroup", "/sys/devices/system/cpu/online", "/proc/sys/vm/overcommit_memory",
  ]
}
