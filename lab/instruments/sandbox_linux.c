/* sandbox_linux.c - see sandbox.h. Twin: sandbox_posix.c. */
#define _GNU_SOURCE /* unshare(), setns(), setgroups() */
#include "instruments/sandbox.h"

#include "kit/machine.h"
#include "kit/user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_ether.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int refused(struct sandbox_refusal *refusal, const char *call)
{
	*refusal = (struct sandbox_refusal){call, errno};
	return -1;
}

/* In a new user namespace: this account (outside) is called inside there. */
static int map_account(struct account_id inside, struct account_id outside,
                       struct sandbox_refusal *refusal)
{
	const char *failed;

	return user_namespace_map(inside, outside, &failed) == 0 ? 0 : refused(refusal, failed);
}

/* A fresh network has loopback, but down: then even a wrong address could be bound. */
static int bring_loopback_up(void)
{
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	memset(&request, 0, sizeof request);
	strcpy(request.ifr_name, "lo");
	int result = ioctl(fd, SIOCGIFFLAGS, &request);
	if (result == 0) {
		request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
		result = ioctl(fd, SIOCSIFFLAGS, &request);
	}
	int error = errno;
	(void)close(fd);
	errno = error;
	return result;
}

/* Root without its power (in a container) is treated as an ordinary account. */
static int unshare_network(struct sandbox_refusal *refusal)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (!sandbox_by_root() || unshare(CLONE_NEWNET) == -1) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
			return refused(refusal, "unshare");
		if (map_account((struct account_id){0, 0}, (struct account_id){uid, gid}, refusal) ==
		    -1)
			return -1;
	}
	if (bring_loopback_up() == -1)
		return refused(refusal, "bringing up lo");
	return 0;
}

/* The ordinary account's, below: the same number as outside, but never root. */
static int unshare_account(uid_t uid, gid_t gid, struct sandbox_refusal *refusal)
{
	if (unshare(CLONE_NEWUSER) == -1)
		return refused(refusal, "unshare, for the ordinary account");
	struct account_id inside = {uid != 0 ? uid : 1000, uid != 0 ? gid : 1000};
	return map_account(inside, (struct account_id){0, 0}, refusal);
}

static int open_namespace(pid_t pid, const char *kind)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%ld/ns/%s", (long)pid, kind);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool same_namespace(int one, int other)
{
	struct stat first, second;

	return fstat(one, &first) == 0 && fstat(other, &second) == 0 &&
	       first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

int sandbox_of_process(pid_t pid, struct sandbox *sandbox)
{
	int own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);

	*sandbox = SANDBOX_NONE;
	sandbox->net_fd = open_namespace(pid, "net");
	if (sandbox->net_fd != -1)
		sandbox->ordinary_fd = open_namespace(pid, "user");
	bool opened = own != -1 && sandbox->ordinary_fd != -1;
	if (opened && same_namespace(own, sandbox->ordinary_fd)) { /* made by real root */
		(void)close(sandbox->ordinary_fd);
		sandbox->ordinary_fd = -1;
	} else if (opened) {
		sandbox->admin_fd = ioctl(sandbox->ordinary_fd, NS_GET_PARENT);
		opened = sandbox->admin_fd != -1;
	}
	int error = errno;
	if (own != -1)
		(void)close(own);
	if (!opened)
		sandbox_close(sandbox);
	errno = error;
	return opened ? 0 : -1;
}

void sandbox_close(struct sandbox *sandbox)
{
	if (sandbox->net_fd != -1)
		(void)close(sandbox->net_fd);
	if (sandbox->admin_fd != -1)
		(void)close(sandbox->admin_fd);
	if (sandbox->ordinary_fd != -1)
		(void)close(sandbox->ordinary_fd);
	*sandbox = SANDBOX_NONE;
}

/* Signals do not shorten it. */
static ssize_t read_whole(int fd, void *bytes, size_t length)
{
	ssize_t got;

	do
		got = read(fd, bytes, length);
	while (got == -1 && errno == EINTR);
	return got;
}

static void wait_for_end(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) == -1 && errno == EINTR)
		continue;
}

/* Made by a child, so that this process stays where it is; it ends when told to. */
static void make_and_wait(int answers, int go)
{
	struct sandbox_refusal refusal = {NULL, 0};
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char byte;

	if (unshare_network(&refusal) == 0) {
		int own = open_namespace(getpid(), "user");
		int before = open_namespace(getppid(), "user");
		/* Only where a user namespace was made for the network one is needed below it. */
		if (own == -1 || before == -1 || !same_namespace(own, before))
			(void)unshare_account(uid, gid, &refusal);
	}
	/* So that this account may look at /proc/PID/ns although it is somebody else now. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (write(answers, &refusal, sizeof refusal) == (ssize_t)sizeof refusal)
		(void)!read_whole(go, &byte, 1); /* the other end closes: time to leave */
	_exit(0);
}

int sandbox_create(struct sandbox *sandbox, struct sandbox_refusal *refusal)
{
	int answers[2], go[2];
	int result = -1;

	*sandbox = SANDBOX_NONE;
	if (pipe(answers) == -1)
		return refused(refusal, "pipe");
	if (pipe(go) == -1) {
		(void)refused(refusal, "pipe");
		(void)close(answers[0]);
		(void)close(answers[1]);
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(answers[0]);
		(void)close(go[1]);
		make_and_wait(answers[1], go[0]);
	}
	(void)close(answers[1]);
	(void)close(go[0]);
	/* The strings of a child are at the same addresses here: it is a copy of this process. */
	if (pid == -1)
		(void)refused(refusal, "fork");
	else if (read_whole(answers[0], refusal, sizeof *refusal) != (ssize_t)sizeof *refusal)
		(void)refused(refusal, "fork");
	else if (refusal->call == NULL)
		result = sandbox_of_process(pid, sandbox) == 0
		             ? 0
		             : refused(refusal, "opening /proc/PID/ns");
	(void)close(answers[0]);
	(void)close(go[1]);
	if (pid != -1)
		wait_for_end(pid, NULL);
	return result;
}

