/*
 * crowd.c - many clients at once, honest and hostile, to see what a server survives.
 *
 *   crowd [-q] [-s SOURCE] BEHAVIOUR PORT COUNT [BYTES]
 *
 * Those that stay say "ready COUNT" once they all stand, and stay until standard input ends;
 * -q: it is enough that they are connected, although nobody may have accepted them. Each
 * client's bytes are a stream of its own, made from its source port and number, so that a byte
 * lost, doubled or taken from somebody else's stream shows. At the end comes one line:
 *
 *   NAME COUNT exact N cut N wrong N sent BYTES read BYTES median MS p99 MS slowest MS
 *
 * exact: every byte came back as it was, and the end after it; cut: the server ended it
 * first; wrong: other bytes came. A round trip goes from connect() to the greeting, or from
 * a chunk's first byte to the last one of its echo. Exit status 1 where it took too long.
 * Partner: tests/survival.bats.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	AT_ONCE = 64,         /* connections that wait for their greeting: less than a backlog */
	PIECE = 16384,        /* bytes sent or read at once */
	LONGEST_STEP = 8192,  /* of an honest client's chunk */
	QUIET_MS = 400,       /* nobody could send for so long: all are full */
	PATIENCE_MS = 120000, /* for any one thing to happen */
	SMALL_BUFFER = 4096,
	SMALL_SEGMENT = 1460, /* as on an Ethernet; loopback's buffers are 40 times as large */
};

enum pace {
	IN_STEP,         /* a chunk, and the next when it has come back */
	A_BYTE_A_SECOND, /* slow writers */
	WITHOUT_END,     /* as much as the server takes */
	NOTHING          /* connected, and silent */
};

enum content { RANDOM, ONE_LINE, EVERY_BYTE };

struct behaviour {
	const char *name;
	enum pace pace;
	enum content content;
	uint64_t bytes; /* if none are given */
};

static const struct behaviour behaviours[] = {
    {"honest", IN_STEP, RANDOM, 65536},           {"lines", IN_STEP, ONE_LINE, 1048576},
    {"binary", IN_STEP, EVERY_BYTE, 65536},       {"slow-readers", WITHOUT_END, RANDOM, 0},
    {"slow-writers", A_BYTE_A_SECOND, RANDOM, 0}, {"silent", NOTHING, RANDOM, 0},
};

enum phase { CONNECTING, UNGREETED, TALKING, LEAVING, OVER };

struct client {
	int fd;
	enum phase phase;
	bool cut, wrong, named; /* named: its greeting has been read and compared */
	uint64_t seed;
	uint64_t sent, echoed, step_end;
	int64_t asked_us; /* since when it waits for the greeting, or for a chunk's echo */
	char greeting[96];
	size_t greeting_length;
};

struct crowd {
	const struct behaviour *behaviour;
	const char *source; /* address, or NULL for the system's choice */
	uint16_t port;
	uint64_t bytes;
	bool queue_is_enough;
	struct client *clients;
	int count, opened, ungreeted;
	struct pollfd *fds;
	int *owners;      /* whose the descriptor of the same index is */
	int64_t moved_us; /* when somebody last sent a byte */
	bool leaving, input_ended;
	uint64_t read;
	double *trips; /* milliseconds */
	size_t trip_count, trip_room;
};

