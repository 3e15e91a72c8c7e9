/* wire_targets.c - packets: frames, segments, what a TCP and an observer make of them. */
#include "support.h"
#include "targets.h"

#include "kit/greeting.h"
#include "kit/narrate.h"
#include "wire/conversation.h"
#include "wire/frame.h"
#include "wire/pcap.h"
#include "wire/segment.h"
#include "wire/show.h"
#include "wire/small_tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- frames ---- */

static const uint8_t our_mac[MAC_SIZE] = {2, 0, 0, 0, 0, 2};

static void check_arp_answer(const uint8_t *question, const uint8_t *answer)
{
	static const struct in_addr somebody;
	uint8_t again[FRAME_ARP_SIZE];

	must(memcmp(answer, question + MAC_SIZE, MAC_SIZE) == 0);    /* to whoever asked */
	must(memcmp(answer + MAC_SIZE, our_mac, MAC_SIZE) == 0);     /* from us */
	must(answer[20] == 0 && answer[21] == 2);                    /* an answer */
	must(memcmp(answer + 22, our_mac, MAC_SIZE) == 0);           /* it is at this MAC, */
	must(memcmp(answer + 28, question + 38, 4) == 0);            /* what was asked for */
	must(memcmp(answer + 32, question + 22, MAC_SIZE + 4) == 0); /* for whoever asked */
	must(frame_answer_arp(answer, FRAME_ARP_SIZE, our_mac, somebody, again) == -1);
}

/* Four bytes are our address, the rest is the frame. */
void fuzz_frame(const uint8_t *bytes, size_t length)
{
	struct in_addr address;
	uint8_t answer[FRAME_ARP_SIZE], again[FRAME_SIZE_MOST];
	size_t packet_length;
	struct segment segment;

	if (length < sizeof address)
		return;
	memcpy(&address, bytes, sizeof address);
	length -= sizeof address;
	uint8_t *frame = bytes_of(bytes + sizeof address, length);
	bool asked = frame_answer_arp(frame, length, our_mac, address, answer) == 0;
	const uint8_t *packet = frame_packet(frame, length, address, &packet_length);
	must(!(asked && packet != NULL));
	if (asked)
		check_arp_answer(frame, answer);
	if (packet != NULL) {
		must(packet >= frame && packet + packet_length == frame + length);
		if (segment_decode(packet, packet_length, &segment) == 0 &&
		    endpoint_family(&segment.destination) == AF_INET)
			must(memcmp(&segment.destination.address.in4.sin_addr, &address, 4) == 0);
	}
	if (packet != NULL && length <= sizeof again) {
		frame_begin(again, frame, frame + MAC_SIZE, FRAME_IP);
		memcpy(again + FRAME_HEADER, packet, packet_length);
		must(memcmp(again, frame, length) == 0);
	}
	free(frame);
}

/* ---- segments ---- */

/* A segment that was put together is the same when it is taken apart, and its sums are right.
 */
static void check_built(const struct segment *segment)
{
	uint8_t packet[SEGMENT_SIZE_MOST];
	struct segment read;
	size_t length = segment_build(segment, segment->flags & SEGMENT_SYN ? 1460 : 0, packet);

	must(length > 0 && segment_decode(packet, length, &read) == 0);
	must(segment_verdict(&read) == CHECKSUM_GOOD);
	/* RFC 1071: all words and the checksum make ones only. Of the IP header, and of the rest:
	 */
	must(sum_fold(sum_add(0, packet, 20)) == 0xffff);
	must(sum_fold(sum_add(segment_pseudo_sum(&read), packet + 20, length - 20)) == 0xffff);
	must(endpoint_equal(&read.source, &segment->source) &&
	     endpoint_equal(&read.destination, &segment->destination));
	must(read.sequence == segment->sequence && read.flags == segment->flags &&
	     read.acknowledgement == segment->acknowledgement && read.window == segment->window);
	must(read.data_length == segment->data_length);
	must(read.data_length == 0 || memcmp(read.data, segment->data, read.data_length) == 0);
}

struct shown {
	const struct segment *segment;
	const struct told *told;
};

static void show_as_text(void *argument)
{
	const struct shown *shown = argument;

	show_lines(1.5, shown->segment, shown->told);
	show_arrow(shown->segment, shown->told);
	show_header(shown->segment);
	show_checksum(shown->segment);
}

