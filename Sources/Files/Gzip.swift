import CShims
public import Support

/// Compresses a stream into the gzip format, by ISA-L.
public struct GzipWriter: ~Copyable {
  private let state: OpaquePointer
  private let output: UnsafeMutableRawBufferPointer

  /// - Parameter level: igzip's 0 (fastest) to 3.
  public init(level: Int32 = 1) {
    guard let made = gw_deflate_new(level) else { preconditionFailure("no memory for a gzip stream") }
    state = made
    output = .allocate(byteCount: 1 << 18, alignment: 64)
  }
  deinit {
    gw_deflate_free(state)
    output.deallocate()
  }

  /// Compresses more input and hands over what comes out. `last` ends the stream.
  public mutating func write<E: Error>(
    _ input: UnsafeRawBufferPointer, last: Bool = false, to sink: (UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    var rest = input
    while true {
      var consumed = 0
      var produced = 0
      let result = gw_deflate_step(
        state, rest.baseAddress?.assumingMemoryBound(to: UInt8.self), rest.count, last ? 1 : 0,
        output.baseAddress?.assumingMemoryBound(to: UInt8.self), output.count, &consumed, &produced)
      precondition(result >= 0, "ISA-L refused to compress")
      if produced > 0 { try sink(UnsafeRawBufferPointer(rebasing: output[..<produced])) }
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      if last ? result == 1 : rest.isEmpty && produced < output.count { return }
    }
  }
}

/// The bytes as one gzip stream.
public func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var writer = GzipWriter()
  var result: [UInt8] = []
  bytes.withUnsafeBytes { input in
    writer.write(input, last: true) { result.append(contentsOf: $0) }
  }
  return result
}

/// Why a gzip file was not read.
public enum GzipError: String, Error, Sendable, Equatable {
  case cut = "the gzip stream ends before its end"
  case broken = "the gzip stream is broken"
  case trailing = "something that is no gzip follows the gzip stream"
}

/// Inflates a gzip stream of one or more members, checksums verified. Zeros may follow it, nothing else.
public struct GzipReader: ~Copyable {
  private let state: OpaquePointer
  private let output: UnsafeMutableRawBufferPointer
  private enum Phase { case member, between, padding }
  private var phase = Phase.member

  public init() {
    guard let made = gw_inflate_new() else { preconditionFailure("no memory for a gzip stream") }
    state = made
    output = .allocate(byteCount: 1 << 20, alignment: 64)
  }
  deinit {
    gw_inflate_free(state)
    output.deallocate()
  }

  /// Inflates more input and hands over what comes out.
  public mutating func read(
    _ input: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var rest = input
    while !rest.isEmpty || phase == .member {
      switch phase {
      case .between:
        if rest[0] == 0 {
          phase = .padding
        } else if rest[0] == 0x1F {
          phase = .member
        } else {
          throw GzipError.trailing
        }
      case .padding:
        guard rest.allSatisfy({ $0 == 0 }) else { throw GzipError.trailing }
        return
      case .member:
        var consumed = 0
        var produced = 0
        let result = gw_inflate_step(
          state, rest.baseAddress?.assumingMemoryBound(to: UInt8.self), rest.count,
          output.baseAddress?.assumingMemoryBound(to: UInt8.self), output.count, &consumed, &produced)
        if result < 0 { throw GzipError.broken }
        if produced > 0 { try sink(UnsafeRawBufferPointer(rebasing: output[..<produced])) }
        rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
        if result == 1 {
          phase = .between
        } else if rest.isEmpty, produced < output.count {
          return
        } else if consumed == 0, produced == 0 {
          throw GzipError.broken
        }
      }
    }
  }

  /// Says that no more input comes.
  public mutating func finish() throws(GzipError) {
    if phase == .member { throw .cut }
  }
}

/// The content of a gzip'd byte string, at most so many bytes.
public func gunzip(_ bytes: [UInt8], limit: ByteCount) throws -> [UInt8] {
  var reader = GzipReader()
  var result: [UInt8] = []
  try bytes.withUnsafeBytes { input in
    try reader.read(input) {
      guard result.count + $0.count <= limit.bytes else { throw GzipError.broken }
      result.append(contentsOf: $0)
    }
  }
  try reader.finish()
  return result
}
