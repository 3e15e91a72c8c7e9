/* conversation.c - see conversation.h. */
#include "conversation.h"

#include "kit/greeting.h"
#include "kit/narrate.h"
#include "kit/text.h"
#include "kit/waiting.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	CHUNK = 16384,
	RECV_LINES = 16 /* lines about received data in one connection, then it gets quiet */
};

static uint32_t shown_id(const struct connection *connection, const struct options *options)
{
	return options->count > 1 ? connection->id : 0;
}

static int fail(struct connection *connection, const struct options *options, const char *call,
                int error)
{
	struct failure failure = connection_failure(connection, options, call, error);

	connection->broken = true;
	explain_report(&failure);
	return -1;
}

static bool would_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* ---- the greeting ---- */

static void tell_greeting(const struct connection *connection, const struct options *options,
                          const struct greeting *greeting)
{
	char saw[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE + 16];
	struct endpoint own = endpoint_without_zone(&connection->local);
	bool same = endpoint_equal(&greeting->client, &own);

	if ((same && !options_detailed(options)) || !narrate_wanted(false))
		return;
	snprintf(text, sizeof text, "server saw %s", endpoint_format(&greeting->client, saw));
	narrate(&(struct event){
	    .name = "hello",
	    .id = shown_id(connection, options),
	    .text = text,
	    .note = same ? "the same" : "not the same!",
	    .local = &connection->local,
	    .peer = &connection->peer,
	    .state = connection_state(connection, options),
	    .facts = FACTS({"saw", saw, 0}, {"number", NULL, greeting->number}),
	});
	if (!same)
		narrate_detail("address translation (NAT) on the way does that");
}

static bool may_be_greeting(const char *line, size_t length)
{
	static const char start[] = "hello ";
	size_t known = sizeof start - 1;

	return memcmp(line, start, length < known ? length : known) == 0;
}

enum no_greeting { GREETING_NONE, GREETING_INCOMPLETE, GREETING_OTHER };

static void tell_no_greeting(const struct connection *connection, const struct options *options,
                             enum no_greeting what)
{
	static const char *const texts[] = {
	    [GREETING_NONE] = "none: the server says nothing",
	    [GREETING_INCOMPLETE] = "incomplete when the time was over",
	    [GREETING_OTHER] = "none: this is no portlab server",
	};

	narrate(&(struct event){
	    .name = "hello",
	    .id = shown_id(connection, options),
	    .text = texts[what],
	    .peer = &connection->peer,
	    .local = &connection->local,
	    .state = connection_state(connection, options),
	});
	if (what == GREETING_NONE)
		narrate_detail("the kernels are connected; the program there has not answered");
}

/* Passes bytes on that are the result: as they are with -q, as a line otherwise. */
static int deliver(struct connection *connection, const struct options *options,
                   const char *bytes, size_t length)
{
	char shown[20], text[80], whole[256];

	connection->bytes_in += length;
	if (options->narration.quiet && options->narration.form == NARRATE_TEXT)
		return narrate_foreign(bytes, length);
	if (connection->told == RECV_LINES && !narrate_is_json()) {
		narrate_detail("and more, which is not shown (-q passes all of it on)");
		connection->told++;
	}
	if (connection->told > RECV_LINES && !narrate_is_json())
		return narrate_failed() ? -1 : 0;
	connection->told++;
	snprintf(text, sizeof text, "%zu byte%s \"%s\"", length, length == 1 ? "" : "s",
	         text_escape(bytes, length, shown, sizeof shown));
	narrate(&(struct event){
	    .name = "recv",
	    .id = shown_id(connection, options),
	    .text = text,
	    .state = connection_state(connection, options),
	    .facts = FACTS({"bytes", NULL, (long long)length},
	                   {"data", text_escape(bytes, length, whole, sizeof whole), 0}),
	});
	return narrate_failed() ? -1 : 0;
}

/*
 * Reads until a line is complete, or more than a greeting can have, or what cannot become
 * one; and nothing behind the line. Returns its length; 0 at the deadline or the server's
 * end, which is then noted; -1 with errno.
 */
