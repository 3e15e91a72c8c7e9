/*
 * load.c - puts a server, or a client, under load in a private network, on one processor
 * together with its load, and prints what it cost, as "name value" pairs in one line:
 *
 *   cost    microseconds of processor time, of both ends together
 *   wall    microseconds by the clock
 *   p50 p99 microseconds by the clock for one answer
 *   bytes   of memory that the server itself took for each connection
 *
 * each for one connection (churn, idle, opening), one answer (echo) or one MB (bulk).
 *
 *   load churn CONNECTIONS SECONDS COMMAND...   connect, greeting, one echo, close; 32 at once
 *   load mute CONNECTIONS SECONDS COMMAND...    the same with a server that does not greet
 *   load echo CONNECTIONS SECONDS COMMAND...    64 bytes on each, again and again
 *   load bulk MEGABYTES SECONDS COMMAND...      one way through one connection and back
 *   load idle CONNECTIONS SERVERS COMMAND...    so many silent on each of so many servers
 *   load start ROUNDS 0 COMMAND...              until it says that it listens
 *   load opening CONNECTIONS RANGE COMMAND...   a client that opens and holds so many;
 *                                               RANGE wide, or narrow: the usual one
 *   load opener CONNECTIONS 0                   such a client with nothing else
 */
#define _GNU_SOURCE
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	AT_ONCE = 32, /* connections at once when they come and go */
	MESSAGE = 64, /* bytes in an echo */
	PROBES = 100, /* connections on which a full server is asked */
	MOST_ANSWERS = 4000000
};

#define WIDE_RANGE "10000 65535"

static const char message[MESSAGE + 1] =
    "The quick brown fox jumps over the lazy dog 0123456789 times or";

struct peer {
	int fd;
	int got;      /* bytes of what is awaited */
	char greeted; /* whether the greeting has come whole */
	double asked; /* when */
};

static double *answers;
static size_t answer_count;

static void remember(double seconds)
{
	if (answer_count < MOST_ANSWERS)
		answers[answer_count++] = seconds * 1e6;
}

/* A connection to the server; from 127.0.0.`own` if that is not 0, with any port. */
static int open_connection(unsigned own)
{
	struct sockaddr_in name = {.sin_family = AF_INET}, source = {.sin_family = AF_INET};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	name.sin_port = htons(PORT);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	source.sin_addr.s_addr = htonl((127u << 24) + own);
	if (fd == -1)
		die("socket");
	if (own != 0 &&
	    (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == -1 ||
	     bind(fd, (struct sockaddr *)&source, sizeof source) == -1))
		die("bind");
	if (connect(fd, (struct sockaddr *)&name, sizeof name) == -1)
		die("connect");
	return fd;
}

/* Reads the greeting, and nothing behind it; waits for it. */
static void read_greeting(int fd)
{
	char line[128];
	ssize_t count;

	do {
		count = recv(fd, line, sizeof line, 0);
		if (count <= 0)
			die("the greeting");
	} while (line[count - 1] != '\n');
}

/* One message there and back; waits for it. */
static void ask(int fd)
{
	char back[MESSAGE];

	if (send(fd, message, MESSAGE, 0) != MESSAGE)
		die("send");
	if (recv(fd, back, MESSAGE, MSG_WAITALL) != MESSAGE || memcmp(back, message, MESSAGE) != 0)
		die("the echo");
}

/* ---- what a load has cost ---- */

struct meter {
	pid_t server;
	double wall, own, server_before;
};

static struct meter meter_start(pid_t server)
{
	return (struct meter){server, wall_seconds(), cpu_seconds(0), cpu_seconds(server)};
}

/* Ends the server, for what its children cost is known only then. */
static void meter_print(const struct meter *meter, double count)
{
	double wall = wall_seconds() - meter->wall;
	double own = cpu_seconds(0) - meter->own;
	double server = measure_stop(meter->server) - meter->server_before;

	printf("cost %.3f server %.3f wall %.3f", (own + server) * 1e6 / count,
	       server * 1e6 / count, wall * 1e6 / count);
}

