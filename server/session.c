/* session.c - see session.h. Partner: client/conversation.c, the other half. */
#include "session.h"

#include "kit/explain.h"
#include "kit/greeting.h"
#include "kit/text.h"
#include "kit/waiting.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The greeting waits for the FIN that follows it at once, where the system can do that: a
 * quick client could otherwise close first between the two.
 */
#ifdef MSG_MORE
#define WITH_NEXT MSG_MORE
#else
#define WITH_NEXT 0
#endif

enum { DATA_LINES = 8 }; /* lines about data in one conversation, then it gets quiet */

struct pending {
	size_t length, sent;
	char bytes[SESSION_CHUNK];
};

/* ---- what is told ---- */

/*
 * Tells an event of this session. In JSON with both its ends, as far as the kernel still
 * knows them; for people the number of the connection stands for them.
 */
static void tell_event(const struct session *session, struct event event)
{
	struct endpoint local, peer;

	event.id = session->id;
	if (narrate_is_json() && narrate_wanted(false)) {
		if (endpoint_of_socket(session->fd, &local) == 0)
			event.local = &local;
		if (endpoint_of_peer(session->fd, &peer) == 0)
			event.peer = &peer;
		else if (session->phase == SESSION_HUNG_UP)
			event.peer = session->peer;
	}
	narrate(&event);
}

static void tell(const struct session *session, const char *name, const char *text)
{
	if (narrate_wanted(false))
		tell_event(
		    session,
		    (struct event){.name = name, .text = text, .state = tcp_state_of_fd(session->fd)});
}

static void tell_data(struct session *session, const char *bytes, size_t length)
{
	char shown[24], text[80];

	if (session->told > DATA_LINES || !narrate_wanted(false))
		return;
	if (session->told++ == DATA_LINES) {
		narrate_detail("further data of #%" PRIu32 " is echoed, but not shown", session->id);
		return;
	}
	snprintf(text, sizeof text, "%zu byte%s \"%s\"", length, length == 1 ? "" : "s",
	         text_escape(bytes, length, shown, sizeof shown));
	tell_event(session, (struct event){
	                        .name = "data",
	                        .text = text,
	                        .state = tcp_state_of_fd(session->fd),
	                        .note = session->phase == SESSION_HUNG_UP ? "dropped" : "sent back",
	                        .facts = FACTS({"bytes", NULL, (long long)length}),
	                    });
}

static void tell_eof(const struct session *session)
{
	struct endpoint local;

	if (!narrate_wanted(false))
		return;
	if (session->phase != SESSION_HUNG_UP) {
		tell(session, "eof", "the client closed first");
		return;
	}
	(void)endpoint_of_socket(session->fd, &local);
	tell_event(session,
	           (struct event){
	               .name = "eof",
	               .text = "the client closed too",
	               .state = session->peer != NULL
	                            ? tcp_state_of_connection(session->fd, &local, session->peer)
	                            : tcp_state_of_fd(session->fd),
	           });
}

/* ---- the conversation ---- */

/* A client that is gone is an ordinary day: say how, and end. */
static enum session_want broken(struct session *session, int error)
{
	char text[80], name[24];
	bool own = error == ENOMEM || error == ENOBUFS; /* no affair of the client's: -q or not */

	if (error == ECONNRESET || error == EPIPE) {
		snprintf(text, sizeof text, "the client cut the connection (RST)");
	} else {
		snprintf(text, sizeof text, "%s (%s)", strerror(error), errno_name(error, name));
	}
	if (narrate_wanted(own))
		tell_event(session,
		           (struct event){
		               .always = own,
		               .name = error == ECONNRESET || error == EPIPE ? "reset" : "error",
		               .text = text,
		               .state = tcp_state_of_fd(session->fd),
		               .facts = FACTS({"errno", errno_name(error, name), 0}),
		           });
	session->phase = SESSION_BROKEN;
	return SESSION_END;
}

