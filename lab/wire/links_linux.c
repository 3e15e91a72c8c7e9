/* links_linux.c - see links.h. Twin: links_posix.c. */
#define _GNU_SOURCE /* unshare(), setns() */
#include "wire/links.h"

#include "kit/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a message to the kernel ---- */

struct request {
	struct nlmsghdr header;
	char body[1024];
};

static void begin(struct request *request, uint16_t type, uint16_t flags, const void *body,
                  size_t length)
{
	memset(request, 0, sizeof *request);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(length);
	memcpy(NLMSG_DATA(&request->header), body, length);
}

/* Attributes are nested by their length: open one, add others, close it. */
static struct rtattr *open_attribute(struct request *request, unsigned short type)
{
	struct rtattr *attribute =
	    (struct rtattr *)(void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(0);
	request->header.nlmsg_len =
	    (uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_LENGTH(0));
	return attribute;
}

static void close_attribute(const struct request *request, struct rtattr *attribute)
{
	attribute->rta_len = (unsigned short)((const char *)request + request->header.nlmsg_len -
	                                      (const char *)attribute);
}

static void add_bytes(struct request *request, const void *bytes, size_t length)
{
	memcpy((char *)request + request->header.nlmsg_len, bytes, length);
	request->header.nlmsg_len += (uint32_t)length;
}

static void add_attribute(struct request *request, unsigned short type, const void *bytes,
                          size_t length)
{
	struct rtattr *attribute = open_attribute(request, type);

	add_bytes(request, bytes, length);
	close_attribute(request, attribute);
}

int link_answer_read(const void *bytes, size_t length)
{
	enum { ERROR_MOST = 4095 }; /* the kernel has no errno beyond */
	struct nlmsghdr header;
	int error = -EPROTO;

	if (length >= NLMSG_LENGTH(sizeof error)) {
		memcpy(&header, bytes, sizeof header);
		if (header.nlmsg_type == NLMSG_ERROR)
			memcpy(&error, (const char *)bytes + NLMSG_HDRLEN, sizeof error);
	}
	if (error == 0) /* an error message without an error: done */
		return 0;
	errno = error < 0 && error >= -ERROR_MOST ? -error : EPROTO;
	return -1;
}

/* Sends it and waits for the kernel's answer. */
static int ask_kernel(const struct request *request)
{
	char answer[2048];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t length = -1;

	if (fd == -1)
		return -1;
	if (send(fd, request, request->header.nlmsg_len, 0) != -1)
		do
			length = recv(fd, answer, sizeof answer, 0);
		while (length == -1 && errno == EINTR);
	int result = length == -1 ? -1 : link_answer_read(answer, (size_t)length);
	int error = errno;
	(void)close(fd);
	errno = error;
	return result;
}

/* ---- devices ---- */

int link_make_pair(const char *here, const char *there, int there_fd)
{
	struct ifinfomsg device = {.ifi_family = AF_UNSPEC};
	struct request request;

	begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &device, sizeof device);
	add_attribute(&request, IFLA_IFNAME, here, strlen(here) + 1);
	struct rtattr *information = open_attribute(&request, IFLA_LINKINFO);
	add_attribute(&request, IFLA_INFO_KIND, "veth", strlen("veth"));
	struct rtattr *data = open_attribute(&request, IFLA_INFO_DATA);
	struct rtattr *peer = open_attribute(&request, VETH_INFO_PEER);
	add_bytes(&request, &device, sizeof device);
	add_attribute(&request, IFLA_IFNAME, there, strlen(there) + 1);
	add_attribute(&request, IFLA_NET_NS_FD, &there_fd, sizeof there_fd);
	close_attribute(&request, peer);
	close_attribute(&request, data);
	close_attribute(&request, information);
	return ask_kernel(&request);
}

int link_make_pair_in_time(const char *here, const char *there, int there_fd)
{
	int64_t deadline = clock_ms() + 2000;

	while (link_make_pair(here, there, there_fd) == -1) {
		if (errno != EEXIST || clock_ms() >= deadline)
			return -1;
		(void)poll(NULL, 0, 20);
	}
	return 0;
}

int link_remove(const char *name)
{
	struct ifinfomsg device = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)};
	struct request request;

	begin(&request, RTM_DELLINK, 0, &device, sizeof device);
	return device.ifi_index != 0 ? ask_kernel(&request) : -1;
}

int link_set_up(const char *name)
{
	struct ifinfomsg device = {.ifi_family = AF_UNSPEC,
	                           .ifi_index = (int)if_nametoindex(name),
	                           .ifi_flags = IFF_UP,
	                           .ifi_change = IFF_UP};
	struct request request;

	if (device.ifi_index == 0)
		return -1;
	begin(&request, RTM_NEWLINK, 0, &device, sizeof device);
	return ask_kernel(&request);
}

int link_set_address(const char *name, struct in_addr address)
{
	struct ifaddrmsg own = {
	    .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = if_nametoindex(name)};
	struct request request;

	if (own.ifa_index == 0)
		return -1;
	begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &own, sizeof own);
	add_attribute(&request, IFA_LOCAL, &address, sizeof address);
	add_attribute(&request, IFA_ADDRESS, &address, sizeof address);
	return ask_kernel(&request) == 0 ? link_set_up(name) : -1;
}

int link_set_gateway(struct in_addr gateway)
{
	struct rtmsg route = {.rtm_family = AF_INET,
	                      .rtm_table = RT_TABLE_MAIN,
	                      .rtm_protocol = RTPROT_STATIC,
	                      .rtm_scope = RT_SCOPE_UNIVERSE,
	                      .rtm_type = RTN_UNICAST};
	struct request request;

	begin(&request, RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route);
	add_attribute(&request, RTA_GATEWAY, &gateway, sizeof gateway);
	return ask_kernel(&request);
}

/* ---- by ioctl ---- */

/* A request about the device, and any socket to make it with. Returns that, or -1. */
static int begin_request(const char *name, struct ifreq *request)
{
	memset(request, 0, sizeof *request);
	strncpy(request->ifr_name, name, IFNAMSIZ - 1);
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int end_request(int fd, int result)
{
	int error = errno;

	(void)close(fd);
	errno = error;
	return result;
}

static int switch_off(const char *name, uint32_t what)
{
	struct ethtool_value off = {what, 0};
	struct ifreq request;
	int fd = begin_request(name, &request);

	if (fd == -1)
		return -1;
	request.ifr_data = (void *)&off;
	return end_request(fd, ioctl(fd, SIOCETHTOOL, &request));
}

int link_make_checksums(const char *name)
{
	return switch_off(name, ETHTOOL_STXCSUM) == 0 ? switch_off(name, ETHTOOL_SRXCSUM) : -1;
}

/* ---- networks ---- */

int network_own(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

int network_make(void)
{
	return unshare(CLONE_NEWNET) == 0 ? link_set_up("lo") : -1;
}

int network_enter(int fd)
{
	return setns(fd, CLONE_NEWNET);
}
