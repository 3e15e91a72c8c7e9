/*
 * socket_table_linux.c - the socket table through NETLINK_SOCK_DIAG, and where that is not
 * to be had (an emulator, a strict sandbox) through /proc/net. Twin: socket_table_posix.c.
 */
#include "kit/socket_table.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux 6.8 and later list sockets that are bound and nothing else, under this number. */
enum { STATE_BOUND_INACTIVE = 13 };

static const int families[] = {AF_INET, AF_INET6};

/* ---- NETLINK_SOCK_DIAG ---- */

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static struct request request_of(int family, enum transport transport, int flags)
{
	struct request request;

	memset(&request, 0, sizeof request);
	request.header.nlmsg_len = sizeof request;
	request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request.header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	request.body.sdiag_family = (uint8_t)family;
	request.body.sdiag_protocol = transport == TRANSPORT_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	request.body.idiag_states = ~0U;
	request.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return request;
}

static int ask(const struct request *request)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd == -1)
		return -1;
	if (send(fd, request, sizeof *request, 0) == (ssize_t)sizeof *request)
		return fd;
	int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/* The address words and the port are in network byte order, as in a sockaddr. */
static struct endpoint endpoint_of_diag(int family, const uint32_t *address, uint16_t port)
{
	struct endpoint endpoint = endpoint_wildcard(family, ntohs(port));

	if (family == AF_INET6)
		memcpy(&((struct sockaddr_in6 *)(void *)&endpoint.address)->sin6_addr, address, 16);
	else
		memcpy(&((struct sockaddr_in *)(void *)&endpoint.address)->sin_addr, address, 4);
	return endpoint;
}

static void set_scope(struct endpoint *endpoint, uint32_t interface)
{
	struct sockaddr_in6 *address = (struct sockaddr_in6 *)(void *)&endpoint->address;

	if (endpoint_family(endpoint) == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
		address->sin6_scope_id = interface;
}

static void entry_of_diag(const struct inet_diag_msg *message, enum transport transport,
                          struct socket_entry *entry)
{
	int family = message->idiag_family;

	memset(entry, 0, sizeof *entry);
	entry->local = endpoint_of_diag(family, message->id.idiag_src, message->id.idiag_sport);
	entry->peer = endpoint_of_diag(family, message->id.idiag_dst, message->id.idiag_dport);
	set_scope(&entry->local, message->id.idiag_if);
	set_scope(&entry->peer, message->id.idiag_if);
	entry->bound_only =
	    transport == TRANSPORT_TCP && (message->idiag_state == STATE_BOUND_INACTIVE ||
	                                   message->idiag_state == TCP_STATE_CLOSED);
	if (transport == TRANSPORT_TCP && message->idiag_state == 12) /* a half-open request */
		entry->state = TCP_STATE_SYN_RECV;
	else if (transport == TRANSPORT_TCP)
		entry->state =
		    entry->bound_only ? TCP_STATE_CLOSED : (enum tcp_state)message->idiag_state;
	entry->uid = message->idiag_uid;
	entry->inode = message->idiag_inode;
	entry->receive_queue = message->idiag_rqueue;
	entry->send_queue = message->idiag_wqueue;
	entry->expires_ms = entry->state == TCP_STATE_TIME_WAIT ? (long)message->idiag_expires : -1;
}

/*
 * Reads answers until the kernel says that was all. Returns 1 where a visit ended it, 0 at
 * the end, -1 with errno.
 */
static int read_answers(int fd, enum transport transport, socket_visitor visit, void *argument)
{
	_Alignas(struct nlmsghdr) char buffer[32768];

	for (;;) {
		ssize_t length = recv(fd, buffer, sizeof buffer, 0);
		if (length == -1 && errno == EINTR)
			continue;
		if (length <= 0)
			return -1;
		size_t left = (size_t)length;
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)buffer;
		while (left >= sizeof *header && header->nlmsg_len >= sizeof *header &&
		       header->nlmsg_len <= left) {
			struct socket_entry entry;
			size_t step = NLMSG_ALIGN(header->nlmsg_len);
			if (header->nlmsg_type == NLMSG_DONE)
				return 0;
			if (header->nlmsg_type == NLMSG_ERROR) {
				errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
				return -1;
			}
			if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg))) {
				entry_of_diag(NLMSG_DATA(header), transport, &entry);
				if (visit(&entry, argument) != 0)
					return 1;
			}
			if (step >= left)
				break;
			left -= step;
			header = (struct nlmsghdr *)(void *)((char *)header + step);
		}
	}
}

