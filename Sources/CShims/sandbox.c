#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#else
#error "the filter knows the call numbers of x86_64 and aarch64"
#endif

// Takes rights away between fork and exec. Sandbox.swift says which are left, and why.

// ---- Landlock. The kernel's own numbers (Documentation/userspace-api/landlock.rst): headers are older than kernels.

#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_REG (1ULL << 8)
#define FS_TRUNCATE (1ULL << 14)

#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

struct ruleset {
  uint64_t fs, net, scoped;
};

struct __attribute__((packed)) path_beneath {
  uint64_t rights;
  int32_t fd;
};

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, PATH_BENEATH = 1, ASK_VERSION = 1 };

// Every file right that a kernel of this version can refuse: 13 at first, then linking and renaming between
// folders, truncating, and the ioctls of devices.
static uint64_t file_rights(int abi) {
  if (abi >= 5) return (1ULL << 16) - 1;
  if (abi >= 3) return (1ULL << 15) - 1;
  return abi == 2 ? (1ULL << 14) - 1 : (1ULL << 13) - 1;
}

int gw_landlock_version(void) {
  long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
  return version < 0 ? -errno : (int)version;
}

static uint64_t rights_of(int use) {
  uint64_t rights = 0;
  if (use & GW_READ) rights |= FS_READ_FILE;
  if (use & GW_LIST) rights |= FS_READ_DIR;
  if (use & GW_EXECUTE) rights |= FS_EXECUTE;
  if (use & GW_WRITE) rights |= FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_REMOVE_FILE;
  return rights;
}

static int allow(int ruleset, const struct gw_rule *rule, uint64_t handled) {
  int fd = open(rule->path, O_PATH | O_CLOEXEC);
  if (fd < 0) return rule->may_be_missing ? 0 : -errno;
  struct stat info;
  int code = fstat(fd, &info) == 0 ? 0 : -errno;
  struct path_beneath beneath = {.rights = rights_of(rule->use) & handled, .fd = fd};
  // Of what is no folder the kernel takes a file's rights only.
  if (!S_ISDIR(info.st_mode)) beneath.rights &= FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE;
  if (code == 0 && beneath.rights && syscall(ADD_RULE, ruleset, PATH_BENEATH, &beneath, 0) != 0) code = -errno;
  close(fd);
  return code;
}

static int restrict_files(const struct gw_sandbox *box, int *stage) {
  *stage = GW_STAGE_LANDLOCK;
  int abi = gw_landlock_version();
  if (abi > box->newest_landlock) abi = box->newest_landlock;
  if (abi < 1) return abi < 0 ? abi : -ENOSYS;
  struct ruleset rules = {.fs = file_rights(abi)};
  size_t size = sizeof rules.fs;
  if (abi >= 4) {
    // No rule follows that would allow a port.
    rules.net = NET_BIND_TCP | NET_CONNECT_TCP;
    size += sizeof rules.net;
  }
  if (abi >= 6) {
    rules.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    size += sizeof rules.scoped;
  }
  int ruleset = (int)syscall(CREATE_RULESET, &rules, size, 0);
  if (ruleset < 0) return -errno;
  int code = 0;
  for (int i = 0; i < box->rule_count && code == 0; i++) {
    *stage = GW_STAGE_RULES + i;
    code = allow(ruleset, &box->rules[i], rules.fs);
  }
  if (code == 0) {
    *stage = GW_STAGE_LANDLOCK;
    if (syscall(RESTRICT_SELF, ruleset, 0) != 0) code = -errno;
  }
  close(ruleset);
  return code;
}

// ---- seccomp

