import Glibc
import Synchronization

/// A few blocks of memory that one thread fills and another empties, in order.
///
/// The two semaphores say whose each block is: a block is written only between a wait for a free one and the post of a full one, and read only
/// between a wait for a full one and the post of a free one. So no two threads ever touch one, which is what makes it safe to share.
public final class BlockRing: @unchecked Sendable {
  private let blocks: [UnsafeMutableRawPointer]
  private let counts: UnsafeMutablePointer<Int>
  private let free: UnsafeMutablePointer<sem_t>
  private let full: UnsafeMutablePointer<sem_t>
  private let isStopped = Atomic<Bool>(false)
  public let blockSize: Int
  // Each is one side's alone.
  private var writing = 0
  private var reading = 0

  public init(blocks count: Int, of size: Int) {
    blockSize = size
    blocks = (0..<count).map { _ in .allocate(byteCount: size, alignment: 64) }
    counts = .allocate(capacity: count)
    counts.initialize(repeating: 0, count: count)
    free = .allocate(capacity: 1)
    full = .allocate(capacity: 1)
    sem_init(free, 0, UInt32(count))
    sem_init(full, 0, 0)
  }

  deinit {
    for block in blocks { block.deallocate() }
    counts.deallocate()
    sem_destroy(free)
    sem_destroy(full)
    free.deallocate()
    full.deallocate()
  }

  // MARK: the side that fills

  /// Copies the bytes in, block by block. `waiting` is called about twenty times a second while all blocks are full, and may throw.
  /// - Returns: false once the other side has stopped.
  public func put(_ bytes: UnsafeRawBufferPointer, waiting: () throws -> Void = {}) throws -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      guard try takeFree(waiting) else { return false }
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(blockSize))
      blocks[writing].copyMemory(from: part.baseAddress!, byteCount: part.count)
      send(part.count)
      rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
    }
    return true
  }

  /// Says that nothing more comes.
  public func end() {
    if (try? takeFree {}) == true { send(-1) }
  }

  private func send(_ count: Int) {
    counts[writing] = count
    writing = (writing + 1) % blocks.count
    sem_post(full)
  }

  private func takeFree(_ waiting: () throws -> Void) throws -> Bool {
    while !isStopped.load(ordering: .acquiring) {
      if sem_trywait(free) == 0 { return !isStopped.load(ordering: .acquiring) }
      var until = timespec()
      clock_gettime(CLOCK_REALTIME, &until)
      until.tv_nsec += 50_000_000
      if until.tv_nsec >= 1_000_000_000 {
        until.tv_sec += 1
        until.tv_nsec -= 1_000_000_000
      }
      if sem_timedwait(free, &until) == 0 { return !isStopped.load(ordering: .acquiring) }
      try waiting()
    }
    return false
  }

  // MARK: the side that empties

  /// Lends the next block; false at the end.
  public func next(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows -> Bool {
    while sem_wait(full) != 0 {}
    let count = counts[reading]
    guard count >= 0 else {
      sem_post(full)
      return false
    }
    defer {
      reading = (reading + 1) % blocks.count
      sem_post(free)
    }
    try body(UnsafeRawBufferPointer(start: blocks[reading], count: count))
    return true
  }

  /// Nothing more is wanted: the other side's next `put` says so.
  public func stop() {
    isStopped.store(true, ordering: .releasing)
    sem_post(free)
  }
}
