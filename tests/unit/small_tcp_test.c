/*
 * small_tcp_test.c - the small TCP, handed segments and moments: what it hands out, and the
 * states it goes through.
 */
#include "kit/greeting.h"
#include "wire/small_tcp.h"

#include "tap.h"

#include <stdlib.h>

#define SYN SEGMENT_SYN
#define ACK SEGMENT_ACK
#define FIN SEGMENT_FIN
#define RST SEGMENT_RST
#define PSH SEGMENT_PSH

enum { SENT_MOST = 16, CLIENT_FIRST = 5000, START_MS = 1000 };

static struct small_tcp tcp;

/* What it has handed out since the last look, and the clock that it is told. */
static struct sent {
	struct segment segment;
	uint8_t data[SEGMENT_SIZE_MOST];
	bool again;
} sent[SENT_MOST];
static int sent_count;
static int64_t now;

static void keep(void *argument, const struct segment *segment, bool again)
{
	struct sent *place = &sent[sent_count < SENT_MOST ? sent_count : SENT_MOST - 1];

	(void)argument;
	sent_count++;
	place->segment = *segment;
	place->again = again;
	if (segment->data_length > 0)
		memcpy(place->data, segment->data, segment->data_length);
}

/* ---- the client's side, played here ---- */

static struct client {
	uint16_t port;
	uint32_t next;     /* the number of the next byte that it sends */
	uint32_t expected; /* what it acknowledges */
} client;

static void give(uint8_t flags, uint32_t sequence, uint32_t acknowledgement, const void *data,
                 size_t length)
{
	struct segment segment = {.sequence = sequence,
	                          .acknowledgement = acknowledgement,
	                          .flags = flags,
	                          .window = 64000,
	                          .window_scale = -1,
	                          .data = data,
	                          .data_length = length};

	(void)endpoint_parse("10.78.0.1:0", &segment.source);
	(void)endpoint_parse("10.78.0.2:7", &segment.destination);
	endpoint_set_port(&segment.source, client.port);
	sent_count = 0;
	small_tcp_take(&tcp, &segment, now, keep, NULL);
}

static void give_data(const char *data)
{
	give(PSH | ACK, client.next, client.expected, data, strlen(data));
	client.next += (uint32_t)strlen(data);
}

static void tick_at(int64_t moment)
{
	now = moment;
	sent_count = 0;
	small_tcp_tick(&tcp, now, keep, NULL);
}

static const struct sent *last_sent(void)
{
	static const struct sent none;

	return sent_count > 0 && sent_count <= SENT_MOST ? &sent[sent_count - 1] : &none;
}

/* The client acknowledges all that was handed out last. */
static void acknowledge_last(void)
{
	const struct segment *segment = &last_sent()->segment;

	client.expected = segment->sequence + segment_span(segment);
	give(ACK, client.next, client.expected, NULL, 0);
}

/* ---- what is expected ---- */

static void check_state(enum tcp_state state)
{
	CHECK_STRING(tcp_state_name(tcp.state), tcp_state_name(state), "the state");
}

static void check_nothing_sent(const char *what)
{
	CHECK_NUMBER(sent_count, 0, what);
}

/* The number `which`, from 0, of what it has just handed out. */
static void check_sent(int which, uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
                       const char *data)
{
	const struct segment *segment = &sent[which].segment;
	char text[ENDPOINT_TEXT_SIZE], expected[ENDPOINT_TEXT_SIZE];

	CHECK(which < sent_count, "a segment was handed out");
	snprintf(expected, sizeof expected, "10.78.0.1:%u", client.port);
	CHECK_STRING(endpoint_format(&segment->source, text), "10.78.0.2:7", "from its address");
	CHECK_STRING(endpoint_format(&segment->destination, text), expected, "to the client's");
	CHECK_NUMBER(segment->flags, flags, "with these flags");
	CHECK_NUMBER(segment->sequence, sequence, "with this number");
	CHECK_NUMBER(segment->acknowledgement, acknowledgement, "acknowledging up to that");
	CHECK(segment->data_length == strlen(data) &&
	          memcmp(sent[which].data, data, strlen(data)) == 0,
	      "and with that data");
}

/* ---- beginnings that the tests share ---- */