static void must(bool fine, const char *call)
{
	if (fine)
		return;
	perror(call);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec now;

	must(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "clock_gettime");
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the streams ---- */

/* Scatters a number over 64 bits (the finishing step of SplitMix64). */
static uint64_t scatter(uint64_t value)
{
	value += 0x9e3779b97f4a7c15u;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

/* Eight bytes of a stream, from a multiple of 8 on. */
static void eight_bytes(enum content content, uint64_t seed, uint64_t from, unsigned char *out)
{
	uint64_t word = scatter(seed ^ scatter(from));

	for (unsigned i = 0; i < 8; i++) {
		unsigned char byte = (unsigned char)(word >> (8 * i));
		if (content == ONE_LINE) /* no end of line in it */
			byte = (unsigned char)(' ' + byte % 95);
		else if (content == EVERY_BYTE) /* 256 NULs, then 256 different ones */
			byte = (from / 256 & 1) == 0 ? 0 : (unsigned char)(seed + from + i);
		out[i] = byte;
	}
}

static void stream_at(enum content content, uint64_t seed, uint64_t from, unsigned char *out,
                      size_t length)
{
	unsigned char word[8];

	for (size_t done = 0; done < length;) {
		size_t skipped = (size_t)((from + done) % 8);
		size_t count = 8 - skipped < length - done ? 8 - skipped : length - done;
		eight_bytes(content, seed, from + done - skipped, word);
		memcpy(out + done, word + skipped, count);
		done += count;
	}
}

/* ---- one client ---- */

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in address;

	memset(&address, 0, sizeof address);
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	must(inet_pton(AF_INET, text, &address.sin_addr) == 1, "inet_pton");
	return address;
}

/* Slow readers keep little: what they are sent stays in the server and its kernel. */
static void make_small(int fd)
{
	int buffer = SMALL_BUFFER, segment = SMALL_SEGMENT;

	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) == 0, "SO_RCVBUF");
	must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) == 0, "SO_SNDBUF");
	must(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment) == 0, "TCP_MAXSEG");
}

/* Begins to connect. Returns the descriptor; it does not block. */
static int dial(const char *source, uint16_t port, bool small)
{
	struct sockaddr_in server = address_of("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	must(fd != -1, "socket");
	must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
	must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
	if (small)
		make_small(fd);
	if (source != NULL) {
		struct sockaddr_in own = address_of(source, 0);
		must(bind(fd, (const struct sockaddr *)&own, sizeof own) == 0, "bind");
	}
	must(connect(fd, (const struct sockaddr *)&server, sizeof server) == 0 ||
	         errno == EINPROGRESS,
	     "connect");
	return fd;
}

static uint16_t own_port(int fd, char *text)
{
	struct sockaddr_in own;
	socklen_t length = sizeof own;

	must(getsockname(fd, (struct sockaddr *)&own, &length) == 0, "getsockname");
	must(inet_ntop(AF_INET, &own.sin_addr, text, INET_ADDRSTRLEN) != NULL, "inet_ntop");
	return ntohs(own.sin_port);
}

/* The greeting must name this very client. */
static bool greets(const struct client *client, uint16_t port)
{
	char expected[96], address[INET_ADDRSTRLEN];
	unsigned long number;
	char more;

	uint16_t own = own_port(client->fd, address);
	snprintf(expected, sizeof expected, "hello %s:%u from 127.0.0.1:%u connection ", address,
	         own, port);
	return strncmp(client->greeting, expected, strlen(expected)) == 0 &&
	       sscanf(client->greeting + strlen(expected), "%lu%c", &number, &more) == 1;
}

static void note_trip(struct crowd *crowd, const struct client *client)
{
	if (crowd->trip_count == crowd->trip_room) {
		crowd->trip_room = crowd->trip_room * 2 + 1024;
		crowd->trips = realloc(crowd->trips, crowd->trip_room * sizeof *crowd->trips);
		must(crowd->trips != NULL, "realloc");
	}
	crowd->trips[crowd->trip_count++] = (double)(now_us() - client->asked_us) / 1000;
}

static void end_client(struct crowd *crowd, struct client *client)
{
	crowd->ungreeted -= client->phase <= UNGREETED;
	client->phase = OVER;
	must(close(client->fd) == 0, "close");
}

static void cut_client(struct crowd *crowd, struct client *client)
{
	client->cut = true;
	end_client(crowd, client);
}

static void greeted(struct crowd *crowd, struct client *client)
{
	if (client->phase != UNGREETED)
		return;
	note_trip(crowd, client);
	crowd->ungreeted--;
	client->phase = TALKING;
	client->asked_us = now_us();
}

/* Everything is sent, if there is an end of it: say so, and listen to the end. */
static void leave(struct crowd *crowd, struct client *client)
{
	int large = 262144;

	if (client->phase >= LEAVING)
		return;
	crowd->ungreeted -= client->phase <= UNGREETED;
	client->phase = LEAVING;
	must(setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large) == 0, "SO_RCVBUF");
	if (shutdown(client->fd, SHUT_WR) == -1)
		cut_client(crowd, client);
}

