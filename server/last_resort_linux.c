/* last_resort_linux.c - see last_resort.h. Twin: last_resort_posix.c. */
#define _GNU_SOURCE /* unshare() */
#include "last_resort.h"

#include "capabilities.h"
#include "kit/user_namespace.h"

#include <sched.h>
#include <unistd.h>

int become_in_user_namespace(uid_t uid, gid_t gid)
{
	struct account_id inside = {uid, gid}, outside = {geteuid(), getegid()};
	const char *failed;

	if (unshare(CLONE_NEWUSER) == -1 || user_namespace_map(inside, outside, &failed) == -1)
		return -1;
	/* Who makes a user namespace has every capability in it: those go, too. */
	return capabilities_drop();
}
