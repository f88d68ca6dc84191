// The C that Swift can't say: calls with variable arguments, constants behind _GNU_SOURCE,
// ISA-L's large structures, and everything that runs between fork and exec.
#ifndef GADWALL_CSHIMS_H
#define GADWALL_CSHIMS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// ---- Files (files.c). Each returns -errno on failure.

struct gw_file_info {
  uint64_t device;
  uint64_t inode;
  uint64_t size;
  int64_t mtime_seconds;
  uint32_t mtime_nanoseconds;
  int64_t ctime_seconds;
  uint32_t ctime_nanoseconds;
  // Zero and zero where the file system keeps no birth time.
  int64_t birth_seconds;
  uint32_t birth_nanoseconds;
  uint32_t mode;
  uint32_t uid;
  uint64_t links;
};

// One file's facts by path (never following a link) or, with path NULL, by descriptor.
int gw_stat(int fd, const char *path, struct gw_file_info *out);
// Opens for reading without following a link or waiting for a FIFO's writer.
int gw_open_input(const char *path);
// Creates a file that must not exist yet, for writing, close-on-exec.
int gw_create(const char *path, int mode);
int gw_open_append(const char *path, int mode);
// Opens a file that exists for writing, without following a link.
int gw_open_output(const char *path);
int gw_open_directory(const char *path);
// Renames and fails with -EEXIST rather than replace what is there.
int gw_rename_noreplace(const char *from, const char *to);

// A read lease: refused (-EAGAIN) while anybody has the file open for writing. A writer that
// opens it later waits until the lease is given back, and `signal` is sent to this process.
int gw_lease_take(int fd, int signal);
int gw_lease_release(int fd);
// Whether the lease taken on this descriptor is still whole.
int gw_lease_held(int fd);
// The real-time signal leases are broken with, made harmless: its handler only counts.
int gw_lease_signal_prepare(void);
uint32_t gw_lease_breaks(void);
// The file owner's identity for file system checks on this thread; returns the one before.
int gw_set_fs_user(uint32_t uid);

// ---- Searches (search.c). NULL when there is none.

const void *gw_find(const void *text, size_t length, const void *part, size_t part_length);
const void *gw_find_last(const void *text, uint8_t byte, size_t length);
// How often the byte is there.
size_t gw_count(const uint8_t *text, size_t length, uint8_t byte);

// These are here and not in search.c since they are called for each text of a log.

// The first quote, backslash or control character, or `limit` when there is none. `*high` becomes other than 0 if any byte on the
// way is above 0x7F, or a few behind it.
static inline const uint8_t *gw_string_stop(const uint8_t *at, const uint8_t *limit, uint64_t *high) {
#if defined(__SSE2__)
  for (; limit - at >= 32; at += 32) {
    uint32_t found = 0, tops = 0;
    for (int half = 0; half < 32; half += 16) {
      __m128i bytes = _mm_loadu_si128((const __m128i *)(at + half));
      __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
      __m128i slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
      __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
      found |= (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), controls)) << half;
      tops |= (uint32_t)_mm_movemask_epi8(bytes);
    }
    *high |= tops;
    if (found) return at + __builtin_ctz(found);
  }
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  for (; limit - at >= 8; at += 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    uint64_t quotes = word ^ ones * '"', slashes = word ^ ones * '\\';
    // The lowest flag is always a true one.
    uint64_t found = (((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes) | ((word - ones * 0x20) & ~word)) & tops;
    *high |= word & tops;
    if (found) return at + (__builtin_ctzll(found) >> 3);
  }
#endif
  for (; at < limit; at++) {
    if (*at == '"' || *at == '\\' || *at < 0x20) return at;
    *high |= *at >> 7;
  }
  return at;
}

// The first space, control character from 9 to 13 or bracket; `limit` when there is none.
static inline const uint8_t *gw_word_stop(const uint8_t *at, const uint8_t *limit) {
#if defined(__SSE2__)
  for (; limit - at >= 16; at += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    __m128i controls = _mm_sub_epi8(bytes, _mm_set1_epi8(9));
    controls = _mm_cmpeq_epi8(_mm_min_epu8(controls, _mm_set1_epi8(4)), controls);
    __m128i spaces = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
    __m128i opens = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('[')), closes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(']'));
    int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(controls, spaces), _mm_or_si128(opens, closes)));
    if (found) return at + __builtin_ctz((unsigned)found);
  }
#endif
  for (; at < limit; at++)
    if (*at == ' ' || (uint8_t)(*at - 9) < 5 || *at == '[' || *at == ']') return at;
  return at;
}

// Copies like memcpy; a short text without calling it where as many bytes as fit into two registers can be read and written.
static inline void gw_copy(uint8_t *to, const uint8_t *from, size_t count, const uint8_t *limit) {
  if (count <= 32 && limit - from >= 32) {
    memcpy(to, from, 32);
  } else {
    memcpy(to, from, count);
  }
}

// ---- Signals (signals.c)