/* An honest client's next chunk: of any length, so that chunks and reads do not coincide. */
static void next_step(const struct crowd *crowd, struct client *client)
{
	uint64_t length = 1 + scatter(client->seed + client->echoed) % LONGEST_STEP;

	client->step_end =
	    client->echoed + length < crowd->bytes ? client->echoed + length : crowd->bytes;
	client->asked_us = now_us();
}

/* Takes the bytes of the greeting out of what came. Returns how many there were. */
static size_t read_greeting(struct crowd *crowd, struct client *client,
                            const unsigned char *bytes, size_t length)
{
	size_t taken = 0;

	while (taken < length && !client->named) {
		char byte = (char)bytes[taken++];
		if (byte == '\n') {
			client->named = true;
			client->wrong = client->wrong || !greets(client, crowd->port);
		} else if (client->greeting_length + 1 < sizeof client->greeting) {
			client->greeting[client->greeting_length++] = byte;
		} else {
			client->wrong = true;
		}
	}
	return taken;
}

static void compare(struct crowd *crowd, struct client *client, const unsigned char *bytes,
                    size_t length)
{
	unsigned char expected[PIECE];

	if (client->echoed + length > client->sent) {
		client->wrong = true; /* more than was ever sent */
		return;
	}
	stream_at(crowd->behaviour->content, client->seed, client->echoed, expected, length);
	client->wrong = client->wrong || memcmp(expected, bytes, length) != 0;
	client->echoed += length;
}

static void receive(struct crowd *crowd, struct client *client)
{
	unsigned char bytes[PIECE];
	ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);

	if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (count <= 0) {
		if (count == 0 && client->phase == LEAVING)
			end_client(crowd, client);
		else
			cut_client(crowd, client);
		return;
	}
	crowd->read += (uint64_t)count;
	size_t taken = read_greeting(crowd, client, bytes, (size_t)count);
	compare(crowd, client, bytes + taken, (size_t)count - taken);
	if (client->wrong)
		end_client(crowd, client);
	else if (client->named)
		greeted(crowd, client);
}

/* How far this client may send now. */
static uint64_t allowance(const struct crowd *crowd, const struct client *client)
{
	if (client->phase != TALKING)
		return 0;
	switch (crowd->behaviour->pace) {
	case IN_STEP:
		return client->step_end;
	case A_BYTE_A_SECOND:
		return 1 + (uint64_t)(now_us() - client->asked_us) / 1000000;
	case WITHOUT_END:
		return UINT64_MAX;
	case NOTHING:
		break;
	}
	return 0;
}

static void transmit(struct crowd *crowd, struct client *client)
{
	unsigned char bytes[PIECE];
	uint64_t left = allowance(crowd, client) - client->sent;
	size_t length = left < PIECE ? (size_t)left : PIECE;

	stream_at(crowd->behaviour->content, client->seed, client->sent, bytes, length);
	ssize_t count = send(client->fd, bytes, length, MSG_NOSIGNAL);
	if (count > 0) {
		client->sent += (uint64_t)count;
		crowd->moved_us = now_us();
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		cut_client(crowd, client);
	}
}

/* ---- all of them ---- */

static bool reads(const struct crowd *crowd)
{
	return crowd->leaving || crowd->behaviour->pace != WITHOUT_END;
}

