/* unix.c - see unix.h. */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE      1 /* accept4 with glibc and musl */
#define _DARWIN_C_SOURCE 1
#define __BSD_VISIBLE    1
#include "kit/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

int socket_nonblocking(int family, int type)
{
#ifdef SOCK_NONBLOCK
	return socket(family, type | SOCK_NONBLOCK, 0);
#else
	int fd = socket(family, type, 0);
	if (fd == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
#endif
}

int accept_nonblocking(int listener, struct endpoint *peer)
{
	struct sockaddr *address = &peer->address.any;

	memset(peer, 0, sizeof *peer);
	peer->length = sizeof peer->address;
#ifdef SOCK_NONBLOCK
	return accept4(listener, address, &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
	int fd = accept(listener, address, &peer->length);
	if (fd == -1)
		return -1;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
#endif
}

int set_reuseport(int fd)
{
#ifdef SO_REUSEPORT
	int on = 1;
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
#else
	(void)fd;
	errno = ENOTSUP;
	return -1;
#endif
}

int drop_supplementary_groups(void)
{
	return setgroups(0, NULL);
}

int machine_addresses(int family, struct endpoint *found, int room)
{
	struct ifaddrs *list;
	int count = 0;

	if (getifaddrs(&list) == -1)
		return -1;
	for (const struct ifaddrs *item = list; item != NULL && count < room;
	     item = item->ifa_next) {
		if (item->ifa_addr == NULL || item->ifa_addr->sa_family != family ||
		    !(item->ifa_flags & IFF_UP))
			continue;
		struct endpoint *endpoint = &found[count++];
		memset(endpoint, 0, sizeof *endpoint);
		endpoint->length = family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
		                                      : (socklen_t)sizeof(struct sockaddr_in);
		memcpy(&endpoint->address, item->ifa_addr, endpoint->length);
	}
	freeifaddrs(list);
	return count;
}

/*
 * A broadcast address can be bound too, but not connected to without asking for that.
 * Connecting a UDP socket sends nothing.
 */
static bool is_local(const struct endpoint *endpoint)
{
	struct endpoint name = *endpoint;
	int fd = socket(endpoint_family(endpoint), SOCK_DGRAM, 0);

	endpoint_set_port(&name, 0);
	bool local = fd != -1 && bind(fd, &name.address.any, name.length) == 0;
	endpoint_set_port(&name, 9);
	local = local && connect(fd, &name.address.any, name.length) == 0;
	if (fd != -1)
		(void)close(fd);
	return local;
}

bool machine_has_address(const struct endpoint *endpoint)
{
	struct endpoint own[64];
	int count = machine_addresses(endpoint_family(endpoint), own, 64);

	for (int i = 0; i < count; i++)
		if (endpoint_same_address(&own[i], endpoint))
			return true;
	return endpoint_is_loopback(endpoint) && is_local(endpoint);
}

void give_memory_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

int terminal_size_of(int fd, struct terminal_size *size)
{
	struct winsize window;

	if (ioctl(fd, TIOCGWINSZ, &window) == -1 || window.ws_col == 0 || window.ws_row == 0)
		return -1;
	*size = (struct terminal_size){window.ws_col, window.ws_row};
	return 0;
}