static ssize_t read_line(struct connection *connection, const struct options *options,
                         char line[GREETING_SIZE], int64_t deadline)
{
	size_t length = 0;

	while (length < GREETING_SIZE && may_be_greeting(line, length)) {
		char *end = line + length;
		ssize_t seen = recv(connection->fd, end, GREETING_SIZE - length, MSG_PEEK);
		if (seen == 0)
			connection_at_eof(connection, options);
		if (seen == -1 && !would_wait(errno))
			return -1;
		int ready = seen == -1 ? wait_for_fd(connection->fd, POLLIN, deadline) : 1;
		if (ready == -1)
			return -1;
		if (seen == 0 || ready == 0)
			break;
		if (seen == -1)
			continue;
		const char *newline = memchr(end, '\n', (size_t)seen);
		size_t take = newline != NULL ? (size_t)(newline + 1 - end) : (size_t)seen;
		ssize_t taken = recv(connection->fd, end, take, 0); /* they are there: just seen */
		if (taken == -1 && !would_wait(errno))
			return -1;
		length += taken > 0 ? (size_t)taken : 0;
		if (newline != NULL && taken == (ssize_t)take)
			break;
	}
	return (ssize_t)length;
}

int conversation_greet(struct connection *connection, const struct options *options,
                       int64_t deadline)
{
	char line[GREETING_SIZE];
	struct greeting greeting;

	ssize_t length = read_line(connection, options, line, deadline);
	if (length == -1)
		return fail(connection, options, "receive", errno);
	if (length == 0) {
		if (!connection->ended)
			tell_no_greeting(connection, options, GREETING_NONE);
		return 0;
	}
	if (greeting_parse(line, (size_t)length, &greeting) == -1) {
		tell_no_greeting(connection, options,
		                 may_be_greeting(line, (size_t)length) && line[length - 1] != '\n'
		                     ? GREETING_INCOMPLETE
		                     : GREETING_OTHER);
		return deliver(connection, options, line, (size_t)length);
	}
	connection->bytes_in += (uint64_t)length;
	tell_greeting(connection, options, &greeting);
	return 1;
}

/* ---- messages ---- */

/* What is still to be sent, and what must still come back. */
struct exchange {
	int to_send;  /* index of the next message */
	size_t sent;  /* bytes of it that have gone */
	int to_match; /* the same for what has come back */
	size_t matched;
	size_t matched_bytes; /* in all */
	bool differs;
};

static int send_some(struct connection *connection, const struct options *options,
                     struct exchange *exchange)
{
	const char *message = options->messages[exchange->to_send];
	size_t length = strlen(message);
	char shown[20], text[80];

	ssize_t count = send(connection->fd, message + exchange->sent, length - exchange->sent, 0);
	if (count == -1)
		return would_wait(errno) ? 0 : fail(connection, options, "send", errno);
	connection->bytes_out += (uint64_t)count;
	snprintf(text, sizeof text, "%zd byte%s \"%s\"", count, count == 1 ? "" : "s",
	         text_escape(message + exchange->sent, (size_t)count, shown, sizeof shown));
	narrate(&(struct event){
	    .name = "send",
	    .id = shown_id(connection, options),
	    .text = text,
	    .state = connection_state(connection, options),
	    .facts = FACTS({"bytes", NULL, (long long)count}),
	});
	exchange->sent += (size_t)count;
	if (exchange->sent == length) {
		exchange->to_send++;
		exchange->sent = 0;
	}
	return 0;
}

/* Compares what came with what was sent, in order. */
static void match(const struct options *options, struct exchange *exchange, const char *bytes,
                  size_t length)
{
	for (size_t i = 0; i < length; i++) {
		while (exchange->to_match < options->message_count &&
		       options->messages[exchange->to_match][exchange->matched] == '\0') {
			exchange->to_match++;
			exchange->matched = 0;
		}
		if (exchange->to_match == options->message_count ||
		    options->messages[exchange->to_match][exchange->matched++] != bytes[i])
			exchange->differs = true;
	}
	exchange->matched_bytes += length;
}

static size_t total_length(const struct options *options)
{
	size_t total = 0;

	for (int i = 0; i < options->message_count; i++)
		total += strlen(options->messages[i]);
	return total;
}

/* Receives once. Returns the bytes, 0 where there is nothing (yet), -1 after a failure. */
static ssize_t receive_some(struct connection *connection, const struct options *options,
                            struct exchange *exchange)
{
	char chunk[CHUNK];

