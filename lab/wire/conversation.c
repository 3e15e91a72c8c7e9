/* conversation.c - see conversation.h. */
#include "wire/conversation.h"

#include "kit/text.h"

#include <string.h>

/* The connection of a segment; a SYN on a closed one begins another. */
static struct wire_connection *find(struct conversations *conversations,
                                    const struct segment *segment, int *from)
{
	uint32_t count = conversations->count;
	uint32_t oldest = count > CONVERSATIONS_MOST ? count - CONVERSATIONS_MOST : 0;

	for (uint32_t i = count; i > oldest; i--) {
		struct wire_connection *connection =
		    &conversations->connections[(i - 1) % CONVERSATIONS_MOST];
		for (*from = 0; *from < 2; ++*from)
			if (endpoint_equal(&connection->sides[*from].endpoint, &segment->source) &&
			    endpoint_equal(&connection->sides[1 - *from].endpoint, &segment->destination))
				return connection;
	}
	return NULL;
}

static struct wire_connection *begin(struct conversations *conversations,
                                     const struct segment *segment)
{
	uint32_t number = ++conversations->count;
	struct wire_connection *connection =
	    &conversations->connections[(number - 1) % CONVERSATIONS_MOST];
	bool opening = (segment->flags & SEGMENT_SYN) != 0;

	*connection = (struct wire_connection){.number = number};
	connection->sides[0].endpoint = segment->source;
	connection->sides[1].endpoint = segment->destination;
	/* Where the beginning was missed, they have been talking. */
	connection->sides[0].state = opening ? TCP_STATE_CLOSED : TCP_STATE_ESTABLISHED;
	connection->sides[1].state = opening ? TCP_STATE_NONE : TCP_STATE_ESTABLISHED;
	connection->sides[0].scale = connection->sides[1].scale = -1;
	return connection;
}

static bool is_over(const struct wire_connection *connection)
{
	for (int i = 0; i < 2; i++)
		if (connection->sides[i].state != TCP_STATE_CLOSED &&
		    connection->sides[i].state != TCP_STATE_TIME_WAIT)
			return false;
	return true;
}

bool conversations_are_over(const struct conversations *conversations)
{
	uint32_t count = conversations->count;

	for (uint32_t i = 0; i < count && i < CONVERSATIONS_MOST; i++)
		if (!is_over(&conversations->connections[i]))
			return false;
	return count > 0;
}

/* ---- states, by the rules of RFC 9293 section 3.3.2 ---- */

static void after_fin(struct wire_side *sender, struct wire_side *receiver, uint32_t upto)
{
	/* Both closed at the same time: this FIN was sent before the other one had come. */
	bool crossed = receiver->finished && upto != receiver->next;

	if (sender->state == TCP_STATE_ESTABLISHED || sender->state == TCP_STATE_SYN_RECV)
		sender->state = TCP_STATE_FIN_WAIT1;
	else if (sender->state == TCP_STATE_CLOSE_WAIT && crossed)
		sender->state = TCP_STATE_CLOSING;
	else if (sender->state == TCP_STATE_CLOSE_WAIT)
		sender->state = TCP_STATE_LAST_ACK;
	if (receiver->state == TCP_STATE_ESTABLISHED)
		receiver->state = TCP_STATE_CLOSE_WAIT;
	else if (receiver->state == TCP_STATE_FIN_WAIT1)
		receiver->state = TCP_STATE_CLOSING;
	else if (receiver->state == TCP_STATE_FIN_WAIT2)
		receiver->state = TCP_STATE_TIME_WAIT;
}

/* The sender has everything up to the number; the receiver of this segment learns that. */
static void after_ack(struct wire_side *sender, struct wire_side *receiver, uint32_t upto)
{
	bool all = receiver->known && upto == receiver->next;

	if (receiver->state == TCP_STATE_SYN_RECV && all)
		receiver->state = TCP_STATE_ESTABLISHED;
	else if (receiver->state == TCP_STATE_FIN_WAIT1 && all)
		receiver->state = TCP_STATE_FIN_WAIT2;
	else if (receiver->state == TCP_STATE_CLOSING && all)
		receiver->state = TCP_STATE_TIME_WAIT;
	else if (receiver->state == TCP_STATE_LAST_ACK && all)
		receiver->state = TCP_STATE_CLOSED;
	if (sender->state == TCP_STATE_SYN_SENT)
		sender->state = TCP_STATE_ESTABLISHED;
}

static void move_states(struct wire_side *sender, struct wire_side *receiver,
                        const struct segment *segment, bool again)
{
	if (segment->flags & SEGMENT_RST) {
		sender->state = receiver->state = TCP_STATE_CLOSED;
		return;
	}
	if ((segment->flags & SEGMENT_SYN) && again)
		return; /* the other side had it already */
	if (segment->flags & SEGMENT_SYN) {
		bool answer = (segment->flags & SEGMENT_ACK) != 0;
		sender->state = answer ? TCP_STATE_SYN_RECV : TCP_STATE_SYN_SENT;
		if (answer)
			receiver->state = TCP_STATE_ESTABLISHED;
		return;
	}
	if (segment->flags & SEGMENT_ACK)
		after_ack(sender, receiver, segment->acknowledgement);
	if (segment->flags & SEGMENT_FIN)
		after_fin(sender, receiver, segment->acknowledgement);
}

