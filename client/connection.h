/*
 * connection.h - the client's end of a connection: how it comes to be, with the source
 * port that the kernel gives it, and how it ends.
 */
#ifndef PORTLAB_CLIENT_CONNECTION_H
#define PORTLAB_CLIENT_CONNECTION_H

#include "kit/endpoint.h"
#include "kit/explain.h"
#include "options.h"

#include <stdbool.h>
#include <stdint.h>

struct connection {
	int fd; /* does not block; -1: not open */
	uint32_t id;
	struct endpoint local; /* its own name, as getsockname() told it after connect() */
	struct endpoint peer;  /* where it goes */
	uint64_t bytes_in, bytes_out;
	unsigned told; /* how many lines about received data have been told */
	bool shut;     /* this side has said that nothing more will come */
	bool ended;    /* the other side has */
	bool broken;   /* reset, or an error: there is nothing to close in order */
};

/*
 * Makes a socket, gives it an own end where that was asked for, connects it to `peer`
 * within options->timeout_ms and asks which source port it got. Narrates each step.
 * Returns 0; or -1 with *failure filled, and everything closed again.
 */
int connection_open(struct connection *connection, const struct endpoint *peer,
                    const struct options *options, struct failure *failure);

/*
 * Says that nothing more will be sent (FIN), and narrates the state that follows. Does
 * nothing if that has been done. Returns 0, or -1 with errno.
 */
int connection_shutdown(struct connection *connection, const struct options *options);

/* The other side has ended: narrates it, with the state that follows. */
void connection_at_eof(struct connection *connection, const struct options *options);

/*
 * Closes: shutdown, the other side's end awaited until `deadline`, close, and what the
 * kernel's table says afterwards. With --reset: cuts it at once.
 */
void connection_close(struct connection *connection, const struct options *options,
                      int64_t deadline);

/* The state that the kernel reports now, for a line to be told; NONE where none will be. */
enum tcp_state connection_state(const struct connection *connection,
                                const struct options *options);

/* A failure of this connection, to be filled with call and errno and explained. */
struct failure connection_failure(const struct connection *connection,
                                  const struct options *options, const char *call, int error);

#endif
