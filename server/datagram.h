/*
 * datagram.h - one UDP datagram in or out, with both its endpoints.
 *
 * A socket bound to the wildcard address has no address of its own to answer from, so each
 * datagram is asked which of this machine's addresses it was sent to, and the answer
 * leaves from there: else a client that is connected to that address would never see it.
 *
 * Source: ip(7) IP_PKTINFO; RFC 3542 IPV6_PKTINFO. The portable twin cannot ask.
 */
#ifndef PORTLAB_SERVER_DATAGRAM_H
#define PORTLAB_SERVER_DATAGRAM_H

#include "kit/endpoint.h"

#include <sys/types.h>

/* To be called once, after the socket is bound. Returns 0, or -1 with errno. */
int datagram_prepare(int fd);

/*
 * Receives one datagram without waiting. *local is the address it was sent to (in the
 * portable build the socket's own name). Returns its length, which may be 0 and may be
 * larger than `size` where it was cut; or -1 with errno.
 */
ssize_t datagram_receive(int fd, void *bytes, size_t size, struct endpoint *peer,
                         struct endpoint *local);

/* Sends one datagram to peer, from local's address. Returns its length, or -1 with errno. */
ssize_t datagram_send(int fd, const void *bytes, size_t length, const struct endpoint *peer,
                      const struct endpoint *local);

#endif
