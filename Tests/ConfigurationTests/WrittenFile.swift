import Configuration
import Files
import Support
import TestSupport

/// Reads the text as a configuration file in a folder of its own; the body gets that folder too.
func withConfiguration(_ text: String, _ body: (Result<Configuration, Failure>, String) throws -> Void)
  async throws
{
  try await withScratch { folder in
    let path = joined(folder, "gadwall.yaml")
    try publish(Array(text.utf8), at: path, replacing: true)
    let result: Result<Configuration, Failure>
    do throws(Failure) { result = .success(try Configuration.read(path)) } catch { result = .failure(error) }
    try body(result, folder)
  }
}

/// The failure that the text gives, or nil.
func failure(of text: String) async throws -> Failure? {
  var found: Failure?
  try await withConfiguration(text) { result, _ in
    if case .failure(let failure) = result { found = failure }
  }
  return found
}

/// The failure that the text gives besides a store that it may not name.
func refusal(of text: String) async throws -> Failure? {
  let named = text.split(separator: "\n").contains { $0.hasPrefix("store") }
  return try await failure(of: named ? text : text + "\nstore: { url: \"file:store\" }\n")
}

/// What the text sets, read with a store so that nothing is missing.
func configuration(_ text: String) async throws -> Configuration {
  var found: Configuration?
  try await withConfiguration(text + "\nstore: { url: \"file:store\" }\n") { result, _ in
    found = try result.get()
  }
  guard let found else { throw Failure("test", "nothing was read") }
  return found
}
