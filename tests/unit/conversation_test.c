/*
 * conversation_test.c - whole connections, segment by segment: the numbers, the words and the
 * states that are told.
 */
#include "wire/conversation.h"

#include "tap.h"

enum { CLIENT, SERVER };

#define SYN SEGMENT_SYN
#define ACK SEGMENT_ACK
#define FIN SEGMENT_FIN
#define RST SEGMENT_RST

static struct conversations conversations;
static struct told told;

static void begin_anew(void)
{
	memset(&conversations, 0, sizeof conversations);
}

/* Who speaks with whom, from port to port; the server's is 7. */
struct way {
	uint16_t from, to;
};
static const struct way to_server = {40000, 7}, to_client = {7, 40000};

static struct segment make(struct way way, uint8_t flags, uint32_t sequence,
                           uint32_t acknowledgement, size_t length)
{
	static const uint8_t bytes[4096];
	struct segment segment = {.source = endpoint_loopback(AF_INET, way.from),
	                          .destination = endpoint_loopback(AF_INET, way.to),
	                          .sequence = sequence,
	                          .acknowledgement = acknowledgement,
	                          .flags = flags,
	                          .window = 1000,
	                          .window_scale = -1,
	                          .data = bytes,
	                          .data_length = length};

	return segment;
}

static void take(struct way way, uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
                 size_t length)
{
	struct segment segment = make(way, flags, sequence, acknowledgement, length);

	conversations_take(&conversations, &segment, &told);
}

static void check_states(enum tcp_state client, enum tcp_state server)
{
	CHECK_STRING(tcp_state_name(told.connection->sides[CLIENT].state), tcp_state_name(client),
	             "the state of who began");
	CHECK_STRING(tcp_state_name(told.connection->sides[SERVER].state), tcp_state_name(server),
	             "the state of the other");
}

static void check_told(int from, uint32_t sequence, uint32_t acknowledgement, const char *words)
{
	CHECK_NUMBER(told.from, from, "who sent it");
	CHECK_NUMBER(told.relative_sequence, sequence, "its number, from 0");
	CHECK_NUMBER(told.relative_acknowledgement, acknowledgement, "what it acknowledges");
	CHECK_STRING(told.words, words, "in words");
}

/* SYN, SYN ACK, ACK, from these first numbers. */
static void shake_hands(struct way way, uint32_t client, uint32_t server)
{
	struct way back = {way.to, way.from};

	take(way, SYN, client, 0, 0);
	take(back, SYN | ACK, server, client + 1, 0);
	take(way, ACK, client + 1, server + 1, 0);
}

/* ---- a connection from its beginning to its end ---- */

static void check_handshake(uint32_t client, uint32_t server)
{
	CHECK(!conversations_are_over(&conversations), "nothing was seen: that is no end");
	take(to_server, SYN, client, 0, 0);
	check_told(CLIENT, 0, 0, "I want to talk: SYN");
	check_states(TCP_STATE_SYN_SENT, TCP_STATE_NONE);
	take(to_client, SYN | ACK, server, client + 1, 0);
	check_told(SERVER, 0, 1, "I have your SYN, and I want to talk, too: SYN ACK");
	check_states(TCP_STATE_ESTABLISHED, TCP_STATE_SYN_RECV);
	take(to_server, ACK, client + 1, server + 1, 0);
	check_told(CLIENT, 1, 1, "I have your SYN");
	check_states(TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED);
	CHECK(!told.again, "none of them was there before");
	CHECK(!conversations_are_over(&conversations), "it is not over");
}

static void check_data(uint32_t client, uint32_t server)
{
	take(to_client, ACK, server + 1, client + 1, 50);
	check_told(SERVER, 1, 1, "here are bytes 1 to 50");
	take(to_server, ACK, client + 1, server + 51, 0);
	check_told(CLIENT, 1, 51, "I have everything up to byte 50");
	take(to_server, ACK, client + 1, server + 51, 1);
	check_told(CLIENT, 1, 51, "here is byte 1");
	take(to_server, ACK, client + 2, server + 51, 2);
	check_told(CLIENT, 2, 51, "here are bytes 2 to 3");
	take(to_client, ACK, server + 51, client + 4, 3);
	check_told(SERVER, 51, 4, "here are bytes 51 to 53");
	check_states(TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED);
}

