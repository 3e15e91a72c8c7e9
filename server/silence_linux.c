/* silence_linux.c - see silence.h. Twin: silence_posix.c. */
#define _GNU_SOURCE /* SO_ATTACH_FILTER, IP_MINTTL */
#include "silence.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#ifndef IP_MINTTL
#define IP_MINTTL 21 /* linux/in.h, which cannot be included beside netinet/in.h */
#endif
#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73 /* linux/in6.h, likewise */
#endif

static int drop_datagrams(int fd)
{
	/* A program of one instruction: keep 0 bytes of whatever comes. */
	struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
	struct sock_fprog program = {1, &drop};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int silence_make(int fd, int family, enum transport transport)
{
	int most = 255;

	if (transport == TRANSPORT_UDP)
		return drop_datagrams(fd);
	/* An IPv6 socket may be an IPv4 one, too: then this option is its, as well. */
	int ipv4 = setsockopt(fd, IPPROTO_IP, IP_MINTTL, &most, sizeof most);
	if (family == AF_INET)
		return ipv4;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &most, sizeof most);
}