static void listen_anew(void)
{
	struct endpoint local;

	(void)endpoint_parse("10.78.0.2:7", &local);
	memset(&tcp, 0, sizeof tcp);
	small_tcp_listen(&tcp, &local);
	client = (struct client){40000, CLIENT_FIRST, 0};
	now = START_MS;
	sent_count = 0;
}

/* The client's SYN, from a number of its choice. */
static void open_from(uint32_t first)
{
	give(SYN, first, 0, NULL, 0);
	client.next = first + 1;
	client.expected = sent[0].segment.sequence + 1;
}

/* Handshake done, greeting handed out and acknowledged. */
static void establish_from(uint32_t first)
{
	open_from(first);
	give(ACK, client.next, client.expected, NULL, 0);
	acknowledge_last();
}

static void establish(void)
{
	listen_anew();
	establish_from(CLIENT_FIRST);
}

/* ---- the ordinary way ---- */

static void format_greeting(uint32_t number, char line[GREETING_SIZE])
{
	snprintf(line, GREETING_SIZE, "hello 10.78.0.1:%u from 10.78.0.2:7 connection %u\n",
	         client.port, (unsigned)number);
}

static void test_handshake(void)
{
	char line[GREETING_SIZE];

	listen_anew();
	check_state(TCP_STATE_LISTEN);
	CHECK_NUMBER(tcp.resend_at, -1, "nothing is to be sent again");
	open_from(CLIENT_FIRST);
	check_state(TCP_STATE_SYN_RECV);
	CHECK_NUMBER(sent_count, 1, "a SYN has one answer");
	check_sent(0, SYN | ACK, tcp.send_first, CLIENT_FIRST + 1, "");
	CHECK(sent[0].segment.window > 0, "with room for something");
	CHECK_NUMBER(tcp.connections, 0, "that is no connection yet");
	uint32_t first = tcp.send_first;
	give(ACK, client.next, client.expected, NULL, 0);
	check_state(TCP_STATE_ESTABLISHED);
	CHECK_NUMBER(tcp.connections, 1, "now it is");
	CHECK_NUMBER(sent_count, 1, "and the greeting goes out");
	format_greeting(1, line);
	check_sent(0, PSH | ACK, first + 1, CLIENT_FIRST + 1, line);
	CHECK(!sent[0].again, "for the first time");
	acknowledge_last();
	check_nothing_sent("it is acknowledged, and the client's turn");
	CHECK_NUMBER(tcp.resend_at, -1, "nothing is to be sent again");
}

static void test_echo(void)
{
	establish();
	uint32_t number = client.expected;
	give_data("hello");
	CHECK_NUMBER(sent_count, 2, "data: acknowledged, and sent back");
	check_sent(0, ACK, number, client.next, "");
	check_sent(1, PSH | ACK, number, client.next, "hello");
	acknowledge_last();
	check_nothing_sent("that is all");
	give_data("x");
	check_sent(1, PSH | ACK, number + 5, client.next, "x");
	/* Before it is acknowledged more comes: it waits. */
	give_data("first");
	CHECK_NUMBER(sent_count, 1, "one at a time: this one only acknowledges");
	check_sent(0, ACK, number + 6, client.next, "");
	give_data(" second");
	CHECK_NUMBER(sent_count, 1, "and this one");
	client.expected = number + 6;
	give(ACK, client.next, client.expected, NULL, 0);
	check_sent(0, PSH | ACK, number + 6, client.next, "first second");
}

static void test_end(void)
{
	establish();
	uint32_t number = client.expected;
	give(FIN | ACK, client.next, client.expected, NULL, 0);
	check_state(TCP_STATE_LAST_ACK);
	CHECK_NUMBER(sent_count, 2, "a FIN: acknowledged, and answered by ours");
	check_sent(0, ACK, number, client.next + 1, "");
	check_sent(1, FIN | ACK, number, client.next + 1, "");
	client.next++;
	acknowledge_last();
	check_nothing_sent("the last one is not answered");
	check_state(TCP_STATE_LISTEN);
	CHECK_NUMBER(tcp.connections, 1, "the count is kept");
	CHECK_NUMBER(tcp.resend_at, -1, "nothing is left to be sent");
}