static void check_end(uint32_t client, uint32_t server)
{
	take(to_server, FIN | ACK, client + 4, server + 54, 0);
	check_told(CLIENT, 4, 54,
	           "I have everything up to byte 53; I have nothing more to send: FIN");
	check_states(TCP_STATE_FIN_WAIT1, TCP_STATE_CLOSE_WAIT);
	take(to_client, ACK, server + 54, client + 5, 0);
	check_told(SERVER, 54, 5, "I have everything up to byte 3, and your FIN");
	check_states(TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE_WAIT);
	take(to_client, ACK, server + 54, client + 5, 7);
	check_told(SERVER, 54, 5, "here are bytes 54 to 60");
	check_states(TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE_WAIT);
	take(to_client, FIN | ACK, server + 61, client + 5, 2);
	check_told(SERVER, 61, 5, "here are bytes 61 to 62; I have nothing more to send: FIN");
	check_states(TCP_STATE_TIME_WAIT, TCP_STATE_LAST_ACK);
	CHECK(!conversations_are_over(&conversations), "the last ACK is missing");
	take(to_server, ACK, client + 5, server + 64, 0);
	check_told(CLIENT, 5, 64, "I have everything up to byte 62, and your FIN");
	check_states(TCP_STATE_TIME_WAIT, TCP_STATE_CLOSED);
	CHECK(conversations_are_over(&conversations), "now it is over");
	CHECK_NUMBER(conversations.count, 1, "all that was one connection");
}

static void test_whole_connection(uint32_t client, uint32_t server)
{
	begin_anew();
	check_handshake(client, server);
	check_data(client, server);
	check_end(client, server);
}

/* ---- other ends ---- */

static void test_three_segments_end(void)
{
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_server, FIN | ACK, 101, 201, 0);
	check_told(CLIENT, 1, 1, "I have your SYN; I have nothing more to send: FIN");
	take(to_client, FIN | ACK, 201, 102, 0);
	check_told(SERVER, 1, 2, "I have your FIN; I have nothing more to send: FIN");
	check_states(TCP_STATE_TIME_WAIT, TCP_STATE_LAST_ACK);
	take(to_server, ACK, 102, 202, 0);
	check_told(CLIENT, 2, 2, "I have your FIN");
	check_states(TCP_STATE_TIME_WAIT, TCP_STATE_CLOSED);
}

static void test_server_ends_first(void)
{
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_client, FIN | ACK, 201, 101, 0);
	check_states(TCP_STATE_CLOSE_WAIT, TCP_STATE_FIN_WAIT1);
	take(to_server, ACK, 101, 202, 0);
	check_states(TCP_STATE_CLOSE_WAIT, TCP_STATE_FIN_WAIT2);
	take(to_server, FIN | ACK, 101, 202, 0);
	check_states(TCP_STATE_LAST_ACK, TCP_STATE_TIME_WAIT);
	take(to_client, ACK, 202, 102, 0);
	check_states(TCP_STATE_CLOSED, TCP_STATE_TIME_WAIT);
	CHECK(conversations_are_over(&conversations), "it is over");
}

/* Both send FIN before they have the other's (RFC 9293, figure 13). */
static void test_simultaneous_close(void)
{
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_server, FIN | ACK, 101, 201, 0);
	take(to_client, FIN | ACK, 201, 101, 0);
	CHECK_STRING(tcp_state_name(told.connection->sides[CLIENT].state), "CLOSING",
	             "a FIN that does not acknowledge mine");
	CHECK(!conversations_are_over(&conversations), "is not the end");
	take(to_server, ACK, 102, 202, 0);
	CHECK_STRING(tcp_state_name(told.connection->sides[CLIENT].state), "CLOSING",
	             "nor is my own ACK");
	CHECK(!conversations_are_over(&conversations), "one is still missing");
	take(to_client, ACK, 202, 102, 0);
	CHECK_STRING(tcp_state_name(told.connection->sides[CLIENT].state), "TIME_WAIT",
	             "the other's is");
	CHECK(conversations_are_over(&conversations), "of both sides");
}