static void print_answers(void)
{
	double middle = percentile(answers, answer_count, 0.5);

	printf(" p50 %.2f p99 %.2f", middle, percentile(answers, answer_count, 0.99));
}

static void watch(int epoll_fd, struct peer *peer)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, peer->fd, &event) == -1)
		die("epoll_ctl");
}

/* ---- churn ---- */

static void churn_open(int epoll_fd, struct peer *peer, int mute)
{
	*peer = (struct peer){.fd = open_connection(0), .greeted = (char)mute};
	watch(epoll_fd, peer);
	if (mute && send(peer->fd, message, MESSAGE, 0) != MESSAGE)
		die("send");
}

/* Goes on with one connection. Returns 1 when it has had its echo. */
static int churn_go_on(struct peer *peer)
{
	char buffer[256];
	ssize_t count = recv(peer->fd, buffer, sizeof buffer, 0);

	if (count <= 0)
		die("a connection of the churn");
	if (peer->greeted) {
		peer->got += (int)count;
		return peer->got >= MESSAGE;
	}
	if (buffer[count - 1] == '\n') {
		peer->greeted = 1;
		if (send(peer->fd, message, MESSAGE, 0) != MESSAGE)
			die("send");
	}
	return 0;
}

static void churn(long most, double seconds, char **command, int mute)
{
	struct peer peers[AT_ONCE];
	struct epoll_event events[AT_ONCE];
	int epoll_fd = epoll_create1(0);
	long opened = 0, closed = 0;
	pid_t server;

	measure_enter_network(WIDE_RANGE);
	server = measure_start(command, getenv("OUTPUT"));
	measure_await_listener();
	struct meter meter = meter_start(server);
	double end = meter.wall + seconds;
	for (; opened < AT_ONCE; opened++)
		churn_open(epoll_fd, &peers[opened], mute);
	while (closed < opened) {
		int ready = epoll_wait(epoll_fd, events, AT_ONCE, 10000);
		if (ready <= 0)
			die("no connection of the churn goes on");
		for (int i = 0; i < ready; i++) {
			struct peer *peer = events[i].data.ptr;
			if (!churn_go_on(peer))
				continue;
			(void)close(peer->fd);
			closed++;
			if (opened < most && wall_seconds() < end) {
				churn_open(epoll_fd, peer, mute);
				opened++;
			}
		}
	}
	meter_print(&meter, (double)closed);
	printf(" connections %ld\n", closed);
}

/* ---- echo ---- */

static void echo_ask(struct peer *peer)
{
	peer->got = 0;
	peer->asked = wall_seconds();
	if (send(peer->fd, message, MESSAGE, 0) != MESSAGE)
		die("send");
}

static void echo(long connections, double seconds, char **command)
{
	struct peer *peers = calloc((size_t)connections, sizeof *peers);
	struct epoll_event events[256];
	int epoll_fd = epoll_create1(0);
	char buffer[MESSAGE];

	measure_enter_network(WIDE_RANGE);
	measure_need_descriptors(connections + 20);
	pid_t server = measure_start(command, NULL);
	measure_await_listener();
	for (long i = 0; i < connections; i++) {
		peers[i].fd = open_connection(0);
		read_greeting(peers[i].fd);
		watch(epoll_fd, &peers[i]);
	}
	struct meter meter = meter_start(server);
	double end = meter.wall + seconds;
	for (long i = 0; i < connections; i++)
		echo_ask(&peers[i]);
	for (double now = meter.wall; now < end;) {
		int ready = epoll_wait(epoll_fd, events, 256, 10000);
		if (ready <= 0)
			die("no echo comes");
		for (int i = 0; i < ready; i++) {
			struct peer *peer = events[i].data.ptr;
			ssize_t count = recv(peer->fd, buffer, (size_t)(MESSAGE - peer->got), 0);
			if (count <= 0)
				die("an echo");
			peer->got += (int)count;
			if (peer->got < MESSAGE)
				continue;
			now = wall_seconds();
			remember(now - peer->asked);
			echo_ask(peer);
		}
	}
	meter_print(&meter, (double)answer_count);
	print_answers();
	putchar('\n');
}

