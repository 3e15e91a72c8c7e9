/*
 * socket_table_linux.c - the socket table through NETLINK_SOCK_DIAG, and where that is not
 * to be had (an emulator, a strict sandbox) through /proc/net. Twin: socket_table_posix.c.
 */
#include "kit/socket_table.h"

#include "kit/socket_answers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/*
 * Reads answers until the kernel says that was all. Returns 1 where a visit ended it, 0 at
 * the end, -1 with errno.
 */
static int read_answers(int fd, enum transport transport, socket_visitor visit, void *argument)
{
	char buffer[32768];

	for (;;) {
		ssize_t length = recv(fd, buffer, sizeof buffer, 0);
		if (length == -1 && errno == EINTR)
			continue;
		if (length <= 0)
			return -1;
		switch (diag_answers_read(buffer, (size_t)length, transport, visit, argument)) {
		case ANSWERS_MORE:
			break;
		case ANSWERS_DONE:
			return 0;
		case ANSWERS_STOPPED:
			return 1;
		case ANSWERS_REFUSED:
			return -1;
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
		const struct sockaddr_in6 *from = &local->address.in6;
		const struct sockaddr_in6 *to = &peer->address.in6;
		memcpy(id->idiag_src, &from->sin6_addr, 16);
		memcpy(id->idiag_dst, &to->sin6_addr, 16);
		id->idiag_if = from->sin6_scope_id;
	} else {
		memcpy(id->idiag_src, &local->address.in4.sin_addr, 4);
		memcpy(id->idiag_dst, &peer->address.in4.sin_addr, 4);
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
		if (proc_line_read(line, family, transport, &entry))
			result = visit(&entry, argument) != 0;
	}
	int error = errno;
	if (result == 0 && ferror(file))
		result = -1;
	(void)fclose(file);
	errno = error;
	return result;
}

/* ---- what the header promises ---- */

struct counted {
	socket_visitor visit;
	void *argument;
	size_t count;
};

static int count_visit(const struct socket_entry *entry, void *argument)
{
	struct counted *counted = argument;

	counted->count++;
	return counted->visit(entry, counted->argument);
}

int socket_table_each(enum transport transport, socket_visitor visit, void *argument)
{
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		struct counted counted = {visit, argument, 0};
		int result = each_by_diag(families[i], transport, count_visit, &counted);
		if (result == -1 && counted.count == 0) /* else those would come twice */
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

/* ---- who holds which ---- */

struct holding {
	uint32_t inode;
	uint32_t process; /* its place in processes[] */
};

struct socket_owners {
	struct socket_process *processes;
	struct holding *holdings; /* ascending by inode, then by pid */
	size_t process_count, process_room, holding_count, holding_room;
};

/* Makes room for one more. Returns the array, perhaps moved, or NULL with errno. */
static void *with_room(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	size_t wanted = *room == 0 ? 64 : *room * 2;
	void *grown = realloc(array, wanted * size);
	if (grown != NULL)
		*room = wanted;
	return grown;
}

static int add_holding(struct socket_owners *owners, uint32_t inode)
{
	struct holding *holdings = with_room(owners->holdings, owners->holding_count,
	                                     &owners->holding_room, sizeof *owners->holdings);

	if (holdings == NULL)
		return -1;
	owners->holdings = holdings;
	holdings[owners->holding_count++] =
	    (struct holding){inode, (uint32_t)owners->process_count};
	return 0;
}

/* The sockets among a process's descriptors. Returns how many, or -1 with errno ENOMEM. */
static int add_descriptors(struct socket_owners *owners, DIR *directory)
{
	const struct dirent *item;
	char target[64];
	int count = 0;

	for (errno = 0; (item = readdir(directory)) != NULL; errno = 0) {
		uint32_t inode;
		ssize_t length = readlinkat(dirfd(directory), item->d_name, target, sizeof target - 1);
		if (length <= 8 || memcmp(target, "socket:[", 8) != 0)
			continue;
		target[length] = '\0';
		inode = (uint32_t)strtoul(target + 8, NULL, 10);
		if (add_holding(owners, inode) == -1)
			return -1;
		count++;
	}
	/* A process that ends meanwhile, or becomes another account's, has none any more. */
	return errno == 0 || errno == ENOENT || errno == ESRCH || errno == EACCES ? count : -1;
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

/* A process whose descriptors are not ours to see, or that has just ended, has none. */
static int add_process(struct socket_owners *owners, const char *pid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
	DIR *directory = opendir(path);
	if (directory == NULL) /* no descriptor and no memory are our own affair */
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -1 : 0;
	int count = add_descriptors(owners, directory);
	(void)closedir(directory);
	if (count <= 0)
		return count;
	struct socket_process *processes =
	    with_room(owners->processes, owners->process_count, &owners->process_room,
	              sizeof *owners->processes);
	if (processes == NULL)
		return -1;
	owners->processes = processes;
	processes += owners->process_count++;
	processes->pid = strtol(pid, NULL, 10);
	read_name(pid, processes->name, sizeof processes->name);
	return 0;
}

static int compare_holdings(const void *one, const void *other)
{
	const struct holding *first = one, *second = other;

	if (first->inode != second->inode)
		return first->inode < second->inode ? -1 : 1;
	return first->process < second->process ? -1 : first->process > second->process;
}

struct socket_owners *socket_owners_read(void)
{
	struct socket_owners *owners = calloc(1, sizeof *owners);
	DIR *directory = opendir("/proc");
	const struct dirent *item;
	int result = owners != NULL && directory != NULL ? 0 : -1;

	while (result == 0) {
		errno = 0;
		if ((item = readdir(directory)) == NULL) {
			result = errno == 0 ? 1 : -1;
			break;
		}
		if (isdigit((unsigned char)item->d_name[0]))
			result = add_process(owners, item->d_name);
	}
	int error = errno;
	if (directory != NULL)
		(void)closedir(directory);
	if (result == -1) {
		socket_owners_free(owners);
		errno = error;
		return NULL;
	}
	if (owners->holding_count > 0)
		qsort(owners->holdings, owners->holding_count, sizeof *owners->holdings,
		      compare_holdings);
	return owners;
}

void socket_owners_free(struct socket_owners *owners)
{
	if (owners == NULL)
		return;
	free(owners->processes);
	free(owners->holdings);
	free(owners);
}

const struct socket_process *socket_owners_find(const struct socket_owners *owners,
                                                uint32_t inode)
{
	size_t low = 0, high = owners != NULL ? owners->holding_count : 0;

	while (low < high) { /* the first holding of that inode */
		size_t middle = low + (high - low) / 2;
		if (owners->holdings[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (inode == 0 || owners == NULL || low == owners->holding_count ||
	    owners->holdings[low].inode != inode)
		return NULL;
	return &owners->processes[owners->holdings[low].process];
}
