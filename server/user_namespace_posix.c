/* user_namespace_posix.c - a system without user namespaces. Twin: user_namespace_linux.c. */
#include "user_namespace.h"

#include <errno.h>

int become_in_user_namespace(uid_t uid, gid_t gid)
{
	(void)uid;
	(void)gid;
	errno = ENOTSUP;
	return -1;
}
