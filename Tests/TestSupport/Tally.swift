import Files
import Processes
import Support

/// Notes that a fault has hit a step. `make check-long` prints how often each did: `$GADWALL_FAULT_TALLY` names the file.
public func tally(_ fault: String, _ step: String) {
  guard let path = environmentValue("GADWALL_FAULT_TALLY"), let file = try? Descriptor.append(path) else {
    return
  }
  // One write of a short line: others append to the same file.
  try? file.write(Array("\(fault)\t\(step)\n".utf8))
}