/* Keeps what the kernel did not take. Returns 0, or -1 with errno ENOMEM. */
static int keep(struct session *session, const char *bytes, size_t length)
{
	session->pending = malloc(sizeof *session->pending);
	if (session->pending == NULL)
		return -1;
	session->pending->length = length;
	session->pending->sent = 0;
	memcpy(session->pending->bytes, bytes, length);
	return 0;
}

/*
 * Sends as much as the kernel takes and keeps the rest. Nothing may be pending. Flags are
 * those of send(2).
 */
static enum session_want send_or_keep(struct session *session, const char *bytes, size_t length,
                                      int flags)
{
	size_t sent = 0;

	while (sent < length) {
		ssize_t count = send(session->fd, bytes + sent, length - sent, flags);
		if (count >= 0) {
			sent += (size_t)count;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (keep(session, bytes + sent, length - sent) == -1)
				return broken(session, errno);
			break;
		} else if (errno != EINTR) {
			return broken(session, errno);
		}
	}
	session->bytes_out += sent;
	return session->pending != NULL ? SESSION_WRITE : SESSION_READ;
}

static enum session_want send_pending(struct session *session)
{
	struct pending *pending = session->pending;

	ssize_t count =
	    send(session->fd, pending->bytes + pending->sent, pending->length - pending->sent, 0);
	if (count == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR
		           ? SESSION_WRITE
		           : broken(session, errno);
	pending->sent += (size_t)count;
	session->bytes_out += (uint64_t)count;
	if (pending->sent < pending->length)
		return SESSION_WRITE;
	free(pending);
	session->pending = NULL;
	return session->phase == SESSION_LEAVING ? SESSION_END : SESSION_READ;
}

static enum session_want at_eof(struct session *session, const struct options *options)
{
	tell_eof(session);
	if (session->phase == SESSION_HUNG_UP)
		return SESSION_END;
	if (options->fault == FAULT_NO_CLOSE) {
		session->phase = SESSION_STUCK;
		narrate_detail("--fault no-close: the server does not close its side");
		return SESSION_WAIT;
	}
	session->phase = SESSION_LEAVING;
	return SESSION_END;
}

static enum session_want receive(struct session *session, const struct options *options)
{
	char chunk[SESSION_CHUNK];

	ssize_t count = recv(session->fd, chunk, sizeof chunk, 0);
	if (count == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR
		           ? SESSION_READ
		           : broken(session, errno);
	if (count == 0)
		return at_eof(session, options);
	session->bytes_in += (uint64_t)count;
	tell_data(session, chunk, (size_t)count);
	if (session->phase == SESSION_HUNG_UP)
		return SESSION_READ;
	return send_or_keep(session, chunk, (size_t)count, 0);
}

/* Woken although nothing was wanted: only an error does that. */
static enum session_want stuck(struct session *session)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1)
		error = errno;
	return broken(session, error != 0 ? error : ECONNRESET);
}

enum session_want session_go_on(struct session *session, const struct options *options,
                                int64_t now)
{
	session->active_ms = (uint32_t)now;
	if (session->phase == SESSION_STUCK)
		return stuck(session);
	if (session->phase != SESSION_HUNG_UP && session->pending != NULL)
		return send_pending(session);
	return receive(session, options);
}

/* ---- beginning and end ---- */

/* --hang-up: this side says goodbye first, and then waits for the other's. */
static enum session_want hang_up(struct session *session, const struct session_start *start)
{
	if (session->pending != NULL) { /* not even a greeting fits: give it up */
		free(session->pending);
		session->pending = NULL;
		narrate_detail("no greeting: the kernel's buffer is full");
	}
	session->phase = SESSION_HUNG_UP;
	if (shutdown(session->fd, SHUT_WR) == -1)
		return broken(session, errno);
	if (narrate_wanted(false)) {
		session->peer = malloc(sizeof *session->peer);
		if (session->peer != NULL)
			*session->peer = start->peer;
		tell(session, "hang-up", "the server closes first");
	}
	return SESSION_READ;
}

