/*
 * interposer.c - stands before the C library (LD_PRELOAD) and lets one chosen call fail, as
 * the system one day will. See interposer.h for how to ask. Partner: walk.c.
 *
 * Only calls that go through the dynamic linker are seen: not those inside the C library
 * itself, so a full disk is made with fwrite() and fflush(), not with write().
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SHORT = -1 }; /* no error, but less than was asked for */

static struct fault_log own_log, *fault_log = &own_log;
static int wanted_call = -1; /* enum fault_call */
static unsigned wanted_from, wanted_to;
static int wanted_error;
static long clock_jump; /* seconds */

/* ---- what is asked for ---- */

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof errnos / sizeof errnos[0]; i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].number;
	return strcmp(name, "short") == 0 ? SHORT : 0;
}

static _Noreturn void refuse(const char *text)
{
	static const char words[] = "interposer: cannot understand ";

	(void)!write(STDERR_FILENO, words, sizeof words - 1);
	(void)!write(STDERR_FILENO, text, strlen(text));
	(void)!write(STDERR_FILENO, "\n", 1);
	_exit(126);
}

static void read_fault(const char *text)
{
	size_t length = strcspn(text, ":");
	char *end;

	for (int i = 0; i < FAULT_CALL_COUNT; i++)
		if (strlen(call_names[i]) == length && memcmp(call_names[i], text, length) == 0)
			wanted_call = i;
	if (wanted_call == -1 || text[length] != ':')
		refuse(text);
	wanted_from = wanted_to = (unsigned)strtoul(text + length + 1, &end, 10);
	if (*end == '+') {
		wanted_to = UINT32_MAX;
		end++;
	}
	if (*end != ':')
		refuse(text);
	clock_jump = wanted_call == CALL_realtime ? strtol(end + 1, NULL, 10) : 0;
	wanted_error = wanted_call == CALL_realtime ? SHORT : error_number(end + 1);
	if (wanted_from == 0 || wanted_error == 0)
		refuse(text);
}