/* ---- words ---- */

static void say_data(struct told *told, const struct segment *segment)
{
	unsigned long first = told->relative_sequence;
	unsigned long last = first + segment->data_length - 1;

	text_add(told->words, sizeof told->words, "%shere %s byte%s %lu",
	         told->again ? "once more: " : "", first == last ? "is" : "are",
	         first == last ? "" : "s", first);
	if (last > first)
		text_add(told->words, sizeof told->words, " to %lu", last);
}

static void say_acknowledged(struct told *told, const struct wire_side *other)
{
	bool all = other->finished && told->relative_acknowledgement == other->next - other->first;

	if (all && told->relative_acknowledgement == 2)
		text_add(told->words, sizeof told->words, "I have your FIN");
	else if (all)
		text_add(told->words, sizeof told->words,
		         "I have everything up to byte %lu, and your FIN",
		         (unsigned long)told->relative_acknowledgement - 2);
	else if (told->relative_acknowledgement == 1)
		text_add(told->words, sizeof told->words, "I have your SYN");
	else
		text_add(told->words, sizeof told->words, "I have everything up to byte %lu",
		         (unsigned long)told->relative_acknowledgement - 1);
}

static void say(struct told *told, const struct segment *segment, const struct wire_side *other,
                bool refuses)
{
	char *words = told->words;
	size_t size = sizeof told->words;
	uint8_t flags = segment->flags;

	words[0] = '\0';
	if (flags & SEGMENT_RST) {
		text_add(words, size,
		         refuses ? "nobody listens here: RST" : "I cut this connection: RST");
	} else if (flags & SEGMENT_SYN) {
		if (told->again)
			text_add(words, size, "once more: ");
		text_add(words, size,
		         flags & SEGMENT_ACK ? "I have your SYN, and I want to talk, too: SYN ACK"
		                             : "I want to talk: SYN");
	} else {
		if (segment->data_length > 0)
			say_data(told, segment);
		else
			say_acknowledged(told, other);
		if (flags & SEGMENT_FIN)
			text_add(words, size, "; I have nothing more to send: FIN");
	}
	if (segment->window == 0 && !(flags & (SEGMENT_RST | SEGMENT_SYN)))
		text_add(words, size, "; wait, I have no room");
}

void conversations_take(struct conversations *conversations, const struct segment *segment,
                        struct told *told)
{
	int from = 0;
	struct wire_connection *connection = find(conversations, segment, &from);
	bool opens = (segment->flags & (SEGMENT_SYN | SEGMENT_ACK)) == SEGMENT_SYN;

	if (connection == NULL || (opens && is_over(connection))) {
		connection = begin(conversations, segment);
		from = 0;
	}
	struct wire_side *sender = &connection->sides[from];
	struct wire_side *receiver = &connection->sides[1 - from];
	uint32_t end = segment->sequence + segment_span(segment);
	/* An answer to a SYN: who has nothing there, has no number of its own either. */
	bool refuses = (segment->flags & SEGMENT_RST) && !sender->known &&
	               receiver->state == TCP_STATE_SYN_SENT;

	if (!sender->known && !refuses) {
		sender->known = true;
		/* SYN is number 0 and the first byte number 1, also where SYN was not seen. */
		sender->first = segment->sequence - (segment->flags & SEGMENT_SYN ? 0 : 1);
		sender->next = segment->sequence;
	}
	memset(told, 0, sizeof *told);
	told->connection = connection;
	told->from = from;
	told->relative_sequence = refuses ? 0 : segment->sequence - sender->first;
	if (!receiver->known && (segment->flags & SEGMENT_ACK)) {
		receiver->known = true;
		receiver->first = segment->acknowledgement - 1;
		receiver->next = segment->acknowledgement;
	}
	told->relative_acknowledgement =
	    segment->flags & SEGMENT_ACK ? segment->acknowledgement - receiver->first : 0;
	/* Numbers turn round at 2^32: the difference counts, not the order. */
	told->again = segment_span(segment) > 0 && (int32_t)(end - sender->next) <= 0;
	if ((int32_t)(end - sender->next) > 0)
		sender->next = end;
	if (segment->flags & SEGMENT_FIN)
		sender->finished = true;
	if (segment->flags & SEGMENT_SYN)
		sender->scale = segment->window_scale;
	/* Both must have offered it, and a SYN's own window is never scaled. */
	bool scaled = !(segment->flags & SEGMENT_SYN) && sender->scale >= 0 && receiver->scale >= 0;
	told->window = (long)segment->window << (scaled ? sender->scale : 0);
	say(told, segment, receiver, refuses);
	move_states(sender, receiver, segment, told->again);
}
