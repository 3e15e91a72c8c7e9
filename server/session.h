/*
 * session.h - one connection's conversation: the greeting, then every byte back, until one
 * side closes. Written once for all serving models, and no call in it blocks.
 *
 * A model waits for what the session says it wants, then lets it go on. An idle session
 * holds no buffer: memory for bytes is taken only while a client is slow to read them back,
 * at most SESSION_CHUNK, and meanwhile nothing more is read from that client.
 *
 * Source: RFC 862 (echo); RFC 9293 section 3.6 (closing).
 */
#ifndef PORTLAB_SERVER_SESSION_H
#define PORTLAB_SERVER_SESSION_H

#include "kit/endpoint.h"
#include "options.h"

#include <stdbool.h>
#include <stdint.h>

enum { SESSION_CHUNK = 16384 }; /* bytes read at once, and kept at most */

enum session_want {
	SESSION_END = -1, /* the conversation is over: call session_close() */
	SESSION_WAIT = 0, /* for nothing but an error */
	SESSION_READ = 1, /* until it can be read */
	SESSION_WRITE = 2 /* until it can be written */
};

enum session_phase {
	SESSION_TALKING,
	SESSION_HUNG_UP, /* this side has closed; waiting for the other */
	SESSION_LEAVING, /* the other side has closed; bytes may still have to go out */
	SESSION_STUCK,   /* broken on purpose, with --fault */
	SESSION_BROKEN   /* reset, or an error */
};

struct session {
	int fd;
	uint32_t id;
	uint64_t bytes_in, bytes_out;
	union {
		struct pending *pending; /* talking, leaving: bytes to go out, or NULL */
		struct endpoint *peer;   /* hung up: who, to look for TIME_WAIT later; or NULL */
	};
	uint32_t active_ms;            /* clock when bytes last moved; wraps */
	uint8_t phase;                 /* enum session_phase */
	uint8_t told;                  /* how many lines about data have been told */
	struct session *older, *newer; /* free for the model's own list */
};

struct session_start {
	int fd; /* does not block; the session owns it from here */
	uint32_t id;
	struct endpoint local, peer;
};

/*
 * Begins: allocates the session and sends the greeting. Returns NULL with errno ENOMEM, the
 * descriptor then closed. *want gets what to wait for.
 */
struct session *session_open(const struct session_start *start, const struct options *options,
                             enum session_want *want);

/* Goes on after what was wanted, or an error, has come; `now` as clock_ms() tells. */
enum session_want session_go_on(struct session *session, const struct options *options,
                                int64_t now);

/* Why the server itself ends a session. */
enum session_reason { SESSION_OVER, SESSION_IDLE, SESSION_STOPPED };

/*
 * Closes, narrates and frees. `open` is how many others remain, for the narration; -1 where
 * that is not known.
 */
void session_close(struct session *session, enum session_reason reason, long open);

/*
 * When it will have been silent for options->idle_ms, as a clock_ms() value; or
 * WAITING_FOREVER. `now` is such a value too, of now or a little ago.
 */
int64_t session_idle_deadline(const struct session *session, const struct options *options,
                              int64_t now);

#endif
