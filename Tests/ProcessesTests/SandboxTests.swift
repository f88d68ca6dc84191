import Files
import Glibc
import Support
import TestSupport
import Testing

@testable import Processes

/// What a confined child is left, and what it is not. The programs are real; Python says how each attempt ended.
@Suite struct SandboxTests {
  /// A folder with `in/a`, `out/` and `secret`, and a sandbox that is left the first two.
  private func withFolders(_ body: (String, Attempts) async throws -> Void) async throws {
    try await withScratch { folder in
      for name in ["in", "out"] { try makeFolder(joined(folder, name)) }
      for name in ["in/a", "secret"] {
        try publish(Array("canary".utf8), at: joined(folder, name), replacing: false)
      }
      try await body(
        folder, try Attempts(Sandbox(readable: [joined(folder, "in")], writable: [joined(folder, "out")])))
    }
  }

  // MARK: files

  @Test func aProgramReadsWhatItIsLeftAndNothingElse() async throws {
    try await withFolders { folder, attempts in
      let files = ["in/a", "secret", "in/../secret"].map { joined(folder, $0) }
      let sandbox = Sandbox(readable: [joined(folder, "in")])
      let result = try await run(
        ChildCommand("/bin/cat", files, deadline: .after(seconds: 30 * patience), sandbox: sandbox))
      #expect(result.status == .exited(1) && result.text == "canary")
      #expect(result.errorText.split(separator: "\n").count { $0.hasSuffix("Permission denied") } == 2)
    }
  }

