/* segment.c - see segment.h. */
#include "wire/segment.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum {
	PROTOCOL_TCP = 6,
	IPV4_LEAST = 20,
	IPV6_LENGTH = 40,
	TCP_LEAST = 20,
	CHECKSUM_AT = 16 /* where it stands in the TCP header */
};

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static void put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, (uint16_t)(value >> 16));
	put16(bytes + 2, (uint16_t)value);
}

/* ---- taking apart ---- */

static void set_ipv4(struct endpoint *endpoint, const uint8_t *address)
{
	memset(endpoint, 0, sizeof *endpoint);
	endpoint->length = sizeof endpoint->address.in4;
	endpoint->address.in4.sin_family = AF_INET;
	memcpy(&endpoint->address.in4.sin_addr, address, 4);
}

static void set_ipv6(struct endpoint *endpoint, const uint8_t *address)
{
	memset(endpoint, 0, sizeof *endpoint);
	endpoint->length = sizeof endpoint->address.in6;
	endpoint->address.in6.sin6_family = AF_INET6;
	memcpy(&endpoint->address.in6.sin6_addr, address, 16);
}

/* Returns where the segment begins, and its length in *length; NULL where it is none. */
static const uint8_t *decode_ipv4(const uint8_t *packet, size_t *length,
                                  struct segment *segment)
{
	size_t header = (size_t)(packet[0] & 0x0f) * 4, total = get16(packet + 2);
	bool fragment = (get16(packet + 6) & 0x3fff) != 0; /* more to come, or not the first */

	if (header < IPV4_LEAST || total < header || total > *length || fragment ||
	    packet[9] != PROTOCOL_TCP)
		return NULL;
	set_ipv4(&segment->source, packet + 12);
	set_ipv4(&segment->destination, packet + 16);
	*length = total - header;
	return packet + header;
}

static const uint8_t *decode_ipv6(const uint8_t *packet, size_t *length,
                                  struct segment *segment)
{
	size_t payload = get16(packet + 4);

	if (*length < IPV6_LENGTH || payload > *length - IPV6_LENGTH || packet[6] != PROTOCOL_TCP)
		return NULL;
	set_ipv6(&segment->source, packet + 8);
	set_ipv6(&segment->destination, packet + 24);
	*length = payload;
	return packet + IPV6_LENGTH;
}

/* The option window scale (RFC 7323), or -1. */
static int find_window_scale(const uint8_t *options, size_t length)
{
	enum { END, NO_OPERATION, WINDOW_SCALE = 3 };

	for (size_t at = 0; at < length && options[at] != END;) {
		if (options[at] == NO_OPERATION) {
			at++;
			continue;
		}
		if (at + 1 >= length || options[at + 1] < 2 || at + options[at + 1] > length)
			return -1;
		if (options[at] == WINDOW_SCALE && options[at + 1] == 3)
			return options[at + 2] > 14 ? 14 : options[at + 2];
		at += options[at + 1];
	}
	return -1;
}

int segment_decode(const uint8_t *packet, size_t length, struct segment *segment)
{
	const uint8_t *header = NULL;

	memset(segment, 0, sizeof *segment);
	if (length < IPV4_LEAST)
		return -1;
	if (packet[0] >> 4 == 4)
		header = decode_ipv4(packet, &length, segment);
	else if (packet[0] >> 4 == 6)
		header = decode_ipv6(packet, &length, segment);
	if (header == NULL || length < TCP_LEAST)
		return -1;
	size_t header_length = (size_t)(header[12] >> 4) * 4;
	if (header_length < TCP_LEAST || header_length > length)
		return -1;
	endpoint_set_port(&segment->source, get16(header));
	endpoint_set_port(&segment->destination, get16(header + 2));
	segment->sequence = get32(header + 4);
	segment->acknowledgement = get32(header + 8);
	segment->flags = header[13] & 0x3f;
	segment->window = get16(header + 14);
	segment->checksum = get16(header + CHECKSUM_AT);
	segment->urgent = get16(header + 18);
	segment->window_scale =
	    segment->flags & SEGMENT_SYN
	        ? find_window_scale(header + TCP_LEAST, header_length - TCP_LEAST)
	        : -1;
	segment->header = header;
	segment->header_length = header_length;
	segment->data = header + header_length;
	segment->data_length = length - header_length;
	return 0;
}

char *segment_flags(uint8_t flags, char text[FLAGS_TEXT_SIZE])
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
	/* In the order in which people say them: SYN ACK, FIN ACK. */
	static const int order[] = {1, 0, 2, 3, 4, 5};
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (flags >> order[i] & 1)
			used += (size_t)snprintf(text + used, FLAGS_TEXT_SIZE - used, "%s%s",
			                         used > 0 ? " " : "", names[order[i]]);
	return used > 0 ? text : strcpy(text, "-");
}

