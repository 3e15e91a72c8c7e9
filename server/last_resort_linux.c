/* last_resort_linux.c - see last_resort.h. Twin: last_resort_posix.c. */
#define _GNU_SOURCE /* unshare(), syscall() */
#include "last_resort.h"

#include "kit/user_namespace.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int become_in_user_namespace(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
	struct account_id inside = {uid, gid}, outside = {geteuid(), getegid()};
	const char *failed;

	if (unshare(CLONE_NEWUSER) == -1 || user_namespace_map(inside, outside, &failed) == -1)
		return -1;
	/* Who makes a user namespace has every capability in it: those go, too. */
	return (int)syscall(SYS_capset, &header, none);
}
