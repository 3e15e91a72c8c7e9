/*
 * bare_server.c - what the server is measured against: the same conversation (the greeting
 * line, then every byte back) in an epoll(7) loop with nothing else, no narration, no
 * options, no limits. usage: bare_server PORT; with a second argument: SO_REUSEPORT.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 16384, MOST = 65536 };

struct rest {
	size_t length, sent;
	char bytes[CHUNK];
};

static struct rest *rests[MOST]; /* by descriptor: what the kernel did not take; else NULL */
static unsigned long accepted;
static int epoll_fd, listener;
static int port;

static void watch(int operation, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	(void)epoll_ctl(epoll_fd, operation, fd, &event);
}

static void end(int fd)
{
	free(rests[fd]);
	rests[fd] = NULL;
	(void)close(fd);
}

static void greet_some(void)
{
	struct sockaddr_in peer;
	socklen_t length = sizeof peer;
	char name[INET_ADDRSTRLEN], line[96];

	for (int i = 0; i < 64; i++) {
		int fd = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK);
		if (fd == -1)
			return;
		int count =
		    snprintf(line, sizeof line, "hello %s:%d from 127.0.0.1:%d connection %lu\n",
		             inet_ntop(AF_INET, &peer.sin_addr, name, sizeof name),
		             ntohs(peer.sin_port), port, ++accepted);
		if (fd >= MOST || send(fd, line, (size_t)count, 0) != count)
			(void)close(fd);
		else
			watch(EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

static void send_rest(int fd)
{
	struct rest *rest = rests[fd];
	ssize_t count = send(fd, rest->bytes + rest->sent, rest->length - rest->sent, 0);

	if (count == -1) {
		if (errno != EAGAIN)
			end(fd);
		return;
	}
	rest->sent += (size_t)count;
	if (rest->sent < rest->length)
		return;
	free(rest);
	rests[fd] = NULL;
	watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void echo(int fd)
{
	char chunk[CHUNK];
	ssize_t got = recv(fd, chunk, sizeof chunk, 0);

	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			end(fd);
		return;
	}
	ssize_t sent = send(fd, chunk, (size_t)got, 0);
	if (sent == got)
		return;
	if (sent == -1 && errno != EAGAIN) {
		end(fd);
		return;
	}
	sent = sent == -1 ? 0 : sent;
	rests[fd] = malloc(sizeof *rests[fd]);
	if (rests[fd] == NULL) {
		end(fd);
		return;
	}
	rests[fd]->length = (size_t)(got - sent);
	rests[fd]->sent = 0;
	memcpy(rests[fd]->bytes, chunk + sent, rests[fd]->length);
	watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

int main(int argc, char **argv)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct epoll_event events[256];
	struct rlimit limit;
	int on = 1;

	port = argc > 1 ? atoi(argv[1]) : 0;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	name.sin_port = htons((uint16_t)port);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (argc > 2)
		(void)setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	epoll_fd = epoll_create1(0);
	if (bind(listener, (struct sockaddr *)&name, sizeof name) == -1 ||
	    listen(listener, 128) == -1 || epoll_fd == -1) {
		perror("bare_server");
		return 1;
	}
	watch(EPOLL_CTL_ADD, listener, EPOLLIN);
	puts("listening");
	(void)fflush(stdout);
	for (;;) {
		int ready = epoll_wait(epoll_fd, events, 256, -1);
		for (int i = 0; i < ready; i++) {
			int fd = events[i].data.fd;
			if (fd == listener)
				greet_some();
			else if (rests[fd] != NULL)
				send_rest(fd);
			else
				echo(fd);
		}
	}
}
