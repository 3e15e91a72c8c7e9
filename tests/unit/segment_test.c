/*
 * segment_test.c - TCP segments taken apart, put together, and their checksum. What is held
 * against the code are packets written by hand, and a sum made in another way.
 */
#include "wire/segment.h"

#include "tap.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { PACKET_MOST = 2048, RANDOM_PACKETS = 200000 };

/* A packet, and where its parts begin. */
struct packet {
	uint8_t bytes[PACKET_MOST];
	size_t length, tcp, data;
};

static void put(uint8_t *bytes, uint32_t value, int count)
{
	for (int i = count - 1; i >= 0; i--, value >>= 8)
		bytes[i] = (uint8_t)value;
}

/* ---- the checksum in another way: one long sum, its carries added at the end ---- */

static uint64_t long_sum(const uint8_t *bytes, size_t length)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += (uint64_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
	return sum;
}

static uint16_t folded(uint64_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t other_pseudo_sum(const struct packet *packet)
{
	bool four = packet->bytes[0] >> 4 == 4;
	uint64_t sum = four ? long_sum(packet->bytes + 12, 8) : long_sum(packet->bytes + 8, 2 * 16);

	return folded(sum + 6 + (packet->length - packet->tcp));
}

/* The right checksum, whatever stands in the field. */
static uint16_t other_checksum(const struct packet *packet)
{
	uint64_t sum = other_pseudo_sum(packet);

	sum += long_sum(packet->bytes + packet->tcp, packet->length - packet->tcp);
	sum -= (uint64_t)packet->bytes[packet->tcp + 16] << 8 | packet->bytes[packet->tcp + 17];
	return (uint16_t)~folded(sum);
}

static void make_right(struct packet *packet)
{
	put(packet->bytes + packet->tcp + 16, other_checksum(packet), 2);
}

/* ---- packets by hand ---- */

static void write_tcp(struct packet *packet, size_t options, const void *data, size_t length)
{
	uint8_t *tcp = packet->bytes + packet->tcp;

	put(tcp, 43210, 2);
	put(tcp + 2, 3306, 2);
	put(tcp + 4, 0x89abcdef, 4);
	put(tcp + 8, 0xfedcba98, 4);
	tcp[12] = (uint8_t)((20 + options) / 4 << 4);
	tcp[13] = SEGMENT_PSH | SEGMENT_ACK;
	put(tcp + 14, 0x1234, 2);
	memset(tcp + 20, 1, options); /* no operation */
	packet->data = packet->tcp + 20 + options;
	memcpy(packet->bytes + packet->data, data, length);
	packet->length = packet->data + length;
}

/* With so many bytes of options in the headers of IP and TCP. */
static void write_ipv4(struct packet *packet, size_t ip_options, size_t tcp_options,
                       const void *data, size_t length)
{
	memset(packet, 0, sizeof *packet);
	packet->tcp = 20 + ip_options;
	write_tcp(packet, tcp_options, data, length);
	packet->bytes[0] = (uint8_t)(0x40 | packet->tcp / 4);
	put(packet->bytes + 2, (uint32_t)packet->length, 2);
	packet->bytes[8] = 64;
	packet->bytes[9] = 6;
	put(packet->bytes + 12, 0xc0000201, 4); /* 192.0.2.1 */
	put(packet->bytes + 16, 0xcb007109, 4); /* 203.0.113.9 */
	make_right(packet);
}

static void write_ipv6(struct packet *packet, const void *data, size_t length)
{
	memset(packet, 0, sizeof *packet);
	packet->tcp = 40;
	write_tcp(packet, 0, data, length);
	packet->bytes[0] = 0x60;
	put(packet->bytes + 4, (uint32_t)packet->length - 40, 2);
	packet->bytes[6] = 6;
	packet->bytes[7] = 64;
	put(packet->bytes + 8, 0x20010db8, 4); /* 2001:db8::1 */
	packet->bytes[23] = 1;
	put(packet->bytes + 24, 0x20010db8, 4); /* 2001:db8::fffe */
	put(packet->bytes + 36, 0xfffe, 4);
	make_right(packet);
}

/* Decodes a copy of exactly that size, so that a sanitizer sees one byte too far. */
static int decode_copy(const uint8_t *bytes, size_t length, struct segment *segment)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	uint32_t sum = 0;

	if (copy == NULL)
		return -2;
	memcpy(copy, bytes, length);
	int result = segment_decode(copy, length, segment);
	if (result == 0) { /* everything that it points to must be there */
		sum = segment_checksum(segment) + (uint32_t)segment_verdict(segment);
		if (segment->header < copy || segment->data < segment->header ||
		    segment->data + segment->data_length > copy + length || sum > 0x1ffff)
			result = -2;
	}
	free(copy);
	return result;
}

