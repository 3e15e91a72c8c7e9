/* swarm.c - see swarm.h. */
#include "swarm.h"

#include "connection.h"
#include "conversation.h"
#include "kit/narrate.h"
#include "kit/waiting.h"
#include "parity.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SHOWN = 20, /* so many connections have lines of their own; JSON shows all */
	/*
	 * So many may be open and not yet greeted. A greeting says that the server has accepted:
	 * who opens faster than it accepts fills its queue, and then waits a second for each.
	 */
	AHEAD = 64
};

struct swarm {
	const struct options *options;
	struct endpoint peer;
	struct connection *ring;          /* options->at_once of them */
	long opened, conversed, finished; /* of each, so many, in the same order */
	bool rest_told;                   /* that not all have lines of their own */
	bool mute;                        /* this server does not greet: do not wait for it again */
	bool failed;
	struct parity parity;
	int64_t close_deadline; /* shared by all that are closed in a row */
	struct tally *tally;
};

static struct connection *slot(const struct swarm *swarm, long index)
{
	return &swarm->ring[index % swarm->options->at_once];
}

/* Text for the first few only: a thousand lines would tell a person less than twenty. */
static void narrate_only_first(struct swarm *swarm, long index)
{
	bool hushed = !narrate_is_json() && index >= SHOWN && swarm->options->count > SHOWN;

	if (hushed && !swarm->rest_told) {
		narrate_hush(false);
		narrate_detail("and so on: the other %ld are not shown (--json shows all)",
		               swarm->options->count - SHOWN);
		swarm->rest_told = true;
	}
	narrate_hush(hushed);
}

/* A connection to itself is no success: no server is there. */
static int refuse_self(struct connection *connection, const struct options *options)
{
	if (!endpoint_equal(&connection->local, &connection->peer))
		return 0;
	struct failure failure = connection_failure(connection, options, "connect", 0);
	explain_report(&failure);
	(void)close(connection->fd);
	connection->fd = -1;
	return -1;
}

/* Takes a connection that was opened into the swarm. Returns 0, or -1 after saying why not. */
static int admit(struct swarm *swarm, struct connection *connection)
{
	if (refuse_self(connection, swarm->options) == -1)
		return -1;
	swarm->opened++;
	narrate_hush(false);
	if (swarm->options->transport == TRANSPORT_TCP && !swarm->options->own_port)
		parity_add(&swarm->parity, endpoint_port(&connection->local), connection->id);
	if (tally_add(swarm->tally, endpoint_port(&connection->local)) == 0)
		return 0;
	complain("cannot remember so many source ports: %s", strerror(errno));
	return -1;
}

static int open_one(struct swarm *swarm)
{
	struct connection *connection = slot(swarm, swarm->opened);
	struct failure failure;

	narrate_only_first(swarm, swarm->opened);
	*connection = (struct connection){.fd = -1, .id = (uint32_t)(swarm->opened + 1)};
	if (connection_open(connection, &swarm->peer, swarm->options, &failure) == -1) {
		explain_report(&failure);
		return -1;
	}
	return admit(swarm, connection);
}

/* The first one may try every address that the name has. */
static int open_first(struct swarm *swarm, const struct endpoint *peers, int count)
{
	char this[ENDPOINT_TEXT_SIZE];

	for (int i = 0; i < count - 1; i++) {
		struct connection *connection = slot(swarm, 0);
		struct failure failure;
		swarm->peer = peers[i];
		*connection = (struct connection){.fd = -1, .id = 1};
		if (connection_open(connection, &peers[i], swarm->options, &failure) == 0)
			return admit(swarm, connection);
		narrate_detail("%s: %s; now the next address", endpoint_format(&peers[i], this),
		               failure.reason != NULL ? failure.reason : strerror(failure.error));
	}
	swarm->peer = peers[count - 1];
	return open_one(swarm);
}

/* Until when to wait for a greeting: an interactive user has something to say first. */
static int64_t greeting_deadline(const struct swarm *swarm)
{
	int64_t limit = swarm->options->timeout_ms;

	if (swarm->mute)
		limit = 0;
	else if (swarm->options->interactive && limit > 1000)
		limit = 1000;
	return clock_ms() + limit;
}

static int converse(struct swarm *swarm, struct connection *connection)
{
	const struct options *options = swarm->options;

	if (options->transport == TRANSPORT_UDP)
		return conversation_datagrams(connection, options);
	int greeted = conversation_greet(connection, options, greeting_deadline(swarm));
	if (greeted == 0 && !connection->ended)
		swarm->mute = true;
	if (greeted == -1 || connection->ended)
		return greeted;
	if (conversation_exchange(connection, options, greeted == 1) == -1)
		return -1;
	if (connection->ended || !options->interactive)
		return 0;
	return conversation_interactive(connection, options);
}

/* Greets and talks, oldest first, until no more than `ahead` are left that have not. */
static void converse_until(struct swarm *swarm, long ahead)
{
	while (swarm->opened - swarm->conversed > ahead && !narrate_failed()) {
		narrate_only_first(swarm, swarm->conversed);
		if (converse(swarm, slot(swarm, swarm->conversed)) == -1)
			swarm->failed = true;
		swarm->conversed++;
	}
}