static int each_by_diag(int family, enum transport transport, socket_visitor visit,
                        void *argument)
{
	struct request request = request_of(family, transport, NLM_F_DUMP);
	int fd = ask(&request);

	if (fd == -1)
		return -1;
	int result = read_answers(fd, transport, visit, argument);
	int error = errno;
	(void)close(fd);
	errno = error;
	return result;
}

static int copy_first(const struct socket_entry *entry, void *argument)
{
	*(struct socket_entry *)argument = *entry;
	return 1;
}

/* Fills the id of a request: the 4-tuple as the kernel keys it. */
static void set_tuple(struct request *request, const struct endpoint *local,
                      const struct endpoint *peer)
{
	struct inet_diag_sockid *id = &request->body.id;

	id->idiag_sport = htons(endpoint_port(local));
	id->idiag_dport = htons(endpoint_port(peer));
	if (endpoint_family(local) == AF_INET6) {
		const struct sockaddr_in6 *from =
		    (const struct sockaddr_in6 *)(const void *)&local->address;
		const struct sockaddr_in6 *to =
		    (const struct sockaddr_in6 *)(const void *)&peer->address;
		memcpy(id->idiag_src, &from->sin6_addr, 16);
		memcpy(id->idiag_dst, &to->sin6_addr, 16);
		id->idiag_if = from->sin6_scope_id;
	} else {
		memcpy(id->idiag_src,
		       &((const struct sockaddr_in *)(const void *)&local->address)->sin_addr, 4);
		memcpy(id->idiag_dst,
		       &((const struct sockaddr_in *)(const void *)&peer->address)->sin_addr, 4);
	}
}

static int find_by_diag(const struct endpoint *local, const struct endpoint *peer,
                        struct socket_entry *entry)
{
	struct request request = request_of(endpoint_family(local), TRANSPORT_TCP, 0);

	set_tuple(&request, local, peer);
	int fd = ask(&request);
	if (fd == -1)
		return -1;
	int result = read_answers(fd, TRANSPORT_TCP, copy_first, entry);
	int error = errno;
	(void)close(fd);
	if (result == -1 && error == ENOENT)
		return 0;
	/*
	 * Where no connection has the 4-tuple, the kernel answers with a listener that would
	 * take it: that is another socket.
	 */
	if (result == 1 &&
	    !(endpoint_equal(&entry->local, local) && endpoint_equal(&entry->peer, peer)))
		return 0;
	errno = error;
	return result;
}

/* ---- /proc/net/{tcp,udp}{,6} ---- */

