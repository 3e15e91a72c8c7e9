/* small_tcp.c - see small_tcp.h. */
#include "wire/small_tcp.h"

#include "kit/greeting.h"

#include <string.h>

enum { WINDOW = 4096, RESEND_MOST = 6 };

/* Sequence numbers turn round at 2^32: their difference tells which comes first. */
static bool is_before(uint32_t one, uint32_t other)
{
	return (int32_t)(one - other) < 0;
}

static void emit(struct small_tcp *tcp, uint8_t flags, uint32_t sequence, const uint8_t *data,
                 size_t length, bool again, small_tcp_sender send, void *argument)
{
	struct segment segment = {
	    .source = tcp->local,
	    .destination = tcp->peer,
	    .sequence = sequence,
	    .acknowledgement = tcp->receive_next,
	    .flags = flags,
	    .window = WINDOW,
	    .data = data,
	    .data_length = length,
	};

	send(argument, &segment, again);
}

static void acknowledge(struct small_tcp *tcp, small_tcp_sender send, void *argument)
{
	emit(tcp, SEGMENT_ACK, tcp->send_next, NULL, 0, false, send, argument);
}

void small_tcp_listen(struct small_tcp *tcp, const struct endpoint *local)
{
	uint32_t connections = tcp->connections;

	memset(tcp, 0, sizeof *tcp);
	tcp->local = *local;
	tcp->state = TCP_STATE_LISTEN;
	tcp->connections = connections;
	tcp->resend_at = -1;
}

/* ---- sending ---- */

/* What goes out next: one segment of data, or our FIN when the other side has sent its own. */
static void send_more(struct small_tcp *tcp, int64_t now, small_tcp_sender send, void *argument)
{
	if (tcp->in_flight > 0 || tcp->acknowledged != tcp->send_next)
		return; /* one at a time: the first must be acknowledged */
	if (tcp->queued > 0) {
		size_t length = tcp->queued < SMALL_TCP_DATA_MOST ? tcp->queued : SMALL_TCP_DATA_MOST;
		emit(tcp, SEGMENT_PSH | SEGMENT_ACK, tcp->send_next, tcp->queue, length, false, send,
		     argument);
		tcp->send_next += (uint32_t)length;
		tcp->in_flight = length;
	} else if (tcp->state == TCP_STATE_CLOSE_WAIT) {
		emit(tcp, SEGMENT_FIN | SEGMENT_ACK, tcp->send_next, NULL, 0, false, send, argument);
		tcp->send_next++;
		tcp->fin_sent = true;
		tcp->state = TCP_STATE_LAST_ACK;
	} else {
		return;
	}
	tcp->resend_at = now + SMALL_TCP_RESEND_MS;
	tcp->resent = 0;
}

static void send_again(struct small_tcp *tcp, small_tcp_sender send, void *argument)
{
	if (tcp->state == TCP_STATE_SYN_RECV)
		emit(tcp, SEGMENT_SYN | SEGMENT_ACK, tcp->send_first, NULL, 0, true, send, argument);
	else if (tcp->in_flight > 0)
		emit(tcp, SEGMENT_PSH | SEGMENT_ACK, tcp->acknowledged, tcp->queue, tcp->in_flight,
		     true, send, argument);
	else if (tcp->fin_sent)
		emit(tcp, SEGMENT_FIN | SEGMENT_ACK, tcp->acknowledged, NULL, 0, true, send, argument);
}

void small_tcp_tick(struct small_tcp *tcp, int64_t now, small_tcp_sender send, void *argument)
{
	struct endpoint local = tcp->local;

	if (tcp->resend_at == -1 || now < tcp->resend_at)
		return;
	if (++tcp->resent > RESEND_MOST) { /* nobody is there any more */
		small_tcp_listen(tcp, &local);
		return;
	}
	send_again(tcp, send, argument);
	/* Each time twice as long: whoever does not answer may be overloaded (RFC 6298). */
	tcp->resend_at = now + ((int64_t)SMALL_TCP_RESEND_MS << tcp->resent);
}

static void queue_bytes(struct small_tcp *tcp, const void *bytes, size_t length)
{
	memcpy(tcp->queue + tcp->queued, bytes, length);
	tcp->queued += length;
}

static void greet(struct small_tcp *tcp)
{
	char line[GREETING_SIZE];
	int length = greeting_format(&(struct greeting){.client = tcp->peer,
	                                                .server = tcp->local,
	                                                .transport = TRANSPORT_TCP,
	                                                .number = tcp->connections},
	                             line);
	queue_bytes(tcp, line, (size_t)length);
}

/* ---- taking in ---- */

