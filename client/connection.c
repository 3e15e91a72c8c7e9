/*
 * connection.c - connects and reports the source port that the kernel chose.
 *
 * Read connection_open() first: socket, bind if asked, connect, getsockname, in that
 * order. Partner: server/listener.c, which it reaches.
 */
#include "connection.h"

#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/unix.h"
#include "kit/waiting.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_tcp(const struct options *options)
{
	return options->transport == TRANSPORT_TCP;
}

enum tcp_state connection_state(const struct connection *connection,
                                const struct options *options)
{
	if (!is_tcp(options) || !narrate_wanted(false))
		return TCP_STATE_NONE;
	return tcp_state_of_connection(connection->fd, &connection->local, &connection->peer);
}

/* ---- what is told ---- */

static void tell(const struct connection *connection, const struct options *options,
                 const char *name, const char *text, const char *note)
{
	narrate(&(struct event){
	    .name = name,
	    .id = options->count > 1 ? connection->id : 0,
	    .text = text,
	    .note = note,
	    .local = &connection->local,
	    .peer = &connection->peer,
	    .state = connection_state(connection, options),
	});
}

/* A call failed, and the connection goes on, or has served its purpose. */
static void tell_trouble(const struct connection *connection, const struct options *options,
                         const char *call, int error)
{
	char text[80], name[24];

	const char *symbol = errno_name(error, name);
	snprintf(text, sizeof text, "%s: %s (%s)", call, strerror(error), symbol);
	narrate(&(struct event){
	    .name = "error",
	    .id = options->count > 1 ? connection->id : 0,
	    .text = text,
	    .facts = FACTS({"call", call, 0}, {"errno", symbol, 0}),
	});
}

static void tell_socket(const struct connection *connection, const struct options *options)
{
	char text[64];

	if (!options_detailed(options) || !narrate_wanted(false))
		return;
	snprintf(text, sizeof text, "fd %d, %s over %s", connection->fd,
	         transport_name(options->transport),
	         endpoint_family(&connection->peer) == AF_INET6 ? "IPv6" : "IPv4");
	narrate(&(struct event){
	    .name = "socket",
	    .id = options->count > 1 ? connection->id : 0,
	    .text = text,
	    .state = is_tcp(options) ? tcp_state_of_fd(connection->fd) : TCP_STATE_NONE,
	    .facts = FACTS({"fd", NULL, connection->fd}),
	});
}

/* Its own name before connect(): all zeros, unless it was bound. */
static void tell_source_before(struct connection *connection, const struct options *options)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (!options_detailed(options) || !narrate_wanted(false))
		return;
	if (endpoint_of_socket(connection->fd, &connection->local) == -1) {
		tell_trouble(connection, options, "getsockname", errno);
		return;
	}
	uint16_t port = endpoint_port(&connection->local);
	narrate(&(struct event){
	    .name = "source",
	    .id = options->count > 1 ? connection->id : 0,
	    .text = endpoint_format(&connection->local, text),
	    .note = port == 0 ? "no port yet" : "by bind()",
	    .local = &connection->local,
	    .state = is_tcp(options) ? tcp_state_of_fd(connection->fd) : TCP_STATE_NONE,
	});
}

/* Two answers to "what kind of port is that": the registry's, and this kernel's. */
static void tell_class(uint16_t port)
{
	const char *class = port_class_of(port)->name;
	struct port_range range;

	if (machine_ephemeral_range(&range) == -1)
		narrate_detail("IANA: %s; this system does not show its own range", class);
	else
		narrate_detail("IANA: %s; this kernel: %sephemeral (%u-%u)", class,
		               port >= range.first && port <= range.last ? "" : "not ", range.first,
		               range.last);
}

static void tell_connected(const struct connection *connection, const struct options *options)
{
	char text[2 * ENDPOINT_TEXT_SIZE + 8];
	char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE];
	uint16_t port = endpoint_port(&connection->local);

	if (!narrate_wanted(false))
		return;
	endpoint_format(&connection->peer, peer);
	endpoint_format(&connection->local, local);
	if (!options_detailed(options)) {
		snprintf(text, sizeof text, "%s -> %s", local, peer);
		tell(connection, options, "connect", text, NULL);
		return;
	}
	snprintf(text, sizeof text, "to %s", peer);
	tell(connection, options, "connect", text, is_tcp(options) ? NULL : "nothing sent");
	narrate(&(struct event){
	    .name = "source",
	    .id = options->count > 1 ? connection->id : 0,
	    .text = local,
	    .note = options->own_port && options->source_port != 0 ? "your choice" : "kernel chose",
	    .local = &connection->local,
	    .peer = &connection->peer,
	    .state = connection_state(connection, options),
	    .class = port_class_of(port),
	});
	tell_class(port);
}

