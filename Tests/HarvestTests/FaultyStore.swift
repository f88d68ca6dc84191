import ObjectStorage
import Support
import Synchronization
import TestSupport

/// A store of which one call fails: before anything was done, or after all of it was and only the answer is lost.
final class FaultyStore: ObjectStore {
  enum Fault: String, Sendable, CaseIterable {
    case refused
    case answerLost = "answer lost"
  }

  private let inner: any ObjectStore
  private let fault: Fault
  private let target: Int
  private struct State {
    var calls = 0
    var hit: String?
  }
  private let state = Mutex(State())

  /// - Parameter call: which of the calls fails, counted from 0.
  init(_ inner: any ObjectStore, _ fault: Fault, call: Int) {
    self.inner = inner
    self.fault = fault
    target = call
  }

  /// The call that failed, `put runs/RUN/plan.json`; nil when there were fewer.
  var hit: String? { state.withLock(\.hit) }
  var calls: Int { state.withLock(\.calls) }

  private func call<Result: Sendable>(
    _ name: String, _ key: String, _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let fails = state.withLock { state in
      defer { state.calls += 1 }
      guard state.calls == target else { return false }
      state.hit = "\(name) \(kind(of: key))"
      return true
    }
    guard fails else { return try await body() }
    if fault == .answerLost { _ = try await body() }
    throw Failure("store.unreachable", "The store did not answer (\(fault.rawValue)).")
  }

  var url: String { inner.url }
  func put(_ bytes: [UInt8], at key: String) async throws(Failure) {
    try await call("put", key) { () throws(Failure) in try await inner.put(bytes, at: key) }
  }
  func put(file path: String, at key: String) async throws(Failure) {
    try await call("put", key) { () throws(Failure) in try await inner.put(file: path, at: key) }
  }
  func putIfAbsent(_ bytes: [UInt8], at key: String) async throws(Failure) -> Bool {
    try await call("put-if-absent", key) { () throws(Failure) in
      try await inner.putIfAbsent(bytes, at: key)
    }
  }
  func get(_ key: String, limit: ByteCount) async throws(Failure) -> [UInt8]? {
    try await call("get", key) { () throws(Failure) in try await inner.get(key, limit: limit) }
  }
  func get(_ key: String, toFile path: String) async throws(Failure) -> Bool {
    try await call("get", key) { () throws(Failure) in try await inner.get(key, toFile: path) }
  }
  func range(_ key: String, from offset: Int64, count: Int) async throws(Failure) -> [UInt8]? {
    try await call("range", key) { () throws(Failure) in
      try await inner.range(key, from: offset, count: count)
    }
  }
  func list(_ prefix: String, after key: String) async throws(Failure) -> [ObjectInfo] {
    try await call("list", prefix) { () throws(Failure) in try await inner.list(prefix, after: key) }
  }
  func stat(_ key: String) async throws(Failure) -> ObjectInfo? {
    try await call("stat", key) { () throws(Failure) in try await inner.stat(key) }
  }
  func delete(_ key: String) async throws(Failure) {
    try await call("delete", key) { () throws(Failure) in try await inner.delete(key) }
  }
}

/// The key with everything that differs from run to run left out.
func kind(of key: String) -> String {
  key.split(separator: "/").map { part -> String in
    let text = String(part)
    let ending = text.split(separator: ".").dropFirst().joined(separator: ".")
    if text.hasPrefix("dt=") || text.hasPrefix("day=") || text.hasPrefix("rotated") { return "DAY" }
    if text.utf8.count > 30, text.contains("T"), text.contains("Z-") { return "RUN" }
    if text.hasPrefix("v"), text.dropFirst().first?.isNumber ?? false { return "vN." + ending }
    if text.utf8.contains(where: { (0x30...0x39).contains($0) }), text.utf8.count >= 12 {
      return "*" + (ending.isEmpty ? "" : "." + ending)
    }
    return text
  }.joined(separator: "/")
}
