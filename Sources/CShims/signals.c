#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_int terminating;
static atomic_int hangup_ends;
static atomic_uint hangups;
static atomic_int wake = -1;

static void caught(int signal) {
  int saved = errno;
  if (signal == SIGHUP && !atomic_load(&hangup_ends)) atomic_fetch_add(&hangups, 1);
  else atomic_store(&terminating, signal);
  uint64_t one = 1;
  int fd = atomic_load(&wake);
  if (fd >= 0 && write(fd, &one, sizeof one) < 0) { /* already readable: nothing to add */ }
  errno = saved;
}

int gw_signals_catch(int ends_at_hangup) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return -errno;
  atomic_store(&wake, fd);
  atomic_store(&hangup_ends, ends_at_hangup);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = caught;
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGTERM, &action, NULL) || sigaction(SIGINT, &action, NULL)) return -errno;
  // nohup had it ignored, and that is how it stays.
  struct sigaction before;
  if (sigaction(SIGHUP, NULL, &before)) return -errno;
  if (ends_at_hangup && before.sa_handler == SIG_IGN) return fd;
  if (sigaction(SIGHUP, &action, NULL)) return -errno;
  return fd;
}

static void end_at_once(int signal) { _exit(128 + signal); }

void gw_signal_end_first_process(void) {
  if (getpid() != 1) return;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = end_at_once;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
}

int gw_signal_terminating(void) { return atomic_load(&terminating); }
void gw_signal_forget(void) { atomic_store(&terminating, 0); }
uint32_t gw_signal_hangups(void) { return atomic_load(&hangups); }
void gw_signal_ignore_pipe(void) { signal(SIGPIPE, SIG_IGN); }

int gw_wait_readable(int fd, int milliseconds) {
  struct pollfd item = {.fd = fd, .events = POLLIN};
  int ready = poll(&item, 1, milliseconds);
  if (ready < 0) return errno == EINTR ? 1 : -errno;
  if (ready > 0) {
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0) { /* somebody else emptied it */ }
  }
  return ready;
}
