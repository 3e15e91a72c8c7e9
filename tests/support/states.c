/*
 * states.c - makes sockets in all eleven TCP states, and UDP ones, says "ready" and stays:
 * something to look at for the tests of lab sockets and lab watch. Run it in a private
 * network. Source: RFC 9293 section 3.3.2; tcp(7), TCP_DEFER_ACCEPT.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

struct pair {
	int client, server;
};

static void must(int result, const char *call)
{
	if (result == -1) {
		perror(call);
		exit(1);
	}
}

static socklen_t loopback(int family, union address *address)
{
	memset(address, 0, sizeof *address);
	address->any.sa_family = (sa_family_t)family;
	if (family == AF_INET6)
		address->in6.sin6_addr = in6addr_loopback;
	else
		address->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return family == AF_INET6 ? sizeof address->in6 : sizeof address->in4;
}

static int make(int family, int type)
{
	union address address;
	socklen_t length = loopback(family, &address);
	int fd = socket(family, type, 0);

	must(fd, "socket");
	must(bind(fd, &address.any, length), "bind");
	return fd;
}

static int make_listener(int family, int backlog)
{
	int small = 4096; /* whoever is accepted is soon full */
	int fd = make(family, SOCK_STREAM);

	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), "SO_RCVBUF");
	must(listen(fd, backlog), "listen");
	return fd;
}

static int connect_to(int listener, int type, int flags)
{
	union address address;
	socklen_t length = sizeof address;

	must(getsockname(listener, &address.any, &length), "getsockname");
	int fd = socket(address.any.sa_family, type | flags, 0);
	must(fd, "socket");
	int result = connect(fd, &address.any, length);
	if (flags == 0)
		must(result, "connect");
	return fd;
}

static struct pair make_pair(int listener)
{
	struct pair pair = {connect_to(listener, SOCK_STREAM, 0), -1};

	pair.server = accept(listener, NULL, NULL);
	must(pair.server, "accept");
	return pair;
}

static void end_side(int fd)
{
	must(shutdown(fd, SHUT_WR), "shutdown");
}

/* Waits until the other side has ended. */
static void wait_for_end(int fd)
{
	char byte;

	must(read(fd, &byte, 1) == 0 ? 0 : -1, "read to the end");
}

/* Sends until the other side takes no more. */
static void fill(int fd)
{
	static char bytes[65536];

	must(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	for (int idle = 0; idle < 20; idle++) {
		while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
			idle = 0;
		usleep(5000);
	}
}

static void make_every_ending(int listener)
{
	struct pair pair = make_pair(listener); /* ESTABLISHED, 5 bytes unread */
	must(send(pair.client, "bytes", 5, 0) == 5 ? 0 : -1, "send");

	pair = make_pair(listener); /* FIN_WAIT2 and CLOSE_WAIT */
	end_side(pair.client);
	wait_for_end(pair.server);

	pair = make_pair(listener); /* FIN_WAIT1 */
	fill(pair.client);
	end_side(pair.client);

	pair = make_pair(listener); /* CLOSING */
	fill(pair.client);
	end_side(pair.client);
	end_side(pair.server);

	pair = make_pair(listener); /* LAST_ACK, which has no program any more */
	end_side(pair.server);
	wait_for_end(pair.client);
	fill(pair.client);
	must(close(pair.client), "close");

	pair = make_pair(listener); /* TIME_WAIT */
	must(close(pair.client), "close");
	wait_for_end(pair.server);
	must(close(pair.server), "close");
}

/* The others: SYN_SENT, SYN_RECV, CLOSED, and two connections that nobody accepts. */
static void make_every_beginning(int family)
{
	int full = make_listener(family, 0), silent = make_listener(family, 3), seconds = 100;
	int queue = make_listener(family, 7);

	connect_to(full, SOCK_STREAM, 0);
	connect_to(full, SOCK_STREAM, SOCK_NONBLOCK);
	must(setsockopt(silent, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds),
	     "TCP_DEFER_ACCEPT");
	connect_to(silent, SOCK_STREAM, 0);
	connect_to(queue, SOCK_STREAM, 0);
	connect_to(queue, SOCK_STREAM, 0);
	make(family, SOCK_STREAM);
}

static void make_datagram_sockets(int family)
{
	int fd = make(family, SOCK_DGRAM), client = connect_to(fd, SOCK_DGRAM, 0);

	must(send(client, "datagram", 8, 0) == 8 ? 0 : -1, "send");
}

/* One listener for both families, and an IPv4 client of it. */
static void make_mapped_pair(void)
{
	union address address;
	socklen_t length = sizeof address.in6;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	must(fd, "socket");
	memset(&address, 0, sizeof address);
	address.in6.sin6_family = AF_INET6;
	must(bind(fd, &address.any, length), "bind");
	must(listen(fd, 4), "listen");
	must(getsockname(fd, &address.any, &length), "getsockname");
	in_port_t port = address.in6.sin6_port;
	length = loopback(AF_INET, &address);
	address.in4.sin_port = port;
	must(connect(socket(AF_INET, SOCK_STREAM, 0), &address.any, length), "connect");
}

int main(void)
{
	static const int families[] = {AF_INET, AF_INET6};
	int probe = socket(AF_INET6, SOCK_STREAM, 0);

	(void)alarm(300); /* should the test forget it */
	for (int i = 0; i < (probe == -1 ? 1 : 2); i++) {
		make_every_ending(make_listener(families[i], 16));
		make_every_beginning(families[i]);
		make_datagram_sockets(families[i]);
	}
	if (probe != -1)
		make_mapped_pair();
	must(printf("ready\n"), "printf");
	must(fflush(stdout), "fflush");
	return pause();
}
