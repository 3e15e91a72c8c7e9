/*
 * state_test.c - real sockets brought into each of the eleven states of RFC 9293, and what
 * the kit says of them: by descriptor, by 4-tuple, and in the whole table.
 *
 * Where each state comes from is the protocol's own diagram (RFC 9293, figure 5); which
 * socket is which, fstat() says: the kernel's inode number.
 */
#define _DEFAULT_SOURCE /* TCP_DEFER_ACCEPT */
#include "kit/socket_table.h"
#include "kit/tcp_state.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int ignore_entry(const struct socket_entry *entry, void *argument)
{
	(void)entry;
	(void)argument;
	return 1;
}

/* Whether the kit was built to see states. `make test` says; else the table does. */
static int sees(void)
{
	const char *platform = getenv("PLATFORM");

	if (platform != NULL)
		return strcmp(platform, "linux") == 0;
	return socket_table_each(TRANSPORT_TCP, ignore_entry, NULL) == 0;
}

/* ---- sockets ---- */

struct pair {
	int listener, client, server;
	struct endpoint name, client_end, server_end;
};

static int open_listener(int backlog, struct endpoint *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;

	*name = endpoint_loopback(AF_INET, 0);
	/* Accepted sockets inherit it: so little room is soon full. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == -1 ||
	    bind(fd, (const struct sockaddr *)&name->address, name->length) == -1 ||
	    listen(fd, backlog) == -1 || endpoint_of_socket(fd, name) == -1) {
		perror("listener");
		exit(1);
	}
	return fd;
}

static int connect_to(const struct endpoint *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 || connect(fd, (const struct sockaddr *)&name->address, name->length) == -1) {
		perror("connect");
		exit(1);
	}
	return fd;
}

static struct pair open_pair(void)
{
	struct pair pair;

	pair.listener = open_listener(4, &pair.name);
	pair.client = connect_to(&pair.name);
	pair.server = accept(pair.listener, NULL, NULL);
	if (pair.server == -1 || endpoint_of_socket(pair.client, &pair.client_end) == -1 ||
	    endpoint_of_socket(pair.server, &pair.server_end) == -1) {
		perror("accept");
		exit(1);
	}
	return pair;
}

static void close_pair(const struct pair *pair)
{
	const struct linger at_once = {1, 0};

	/* With a reset, so that nothing stays behind. */
	(void)setsockopt(pair->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	(void)setsockopt(pair->server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	(void)close(pair->client);
	(void)close(pair->server);
	(void)close(pair->listener);
}

/* Sends until nothing more fits, here or there. */
static void fill(int fd)
{
	static const char bytes[65536];

	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	while (send(fd, bytes, sizeof bytes, 0) > 0)
		continue;
}

static uint32_t inode_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (uint32_t)status.st_ino : 0;
}

/* ---- asking ---- */

static void pause_a_little(void)
{
	const struct timespec millisecond = {0, 1000000};

	(void)nanosleep(&millisecond, NULL);
}

/* A transition needs the other side's segment: it may come a moment later. */
static enum tcp_state await_fd(int fd, enum tcp_state state)
{
	for (int i = 0; i < 10000 && tcp_state_of_fd(fd) != state; i++)
		pause_a_little();
	return tcp_state_of_fd(fd);
}

static enum tcp_state await_tuple(const struct endpoint *local, const struct endpoint *peer,
                                  enum tcp_state state, int *seconds)
{
	for (int i = 0; i < 10000 && tcp_state_of_tuple(local, peer, seconds) != state; i++)
		pause_a_little();
	return tcp_state_of_tuple(local, peer, seconds);
}

/* One end, asked in three ways: the descriptor, the 4-tuple, the entry of the table. */
static void check_end(int fd, const struct endpoint *local, const struct endpoint *peer,
                      enum tcp_state state, const char *what)
{
	struct socket_entry entry;
	int seconds = 7;

	CHECK_STRING(tcp_state_name(await_fd(fd, state)), tcp_state_name(state), what);
	CHECK_STRING(tcp_state_name(tcp_state_of_tuple(local, peer, &seconds)),
	             tcp_state_name(state), "its 4-tuple says the same");
	CHECK_NUMBER(seconds, -1, "and no seconds are left, for it is no TIME_WAIT");
	CHECK_STRING(tcp_state_name(tcp_state_of_connection(fd, local, peer)),
	             tcp_state_name(state), "and so do both together");
	CHECK_NUMBER(socket_table_find(local, peer, &entry), 1, "the table has it");
	CHECK(entry.state == state && endpoint_equal(&entry.local, local) &&
	          endpoint_equal(&entry.peer, peer) && !entry.bound_only,
	      "with that state and these ends");
	CHECK_NUMBER(entry.inode, inode_of(fd), "and it is this very socket");
	CHECK_NUMBER(entry.uid, getuid(), "of this user");
}

static void check_client(const struct pair *pair, enum tcp_state state, const char *what)
{
	check_end(pair->client, &pair->client_end, &pair->server_end, state, what);
}

static void check_server(const struct pair *pair, enum tcp_state state, const char *what)
{
	check_end(pair->server, &pair->server_end, &pair->client_end, state, what);
}

/* ---- the states ---- */

static void test_names(void)
{
	static const char *const names[] = {
	    [TCP_STATE_ESTABLISHED] = "ESTABLISHED", [TCP_STATE_SYN_SENT] = "SYN_SENT",
	    [TCP_STATE_SYN_RECV] = "SYN_RECV",       [TCP_STATE_FIN_WAIT1] = "FIN_WAIT1",
	    [TCP_STATE_FIN_WAIT2] = "FIN_WAIT2",     [TCP_STATE_TIME_WAIT] = "TIME_WAIT",
	    [TCP_STATE_CLOSED] = "CLOSED",           [TCP_STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	    [TCP_STATE_LAST_ACK] = "LAST_ACK",       [TCP_STATE_LISTEN] = "LISTEN",
	    [TCP_STATE_CLOSING] = "CLOSING",
	};

	CHECK_STRING(tcp_state_name(TCP_STATE_NONE), "", "no state has no name");
	for (size_t i = 1; i < sizeof names / sizeof names[0]; i++)
		CHECK_STRING(tcp_state_name((enum tcp_state)i), names[i], names[i]);
}

static void test_listen_and_closed(void)
{
	struct endpoint name;
	int fd = socket(AF_INET, SOCK_STREAM, 0), listener = open_listener(4, &name);

	CHECK_STRING(tcp_state_name(tcp_state_of_fd(fd)), "CLOSED", "a new socket");
	CHECK_STRING(tcp_state_name(tcp_state_of_fd(listener)), "LISTEN", "after listen()");
	(void)close(fd);
	(void)close(listener);
	CHECK_STRING(tcp_state_name(tcp_state_of_fd(fd)), "not visible", "a closed descriptor");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_STRING(tcp_state_name(tcp_state_of_fd(fd)), "not visible", "a UDP socket has none");
	(void)close(fd);
}

static void test_established_and_half_closed(void)
{
	struct pair pair = open_pair();

	check_client(&pair, TCP_STATE_ESTABLISHED, "the client after connect()");
	check_server(&pair, TCP_STATE_ESTABLISHED, "the server after accept()");
	(void)shutdown(pair.client, SHUT_WR);
	check_client(&pair, TCP_STATE_FIN_WAIT2, "who closed its half first, and was heard");
	check_server(&pair, TCP_STATE_CLOSE_WAIT, "who has still to close");
	close_pair(&pair);
	CHECK_STRING(tcp_state_name(tcp_state_of_tuple(&pair.client_end, &pair.server_end, NULL)),
	             "CLOSED", "after a reset the table has no such connection");
}

static void test_fin_wait1_and_closing(void)
{
	struct pair pair = open_pair();

	fill(pair.client);
	(void)shutdown(pair.client, SHUT_WR);
	check_client(&pair, TCP_STATE_FIN_WAIT1, "a FIN that stands behind bytes nobody reads");
	(void)shutdown(pair.server, SHUT_WR);
	check_client(&pair, TCP_STATE_CLOSING, "both have closed, and this FIN is not heard yet");
	close_pair(&pair);
}

static void test_last_ack(void)
{
	struct pair pair = open_pair();

	(void)shutdown(pair.server, SHUT_WR);
	check_client(&pair, TCP_STATE_CLOSE_WAIT, "the server closed first");
	fill(pair.client);
	(void)shutdown(pair.client, SHUT_WR);
	check_client(&pair, TCP_STATE_LAST_ACK, "closed second, and not heard yet");
	close_pair(&pair);
}

/* With a backlog of 0 one connection is taken in; the next one's SYN gets no answer. */
static void test_syn_sent(void)
{
	struct endpoint name, own;
	int listener = open_listener(0, &name), first = connect_to(&name);
	int second = socket(AF_INET, SOCK_STREAM, 0);

	(void)fcntl(second, F_SETFL, O_NONBLOCK);
	int result = connect(second, (const struct sockaddr *)&name.address, name.length);
	CHECK(result == -1 && errno == EINPROGRESS, "the queue is full: connect() goes on");
	(void)endpoint_of_socket(second, &own);
	check_end(second, &own, &name, TCP_STATE_SYN_SENT, "who has no answer to its SYN");
	(void)close(second);
	(void)close(first);
	(void)close(listener);
}

/* Told to wait for data, the listener leaves a connection half open. */
static void test_syn_recv(void)
{
#ifdef TCP_DEFER_ACCEPT
	struct endpoint name, own;
	struct socket_entry entry;
	int listener = open_listener(4, &name), seconds = 30;

	(void)setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
	int client = connect_to(&name);
	(void)endpoint_of_socket(client, &own);
	CHECK_STRING(tcp_state_name(await_tuple(&name, &own, TCP_STATE_SYN_RECV, NULL)), "SYN_RECV",
	             "the server's end, before the client has said a byte");
	CHECK(socket_table_find(&name, &own, &entry) == 1 && entry.inode == 0,
	      "it has no socket of its own yet");
	CHECK_STRING(tcp_state_name(tcp_state_of_fd(client)), "ESTABLISHED",
	             "while the client's end is through");
	(void)close(client);
	(void)close(listener);
#endif
}

/* Whether this network keeps TIME_WAIT at all. */
static int keeps_time_wait(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_max_tw_buckets", "r");
	int most = 1;

	if (file == NULL)
		return 1;
	if (fscanf(file, "%d", &most) != 1)
		most = 1;
	(void)fclose(file);
	return most > 0;
}

static void test_time_wait(void)
{
	struct pair pair;
	struct socket_entry entry;
	int seconds = -7;

	if (!keeps_time_wait()) {
		CHECK(1, "TIME_WAIT # SKIP this network keeps none (tcp_max_tw_buckets)");
		return;
	}
	pair = open_pair();
	(void)shutdown(pair.client, SHUT_WR);
	(void)shutdown(pair.server, SHUT_WR);
	CHECK_STRING(tcp_state_name(await_tuple(&pair.client_end, &pair.server_end,
	                                        TCP_STATE_TIME_WAIT, &seconds)),
	             "TIME_WAIT", "who closed first, after the other has closed too");
	CHECK(seconds > 0 && seconds <= 3600, "for some seconds yet");
	CHECK_STRING(tcp_state_name(tcp_state_of_fd(pair.client)), "CLOSED",
	             "its descriptor cannot show that");
	CHECK_STRING(tcp_state_name(
	                 tcp_state_of_connection(pair.client, &pair.client_end, &pair.server_end)),
	             "TIME_WAIT", "so the table is asked");
	CHECK_STRING(tcp_state_name(
	                 tcp_state_of_connection(pair.server, &pair.server_end, &pair.client_end)),
	             "CLOSED", "the other side is rid of it");
	CHECK(socket_table_find(&pair.client_end, &pair.server_end, &entry) == 1 &&
	          entry.inode == 0 && entry.uid == 0 && entry.expires_ms > 0 &&
	          entry.expires_ms <= seconds * 1000L,
	      "it is nobody's any more, and has its milliseconds");
	(void)close(pair.client);
	(void)close(pair.server);
	(void)close(pair.listener);
}

/* ---- the table ---- */

struct wanted {
	uint32_t inode;
	int found, visits;
	struct socket_entry entry;
};

static int find_inode(const struct socket_entry *entry, void *argument)
{
	struct wanted *wanted = argument;

	wanted->visits++;
	if (entry->inode != wanted->inode)
		return 0;
	wanted->found++;
	wanted->entry = *entry;
	return 0;
}

static int stop_at_once(const struct socket_entry *entry, void *argument)
{
	(void)entry;
	++*(int *)argument;
	return 1;
}

static void test_table_listener(void)
{
	struct endpoint name;
	int listener = open_listener(5, &name), visits = 0;
	int first = connect_to(&name), second = connect_to(&name);
	struct wanted wanted = {.inode = inode_of(listener)};

	CHECK_NUMBER(socket_table_each(TRANSPORT_TCP, find_inode, &wanted), 0, "the table is read");
	CHECK_NUMBER(wanted.found, 1, "a listener is in it, once");
	CHECK(
	    wanted.entry.state == TCP_STATE_LISTEN && endpoint_equal(&wanted.entry.local, &name) &&
	        endpoint_port(&wanted.entry.peer) == 0 && endpoint_is_wildcard(&wanted.entry.peer),
	    "with its name, and a peer that is nobody");
	CHECK_NUMBER(wanted.entry.receive_queue, 2, "two connections wait to be accepted");
	CHECK_NUMBER(wanted.entry.send_queue, 5, "and its backlog is the one that was asked for");
	CHECK(wanted.visits >= 3, "its two clients are in the table, too");
	CHECK_NUMBER(socket_table_each(TRANSPORT_TCP, stop_at_once, &visits), 0,
	             "a walk can be ended");
	CHECK_NUMBER(visits, 1, "at once");
	(void)close(first);
	(void)close(second);
	(void)close(listener);
	wanted.found = 0;
	CHECK(socket_table_each(TRANSPORT_TCP, find_inode, &wanted) == 0 && wanted.found == 0,
	      "closed, it is there no longer");
}

static void test_table_queues(void)
{
	struct pair pair = open_pair();
	struct socket_entry entry = {.receive_queue = 0};

	CHECK(send(pair.client, "12345", 5, 0) == 5, "five bytes are sent");
	for (int i = 0; i < 10000 && entry.receive_queue == 0; i++) {
		if (socket_table_find(&pair.server_end, &pair.client_end, &entry) != 1)
			break;
		pause_a_little();
	}
	CHECK_NUMBER(entry.receive_queue, 5, "and lie unread on the other side");
	CHECK_NUMBER(socket_table_find(&pair.server_end, &pair.name, &entry), 0,
	             "another 4-tuple is not found");
	close_pair(&pair);
	CHECK_NUMBER(socket_table_find(&pair.server_end, &pair.client_end, &entry), 0,
	             "nor is one that has ended");
}

static void test_table_bound_only(void)
{
	struct endpoint name = endpoint_loopback(AF_INET, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct wanted wanted = {.inode = inode_of(fd)};

	CHECK(bind(fd, (const struct sockaddr *)&name.address, name.length) == 0 &&
	          endpoint_of_socket(fd, &name) == 0 &&
	          socket_table_each(TRANSPORT_TCP, find_inode, &wanted) == 0,
	      "a socket that is bound, and no more");
	CHECK(wanted.found == 0 ||
	          (wanted.entry.bound_only && wanted.entry.state == TCP_STATE_CLOSED &&
	           endpoint_equal(&wanted.entry.local, &name)),
	      "where the kernel lists it (6.8 and later), it is called bound only");
	(void)close(fd);
}

static void test_table_udp(void)
{
	struct endpoint name = endpoint_loopback(AF_INET, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct wanted wanted = {.inode = inode_of(fd)};

	CHECK(bind(fd, (const struct sockaddr *)&name.address, name.length) == 0 &&
	          endpoint_of_socket(fd, &name) == 0 &&
	          socket_table_each(TRANSPORT_UDP, find_inode, &wanted) == 0,
	      "a UDP socket");
	CHECK(wanted.found == 1 && endpoint_equal(&wanted.entry.local, &name),
	      "is in UDP's table, once");
	CHECK_NUMBER(wanted.entry.state, TCP_STATE_NONE, "without a state");
	wanted.found = 0;
	(void)socket_table_each(TRANSPORT_TCP, find_inode, &wanted);
	CHECK_NUMBER(wanted.found, 0, "and not in TCP's");
	(void)close(fd);
}

static void test_table_ipv6(void)
{
	struct endpoint name = endpoint_loopback(AF_INET6, 0);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct wanted wanted = {.inode = fd == -1 ? 0 : inode_of(fd)};

	if (fd == -1 || bind(fd, (const struct sockaddr *)&name.address, name.length) == -1) {
		CHECK(1, "IPv6 # SKIP this system has none");
		return;
	}
	(void)listen(fd, 1);
	(void)endpoint_of_socket(fd, &name);
	CHECK(socket_table_each(TRANSPORT_TCP, find_inode, &wanted) == 0 && wanted.found == 1 &&
	          endpoint_equal(&wanted.entry.local, &name) &&
	          wanted.entry.state == TCP_STATE_LISTEN,
	      "an IPv6 listener is in the table, once");
	(void)close(fd);
}

static void test_owner(void)
{
	struct endpoint name;
	int listener = open_listener(1, &name);
	char comm[64] = "";
	struct socket_owners *owners = socket_owners_read();
	const struct socket_process *process =
	    owners != NULL ? socket_owners_find(owners, inode_of(listener)) : NULL;
	FILE *file = fopen("/proc/self/comm", "r");

	if (file != NULL) {
		if (fgets(comm, sizeof comm, file) != NULL)
			comm[strcspn(comm, "\n")] = '\0';
		(void)fclose(file);
	}
	CHECK(owners != NULL, "who holds which socket can be read");
	CHECK(process != NULL && process->pid == (long)getpid(),
	      "this one is held by this process");
	CHECK_STRING(process != NULL ? process->name : NULL, comm,
	             "under the name the kernel keeps");
	CHECK(owners != NULL && socket_owners_find(owners, 0) == NULL, "socket 0 is nobody's");
	socket_owners_free(owners);
	(void)close(listener);
}

/* Built for any POSIX system the kit sees none of this, and must not pretend to. */
static void test_unseen(void)
{
	struct pair pair = open_pair();
	struct socket_entry entry;
	int seconds = 7;

	CHECK_STRING(tcp_state_name(tcp_state_of_fd(pair.client)), "not visible",
	             "a descriptor's state is not visible");
	CHECK_STRING(
	    tcp_state_name(tcp_state_of_tuple(&pair.client_end, &pair.server_end, &seconds)),
	    "not visible", "nor is a 4-tuple's");
	CHECK_NUMBER(seconds, -1, "no seconds are made up");
	errno = 0;
	CHECK(socket_table_each(TRANSPORT_TCP, ignore_entry, NULL) == -1 && errno == ENOTSUP,
	      "there is no table to walk");
	errno = 0;
	CHECK(socket_table_find(&pair.client_end, &pair.server_end, &entry) == -1 &&
	          errno == ENOTSUP,
	      "nor to search");
	errno = 0;
	CHECK(socket_owners_read() == NULL && errno == ENOTSUP, "nor are the owners to be seen");
	close_pair(&pair);
}

int main(void)
{
	test_names();
	if (!sees()) {
		test_unseen();
		return tap_done();
	}
	test_listen_and_closed();
	test_established_and_half_closed();
	test_fin_wait1_and_closing();
	test_last_ack();
	test_syn_sent();
	test_syn_recv();
	test_time_wait();
	test_table_listener();
	test_table_queues();
	test_table_bound_only();
	test_table_udp();
	test_table_ipv6();
	test_owner();
	return tap_done();
}
