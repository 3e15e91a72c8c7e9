/*
 * conversation.h - what client and server say to each other once they are connected: the
 * greeting, then what was asked with -m and -i. Partner: server/session.c.
 */
#ifndef PORTLAB_CLIENT_CONVERSATION_H
#define PORTLAB_CLIENT_CONVERSATION_H

#include "connection.h"

/*
 * Waits for the greeting until the deadline and compares what the server saw with what
 * this side knows. A server that says something else, or nothing, is told and not an
 * error. Returns 1 after a greeting, 0 without one, -1 after a failure, explained.
 */
int conversation_greet(struct connection *connection, const struct options *options,
                       int64_t deadline);

/*
 * Sends the messages, reads what comes back and, after a greeting, requires it to be the
 * same bytes. Returns 0, or -1 after a failure, explained.
 */
int conversation_exchange(struct connection *connection, const struct options *options,
                          bool greeted);

/* Standard input to the server, its answers to standard output, until both have ended. */
int conversation_interactive(struct connection *connection, const struct options *options);

/* The same over UDP: each message a datagram, each answered by greeting and payload. */
int conversation_datagrams(struct connection *connection, const struct options *options);

#endif