uint32_t segment_span(const struct segment *segment)
{
	return (uint32_t)segment->data_length + (segment->flags & SEGMENT_SYN ? 1 : 0) +
	       (segment->flags & SEGMENT_FIN ? 1 : 0);
}

/* ---- the checksum ---- */

uint32_t sum_add(uint32_t sum, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (; length > 1; at += 2, length -= 2)
		sum = sum_fold(sum + get16(at));
	if (length > 0)
		sum = sum_fold(sum + (uint32_t)(at[0] << 8));
	return sum;
}

uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint32_t segment_pseudo_sum(const struct segment *segment)
{
	uint8_t rest[8];
	uint32_t length = (uint32_t)(segment->header_length + segment->data_length), sum = 0;

	put32(rest, length);
	put32(rest + 4, PROTOCOL_TCP);
	if (endpoint_family(&segment->source) == AF_INET) {
		sum = sum_add(sum, &segment->source.address.in4.sin_addr, 4);
		sum = sum_add(sum, &segment->destination.address.in4.sin_addr, 4);
	} else {
		sum = sum_add(sum, &segment->source.address.in6.sin6_addr, 16);
		sum = sum_add(sum, &segment->destination.address.in6.sin6_addr, 16);
	}
	return sum_add(sum, rest, sizeof rest);
}

uint16_t segment_checksum(const struct segment *segment)
{
	uint32_t sum = segment_pseudo_sum(segment);

	/* The field itself counts as 0 while the sum is made. */
	sum = sum_add(sum, segment->header, CHECKSUM_AT);
	sum = sum_add(sum, segment->header + CHECKSUM_AT + 2,
	              segment->header_length - CHECKSUM_AT - 2);
	sum = sum_add(sum, segment->data, segment->data_length);
	return (uint16_t)~sum_fold(sum);
}

enum checksum_verdict segment_verdict(const struct segment *segment)
{
	uint16_t right = segment_checksum(segment);

	/* 0 and 0xffff are the same number in this arithmetic. */
	if (segment->checksum == right || (segment->checksum == 0xffff && right == 0))
		return CHECKSUM_GOOD;
	if (segment->checksum == sum_fold(segment_pseudo_sum(segment)))
		return CHECKSUM_LEFT;
	return CHECKSUM_WRONG;
}

const char *checksum_verdict_words(enum checksum_verdict verdict)
{
	static const char *const words[] = {"good", "wrong", "left to the hardware"};

	return words[verdict];
}

/* ---- building ---- */

size_t segment_build(const struct segment *segment, uint16_t mss,
                     uint8_t packet[SEGMENT_SIZE_MOST])
{
	size_t header_length = mss != 0 ? TCP_LEAST + 4 : TCP_LEAST;
	size_t total = IPV4_LEAST + header_length + segment->data_length;
	uint8_t *tcp = packet + IPV4_LEAST;
	struct segment built = *segment;

	if (total > SEGMENT_SIZE_MOST)
		return 0;
	memset(packet, 0, IPV4_LEAST + header_length);
	packet[0] = 0x45; /* version 4, header of 5 words */
	put16(packet + 2, (uint16_t)total);
	put16(packet + 6, 0x4000); /* do not fragment */
	packet[8] = 64;            /* time to live */
	packet[9] = PROTOCOL_TCP;
	memcpy(packet + 12, &segment->source.address.in4.sin_addr, 4);
	memcpy(packet + 16, &segment->destination.address.in4.sin_addr, 4);
	put16(packet + 10, (uint16_t)~sum_fold(sum_add(0, packet, IPV4_LEAST)));

	put16(tcp, endpoint_port(&segment->source));
	put16(tcp + 2, endpoint_port(&segment->destination));
	put32(tcp + 4, segment->sequence);
	put32(tcp + 8, segment->acknowledgement);
	tcp[12] = (uint8_t)(header_length / 4 << 4);
	tcp[13] = segment->flags;
	put16(tcp + 14, segment->window);
	put16(tcp + 18, segment->urgent);
	if (mss != 0) {
		tcp[TCP_LEAST] = 2; /* maximum segment size, 4 bytes long */
		tcp[TCP_LEAST + 1] = 4;
		put16(tcp + TCP_LEAST + 2, mss);
	}
	if (segment->data_length > 0)
		memcpy(tcp + header_length, segment->data, segment->data_length);
	built.header = tcp;
	built.header_length = header_length;
	built.data = tcp + header_length;
	put16(tcp + CHECKSUM_AT, segment_checksum(&built));
	return total;
}
