/*
 * privilege.h - bind first, then become an ordinary user for good.
 *
 * Source: POSIX setuid, setgid; setgroups(2); credentials(7), capabilities(7).
 */
#ifndef PORTLAB_SERVER_PRIVILEGE_H
#define PORTLAB_SERVER_PRIVILEGE_H

#include <sys/types.h>

struct account {
	const char *name; /* as it was asked for */
	uid_t uid;
	gid_t gid;
};

/* Looks the user up. Returns 0, or -1 after saying why it cannot be. */
int privilege_find(const char *name, struct account *account);

/*
 * Becomes that user: supplementary groups, group, user, capabilities, in that order; then tries
 * to get back, which must fail. Narrates it. Returns 0, or -1 after explaining.
 */
int privilege_drop(const struct account *account);

#endif
