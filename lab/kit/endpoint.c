/* endpoint.c - see endpoint.h. */
#include "kit/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int endpoint_family(const struct endpoint *endpoint)
{
	return endpoint->length == 0 ? AF_UNSPEC : endpoint->address.any.sa_family;
}

uint16_t endpoint_port(const struct endpoint *endpoint)
{
	if (endpoint_family(endpoint) == AF_INET)
		return ntohs(endpoint->address.in4.sin_port);
	if (endpoint_family(endpoint) == AF_INET6)
		return ntohs(endpoint->address.in6.sin6_port);
	return 0;
}

void endpoint_set_port(struct endpoint *endpoint, uint16_t port)
{
	if (endpoint_family(endpoint) == AF_INET)
		endpoint->address.in4.sin_port = htons(port);
	else if (endpoint_family(endpoint) == AF_INET6)
		endpoint->address.in6.sin6_port = htons(port);
}

/* Writes a number and a final 0. Returns the place of that 0. */
static char *write_number(char *text, unsigned number)
{
	char digits[10];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		*text++ = digits[--count];
	*text = '\0';
	return text;
}

/* By hand: tables of tens of thousands of sockets are written with it. */
static char *write_ipv4(char *text, struct in_addr address)
{
	uint32_t number = ntohl(address.s_addr);

	for (int shift = 24; shift >= 0; shift -= 8) {
		text = write_number(text, number >> shift & 255);
		*text++ = '.';
	}
	*--text = '\0';
	return text;
}

static bool is_plain(const char *name)
{
	while (*name > ' ' && *name <= '~')
		name++;
	return *name == '\0';
}

/* Returns the place of the final 0, as the functions above do. */
static char *write_ipv6(char *text, const struct sockaddr_in6 *address)
{
	unsigned scope = address->sin6_scope_id;

	if (inet_ntop(AF_INET6, &address->sin6_addr, text, INET6_ADDRSTRLEN) == NULL)
		strcpy(text, "?");
	text += strlen(text);
	if (scope == 0)
		return text;
	*text++ = '%';
	/* Whoever names an interface may give it nearly any bytes: then its number stands for it.
	 */
	if (if_indextoname(scope, text) == NULL || !is_plain(text))
		return write_number(text, scope);
	return text + strlen(text);
}

static char *write_address(char *text, const struct endpoint *endpoint)
{
	return endpoint_family(endpoint) == AF_INET6
	           ? write_ipv6(text, &endpoint->address.in6)
	           : write_ipv4(text, endpoint->address.in4.sin_addr);
}

char *endpoint_format_address(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE])
{
	if (endpoint->length == 0)
		return strcpy(text, "-");
	(void)write_address(text, endpoint);
	return text;
}

char *endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE])
{
	bool brackets = endpoint_family(endpoint) == AF_INET6;
	char *end = text;

	if (endpoint->length == 0)
		return strcpy(text, "-");
	if (brackets)
		*end++ = '[';
	end = write_address(end, endpoint);
	if (brackets)
		*end++ = ']';
	*end++ = ':';
	(void)write_number(end, endpoint_port(endpoint));
	return text;
}

/* "fe80::1%eth0" without asking a resolver. Returns 0, or -1. */
static int parse_address(char *text, struct endpoint *endpoint)
{
	char *zone = strchr(text, '%');

	if (endpoint_family(endpoint) == AF_INET)
		return inet_pton(AF_INET, text, &endpoint->address.in4.sin_addr) == 1 ? 0 : -1;
	if (zone != NULL)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, text, &endpoint->address.in6.sin6_addr) != 1)
		return -1;
	if (zone == NULL)
		return 0;
	unsigned index = if_nametoindex(zone);
	if (index == 0 && zone[0] != '\0' && strspn(zone, "0123456789") == strlen(zone))
		index = (unsigned)strtoul(zone, NULL, 10);
	endpoint->address.in6.sin6_scope_id = index;
	return index != 0 ? 0 : -1;
}

int endpoint_parse(const char *text, struct endpoint *endpoint)
{
	char address[ENDPOINT_TEXT_SIZE], reason[PORT_REASON_SIZE], again[ENDPOINT_TEXT_SIZE];
	const char *start = text, *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	uint16_t port;

	if (colon == NULL || port_number_parse(colon + 1, &port, reason) == -1)
		return -1;
	size_t length = (size_t)(colon - text);
	if (brackets && (length < 3 || colon[-1] != ']'))
		return -1;
	if (brackets) {
		start++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof address)
		return -1;
	memcpy(address, start, length);
	address[length] = '\0';
	struct endpoint found = endpoint_wildcard(brackets ? AF_INET6 : AF_INET, port);
	if (parse_address(address, &found) == -1)
		return -1;
	/* One spelling only: what endpoint_format() writes. */
	if (strcmp(endpoint_format(&found, again), text) != 0)
		return -1;
	*endpoint = found;
	return 0;
}