/* Reads "0100007F:0CEA": the address as words in this host's byte order, the port in hex. */
static bool endpoint_of_proc(int family, const char *text, struct endpoint *endpoint)
{
	uint32_t words[4] = {0};
	size_t count = family == AF_INET6 ? 4 : 1;
	unsigned port;

	for (size_t i = 0; i < count; i++)
		if (sscanf(text + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	if (strlen(text) < 8 * count + 2 || sscanf(text + 8 * count, ":%x", &port) != 1)
		return false;
	*endpoint = endpoint_of_diag(family, words, htons((uint16_t)port));
	return true;
}

static bool entry_of_proc(const char *line, int family, enum transport transport,
                          struct socket_entry *entry)
{
	char local[64], peer[64];
	unsigned state, timer, uid, inode;
	unsigned long send_queue, receive_queue, when;

	memset(entry, 0, sizeof *entry);
	if (sscanf(line, " %*d: %63s %63s %x %lx:%lx %x:%lx %*x %u %*d %u", local, peer, &state,
	           &send_queue, &receive_queue, &timer, &when, &uid, &inode) != 9 ||
	    !endpoint_of_proc(family, local, &entry->local) ||
	    !endpoint_of_proc(family, peer, &entry->peer))
		return false;
	if (transport == TRANSPORT_TCP && state <= TCP_STATE_CLOSING)
		entry->state = (enum tcp_state)state;
	entry->uid = uid;
	entry->inode = inode;
	entry->receive_queue = (uint32_t)receive_queue;
	entry->send_queue = (uint32_t)send_queue;
	entry->expires_ms =
	    entry->state == TCP_STATE_TIME_WAIT ? (long)when * 1000 / sysconf(_SC_CLK_TCK) : -1;
	return true;
}

static int each_by_proc(int family, enum transport transport, socket_visitor visit,
                        void *argument)
{
	char path[32], line[512];
	int result = 0;

	snprintf(path, sizeof path, "/proc/net/%s%s", transport_protocol(transport),
	         family == AF_INET6 ? "6" : "");
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return family == AF_INET6 && errno == ENOENT ? 0 : -1; /* no IPv6: no such table */
	while (result == 0 && fgets(line, sizeof line, file) != NULL) {
		struct socket_entry entry;
		if (entry_of_proc(line, family, transport, &entry))
			result = visit(&entry, argument) != 0;
	}
	(void)fclose(file);
	return result;
}

/* ---- what the header promises ---- */

int socket_table_each(enum transport transport, socket_visitor visit, void *argument)
{
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		int result = each_by_diag(families[i], transport, visit, argument);
		if (result == -1)
			result = each_by_proc(families[i], transport, visit, argument);
		if (result != 0)
			return result == 1 ? 0 : -1;
	}
	return 0;
}

struct search {
	const struct endpoint *local, *peer;
	struct socket_entry *entry;
	int found;
};

static int match_tuple(const struct socket_entry *entry, void *argument)
{
	struct search *search = argument;

	if (!endpoint_equal(&entry->local, search->local) ||
	    !endpoint_equal(&entry->peer, search->peer))
		return 0;
	*search->entry = *entry;
	search->found = 1;
	return 1;
}

int socket_table_find(const struct endpoint *local, const struct endpoint *peer,
                      struct socket_entry *entry)
{
	struct search search = {local, peer, entry, 0};
	int found = find_by_diag(local, peer, entry);

	if (found != -1)
		return found;
	if (each_by_proc(endpoint_family(local), TRANSPORT_TCP, match_tuple, &search) == -1)
		return -1;
	return search.found;
}

/* Whether one of the process's descriptors is that socket. */
static bool process_holds(const char *pid, const char *link_text)
{
	char path[64], target[64];
	bool holds = false;
	DIR *directory;
	const struct dirent *item;

	snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
	directory = opendir(path);
	if (directory == NULL)
		return false;
	while (!holds && (item = readdir(directory)) != NULL) {
		ssize_t length = readlinkat(dirfd(directory), item->d_name, target, sizeof target - 1);
		if (length > 0) {
			target[length] = '\0';
			holds = strcmp(target, link_text) == 0;
		}
	}
	(void)closedir(directory);
	return holds;
}

static void read_name(const char *pid, char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL || fgets(name, (int)size, file) == NULL)
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
	if (file != NULL)
		(void)fclose(file);
}

int socket_table_process(uint32_t inode, struct socket_process *process)
{
	char link_text[32];
	int found = 0;
	DIR *directory = opendir("/proc");
	const struct dirent *item;

	if (directory == NULL)
		return -1;
	snprintf(link_text, sizeof link_text, "socket:[%u]", inode);
	while (inode != 0 && found == 0 && (item = readdir(directory)) != NULL) {
		if (!isdigit((unsigned char)item->d_name[0]) || !process_holds(item->d_name, link_text))
			continue;
		process->pid = strtol(item->d_name, NULL, 10);
		read_name(item->d_name, process->name, sizeof process->name);
		found = 1;
	}
	(void)closedir(directory);
	return found;
}