static void take_syn(struct small_tcp *tcp, const struct segment *segment, int64_t now,
                     small_tcp_sender send, void *argument)
{
	tcp->peer = segment->source;
	tcp->receive_next = segment->sequence + 1;
	/* A real TCP makes this number hard to guess (RFC 6528); here the clock will do. */
	tcp->send_first = (uint32_t)now * 64000;
	tcp->send_next = tcp->send_first + 1;
	tcp->acknowledged = tcp->send_first;
	tcp->state = TCP_STATE_SYN_RECV;
	emit(tcp, SEGMENT_SYN | SEGMENT_ACK, tcp->send_first, NULL, 0, false, send, argument);
	tcp->resend_at = now + SMALL_TCP_RESEND_MS;
}

static void take_ack(struct small_tcp *tcp, uint32_t upto)
{
	struct endpoint local = tcp->local;

	if (!is_before(tcp->acknowledged, upto) || is_before(tcp->send_next, upto))
		return; /* nothing new, or what was never sent */
	if (tcp->state == TCP_STATE_SYN_RECV) {
		tcp->state = TCP_STATE_ESTABLISHED;
		tcp->connections++;
		tcp->acknowledged++;
		greet(tcp);
	}
	size_t bytes = upto - tcp->acknowledged;
	if (bytes > tcp->in_flight)
		bytes = tcp->in_flight; /* the rest is our FIN */
	memmove(tcp->queue, tcp->queue + bytes, tcp->queued - bytes);
	tcp->queued -= bytes;
	tcp->in_flight -= bytes;
	tcp->acknowledged = upto;
	if (tcp->acknowledged == tcp->send_next)
		tcp->resend_at = -1;
	if (tcp->state == TCP_STATE_LAST_ACK && tcp->acknowledged == tcp->send_next)
		small_tcp_listen(tcp, &local);
}

/* Only what comes next is taken; anything else is answered by what we still expect. */
static void take_data(struct small_tcp *tcp, const struct segment *segment,
                      small_tcp_sender send, void *argument)
{
	bool fin = (segment->flags & SEGMENT_FIN) != 0;

	if (segment->data_length == 0 && !fin)
		return;
	bool fits = segment->data_length <= sizeof tcp->queue - tcp->queued;
	if (segment->sequence == tcp->receive_next && tcp->state == TCP_STATE_ESTABLISHED && fits) {
		if (segment->data_length > 0)
			queue_bytes(tcp, segment->data, segment->data_length); /* the echo */
		tcp->receive_next += segment_span(segment);
		if (fin)
			tcp->state = TCP_STATE_CLOSE_WAIT;
	}
	acknowledge(tcp, send, argument);
}

static bool from_peer(const struct small_tcp *tcp, const struct segment *segment)
{
	return tcp->peer.length != 0 && endpoint_equal(&tcp->peer, &segment->source);
}

/* Whoever else knocks meanwhile is told that nobody is free. */
static void refuse(struct small_tcp *tcp, const struct segment *segment, small_tcp_sender send,
                   void *argument)
{
	struct segment answer = {
	    .source = segment->destination,
	    .destination = segment->source,
	    .acknowledgement = segment->sequence + segment_span(segment),
	    .sequence = segment->flags & SEGMENT_ACK ? segment->acknowledgement : 0,
	    .flags = SEGMENT_RST | SEGMENT_ACK,
	};

	(void)tcp;
	if (!(segment->flags & SEGMENT_RST))
		send(argument, &answer, false);
}

void small_tcp_take(struct small_tcp *tcp, const struct segment *segment, int64_t now,
                    small_tcp_sender send, void *argument)
{
	struct endpoint local = tcp->local;
	bool opens = (segment->flags & (SEGMENT_SYN | SEGMENT_ACK | SEGMENT_RST)) == SEGMENT_SYN;

	if (tcp->state == TCP_STATE_LISTEN && opens) {
		take_syn(tcp, segment, now, send, argument);
		return;
	}
	if (!from_peer(tcp, segment)) {
		refuse(tcp, segment, send, argument);
		return;
	}
	if (segment->flags & SEGMENT_RST) {
		/* Whoever guesses only the ports must not be able to cut it (RFC 5961). */
		if (segment->sequence == tcp->receive_next)
			small_tcp_listen(tcp, &local);
		return;
	}
	if (segment->flags & SEGMENT_SYN) {
		if (tcp->state == TCP_STATE_SYN_RECV)
			send_again(tcp, send, argument); /* it did not get our answer */
		else
			acknowledge(tcp, send, argument); /* one who began anew answers that with RST */
		return;
	}
	if (!(segment->flags & SEGMENT_ACK))
		return; /* after the first, every segment has it */
	if (is_before(tcp->send_next, segment->acknowledgement)) {
		acknowledge(tcp, send, argument); /* that was never sent */
		return;
	}
	take_ack(tcp, segment->acknowledgement);
	if (tcp->state == TCP_STATE_LISTEN)
		return; /* that was the last one */
	take_data(tcp, segment, send, argument);
	send_more(tcp, now, send, argument);
}