struct endpoint endpoint_without_zone(const struct endpoint *endpoint)
{
	struct endpoint copy = *endpoint;

	if (endpoint_family(&copy) == AF_INET6)
		copy.address.in6.sin6_scope_id = 0;
	return copy;
}

/* The IPv4 address inside, in network byte order, also of an IPv4-mapped IPv6 address. */
static bool inner_ipv4(const struct endpoint *endpoint, struct in_addr *address)
{
	if (endpoint_family(endpoint) == AF_INET) {
		*address = endpoint->address.in4.sin_addr;
		return true;
	}
	if (endpoint_family(endpoint) == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&endpoint->address.in6.sin6_addr)) {
		memcpy(address, &endpoint->address.in6.sin6_addr.s6_addr[12], sizeof *address);
		return true;
	}
	return false;
}

bool endpoint_same_address(const struct endpoint *one, const struct endpoint *other)
{
	struct in_addr first = {0}, second = {0};
	bool first4 = inner_ipv4(one, &first), second4 = inner_ipv4(other, &second);

	if (one->length == 0 || other->length == 0 || first4 != second4)
		return false;
	if (first4)
		return first.s_addr == second.s_addr;
	return memcmp(&one->address.in6.sin6_addr, &other->address.in6.sin6_addr,
	              sizeof(struct in6_addr)) == 0 &&
	       one->address.in6.sin6_scope_id == other->address.in6.sin6_scope_id;
}

bool endpoint_equal(const struct endpoint *one, const struct endpoint *other)
{
	return endpoint_same_address(one, other) && endpoint_port(one) == endpoint_port(other);
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
	struct in_addr address;

	if (inner_ipv4(endpoint, &address))
		return ntohl(address.s_addr) >> 24 == 127;
	return endpoint_family(endpoint) == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&endpoint->address.in6.sin6_addr);
}

bool endpoint_is_wildcard(const struct endpoint *endpoint)
{
	if (endpoint_family(endpoint) == AF_INET)
		return endpoint->address.in4.sin_addr.s_addr == htonl(INADDR_ANY);
	return endpoint_family(endpoint) == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&endpoint->address.in6.sin6_addr);
}

static struct endpoint endpoint_of(int family, uint32_t address4, struct in6_addr address6,
                                   uint16_t port)
{
	struct endpoint endpoint;

	memset(&endpoint, 0, sizeof endpoint);
	endpoint.address.any.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		endpoint.address.in6.sin6_addr = address6;
		endpoint.length = sizeof(struct sockaddr_in6);
	} else {
		endpoint.address.in4.sin_addr.s_addr = htonl(address4);
		endpoint.length = sizeof(struct sockaddr_in);
	}
	endpoint_set_port(&endpoint, port);
	return endpoint;
}

struct endpoint endpoint_loopback(int family, uint16_t port)
{
	return endpoint_of(family, INADDR_LOOPBACK, in6addr_loopback, port);
}

struct endpoint endpoint_wildcard(int family, uint16_t port)
{
	return endpoint_of(family, INADDR_ANY, in6addr_any, port);
}

int endpoint_of_socket(int fd, struct endpoint *endpoint)
{
	memset(endpoint, 0, sizeof *endpoint);
	endpoint->length = sizeof endpoint->address;
	if (getsockname(fd, &endpoint->address.any, &endpoint->length) == 0)
		return 0;
	endpoint->length = 0;
	return -1;
}

int endpoint_of_peer(int fd, struct endpoint *endpoint)
{
	memset(endpoint, 0, sizeof *endpoint);
	endpoint->length = sizeof endpoint->address;
	if (getpeername(fd, &endpoint->address.any, &endpoint->length) == 0)
		return 0;
	endpoint->length = 0;
	return -1;
}

int endpoint_resolve(const char *host, uint16_t port, int family, enum transport transport,
                     struct endpoint *found, int room, const char **reason)
{
	struct addrinfo hints, *list;
	int count = 0;

	memset(&hints, 0, sizeof hints);
	hints.ai_family = family;
	hints.ai_socktype = transport == TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int error = getaddrinfo(host, NULL, &hints, &list);
	if (error != 0) {
		*reason = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
		return -1;
	}
	for (const struct addrinfo *info = list; info != NULL && count < room;
	     info = info->ai_next) {
		struct endpoint *endpoint = &found[count];
		if (info->ai_addrlen > sizeof endpoint->address)
			continue;
		memset(endpoint, 0, sizeof *endpoint);
		memcpy(&endpoint->address, info->ai_addr, info->ai_addrlen);
		endpoint->length = info->ai_addrlen;
		endpoint_set_port(endpoint, port);
		bool known = false; /* a hosts file may give one address twice */
		for (int i = 0; i < count; i++)
			known = known || endpoint_equal(&found[i], endpoint);
		if (!known)
			count++;
	}
	freeaddrinfo(list);
	*reason = "no usable address";
	return count > 0 ? count : -1;
}