/* ---- bulk ---- */

static void bulk(long megabytes, char **command)
{
	enum { PIECE = 65536 };
	static char out[PIECE], in[PIECE];
	long long left_out = (long long)megabytes << 20, left_in = left_out;

	measure_enter_network(NULL);
	pid_t server = measure_start(command, NULL);
	measure_await_listener();
	int epoll_fd = epoll_create1(0), fd = open_connection(0);
	read_greeting(fd);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		die("fcntl");
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1)
		die("epoll_ctl");
	struct meter meter = meter_start(server);
	while (left_in > 0) {
		ssize_t count = 0;
		if (epoll_wait(epoll_fd, &event, 1, 10000) <= 0)
			die("the bulk stands still");
		if (left_out > 0 && (event.events & EPOLLOUT) != 0) {
			count = send(fd, out, left_out < PIECE ? (size_t)left_out : PIECE, 0);
			left_out -= count > 0 ? count : 0;
		}
		while (left_in > 0 && (count = recv(fd, in, PIECE, 0)) > 0)
			left_in -= count;
		if (count == 0 && left_in > 0)
			die("the server closed");
		if (left_out == 0) {
			struct epoll_event input = {.events = EPOLLIN};
			(void)epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &input);
			left_out = -1; /* said once */
		}
	}
	meter_print(&meter, (double)megabytes);
	putchar('\n');
}

/* ---- idle ---- */

/* Opens so many from an address of its own, says so by a byte, and holds them. */
static void hold_crowd(long connections, unsigned own, int report)
{
	for (long i = 0; i < connections; i++)
		read_greeting(open_connection(own));
	if (write(report, "", 1) != 1)
		die("write");
	for (;;)
		(void)pause();
}

