/* shared_network.c - see shared_network.h. */
#include "runner/shared_network.h"

#include "kit/narrate.h"
#include "runner/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file's first byte is locked by all who are in the network, the second while one joins. */
enum { MEMBERS, DOOR };

static int lock_fd = -1;

static int set_lock(short type, off_t byte, bool wait)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
	int result;

	do
		result = fcntl(lock_fd, wait ? F_SETLKW : F_SETLK, &lock);
	while (result == -1 && errno == EINTR);
	if (result == -1)
		complain("cannot lock the file of the private network: %s", strerror(errno));
	return result;
}

/* Closing any descriptor of the file would give up the locks: there is one, kept open. */
static int open_file(void)
{
	char path[1100];

	if (lock_fd != -1)
		return 0;
	if (progress_directory(path, sizeof path - 32) == -1)
		return -1;
	strcat(path, "/network.lock");
	lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock_fd == -1)
		complain("cannot open %s: %s", path, strerror(errno));
	return lock_fd == -1 ? -1 : 0;
}

/* A process that is in it, or 0. */
static pid_t member(void)
{
	struct flock lock = {
	    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = MEMBERS, .l_len = 1};

	if (fcntl(lock_fd, F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

static int find(struct sandbox *sandbox)
{
	pid_t pid = member();

	*sandbox = SANDBOX_NONE;
	if (pid == 0)
		return 0;
	if (pid > 0 && sandbox_of_process(pid, sandbox) == 0)
		return 1;
	complain("a private network is open (process %ld), but it cannot be entered: %s", (long)pid,
	         strerror(errno));
	return -1;
}

int shared_network_find(struct sandbox *sandbox)
{
	*sandbox = SANDBOX_NONE;
	if (open_file() == -1 || set_lock(F_WRLCK, DOOR, true) == -1)
		return -1;
	int found = find(sandbox);
	(void)set_lock(F_UNLCK, DOOR, false);
	return found;
}

int shared_network_join(struct sandbox *sandbox, bool *fresh, struct sandbox_refusal *refusal)
{
	*refusal = (struct sandbox_refusal){NULL, 0};
	if (open_file() == -1 || set_lock(F_WRLCK, DOOR, true) == -1)
		return -1;
	int found = find(sandbox);
	*fresh = found == 0;
	if (found == 0)
		found = sandbox_create(sandbox, refusal) == 0 ? 1 : -1;
	if (found == 1 && set_lock(F_RDLCK, MEMBERS, true) == 0)
		return 0;
	sandbox_close(sandbox);
	(void)set_lock(F_UNLCK, DOOR, false);
	return -1;
}

int shared_network_settle(const struct sandbox *sandbox, struct sandbox_refusal *refusal)
{
	/* By the ordinary account's namespace the admin's is found too; real root has only one. */
	enum sandbox_part part = sandbox->admin_fd == -1 ? SANDBOX_ADMIN : SANDBOX_ORDINARY;
	int result = sandbox_enter(sandbox, part, refusal);

	(void)set_lock(F_UNLCK, DOOR, false);
	return result;
}

bool shared_network_leave(void)
{
	(void)set_lock(F_UNLCK, MEMBERS, false);
	return member() != 0;
}
