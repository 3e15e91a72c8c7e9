/*
 * tally.h - the picture of the source ports: where on the line from 0 to 65535 the kernel
 * took them, and what is notable about them.
 *
 * Source: RFC 6335 (the ranges), RFC 6056 (how ephemeral ports may be chosen).
 */
#ifndef PORTLAB_CLIENT_TALLY_H
#define PORTLAB_CLIENT_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
	uint16_t *ports; /* in the order in which they were given */
	size_t count, room;
	const char *unit; /* what has them: "connections", or "sockets" with UDP */
};

/* Returns 0, or -1 with errno ENOMEM, nothing added. */
int tally_add(struct tally *tally, uint16_t port);
void tally_free(struct tally *tally);

/* Draws it to standard output, 80 columns wide; utf8: with block characters. */
void tally_plot(const struct tally *tally, bool utf8);

/* What there is to say, computed from the ports alone. */
struct tally_facts {
	uint16_t lowest, highest;
	size_t different;       /* numbers, of all */
	size_t even;            /* how many are even */
	size_t below_1024;      /* system ports among them */
	size_t in_dynamic;      /* in IANA's dynamic range */
	size_t in_kernel_range; /* in this kernel's; 0 where it cannot be asked */
	size_t rising;          /* how often a port is higher than the one before */
};

struct tally_facts tally_facts_of(const struct tally *tally);

#endif