/* What is still to be echoed goes out before our FIN. */
static void test_end_with_data(void)
{
	establish();
	uint32_t number = client.expected;
	give(FIN | PSH | ACK, client.next, client.expected, "last words", 10);
	check_state(TCP_STATE_CLOSE_WAIT);
	client.next += 11;
	check_sent(0, ACK, number, client.next, "");
	check_sent(1, PSH | ACK, number, client.next, "last words");
	acknowledge_last();
	check_state(TCP_STATE_LAST_ACK);
	check_sent(0, FIN | ACK, number + 10, client.next, "");
	give(ACK, client.next, number + 10, NULL, 0);
	check_state(TCP_STATE_LAST_ACK);
	give(ACK, client.next, number + 11, NULL, 0);
	check_state(TCP_STATE_LISTEN);
}

/* A client in a hurry: data and FIN with the ACK that opens the connection. */
static void test_all_at_once(void)
{
	char line[2 * GREETING_SIZE];

	listen_anew();
	open_from(CLIENT_FIRST);
	uint32_t number = client.expected;
	give(FIN | PSH | ACK, client.next, client.expected, "quick", 5);
	client.next += 6;
	check_state(TCP_STATE_CLOSE_WAIT);
	format_greeting(1, line);
	strcat(line, "quick");
	check_sent(0, ACK, number, client.next, "");
	check_sent(1, PSH | ACK, number, client.next, line);
	acknowledge_last();
	check_state(TCP_STATE_LAST_ACK);
}

static void test_next_client(void)
{
	char line[GREETING_SIZE];

	establish();
	give(FIN | ACK, client.next, client.expected, NULL, 0);
	client.next++;
	acknowledge_last();
	client.port = 40001;
	open_from(77);
	check_sent(0, SYN | ACK, tcp.send_first, 78, "");
	give(ACK, client.next, client.expected, NULL, 0);
	format_greeting(2, line);
	check_sent(0, PSH | ACK, tcp.send_first + 1, 78, line);
	CHECK_NUMBER(tcp.connections, 2, "the second connection is number 2");
}

/* ---- sending again ---- */

/* From `start` on: it is silent until each moment, and says the same at it. */
static void check_resends(int64_t start, uint8_t flags, uint32_t sequence, const char *data)
{
	int64_t moment = start, wait = SMALL_TCP_RESEND_MS;

	for (int i = 0; i < 6; i++, wait *= 2) {
		tick_at(moment + 1);
		check_nothing_sent("not at once");
		tick_at(moment + wait - 1);
		check_nothing_sent("not a millisecond too early");
		moment += wait;
		tick_at(moment);
		CHECK_NUMBER(sent_count, 1, "then once");
		check_sent(0, flags, sequence, client.next, data);
		CHECK(sent[0].again, "which is said to be again");
	}
	tick_at(moment + wait - 1);
	CHECK(sent_count == 0 && tcp.state != TCP_STATE_LISTEN, "it still waits");
	tick_at(moment + wait);
	check_nothing_sent("and then gives up");
	check_state(TCP_STATE_LISTEN);
	tick_at(moment + 100 * wait);
	check_nothing_sent("for good");
}

static void test_resend_syn(void)
{
	listen_anew();
	open_from(CLIENT_FIRST);
	check_resends(START_MS, SYN | ACK, tcp.send_first, "");
	CHECK_NUMBER(tcp.connections, 0, "that was no connection");
	/* Whoever comes next is served. */
	establish_from(1);
	check_state(TCP_STATE_ESTABLISHED);
}

static void test_resend_greeting(void)
{
	char line[GREETING_SIZE];

	listen_anew();
	open_from(CLIENT_FIRST);
	now = 5000;
	give(ACK, client.next, client.expected, NULL, 0);
	format_greeting(1, line);
	check_resends(5000, PSH | ACK, client.expected, line);
}

static void test_resend_data(void)
{
	establish();
	now = 7000;
	give_data("again and again");
	check_resends(7000, PSH | ACK, client.expected, "again and again");
}

static void test_resend_fin(void)
{
	establish();
	now = 9000;
	give(FIN | ACK, client.next, client.expected, NULL, 0);
	client.next++;
	check_resends(9000, FIN | ACK, client.expected, "");
}

