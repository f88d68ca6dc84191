import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

/// A child gets its three streams and nothing else of ours.
@Suite struct InheritanceTests {
  private static let lists = """
    import os
    def is_open(n):
        try: os.fstat(n)
        except OSError: return False
        return True
    print([n for n in range(4096) if is_open(n)], os.getpgrp() == os.getpid(), end='')
    """

  @Test func descriptorsStayWithUs() async throws {
    // Not closed on exec, low and high.
    let low = open("/dev/null", O_RDONLY)
    let high = fcntl(low, F_DUPFD, 2000)
    try #require(low >= 0 && high >= 2000)
    defer {
      close(low)
      close(high)
    }
    let interpreter = joined(repositoryRoot, ".build/python/bin/python")
    let result = try await run(
      ChildCommand(interpreter, ["-c", Self.lists], deadline: .after(seconds: 60 * patience)))
    #expect(String(decoding: result.output, as: UTF8.self) == "[0, 1, 2] True", "\(result.errorText)")
  }

  @Test func signalsAreAsAtFirst() async throws {
    // Ignored and blocked signals are inherited across exec, unless somebody sets them back.
    let before = signal(SIGUSR2, SIG_IGN)
    defer { signal(SIGUSR2, before) }
    let result = try await run(
      ChildCommand("/bin/cat", ["/proc/self/status"], deadline: .after(seconds: 30 * patience)))
    // 32 and 33 are the C library's own: it lets nobody set them.
    let own: UInt64 = 3 << 31
    var masks: [String: UInt64] = [:]
    for line in String(decoding: result.output, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("Sig") {
      let parts = line.split(separator: "\t")
      masks[String(parts[0])] = UInt64(parts[1], radix: 16)
    }
    #expect(try #require(masks["SigIgn:"]) & ~own == 0)
    #expect(masks["SigBlk:"] == 0)
  }
}
