import CShims
import Files
import Glibc
public import Support

/// What a child, and everything it starts, is kept to by the operating system, whatever it is made to try.
///
/// Three walls, put up between fork and exec (Sources/CShims/sandbox.c):
/// - **Landlock** leaves it the files below and no other, refuses TCP (from Linux 6.7 on), and signals and abstract sockets that lead out
///   (from 6.12 on).
/// - **seccomp** refuses with EPERM every call that makes, connects or uses a socket of any kind, reaches into other processes, hands
///   over descriptors, mounts, watches files, or changes their owners, modes, times or attributes (Landlock minds none of these), loads code
///   that lies in no file, or speaks to the kernel's rarer parts. A call of another architecture ends it.
/// - **Limits** end it when it takes too much. It leaves no core.
///
/// What it still sees: whether a path that it can name exists, with its size and times, and where a link leads (too many programs ask for
/// that, and Landlock does not refuse it). What it is not limited in: how many files it writes.
public struct Sandbox: Sendable {
  /// Files that may be read, and folders of which everything may be read and listed. Each must be there.
  public var readable: [String] = []
  /// Folders in which regular files may be made, read, written and removed. No folders, links, devices, FIFOs or sockets can be made in
  /// them: whoever reads the results meets regular files alone, and nothing is renamed into or out of them. Each must be there.
  public var writable: [String] = []
  /// Files that may be read if they are there, and folders whose files may be read by whoever knows their names: they can't be listed.
  public var system: [String] = Self.loaded
  /// Whether it may start processes, all of them in the same sandbox. Programs other than itself it can't execute in any case.
  public var mayStartProcesses = false

  /// Time on all processors together; SIGXCPU ends it. 0 sets no limit, here and below.
  public var cpuSeconds: UInt64 = 0
  /// The size of each file that it writes; SIGXFSZ ends it.
  public var fileBytes = ByteCount(0)
  /// What it may allocate (its heap, and the stacks of its threads). It gets no more then, which most programs end at.
  public var memory = ByteCount(0)
  public var openFiles: UInt64 = 0

  /// Tests make older kernels of this one with it.
  var newestLandlock: Int32 = .max

  public init(readable: [String] = [], writable: [String] = []) {
    self.readable = readable
    self.writable = writable
  }

  /// Whether this kernel has Landlock, without which nothing is started in a sandbox.
  public static var isAvailable: Bool { gw_landlock_version() > 0 }

  /// What the dynamic loader and the C library read: libraries, where they are, and the locale C.UTF-8. Folders, because which libraries a
  /// program needs is known to nobody but the loader; what lies in them came with the system.
  public static let loaded = [
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo/UTC",
  ]

  /// The dynamic loader is executed too, by the kernel in the program's name.
  private static let loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]

  private struct Rule {
    var path: String
    var use: Int
    var mayBeMissing = false
  }

  /// Of a path that is there several times the rights add up.
  private func rules(for executable: String) -> [Rule] {
    // To execute a file it must be readable as well.
    [Rule(path: executable, use: GW_EXECUTE | GW_READ)]
      + Self.loaders.map { Rule(path: $0, use: GW_EXECUTE | GW_READ, mayBeMissing: true) }
      + system.map { Rule(path: $0, use: GW_READ, mayBeMissing: true) }
      + readable.map { Rule(path: $0, use: GW_READ | GW_LIST) }
      + writable.map { Rule(path: $0, use: GW_READ | GW_LIST | GW_WRITE) }
  }

  func path(ofRule index: Int, for executable: String) -> String { rules(for: executable)[index].path }

  func withC<Result>(for executable: String, _ body: (UnsafePointer<gw_sandbox>) -> Result) -> Result {
    let rules = rules(for: executable)
    return withCStrings(rules.map(\.path)) { paths in
      let list = rules.indices.map {
        gw_rule(
          path: UnsafePointer(paths[$0]), use: Int32(rules[$0].use),
          may_be_missing: rules[$0].mayBeMissing ? 1 : 0)
      }
      return list.withUnsafeBufferPointer {
        var box = gw_sandbox()
        box.rules = $0.baseAddress
        box.rule_count = Int32($0.count)
        box.may_start_processes = mayStartProcesses ? 1 : 0
        box.newest_landlock = newestLandlock
        box.cpu_seconds = cpuSeconds
        box.file_bytes = UInt64(fileBytes.bytes)
        box.data_bytes = UInt64(memory.bytes)
        box.open_files = openFiles
        return body(&box)
      }
    }
  }
}

func withSandbox<Result>(of command: ChildCommand, _ body: (UnsafePointer<gw_sandbox>?) -> Result) -> Result {
  guard let sandbox = command.sandbox else { return body(nil) }
  return sandbox.withC(for: command.executable) { body($0) }
}

/// Why a child did not start, from what `gw_spawn` gives.
func startFailure(_ command: ChildCommand, code: Int32, stage: Int32) -> ChildFailure {
  let words = String(cString: strerror(code))
  switch Int(stage) {
  case GW_STAGE_START: return .start(words)
  case GW_STAGE_LANDLOCK: return .unconfined("Landlock: \(words)")
  case GW_STAGE_SECCOMP: return .unconfined("seccomp: \(words)")
  case GW_STAGE_LIMITS: return .start("its limits can't be set: \(words)")
  default:
    let path = command.sandbox?.path(ofRule: Int(stage) - GW_STAGE_RULES, for: command.executable) ?? ""
    return .start("\(path), which it is to be left, can't be opened: \(words)")
  }
}
