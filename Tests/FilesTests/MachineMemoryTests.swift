import Support
import TestSupport
import Testing

@testable import Files

@Suite struct MachineMemoryTests {
  private func memory(_ files: [String: String]) async throws -> ByteCount {
    try await withScratch { folder in
      for (path, text) in files {
        try makeFolder(folderName(joined(folder, path)))
        try publish(Array(text.utf8), at: joined(folder, path), replacing: true)
      }
      return machineMemory(root: folder)
    }
  }

  private let machine = ["proc/meminfo": "MemTotal:        2048000 kB\nMemFree:  100 kB\n"]

  @Test func withoutALimitItIsTheMachines() async throws {
    #expect(try await memory(machine) == ByteCount(2_048_000 << 10))
    var files = machine
    files["proc/self/cgroup"] = "0::/system.slice/x.service\n"
    files["sys/fs/cgroup/system.slice/x.service/memory.max"] = "max\n"
    #expect(try await memory(files) == ByteCount(2_048_000 << 10))
  }

  @Test func aLimitOfAnyGroupAboveHolds() async throws {
    var files = machine
    files["proc/self/cgroup"] = "0::/system.slice/x.service\n"
    files["sys/fs/cgroup/system.slice/memory.max"] = "268435456\n"
    files["sys/fs/cgroup/system.slice/x.service/memory.max"] = "536870912\n"
    #expect(try await memory(files) == .mebibytes(256))
  }

  @Test func theOlderHierarchyCountsToo() async throws {
    var files = machine
    files["proc/self/cgroup"] = "9:name=systemd:/x\n4:cpu,memory:/a/b\n1:cpuset:/\n"
    files["sys/fs/cgroup/memory/a/b/memory.limit_in_bytes"] = "134217728\n"
    files["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    #expect(try await memory(files) == .mebibytes(128))
  }

  /// In a container the path is often the host's, and the container's own group is mounted at the top.
  @Test func aContainersOwnGroupIsAtTheTop() async throws {
    var files = machine
    files["proc/self/cgroup"] = "4:memory:/docker/0123\n"
    files["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "268435456\n"
    #expect(try await memory(files) == .mebibytes(256))
  }

  @Test func nonsenseIsNoLimit() async throws {
    var files = machine
    files["proc/self/cgroup"] = "nonsense\n0::/\n4:memory\n"
    files["sys/fs/cgroup/memory.max"] = "-\n"
    #expect(try await memory(files) == ByteCount(2_048_000 << 10))
    #expect(machineMemory() > .mebibytes(1))
  }
}
