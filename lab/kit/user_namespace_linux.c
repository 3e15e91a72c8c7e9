/* user_namespace_linux.c - see user_namespace.h. Twin: user_namespace_posix.c. */
#include "kit/user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

int user_namespace_map(struct account_id inside, struct account_id outside, const char **failed)
{
	char map[64];

	snprintf(map, sizeof map, "%lu %lu 1", (unsigned long)inside.uid,
	         (unsigned long)outside.uid);
	*failed = "writing /proc/self/uid_map";
	if (write_file("/proc/self/uid_map", map) == -1)
		return -1;
	/* Without this the kernel lets nobody unprivileged map groups. */
	*failed = "writing /proc/self/setgroups";
	if (write_file("/proc/self/setgroups", "deny") == -1)
		return -1;
	snprintf(map, sizeof map, "%lu %lu 1", (unsigned long)inside.gid,
	         (unsigned long)outside.gid);
	*failed = "writing /proc/self/gid_map";
	return write_file("/proc/self/gid_map", map);
}
