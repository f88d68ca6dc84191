// Hands what libFuzzer comes up with to one of Tests/Properties: the one that FUZZ_PROPERTY names.

import Glibc
import Properties
import Support

private let property: Property = {
  let name = getenv("FUZZ_PROPERTY").map { String(cString: $0) } ?? ""
  guard let found = Property.all.first(where: { $0.name == name }) else {
    print(Property.all.map(\.name).joined(separator: "\n"))
    exit(name.isEmpty ? 0 : 64)
  }
  return found
}()

/// Writes the property's seeds into the folder FUZZ_SEEDS, and what damage puts in as a dictionary, when that is asked for.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>>
) -> CInt {
  let property = property
  guard let folder = getenv("FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  for (number, seed) in property.seeds().enumerated() { write(seed, to: "\(folder)/seed-\(number)") }
  let words = property.words.map { word in
    "\"" + word.utf8.map { "\\x" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\"\n"
  }
  write(Array(words.joined().utf8), to: "\(folder).words")
  // Not exit: what this function still holds would be called a leak.
  _exit(0)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try property.check(Array(UnsafeBufferPointer(start: start, count: count)))
  } catch {
    fatalError("\(property.name): \(error)")
  }
  return 0
}

/// libFuzzer's own mutations, and for JSON half of the time one that leaves it JSON.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: CUnsignedInt)
  -> Int
{
  var random = SeededRandom(seed: UInt64(seed))
  if property.shape == .json, random.next() & 1 == 0,
    let reshaped = property.reshaped(Array(UnsafeBufferPointer(start: start, count: count)), using: &random),
    reshaped.count <= limit
  {
    for (place, byte) in reshaped.enumerated() { start[place] = byte }
    return reshaped.count
  }
  return libFuzzerMutate(start, count, limit)
}

@_silgen_name("LLVMFuzzerMutate")
private func libFuzzerMutate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

private func write(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "w"), fwrite(bytes, 1, bytes.count, file) == bytes.count, fclose(file) == 0
  else {
    print("\(path) can't be written.")
    exit(1)
  }
}