uid_t sandbox_ordinary_uid(void)
{
	const char *sudo = getenv("SUDO_UID");
	const struct passwd *nobody;

	if (sudo != NULL && strspn(sudo, "0123456789") == strlen(sudo) && strlen(sudo) < 10 &&
	    strtoul(sudo, NULL, 10) != 0)
		return (uid_t)strtoul(sudo, NULL, 10);
	nobody = getpwnam("nobody");
	return nobody != NULL ? nobody->pw_uid : 65534;
}

bool sandbox_by_root(void)
{
	return geteuid() == 0 && machine_has_account(sandbox_ordinary_uid());
}

static int become_ordinary(struct sandbox_refusal *refusal)
{
	uid_t uid = sandbox_ordinary_uid();
	const struct passwd *account = getpwuid(uid);
	gid_t gid = account != NULL ? account->pw_gid : (gid_t)uid;

	if (setgroups(0, NULL) == -1)
		return refused(refusal, "setgroups");
	if (setresgid(gid, gid, gid) == -1)
		return refused(refusal, "setresgid");
	if (setresuid(uid, uid, uid) == -1)
		return refused(refusal, "setresuid");
	return 0;
}

int sandbox_enter(const struct sandbox *sandbox, enum sandbox_part part,
                  struct sandbox_refusal *refusal)
{
	bool by_root = sandbox->admin_fd == -1;

	if (!by_root && setns(sandbox->admin_fd, CLONE_NEWUSER) == -1)
		return refused(refusal, "setns (user)");
	if (sandbox->net_fd != -1 && setns(sandbox->net_fd, CLONE_NEWNET) == -1)
		return refused(refusal, "setns (network)");
	if (part == SANDBOX_ORDINARY && by_root && sandbox_by_root() &&
	    become_ordinary(refusal) == -1)
		return -1;
	if (part == SANDBOX_ORDINARY && !by_root &&
	    setns(sandbox->ordinary_fd, CLONE_NEWUSER) == -1)
		return refused(refusal, "setns (ordinary account)");
	/* So that this account may look at /proc/PID although it is somebody else there. What real
	   root remembers is not for the account that it has become. */
	if (!by_root)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}

enum { REFUSED_THERE = 126 };

int sandbox_call(const struct sandbox *sandbox, enum sandbox_part part,
                 int (*function)(void *argument), void *argument,
                 struct sandbox_refusal *refusal)
{
	int answers[2], status = 0;

	if (pipe(answers) == -1)
		return refused(refusal, "pipe");
	(void)fflush(NULL); /* what is buffered must not be written twice */
	pid_t pid = fork();
	if (pid == 0) {
		if (sandbox_enter(sandbox, part, refusal) == -1) {
			(void)!write(answers[1], refusal, sizeof *refusal);
			_exit(REFUSED_THERE);
		}
		status = function(argument);
		(void)fflush(NULL);
		_exit(status);
	}
	(void)close(answers[1]);
	errno = EAGAIN;
	(void)refused(refusal, "fork");
	/* The strings of a child are at the same addresses here: it is a copy of this process. */
	(void)!read_whole(answers[0], refusal, sizeof *refusal);
	(void)close(answers[0]);
	if (pid != -1)
		wait_for_end(pid, &status);
	if (pid == -1 || !WIFEXITED(status) || WEXITSTATUS(status) == REFUSED_THERE)
		return -1;
	return WEXITSTATUS(status);
}

/* ---- why not ---- */

static long read_setting(const char *name)
{
	char path[128];
	long value = -1;

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	(void)fclose(file);
	return value;
}

/* The settings that forbid it, in the order in which the kernel looks. */
static const struct {
	const char *path;
	bool when_zero; /* forbids when 0; else when it is not */
	const char *why, *advice;
} settings[] = {
    {"user/max_user_namespaces", true, "user.max_user_namespaces = 0: nobody may make one",
     "sysctl user.max_user_namespaces=10000"},
    {"kernel/unprivileged_userns_clone", true,
     "kernel.unprivileged_userns_clone = 0: only root may make one",
     "sysctl kernel.unprivileged_userns_clone=1"},
    {"kernel/apparmor_restrict_unprivileged_userns", false,
     "kernel.apparmor_restrict_unprivileged_userns is set (Ubuntu)",
     "sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
};

void sandbox_reason(const struct sandbox_refusal *refusal, const char **why,
                    const char **advice)
{
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		long value = read_setting(settings[i].path);
		if (value == -1 || (value == 0) != settings[i].when_zero)
			continue;
		*why = settings[i].why;
		*advice = settings[i].advice;
		return;
	}
	*why = refusal->error == ENOSPC ? "there are too many of them already"
	                                : "no setting says so; containers often filter this call";
	*advice = refusal->error == ENOSPC ? "sysctl user.max_user_namespaces=10000"
	                                   : "outside of the container, or docker run --privileged";
}

/* ---- what can be done there ---- */

int sandbox_watches_packets(void *unused)
{
	(void)unused;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (fd == -1)
		return 1;
	(void)close(fd);
	return 0;
}
