/* user_namespace_posix.c - a system without. Twin: user_namespace_linux.c. */
#include "kit/user_namespace.h"

#include <errno.h>

int user_namespace_map(struct account_id inside, struct account_id outside, const char **failed)
{
	(void)inside;
	(void)outside;
	*failed = "user namespaces";
	errno = ENOTSUP;
	return -1;
}