static void show_as_json(void *argument)
{
	const struct shown *shown = argument;

	narrate_configure(&(struct narrate_options){.form = NARRATE_JSON});
	show_json(1.5, shown->segment, shown->told);
	narrate_configure(&(struct narrate_options){.form = NARRATE_TEXT});
}

static void check_shown(const struct segment *segment, const struct told *told)
{
	struct shown shown = {segment, told};
	size_t length;
	char *text = output_of(1, show_as_text, &shown, &length);

	must(is_harmless(text, length));
	free(text);
	text = output_of(1, show_as_json, &shown, &length);
	must(json_is_valid(text, length) && is_harmless(text, length));
	free(text);
}

/* A packet, and all that is told of it. */
void fuzz_segment(const uint8_t *bytes, size_t length)
{
	static struct conversations conversations;
	uint8_t *packet = bytes_of(bytes, length);
	struct segment segment;
	struct told told;

	if (segment_decode(packet, length, &segment) == 0) {
		must(segment.header >= packet && segment.header_length >= 20);
		must(segment.data == segment.header + segment.header_length);
		must(segment.data + segment.data_length <= packet + length);
		must(segment.window_scale >= -1 && segment.window_scale <= 14);
		memset(&conversations, 0, sizeof conversations);
		conversations_take(&conversations, &segment, &told);
		check_shown(&segment, &told);
		if (endpoint_family(&segment.source) == AF_INET &&
		    segment.data_length <= SEGMENT_SIZE_MOST - 44)
			check_built(&segment);
	}
	free(packet);
}

/* ---- a TCP of our own, against what a TCP must keep ---- */

enum { SENT_MOST = 4, STREAM_MOST = 1 << 17 };

static struct trial {
	struct small_tcp tcp;
	int64_t now;
	struct {
		struct segment segment;
		uint8_t data[SEGMENT_SIZE_MOST];
		bool again;
	} sent[SENT_MOST]; /* in this step */
	size_t sent_count;
	uint8_t stream[STREAM_MOST]; /* what the connection must say: greeting, then echo */
	size_t stream_length, said;  /* said: sent at least once */
	uint32_t stream_first;       /* the sequence number of its first byte */
} trial;

static void keep_sent(void *argument, const struct segment *segment, bool again)
{
	struct trial *at = argument;

	must(at->sent_count < SENT_MOST);
	check_built(segment);
	at->sent[at->sent_count].segment = *segment;
	at->sent[at->sent_count].again = again;
	if (segment->data_length > 0)
		memcpy(at->sent[at->sent_count].data, segment->data, segment->data_length);
	at->sent_count++;
}

/* What must hold between any two steps. */
static void check_tcp(const struct small_tcp *tcp)
{
	uint32_t unacknowledged = tcp->send_next - tcp->acknowledged;
	bool syn = tcp->state == TCP_STATE_SYN_RECV, fin = tcp->state == TCP_STATE_LAST_ACK;

	must(tcp->state == TCP_STATE_LISTEN || syn || tcp->state == TCP_STATE_ESTABLISHED ||
	     tcp->state == TCP_STATE_CLOSE_WAIT || fin);
	must((tcp->state == TCP_STATE_LISTEN) == (tcp->peer.length == 0));
	must(tcp->queued <= sizeof tcp->queue && tcp->in_flight <= tcp->queued);
	must(tcp->in_flight <= SMALL_TCP_DATA_MOST);
	must(unacknowledged == tcp->in_flight + (syn ? 1 : 0) + (fin ? 1 : 0));
	must((tcp->resend_at == -1) == (unacknowledged == 0));
	must(tcp->queued == 0 || tcp->in_flight > 0);
	must(tcp->state != TCP_STATE_CLOSE_WAIT || tcp->in_flight > 0);
	must(tcp->fin_sent == fin);
}

/* What was said in this step is a part of what must be said, in its order. */
static void check_sent(const struct segment *cause)
{
	for (size_t i = 0; i < trial.sent_count; i++) {
		const struct segment *segment = &trial.sent[i].segment;
		size_t from = segment->sequence - trial.stream_first, length = segment->data_length;
		if (segment->flags & SEGMENT_RST) {
			must(cause != NULL && !(cause->flags & SEGMENT_RST) && length == 0);
			must(endpoint_equal(&segment->destination, &cause->source));
		}
		if (length > 0) {
			must(from + length <= trial.stream_length && from <= trial.said);
			must(memcmp(trial.stream + from, trial.sent[i].data, length) == 0);
			must(trial.sent[i].again || from == trial.said);
			trial.said = from + length > trial.said ? from + length : trial.said;
		}
		if (segment->flags & SEGMENT_FIN) /* after everything */
			must(from == trial.stream_length && trial.said == trial.stream_length);
	}
}

