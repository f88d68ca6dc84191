// What the tests share: scratch folders, the programs that setup installs, tags.

public import DuckDB
import Files
import Glibc
import Processes
import Support
public import Testing

extension Tag {
  /// Real DuckDB, SQLite or Python takes part.
  @Tag public static var medium: Self
  /// The built program does.
  @Tag public static var large: Self
}

/// Something that a test needs and that is missing: the test fails, and says what to do.
public struct MissingPart: Error, CustomStringConvertible {
  public var description: String

  public init(description: String) { self.description = description }
}

/// The checkout that the tests were built from.
public let repositoryRoot: String = folderName(folderName(folderName(resolvedPath(#filePath))))

/// The program that was built with the tests: it lies beside them, whichever build this is.
public let builtProgram: String = joined(folderName(executablePath()), "gadwall")

/// How many times as long as usual a test waits before it gives up: `GADWALL_TEST_PATIENCE`, for sanitizers and slow machines.
public let patience: Double = environmentValue("GADWALL_TEST_PATIENCE").flatMap(Double.init) ?? 1

/// Runs the body with a folder of its own, removed afterwards unless `GADWALL_KEEP_SCRATCH` is set.
public func withScratch<Result>(
  isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Result
) async throws -> Result {
  let path = resolvedPath(joined(environmentValue("TMPDIR") ?? "/tmp", "gadwall-test-\(randomName())"))
  try makeFolder(path)
  let result: Swift.Result<Result, any Error>
  do { result = .success(try await body(path)) } catch { result = .failure(error) }
  if environmentValue("GADWALL_KEEP_SCRATCH") == nil { try removeTree(path) }
  return try result.get()
}

/// The DuckDB that `make setup` installed.
public func testDuckDB() async throws -> DuckDB {
  try await DuckDB.find(configured: joined(repositoryRoot, ".build/duckdb/duckdb"))
}

/// Runs a Python script with the packages that `make setup` installed (pyarrow, pyiceberg, orjson) and returns what it printed.
///
/// - Parameter properties: what pyiceberg is told of the store; `properties` in the script.
public func python(
  _ script: String, _ arguments: [String] = [], input: [UInt8] = [], properties: [String: String] = [:]
) async throws -> [UInt8] {
  let known = JSONValue.object(properties.mapValues { .string($0) })
  let prelude = "import json, os\nproperties = json.loads(os.environ['READER_PROPERTIES'])\n"
  let interpreter = joined(repositoryRoot, ".build/python/bin/python")
  guard exists(interpreter) else {
    throw MissingPart(description: "\(interpreter) is missing: run 'make setup'.")
  }
  var environment = plainEnvironment()
  environment["READER_PROPERTIES"] = String(decoding: known.encoded, as: UTF8.self)
  // rclone gives the digest of the whole object with a part of it, and takes no trailing ones.
  environment["AWS_REQUEST_CHECKSUM_CALCULATION"] = "WHEN_REQUIRED"
  environment["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "WHEN_REQUIRED"
  let result = try await Processes.run(
    ChildCommand(
      interpreter, ["-c", prelude + script] + arguments,
      environment: environment, input: input,
      deadline: .after(seconds: 300 * patience)))
  guard result.status == .exited(0) else {
    throw MissingPart(description: "Python failed: \(result.errorText)")
  }
  return result.output
}

/// Whether the condition comes true within half a minute.
public func becomesTrue(
  isolation: isolated (any Actor)? = #isolation, _ condition: () -> Bool
) async throws -> Bool {
  let deadline = Deadline.after(seconds: 30 * patience)
  while !deadline.hasPassed {
    if condition() { return true }
    try await Task.sleep(for: .milliseconds(2))
  }
  return condition()
}

/// The same without letting other work go on, for code that can't.
public func waitUntilNobodyWrites(_ path: String) throws {
  let input = try Descriptor.input(path)
  let owner = try input.info().uid
  let deadline = Deadline.after(seconds: 30 * patience)
  while !deadline.hasPassed {
    if isLeasable(input, owner) { return }
    usleep(2_000)
  }
  throw MissingPart(description: "\(path) stays open for writing.")
}

private func isLeasable(_ input: borrowing Descriptor, _ owner: UInt32) -> Bool {
  do {
    _ = try ReadLease.take(input, owner: owner)
    return true
  } catch {
    return false
  }
}

/// Waits until no process has the file open for writing any more.
///
/// This process's own descriptor is closed by then, but a child that another test has just forked holds a copy of it until it executes.
public func untilNobodyWrites(_ path: String, isolation: isolated (any Actor)? = #isolation) async throws {
  let input = try Descriptor.input(path)
  let owner = try input.info().uid
  let isFree = try await becomesTrue { isLeasable(input, owner) }
  if !isFree { throw MissingPart(description: "\(path) stays open for writing.") }
}

/// Waits until the condition holds.
public func eventually(seconds: Double = 20, _ condition: () throws -> Bool) async throws -> Bool {
  let deadline = Deadline.after(seconds: seconds)
  while !deadline.hasPassed {
    if try condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return try condition()
}