/* A server may close, or cut, a connection that is being held: that is news. */
static void notice_end(struct swarm *swarm, struct connection *connection)
{
	char byte;

	narrate_only_first(swarm, connection->id - 1);
	if (recv(connection->fd, &byte, 1, MSG_PEEK) == 0)
		connection_at_eof(connection, swarm->options);
	narrate_hush(false);
}

/* Whether the keyboard is this program's: in the background it is somebody else's. */
static bool has_keyboard(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/*
 * Waits for the deadline or Enter, and for what the servers do meanwhile. fds holds the
 * open connections in order, and behind them standard input.
 */
static void hold_on(struct swarm *swarm, struct pollfd *fds, size_t open, int64_t deadline)
{
	char line[256];

	for (;;) {
		int64_t left = deadline == WAITING_FOREVER ? -1 : deadline - clock_ms();
		if (deadline != WAITING_FOREVER && left <= 0)
			return;
		int ready = poll(fds, (nfds_t)open + 1, left > INT_MAX ? INT_MAX : (int)left);
		if (ready == -1 && errno != EINTR) { /* it would fail again at once */
			complain("cannot wait: %s", strerror(errno));
			swarm->failed = true;
			return;
		}
		if (ready <= 0)
			continue;
		if (fds[open].revents != 0) {
			(void)!read(STDIN_FILENO, line, sizeof line); /* Enter, or the end of input */
			return;
		}
		for (size_t i = 0; i < open; i++)
			if (fds[i].revents != 0) {
				fds[i].fd = -1; /* poll() passes over it from now on */
				notice_end(swarm, slot(swarm, swarm->finished + (long)i));
			}
	}
}

static void tell_hold(const struct swarm *swarm, long open, bool keyboard)
{
	const struct options *options = swarm->options;
	char text[80];

	snprintf(text, sizeof text, "%ld open%s", open, keyboard ? ", Enter ends it" : "");
	if (options->hold_ms != HOLD_UNTIL_ENTER)
		snprintf(text + strlen(text), sizeof text - strlen(text), ", %g s",
		         (double)options->hold_ms / 1000);
	narrate(&(struct event){
	    .name = "hold",
	    .text = text,
	    .state = options->transport == TRANSPORT_TCP
	                 ? tcp_state_of_fd(slot(swarm, swarm->finished)->fd)
	                 : TCP_STATE_NONE,
	    .facts = FACTS({"open", NULL, open}),
	});
}

static void hold(struct swarm *swarm)
{
	int64_t limit = swarm->options->hold_ms;
	long open = swarm->opened - swarm->finished;
	bool keyboard = limit == HOLD_UNTIL_ENTER || has_keyboard();
	struct pollfd *fds = calloc((size_t)open + 1, sizeof *fds);

	narrate_hush(false);
	tell_hold(swarm, open, keyboard);
	if (fds == NULL) { /* then without news */
		(void)poll(NULL, 0, limit == HOLD_UNTIL_ENTER ? 0 : (int)limit);
		return;
	}
	for (long i = 0; i < open; i++) {
		const struct connection *connection = slot(swarm, swarm->finished + i);
		bool over = connection->ended || connection->broken; /* known: no news */
		fds[i] = (struct pollfd){over ? -1 : connection->fd, POLLIN, 0};
	}
	fds[open] = (struct pollfd){keyboard ? STDIN_FILENO : -1, POLLIN, 0};
	hold_on(swarm, fds, (size_t)open,
	        limit == HOLD_UNTIL_ENTER ? WAITING_FOREVER : clock_ms() + limit);
	free(fds);
}

static void finish_one(struct swarm *swarm)
{
	narrate_only_first(swarm, swarm->finished);
	connection_close(slot(swarm, swarm->finished), swarm->options, swarm->close_deadline);
	swarm->finished++;
}

static void finish_all(struct swarm *swarm)
{
	swarm->close_deadline = clock_ms() + swarm->options->timeout_ms;
	while (swarm->finished < swarm->opened)
		finish_one(swarm);
}

/* When as many are open as may be, each newcomer takes the place of the oldest. */
static void run(struct swarm *swarm, const struct endpoint *peers, int peer_count)
{
	const struct options *options = swarm->options;
	bool more = open_first(swarm, peers, peer_count) == 0;

	while (more && swarm->opened < options->count && !narrate_failed()) {
		if (swarm->opened - swarm->finished == options->at_once) {
			converse_until(swarm, 0);
			swarm->close_deadline = clock_ms() + options->timeout_ms;
			finish_one(swarm);
		}
		more = open_one(swarm) == 0;
		converse_until(swarm, AHEAD);
	}
	if (!more)
		swarm->failed = true;
	converse_until(swarm, 0);
	narrate_hush(false);
	parity_tell_pace(&swarm->parity);
	if (options->hold && swarm->opened > swarm->finished && !narrate_failed())
		hold(swarm);
	finish_all(swarm);
}

int swarm_run(const struct options *options, const struct endpoint *peers, int peer_count,
              struct tally *tally)
{
	struct swarm swarm = {.options = options,
	                      .tally = tally,
	                      .parity = {.by_bind = options->source_address != NULL}};

	swarm.ring = calloc((size_t)options->at_once, sizeof *swarm.ring);
	if (swarm.ring == NULL) {
		complain("cannot keep %ld connections: %s", options->at_once, strerror(errno));
		return -1;
	}
	run(&swarm, peers, peer_count);
	narrate_hush(false);
	free(swarm.ring);
	return swarm.failed ? -1 : 0;
}
