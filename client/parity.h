/*
 * parity.h - notices the moment when the kernel has no source port of the usual parity left.
 *
 * Linux gives connect() every second port of its ephemeral range first, and leaves the
 * others to bind(), which takes those first. When they are in use, each call looks through all
 * of them in vain before it takes one of the other parity, which costs many times more:
 * thousands of connections to one destination become slow at a certain number. Other systems
 * choose otherwise, and nothing is noticed there.
 *
 * Source: __inet_hash_connect() in Linux's net/ipv4/inet_hashtables.c, and
 * inet_csk_find_open_port() in inet_connection_sock.c; RFC 6056.
 */
#ifndef PORTLAB_CLIENT_PARITY_H
#define PORTLAB_CLIENT_PARITY_H

#include <stdbool.h>
#include <stdint.h>

/* All else zero at the beginning. */
struct parity {
	bool by_bind;         /* bind() gets the ports, with an address and no port */
	unsigned long seen;   /* source ports so far */
	unsigned long before; /* of those the first, which were of one parity; 0: all still are */
	unsigned first;       /* the first one's: 0 even, 1 odd */
	bool told;            /* that those of the usual parity are all in use */
	int64_t started_ms, changed_ms;
};

/*
 * The next connection got this source port. Where it is the first of the other parity
 * after more than a chance could bring, it says so; `id` is that connection's number.
 */
void parity_add(struct parity *parity, uint16_t port, uint32_t id);

/* All are open: tells what one took on average before and since, if it came to that. */
void parity_tell_pace(const struct parity *parity);

#endif