static int decode(const struct packet *packet, struct segment *segment)
{
	return segment_decode(packet->bytes, packet->length, segment);
}

static bool is_refused(const struct packet *packet)
{
	struct segment segment;

	return decode_copy(packet->bytes, packet->length, &segment) == -1;
}

/* ---- the sum ---- */

static void test_rfc1071(void)
{
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	CHECK_NUMBER(sum_fold(sum_add(0, example, 8)), 0xddf2, "RFC 1071's example: ddf2");
	CHECK_NUMBER(sum_fold(sum_add(sum_add(0, example, 4), example + 4, 4)), 0xddf2,
	             "the same in two parts");
	CHECK_NUMBER(sum_fold(sum_add(sum_add(0, example + 4, 4), example, 4)), 0xddf2,
	             "and in another order");
	CHECK_NUMBER(sum_fold(sum_add(0, example, 0)), 0, "of nothing: 0");
	CHECK_NUMBER(sum_fold(sum_add(0x1234, example, 0)), 0x1234, "nothing is added: the same");
	CHECK_NUMBER(sum_fold(sum_add(0, example, 7)), 0xdcfb,
	             "the odd last byte is the high half of a word");
	CHECK_NUMBER(sum_fold(sum_add(0, "\xab", 1)), 0xab00, "one byte alone is so, too");
	CHECK_NUMBER(sum_fold(sum_add(0, "\xff\xff\x00\x01", 4)), 1, "the carry comes round");
	CHECK_NUMBER(sum_fold(0x1ffff), 1, "and one that makes another one");
	CHECK_NUMBER(sum_fold(0xffffffff), 0xffff, "of the greatest sum");
	CHECK_NUMBER(sum_fold(0xffff), 0xffff, "what has no carry stays");
}

/* All lengths up to the longest packet, of bytes that carry often. */
static void test_sum_of_every_length(void)
{
	static uint8_t bytes[65536];
	int wrong = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(0xff - i % 7);
	for (size_t length = 0; length <= sizeof bytes; length += length < 600 ? 1 : 1357)
		wrong += sum_fold(sum_add(0, bytes, length)) != folded(long_sum(bytes, length));
	wrong += sum_fold(sum_add(0, bytes, 65535)) != folded(long_sum(bytes, 65535));
	memset(bytes, 0xff, sizeof bytes);
	wrong += sum_fold(sum_add(0xffff, bytes, sizeof bytes)) != 0xffff;
	CHECK_NUMBER(wrong, 0, "of every length the sum is that of another way");
}

/* ---- taking apart ---- */

static void check_fields(const struct segment *segment, const char *source,
                         const char *destination)
{
	char text[ENDPOINT_TEXT_SIZE];

	CHECK_STRING(endpoint_format(&segment->source, text), source, "its source");
	CHECK_STRING(endpoint_format(&segment->destination, text), destination, "its destination");
	CHECK_NUMBER(segment->sequence, 0x89abcdef, "its sequence number");
	CHECK_NUMBER(segment->acknowledgement, 0xfedcba98, "its acknowledgement number");
	CHECK_NUMBER(segment->flags, SEGMENT_PSH | SEGMENT_ACK, "its flags");
	CHECK_NUMBER(segment->window, 0x1234, "its window");
	CHECK_NUMBER(segment->window_scale, -1, "no scale without SYN");
	CHECK_NUMBER(segment_verdict(segment), CHECKSUM_GOOD, "its checksum is good");
}