/* What is acknowledged is not sent again, and the next begins with the short wait. */
static void test_resend_ends(void)
{
	establish();
	give_data("one");
	tick_at(now + SMALL_TCP_RESEND_MS);
	CHECK_NUMBER(sent_count, 1, "it is sent again");
	acknowledge_last();
	tick_at(now + 1000000);
	check_nothing_sent("acknowledged: never more");
	give_data("two");
	tick_at(now + SMALL_TCP_RESEND_MS - 1);
	check_nothing_sent("the next waits");
	tick_at(now + 1);
	CHECK_NUMBER(sent_count, 1, "the short time again");
	tick_at(now + 2 * SMALL_TCP_RESEND_MS - 1);
	check_nothing_sent("then twice that");
	tick_at(now + 1);
	CHECK_NUMBER(sent_count, 1, "and no more");
}

/* A part is acknowledged: only the rest is sent again. */
static void test_partly_acknowledged(void)
{
	establish();
	uint32_t number = client.expected;
	give_data("0123456789");
	client.expected = number + 4;
	give(ACK, client.next, client.expected, NULL, 0);
	check_nothing_sent("the rest is still on its way");
	tick_at(now + SMALL_TCP_RESEND_MS);
	check_sent(0, PSH | ACK, number + 4, client.next, "456789");
	acknowledge_last();
	CHECK_NUMBER(tcp.queued, 0, "then all is done");
	give_data("next");
	check_sent(1, PSH | ACK, number + 10, client.next, "next");
}

/* ---- what comes twice, too early, or never should ---- */

static void test_duplicates(void)
{
	listen_anew();
	open_from(CLIENT_FIRST);
	uint32_t number = client.expected - 1;
	give(SYN, CLIENT_FIRST, 0, NULL, 0);
	CHECK_NUMBER(sent_count, 1, "a SYN for the second time is answered");
	check_sent(0, SYN | ACK, number, CLIENT_FIRST + 1, "");
	check_state(TCP_STATE_SYN_RECV);
	give(ACK, client.next, client.expected, NULL, 0);
	give(ACK, client.next, client.expected, NULL, 0);
	check_nothing_sent("an ACK for the second time is not answered");
	CHECK_NUMBER(tcp.connections, 1, "and opens nothing more");

	establish();
	number = client.expected;
	give_data("hello");
	acknowledge_last();
	give(PSH | ACK, client.next - 5, client.expected, "hello", 5);
	CHECK_NUMBER(sent_count, 1, "data for the second time is acknowledged");
	check_sent(0, ACK, number + 5, client.next, "");
	CHECK_NUMBER(tcp.queued, 0, "and not echoed again");
	give(FIN | ACK, client.next, client.expected, NULL, 0);
	client.next++;
	give(FIN | ACK, client.next - 1, client.expected, NULL, 0);
	CHECK_NUMBER(sent_count, 1, "so is a FIN");
	check_sent(0, ACK, number + 6, client.next, "");
	check_state(TCP_STATE_LAST_ACK);
}

/* Only what comes next is taken. */
static void test_out_of_order(void)
{
	establish();
	uint32_t number = client.expected, next = client.next;
	give(PSH | ACK, next + 3, number, "def", 3);
	CHECK_NUMBER(sent_count, 1, "too early: it says what it still expects");
	check_sent(0, ACK, number, next, "");
	CHECK_NUMBER(tcp.queued, 0, "and takes nothing");
	give(FIN | ACK, next + 6, number, NULL, 0);
	check_sent(0, ACK, number, next, "");
	check_state(TCP_STATE_ESTABLISHED);
	give(PSH | ACK, next, number, "abc", 3);
	check_sent(1, PSH | ACK, number, next + 3, "abc");
	give(PSH | ACK, next + 3, number + 3, "def", 3);
	check_sent(1, PSH | ACK, number + 3, next + 6, "def");
	give(PSH | ACK, next - 100, number + 6, "long ago", 8);
	check_sent(0, ACK, number + 6, next + 6, "");
}

