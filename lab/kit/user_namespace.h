/*
 * user_namespace.h - what an account is called in a new user namespace.
 *
 * Source: user_namespaces(7). The portable twin has none: ENOTSUP.
 */
#ifndef PORTLAB_USER_NAMESPACE_H
#define PORTLAB_USER_NAMESPACE_H

#include <sys/types.h>

/* An account and its group: inside of a user namespace, or outside. */
struct account_id {
	uid_t uid;
	gid_t gid;
};

/*
 * In a user namespace that this process has just made: the account `outside` is called
 * `inside` there, and it is the only one. Returns 0, or -1 with errno and what failed.
 */
int user_namespace_map(struct account_id inside, struct account_id outside,
                       const char **failed);

#endif