static void test_decode_ipv4(void)
{
	static struct packet packet;
	struct segment segment;

	write_ipv4(&packet, 0, 0, "hello", 5);
	CHECK_NUMBER(decode(&packet, &segment), 0, "IPv4 is read");
	check_fields(&segment, "192.0.2.1:43210", "203.0.113.9:3306");
	CHECK(segment.header == packet.bytes + 20 && segment.header_length == 20, "its header");
	CHECK(segment.data_length == 5 && memcmp(segment.data, "hello", 5) == 0, "its data");

	write_ipv4(&packet, 40, 40, "hello", 5);
	CHECK_NUMBER(decode(&packet, &segment), 0, "both headers with as many options as may be");
	check_fields(&segment, "192.0.2.1:43210", "203.0.113.9:3306");
	CHECK(segment.header == packet.bytes + 60 && segment.header_length == 60, "its header");
	CHECK(segment.data_length == 5 && memcmp(segment.data, "hello", 5) == 0, "its data");

	write_ipv4(&packet, 0, 0, "", 0);
	CHECK_NUMBER(decode(&packet, &segment), 0, "without data");
	CHECK_NUMBER(segment.data_length, 0, "there is none then");

	/* Ethernet fills its shortest frames up: the bytes behind the packet are not its own. */
	write_ipv4(&packet, 0, 0, "hi", 2);
	CHECK_NUMBER(segment_decode(packet.bytes, packet.length + 10, &segment), 0,
	             "with something behind it");
	CHECK_NUMBER(segment.data_length, 2, "which is not taken for data");
	CHECK_NUMBER(segment_verdict(&segment), CHECKSUM_GOOD, "nor added to the sum");
}

static void test_decode_ipv6(void)
{
	static struct packet packet;
	struct segment segment;

	write_ipv6(&packet, "hello", 5);
	CHECK_NUMBER(decode(&packet, &segment), 0, "IPv6 is read");
	check_fields(&segment, "[2001:db8::1]:43210", "[2001:db8::fffe]:3306");
	CHECK(segment.data_length == 5 && memcmp(segment.data, "hello", 5) == 0, "its data");
	packet.bytes[6] = 17;
	CHECK(is_refused(&packet), "IPv6: UDP is refused");
	packet.bytes[6] = 44;
	CHECK(is_refused(&packet), "IPv6: a fragment is refused");
	packet.bytes[6] = 0;
	CHECK(is_refused(&packet), "IPv6: another header before TCP's is refused");
	packet.bytes[6] = 6;
	put(packet.bytes + 4, (uint32_t)packet.length - 39, 2);
	CHECK(is_refused(&packet), "IPv6: one byte longer than it is is refused");
	put(packet.bytes + 4, 19, 2);
	CHECK(is_refused(&packet), "IPv6: shorter than TCP's header is refused");
	put(packet.bytes + 4, 0, 2);
	CHECK(is_refused(&packet), "IPv6: of length 0 is refused");
}

static void test_every_flag_and_port(void)
{
	static struct packet packet;
	struct segment segment;
	int wrong = 0;

	write_ipv4(&packet, 0, 0, "", 0);
	for (int flags = 0; flags < 256; flags++) {
		packet.bytes[packet.tcp + 13] = (uint8_t)flags;
		/* The two highest are of congestion control and not told here. */
		wrong += decode(&packet, &segment) != 0 || segment.flags != (flags & 0x3f);
	}
	CHECK_NUMBER(wrong, 0, "every combination of flags is read");
	wrong = 0;
	for (uint32_t port = 0; port < 65536; port++) {
		put(packet.bytes + packet.tcp, port, 2);
		put(packet.bytes + packet.tcp + 2, 65535 - port, 2);
		wrong += decode(&packet, &segment) != 0 || endpoint_port(&segment.source) != port ||
		         endpoint_port(&segment.destination) != 65535 - port;
	}
	CHECK_NUMBER(wrong, 0, "every port is read, on its own side");
	put(packet.bytes + packet.tcp + 18, 0xabcd, 2);
	CHECK(decode(&packet, &segment) == 0 && segment.urgent == 0xabcd, "the urgent pointer");
}