__attribute__((constructor)) static void prepare(void)
{
	const char *fault = getenv("FAULT"), *path = getenv("FAULT_LOG");
	const char *program = getenv("FAULT_PROGRAM");

	if (program != NULL && strcmp(program, program_invocation_short_name) != 0)
		return;
	if (path != NULL) {
		/* By number: a descriptor of this library's own must not be counted, or stay. */
		int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
		void *page = mmap(NULL, sizeof *fault_log, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (fd == -1 || page == MAP_FAILED)
			refuse(path);
		(void)syscall(SYS_close, fd);
		fault_log = page;
	}
	if (fault != NULL)
		read_fault(fault);
}

/* ---- what is done ---- */

static bool delivered(void)
{
	fault_log->delivered++;
	return true;
}

/* Whether it is this call's turn. */
static bool turn(enum fault_call call)
{
	unsigned number = ++fault_log->calls[call];

	return (int)call == wanted_call && number >= wanted_from && number <= wanted_to;
}

/*
 * In the C library's name lookups memory does not run out: glibc (2.36) takes the address of
 * nothing there, nss_database_check_reload_and_get(), and no program can prevent that.
 */
static _Thread_local int looking_up_names;

static bool fails(enum fault_call call)
{
	bool memory = call == CALL_malloc || call == CALL_calloc || call == CALL_realloc;

	if ((memory && looking_up_names > 0) || !turn(call) || wanted_error == SHORT)
		return false;
	if (call != CALL_getaddrinfo && call != CALL_pthread_create)
		errno = wanted_error;
	return delivered();
}

/* The next library's function of that name. */
static void *find_next(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	if (next == NULL)
		refuse(name);
	return next;
}

/* A pointer to data may hold one to a function: POSIX, dlsym(). */
#define NEXT(name)                \
	static void *found;           \
	if (found == NULL)            \
		found = find_next(#name); \
	__typeof__(&name) next;       \
	memcpy(&next, &found, sizeof next)

#define WRAP(type, name, parameters, arguments, failure) \
	type name parameters                                 \
	{                                                    \
		NEXT(name);                                      \
		if (fails(CALL_##name))                          \
			return failure;                              \
		return next arguments;                           \
	}

/* ---- memory: the linker itself asks for some while it looks functions up ---- */

static _Thread_local bool looking_up;

static void *early(size_t size)
{
	static _Alignas(16) char arena[8192];
	static size_t used;
	void *piece = arena + used;

	used += (size + 15) / 16 * 16;
	return used <= sizeof arena ? piece : NULL;
}

static void *find_memory_function(const char *name)
{
	looking_up = true;
	void *found = find_next(name);
	looking_up = false;
	return found;
}

#define NEXT_MEMORY(name)                    \
	static void *found;                      \
	if (found == NULL)                       \
		found = find_memory_function(#name); \
	__typeof__(&name) next;                  \
	memcpy(&next, &found, sizeof next)

void *malloc(size_t size)
{
	if (looking_up)
		return early(size);
	NEXT_MEMORY(malloc);
	return fails(CALL_malloc) ? NULL : next(size);
}

void *calloc(size_t count, size_t size)
{
	if (looking_up)
		return early(count * size); /* the arena is zeroed */
	NEXT_MEMORY(calloc);
	return fails(CALL_calloc) ? NULL : next(count, size);
}

void *realloc(void *old, size_t size)
{
	NEXT_MEMORY(realloc);
	return fails(CALL_realloc) ? NULL : next(old, size);
}

/* ---- calls whose arguments do not matter ---- */

#define PATH                                     const char *path
#define PLAIN(type, name, parameters, arguments) WRAP(type, name, parameters, arguments, -1)
#define POINTER(type, name, parameters, arguments) \
	WRAP(type *, name, parameters, arguments, NULL)

/* glibc's own prototypes take a union of all kinds of addresses: the same in a register. */
#ifdef __GLIBC__
#define ADDRESS   __CONST_SOCKADDR_ARG address
#define NAME_ROOM __SOCKADDR_ARG address
#else
#define ADDRESS   const struct sockaddr *address
#define NAME_ROOM struct sockaddr *restrict address
#endif
#define LENGTH socklen_t *restrict length

PLAIN(int, accept4, (int fd, NAME_ROOM, LENGTH, int flags), (fd, address, length, flags))
PLAIN(int, access, (PATH, int mode), (path, mode))
PLAIN(int, bind, (int fd, ADDRESS, socklen_t length), (fd, address, length))
PLAIN(int, chdir, (PATH), (path))
PLAIN(int, chmod, (PATH, mode_t mode), (path, mode))
PLAIN(int, chown, (PATH, uid_t uid, gid_t gid), (path, uid, gid))
PLAIN(int, dup2, (int old, int new), (old, new))
PLAIN(int, epoll_create1, (int flags), (flags))
PLAIN(int, epoll_ctl, (int set, int what, int fd, struct epoll_event *event),
      (set, what, fd, event))
PLAIN(int, epoll_wait, (int set, struct epoll_event *events, int room, int timeout),
      (set, events, room, timeout))
PLAIN(int, execvp, (PATH, char *const words[]), (path, words))
PLAIN(int, fstat, (int fd, struct stat *status), (fd, status))
PLAIN(int, fsync, (int fd), (fd))
PLAIN(int, getifaddrs, (struct ifaddrs * *list), (list))
PLAIN(int, getpeername, (int fd, NAME_ROOM, LENGTH), (fd, address, length))
PLAIN(int, getsockname, (int fd, NAME_ROOM, LENGTH), (fd, address, length))
PLAIN(int, getsockopt, (int fd, int level, int name, void *restrict value, LENGTH),
      (fd, level, name, value, length))
PLAIN(int, kill, (pid_t pid, int number), (pid, number))
PLAIN(int, listen, (int fd, int backlog), (fd, backlog))
PLAIN(int, lstat, (const char *restrict path, struct stat *restrict status), (path, status))
PLAIN(int, mkdir, (PATH, mode_t mode), (path, mode))
PLAIN(int, pipe, (int ends[2]), (ends))
PLAIN(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
PLAIN(int, posix_openpt, (int flags), (flags))
PLAIN(ssize_t, pread, (int fd, void *bytes, size_t size, off_t offset),
      (fd, bytes, size, offset))
PLAIN(ssize_t, readlink, (const char *restrict path, char *restrict text, size_t size),
      (path, text, size))
PLAIN(ssize_t, readlinkat,
      (int fd, const char *restrict path, char *restrict text, size_t size),
      (fd, path, text, size))
PLAIN(int, fchmodat, (int directory, PATH, mode_t mode, int flags),
      (directory, path, mode, flags))
PLAIN(int, timerfd_create, (int clock, int flags), (clock, flags))
PLAIN(int, unlinkat, (int directory, PATH, int flags), (directory, path, flags))
PLAIN(int, remove, (PATH), (path))
PLAIN(int, rename, (PATH, const char *to), (path, to))
PLAIN(int, setgid, (gid_t gid), (gid))
PLAIN(int, setgroups, (size_t count, const gid_t *groups), (count, groups))
PLAIN(int, setns, (int fd, int type), (fd, type))
PLAIN(int, setresgid, (gid_t one, gid_t two, gid_t three), (one, two, three))
PLAIN(int, setresuid, (uid_t one, uid_t two, uid_t three), (one, two, three))
PLAIN(pid_t, setsid, (void), ())
PLAIN(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
      (fd, level, name, value, length))
PLAIN(int, setuid, (uid_t uid), (uid))
PLAIN(int, shutdown, (int fd, int how), (fd, how))
PLAIN(int, sigaction,
      (int number, const struct sigaction *restrict new, struct sigaction *restrict old),
      (number, new, old))
PLAIN(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
PLAIN(int, stat, (const char *restrict path, struct stat *restrict status), (path, status))
PLAIN(int, tcgetattr, (int fd, struct termios *settings), (fd, settings))
PLAIN(int, tcsetattr, (int fd, int when, const struct termios *settings), (fd, when, settings))
PLAIN(int, unlink, (PATH), (path))
PLAIN(int, unshare, (int flags), (flags))
PLAIN(pid_t, fork, (void), ())
#ifdef __GLIBC__
PLAIN(int, getrlimit, (__rlimit_resource_t which, struct rlimit *limit), (which, limit))
PLAIN(int, setrlimit, (__rlimit_resource_t which, const struct rlimit *limit), (which, limit))
#else
PLAIN(int, getrlimit, (int which, struct rlimit *limit), (which, limit))
PLAIN(int, setrlimit, (int which, const struct rlimit *limit), (which, limit))
#endif

POINTER(FILE, fdopen, (int fd, const char *mode), (fd, mode))
POINTER(FILE, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
POINTER(DIR, fdopendir, (int fd), (fd))
POINTER(DIR, opendir, (PATH), (path))
POINTER(char, mkdtemp, (char *path), (path))
POINTER(char, realpath, (const char *restrict path, char *restrict out), (path, out))
POINTER(struct dirent, readdir, (DIR * directory), (directory))

/* ---- names ---- */

#define LOOKUP(type, name, parameters, arguments, failure) \
	type name parameters                                   \
	{                                                      \
		NEXT(name);                                        \
		if (fails(CALL_##name))                            \
			return failure;                                \
		looking_up_names++;                                \
		type result = next arguments;                      \
		looking_up_names--;                                \
		return result;                                     \
	}

LOOKUP(struct passwd *, getpwnam, (const char *name), (name), NULL)
LOOKUP(struct passwd *, getpwuid, (uid_t uid), (uid), NULL)
LOOKUP(struct servent *, getservbyname, (const char *name, const char *protocol),
       (name, protocol), NULL)
LOOKUP(struct servent *, getservbyport, (int port, const char *protocol), (port, protocol),
       NULL)
LOOKUP(struct servent *, getservent, (void), (), NULL)
LOOKUP(int, getaddrinfo,
       (const char *restrict host, const char *restrict service,
        const struct addrinfo *restrict hints, struct addrinfo **restrict list),
       (host, service, hints, list), wanted_error)

void setservent(int stay_open)
{
	NEXT(setservent);
	looking_up_names++;
	next(stay_open);
	looking_up_names--;
}

WRAP(int, pthread_create,
     (pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
      void *(*start)(void *), void *restrict argument),
     (thread, attributes, start, argument), wanted_error)

/* ---- a failure that the stream remembers, as the real one does ---- */

static bool stream_fails(enum fault_call call, FILE *file)
{
	if (!fails(call))
		return false;
#ifdef _IO_ERR_SEEN
	if (file != NULL)
		file->_flags |= _IO_ERR_SEEN;
#else
	(void)file; /* this library keeps it to itself: ferror() will not tell */
#endif
	return true;
}

size_t fwrite(const void *restrict bytes, size_t size, size_t count, FILE *restrict file)
{
	NEXT(fwrite);
	return stream_fails(CALL_fwrite, file) ? 0 : next(bytes, size, count, file);
}

char *fgets(char *restrict line, int size, FILE *restrict file)
{
	NEXT(fgets);
	return stream_fails(CALL_fgets, file) ? NULL : next(line, size, file);
}

size_t fread(void *restrict bytes, size_t size, size_t count, FILE *restrict file)
{
	NEXT(fread);
	return stream_fails(CALL_fread, file) ? 0 : next(bytes, size, count, file);
}

int fflush(FILE *file)
{
	NEXT(fflush);
	return stream_fails(CALL_fflush, file) ? EOF : next(file);
}

__attribute__((format(printf, 2, 0))) static int print_fails(FILE *restrict file,
                                                             const char *restrict format,
                                                             va_list arguments)
{
	return stream_fails(CALL_fprintf, file) ? -1 : vfprintf(file, format, arguments);
}

int fprintf(FILE *restrict file, const char *restrict format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int result = print_fails(file, format, arguments);
	va_end(arguments);
	return result;
}

/* What fprintf() is under _FORTIFY_SOURCE. */
__attribute__((format(printf, 3, 4))) int __fprintf_chk(FILE *file, int flag,
                                                        const char *format, ...);
int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	int result = print_fails(file, format, arguments);
	va_end(arguments);
	return result;
}

/* ---- close() fails after it has closed (close(2)), connect() goes on after EINTR ---- */

int close(int fd)
{
	NEXT(close);
	int result = next(fd);
	return fails(CALL_close) ? -1 : result;
}

int fclose(FILE *file)
{
	NEXT(fclose);
	int result = next(file);
	return fails(CALL_fclose) ? EOF : result;
}

/* Who does not wait is not interrupted. */
pid_t waitpid(pid_t pid, int *status, int options)
{
	NEXT(waitpid);
	return (options & WNOHANG) == 0 && fails(CALL_waitpid) ? -1 : next(pid, status, options);
}

int connect(int fd, ADDRESS, socklen_t length)
{
	NEXT(connect);
	bool begun = wanted_call == CALL_connect && wanted_error == EINTR;
	int result = begun ? next(fd, address, length) : 0;
	if (fails(CALL_connect))
		return -1;
	return begun ? result : next(fd, address, length);
}

/* ---- bytes: they may also be fewer than asked for ---- */

static bool does_not_wait(int fd)
{
	NEXT(fcntl);
	int mode = next(fd, F_GETFL);
	return mode != -1 && (mode & O_NONBLOCK) != 0;
}

/* Whether nobody reads any more what is written there. */
static bool has_no_reader(int fd)
{
	struct pollfd end = {fd, POLLOUT, 0};
	NEXT(poll);
	return next(&end, 1, 0) == 1 && (end.revents & POLLERR) != 0;
}

/*
 * A pipe takes a short message whole or not at all (POSIX, PIPE_BUF), and has no medium that
 * could fail or be full: left are a reader that is gone, and a signal while it waits.
 */
static bool is_plausible_for_pipe(enum fault_call call, int fd)
{
	if (wanted_error == EPIPE)
		return has_no_reader(fd);
	if (wanted_error == EAGAIN)
		return call == CALL_read && does_not_wait(fd);
	return wanted_error == EINTR && !does_not_wait(fd);
}

static bool is_pipe(int fd)
{
	struct stat status;
	NEXT(fstat);
	return next(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

static bool ends_connection(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ETIMEDOUT;
}

/* EAGAIN comes only from what does not wait; fewer bytes, or an end, only from a stream. */
static bool is_plausible(enum fault_call call, int fd, int flags)
{
	int type = 0;
	socklen_t size = sizeof type;

	if ((call == CALL_read || call == CALL_write) && is_pipe(fd))
		return is_plausible_for_pipe(call, fd);
	if (wanted_error == EISDIR)
		return fd == STDIN_FILENO; /* what else is read was opened here as a file */
	if (wanted_error == EAGAIN)
		return (flags & MSG_DONTWAIT) != 0 || does_not_wait(fd);
	NEXT(getsockopt);
	if (wanted_error == SHORT || ends_connection(wanted_error))
		return next(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1 || type == SOCK_STREAM;
	return true;
}

enum bytes { BYTES_ALL, BYTES_ONE, BYTES_FAIL };

static enum bytes bytes_turn(enum fault_call call, int fd, int flags, size_t size)
{
	int error = errno;

	bool now =
	    turn(call) && is_plausible(call, fd, flags) && (wanted_error != SHORT || size > 1);
	errno = now && wanted_error != SHORT ? wanted_error : error;
	if (!now)
		return BYTES_ALL;
	(void)delivered();
	return wanted_error == SHORT ? BYTES_ONE : BYTES_FAIL;
}

#define BYTES(name, parameters, flags, arguments)           \
	ssize_t name parameters                                 \
	{                                                       \
		NEXT(name);                                         \
		switch (bytes_turn(CALL_##name, fd, flags, size)) { \
		case BYTES_FAIL:                                    \
			return -1;                                      \
		case BYTES_ONE:                                     \
			size = 1;                                       \
			break;                                          \
		case BYTES_ALL:                                     \
			break;                                          \
		}                                                   \
		return next arguments;                              \
	}

BYTES(read, (int fd, void *bytes, size_t size), 0, (fd, bytes, size))
BYTES(write, (int fd, const void *bytes, size_t size), 0, (fd, bytes, size))
BYTES(recv, (int fd, void *bytes, size_t size, int flags), flags, (fd, bytes, size, flags))
BYTES(send, (int fd, const void *bytes, size_t size, int flags), flags,
      (fd, bytes, size, flags))
BYTES(recvfrom, (int fd, void *restrict bytes, size_t size, int flags, NAME_ROOM, LENGTH),
      flags, (fd, bytes, size, flags, address, length))
BYTES(sendto, (int fd, const void *bytes, size_t size, int flags, ADDRESS, socklen_t length),
      flags, (fd, bytes, size, flags, address, length))

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	NEXT(recvmsg);
	return bytes_turn(CALL_recvmsg, fd, flags, 0) == BYTES_FAIL ? -1 : next(fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	NEXT(sendmsg);
	return bytes_turn(CALL_sendmsg, fd, flags, 0) == BYTES_FAIL ? -1 : next(fd, message, flags);
}

/* ---- calls with more arguments, or fewer: each fits a register ---- */

#define REST(after)                                   \
	va_list list;                                     \
	va_start(list, after);                            \
	unsigned long rest = va_arg(list, unsigned long); \
	va_end(list)

int open(const char *path, int flags, ...)
{
	NEXT(open);
	mode_t mode = 0;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_list list;
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	return fails(CALL_open) ? -1 : next(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	NEXT(openat);
	mode_t mode = 0;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_list list;
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	return fails(CALL_openat) ? -1 : next(directory, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
	NEXT(fcntl);
	REST(command);
	return fails(CALL_fcntl) ? -1 : next(fd, command, rest);
}

#ifdef __GLIBC__
int ioctl(int fd, unsigned long request, ...)
#else
int ioctl(int fd, int request, ...)
#endif
{
	NEXT(ioctl);
	REST(request);
	return fails(CALL_ioctl) ? -1 : next(fd, request, rest);
}

int prctl(int what, ...)
{
	NEXT(prctl);
	unsigned long arguments[4];
	va_list list;

	va_start(list, what);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(list, unsigned long);
	va_end(list);
	return fails(CALL_prctl)
	           ? -1
	           : next(what, arguments[0], arguments[1], arguments[2], arguments[3]);
}

long syscall(long number, ...)
{
	NEXT(syscall);
	long arguments[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	return fails(CALL_syscall) ? -1
	                           : next(number, arguments[0], arguments[1], arguments[2],
	                                  arguments[3], arguments[4], arguments[5]);
}

int execl(const char *path, const char *word, ...)
{
	char *words[32] = {NULL};
	va_list list;

	memcpy(&words[0], &word, sizeof word);
	va_start(list, word);
	for (int i = 1; i < 31 && words[i - 1] != NULL; i++)
		words[i] = va_arg(list, char *);
	va_end(list);
	return fails(CALL_execl) ? -1 : execv(path, words);
}

/* ---- the wall clock, which somebody may set ---- */

static long jump(void)
{
	return turn(CALL_realtime) && delivered() ? clock_jump : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	NEXT(clock_gettime);
	int result = next(clock, now);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += jump();
	return result;
}

time_t time(time_t *out)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	NEXT(gettimeofday);
	int result = next(now, zone);
	if (result == 0)
		now->tv_sec += jump();
	return result;
}
