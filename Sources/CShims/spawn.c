#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

struct failure {
  int code;
  int stage;
};

// Runs in the child: only calls that are safe after fork in a program with threads.
static void become(const struct gw_spawn *how, int report, pid_t parent) {
  struct failure failure = {.stage = GW_STAGE_START};
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);

  // An ignored or blocked signal would be inherited across exec.
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++)
    if (number != SIGKILL && number != SIGSTOP) sigaction(number, &action, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);

  // Out of the way of 0, 1 and 2 first: one of the three may be one of them.
  int in = fcntl(how->input, F_DUPFD, 10), out = fcntl(how->output, F_DUPFD, 10),
      err = fcntl(how->errors, F_DUPFD, 10);
  int up = fcntl(report, F_DUPFD_CLOEXEC, 10);
  if (in < 0 || out < 0 || err < 0 || up < 0) goto failed;
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) goto failed;
  // Keep the report's descriptor at 3 until exec closes it; nothing else goes along.
  if (dup3(up, 3, O_CLOEXEC) < 0) goto failed;
  up = 3;
  syscall(SYS_close_range, 4U, ~0U, 0U);
  if (how->directory && chdir(how->directory) != 0) goto failed;
  if (how->sandbox) {
    int code = gw_confine(how->sandbox, &failure.stage);
    if (code < 0) {
      errno = -code;
      goto failed;
    }
  }
  execve(how->path, how->argv, how->environment);

failed:
  failure.code = errno;
  if (write(up, &failure, sizeof failure) < 0) { /* the parent sees the early end instead */ }
  _exit(127);
}

int gw_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno; }

int gw_set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int gw_spawn(const struct gw_spawn *how, int *stage) {
  *stage = GW_STAGE_START;
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -errno;
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) {
    int code = errno;
    close(report[0]);
    close(report[1]);
    return -code;
  }
  if (pid == 0) {
    become(how, report[1], parent);
    _exit(127);
  }
  setpgid(pid, pid);
  close(report[1]);
  struct failure failure;
  ssize_t got;
  do got = read(report[0], &failure, sizeof failure);
  while (got < 0 && errno == EINTR);
  close(report[0]);
  if (got == (ssize_t)sizeof failure) {
    gw_reap(pid);
    *stage = failure.stage;
    return failure.code > 0 ? -failure.code : -EINVAL;
  }
  return pid;
}

int gw_event(void) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

int gw_pidfd(int pid) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : fd;
}

int gw_reap(int pid) {
  int status;
  pid_t got;
  do got = waitpid(pid, &status, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return -errno;
  return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

int gw_poll(struct gw_poll *items, int count, int milliseconds) {
  struct pollfd polled[16];
  if (count > 16) return -EINVAL;
  for (int i = 0; i < count; i++) {
    polled[i].fd = items[i].fd;
    polled[i].events = items[i].events;
    polled[i].revents = 0;
  }
  int ready = poll(polled, (nfds_t)count, milliseconds);
  if (ready < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) items[i].ready = polled[i].revents;
  return ready;
}
