/// Does the same with each of the items, so many at a time, and gives what came of them in their order.
///
/// - Throws: the first failure. What was begun by then is cancelled and waited for; nothing more is begun.
public func inParallel<Item: Sendable, Value: Sendable>(
  _ width: Int, _ items: [Item], _ body: @escaping @Sendable (Item) async throws(Failure) -> Value
) async throws(Failure) -> [Value] {
  let outcome = await withTaskGroup(of: (Int, Result<Value, Failure>).self) {
    group -> Result<[Value], Failure> in
    var next = 0
    var values = [Value?](repeating: nil, count: items.count)
    func beginNext() {
      guard next < items.count else { return }
      let number = next
      next += 1
      group.addTask {
        do throws(Failure) { return (number, .success(try await body(items[number]))) } catch {
          return (number, .failure(error))
        }
      }
    }
    for _ in 0..<max(1, width) { beginNext() }
    for await (number, result) in group {
      switch result {
      case .success(let value):
        values[number] = value
        beginNext()
      case .failure(let failure):
        group.cancelAll()
        return .failure(failure)
      }
    }
    return .success(values.compactMap { $0 })
  }
  return try outcome.get()
}