// After this, SIGTERM, SIGINT and SIGHUP are counted instead of acted on, and each writes a byte
// to the returned descriptor, which poll() can wait for. A hangup counts as one of the signals that
// end the program, or by itself.
int gw_signals_catch(int ends_at_hangup);
// The last of the signals that end the program, or 0.
int gw_signal_terminating(void);
// After this none of them counts as having come.
void gw_signal_forget(void);
// How many SIGHUP came so far.
uint32_t gw_signal_hangups(void);
void gw_signal_ignore_pipe(void);
// Has SIGTERM and SIGINT end this process where it is the first of a container. To that one the kernel gives no signal that it has no
// handler for, so 'docker stop' would wait and then kill it. Whoever catches them later (gw_signals_catch) takes them over.
void gw_signal_end_first_process(void);
// Waits until the descriptor is readable or `milliseconds` have passed; 1, 0 or -errno.
int gw_wait_readable(int fd, int milliseconds);

// ---- Children (spawn.c, sandbox.c)

// What a rule lets the child do with a file, or with all below a folder.
enum { GW_READ = 1, GW_LIST = 2, GW_EXECUTE = 4, GW_WRITE = 8 };

struct gw_rule {
  const char *path;
  int use;
  // Then a rule for nothing is no failure.
  int may_be_missing;
};

struct gw_sandbox {
  const struct gw_rule *rules;
  int rule_count;
  int may_start_processes;
  // Of a newer Landlock only what this version knows is used; 0: none, as on a kernel without it.
  int newest_landlock;
  // 0 sets no limit.
  uint64_t cpu_seconds;
  uint64_t file_bytes;
  uint64_t data_bytes;
  uint64_t open_files;
};

struct gw_spawn {
  const char *path;
  char *const *argv;
  char *const *environment;
  // Where the child's 0, 1 and 2 come from.
  int input, output, errors;
  // NULL: this process's own.
  const char *directory;
  // NULL: it may do what this process may.
  const struct gw_sandbox *sandbox;
};

// Where a start failed: anywhere but in the sandbox, for want of Landlock or seccomp, in its limits, or, from
// GW_STAGE_RULES on, at the rule of that number.
enum { GW_STAGE_START, GW_STAGE_LANDLOCK, GW_STAGE_SECCOMP, GW_STAGE_LIMITS, GW_STAGE_RULES };

// Forks and executes, in a process group of its own, killed when the calling thread ends.
// The pid, or -errno of whichever step failed, the exec included; then `*stage` says which.
int gw_spawn(const struct gw_spawn *how, int *stage);
// Takes from the calling process, and from all that it starts, what the sandbox does not leave it. Only calls that
// are safe after fork. 0 or -errno.
int gw_confine(const struct gw_sandbox *box, int *stage);
// What the kernel offers, or -errno.
int gw_landlock_version(void);
int gw_pipe(int ends[2]);
int gw_set_nonblocking(int fd);
int gw_event(void);
int gw_pidfd(int pid);
// Reaps the child. 0..255: it exited; 256 + n: signal n ended it.
int gw_reap(int pid);

struct gw_poll {
  int fd;
  short events;
  short ready;
};
// Waits for any of the descriptors (those below 0 are passed over).
int gw_poll(struct gw_poll *items, int count, int milliseconds);

// ---- gzip (gzip.c), over ISA-L

typedef struct gw_deflate gw_deflate;
typedef struct gw_inflate gw_inflate;

// CRC-32C (Castagnoli) of bytes that come after those whose checksum is `before`, 0 at first.
uint32_t gw_crc32c(const void *bytes, size_t count, uint32_t before);

// Level 0 to 3 of igzip; NULL when there is no memory.
gw_deflate *gw_deflate_new(int level);
void gw_deflate_free(gw_deflate *state);
// Compresses what is left of the input into the output. `*consumed` and `*produced` say how far it came. Returns
// 1 when a stream that was told to `finish` is complete, 0 otherwise, below 0 on failure.
int gw_deflate_step(gw_deflate *state, const uint8_t *input, size_t input_count, int finish,
                    uint8_t *output, size_t output_capacity, size_t *consumed, size_t *produced);

gw_inflate *gw_inflate_new(void);
void gw_inflate_free(gw_inflate *state);
// The same for a gzip stream, its checksum verified. Returns 1 when a member is complete (the
// next call starts another), 0 when it wants more input or room, below 0 when it is broken.
int gw_inflate_step(gw_inflate *state, const uint8_t *input, size_t input_count,
                    uint8_t *output, size_t output_capacity, size_t *consumed, size_t *produced);

// ---- The terminal and the process (system.c)

// Columns of the terminal behind the descriptor, or 0 when it is none.
int gw_terminal_width(int fd);

// Lets this process have as many files open as it may.
void gw_raise_open_files(void);
// Microseconds since 1970 by the wall clock, and nanoseconds of a clock that only goes forward.
int64_t gw_wall_microseconds(void);
int64_t gw_monotonic_nanoseconds(void);
// Fills the buffer with the kernel's random bytes.
int gw_random(void *buffer, size_t count);
// The variable's value, or NULL.
const char *gw_environment(const char *name);
// Ends the process at once, running nothing, as kill -9 would.
void gw_abandon(void) __attribute__((noreturn));

#endif