static void test_wrong_acknowledgements(void)
{
	listen_anew();
	open_from(CLIENT_FIRST);
	give(ACK, client.next, client.expected + 1, NULL, 0);
	check_state(TCP_STATE_SYN_RECV);
	give(ACK, client.next, client.expected - 1, NULL, 0);
	check_state(TCP_STATE_SYN_RECV);
	give(ACK, client.next, client.expected + 0x7fffffff, NULL, 0);
	check_state(TCP_STATE_SYN_RECV);
	CHECK_NUMBER(tcp.connections, 0, "what was never sent opens no connection");

	establish();
	uint32_t number = client.expected;
	give_data("0123456789");
	give(ACK, client.next, number + 11, NULL, 0);
	CHECK_NUMBER(tcp.queued, 10, "one byte more than was sent: nothing is thrown away");
	give(ACK, client.next, number - 1, NULL, 0);
	CHECK_NUMBER(tcp.queued, 10, "nor for what was acknowledged long ago");
	tick_at(now + SMALL_TCP_RESEND_MS);
	check_sent(0, PSH | ACK, number, client.next, "0123456789");
	give(FIN | ACK, client.next, number + 10, NULL, 0);
	client.next++;
	check_state(TCP_STATE_LAST_ACK);
	give(ACK, client.next, number + 12, NULL, 0);
	check_state(TCP_STATE_LAST_ACK);
	give(ACK, client.next, number + 11, NULL, 0);
	check_state(TCP_STATE_LISTEN);
}

static void test_reset(void)
{
	listen_anew();
	give(RST, 1, 0, NULL, 0);
	check_nothing_sent("LISTEN: a RST is not answered");
	check_state(TCP_STATE_LISTEN);
	open_from(CLIENT_FIRST);
	give(RST | ACK, client.next, client.expected, NULL, 0);
	check_nothing_sent("SYN_RECV: nor here");
	check_state(TCP_STATE_LISTEN);
	establish();
	give_data("to be forgotten");
	give(RST, client.next, 0, NULL, 0);
	check_nothing_sent("ESTABLISHED: nor here");
	check_state(TCP_STATE_LISTEN);
	tick_at(now + 1000000);
	check_nothing_sent("and nothing of the old one is sent again");
	CHECK_NUMBER(tcp.connections, 1, "the count is kept");
	establish_from(1);
	CHECK_NUMBER(tcp.queued, 0, "nor to the next client");
	CHECK_NUMBER(tcp.connections, 2, "who is served");
}

/* ---- others ---- */

static void test_second_client(void)
{
	establish();
	uint32_t first_next = client.next, first_expected = client.expected;
	client.port = 40001;
	give(SYN, 900, 0, NULL, 0);
	CHECK_NUMBER(sent_count, 1, "a second client has an answer");
	check_sent(0, RST | ACK, 0, 901, "");
	give(PSH | ACK, 901, 12345, "let me in", 9);
	CHECK_NUMBER(sent_count, 1, "also when it goes on");
	CHECK(sent[0].segment.flags & RST, "which is RST");
	CHECK_NUMBER(sent[0].segment.sequence, 12345, "with the number that it expects (RFC 9293)");
	give(RST, 901, 0, NULL, 0);
	check_nothing_sent("a RST of it is not answered");
	check_state(TCP_STATE_ESTABLISHED);
	client = (struct client){40000, first_next, first_expected};
	give_data("still here");
	check_sent(1, PSH | ACK, first_expected, client.next, "still here");
	CHECK_NUMBER(tcp.connections, 1, "the first one noticed nothing");
}

/* Whoever talks to a listener without SYN is told that there is no such connection. */
static void test_no_connection(void)
{
	static const uint8_t flags[] = {ACK, FIN | ACK, SYN | ACK, PSH | ACK};

	for (size_t i = 0; i < sizeof flags; i++) {
		listen_anew();
		give(flags[i], 500, 700, "data", 4);
		CHECK_NUMBER(sent_count, 1, "it is answered");
		CHECK(sent[0].segment.flags & RST, "with RST");
		CHECK_NUMBER(sent[0].segment.sequence, 700, "that it will believe");
		check_state(TCP_STATE_LISTEN);
	}
	listen_anew();
	give(0, 500, 0, "data", 4);
	check_sent(0, RST | ACK, 0, 504, "");
}

/* ---- a full queue ---- */

static uint8_t pattern(uint32_t place)
{
	return (uint8_t)(place * 7 + place / 251);
}

/*
 * A client that sends `total` bytes, what is not acknowledged again, and acknowledges nothing:
 * it ends when the queue takes no more. Returns how many bytes were acknowledged.
 */
