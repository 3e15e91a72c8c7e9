/*
 * greeting.h - the wire: the one line that the server says and the client reads. It is all
 * that the two agree on, so that nc, telnet or a student's own program can take part.
 *
 *   hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17\n
 *
 * First the client's endpoint as the server sees it, then the server's own, then the
 * number of the connection (over UDP "datagram"), counted from 1. After it every byte
 * comes back (RFC 862). Both endpoints are written as endpoint_format() writes them,
 * without the zone of a link-local address.
 */
#ifndef PORTLAB_GREETING_H
#define PORTLAB_GREETING_H

#include "kit/endpoint.h"

#include <stdint.h>

/* Holds the longest line, its newline and a final 0. */
#define GREETING_SIZE 256

struct greeting {
	struct endpoint client, server;
	enum transport transport;
	uint32_t number;
};

/* Writes the line. Returns its length in bytes, newline included. */
int greeting_format(const struct greeting *greeting, char line[GREETING_SIZE]);

/*
 * Reads a line of `length` bytes, the newline included, nothing after it. Returns 0, or -1
 * where it is not exactly such a line; *greeting is then untouched.
 */
int greeting_parse(const char *line, size_t length, struct greeting *greeting);

#endif
