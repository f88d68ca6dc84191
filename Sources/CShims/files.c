#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int gw_stat(int fd, const char *path, struct gw_file_info *out) {
  struct statx s;
  int flags = AT_SYMLINK_NOFOLLOW | AT_STATX_SYNC_AS_STAT;
  int result = path ? statx(AT_FDCWD, path, flags, STATX_BASIC_STATS | STATX_BTIME, &s)
                    : statx(fd, "", flags | AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &s);
  if (result != 0) return -errno;
  memset(out, 0, sizeof *out);
  out->device = makedev(s.stx_dev_major, s.stx_dev_minor);
  out->inode = s.stx_ino;
  out->size = s.stx_size;
  out->mtime_seconds = s.stx_mtime.tv_sec;
  out->mtime_nanoseconds = s.stx_mtime.tv_nsec;
  out->ctime_seconds = s.stx_ctime.tv_sec;
  out->ctime_nanoseconds = s.stx_ctime.tv_nsec;
  if (s.stx_mask & STATX_BTIME) {
    out->birth_seconds = s.stx_btime.tv_sec;
    out->birth_nanoseconds = s.stx_btime.tv_nsec;
  }
  out->mode = s.stx_mode;
  out->uid = s.stx_uid;
  out->links = s.stx_nlink;
  return 0;
}

static int opened(int fd) { return fd < 0 ? -errno : fd; }

int gw_open_input(const char *path) {
  return opened(open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
}

int gw_create(const char *path, int mode) {
  return opened(open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
}

int gw_open_append(const char *path, int mode) {
  return opened(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode));
}

int gw_open_output(const char *path) {
  return opened(open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

int gw_open_directory(const char *path) {
  return opened(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int gw_rename_noreplace(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : -errno;
}

static atomic_uint lease_breaks;

static void count_lease_break(int signal) {
  (void)signal;
  atomic_fetch_add(&lease_breaks, 1);
}

int gw_lease_signal_prepare(void) {
  // The default action of the signal that breaks a lease ends the process that holds it.
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = count_lease_break;
  action.sa_flags = SA_RESTART;
  int number = SIGRTMIN + 3;
  return sigaction(number, &action, NULL) == 0 ? number : -errno;
}

uint32_t gw_lease_breaks(void) { return atomic_load(&lease_breaks); }

int gw_lease_take(int fd, int signal) {
  if (fcntl(fd, F_SETSIG, signal) != 0) return -errno;
  return fcntl(fd, F_SETLEASE, F_RDLCK) == 0 ? 0 : -errno;
}

int gw_lease_release(int fd) { return fcntl(fd, F_SETLEASE, F_UNLCK) == 0 ? 0 : -errno; }

int gw_lease_held(int fd) {
  int lease = fcntl(fd, F_GETLEASE);
  return lease < 0 ? -errno : lease == F_RDLCK;
}

int gw_set_fs_user(uint32_t uid) { return setfsuid(uid); }