static void add_to_stream(const void *bytes, size_t length)
{
	must(trial.stream_length + length <= sizeof trial.stream);
	memcpy(trial.stream + trial.stream_length, bytes, length);
	trial.stream_length += length;
}

/* What the step has changed in what must be said. */
static void follow(const struct small_tcp *before, const struct segment *segment)
{
	const struct small_tcp *tcp = &trial.tcp;
	char line[GREETING_SIZE];

	if (tcp->connections != before->connections) {
		must(tcp->connections == before->connections + 1);
		must(before->state == TCP_STATE_SYN_RECV);
		trial.stream_first = before->send_next;
		trial.stream_length = trial.said = 0;
		struct greeting greeting = {before->peer, before->local, TRANSPORT_TCP,
		                            tcp->connections};
		add_to_stream(line, (size_t)greeting_format(&greeting, line));
	}
	/* Taken in as a whole or not at all. */
	if (before->state != TCP_STATE_LISTEN && tcp->state != TCP_STATE_LISTEN &&
	    tcp->receive_next != before->receive_next) {
		must(tcp->receive_next == before->receive_next + segment_span(segment));
		must(segment->sequence == before->receive_next);
		add_to_stream(segment->data, segment->data_length);
	}
}

/* Near what is expected, or anything. */
static uint32_t number_near(struct input *input, uint32_t expected)
{
	uint8_t off = input_byte(input);

	if (off == 0x80)
		return input_word(input);
	return expected + off - (off > 0x80 ? 256 : 0);
}

static void give_segment(struct input *input, uint8_t how)
{
	static uint8_t data[1400];
	static uint8_t pattern;
	struct small_tcp before = trial.tcp;
	struct segment segment = {.flags = how & 0x3f, .window = 64000, .window_scale = -1};

	segment.destination = trial.tcp.local;
	must(endpoint_parse(how & 0x40 ? "10.78.0.9:4000" : "10.78.0.1:4000", &segment.source) ==
	     0);
	segment.sequence = number_near(input, before.receive_next);
	segment.acknowledgement = number_near(input, before.send_next);
	segment.data_length = (size_t)input_byte(input) * 5;
	memset(data, ++pattern, segment.data_length);
	segment.data = data;
	if (trial.stream_length + segment.data_length + GREETING_SIZE > sizeof trial.stream)
		return;
	trial.sent_count = 0;
	small_tcp_take(&trial.tcp, &segment, trial.now, keep_sent, &trial);
	follow(&before, &segment);
	check_sent(&segment);
}

/* Steps: a byte with 0x80 lets time pass, any other is the flags of a segment. */
void fuzz_tcp(const uint8_t *bytes, size_t length)
{
	struct input input = {bytes, length};
	struct endpoint local;

	memset(&trial, 0, sizeof trial);
	trial.now = 1000;
	must(endpoint_parse("10.78.0.2:7", &local) == 0);
	small_tcp_listen(&trial.tcp, &local);
	while (input.left > 0) {
		uint8_t how = input_byte(&input);
		if (how & 0x80) {
			trial.now += (int64_t)(how & 0x7f) * 50;
			trial.sent_count = 0;
			small_tcp_tick(&trial.tcp, trial.now, keep_sent, &trial);
			must(trial.sent_count <= 1);
			check_sent(NULL);
		} else {
			give_segment(&input, how);
		}
		check_tcp(&trial.tcp);
	}
}

/* ---- what an observer makes of it ---- */

static void check_told(const struct conversations *conversations, const struct segment *segment,
                       const struct told *told)
{
	const struct wire_connection *connection = told->connection;
	const struct wire_side *sender = &connection->sides[told->from];
	const struct wire_side *receiver = &connection->sides[1 - told->from];

	must(connection->number >= 1 && connection->number <= conversations->count);
	must(endpoint_equal(&sender->endpoint, &segment->source));
	must(endpoint_equal(&receiver->endpoint, &segment->destination));
	must(told->words[0] != '\0' && is_harmless(told->words, strlen(told->words)));
	must(told->window >= segment->window && told->window <= (long)segment->window << 14);
	must(!sender->known || segment->sequence == sender->first + told->relative_sequence);
	must(!(segment->flags & SEGMENT_ACK) ||
	     segment->acknowledgement == receiver->first + told->relative_acknowledgement);
	must(!told->again || segment_span(segment) > 0);
	for (int i = 0; i < 2; i++) {
		enum tcp_state state = connection->sides[i].state;
		must(state <= TCP_STATE_CLOSING && state != TCP_STATE_LISTEN);
		must(!(segment->flags & SEGMENT_RST) || state == TCP_STATE_CLOSED);
	}
}