/* The options of a SYN, 8 bytes of them. */
static int scale_of(const char *options)
{
	static struct packet packet;
	struct segment segment;

	write_ipv4(&packet, 0, 8, "", 0);
	packet.bytes[packet.tcp + 13] = SEGMENT_SYN;
	memcpy(packet.bytes + packet.tcp + 20, options, 8);
	return decode_copy(packet.bytes, packet.length, &segment) == 0 ? segment.window_scale : -2;
}

static void test_window_scale(void)
{
	CHECK_NUMBER(scale_of("\3\3\7\0\0\0\0\0"), 7, "the window's scale");
	CHECK_NUMBER(scale_of("\1\1\1\1\1\3\3\0"), 0, "0 is one, too, and at the end it is found");
	CHECK_NUMBER(scale_of("\2\4\5\264\1\3\3\12"), 10, "behind another option");
	CHECK_NUMBER(scale_of("\3\3\17\0\0\0\0\0"), 14, "more than 14 is 14 (RFC 7323)");
	CHECK_NUMBER(scale_of("\0\3\3\7\0\0\0\0"), -1, "nothing counts behind the end");
	CHECK_NUMBER(scale_of("\2\4\5\264\1\1\1\1"), -1, "there is none");
	CHECK_NUMBER(scale_of("\5\0\3\3\7\1\1\1"), -1, "an option of length 0 ends the search");
	CHECK_NUMBER(scale_of("\5\1\3\3\7\1\1\1"), -1, "and one of length 1");
	CHECK_NUMBER(scale_of("\5\11\1\1\1\3\3\7"), -1, "one longer than the header");
	CHECK_NUMBER(scale_of("\1\1\1\1\1\1\3\3"), -1, "a scale that is cut off");
	CHECK_NUMBER(scale_of("\1\1\1\1\1\1\1\3"), -1, "and one without its length");
	CHECK_NUMBER(scale_of("\3\4\7\0\1\1\1\1"), -1, "a scale of another length is none");
}

/* ---- refusing ---- */

static int accepted_truncations(const struct packet *packet)
{
	struct segment segment;
	int accepted = 0;

	for (size_t length = 0; length < packet->length; length++)
		accepted += decode_copy(packet->bytes, length, &segment) != -1;
	return accepted;
}

/* Here the IP header says the shorter length, so that TCP's own length is put to the test. */
static int wrong_shorter_ones(struct packet *packet)
{
	struct segment segment;
	int wrong = 0;

	for (size_t length = packet->tcp; length < packet->length; length++) {
		put(packet->bytes + 2, (uint32_t)length, 2);
		int result = decode_copy(packet->bytes, length, &segment);
		wrong += result != (length < packet->data ? -1 : 0);
		wrong += result == 0 && segment.data_length != length - packet->data;
	}
	return wrong;
}

static void test_truncations(void)
{
	static struct packet packet;

	write_ipv4(&packet, 0, 0, "hello", 5);
	CHECK_NUMBER(accepted_truncations(&packet), 0, "no packet that is cut short is read");
	CHECK_NUMBER(wrong_shorter_ones(&packet), 0, "nor one whose TCP header is cut short");
	write_ipv4(&packet, 40, 40, "hello", 5);
	CHECK_NUMBER(accepted_truncations(&packet), 0, "the same with options");
	CHECK_NUMBER(wrong_shorter_ones(&packet), 0, "in both headers");
	write_ipv6(&packet, "hello", 5);
	CHECK_NUMBER(accepted_truncations(&packet), 0, "and with IPv6");
}

