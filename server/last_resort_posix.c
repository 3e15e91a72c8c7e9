/* last_resort_posix.c - a system without user namespaces. Twin: last_resort_linux.c. */
#include "last_resort.h"

#include <errno.h>

int become_in_user_namespace(uid_t uid, gid_t gid)
{
	(void)uid;
	(void)gid;
	errno = ENOTSUP;
	return -1;
}