static uint32_t send_without_taking(uint32_t total, size_t piece)
{
	uint8_t bytes[SEGMENT_SIZE_MOST];
	uint32_t first = client.next, done = 0;

	while (done < total) {
		for (size_t i = 0; i < piece; i++)
			bytes[i] = pattern(done + (uint32_t)i);
		give(PSH | ACK, first + done, client.expected, bytes, piece);
		uint32_t upto = sent_count > 0 ? sent[0].segment.acknowledgement - first : 0;
		if (sent_count == 0 || upto == done)
			break;
		done = upto;
	}
	client.next = first + done;
	return done;
}

/* Now it takes. Returns how many bytes came back, -1 where one was another. */
static long take_everything(const struct sent *on_its_way)
{
	struct sent one = *on_its_way;
	uint32_t got = 0;

	while (one.segment.data_length > 0) {
		for (size_t i = 0; i < one.segment.data_length; i++)
			if (one.data[i] != pattern(got + (uint32_t)i))
				return -1;
		got += (uint32_t)one.segment.data_length;
		client.expected = one.segment.sequence + (uint32_t)one.segment.data_length;
		give(ACK, client.next, client.expected, NULL, 0);
		one = *last_sent();
		if (sent_count == 0)
			break;
	}
	return got;
}

static void test_full_queue(size_t piece)
{
	establish();
	uint32_t taken = send_without_taking(20000, piece);
	CHECK(taken <= SMALL_TCP_QUEUE && taken + piece > SMALL_TCP_QUEUE,
	      "it takes what has room, and no more");
	CHECK_NUMBER(tcp.queued, taken, "all of which is kept");
	check_state(TCP_STATE_ESTABLISHED);
	tick_at(now + SMALL_TCP_RESEND_MS);
	CHECK_NUMBER(take_everything(&sent[0]), taken,
	             "nothing is lost once it was acknowledged, and every byte is right");
	CHECK_NUMBER(tcp.queued, 0, "the queue is empty");
	uint32_t number = client.expected;
	give_data("room again");
	check_sent(1, PSH | ACK, number, client.next, "room again");
}

/* It is full, and the client ends: the FIN has no byte that would need room. */
static void test_full_queue_and_fin(void)
{
	establish();
	uint32_t taken = send_without_taking(20000, 1024);
	CHECK_NUMBER(taken, SMALL_TCP_QUEUE, "8192 bytes fill it to the last one");
	give(FIN | PSH | ACK, client.next, client.expected, "x", 1);
	check_state(TCP_STATE_ESTABLISHED);
	CHECK_NUMBER(sent[0].segment.acknowledgement, client.next,
	             "a FIN with data that has no room is not taken");
	give(FIN | ACK, client.next, client.expected, NULL, 0);
	client.next++;
	check_state(TCP_STATE_CLOSE_WAIT);
	tick_at(now + SMALL_TCP_RESEND_MS);
	CHECK_NUMBER(take_everything(&sent[0]), taken, "all comes back before our FIN");
	CHECK_NUMBER(last_sent()->segment.flags, FIN | ACK, "which is the last");
	check_state(TCP_STATE_LAST_ACK);
}

/* No segment is longer than 1024 bytes, or than what a packet holds. */
static void test_segment_size(void)
{
	uint8_t bytes[1460];

	establish();
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = pattern((uint32_t)i);
	give(PSH | ACK, client.next, client.expected, bytes, sizeof bytes);
	client.next += (uint32_t)sizeof bytes;
	CHECK_NUMBER(sent[1].segment.data_length, SMALL_TCP_DATA_MOST, "1024 bytes at most");
	CHECK_NUMBER(take_everything(&sent[1]), sizeof bytes, "then the rest");
}

/* ---- 2^32 ---- */

/* It takes its first number from the clock: the moment at which that is just below 2^32. */
static int64_t moment_before_turning(void)
{
	for (int64_t moment = 1;; moment++)
		if ((uint32_t)moment * 64000 == 0xfffffe00)
			return moment;
}