static void test_refusals_of_ipv4(void)
{
	static struct packet packet;
	int accepted = 0;

	for (int protocol = 0; protocol < 256; protocol++) {
		write_ipv4(&packet, 0, 0, "hello", 5);
		packet.bytes[9] = (uint8_t)protocol;
		accepted += !is_refused(&packet);
	}
	CHECK_NUMBER(accepted, 1, "of all protocols one is TCP; UDP is refused");
	accepted = 0;
	for (int bit = 0; bit < 14; bit++) { /* 13 of the offset, and "more fragments" */
		write_ipv4(&packet, 0, 0, "hello", 5);
		put(packet.bytes + 6, 1U << bit, 2);
		accepted += !is_refused(&packet);
	}
	CHECK_NUMBER(accepted, 0, "no fragment is read");
	write_ipv4(&packet, 0, 0, "hello", 5);
	put(packet.bytes + 6, 0x4000, 2);
	CHECK(!is_refused(&packet), "\"do not fragment\" is none");
	accepted = 0;
	for (int version = 0; version < 16; version++) {
		write_ipv4(&packet, 0, 0, "hello", 5);
		packet.bytes[0] = (uint8_t)(version << 4 | 5);
		accepted += !is_refused(&packet);
	}
	CHECK_NUMBER(accepted, 1, "of all versions of IP one is this");
	write_ipv4(&packet, 0, 0, "hello", 5);
	put(packet.bytes + 2, 19, 2);
	CHECK(is_refused(&packet), "shorter than its own header");
	put(packet.bytes + 2, (uint32_t)packet.length + 1, 2);
	CHECK(is_refused(&packet), "longer than what there is");
}

static void test_header_lengths(void)
{
	static struct packet packet;
	struct segment segment;
	int wrong = 0;

	for (int words = 0; words < 16; words++) {
		write_ipv4(&packet, 0, 0, "twenty bytes of data", 20);
		packet.bytes[packet.tcp + 12] = (uint8_t)(words << 4);
		int result = decode_copy(packet.bytes, packet.length, &segment);
		wrong += result != (words >= 5 && words <= 10 ? 0 : -1);
		wrong += result == 0 && segment.header_length + segment.data_length != 40;
	}
	CHECK_NUMBER(wrong, 0, "TCP: of 5 words at least, and within the packet");
	wrong = 0;
	for (int words = 0; words < 16; words++) {
		write_ipv4(&packet, 0, 0, "", 0);
		/* Read as TCP's these would be headers of 5 words. */
		packet.bytes[12] = packet.bytes[16] = 0x50;
		packet.bytes[0] = (uint8_t)(0x40 | words);
		wrong += is_refused(&packet) != (words != 5);
	}
	CHECK_NUMBER(wrong, 0, "IP: neither less than its least nor more than leaves room");
}

/* ---- words ---- */

static void test_flags_text(void)
{
	char text[FLAGS_TEXT_SIZE];

	CHECK_STRING(segment_flags(SEGMENT_SYN, text), "SYN", "SYN");
	CHECK_STRING(segment_flags(SEGMENT_SYN | SEGMENT_ACK, text), "SYN ACK", "SYN ACK");
	CHECK_STRING(segment_flags(SEGMENT_FIN | SEGMENT_ACK, text), "FIN ACK", "FIN ACK");
	CHECK_STRING(segment_flags(SEGMENT_RST | SEGMENT_ACK, text), "RST ACK", "RST ACK");
	CHECK_STRING(segment_flags(0, text), "-", "none");
	CHECK_STRING(segment_flags(0xff, text), "SYN FIN RST PSH ACK URG", "all of them fit");
	CHECK_STRING(checksum_verdict_words(CHECKSUM_GOOD), "good", "the words of a verdict");
	CHECK_STRING(checksum_verdict_words(CHECKSUM_WRONG), "wrong", "of another");
	CHECK_STRING(checksum_verdict_words(CHECKSUM_LEFT), "left to the hardware", "and a third");
}