static void test_reset(void)
{
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_server, RST | ACK, 101, 201, 0);
	check_told(CLIENT, 1, 1, "I cut this connection: RST");
	check_states(TCP_STATE_CLOSED, TCP_STATE_CLOSED);
	CHECK(conversations_are_over(&conversations), "a reset ends it for both");
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_client, RST, 201, 0, 0);
	check_told(SERVER, 1, 0, "I cut this connection: RST");
	check_states(TCP_STATE_CLOSED, TCP_STATE_CLOSED);
}

static void test_refused(void)
{
	begin_anew();
	take(to_server, SYN, 0xdeadbeef, 0, 0);
	take(to_client, RST | ACK, 0, 0xdeadbef0, 0);
	check_told(SERVER, 0, 1, "nobody listens here: RST");
	check_states(TCP_STATE_CLOSED, TCP_STATE_CLOSED);
	CHECK(conversations_are_over(&conversations), "a refused one is over");
	CHECK_NUMBER(conversations.count, 1, "and was one");
	take(to_server, SYN, 5000, 0, 0);
	check_told(CLIENT, 0, 0, "I want to talk: SYN");
	CHECK_NUMBER(told.connection->number, 2, "another try is another connection");
}

/* ---- seen before ---- */

static void test_once_more(void)
{
	begin_anew();
	take(to_server, SYN, 100, 0, 0);
	take(to_server, SYN, 100, 0, 0);
	CHECK(told.again, "a SYN for the second time");
	check_told(CLIENT, 0, 0, "once more: I want to talk: SYN");
	CHECK_NUMBER(conversations.count, 1, "is no other connection");
	take(to_client, SYN | ACK, 200, 101, 0);
	take(to_client, SYN | ACK, 200, 101, 0);
	check_told(SERVER, 0, 1, "once more: I have your SYN, and I want to talk, too: SYN ACK");
	check_states(TCP_STATE_ESTABLISHED, TCP_STATE_SYN_RECV);
	take(to_server, ACK, 101, 201, 0);
	take(to_server, ACK, 101, 201, 0);
	CHECK(!told.again, "an ACK alone has nothing to bring again");
	take(to_server, ACK, 101, 201, 10);
	take(to_server, ACK, 101, 201, 10);
	check_told(CLIENT, 1, 1, "once more: here are bytes 1 to 10");
	take(to_server, ACK, 105, 201, 1);
	check_told(CLIENT, 5, 1, "once more: here is byte 5");
	take(to_server, ACK, 105, 201, 7);
	check_told(CLIENT, 5, 1, "here are bytes 5 to 11");
	CHECK(!told.again, "one new byte makes it a new one");
	take(to_server, FIN | ACK, 112, 201, 0);
	CHECK(!told.again, "a first FIN");
	take(to_server, FIN | ACK, 112, 201, 0);
	CHECK(told.again, "and a second");
	check_states(TCP_STATE_FIN_WAIT1, TCP_STATE_CLOSE_WAIT);
}

/* Bytes 11 to 20 were lost before they were seen here. */
static void test_hole(void)
{
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_server, ACK, 101, 201, 10);
	take(to_server, ACK, 121, 201, 5);
	check_told(CLIENT, 21, 1, "here are bytes 21 to 25");
	CHECK(!told.again, "beyond a hole is new");
	take(to_client, ACK, 201, 111, 0);
	check_told(SERVER, 1, 11, "I have everything up to byte 10");
}

/* ---- 2^32 ---- */

static void test_turning_round(void)
{
	test_whole_connection(0xfffffffe, 0xffffffd0);
	test_whole_connection(0xffffffff, 0xffffffff);
	begin_anew();
	shake_hands(to_server, 0xfffffff0, 0);
	take(to_server, ACK, 0xfffffff1, 1, 100);
	check_told(CLIENT, 1, 1, "here are bytes 1 to 100");
	take(to_server, ACK, 0xfffffff1, 1, 100);
	CHECK(told.again, "across 2^32, too, the same is seen to be the same");
	take(to_server, ACK, 85, 1, 4);
	CHECK(!told.again, "and what comes after it to be new");
	check_told(CLIENT, 101, 1, "here are bytes 101 to 104");
}