static void test_turning_round(void)
{
	char line[GREETING_SIZE];
	uint8_t bytes[SMALL_TCP_DATA_MOST];

	listen_anew();
	now = moment_before_turning();
	open_from(0xffffffff);
	CHECK_NUMBER(tcp.send_first, 0xfffffe00, "512 before our numbers turn round");
	check_sent(0, SYN | ACK, 0xfffffe00, 0, "");
	give(ACK, client.next, client.expected, NULL, 0);
	format_greeting(1, line);
	check_sent(0, PSH | ACK, 0xfffffe01, 0, line);
	acknowledge_last();
	check_state(TCP_STATE_ESTABLISHED);
	CHECK_NUMBER(client.next, 0, "the client's have turned already");
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = pattern((uint32_t)i);
	uint32_t number = client.expected;
	give(PSH | ACK, 0, number, bytes, sizeof bytes);
	client.next = sizeof bytes;
	CHECK_NUMBER(sent[1].segment.data_length, sizeof bytes, "across it");
	give(ACK, client.next, number + 1000, NULL, 0);
	CHECK_NUMBER(tcp.queued, 24, "acknowledged beyond it");
	give(ACK, client.next, number, NULL, 0);
	CHECK_NUMBER(tcp.queued, 24, "what lies before it is old");
	tick_at(now + SMALL_TCP_RESEND_MS);
	CHECK_NUMBER(sent[0].segment.sequence, number + 1000, "the rest again");
	acknowledge_last();
	CHECK_NUMBER(tcp.queued, 0, "and done");
	give(FIN | ACK, client.next, client.expected, NULL, 0);
	client.next++;
	acknowledge_last();
	check_state(TCP_STATE_LISTEN);
}

/* Ours turn round at the SYN, at the greeting or at the FIN: at every place of the client's. */
static void test_turning_round_everywhere(void)
{
	uint32_t wrong = 0;

	for (uint32_t first = 0xffffff00; first != 0x100; first++) {
		listen_anew();
		establish_from(first);
		uint32_t taken = send_without_taking(300, 100);
		tick_at(now + SMALL_TCP_RESEND_MS);
		wrong += taken != 300 || take_everything(&sent[0]) != 300;
		give(FIN | ACK, client.next, client.expected, NULL, 0);
		client.next++;
		acknowledge_last();
		wrong += tcp.state != TCP_STATE_LISTEN || tcp.connections != 1;
	}
	CHECK_NUMBER(wrong, 0, "wherever the client's numbers turn round, every byte comes back");
}

/* ---- anything at all ---- */

/* Random segments from two clients at random moments: whatever comes, its own numbers hold. */
static void test_random_segments(void)
{
	static uint8_t bytes[1460];
	uint32_t state = 20261120, broken = 0, opened = 0;

	listen_anew();
	for (int i = 0; i < 300000; i++) {
		state = state * 1664525 + 1013904223;
		uint32_t choice = state >> 8;
		client.port = choice % 16 == 0 ? 40001 : 40000;
		uint32_t sequence = tcp.receive_next + (choice >> 4) % 3 - ((choice >> 6) % 8 == 0);
		uint32_t acknowledgement = tcp.send_next - (choice >> 9) % 2 * ((choice >> 10) % 2000);
		uint8_t flags = (uint8_t)(choice >> 14 & 0x3f);
		if ((choice >> 20) % 4 != 0)
			flags = flags & 0x20 ? ACK : flags & 0x10 ? SYN : PSH | ACK;
		give(flags, sequence, acknowledgement, bytes, (choice >> 12) % sizeof bytes);
		now += (choice >> 5) % 300;
		sent_count = 0;
		small_tcp_tick(&tcp, now, keep, NULL);
		broken += tcp.queued > SMALL_TCP_QUEUE || tcp.in_flight > tcp.queued ||
		          tcp.in_flight > SMALL_TCP_DATA_MOST ||
		          tcp.send_next - tcp.acknowledged > SMALL_TCP_DATA_MOST + 1;
		opened = tcp.connections;
	}
	CHECK_NUMBER(broken, 0, "of 300000 random segments none breaks its numbers");
	CHECK(opened > 1000, "and quite some connections were opened");
}

int main(void)
{
	test_handshake();
	test_echo();
	test_end();
	test_end_with_data();
	test_all_at_once();
	test_next_client();
	test_resend_syn();
	test_resend_greeting();
	test_resend_data();
	test_resend_fin();
	test_resend_ends();
	test_partly_acknowledged();
	test_duplicates();
	test_out_of_order();
	test_wrong_acknowledgements();
	test_reset();
	test_second_client();
	test_no_connection();
	test_full_queue(1000);
	test_full_queue(1);
	test_full_queue(1460);
	test_full_queue_and_fin();
	test_segment_size();
	test_turning_round();
	test_turning_round_everywhere();
	test_random_segments();
	return tap_done();
}
