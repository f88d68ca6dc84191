import Synchronization

/// A value that several tasks set and read.
public final class Shared<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  public init(_ value: Value) { mutex = Mutex(value) }

  public var value: Value { mutex.withLock { $0 } }
  public func set(_ value: Value) { mutex.withLock { $0 = value } }
  public func update(_ change: (inout Value) -> Void) { mutex.withLock { change(&$0) } }
}