static short events_of(const struct crowd *crowd, const struct client *client)
{
	int events = 0;

	if (client->phase == CONNECTING)
		return POLLOUT;
	if (client->phase == UNGREETED || reads(crowd))
		events |= POLLIN;
	if (allowance(crowd, client) > client->sent)
		events |= POLLOUT;
	return client->phase == OVER ? 0 : (short)events;
}

/* What an honest client does once all it has sent is back. */
static void go_on(struct crowd *crowd, struct client *client)
{
	if (client->phase != TALKING || crowd->behaviour->pace != IN_STEP ||
	    client->echoed != client->step_end)
		return;
	if (client->step_end != 0)
		note_trip(crowd, client);
	if (client->echoed == crowd->bytes)
		leave(crowd, client);
	else
		next_step(crowd, client);
}

static void connected(struct crowd *crowd, struct client *client)
{
	char text[INET_ADDRSTRLEN];
	int error = 0;
	socklen_t length = sizeof error;

	must(getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0, "SO_ERROR");
	if (error != 0) {
		cut_client(crowd, client);
		return;
	}
	client->phase = UNGREETED;
	client->seed =
	    scatter((uint64_t)(client - crowd->clients) << 16 | own_port(client->fd, text));
}

static void serve_client(struct crowd *crowd, struct client *client, short events)
{
	if (client->phase == CONNECTING) {
		connected(crowd, client);
		return;
	}
	if (events & (POLLIN | POLLHUP | POLLERR)) {
		if (reads(crowd))
			receive(crowd, client);
		else
			greeted(crowd, client); /* and leaves it lying */
	}
	if ((events & POLLOUT) && allowance(crowd, client) > client->sent)
		transmit(crowd, client);
	go_on(crowd, client);
}

static void open_clients(struct crowd *crowd)
{
	while (!crowd->leaving && crowd->opened < crowd->count && crowd->ungreeted < AT_ONCE) {
		struct client *client = &crowd->clients[crowd->opened++];
		client->asked_us = now_us();
		client->fd = dial(crowd->source, crowd->port, crowd->behaviour->pace == WITHOUT_END);
		client->phase = CONNECTING;
		crowd->ungreeted++;
	}
}

/* Waits until something happens, 50 ms at most, and serves whoever it happens to. */
static void turn(struct crowd *crowd)
{
	nfds_t count = 1;

	open_clients(crowd);
	crowd->fds[0] = (struct pollfd){crowd->input_ended ? -1 : STDIN_FILENO, POLLIN, 0};
	for (int i = 0; i < crowd->opened; i++) {
		short events = events_of(crowd, &crowd->clients[i]);
		if (events == 0)
			continue;
		crowd->fds[count] = (struct pollfd){crowd->clients[i].fd, events, 0};
		crowd->owners[count++] = i;
	}
	must(poll(crowd->fds, count, 50) != -1 || errno == EINTR, "poll");
	if (crowd->fds[0].revents != 0) {
		char byte;
		crowd->input_ended = read(STDIN_FILENO, &byte, 1) <= 0;
	}
	for (nfds_t i = 1; i < count; i++)
		if (crowd->fds[i].revents != 0)
			serve_client(crowd, &crowd->clients[crowd->owners[i]], crowd->fds[i].revents);
}

static int count_from(const struct crowd *crowd, enum phase phase)
{
	int found = 0;

	for (int i = 0; i < crowd->opened; i++)
		found += crowd->clients[i].phase >= phase;
	return found;
}

static bool have_echo(const struct crowd *crowd)
{
	for (int i = 0; i < crowd->opened; i++)
		if (crowd->clients[i].phase == TALKING && crowd->clients[i].echoed == 0)
			return false;
	return true;
}

