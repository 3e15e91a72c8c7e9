/* capture_linux.c - see capture.h. Twin: capture_posix.c. */
#define _GNU_SOURCE /* SO_TIMESTAMPNS, SO_RCVBUF */
#include "wire/capture.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM_BYTES = 8 << 20 };

int capture_open(void)
{
	int room = ROOM_BYTES, on = 1;
	/* SOCK_DGRAM: without the link's own header, which loopback has none of. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));

	if (fd == -1)
		return -1;
	/* More room than usual where it may be had; without it some packets are missed and told. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == -1) {
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void read_time(struct msghdr *message, struct timespec *time)
{
	(void)clock_gettime(CLOCK_REALTIME, time);
	const struct cmsghdr *control =
	    CMSG_FIRSTHDR(message); /* the only one that was asked for */
	if (control != NULL && control->cmsg_level == SOL_SOCKET &&
	    control->cmsg_type == SO_TIMESTAMPNS)
		memcpy(time, CMSG_DATA(control), sizeof *time);
}

int capture_next(int fd, struct captured *captured)
{
	for (;;) {
		union {
			char bytes[256];
			struct cmsghdr align;
		} control;
		struct sockaddr_ll from;
		struct iovec piece = {captured->packet, sizeof captured->packet};
		struct msghdr message = {.msg_name = &from,
		                         .msg_namelen = sizeof from,
		                         .msg_iov = &piece,
		                         .msg_iovlen = 1,
		                         .msg_control = &control,
		                         .msg_controllen = sizeof control};
		ssize_t length = recvmsg(fd, &message, 0);
		if (length == -1 && errno == EINTR)
			continue;
		if (length == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		if (from.sll_hatype == ARPHRD_LOOPBACK && from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (from.sll_pkttype == PACKET_OTHERHOST) /* for a neighbour on the same link */
			continue;
		captured->length = (size_t)length;
		read_time(&message, &captured->time);
		return 1;
	}
}

unsigned capture_missed(int fd)
{
	struct tpacket_stats statistics = {0, 0};
	socklen_t length = sizeof statistics;

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) == -1)
		return 0;
	return statistics.tp_drops;
}
