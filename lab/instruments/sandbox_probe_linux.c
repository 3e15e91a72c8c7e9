/* sandbox_probe_linux.c - see sandbox_probe.h. Twin: sandbox_probe_posix.c. */
#define _GNU_SOURCE /* unshare() */
#include "instruments/sandbox_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child says: an errno, and at which step. */
struct answer {
	int error;
	int step; /* index into steps[] */
	int packet_error;
};

static const char *const steps[] = {"unshare", "write to /proc/self/uid_map", "fork"};

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	ssize_t written = write(fd, text, strlen(text));
	int error = errno;
	(void)close(fd);
	errno = error;
	return written == (ssize_t)strlen(text) ? 0 : -1;
}

/* Root needs no user namespace; everybody else becomes root of one. */
static void enter(struct answer *answer)
{
	char map[64];
	unsigned long uid = (unsigned long)geteuid();
	bool by_user = uid != 0 || unshare(CLONE_NEWNET) == -1; /* root without its power */

	if (by_user && unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1) {
		answer->error = errno;
		return;
	}
	snprintf(map, sizeof map, "0 %lu 1", uid);
	if (by_user && write_file("/proc/self/uid_map", map) == -1) {
		answer->error = errno;
		answer->step = 1;
		return;
	}
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	answer->packet_error = fd == -1 ? errno : 0;
}

static void child(int fd)
{
	struct answer answer = {0, 0, 0};

	enter(&answer);
	ssize_t written = write(fd, &answer, sizeof answer);
	_exit(written == (ssize_t)sizeof answer ? 0 : 1);
}

void sandbox_probe(struct sandbox_probe *probe)
{
	struct answer answer = {EIO, 2, EIO};
	int ends[2];

	*probe = (struct sandbox_probe){0, NULL, 0};
	if (pipe(ends) == 0) {
		pid_t pid = fork();
		if (pid == 0)
			child(ends[1]);
		(void)close(ends[1]);
		if (pid == -1 || read(ends[0], &answer, sizeof answer) != (ssize_t)sizeof answer)
			answer = (struct answer){errno, 2, errno};
		(void)close(ends[0]);
		if (pid != -1)
			(void)waitpid(pid, NULL, 0);
	}
	probe->network_error = answer.error;
	probe->failed = answer.error != 0 ? steps[answer.step] : NULL;
	probe->packet_error = answer.error != 0 ? answer.error : answer.packet_error;
}
