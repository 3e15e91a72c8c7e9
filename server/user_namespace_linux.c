/* user_namespace_linux.c - see user_namespace.h. Twin: user_namespace_posix.c. */
#define _GNU_SOURCE /* unshare(), syscall() */
#include "user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
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

int become_in_user_namespace(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
	uid_t outer_uid = geteuid();
	gid_t outer_gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER) == -1)
		return -1;
	snprintf(map, sizeof map, "%lu %lu 1", (unsigned long)uid, (unsigned long)outer_uid);
	if (write_file("/proc/self/uid_map", map) == -1 ||
	    write_file("/proc/self/setgroups", "deny") == -1)
		return -1;
	snprintf(map, sizeof map, "%lu %lu 1", (unsigned long)gid, (unsigned long)outer_gid);
	if (write_file("/proc/self/gid_map", map) == -1)
		return -1;
	/* Who makes a user namespace has every capability in it: those go, too. */
	return (int)syscall(SYS_capset, &header, none);
}