  @Test func aFolderToReadIsNotWritten() async throws {
    try await withFolders { folder, attempts in
      let outcomes = try await attempts.outcomes(
        [
          "os.listdir('in')", "open('in/a').read()", "open('in/a', 'a')", "open('in/b', 'x')",
          "os.remove('in/a')", "os.mkdir('in/c')", "os.rename('in/a', 'in/b')", "os.truncate('in/a', 0)",
        ].map { $0.replacing("'in", with: "sys.argv[1] + '/in") }, [folder])
      #expect(
        outcomes == ["done", "done", "EACCES", "EACCES", "EACCES", "EACCES", "EACCES", "EPERM"])
      #expect(try readFile(joined(folder, "in/a"), limit: .kibibytes(1)) == Array("canary".utf8))
    }
  }

  @Test func ofAFolderForResultsRegularFilesAreAllThatComesOut() async throws {
    try await withFolders { folder, attempts in
      let outcomes = try await attempts.outcomes(
        [
          "os.chdir(sys.argv[1])", "open('out/a', 'x').write('1')", "open('out/a', 'w').write('2')",
          "open('out/a', 'r+').truncate(0)", "open('out/a').read()", "os.listdir('out')",
          "os.rename('out/a', 'out/b')", "os.remove('out/b')", "open('out/c', 'x').write('3')",
          // From here on nothing is to succeed.
          "os.mkdir('out/d')", "os.symlink('../secret', 'out/e')", "os.link('out/c', 'd')",
          "os.link('secret', 'out/f')", "os.rename('in/a', 'out/g')", "os.rename('out/c', 'in/c')",
          "os.mkfifo('out/h')", "os.mknod('out/i', 0o020600, os.makedev(1, 3))",
        ], [folder])
      #expect(outcomes.prefix(9).allSatisfy { $0 == "done" }, "\(outcomes)")
      #expect(outcomes.dropFirst(9).allSatisfy { ["EACCES", "EPERM", "EXDEV"].contains($0) }, "\(outcomes)")
      #expect(try folderEntries(joined(folder, "out")).map(\.name) == ["c"])
    }
  }

  @Test func whatTheSystemNeedsIsReadByNameAndNotListed() async throws {
    let libraries = try #require(
      Sandbox.loaded.last { exists($0) && !$0.hasPrefix("/etc") && $0 != "/usr/share/zoneinfo/UTC" })
    let outcomes = try await Attempts().outcomes([
      "open('/etc/ld.so.cache', 'rb').read(1)", "os.listdir('\(libraries)')", "os.listdir('/')",
      "open('/etc/passwd')", "open('/etc/hostname')", "os.listdir('/tmp')",
    ])
    #expect(outcomes == ["done"] + Array(repeating: "EACCES", count: 5))
  }

  @Test func ownersModesTimesAndAttributesStayAsTheyAre() async throws {
    try await withFolders { folder, attempts in
      let outcomes = try await attempts.outcomes(
        [
          "os.chmod('in/a', 0)", "os.chown('in/a', 0, 0)", "os.utime('in/a', (1, 1))",
          "os.setxattr('in/a', 'user.x', b'1')", "os.lchown('in/a', 0, 0)",
          "os.getxattr('in/a', 'user.x')", "os.listxattr('in/a')", "call('inotify_init1', 0)",
          "os.fchmod(os.open('in/a', os.O_RDONLY), 0)",
        ].map { $0.replacing("'in/a'", with: "sys.argv[1] + '/in/a'") }, [folder])
      #expect(outcomes == Array(repeating: "EPERM", count: 9))
    }
  }

  @Test func aFolderThatIsToBeLeftAndIsNotThereIsNamed() async throws {
    let missing = "/nowhere/\(randomName())"
    let command = ChildCommand("/bin/cat", [], sandbox: Sandbox(readable: [missing]))
    guard case .start(let words) = await failure(command) else {
      Issue.record("it started")
      return
    }
    #expect(words.hasPrefix(missing) && words.hasSuffix("No such file or directory"))
  }

  // MARK: other processes

  @Test func proc() async throws {
    let outcomes = try await Attempts().outcomes([
      "open('/proc/self/environ')", "open('/proc/self/mem')", "open(f'/proc/{os.getppid()}/environ')",
      "open(f'/proc/{os.getppid()}/maps')", "os.listdir(f'/proc/{os.getppid()}/fd')", "os.listdir('/proc')",
    ])
    #expect(outcomes == Array(repeating: "EACCES", count: 6))
  }

  @Test func nobodyElseIsSignalled() async throws {
    let attempts = try Attempts()
    let outcomes = try await attempts.outcomes([
      "os.kill(os.getppid(), 0)", "os.kill(1, 0)", "os.kill(-1, 0)", "os.kill(0, 0)",
      "os.kill(os.getpid(), 0)",
    ])
    #expect(outcomes == ["EPERM", "EPERM", "EPERM", "EPERM", "done"])
    // What C++ ends with when nobody catches an exception.
    #expect(try await attempts.run("os.abort()").status == .signalled(SIGABRT))
  }

  @Test func itCannotLeaveTheGroupThatIsEndedWithIt() async throws {
    let outcomes = try await Attempts().outcomes([
      "os.setsid()", "os.setpgid(0, os.getppid())", "call('prctl', 1, 0)", "call('prctl', 15, b'named')",
    ])
    #expect(outcomes == ["EPERM", "EPERM", "EPERM", "done"])
  }

  @Test func noProcessIsStartedAndThreadsAre() async throws {
    let outcomes = try await Attempts().outcomes([
      "os.fork()", "os.posix_spawn('/bin/sh', ['sh', '-c', ':'], {})",
      "os.execv('/bin/sh', ['sh', '-c', ':'])",
      "[t := threading.Thread(target=lambda: None), t.start(), t.join()]",
    ])
    #expect(outcomes == ["EPERM", "EPERM", "EACCES", "done"])
  }

  @Test func whatItStartsIsInTheSameSandbox() async throws {
    try await withFolders { folder, attempts in
      var attempts = attempts
      attempts.sandbox.mayStartProcesses = true
      let script = """
        def child():
            tried = [lambda: open(sys.argv[1] + '/secret'), lambda: open(sys.argv[1] + '/x', 'w'),
                     lambda: socket.socket(), lambda: os.execv('/bin/cat', ['cat'])]
            print(*[attempt(t) for t in tried], flush=True)
        def grandchild(depth):
            pid = os.fork()
            if pid: return os.waitpid(pid, 0)
            child() if depth == 0 else grandchild(depth - 1)
            os._exit(0)
        grandchild(0)
        grandchild(2)
        """
      let result = try await attempts.run(script, [folder])
      let line = "EACCES EACCES EPERM EACCES\n"
      #expect(result.text == line + line, "\(result.errorText)")
    }
  }

  @Test func whatItStartsGetsNoNamespaceOfItsOwn() async throws {
    var attempts = try Attempts()
    attempts.sandbox.mayStartProcesses = true
    let clone = "call({'x86_64': 56, 'aarch64': 220}[os.uname().machine], FLAG | 17, None, None, None, None)"
    // Of users, of processes, of the network, of mounts.
    let flags = ["0x10000000", "0x20000000", "0x40000000", "0x20000"]
    let outcomes = try await attempts.outcomes(flags.map { clone.replacing("FLAG", with: $0) })
    #expect(outcomes == Array(repeating: "EPERM", count: 4))
  }

  // MARK: the network and the kernel

  @Test func noSocketOfAnyKind() async throws {
    let listener = try Listener()
    let connect = """
      import socket, sys
      s = socket.socket(); s.connect(('127.0.0.1', int(sys.argv[1])))
      """
    // The listener does count.
    _ = try await python(connect, [String(listener.port)])
    #expect(listener.visitors() == 1)
    let outcomes = try await Attempts().outcomes(
      [
        "socket.create_connection(('127.0.0.1', int(sys.argv[1])))", "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "socket.socketpair()",
        // With a descriptor that is none of a socket: it is the call that is refused.
        "call('connect', 0, b'', 0)", "call('bind', 0, b'', 0)", "call('listen', 0, 1)",
        "call('accept', 0, None, None)", "call('send', 0, b'', 0, 0)", "call('sendmsg', 0, None, 0)",
      ], [String(listener.port)])
    #expect(outcomes == Array(repeating: "EPERM", count: 12))
    #expect(listener.visitors() == 0)
  }

  /// Numbers from 424 on are the same on every machine.
  @Test func rareCallsAreRefused() async throws {
    let outcomes = try await Attempts().outcomes([
      "call('ptrace', 0, 0, None, None)", "call('process_vm_readv', os.getppid(), None, 0, None, 0, 0)",
      "call(434, os.getppid(), 0)", "call(438, 0, 0, 0)", "call(425, 1, None)", "call('unshare', 0)",
      "call('setns', 0, 0)", "call('mount', b'x', b'/', b'tmpfs', 0, None)", "call('umount2', b'/', 0)",
      "call('chroot', b'/')", "call(428, -100, b'/', 0)", "call(430, b'tmpfs', 0)",
      "call('memfd_create', b'x', 0)",
      "call('reboot', 0)", "call('klogctl', 3, None, 0)", "call('acct', None)",
      "call('sethostname', b'x', 1)", "call('shmget', 0, 4096, 0o1600)",
      "call('setrlimit', 7, (ctypes.c_ulong * 2)(9, 9))",
    ])
    #expect(
      outcomes == Array(repeating: "EPERM", count: outcomes.count) && outcomes.count == 19, "\(outcomes)")
  }

  #if arch(x86_64)
    /// The 32-bit calls have other numbers: getpid() by `int 0x80` is 20, and writev() here.
    @Test func aCallOfAnotherArchitectureEndsIt() async throws {
      let script = """
        import mmap
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
        """
      let status = try await Attempts().run(script).status
      #expect(status == .signalled(SIGSYS))
    }
  #endif

  // MARK: limits

  @Test func timeOnTheProcessorsIsLimited() async throws {
    var attempts = try Attempts()
    attempts.sandbox.cpuSeconds = 1
    #expect(try await attempts.run("while True: pass").status == .signalled(SIGXCPU))
  }

  @Test func theSizeOfAFileIsLimited() async throws {
    try await withFolders { folder, attempts in
      var attempts = attempts
      attempts.sandbox.fileBytes = .kibibytes(64)
      let script = """
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        with open(sys.argv[1] + '/out/a', 'wb', buffering=0) as f:
            while True: f.write(bytes(4096))
        """
      #expect(try await attempts.run(script, [folder]).status == .signalled(SIGXFSZ))
      let size = try FileInfo(path: joined(folder, "out/a")).size
      #expect(size == 64 << 10)
    }
  }

  @Test func memoryAndOpenFilesAreLimited() async throws {
    var attempts = try Attempts()
    attempts.sandbox.memory = .mebibytes(256)
    attempts.sandbox.openFiles = 32
    let outcomes = try await attempts.outcomes([
      "bytearray(100 << 20)", "bytearray(400 << 20)", "[os.dup(0) for _ in range(40)]",
      "call('prctl', 4, 1)",
    ])
    #expect(outcomes == ["done", "ENOMEM", "EMFILE", "done"])
    let core = try await attempts.run("print(resource.getrlimit(resource.RLIMIT_CORE))")
    #expect(core.text == "(1, 1)\n")
  }

  // MARK: other kernels

  @Test func withoutLandlockNothingStarts() async throws {
    var command = ChildCommand("/bin/cat", [], sandbox: Sandbox())
    command.sandbox?.newestLandlock = 0
    guard case .unconfined(let words) = await failure(command) else {
      Issue.record("it started")
      return
    }
    #expect(words.hasPrefix("Landlock: "))
  }

  /// The rights that a version of Landlock brought are asked of a kernel that has it only; filter and older rights do for the rest.
  @Test(arguments: 1...7) func everyVersionOfLandlockDoes(_ version: Int32) async throws {
    try await withFolders { folder, attempts in
      var attempts = attempts
      attempts.sandbox.newestLandlock = version
      let outcomes = try await attempts.outcomes(
        [
          "os.chdir(sys.argv[1])", "open('in/a').read()", "open('out/a', 'w').write('1')",
          "open('out/a', 'r+').truncate(0)", "open('secret')", "open('secret', 'w')",
          "os.truncate('secret', 0)",
          "os.rename('in/a', 'out/b')", "socket.socket()", "os.kill(os.getppid(), 0)",
        ], [folder])
      #expect(outcomes.prefix(4).allSatisfy { $0 == "done" }, "\(outcomes)")
      #expect(outcomes.dropFirst(4).allSatisfy { ["EACCES", "EPERM", "EXDEV"].contains($0) }, "\(outcomes)")
      #expect(try readFile(joined(folder, "secret"), limit: .kibibytes(1)) == Array("canary".utf8))
    }
  }
}
