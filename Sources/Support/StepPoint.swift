import CShims
import Synchronization

/// A named place between two steps at which a test can end the process as a power cut would.
///
/// `GADWALL_STOP_AT=NAME` ends it at the first time the place is reached, `NAME:3` at the third. Unset, which is always outside of tests, a call
/// costs one load.
public func stepPoint(_ name: StaticString) {
  guard let wanted = stopAt else { return }
  guard name.withUTF8Buffer({ $0.elementsEqual(wanted.name.utf8) }) else { return }
  let count = reached.withLock { count in
    count += 1
    return count
  }
  if count == wanted.time { gw_abandon() }
}

private let reached = Mutex(0)

private let stopAt: (name: String, time: Int)? = {
  guard let value = gw_environment("GADWALL_STOP_AT") else { return nil }
  let parts = String(cString: value).split(separator: ":")
  guard let name = parts.first, !name.isEmpty else { return nil }
  return (String(name), parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
}()