	ssize_t length = recv(connection->fd, chunk, sizeof chunk, 0);
	if (length == -1)
		return would_wait(errno) ? 0 : fail(connection, options, "receive", errno);
	if (length == 0) {
		connection_at_eof(connection, options);
		return 0;
	}
	match(options, exchange, chunk, (size_t)length);
	return deliver(connection, options, chunk, (size_t)length) == -1 ? -1 : length;
}

/*
 * Sends and receives at the same time: who only sends, to a server that only echoes, ends
 * up with both waiting for the other to read.
 */
static int exchange_all(struct connection *connection, const struct options *options,
                        struct exchange *exchange, bool greeted)
{
	size_t to_come = total_length(options);
	bool until_eof = options->half_close || !greeted;
	int64_t patience = clock_ms() + options->timeout_ms;

	while (!connection->ended) {
		bool sending = exchange->to_send < options->message_count;
		if (greeted && exchange->differs)
			return 0; /* it will not get any better */
		if (!greeted && !sending && clock_ms() > patience)
			return 0; /* another service may talk for ever */
		if (!sending && options->half_close && connection_shutdown(connection, options) == -1)
			return fail(connection, options, "shutdown", errno);
		if (!sending && !until_eof && to_come == 0)
			return 0;
		int ready = wait_for_fd(connection->fd, (short)(POLLIN | (sending ? POLLOUT : 0)),
		                        clock_ms() + options->timeout_ms);
		if (ready == -1)
			return fail(connection, options, "poll", errno);
		bool answered = exchange->matched_bytes > 0 || options->message_count == 0;
		if (ready == 0 && ((greeted && to_come > 0) || !answered))
			return fail(connection, options, "receive", ETIMEDOUT);
		if (ready == 0)
			return 0; /* another service, which has said all it wants to */
		if ((ready & POLLOUT) && sending) {
			if (send_some(connection, options, exchange) == -1)
				return -1;
			patience = clock_ms() + options->timeout_ms;
		}
		if (!(ready & ~POLLOUT))
			continue;
		ssize_t length = receive_some(connection, options, exchange);
		if (length == -1)
			return -1;
		to_come -= (size_t)length < to_come ? (size_t)length : to_come;
	}
	return 0;
}

int conversation_exchange(struct connection *connection, const struct options *options,
                          bool greeted)
{
	struct exchange exchange = {0};

	if (options->message_count == 0 && !options->half_close)
		return 0;
	if (exchange_all(connection, options, &exchange, greeted) == -1)
		return -1;
	if (!greeted)
		return 0; /* some other service: what it answers is its own affair */
	if (exchange.differs)
		complain("what came back is not what was sent: this is no echo");
	else if (exchange.matched_bytes < total_length(options))
		complain("the server closed: of %zu bytes only %zu came back", total_length(options),
		         exchange.matched_bytes);
	else
		return 0;
	return -1;
}

/* ---- interactive ---- */

struct relay {
	char bytes[CHUNK]; /* read from standard input, on the way to the server */
	size_t length, sent;
	bool input_ended;
	bool in_line; /* what was shown last did not end its line */
};

/* The narration that follows begins a line of its own. */
static void end_shown_line(struct relay *relay)
{
	if (relay->in_line)
		narrate_title("%s", "");
	relay->in_line = false;
}

/* From standard input to the relay, or out of it. Returns 0, or -1 after a failure. */
static int relay_out(struct connection *connection, const struct options *options,
                     struct relay *relay)
{
	ssize_t count;

	if (relay->sent == relay->length) {
		count = read(STDIN_FILENO, relay->bytes, sizeof relay->bytes);
		if (count == -1 && would_wait(errno))
			return 0;
		if (count == -1) {
			complain("cannot read standard input: %s", strerror(errno));
			return -1;
		}
		relay->input_ended = count <= 0;
		relay->length = count > 0 ? (size_t)count : 0;
		relay->sent = 0;
		if (relay->input_ended)
			end_shown_line(relay);
		if (relay->input_ended)
			return connection_shutdown(connection, options) == 0
			           ? 0
			           : fail(connection, options, "shutdown", errno);
	}
	count = send(connection->fd, relay->bytes + relay->sent, relay->length - relay->sent, 0);
	if (count == -1)
		return would_wait(errno) ? 0 : fail(connection, options, "send", errno);
	relay->sent += (size_t)count;
	connection->bytes_out += (uint64_t)count;
	return 0;
}

