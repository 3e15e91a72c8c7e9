/*
 * conversation.h - segments put into the connections that they belong to, so that they can be
 * told: sequence numbers counted from 0, what each segment means, and the states that it leads
 * to by the rules.
 *
 * The states are those of RFC 9293, concluded from the segments that were seen; nobody was
 * asked. What the kernel says is in kit/tcp_state.h.
 */
#ifndef PORTLAB_CONVERSATION_H
#define PORTLAB_CONVERSATION_H

#include "kit/tcp_state.h"
#include "wire/segment.h"

/* One side of a connection. */
struct wire_side {
	struct endpoint endpoint;
	uint32_t first; /* its first sequence number: relative ones are counted from it */
	uint32_t next;  /* the first that was not seen yet */
	bool known;     /* a segment of it was seen */
	bool finished;  /* FIN was seen; it has the number before `next` */
	int scale;      /* of its windows, where its SYN was seen; else -1 */
	enum tcp_state state;
};

struct wire_connection {
	uint32_t number;           /* counted from 1 */
	struct wire_side sides[2]; /* who sent the first segment that was seen, and the other,
	                            * whose state is NONE until it answers */
};

enum { CONVERSATIONS_MOST = 256 };

struct conversations {
	struct wire_connection connections[CONVERSATIONS_MOST]; /* the oldest gives its place */
	uint32_t count;
};

struct told {
	const struct wire_connection *connection;
	int from; /* index of the side that sent it */
	uint32_t relative_sequence, relative_acknowledgement;
	bool again;      /* its bytes were seen before */
	long window;     /* in bytes, where the scale is known; else as in the header */
	char words[120]; /* what it does */
};

/* Takes in a segment. Returns what it is to its connection. */
void conversations_take(struct conversations *conversations, const struct segment *segment,
                        struct told *told);

/* Whether every connection that was seen has come to its end. */
bool conversations_are_over(const struct conversations *conversations);

#endif