/* ---- the beginning was missed ---- */

static void test_beginning_missed(void)
{
	begin_anew();
	take(to_client, ACK, 7000, 9000, 10);
	check_told(0, 1, 1, "here are bytes 1 to 10");
	check_states(TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED);
	take(to_server, ACK, 9000, 7010, 0);
	check_told(1, 1, 11, "I have everything up to byte 10");
	take(to_server, ACK, 9000, 7010, 3);
	check_told(1, 1, 11, "here are bytes 1 to 3");
	take(to_server, FIN | ACK, 9003, 7010, 0);
	check_states(TCP_STATE_CLOSE_WAIT, TCP_STATE_FIN_WAIT1);
	take(to_client, FIN | ACK, 7010, 9004, 0);
	check_states(TCP_STATE_LAST_ACK, TCP_STATE_TIME_WAIT);
	take(to_server, ACK, 9004, 7011, 0);
	check_states(TCP_STATE_CLOSED, TCP_STATE_TIME_WAIT);
	CHECK(conversations_are_over(&conversations), "its end is seen all the same");
	CHECK_NUMBER(conversations.count, 1, "it was one");
}

/* ---- windows ---- */

static void take_window(struct way way, uint8_t flags, int scale, uint16_t window)
{
	struct segment segment = make(way, flags, flags & SYN ? 100 : 101, 101, 0);

	segment.window = window;
	segment.window_scale = scale;
	conversations_take(&conversations, &segment, &told);
}

static long scaled_window(int client, int server)
{
	begin_anew();
	take_window(to_server, SYN, client, 1000);
	CHECK_NUMBER(told.window, 1000, "a SYN's own window is never scaled");
	take_window(to_client, SYN | ACK, server, 2000);
	CHECK_NUMBER(told.window, 2000, "nor is that of the answer");
	take_window(to_server, ACK, -1, 500);
	return told.window;
}

static void test_windows(void)
{
	CHECK_NUMBER(scaled_window(7, 3), 500 * 128, "each side has a scale of its own");
	take_window(to_client, ACK, -1, 500);
	CHECK_NUMBER(told.window, 500 * 8, "that of the other");
	CHECK_NUMBER(scaled_window(7, -1), 500, "one of them did not offer it: none");
	CHECK_NUMBER(scaled_window(-1, 7), 500, "or the other did not");
	CHECK_NUMBER(scaled_window(0, 0), 500, "times 1");
	CHECK_NUMBER(scaled_window(14, 14), 500L << 14, "the most that may be");
	take_window(to_client, ACK, -1, 0);
	CHECK_STRING(told.words, "I have your SYN; wait, I have no room", "a window of 0");
	begin_anew();
	take(to_server, ACK, 101, 101, 0);
	CHECK_NUMBER(told.window, 1000, "where the SYN was missed it is as in the header");
}

/* ---- many ---- */

static void check_many(uint16_t first, int count)
{
	int wrong = 0;

	for (int i = 0; i < count; i++) {
		struct way way = {(uint16_t)(first + i), 7};
		take(way, SYN, (uint32_t)i * 1000, 0, 0);
		wrong += told.connection->number != (uint32_t)(i + 1) || told.relative_sequence != 0;
	}
	CHECK_NUMBER(wrong, 0, "each has a number of its own");
	CHECK_NUMBER(conversations.count, count, "and all are counted");
	CHECK(!conversations_are_over(&conversations), "none is over");
	for (int i = count - CONVERSATIONS_MOST; i < count; i++) {
		struct way back = {7, (uint16_t)(first + i)};
		take(back, SYN | ACK, 77, (uint32_t)i * 1000 + 1, 0);
		wrong += told.connection->number != (uint32_t)(i + 1) || told.from != SERVER ||
		         told.relative_acknowledgement != 1;
	}
	CHECK_NUMBER(wrong, 0, "the latest 256 are known, each by both its ports");
	for (int i = count - CONVERSATIONS_MOST; i < count; i++) {
		struct way way = {(uint16_t)(first + i), 7};
		wrong += conversations_are_over(&conversations);
		take(way, RST, (uint32_t)i * 1000 + 1, 0, 0);
	}
	CHECK_NUMBER(wrong, 0, "it is not over while one is open");
	CHECK(conversations_are_over(&conversations), "over when the last one is");
}