static int relay_in(struct connection *connection, const struct options *options,
                    struct relay *relay)
{
	char chunk[CHUNK];

	ssize_t length = recv(connection->fd, chunk, sizeof chunk, 0);
	if (length == -1)
		return would_wait(errno) ? 0 : fail(connection, options, "receive", errno);
	if (length == 0) {
		end_shown_line(relay);
		connection_at_eof(connection, options);
		return 0;
	}
	if (narrate_is_json())
		return deliver(connection, options, chunk, (size_t)length);
	connection->bytes_in += (uint64_t)length;
	relay->in_line = chunk[length - 1] != '\n';
	return narrate_foreign(chunk, (size_t)length);
}

int conversation_interactive(struct connection *connection, const struct options *options)
{
	struct relay relay = {.length = 0};

	if (isatty(STDIN_FILENO))
		narrate_detail("type lines; Ctrl-D ends");
	while (!connection->ended) {
		bool full = relay.sent < relay.length;
		struct pollfd fds[] = {
		    {connection->fd, (short)(POLLIN | (full ? POLLOUT : 0)), 0},
		    {full || relay.input_ended ? -1 : STDIN_FILENO, POLLIN, 0},
		};
		/* After the last line only the answers are awaited, and not for ever. */
		int ready = poll(fds, 2, relay.input_ended ? (int)options->timeout_ms : -1);
		if (ready == -1 && errno != EINTR)
			return fail(connection, options, "poll", errno);
		if (ready == 0)
			return 0;
		if (ready > 0 && (fds[0].revents & ~POLLOUT) &&
		    relay_in(connection, options, &relay) == -1)
			return -1;
		if (ready > 0 && ((fds[0].revents & POLLOUT) || fds[1].revents != 0) &&
		    relay_out(connection, options, &relay) == -1)
			return -1;
	}
	return 0;
}

/* ---- datagrams ---- */

/* Takes the greeting off the front of an answer and passes the payload on. */
static int take_answer(struct connection *connection, const struct options *options,
                       const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);
	size_t head = end != NULL ? (size_t)(end + 1 - bytes) : 0;
	struct greeting greeting;

	if (head == 0 || greeting_parse(bytes, head, &greeting) == -1)
		return deliver(connection, options, bytes, length);
	connection->bytes_in += head;
	tell_greeting(connection, options, &greeting);
	return deliver(connection, options, bytes + head, length - head);
}

static int send_datagram(struct connection *connection, const struct options *options,
                         const char *text)
{
	static char answer[65536];
	char shown[20], line[80];
	size_t length = strlen(text);

	if (send(connection->fd, text, length, 0) == -1)
		return fail(connection, options, "send", errno);
	connection->bytes_out += length;
	snprintf(line, sizeof line, "%zu byte%s \"%s\"", length, length == 1 ? "" : "s",
	         text_escape(text, length, shown, sizeof shown));
	narrate(&(struct event){.name = "send",
	                        .id = shown_id(connection, options),
	                        .text = line,
	                        .facts = FACTS({"bytes", NULL, (long long)length})});
	int64_t deadline = clock_ms() + options->timeout_ms;
	ssize_t got;
	do { /* a datagram with a wrong checksum wakes too, and is then not there */
		int ready = wait_for_fd(connection->fd, POLLIN, deadline);
		if (ready <= 0)
			return fail(connection, options, ready == 0 ? "receive" : "poll",
			            ready == 0 ? ETIMEDOUT : errno);
		got = recv(connection->fd, answer, sizeof answer, 0);
	} while (got == -1 && would_wait(errno));
	if (got == -1)
		return fail(connection, options, "receive", errno);
	return take_answer(connection, options, answer, (size_t)got);
}

int conversation_datagrams(struct connection *connection, const struct options *options)
{
	if (options->interactive)
		return conversation_interactive(connection, options);
	if (options->message_count == 0) /* an empty datagram is a datagram too */
		return send_datagram(connection, options, "");
	for (int i = 0; i < options->message_count; i++)
		if (send_datagram(connection, options, options->messages[i]) == -1)
			return -1;
	return 0;
}
