/*
 * shared_network.h - the one private network that all "lab shell" of an account share, so
 * that two windows are in the same.
 *
 * Who is in it holds a lock on a file in the state directory (progress.h); the kernel says
 * who that is, and forgets it when the process ends, however it ends. So nothing stale can
 * be found, and nothing is left behind.
 *
 * Source: POSIX fcntl (F_GETLK tells the process that holds a lock).
 */
#ifndef PORTLAB_SHARED_NETWORK_H
#define PORTLAB_SHARED_NETWORK_H

#include "instruments/sandbox.h"

#include <stdbool.h>

/*
 * The network that is open now. Returns 1 with a handle of it, to be closed; 0 where none is;
 * -1 (said).
 */
int shared_network_find(struct sandbox *sandbox);

/*
 * Joins it, or makes it, for as long as this process lives; `fresh` says which. The process
 * itself stays outside. Ends with shared_network_settle(), until which others wait. Returns
 * 0, or -1 (said, but for a refusal, which is returned).
 */
int shared_network_join(struct sandbox *sandbox, bool *fresh, struct sandbox_refusal *refusal);

/* Enters it, so that others find it by this process. Returns 0, or -1. */
int shared_network_settle(const struct sandbox *sandbox, struct sandbox_refusal *refusal);

/* Leaves it. Returns whether others are still in it. */
bool shared_network_leave(void);

#endif