// What no program that computes needs. By what it would be used for; Sandbox.swift says why.
static const int refused[] = {
    // The network, and descriptors handed over by it. Numbers from 424 on are the same everywhere.
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_sendto,
    SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
    // io_uring: opens and connects without being seen here.
    425, 426, 427,
    // Other processes: their memory, descriptors, limits.
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_tkill, SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo, 424 /* pidfd_send_signal */, 434 /* pidfd_open */, 438 /* pidfd_getfd */,
    440 /* process_madvise */, 448 /* process_mrelease */, SYS_setrlimit, SYS_setpgid, SYS_setsid,
    // Memory and queues shared by number.
    SYS_shmget, SYS_shmat, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_semget, SYS_mq_open,
    // The kernel's keys.
    SYS_keyctl, SYS_add_key, SYS_request_key,
    // Another view of the file system; the numbers are open_tree, move_mount, fsopen, fsconfig, fsmount, fspick,
    // mount_setattr, open_tree_attr.
    SYS_mount, SYS_umount2, SYS_chroot, SYS_pivot_root, SYS_unshare, SYS_setns, 428, 429, 430, 431, 432, 433, 442,
    467, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fanotify_init, SYS_fanotify_mark, SYS_quotactl, 443 /* quotactl_fd */, SYS_swapon, SYS_swapoff,
    // What Landlock leaves to everybody who may by mode; the numbers are fchmodat2, those of extended attributes with
    // a folder, and file_setattr.
    SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_setxattr, SYS_lsetxattr,
    SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_getxattr,
    SYS_lgetxattr, SYS_fgetxattr, SYS_listxattr, SYS_llistxattr, SYS_flistxattr, SYS_truncate, SYS_mknodat, 452, 463,
    464, 465, 466, 469, SYS_inotify_init1, SYS_inotify_add_watch,
#ifdef SYS_chmod
    SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_mknod,
    SYS_inotify_init,
#endif
    // Programs that lie in no file.
    SYS_execveat, SYS_memfd_create, 447 /* memfd_secret */,
    // The machine, and what has had holes.
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_kexec_load, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_reboot, SYS_acct, SYS_syslog, SYS_sethostname, SYS_setdomainname, SYS_settimeofday,
    SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_personality, SYS_seccomp,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
};

enum { CALLS = sizeof refused / sizeof *refused, CLONE3 = 435 };

struct program {
  struct sock_filter steps[2 * CALLS + 64];
  int count;
};

static void step(struct program *p, uint16_t code, uint32_t value, uint8_t yes, uint8_t no) {
  p->steps[p->count++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = value};
}

#define NAMESPACES                                                                                        \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

#define IF_EQUAL (BPF_JMP | BPF_JEQ | BPF_K)
#define IF_ANY_BIT (BPF_JMP | BPF_JSET | BPF_K)
#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define ANSWER (BPF_RET | BPF_K)
#define NUMBER (uint32_t) offsetof(struct seccomp_data, nr)
// The lower half of an argument: both machines are little-endian.
#define ARGUMENT(n) (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (n))
#define REFUSE(code) (SECCOMP_RET_ERRNO | (code))

static void refuse(struct program *p, int number, int code) {
  step(p, IF_EQUAL, (uint32_t)number, 0, 1);
  step(p, ANSWER, REFUSE(code), 0, 0);
}

// Lets the call pass when it is about this process.
static void only_on_itself(struct program *p, int number) {
  step(p, IF_EQUAL, (uint32_t)number, 0, 4);
  step(p, LOAD, ARGUMENT(0), 0, 0);
  step(p, IF_EQUAL, (uint32_t)getpid(), 1, 0);
  step(p, ANSWER, REFUSE(EPERM), 0, 0);
  step(p, ANSWER, SECCOMP_RET_ALLOW, 0, 0);
}

