/*
 * bare_table.c - the least that a table of TCP sockets can be: one dump of IPv4 and one of
 * IPv6 through sock_diag, a row printed for each. What lab sockets is measured against.
 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void print_row(const struct inet_diag_msg *row)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(row->idiag_family, row->id.idiag_src, from, sizeof from);
	inet_ntop(row->idiag_family, row->id.idiag_dst, to, sizeof to);
	printf("%2d %s:%u %s:%u %u/%u\n", row->idiag_state, from, ntohs(row->id.idiag_sport), to,
	       ntohs(row->id.idiag_dport), row->idiag_rqueue, row->idiag_wqueue);
}

static int dump(int fd, int family)
{
	static _Alignas(struct nlmsghdr) char buffer[65536];
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request;

	memset(&request, 0, sizeof request);
	request.header.nlmsg_len = sizeof request;
	request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request.body.sdiag_family = (unsigned char)family;
	request.body.sdiag_protocol = IPPROTO_TCP;
	request.body.idiag_states = ~0U;
	if (send(fd, &request, sizeof request, 0) == -1)
		return -1;
	for (;;) {
		ssize_t received = recv(fd, buffer, sizeof buffer, 0);
		if (received <= 0)
			return -1;
		unsigned length = (unsigned)received;
		for (struct nlmsghdr *header = (void *)buffer; NLMSG_OK(header, length);
		     header = NLMSG_NEXT(header, length)) {
			if (header->nlmsg_type == NLMSG_DONE)
				return 0;
			if (header->nlmsg_type == NLMSG_ERROR)
				return -1;
			print_row(NLMSG_DATA(header));
		}
	}
}

int main(void)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG);

	return fd == -1 || dump(fd, AF_INET) == -1 || dump(fd, AF_INET6) == -1;
}
