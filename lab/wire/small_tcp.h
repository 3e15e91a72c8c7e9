/*
 * small_tcp.h - a TCP of our own: the server's side of one connection at a time, small enough
 * to be read. It knows the whole way from LISTEN to CLOSED, sends again what is not
 * acknowledged, and greets and echoes like the server of this suite.
 *
 * It neither waits nor reads clocks: segments and moments are handed to it, and it hands out
 * segments. What it does with the connection's states is RFC 9293 section 3.10.7. It leaves
 * out: options but the maximum segment size, urgent data, data that come before their turn
 * (they are asked for again), more than one segment on its way, and a table of half-open
 * connections: who sends a SYN and nothing more is waited for, less than a minute.
 */
#ifndef PORTLAB_SMALL_TCP_H
#define PORTLAB_SMALL_TCP_H

#include "kit/tcp_state.h"
#include "wire/segment.h"

#include <stdbool.h>
#include <stdint.h>

/* What has gone out and not been acknowledged, at most one segment: it waits for each. */
enum { SMALL_TCP_DATA_MOST = 1024, SMALL_TCP_QUEUE = 8192, SMALL_TCP_RESEND_MS = 400 };

struct small_tcp {
	struct endpoint local, peer; /* peer: length 0 in LISTEN */
	enum tcp_state state;
	uint32_t send_first;   /* our initial sequence number */
	uint32_t send_next;    /* the next that we send */
	uint32_t acknowledged; /* the first that the other side has not acknowledged */
	uint32_t receive_next; /* the next that we expect */
	bool fin_sent;
	uint32_t connections; /* how many were opened; the greeting tells it */

	uint8_t queue[SMALL_TCP_QUEUE]; /* bytes to go out, the first at queue[0] */
	size_t queued, in_flight;       /* the first in_flight of them are on their way */
	int64_t resend_at;              /* clock_ms() at which to send again; -1: nothing to send */
	unsigned resent;                /* how often the same segment was sent again */
};

/* Hands out a segment: fields and data, not yet as bytes. `again`: it was sent before. */
typedef void (*small_tcp_sender)(void *argument, const struct segment *segment, bool again);

void small_tcp_listen(struct small_tcp *tcp, const struct endpoint *local);

/* Takes in a segment for our port whose checksum was right. */
void small_tcp_take(struct small_tcp *tcp, const struct segment *segment, int64_t now,
                    small_tcp_sender send, void *argument);

/* The time has come, or not: sends again what is due. */
void small_tcp_tick(struct small_tcp *tcp, int64_t now, small_tcp_sender send, void *argument);

#endif
