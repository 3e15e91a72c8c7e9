/* event_loop.c - see event_loop.h. */
#include "event_loop.h"

#include "kit/narrate.h"
#include "kit/waiting.h"
#include "service.h"
#include "stop.h"

#include <errno.h>
#include <stddef.h>

enum { ROOM = 256, AT_ONCE = 64 };

struct loop {
	struct service *service;
	const struct poller *poller;
	void *state;
	int64_t now;                     /* clock_ms() when this turn began */
	bool listening;                  /* whether the listener is being watched for clients */
	struct session *oldest, *newest; /* all sessions, by when they last moved a byte */
};

/* What the poller hands back for the two descriptors that are no session. */
static char listener_tag, stop_tag;

/* ---- the list by age: the one to time out next is always the oldest ---- */

static void list_remove(struct loop *loop, struct session *session)
{
	*(session->older != NULL ? &session->older->newer : &loop->oldest) = session->newer;
	*(session->newer != NULL ? &session->newer->older : &loop->newest) = session->older;
}

static void list_append(struct loop *loop, struct session *session)
{
	session->older = loop->newest;
	session->newer = NULL;
	*(loop->newest != NULL ? &loop->newest->newer : &loop->oldest) = session;
	loop->newest = session;
}

/* ---- sessions ---- */

static void end_session(struct loop *loop, struct session *session, enum session_reason reason)
{
	list_remove(loop, session);
	loop->poller->remove(loop->state, session->fd);
	service_left(loop->service, session->bytes_in, session->bytes_out);
	session_close(session, reason, loop->service->open);
}

static void begin_session(struct loop *loop, const struct session_start *start)
{
	enum session_want want;
	struct session *session = session_open(start, loop->service->options, &want);

	if (session == NULL) {
		struct session_start closed = *start;
		closed.fd = -1;
		service_refuse(loop->service, &closed, "allocate", errno);
		return;
	}
	list_append(loop, session);
	int error = loop->poller->add(loop->state, session->fd, want, session) == -1 ? errno : 0;
	if (error != 0)
		complain("cannot watch connection %lu: errno %d", (unsigned long)start->id, error);
	if (error != 0 || want == SESSION_END)
		end_session(loop, session, SESSION_OVER);
}

/*
 * The poller is told only when what is wanted changes, which is seldom: when a client
 * begins or ceases to be slow.
 */
static void continue_session(struct loop *loop, struct session *session)
{
	bool was_writing = session->phase != SESSION_HUNG_UP && session->pending != NULL;
	enum session_want want = session_go_on(session, loop->service->options, loop->now);

	if (want == SESSION_END) {
		end_session(loop, session, SESSION_OVER);
		return;
	}
	list_remove(loop, session);
	list_append(loop, session);
	if (want != (was_writing ? SESSION_WRITE : SESSION_READ) &&
	    loop->poller->change(loop->state, session->fd, want, session) == -1) {
		complain("cannot watch connection %lu: errno %d", (unsigned long)session->id, errno);
		end_session(loop, session, SESSION_OVER);
	}
}

/* Ends whoever has been silent for too long. Returns when the next one will have been. */
static int64_t end_idle(struct loop *loop)
{
	struct session *session = loop->oldest;

	if (loop->service->options->idle_ms == 0)
		return WAITING_FOREVER;
	while (session != NULL) {
		struct session *next = session->newer;
		int64_t deadline = session_idle_deadline(session, loop->service->options, loop->now);
		if (deadline > loop->now)
			return deadline;
		if (deadline != WAITING_FOREVER)
			end_session(loop, session, SESSION_IDLE);
		session = next;
	}
	return WAITING_FOREVER;
}

/* Until when nothing happens unless somebody sends something. */
static int64_t next_deadline(struct loop *loop)
{
	int64_t idle = end_idle(loop), retry = service_deadline(loop->service);

	return idle == WAITING_FOREVER || (retry != WAITING_FOREVER && retry < idle) ? retry : idle;
}

/* ---- the loop ---- */

static void accept_some(struct loop *loop)
{
	struct session_start start;

	for (int i = 0; i < AT_ONCE && service_may_accept(loop->service); i++) {
		if (service_accept(loop->service, &start) == -1)
			return;
		begin_session(loop, &start);
	}
}

/* Looks for clients only while one may come in: a watched, unused listener would spin. */
static int watch_listener(struct loop *loop)
{
	bool wanted = service_may_accept(loop->service);

	if (wanted == loop->listening)
		return 0;
	loop->listening = wanted;
	return loop->poller->change(loop->state, loop->service->listener,
	                            wanted ? SESSION_READ : SESSION_WAIT, &listener_tag);
}

static int loop_once(struct loop *loop, bool *stopping)
{
	void *owners[ROOM];

	int64_t deadline = next_deadline(loop);
	if (watch_listener(loop) == -1)
		return -1;
	(void)narrate_finish(); /* all that was told in this turn in one write() */
	int ready = loop->poller->wait(loop->state, deadline, owners, ROOM);
	loop->now = clock_ms();
	if (ready == -1)
		return errno == EINTR ? 0 : -1;
	for (int i = 0; i < ready; i++) {
		if (owners[i] == &stop_tag)
			*stopping = true;
		else if (owners[i] == &listener_tag)
			accept_some(loop);
		else
			continue_session(loop, owners[i]);
	}
	return 0;
}

int event_loop_run(struct service *service, const struct poller *poller)
{
	struct loop loop = {
	    .service = service, .poller = poller, .state = poller->open(), .now = clock_ms()};
	bool stopping = false;
	int result = -1;

	if (loop.state == NULL)
		return -1;
	loop.listening = true;
	narrate_in_blocks(true);
	if (poller->add(loop.state, service->listener, SESSION_READ, &listener_tag) == 0 &&
	    poller->add(loop.state, stop_fd(), SESSION_READ, &stop_tag) == 0)
		do
			result = loop_once(&loop, &stopping);
		while (result == 0 && !stopping);
	int error = errno;
	narrate_in_blocks(false); /* a second signal may end this at any line */
	poller->remove(loop.state, service->listener);
	service_stop(service);
	while (loop.oldest != NULL)
		end_session(&loop, loop.oldest, SESSION_STOPPED);
	poller->close(loop.state);
	errno = error;
	return result;
}
