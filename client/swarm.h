/* swarm.h - one connection, or many: at most so many open at once, first in, first out. */
#ifndef PORTLAB_CLIENT_SWARM_H
#define PORTLAB_CLIENT_SWARM_H

#include "options.h"
#include "tally.h"

/*
 * Opens options->count connections to the first of the `peer_count` addresses that takes
 * one, talks, holds and closes them; their source ports go to *tally. Ends at the first
 * that cannot be had, which is explained. Returns 0, or -1 where anything failed.
 */
int swarm_run(const struct options *options, const struct endpoint *peers, int peer_count,
              struct tally *tally);

#endif
