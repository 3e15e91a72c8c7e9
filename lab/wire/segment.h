/*
 * segment.h - TCP segments as they are on the wire: taken apart, put together, and their
 * checksum.
 *
 * Numbers in the structures are in host byte order; bytes on the wire are in network byte
 * order. Nothing here owns memory: a decoded segment points into the packet.
 *
 * Source: RFC 9293 section 3.1 (header), RFC 791 and RFC 8200 (IP), RFC 1071 (checksum).
 */
#ifndef PORTLAB_SEGMENT_H
#define PORTLAB_SEGMENT_H

#include "kit/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum segment_flag {
	SEGMENT_FIN = 0x01,
	SEGMENT_SYN = 0x02,
	SEGMENT_RST = 0x04,
	SEGMENT_PSH = 0x08,
	SEGMENT_ACK = 0x10,
	SEGMENT_URG = 0x20
};

struct segment {
	struct endpoint source, destination;
	uint32_t sequence, acknowledgement;
	uint8_t flags;     /* SEGMENT_* */
	uint16_t window;   /* as it stands in the header */
	int window_scale;  /* option of a SYN: later windows count times 2 to that power; else -1 */
	uint16_t checksum; /* as it stands in the header */
	uint16_t urgent;
	const uint8_t *header; /* of the TCP header */
	size_t header_length;  /* in bytes, options included */
	const uint8_t *data;
	size_t data_length;
};

/*
 * Reads an IP packet (IPv4 or IPv6 without extension headers). Returns 0, or -1 where it is
 * not a whole TCP segment: another protocol, a fragment, cut short.
 */
int segment_decode(const uint8_t *packet, size_t length, struct segment *segment);

/* "SYN ACK"; "-" for none. */
enum { FLAGS_TEXT_SIZE = 32 };
char *segment_flags(uint8_t flags, char text[FLAGS_TEXT_SIZE]);

/* How far the sequence number moves: bytes of data, and one each for SYN and FIN. */
uint32_t segment_span(const struct segment *segment);

/* ---- the checksum ---- */

/*
 * The Internet checksum is made of a sum of 16-bit words. sum_add() adds bytes to a sum (an
 * odd last byte counts as the high half of a word), sum_fold() adds the carries back in; the
 * checksum is the complement of that.
 */
uint32_t sum_add(uint32_t sum, const void *bytes, size_t length);
uint16_t sum_fold(uint32_t sum);

/* The sum over the pseudo header: both addresses, the protocol, the length of the segment. */
uint32_t segment_pseudo_sum(const struct segment *segment);

/* What the checksum ought to be. */
uint16_t segment_checksum(const struct segment *segment);

enum checksum_verdict {
	CHECKSUM_GOOD,
	CHECKSUM_WRONG,
	CHECKSUM_LEFT /* to the hardware: the field holds only the pseudo header's sum */
};
enum checksum_verdict segment_verdict(const struct segment *segment);
const char *checksum_verdict_words(enum checksum_verdict verdict);

/* ---- building ---- */

enum { SEGMENT_SIZE_MOST = 1500 };

/*
 * Writes an IPv4 packet with the segment's fields, its data, and right checksums; with
 * `mss` not 0 also that option. Returns its length, or 0 where it does not fit.
 */
size_t segment_build(const struct segment *segment, uint16_t mss,
                     uint8_t packet[SEGMENT_SIZE_MOST]);

#endif
