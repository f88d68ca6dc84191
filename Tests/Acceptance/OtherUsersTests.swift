// Files that belong to somebody else, and a Gadwall that is not root: what it may not do it says, and nothing is lost.

import Files
import Glibc
import Processes
import Support
import TestSupport
import Testing

@Suite("Other users' files", .tags(.large))
struct OtherUsersTests {
  private static let somebody: uid_t = 12_345

  /// Gives a file or folder to another user.
  private func give(_ path: String, mode: mode_t, to owner: uid_t = somebody) throws {
    _ = try TestFleet.unprivileged()
    try #require(chown(path, owner, gid_t(owner)) == 0 && chmod(path, mode) == 0)
  }

  @Test("Root archives and deletes a file that only its owner may read")
  func ownedByAnother() async throws {
    try await TestFleet.with { fleet in
      let path = try fleet.put("a.log.1", lines(ids("a", 3)), stream: "a.log")
      try give(path, mode: 0o600)
      let harvest = try await fleet.gadwall("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(!harvest.output.contains("without a lease"))
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts(ids("a", 3)))
    }
  }

  @Test("An ordinary user: what it may not read or delete stays with its reason, until it may")
  func ordinaryUser() async throws {
    try await TestFleet.with { fleet in
      try fleet.configure(rotated: ["var/logs/*/*"])
      try fleet.put("own.log.1", lines(["own"]), stream: "own.log")
      let secret = try fleet.put("secret.log.1", lines(["secret"]), stream: "secret.log")
      let kept = try fleet.put("kept.log.1", lines(["kept"]), in: "var/logs/theirs", stream: "kept.log")
      let hidden = try fleet.put(
        "hidden.log.1", lines(["hidden"]), in: "var/logs/closed", stream: "hidden.log")
      let sticky = try fleet.put(
        "sticky.log.1", lines(["sticky"]), in: "var/logs/sticky", stream: "sticky.log")
      try give(secret, mode: 0o600)
      try give(folderName(kept), mode: 0o755)
      try give(folderName(hidden), mode: 0o700)
      // As /tmp is: only a file's owner may take its name away.
      try give(sticky, mode: 0o644)
      try give(folderName(sticky), mode: 0o1777)
      try fleet.configure(rotated: ["var/logs/*/*"], settle: "0s")

      for round in 0..<2 {
        let harvest = try await fleet.gadwallUnprivileged("harvest")
        #expect(harvest.status == 1, "\(harvest)")
        for line in [
          "secret.log.1 was not read: Permission denied", "var/logs/closed was not read: Permission denied",
          "kept.log.1 stays: it could not be set aside: Permission denied",
          "sticky.log.1 stays: it could not be set aside: Operation not permitted",
        ] {
          #expect(harvest.output.contains(line), "round \(round): \(harvest)")
        }
        #expect(try await fleet.idCounts() == counts(["own", "kept", "sticky"]))
        #expect(try fleet.names() == ["secret.log.1"])
        #expect([kept, hidden, sticky].allSatisfy { exists($0) })
      }

      for path in [secret, folderName(kept), folderName(hidden), sticky, folderName(sticky)] {
        try give(path, mode: 0o755, to: 0)
      }
      let harvest = try await fleet.gadwallUnprivileged("harvest")
      #expect(harvest.status == 0, "\(harvest)")
      #expect(try await fleet.idCounts() == counts(["own", "secret", "kept", "hidden", "sticky"]))
      #expect(![secret, kept, hidden, sticky].contains { exists($0) })
      let verify = try await fleet.gadwallUnprivileged("verify", "--deep")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  @Test("Where no lease is permitted a file waits until it has been still, and then is archived and deleted")
  func noLease() async throws {
    try await TestFleet.with { fleet in
      try fleet.configure(settle: "3600s")
      let path = try fleet.put("a.log.1", lines(ids("a", 3)), stream: "a.log")
      try give(path, mode: 0o644)
      // A compression that was cut short goes with the file, by the same rule.
      let twin = path + ".gz"
      try fleet.place(twin, Array(gzip(lines(ids("a", 3))).dropLast(12)))
      try give(twin, mode: 0o644)
      let early = try await fleet.gadwallUnprivileged("harvest")
      #expect(early.status == 0 && early.output.contains("no lease is permitted"), "\(early)")
      #expect(try fleet.names() == ["a.log.1", "a.log.1.gz"])
      #expect(try !fleet.hasTable())

      try fleet.configure(settle: "1s")
      try #require(
        try await eventually {
          let still = WallClock.system.now().microseconds - (try FileInfo(path: twin).changed / 1000)
          return still > 1_000_000
        })
      let harvest = try await fleet.gadwallUnprivileged("harvest")
      #expect(harvest.status == 0 && harvest.output.contains("1 file read without a lease"), "\(harvest)")
      #expect(try fleet.names().isEmpty)
      #expect(try await fleet.idCounts() == counts(ids("a", 3)))
    }
  }

  @Test(
    "Without a lease, changed while it is read: left, and read whole by the next harvest",
    arguments: ["grows", "shrinks", "is written over", "is replaced"])
  func changesWithoutLease(how: String) async throws {
    try await TestFleet.with { fleet in
      try fleet.configure(settle: "0s")
      let nothing = try await fleet.gadwallUnprivileged("harvest")
      #expect(nothing.status == 0, "\(nothing)")
      let task = try #require(try fleet.objects("runs").first { $0.hasSuffix("/task/stage.json") })
      let path = fleet.nodes[0].rawPath("big.log.1")
      try fleet.place(path, long(0..<300))
      try give(path, mode: 0o644)

      let stage = try await PausedStage(fleet, task: task, reading: path)
      let left: Range<Int>
      switch how {
      case "grows":
        left = 0..<301
        try Descriptor.append(path).write(long(300..<301))
      case "shrinks":
        left = 0..<50
        try #require(truncate(path, off_t(long(left).count)) == 0)
      case "is written over":
        left = 300..<600
        let file = open(path, O_WRONLY)
        let bytes = long(left)
        try #require(pwrite(file, bytes, bytes.count, 0) == bytes.count)
        close(file)
      default:
        left = 300..<310
        try fleet.place(path, long(left))
      }
      let ended = try await stage.goOn()
      #expect(ended.status == .exited(0))
      let reports = try fleet.objects("runs").filter { $0.contains("/staged/") }.map(fleet.object)
      let isLeft = reports.contains {
        String(decoding: $0, as: UTF8.self).contains("it changed while it was read")
      }
      #expect(isLeft == (how != "is replaced"))
      let harvest = try await fleet.gadwallUnprivileged("harvest", "--format", "json")
      #expect(harvest.status == 0, "\(harvest)")
      // What was replaced was read to its end all the same, and the other file is another batch.
      let wanted = how == "is replaced" ? Array(0..<300) + Array(left) : Array(left)
      if how == "is replaced" { #expect(try await fleet.gadwallUnprivileged("harvest").status == 0) }
      #expect(try await fleet.idCounts() == counts(wanted.map { "big-\($0)" }))
      #expect(try fleet.names().isEmpty)
      let verify = try await fleet.gadwall("verify")
      #expect(verify.status == 0, "\(verify)")
    }
  }

  /// Lines of about 40 KB: the reading thread is a few megabytes ahead of the one that tells of its progress.
  private func long(_ numbers: Range<Int>) -> [UInt8] {
    let words = String(repeating: "dog and cheese ", count: 2800)
    return Array(
      numbers.map { #"{"id":"big-\#($0)","message":"Auth [INFO] \#(words)"}"# + "\n" }.joined().utf8)
  }
}