static void test_span(void)
{
	struct segment segment = {.flags = SEGMENT_ACK};

	CHECK_NUMBER(segment_span(&segment), 0, "an ACK alone moves nothing");
	segment.flags = SEGMENT_SYN | SEGMENT_ACK;
	CHECK_NUMBER(segment_span(&segment), 1, "a SYN counts one");
	segment.flags = SEGMENT_FIN | SEGMENT_ACK;
	segment.data_length = 5;
	CHECK_NUMBER(segment_span(&segment), 6, "a FIN one more than its data");
	segment.flags = SEGMENT_SYN | SEGMENT_FIN;
	CHECK_NUMBER(segment_span(&segment), 7, "and both together two");
}

/* ---- verdicts ---- */

static enum checksum_verdict verdict_of(const struct packet *packet)
{
	struct segment segment;

	return decode(packet, &segment) == 0 ? segment_verdict(&segment) : CHECKSUM_WRONG;
}

static void check_verdicts(struct packet *packet, const char *what)
{
	struct segment segment;
	uint8_t *field = packet->bytes + packet->tcp + 16;
	int wrong = 0;

	CHECK_NUMBER(verdict_of(packet), CHECKSUM_GOOD, what);
	put(field, other_pseudo_sum(packet), 2);
	CHECK_NUMBER(verdict_of(packet), CHECKSUM_LEFT, "the pseudo header's sum: left");
	CHECK(decode(packet, &segment) == 0 && segment_checksum(&segment) == other_checksum(packet),
	      "and the right one is known all the same");
	CHECK_NUMBER(sum_fold(segment_pseudo_sum(&segment)), other_pseudo_sum(packet),
	             "so is that sum");
	for (uint32_t value = 0; value < 65536; value++) {
		put(field, value, 2);
		if (value != other_checksum(packet) && value != other_pseudo_sum(packet))
			wrong += verdict_of(packet) != CHECKSUM_WRONG;
	}
	CHECK_NUMBER(wrong, 0, "any other value is wrong");
	make_right(packet);
}

static void test_verdicts(void)
{
	static struct packet packet;

	write_ipv4(&packet, 0, 0, "hello", 5);
	check_verdicts(&packet, "IPv4, odd length: good");
	write_ipv4(&packet, 8, 12, "hell", 4);
	check_verdicts(&packet, "IPv4 with options, even length: good");
	write_ipv6(&packet, "hello", 5);
	check_verdicts(&packet, "IPv6: good");
}

/* 0 and 0xffff are one number in this arithmetic: where 0 is right both are. */
static void test_zero_checksum(void)
{
	static struct packet packet;
	uint8_t *field;

	write_ipv4(&packet, 0, 0, "\0\0", 2);
	put(packet.bytes + packet.data, other_checksum(&packet), 2);
	field = packet.bytes + packet.tcp + 16;
	CHECK_NUMBER(other_checksum(&packet), 0, "data can be such that 0 is right");
	put(field, 0, 2);
	CHECK_NUMBER(verdict_of(&packet), CHECKSUM_GOOD, "0 is good then");
	put(field, 0xffff, 2);
	CHECK_NUMBER(verdict_of(&packet), CHECKSUM_GOOD, "and so is 0xffff");
	put(field, 1, 2);
	CHECK_NUMBER(verdict_of(&packet), CHECKSUM_WRONG, "1 is not");
	packet.bytes[packet.data]++;
	put(field, 0xffff, 2);
	CHECK_NUMBER(verdict_of(&packet), CHECKSUM_WRONG, "elsewhere 0xffff is not");
}