/*
 * Steps of two sides and two connections: flags (0x40: from the other side, 0x80: the other
 * connection), sequence, acknowledgement, window, length.
 */
void fuzz_conversation(const uint8_t *bytes, size_t length)
{
	static const char *const ends[2][2] = {{"127.0.0.1:4000", "127.0.0.1:80"},
	                                       {"[::1]:4000", "[::1]:80"}};
	static const uint8_t data[255];
	static struct conversations conversations;
	struct input input = {bytes, length};
	uint32_t next[2][2] = {{100, 200}, {UINT32_MAX - 5, 300}}; /* one turns round */

	memset(&conversations, 0, sizeof conversations);
	while (input.left > 0) {
		uint8_t how = input_byte(&input), header[20] = {0};
		int which = how >> 7, from = how >> 6 & 1;
		struct segment segment = {.flags = how & 0x3f, .window_scale = -1, .data = data};
		struct told told;
		segment.header = header;
		segment.header_length = sizeof header;
		must(endpoint_parse(ends[which][from], &segment.source) == 0);
		must(endpoint_parse(ends[which][1 - from], &segment.destination) == 0);
		segment.sequence = number_near(&input, next[which][from]);
		segment.acknowledgement = number_near(&input, next[which][1 - from]);
		uint8_t window = input_byte(&input);
		segment.window = (uint16_t)(window * 257);
		segment.window_scale = segment.flags & SEGMENT_SYN ? window % 16 - 1 : -1;
		segment.data_length = input_byte(&input);
		next[which][from] = segment.sequence + segment_span(&segment);
		conversations_take(&conversations, &segment, &told);
		check_told(&conversations, &segment, &told);
		if (input.left == 0)
			check_shown(&segment, &told);
	}
	(void)conversations_are_over(&conversations);
}

/* ---- files of packets ---- */

static uint32_t word_at(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof word);
	return word;
}

/* Reads the file as the format says, and compares. Packets are the input's, in its order. */
static void check_file(const uint8_t *file, size_t length, struct input input)
{
	size_t at = 24, packet_length;

	must(length >= at && word_at(file) == 0xa1b2c3d4 && word_at(file + 20) == 101);
	must(file[4] + file[5] == 2 && file[6] + file[7] == 4); /* version 2.4, either byte order */
	while (input.left > 0) {
		uint8_t size = input_byte(&input);
		const uint8_t *packet = input_bytes(&input, size, &packet_length);
		must(length - at >= 16 + packet_length);
		must(word_at(file + at) == 1000000000U + size && word_at(file + at + 4) == 999999);
		must(word_at(file + at + 8) == packet_length &&
		     word_at(file + at + 12) == packet_length);
		must(packet_length == 0 || memcmp(file + at + 16, packet, packet_length) == 0);
		at += 16 + packet_length;
	}
	must(at == length);
}

/* Packets, each with its length before it: written, and read again. */
void fuzz_pcap(const uint8_t *bytes, size_t length)
{
	static struct captured captured;
	char path[] = "/tmp/portlab-fuzz-XXXXXX";
	struct input input = {bytes, length};
	size_t room = 24 + 17 * (length + 1);
	uint8_t *written = malloc(room);
	int fd = mkstemp(path);

	must(written != NULL && fd != -1);
	errno = 0;
	must(pcap_open(path) == NULL && errno == EEXIST); /* whatever was there stays */
	must(close(fd) == 0 && unlink(path) == 0);
	FILE *file = pcap_open(path);
	must(file != NULL);
	while (input.left > 0) {
		uint8_t size = input_byte(&input);
		const uint8_t *packet = input_bytes(&input, size, &captured.length);
		captured.time = (struct timespec){1000000000 + size, 999999999};
		if (captured.length > 0)
			memcpy(captured.packet, packet, captured.length);
		must(pcap_add(file, &captured) == 0);
	}
	must(fclose(file) == 0 && (file = fopen(path, "rb")) != NULL);
	size_t got = fread(written, 1, room, file);
	must(fclose(file) == 0 && unlink(path) == 0);
	check_file(written, got, (struct input){bytes, length});
	free(written);
}