/* Whether they are where they want to be. */
static bool stands(const struct crowd *crowd)
{
	if (crowd->opened < crowd->count)
		return false;
	if (crowd->behaviour->pace == IN_STEP)
		return count_from(crowd, OVER) == crowd->count;
	if (count_from(crowd, crowd->queue_is_enough ? UNGREETED : TALKING) < crowd->count)
		return false;
	if (crowd->behaviour->pace == A_BYTE_A_SECOND)
		return have_echo(crowd);
	return crowd->behaviour->pace != WITHOUT_END ||
	       now_us() - crowd->moved_us > QUIET_MS * 1000;
}

static bool in_time(int64_t began_us)
{
	return now_us() - began_us < (int64_t)PATIENCE_MS * 1000;
}

/* All leave: what has been sent must come back, and then the end. */
static void leave_all(struct crowd *crowd)
{
	int64_t began = now_us();

	crowd->leaving = true;
	for (int i = 0; i < crowd->opened; i++) {
		struct client *client = &crowd->clients[i];
		if (client->phase == UNGREETED || client->phase == TALKING)
			receive(crowd, client); /* has the server ended it already? */
		if (client->phase < LEAVING)
			leave(crowd, client);
	}
	while (count_from(crowd, OVER) < crowd->opened && in_time(began))
		turn(crowd);
}

/* ---- the result ---- */

static int compare_trips(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double trip(const struct crowd *crowd, size_t percent)
{
	return crowd->trip_count == 0 ? 0 : crowd->trips[(crowd->trip_count - 1) * percent / 100];
}

static bool is_exact(const struct client *client)
{
	return client->phase == OVER && client->named && !client->cut && !client->wrong &&
	       client->echoed == client->sent;
}

static void tell(struct crowd *crowd)
{
	int exact = 0, cut = 0, wrong = 0;
	uint64_t sent = 0;

	for (int i = 0; i < crowd->count; i++) {
		const struct client *client = &crowd->clients[i];
		exact += is_exact(client);
		cut += client->cut;
		wrong += client->wrong;
		sent += client->sent;
	}
	if (crowd->trip_count > 0)
		qsort(crowd->trips, crowd->trip_count, sizeof *crowd->trips, compare_trips);
	printf("%s %d exact %d cut %d wrong %d sent %llu read %llu", crowd->behaviour->name,
	       crowd->count, exact, cut, wrong, (unsigned long long)sent,
	       (unsigned long long)crowd->read);
	printf(" median %.3f p99 %.3f slowest %.3f\n", trip(crowd, 50), trip(crowd, 99),
	       trip(crowd, 100));
}

static int run_behaviour(struct crowd *crowd)
{
	int64_t began = now_us();

	if (crowd->bytes == 0)
		crowd->bytes = crowd->behaviour->bytes;
	crowd->clients = calloc((size_t)crowd->count, sizeof *crowd->clients);
	crowd->fds = calloc((size_t)crowd->count + 1, sizeof *crowd->fds);
	crowd->owners = calloc((size_t)crowd->count + 1, sizeof *crowd->owners);
	must(crowd->clients != NULL && crowd->fds != NULL && crowd->owners != NULL, "calloc");
	crowd->input_ended = crowd->behaviour->pace == IN_STEP; /* it is not looked at */
	crowd->moved_us = began;
	while (!stands(crowd) && in_time(began))
		turn(crowd);
	bool stood = stands(crowd);
	if (stood && !crowd->input_ended)
		printf("ready %d\n", crowd->count);
	while (stood && !crowd->input_ended)
		turn(crowd);
	leave_all(crowd);
	tell(crowd);
	return stood && count_from(crowd, OVER) == crowd->count ? 0 : 1;
}

/* ---- those that come to leave ---- */

static void await(int fd, short events, const char *what)
{
	struct pollfd wanted = {fd, events, 0};
	int ready;

	do
		ready = poll(&wanted, 1, PATIENCE_MS);
	while (ready == -1 && errno == EINTR);
	if (ready == 1)
		return;
	fprintf(stderr, "crowd: no %s in time\n", what);
	exit(1);
}

static void reset_connection(int fd)
{
	struct linger at_once = {1, 0};

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0, "SO_LINGER");
	must(close(fd) == 0, "close");
}