/* Every bit from `first` on, one after the other. Returns after how many it is not wrong. */
static int unnoticed_bits(struct packet *packet, size_t first, size_t end)
{
	int unnoticed = 0;

	for (size_t bit = first * 8; bit < end * 8; bit++) {
		packet->bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		unnoticed += verdict_of(packet) != CHECKSUM_WRONG;
		packet->bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
	return unnoticed;
}

static void test_flipped_bits(void)
{
	static struct packet packet;

	write_ipv4(&packet, 0, 12, "some data, an odd length.", 25);
	CHECK_NUMBER(unnoticed_bits(&packet, packet.tcp, packet.length), 0,
	             "IPv4: any single bit of header and data is noticed");
	CHECK_NUMBER(unnoticed_bits(&packet, 12, 20), 0, "and any bit of the addresses");
	CHECK_NUMBER(unnoticed_bits(&packet, 8, 9), 8, "the time to live is not in the sum");
	CHECK_NUMBER(verdict_of(&packet), CHECKSUM_GOOD, "turned back it is good again");
	write_ipv6(&packet, "some data, even length..", 24);
	CHECK_NUMBER(unnoticed_bits(&packet, packet.tcp, packet.length), 0,
	             "IPv6: any single bit of header and data is noticed");
	CHECK_NUMBER(unnoticed_bits(&packet, 8, 40), 0, "and any bit of the addresses");
}

/* An addition knows no order: that is what the checksum cannot see. */
static void test_swapped_words(void)
{
	static const char data[] = "every word of it is another one.";
	static struct packet packet;
	int noticed = 0, same = 0, bytes_unnoticed = 0;

	write_ipv4(&packet, 0, 0, data, sizeof data - 1);
	for (size_t one = packet.data; one + 1 < packet.length; one += 2)
		for (size_t two = one + 2; two + 1 < packet.length; two += 2) {
			struct packet changed = packet;
			memcpy(changed.bytes + one, packet.bytes + two, 2);
			memcpy(changed.bytes + two, packet.bytes + one, 2);
			same += memcmp(changed.bytes, packet.bytes, packet.length) == 0;
			noticed += verdict_of(&changed) != CHECKSUM_GOOD;
		}
	CHECK_NUMBER(same, 0, "every two words of the data differ");
	CHECK_NUMBER(noticed, 0, "no two words that change places are noticed");
	for (size_t at = packet.data; at + 1 < packet.length; at += 2) {
		struct packet changed = packet;
		changed.bytes[at] = packet.bytes[at + 1];
		changed.bytes[at + 1] = packet.bytes[at];
		bytes_unnoticed +=
		    packet.bytes[at] != packet.bytes[at + 1] && verdict_of(&changed) != CHECKSUM_WRONG;
	}
	CHECK_NUMBER(bytes_unnoticed, 0, "two bytes of a word that do are noticed");
}

/* ---- putting together ---- */

static struct segment some_segment(const void *data, size_t length)
{
	struct segment segment = {.sequence = 0xfffffff0,
	                          .acknowledgement = 0x01020304,
	                          .flags = SEGMENT_PSH | SEGMENT_ACK | SEGMENT_URG,
	                          .window = 0xfedc,
	                          .urgent = 0x0304,
	                          .data = data,
	                          .data_length = length};

	(void)endpoint_parse("10.78.0.2:7", &segment.source);
	(void)endpoint_parse("10.78.0.1:65535", &segment.destination);
	return segment;
}

static bool is_same(const struct segment *one, const struct segment *other)
{
	return endpoint_equal(&one->source, &other->source) &&
	       endpoint_equal(&one->destination, &other->destination) &&
	       one->sequence == other->sequence && one->acknowledgement == other->acknowledgement &&
	       one->flags == other->flags && one->window == other->window &&
	       one->urgent == other->urgent && one->data_length == other->data_length &&
	       (one->data_length == 0 || memcmp(one->data, other->data, one->data_length) == 0);
}

/* Every length that fits, in a room that ends where the longest packet does. */
static void check_round_trip(uint16_t mss, const char *what)
{
	static struct packet other;
	static uint8_t data[SEGMENT_SIZE_MOST];
	uint8_t *room = malloc(SEGMENT_SIZE_MOST);
	size_t headers = 40 + (mss != 0 ? 4 : 0);
	struct segment back;
	int wrong = room == NULL;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 31);
	for (size_t length = 0; length + headers <= SEGMENT_SIZE_MOST && room != NULL; length++) {
		struct segment segment = some_segment(data, length);
		memset(room, 0xa5, SEGMENT_SIZE_MOST);
		size_t size = segment_build(&segment, mss, room);
		if (size != length + headers || decode_copy(room, size, &back) != 0) {
			wrong++;
			continue;
		}
		(void)segment_decode(room, size, &back);
		wrong += !is_same(&segment, &back) || segment_verdict(&back) != CHECKSUM_GOOD;
		wrong += folded(long_sum(room, 20)) != 0xffff; /* IP's own checksum */
		memcpy(other.bytes, room, size);
		other.length = size;
		other.tcp = 20;
		wrong += other_checksum(&other) != back.checksum;
	}
	CHECK_NUMBER(wrong, 0, what);
	struct segment segment = some_segment(data, SEGMENT_SIZE_MOST - headers + 1);
	CHECK(room != NULL && segment_build(&segment, mss, room) == 0, "one byte more: refused");
	free(room);
}

