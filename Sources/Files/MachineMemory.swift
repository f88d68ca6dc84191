public import Support

/// What this process may use at most: the machine's memory, or less where a control group (a container, a service) has a limit.
public func machineMemory() -> ByteCount { machineMemory(root: "/") }

/// - Parameter root: where `proc/` and `sys/` lie.
func machineMemory(root: String) -> ByteCount {
  func text(_ path: String) -> String? {
    (try? readFile(joined(root, path), limit: .mebibytes(1))).map { String(decoding: $0, as: UTF8.self) }
  }
  var smallest = Int64.max
  for line in (text("proc/meminfo") ?? "").split(separator: "\n") where line.hasPrefix("MemTotal:") {
    if let kibibytes = Int64(line.filter(\.isNumber)) { smallest = kibibytes << 10 }
  }
  // A line a hierarchy, `4:memory:/a/b`, and `0::/a/b` of the one that newer systems have. A limit holds for all below.
  for line in (text("proc/self/cgroup") ?? "").split(separator: "\n") {
    let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { continue }
    let isUnified = parts[0] == "0" && parts[1].isEmpty
    guard isUnified || parts[1].split(separator: ",").contains("memory") else { continue }
    let (base, file) =
      isUnified ? ("sys/fs/cgroup", "memory.max") : ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
    // In a container the path may be the host's, and the group's own files lie at the top.
    var folders = parts[2].split(separator: "/").map(String.init)
    while true {
      let words = text(([base] + folders + [file]).joined(separator: "/"))
      if let limit = words.flatMap({ Int64($0.filter { $0 != "\n" }) }) { smallest = min(smallest, limit) }
      if folders.popLast() == nil { break }
    }
  }
  return ByteCount(smallest)
}