static void test_forgotten(void)
{
	struct way first = {20000, 7};

	begin_anew();
	check_many(20000, 300);
	take(first, ACK, 5, 78, 3);
	CHECK_NUMBER(told.connection->number, 301, "one that was forgotten begins anew");
	check_told(0, 1, 1, "here are bytes 1 to 3");
	begin_anew();
	check_many(30000, 256);
	begin_anew();
	check_many(30000, 257);
}

/* The same ports between other addresses, or turned round, are others. */
static void test_told_apart(void)
{
	struct segment segment = make(to_server, SYN, 1, 0, 0);

	begin_anew();
	conversations_take(&conversations, &segment, &told);
	segment.source.address.in4.sin_addr.s_addr = htonl(0x7f000002);
	conversations_take(&conversations, &segment, &told);
	CHECK_NUMBER(told.connection->number, 2, "another address: another connection");
	segment.source = endpoint_loopback(AF_INET6, 40000);
	segment.destination = endpoint_loopback(AF_INET6, 7);
	conversations_take(&conversations, &segment, &told);
	CHECK_NUMBER(told.connection->number, 3, "the other IP: another one");
	take((struct way){40001, 7}, SYN, 1, 0, 0);
	CHECK_NUMBER(told.connection->number, 4, "another port: another one");
	take(to_server, SYN, 1, 0, 0);
	CHECK_NUMBER(told.connection->number, 1, "and the first is still known");
}

/* The same 4-tuple after its end: RFC 9293 lets a new SYN begin it anew. */
static void test_used_again(void)
{
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_server, FIN | ACK, 101, 201, 0);
	take(to_client, FIN | ACK, 201, 102, 0);
	take(to_server, ACK, 102, 202, 0);
	shake_hands(to_server, 70000, 90000);
	CHECK_NUMBER(told.connection->number, 2, "the same ports again: another connection");
	check_told(CLIENT, 1, 1, "I have your SYN");
	check_states(TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED);
	take(to_client, ACK, 90001, 70001, 5);
	CHECK_NUMBER(told.connection->number, 2, "and what follows belongs to that");
	begin_anew();
	shake_hands(to_server, 100, 200);
	take(to_server, RST, 101, 0, 0);
	shake_hands(to_client, 5, 6);
	CHECK_NUMBER(told.connection->number, 2, "also begun by the other side");
	check_told(CLIENT, 1, 1, "I have your SYN");
}

/* The longest words there are fit, with the greatest numbers. */
static void test_longest_words(void)
{
	struct segment segment = make(to_server, FIN | ACK, 0xfffffc00, 1, 1000);

	begin_anew();
	shake_hands(to_server, 2, 0);
	segment.window = 0;
	conversations_take(&conversations, &segment, &told);
	CHECK(strlen(told.words) < sizeof told.words - 1, "they are not cut");
	CHECK(strstr(told.words, "once more: here are bytes 4294966270 to 4294967269; ") != NULL,
	      "from their beginning");
	CHECK(strstr(told.words, "FIN; wait, I have no room") != NULL, "up to their end");
}

int main(void)
{
	test_whole_connection(1000, 5000);
	test_whole_connection(0, 0);
	test_three_segments_end();
	test_server_ends_first();
	test_simultaneous_close();
	test_reset();
	test_refused();
	test_once_more();
	test_hole();
	test_turning_round();
	test_beginning_missed();
	test_windows();
	test_forgotten();
	test_told_apart();
	test_used_again();
	test_longest_words();
	return tap_done();
}