static int filter_calls(const struct gw_sandbox *box) {
  struct program p = {.count = 0};
  step(&p, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
  step(&p, IF_EQUAL, OWN_ARCH, 1, 0);
  step(&p, ANSWER, SECCOMP_RET_KILL_PROCESS, 0, 0);
  step(&p, LOAD, NUMBER, 0, 0);
#if defined(__x86_64__)
  // The x32 calls have other numbers for some of the same.
  step(&p, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
  step(&p, ANSWER, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
  for (int i = 0; i < CALLS; i++) refuse(&p, refused[i], EPERM);
  // abort() signals its own thread, and nobody else is to be signalled.
  only_on_itself(&p, SYS_kill);
  only_on_itself(&p, SYS_tgkill);
  // Limits are asked for and not set: the new ones are a pointer, none of whose bits may be there.
  step(&p, IF_EQUAL, SYS_prlimit64, 0, 6);
  step(&p, LOAD, ARGUMENT(2), 0, 0);
  step(&p, IF_EQUAL, 0, 0, 2);
  step(&p, LOAD, ARGUMENT(2) + 4, 0, 0);
  step(&p, IF_EQUAL, 0, 1, 0);
  step(&p, ANSWER, REFUSE(EPERM), 0, 0);
  step(&p, ANSWER, SECCOMP_RET_ALLOW, 0, 0);
  // It dies with its parent, whatever it asks for.
  step(&p, IF_EQUAL, SYS_prctl, 0, 4);
  step(&p, LOAD, ARGUMENT(0), 0, 0);
  step(&p, IF_EQUAL, PR_SET_PDEATHSIG, 0, 1);
  step(&p, ANSWER, REFUSE(EPERM), 0, 0);
  step(&p, ANSWER, SECCOMP_RET_ALLOW, 0, 0);
  // Its flags are in memory, where no filter sees them; the C library takes the older call then.
  refuse(&p, CLONE3, ENOSYS);
  step(&p, IF_EQUAL, SYS_clone, 0, 5);
  step(&p, LOAD, ARGUMENT(0), 0, 0);
  step(&p, IF_ANY_BIT, NAMESPACES, 1, 0);
  step(&p, IF_ANY_BIT, CLONE_THREAD, 1, box->may_start_processes ? 1 : 0);
  step(&p, ANSWER, REFUSE(EPERM), 0, 0);
  step(&p, ANSWER, SECCOMP_RET_ALLOW, 0, 0);
#ifdef SYS_fork
  if (!box->may_start_processes) {
    refuse(&p, SYS_fork, EPERM);
    refuse(&p, SYS_vfork, EPERM);
  }
#endif
  step(&p, ANSWER, SECCOMP_RET_ALLOW, 0, 0);
  struct sock_fprog whole = {.len = (unsigned short)p.count, .filter = p.steps};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0) == 0 ? 0 : -errno;
}

// ---- Limits

// Never above what this process has: not everybody may raise that.
static int limit(int which, uint64_t soft, uint64_t hard) {
  struct rlimit r;
  if (soft == 0) return 0;
  if (getrlimit(which, &r) != 0) return -errno;
  if (hard < r.rlim_max) r.rlim_max = hard;
  r.rlim_cur = soft < r.rlim_max ? soft : r.rlim_max;
  return setrlimit(which, &r) == 0 ? 0 : -errno;
}

static int limit_all(const struct gw_sandbox *box) {
  // No core: at 0 the kernel would still hand one to a program that collects them, at 1 it does not.
  int code = limit(RLIMIT_CORE, 1, 1);
  // The soft limit is told by SIGXCPU; at the hard one it would look like any other kill.
  if (code == 0) code = limit(RLIMIT_CPU, box->cpu_seconds, box->cpu_seconds + 2);
  if (code == 0) code = limit(RLIMIT_FSIZE, box->file_bytes, box->file_bytes);
  if (code == 0) code = limit(RLIMIT_DATA, box->data_bytes, box->data_bytes);
  if (code == 0) code = limit(RLIMIT_NOFILE, box->open_files, box->open_files);
  return code;
}

int gw_confine(const struct gw_sandbox *box, int *stage) {
  *stage = GW_STAGE_LIMITS;
  int code = limit_all(box);
  if (code != 0) return code;
  *stage = GW_STAGE_SECCOMP;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
  code = restrict_files(box, stage);
  if (code != 0) return code;
  *stage = GW_STAGE_SECCOMP;
  code = filter_calls(box);
  if (code == 0) *stage = GW_STAGE_START;
  return code;
}