/*
 * One of the storm: cut at once, or with bytes, or bytes and FIN, under way; every eighth
 * when it has been greeted, so that the storm is as fast as the server accepts and its queue
 * never fills.
 */
static void storm_once(uint16_t port, unsigned long number)
{
	static const char bytes[20000];
	int fd = dial(NULL, port, false);

	await(fd, POLLOUT, "connection");
	if (number % 8 == 7)
		await(fd, POLLIN, "greeting");
	if (number % 2 == 1)
		(void)send(fd, bytes, sizeof bytes, MSG_NOSIGNAL); /* or it is gone already */
	if (number % 4 == 1) /* whoever writes after FIN and RST gets EPIPE, and SIGPIPE */
		(void)shutdown(fd, SHUT_WR);
	reset_connection(fd);
}

static int run_resets(const struct crowd *crowd)
{
	struct pollfd input = {STDIN_FILENO, POLLIN, 0};
	unsigned long made = 0;

	while (made < (unsigned long)crowd->count)
		storm_once(crowd->port, made++);
	printf("ready %d\n", crowd->count);
	while (poll(&input, 1, 0) == 0)
		storm_once(crowd->port, made++);
	printf("resets %lu\n", made);
	return 0;
}

/*
 * The states in which a client closes. Each letter is a step that all of a group take:
 * g reads the greeting, s sends some bytes, e waits until their echo lies there unread,
 * r reads a part of it, f sends until both ways are full, w and R shut down writing and
 * reading, z reads to the end, c closes, x resets.
 */
static const char ways[][8] = {
    "c",    "x",     "gc",    "gx",   "sc",   "sx",   "swc",   "swx",    "swzc",  "gsec",
    "gsex", "gserc", "gserx", "gwc",  "gwx",  "gwzc", "gswzc", "gsewzc", "gRsec", "gRwzc",
    "gRsx", "gfc",   "gfx",   "gfrc", "gfrx", "gfwc", "gfwx",  "gfwzc",  "gfRc",  "gserwzc",
};

/* Reads on until done() or the end; what comes must be this client's own stream. */
static void read_until(struct crowd *crowd, struct client *client, char step)
{
	while (client->phase != OVER && !(step == 'g' && client->named) &&
	       !(step == 'r' && client->echoed > 0)) {
		await(client->fd, POLLIN, "answer");
		receive(crowd, client);
	}
}

/* Sends what goes at once. Returns whether anything did. */
static bool send_some(struct crowd *crowd, struct client *client)
{
	uint64_t before = client->sent;

	if (client->phase == OVER)
		return false;
	client->phase = TALKING;
	transmit(crowd, client);
	return client->sent > before;
}

/* Until nobody of the group can send any more, and a while later still cannot. */
static void fill(struct crowd *crowd, int first, int last)
{
	crowd->moved_us = now_us();
	while (now_us() - crowd->moved_us < QUIET_MS * 1000 / 4) {
		bool moved = false;
		for (int i = first; i < last; i++)
			moved = send_some(crowd, &crowd->clients[i]) || moved;
		if (!moved)
			(void)poll(NULL, 0, 5);
	}
}

static void take_step(struct crowd *crowd, struct client *client, char step)
{
	if (client->phase == OVER)
		return;
	switch (step) {
	case 'g':
	case 'r':
	case 'z':
		read_until(crowd, client, step);
		break;
	case 's':
		(void)send_some(crowd, client); /* what the server does then is the question */
		break;
	case 'e':
		await(client->fd, POLLIN, "echo");
		break;
	case 'w':
		leave(crowd, client);
		break;
	case 'R':
		must(shutdown(client->fd, SHUT_RD) == 0, "shutdown");
		break;
	case 'x':
		reset_connection(client->fd);
		client->phase = OVER;
		break;
	default:
		end_client(crowd, client);
		break;
	}
}