/* --fault reset: cut off without a word. With linger 0, close() sends RST instead of FIN. */
static enum session_want cut(struct session *session)
{
	struct linger at_once = {1, 0};

	(void)setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	session->phase = SESSION_BROKEN;
	tell(session, "cut", "--fault reset: RST instead of FIN");
	return SESSION_END;
}

struct session *session_open(const struct session_start *start, const struct options *options,
                             enum session_want *want)
{
	char line[GREETING_SIZE];
	struct session *session = calloc(1, sizeof *session);

	if (session == NULL) {
		(void)close(start->fd);
		errno = ENOMEM;
		return NULL;
	}
	session->fd = start->fd;
	session->id = start->id;
	session->active_ms = (uint32_t)clock_ms();
	if (options->fault == FAULT_RESET) {
		*want = cut(session);
		return session;
	}
	int length = greeting_format(&(struct greeting){.client = start->peer,
	                                                .server = start->local,
	                                                .transport = TRANSPORT_TCP,
	                                                .number = start->id},
	                             line);
	*want = send_or_keep(session, line, (size_t)length, options->hang_up ? WITH_NEXT : 0);
	if (*want == SESSION_END)
		return session;
	if (options->hang_up) {
		*want = hang_up(session, start);
	} else if (options->fault == FAULT_NO_READ) {
		session->phase = SESSION_STUCK;
		*want = SESSION_WAIT;
	}
	return session;
}

static void tell_close(const struct session *session, enum session_reason reason, long open)
{
	char text[80], note[32] = "";
	enum tcp_state state = tcp_state_of_fd(session->fd);

	if (session->phase == SESSION_HUNG_UP && session->peer != NULL &&
	    state == TCP_STATE_CLOSED) {
		struct endpoint local;
		(void)endpoint_of_socket(session->fd, &local);
		state = tcp_state_of_tuple(&local, session->peer, NULL);
	}
	if (session->phase == SESSION_BROKEN && state == TCP_STATE_ESTABLISHED)
		state = TCP_STATE_NONE; /* not cut yet: close() does it */
	snprintf(text, sizeof text, "%" PRIu64 " byte%s in, %" PRIu64 " out%s", session->bytes_in,
	         session->bytes_in == 1 ? "" : "s", session->bytes_out,
	         reason == SESSION_STOPPED ? ", by this end" : "");
	if (open >= 0)
		snprintf(note, sizeof note, "%ld open", open);
	struct fact facts[] = {{"bytes_in", NULL, (long long)session->bytes_in},
	                       {"bytes_out", NULL, (long long)session->bytes_out},
	                       {open >= 0 ? "open" : NULL, NULL, open},
	                       {NULL, NULL, 0}};
	tell_event(
	    session,
	    (struct event){
	        .name = "close", .text = text, .note = note, .state = state, .facts = facts});
}

void session_close(struct session *session, enum session_reason reason, long open)
{
	if (reason == SESSION_IDLE)
		tell(session, "idle", "silent for too long (--idle)");
	/* Say FIN before close(): then the state it leads to can still be asked for. */
	if (session->phase != SESSION_BROKEN && session->phase != SESSION_HUNG_UP)
		(void)shutdown(session->fd, SHUT_WR); /* the client may be gone: close() follows */
	if (narrate_wanted(false))
		tell_close(session, reason, open);
	(void)close(session->fd); /* nothing of ours is left to be lost */
	free(session->pending);   /* or peer: whichever the phase had */
	free(session);
}

int64_t session_idle_deadline(const struct session *session, const struct options *options,
                              int64_t now)
{
	if (options->idle_ms == 0 || session->phase == SESSION_STUCK)
		return WAITING_FOREVER;
	/* active_ms has the low bits of its moment: how long ago that was is still right. */
	return now - (int32_t)((uint32_t)now - session->active_ms) + options->idle_ms;
}
