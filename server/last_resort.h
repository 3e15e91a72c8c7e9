/*
 * last_resort.h - giving up root where there is nobody else to become: in a private
 * network made by an ordinary account, root is the only account that there is
 * (machine_has_account() tells).
 *
 * Source: user_namespaces(7).
 */
#ifndef PORTLAB_LAST_RESORT_H
#define PORTLAB_LAST_RESORT_H

#include <sys/types.h>

/*
 * Becomes that account in a user namespace of its own, below this one, for good: without any
 * capability, so without power over the network above. Returns 0, or -1 with errno.
 */
int become_in_user_namespace(uid_t uid, gid_t gid);

#endif