/* A group of clients goes one way, step by step. */
static void go_way(struct crowd *crowd, const char *way, int first, int last)
{
	for (int i = first; i < last; i++) {
		struct client *client = &crowd->clients[i];
		client->asked_us = now_us();
		client->fd = dial(NULL, crowd->port, true);
		crowd->opened++;
		crowd->ungreeted++;
		await(client->fd, POLLOUT, "connection");
		connected(crowd, client);
	}
	for (; *way != '\0'; way++) {
		if (*way == 'f')
			fill(crowd, first, last);
		for (int i = first; *way != 'f' && i < last; i++)
			take_step(crowd, &crowd->clients[i], *way);
	}
}

/*
 * COUNT clients go each way, at most AT_ONCE at a time; with -q one at a time. Exact are
 * those that read to the end; "sent" counts what the kernel took, not what arrived.
 */
static int run_closes(struct crowd *crowd)
{
	static const struct behaviour closing = {"closes", WITHOUT_END, RANDOM, 0};
	int each = crowd->count, way_count = (int)(sizeof ways / sizeof ways[0]);
	int group = crowd->queue_is_enough ? 1 : each < AT_ONCE ? each : AT_ONCE;

	crowd->behaviour = &closing;
	crowd->count = each * way_count;
	crowd->clients = calloc((size_t)crowd->count, sizeof *crowd->clients);
	must(crowd->clients != NULL, "calloc");
	for (int way = 0; way < way_count; way++) {
		for (int done = 0; done < each; done += group) {
			int last = done + group < each ? done + group : each;
			go_way(crowd, ways[way], way * each + done, way * each + last);
		}
	}
	tell(crowd);
	return 0;
}

/* ---- beginning and end ---- */

static int usage(void)
{
	fprintf(stderr, "usage: crowd [-q] [-s SOURCE] BEHAVIOUR PORT COUNT [BYTES]\n"
	                "BEHAVIOUR: resets closes");
	for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++)
		fprintf(stderr, " %s", behaviours[i].name);
	fprintf(stderr, "\n");
	return 2;
}

static long number(const char *text, long least, long most)
{
	char *end;

	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && value >= least && value <= most)
		return value;
	exit(usage());
}

/* As many descriptors as this account may have. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

static int run(struct crowd *crowd, const char *name)
{
	if (strcmp(name, "resets") == 0)
		return run_resets(crowd);
	if (strcmp(name, "closes") == 0)
		return run_closes(crowd);
	for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++)
		if (strcmp(name, behaviours[i].name) == 0)
			crowd->behaviour = &behaviours[i];
	return crowd->behaviour != NULL ? run_behaviour(crowd) : usage();
}

int main(int argc, char **argv)
{
	struct crowd crowd = {.count = 0};
	int option;

	while ((option = getopt(argc, argv, "qs:")) != -1) {
		if (option == 'q')
			crowd.queue_is_enough = true;
		else if (option == 's')
			crowd.source = optarg;
		else
			return usage();
	}
	argc -= optind;
	argv += optind;
	if (argc < 3 || argc > 4)
		return usage();
	crowd.port = (uint16_t)number(argv[1], 1, 65535);
	crowd.count = (int)number(argv[2], 1, 1000000);
	crowd.bytes = argc == 4 ? (uint64_t)number(argv[3], 1, 1 << 30) : 0;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(600); /* should the test forget it */
	must(setvbuf(stdout, NULL, _IOLBF, 0) == 0, "setvbuf");
	raise_descriptor_limit();
	int status = run(&crowd, argv[0]);
	free(crowd.clients);
	free(crowd.fds);
	free(crowd.owners);
	free(crowd.trips);
	return status;
}
