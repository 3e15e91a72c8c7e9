/*
 * endpoint.h - an address and a port, the half of a 4-tuple: resolved from words, asked
 * from a socket, written as text.
 *
 * Ports are given and returned in host byte order; the sockaddr inside keeps network byte
 * order, as POSIX wants it. Nothing here owns memory.
 *
 * Source: POSIX getaddrinfo, getsockname, getpeername; RFC 5952 section 6 (brackets around
 * an IPv6 address that is followed by a port); RFC 4007 (scoped addresses).
 */
#ifndef PORTLAB_ENDPOINT_H
#define PORTLAB_ENDPOINT_H

#include "kit/port.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct endpoint {
	union {
		struct sockaddr any; /* what the calls want, and the family */
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} address;
	socklen_t length; /* 0: no endpoint */
};

/* Holds "[ffff:...:255.255.255.255%interface]:65535". */
#define ENDPOINT_TEXT_SIZE 96

/* "127.0.0.1:3306", "[::1]:3306", "[fe80::1%eth0]:3306"; "-" for no endpoint. Returns text. */
char *endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE]);

/* The address alone: "127.0.0.1", "::1". Returns text. */
char *endpoint_format_address(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE]);

/*
 * Reads what endpoint_format() wrote: numbers only, the port after the last colon.
 * Returns 0, or -1 where the text is not an endpoint; *endpoint is then untouched.
 */
int endpoint_parse(const char *text, struct endpoint *endpoint);

/*
 * The same without its zone (the "%eth0" of a link-local address), which means something on
 * one machine only and so must not be sent to another.
 */
struct endpoint endpoint_without_zone(const struct endpoint *endpoint);

uint16_t endpoint_port(const struct endpoint *endpoint);
void endpoint_set_port(struct endpoint *endpoint, uint16_t port);
int endpoint_family(const struct endpoint *endpoint);

/* Same address, scope and port; an IPv4-mapped IPv6 address equals the IPv4 one. */
bool endpoint_equal(const struct endpoint *one, const struct endpoint *other);
bool endpoint_same_address(const struct endpoint *one, const struct endpoint *other);
bool endpoint_is_loopback(const struct endpoint *endpoint); /* 127.0.0.0/8 or ::1 */
bool endpoint_is_wildcard(const struct endpoint *endpoint); /* 0.0.0.0 or :: */

/* The loopback or wildcard address of a family (AF_INET or AF_INET6). */
struct endpoint endpoint_loopback(int family, uint16_t port);
struct endpoint endpoint_wildcard(int family, uint16_t port);

/* The socket's own name, or its peer's. Return 0, or -1 with errno, *endpoint emptied. */
int endpoint_of_socket(int fd, struct endpoint *endpoint);
int endpoint_of_peer(int fd, struct endpoint *endpoint);

/*
 * Resolves a host name or address, in the resolver's order of preference, into at most
 * Returns how many, or -1 with the resolver's reason in *reason (static text; the
 * resolver's errors are not errno values).
 */
int endpoint_resolve(const char *host, uint16_t port, int family, enum transport transport,
                     struct endpoint *found, int room, const char **reason);

#endif
