/* datagram_linux.c - see datagram.h. Twin: datagram_posix.c. */
#define _GNU_SOURCE /* struct in_pktinfo, in6_pktinfo */
#include "datagram.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for either family's answer, aligned as a control message must be. */
union control {
	struct cmsghdr aligned;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

int datagram_prepare(int fd)
{
	struct endpoint name;
	int on = 1;

	if (endpoint_of_socket(fd, &name) == -1)
		return -1;
	if (endpoint_family(&name) == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

/* One option was set, so at most one control message comes with a datagram. */
static void read_destination(struct msghdr *message, struct endpoint *local)
{
	const struct cmsghdr *item = CMSG_FIRSTHDR(message);

	if (item == NULL)
		return;
	if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(item), sizeof info);
		local->address.in4.sin_addr = info.ipi_addr;
	} else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(item), sizeof info);
		local->address.in6.sin6_addr = info.ipi6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			local->address.in6.sin6_scope_id = info.ipi6_ifindex;
	}
}

ssize_t datagram_receive(int fd, void *bytes, size_t size, struct endpoint *peer,
                         struct endpoint *local)
{
	union control control;
	struct iovec piece = {bytes, size};
	struct msghdr message;

	memset(&message, 0, sizeof message);
	memset(peer, 0, sizeof *peer);
	message.msg_name = &peer->address;
	message.msg_namelen = sizeof peer->address;
	message.msg_iov = &piece;
	message.msg_iovlen = 1;
	message.msg_control = &control;
	message.msg_controllen = sizeof control;
	if (endpoint_of_socket(fd, local) == -1) /* asked first: so no datagram is lost by it */
		return -1;
	ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_TRUNC);
	if (length == -1)
		return -1;
	peer->length = message.msg_namelen;
	read_destination(&message, local);
	return length;
}

/* Says from which address the datagram is to leave. */
static void set_source(struct msghdr *message, union control *control,
                       const struct endpoint *local)
{
	struct in_pktinfo info4;
	struct in6_pktinfo info6;
	bool six = endpoint_family(local) == AF_INET6;
	size_t size = six ? sizeof info6 : sizeof info4;

	memset(control, 0, sizeof *control);
	memset(&info4, 0, sizeof info4);
	memset(&info6, 0, sizeof info6);
	message->msg_control = control;
	message->msg_controllen = (socklen_t)CMSG_SPACE(size);
	struct cmsghdr *item = CMSG_FIRSTHDR(message);
	item->cmsg_level = six ? IPPROTO_IPV6 : IPPROTO_IP;
	item->cmsg_type = six ? IPV6_PKTINFO : IP_PKTINFO;
	item->cmsg_len = (socklen_t)CMSG_LEN(size);
	if (six) {
		info6.ipi6_addr = local->address.in6.sin6_addr;
		info6.ipi6_ifindex = local->address.in6.sin6_scope_id;
		memcpy(CMSG_DATA(item), &info6, sizeof info6);
	} else {
		info4.ipi_spec_dst = local->address.in4.sin_addr;
		memcpy(CMSG_DATA(item), &info4, sizeof info4);
	}
}

ssize_t datagram_send(int fd, const void *bytes, size_t length, const struct endpoint *peer,
                      const struct endpoint *local)
{
	union control control;
	struct iovec piece = {.iov_len = length};
	struct endpoint to = *peer;
	struct msghdr message;

	memcpy(&piece.iov_base, &bytes, sizeof bytes); /* sendmsg() reads it only */
	memset(&message, 0, sizeof message);
	message.msg_name = &to.address;
	message.msg_namelen = to.length;
	message.msg_iov = &piece;
	message.msg_iovlen = 1;
	set_source(&message, &control, local);
	return sendmsg(fd, &message, MSG_DONTWAIT);
}