static void idle(long connections, long servers, char **command)
{
	enum { MOST = 8, ROUNDS = 20, SECONDS = 2 };
	pid_t server[MOST], crowd[MOST];
	int probes[PROBES], report[2];
	double before = 0, after = 0;
	char byte;

	if (servers < 1 || servers > MOST || pipe(report) == -1)
		die("so many servers");
	measure_enter_network(WIDE_RANGE);
	measure_need_descriptors(connections + 300);
	for (long i = 0; i < servers; i++) {
		server[i] = measure_start(command, NULL);
		measure_await_listener();
	}
	(void)usleep(100000); /* memory at rest */
	for (long i = 0; i < servers; i++)
		before += (double)memory_bytes(server[i]);
	double start = wall_seconds();
	for (long i = 0; i < servers; i++) {
		crowd[i] = fork();
		if (crowd[i] == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
			hold_crowd(connections, (unsigned)i + 2, report[1]);
		if (crowd[i] == -1 || read(report[0], &byte, 1) != 1)
			die("the crowd");
	}
	double opening = wall_seconds() - start;
	for (long i = 0; i < servers; i++)
		after += (double)memory_bytes(server[i]);
	for (int i = 0; i < PROBES; i++) {
		probes[i] = open_connection(0);
		read_greeting(probes[i]);
	}
	double end = wall_seconds() + SECONDS;
	for (int round = 0; round < ROUNDS && wall_seconds() < end; round++)
		for (int i = 0; i < PROBES; i++) {
			double asked = wall_seconds();
			ask(probes[i]);
			remember(wall_seconds() - asked);
		}
	double all = (double)(connections * servers);
	printf("bytes %.1f", (after - before) / all);
	printf(" wall %.2f", opening * 1e6 / all);
	print_answers();
	putchar('\n');
	for (long i = 0; i < servers; i++) {
		(void)kill(crowd[i], SIGKILL);
		(void)waitpid(crowd[i], NULL, 0);
		(void)measure_stop(server[i]);
	}
}

/* ---- start ---- */

static void start(long rounds, char **command)
{
	char text[1024];
	int ends[2];

	measure_enter_network(NULL);
	for (long i = 0; i < rounds; i++) {
		if (pipe(ends) == -1)
			die("pipe");
		char output[32];
		snprintf(output, sizeof output, "/proc/self/fd/%d", ends[1]);
		double begin = wall_seconds();
		pid_t server = measure_start(command, output);
		size_t length = 0;
		for (text[0] = '\0'; strstr(text, "listening") == NULL;) {
			ssize_t count = read(ends[0], text + length, sizeof text - 1 - length);
			if (count <= 0)
				die("\"listening\"");
			length += (size_t)count;
			text[length] = '\0';
		}
		remember(wall_seconds() - begin);
		(void)measure_stop(server);
		(void)close(ends[0]);
		(void)close(ends[1]);
	}
	printf("wall %.1f\n", percentile(answers, answer_count, 0.5));
}

/* ---- opening: the client under measurement; the bare server is this process ---- */

static void opening(long connections, const char *range, char **command)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT)}, peer;
	socklen_t length = sizeof peer;
	int on = 1, listener;
	char line[96];
	double begin = 0, own = 0, client_before = 0;

	measure_enter_network(strcmp(range, "wide") == 0 ? WIDE_RANGE : NULL);
	measure_need_descriptors(connections + 20);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&name, sizeof name) == -1 ||
	    listen(listener, 128) == -1)
		die("listen");
	pid_t client = measure_start(command, NULL);
	for (long i = 0; i < connections; i++) {
		int fd = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
		if (fd == -1)
			die("accept");
		if (i == 0) {
			begin = wall_seconds();
			own = cpu_seconds(0);
			client_before = cpu_seconds(client);
		}
		int count =
		    snprintf(line, sizeof line, "hello 127.0.0.1:%d from 127.0.0.1:%d connection %ld\n",
		             ntohs(peer.sin_port), PORT, i + 1);
		if (send(fd, line, (size_t)count, 0) != count)
			die("send");
	}
	double used = cpu_seconds(0) - own + cpu_seconds(client) - client_before;
	printf("cost %.3f wall %.3f\n", used * 1e6 / (double)connections,
	       (wall_seconds() - begin) * 1e6 / (double)connections);
	(void)kill(client, SIGKILL);
	(void)waitpid(client, NULL, 0);
}

static void opener(long connections)
{
	measure_need_descriptors(connections + 20);
	for (long i = 0; i < connections; i++)
		read_greeting(open_connection(0));
	(void)pause();
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fputs("usage: load KIND COUNT NUMBER [COMMAND...]: see load.c\n", stderr);
		return 2;
	}
	const char *kind = argv[1];
	long count = atol(argv[2]);
	char **command = argv + 4;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(60); /* whatever hangs, ends */
	answers = malloc(MOST_ANSWERS * sizeof *answers);
	if (answers == NULL)
		die("malloc");
	if (strcmp(kind, "opener") == 0) {
		opener(count);
		return 0;
	}
	measure_pin();
	if (strcmp(kind, "churn") == 0)
		churn(count, atof(argv[3]), command, 0);
	else if (strcmp(kind, "mute") == 0)
		churn(count, atof(argv[3]), command, 1);
	else if (strcmp(kind, "echo") == 0)
		echo(count, atof(argv[3]), command);
	else if (strcmp(kind, "bulk") == 0)
		bulk(count, command);
	else if (strcmp(kind, "idle") == 0)
		idle(count, atol(argv[3]), command);
	else if (strcmp(kind, "start") == 0)
		start(count, command);
	else if (strcmp(kind, "opening") == 0)
		opening(count, argv[3], command);
	return 0;
}