static void test_build(void)
{
	uint8_t packet[SEGMENT_SIZE_MOST];
	struct segment segment = some_segment(NULL, 0), back;

	check_round_trip(0, "what is put together is the same taken apart, of every length");
	check_round_trip(1460, "the same with the option MSS");
	segment.flags = SEGMENT_SYN | SEGMENT_ACK;
	CHECK_NUMBER(segment_build(&segment, 0x1234, packet), 44, "a SYN with MSS: 44 bytes");
	CHECK(memcmp(packet + 40, "\2\4\x12\x34", 4) == 0, "kind 2, length 4, the size");
	CHECK(segment_decode(packet, 44, &back) == 0 && back.header_length == 24 &&
	          back.window_scale == -1,
	      "which is a header of 6 words without a scale");
	segment.source = segment.destination; /* right sums of all-equal words, too */
	CHECK(segment_build(&segment, 0, packet) == 40 && segment_decode(packet, 40, &back) == 0 &&
	          endpoint_equal(&back.source, &back.destination),
	      "to itself");
}

/* ---- anything at all ---- */

static uint32_t random_state = 20261120;

static uint32_t random_number(void) /* xorshift */
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	return random_state ^= random_state << 5;
}

/* Random bytes alone hardly get past the first look, so most are made to look like packets. */
static size_t random_packet(uint8_t *bytes)
{
	size_t length = random_number() % 121;
	uint32_t kind = random_number() % 4;

	for (size_t i = 0; i < 120; i++)
		bytes[i] = (uint8_t)random_number();
	if (kind == 1) {
		bytes[0] = (uint8_t)(0x40 | (random_number() % 8 + 3));
		put(bytes + 2, (uint32_t)length - random_number() % 3, 2);
		put(bytes + 6, 0, 2);
		bytes[9] = 6;
	} else if (kind == 2 && length >= 40) {
		bytes[0] = 0x60;
		put(bytes + 4, (uint32_t)length - 40 - random_number() % 3, 2);
		bytes[6] = 6;
	} else if (kind == 3) {
		bytes[0] = 0x45;
	}
	return length;
}

static void test_random_bytes(void)
{
	struct segment segment;
	uint8_t bytes[120];
	int read = 0, beyond = 0;

	for (int i = 0; i < RANDOM_PACKETS; i++) {
		size_t length = random_packet(bytes);
		int result = decode_copy(bytes, length, &segment);
		read += result == 0;
		beyond += result == -2;
	}
	CHECK_NUMBER(beyond, 0, "of 200000 random packets none leads beyond its end");
	CHECK(read > 1000, "and quite some of them were segments");
}

int main(void)
{
	test_rfc1071();
	test_sum_of_every_length();
	test_decode_ipv4();
	test_decode_ipv6();
	test_every_flag_and_port();
	test_window_scale();
	test_truncations();
	test_refusals_of_ipv4();
	test_header_lengths();
	test_flags_text();
	test_span();
	test_verdicts();
	test_zero_checksum();
	test_flipped_bits();
	test_swapped_words();
	test_build();
	test_random_bytes();
	return tap_done();
}