/* ---- opening ---- */

struct failure connection_failure(const struct connection *connection,
                                  const struct options *options, const char *call, int error)
{
	return (struct failure){
	    .call = call,
	    .error = error,
	    .transport = options->transport,
	    .local = connection->local,
	    .peer = connection->peer,
	    .own_port = options->own_port && options->source_port != 0,
	    .waited_ms = error == ETIMEDOUT ? options->timeout_ms : 0,
	    .id = options->count > 1 ? connection->id : 0,
	    .program_path = options->program_path,
	};
}

/* The own end that was asked for with -s and -p. Returns 0, or -1 with the reason. */
static int own_end(const struct options *options, const struct endpoint *peer,
                   struct endpoint *own, const char **reason)
{
	int family = endpoint_family(peer);

	*own = endpoint_wildcard(family, options->source_port);
	if (options->source_address == NULL)
		return 0;
	return endpoint_resolve(options->source_address, options->source_port, family,
	                        options->transport, own, 1, reason) == 1
	           ? 0
	           : -1;
}

/*
 * Binds the own end, if one was asked for. SO_REUSEADDR allows the same source port
 * towards several destinations: only the same 4-tuple cannot be had twice.
 */
static int bind_own_end(struct connection *connection, const struct options *options,
                        const struct endpoint *own)
{
	int on = 1;

	if (!options->own_port && options->source_address == NULL)
		return 0;
	connection->local = *own; /* what a failure is about */
	/* Where the kernel is to choose it must take one that no other socket has. */
	if (endpoint_port(own) != 0 &&
	    setsockopt(connection->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
		return -1;
	return bind(connection->fd, &own->address.any, own->length);
}

/* connect() with a time limit: it is started, and its end awaited. Returns as connect(). */
static int connect_within(const struct connection *connection, int64_t timeout_ms)
{
	const struct sockaddr *address = &connection->peer.address.any;
	struct endpoint reached;
	int error = 0;
	socklen_t length = sizeof error;

	if (connect(connection->fd, address, connection->peer.length) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -1;
	/* On this machine it is already done: then it has a peer, and there is nothing to await. */
	if (endpoint_of_peer(connection->fd, &reached) == 0)
		return 0;
	int ready = wait_for_fd(connection->fd, POLLOUT, clock_ms() + timeout_ms);
	if (ready == -1)
		return -1;
	if (ready == 0)
		error = ETIMEDOUT;
	else if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int fail(struct connection *connection, const struct options *options, const char *call,
                struct failure *failure)
{
	int error = errno;

	if (error == ETIMEDOUT && options_detailed(options))
		tell(connection, options, "connect", "no answer", "gave up");
	*failure = connection_failure(connection, options, call, error);
	if (connection->fd != -1)
		(void)close(connection->fd);
	connection->fd = -1;
	return -1;
}

int connection_open(struct connection *connection, const struct endpoint *peer,
                    const struct options *options, struct failure *failure)
{
	int type = options->transport == TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct endpoint own;
	const char *reason;

	*connection = (struct connection){.fd = -1, .id = connection->id, .peer = *peer};
	if (own_end(options, peer, &own, &reason) == -1) {
		*failure = connection_failure(connection, options, "getaddrinfo", 0);
		failure->name = options->source_address;
		failure->reason = reason;
		return -1;
	}
	connection->fd = socket_nonblocking(endpoint_family(peer), type);
	if (connection->fd == -1)
		return fail(connection, options, "socket", failure);
	tell_socket(connection, options);

	if (bind_own_end(connection, options, &own) == -1)
		return fail(connection, options, "bind", failure);
	tell_source_before(connection, options);

	if (connect_within(connection, options->timeout_ms) == -1)
		return fail(connection, options, "connect", failure);
	/* Ask after connect(): until then the kernel has chosen no source port. */
	if (endpoint_of_socket(connection->fd, &connection->local) == -1)
		return fail(connection, options, "getsockname", failure);
	tell_connected(connection, options);
	return 0;
}

/* ---- closing ---- */

int connection_shutdown(struct connection *connection, const struct options *options)
{
	if (connection->shut || !is_tcp(options))
		return 0;
	if (shutdown(connection->fd, SHUT_WR) == -1)
		return -1;
	connection->shut = true;
	if (options_detailed(options))
		tell(connection, options, "shutdown", "nothing more to send: FIN", NULL);
	return 0;
}

void connection_at_eof(struct connection *connection, const struct options *options)
{
	connection->ended = true;
	if (options_detailed(options) || !connection->shut) /* that it was first is always news */
		tell(connection, options, "eof",
		     connection->shut ? "the server closed too" : "the server closed first", NULL);
}

/* All has been said: that it did not end in order is told, and no failure. */
static void break_off(struct connection *connection, const struct options *options,
                      const char *call, int error)
{
	connection->broken = true;
	tell_trouble(connection, options, call, error);
}

/*
 * Reads until the other side ends, or the deadline; looks once where that has passed. What
 * still comes is counted.
 */
static void await_eof(struct connection *connection, const struct options *options,
                      int64_t deadline)
{
	char rest[4096];
	int ready;

	while (!connection->ended && !connection->broken) {
		ssize_t length = recv(connection->fd, rest, sizeof rest, 0);
		if (length > 0)
			connection->bytes_in += (uint64_t)length;
		else if (length == 0)
			connection_at_eof(connection, options);
		else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			break_off(connection, options, "receive", errno);
		else if ((ready = wait_for_fd(connection->fd, POLLIN, deadline)) == 0)
			return;
		else if (ready == -1)
			break_off(connection, options, "poll", errno);
	}
}

/* Which side has the 4-tuple in TIME_WAIT, after this side has closed. */
static void tell_time_wait(const struct connection *connection, enum tcp_state state)
{
	if (state == TCP_STATE_TIME_WAIT)
		narrate_detail("TIME_WAIT is here: this side closed first");
	else if (tcp_state_of_tuple(&connection->peer, &connection->local, NULL) ==
	         TCP_STATE_TIME_WAIT)
		narrate_detail("TIME_WAIT is on the server's side: it closed first");
	else if (state == TCP_STATE_FIN_WAIT2)
		narrate_detail("the server has not closed its side");
}

static void tell_close(const struct connection *connection, const struct options *options,
                       const char *name)
{
	char text[80], note[24] = "";
	int seconds = -1;
	enum tcp_state state = TCP_STATE_NONE;

	if (is_tcp(options))
		state = tcp_state_of_tuple(&connection->local, &connection->peer, &seconds);
	snprintf(text, sizeof text, "%" PRIu64 " byte%s out, %" PRIu64 " in", connection->bytes_out,
	         connection->bytes_out == 1 ? "" : "s", connection->bytes_in);
	if (seconds >= 0)
		snprintf(note, sizeof note, "%d s left", seconds);
	struct fact facts[] = {{"bytes_out", NULL, (long long)connection->bytes_out},
	                       {"bytes_in", NULL, (long long)connection->bytes_in},
	                       {seconds >= 0 ? "seconds_left" : NULL, NULL, seconds},
	                       {NULL, NULL, 0}};
	narrate(&(struct event){
	    .name = name,
	    .id = options->count > 1 ? connection->id : 0,
	    .text = text,
	    .note = note,
	    .local = &connection->local,
	    .peer = &connection->peer,
	    .state = state,
	    .facts = facts,
	});
	if (is_tcp(options) && options_detailed(options) && !options->reset)
		tell_time_wait(connection, state);
}

void connection_close(struct connection *connection, const struct options *options,
                      int64_t deadline)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (connection->fd == -1)
		return;
	if (options->reset) {
		(void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	} else if (is_tcp(options) && !connection->broken) {
		await_eof(connection, options, 0); /* it may have closed first */
		if (connection_shutdown(connection, options) == -1)
			break_off(connection, options, "shutdown", errno);
		await_eof(connection, options, deadline);
	}
	(void)close(connection->fd); /* all that had to go out has gone */
	connection->fd = -1;
	if (narrate_wanted(false))
		tell_close(connection, options, options->reset ? "reset" : "close");
}
