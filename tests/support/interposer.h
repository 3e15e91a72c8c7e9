/*
 * interposer.h - what the interposer and its driver (walk.c) agree on: the calls that can be
 * made to fail, and the page in which both count.
 *
 *   LD_PRELOAD=build/support/interposer.so FAULT=accept4:3:EMFILE   the third accept4() fails
 * so FAULT=accept4:3+:EMFILE                                 the third and all that follow
 *   FAULT=send:2:short                                      the second takes one byte
 *   FAULT=realtime:1+:-3600                                 the wall clock, set back an hour
 *   FAULT_LOG=FILE       counts into FILE, as long as struct fault_log, all zeros at first
 *   FAULT_PROGRAM=NAME   only in processes of that program, not in what they start
 */
#ifndef PORTLAB_TESTS_INTERPOSER_H
#define PORTLAB_TESTS_INTERPOSER_H

#include <errno.h>
#include <netdb.h>

/* What the three programs call (nm -D --undefined-only) and what of it can fail. */
/* clang-format off */
#define FAULT_CALLS(X) \
	X(accept4) X(access) X(bind) X(calloc) X(chdir) X(chmod) X(chown) X(close) X(connect) \
	X(dup2) X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(execl) X(execvp) X(fchmodat) X(fclose) \
	X(fcntl) X(fdopen) X(fdopendir) X(fflush) X(fgets) X(fopen) X(fork) X(fprintf) X(fread) X(fstat) \
	X(fsync) X(fwrite) X(getaddrinfo) X(getifaddrs) X(getpeername) X(getpwnam) X(getpwuid) \
	X(getrlimit) X(getservbyname) X(getservbyport) X(getservent) X(getsockname) X(getsockopt) X(ioctl) \
	X(kill) X(listen) X(lstat) X(malloc) X(mkdir) X(mkdtemp) X(open) X(openat) X(opendir) X(pipe) \
	X(poll) X(posix_openpt) X(prctl) X(pread) X(pthread_create) X(read) X(readdir) \
	X(readlink) X(readlinkat) X(realloc) X(realpath) X(recv) X(recvfrom) X(recvmsg) \
	X(remove) X(rename) X(send) X(sendmsg) X(sendto) X(setgid) X(setgroups) X(setns) \
	X(setresgid) X(setresuid) X(setrlimit) X(setsid) X(setsockopt) X(setuid) X(shutdown) \
	X(sigaction) X(socket) X(stat) X(syscall) X(tcgetattr) X(tcsetattr) X(timerfd_create) \
	X(unlink) X(unlinkat) \
	X(unshare) X(waitpid) X(write) X(realtime)
/* clang-format on */

#define FAULT_ENUM(name) CALL_##name,
enum fault_call { FAULT_CALLS(FAULT_ENUM) FAULT_CALL_COUNT };
#undef FAULT_ENUM

/* errno values by name; getaddrinfo's are numbers of its own. */
/* clang-format off */
#define FAULT_ERRNOS(X) \
	X(EACCES) X(EADDRINUSE) X(EADDRNOTAVAIL) X(EAGAIN) X(ECHILD) X(ECONNABORTED) \
	X(ECONNREFUSED) X(ECONNRESET) X(EDQUOT) X(EEXIST) X(EFBIG) X(EHOSTUNREACH) X(EINTR) \
	X(EINVAL) X(EIO) X(EISDIR) X(ELOOP) X(EMFILE) X(EMSGSIZE) X(ENAMETOOLONG) X(ENETDOWN) \
	X(ENETUNREACH) X(ENFILE) X(ENOBUFS) X(ENODEV) X(ENOENT) X(ENOLCK) X(ENOMEM) \
	X(ENOPROTOOPT) X(ENOSPC) X(ENOSYS) X(ENOTCONN) X(ENOTDIR) X(ENOTTY) X(ENXIO) \
	X(EOPNOTSUPP) X(EPERM) X(EPIPE) X(EPROTO) X(EPROTONOSUPPORT) X(EROFS) X(ESRCH) \
	X(ETIMEDOUT) X(EUSERS) X(EAFNOSUPPORT) X(EAI_AGAIN) X(EAI_FAIL) X(EAI_MEMORY) \
	X(EAI_NONAME) X(EAI_SYSTEM)
/* clang-format on */

/* The same as tables, for both programs that include this: its name of a call, of an error. */
static const char *const call_names[] = {
#define NAME(name) [CALL_##name] = #name,
    FAULT_CALLS(NAME)
#undef NAME
};

static const struct {
	const char *name;
	int number;
} errnos[] = {
#define ROW(name) {#name, name},
    FAULT_ERRNOS(ROW)
#undef ROW
};

struct fault_log {
	_Atomic unsigned calls[FAULT_CALL_COUNT]; /* of all processes together */
	_Atomic unsigned delivered;
};

#endif
