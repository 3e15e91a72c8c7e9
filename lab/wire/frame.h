/*
 * frame.h - Ethernet frames: put together, taken apart, and the answer to the question who
 * has an address (ARP). Bytes only; ethernet.h sends and receives them.
 *
 * Source: RFC 894 (IP over Ethernet), RFC 826 (ARP), RFC 791 (where the destination stands).
 */
#ifndef PORTLAB_FRAME_H
#define PORTLAB_FRAME_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAC_SIZE = 6,
	FRAME_HEADER = 14, /* to, from, and what it carries */
	FRAME_ARP_SIZE = FRAME_HEADER + 28,
	FRAME_SIZE_MOST = 2048
};

/* What a frame carries. */
enum { FRAME_IP = 0x0800, FRAME_ARP = 0x0806 };

/* Writes the header. */
void frame_begin(uint8_t *frame, const uint8_t to[MAC_SIZE], const uint8_t from[MAC_SIZE],
                 unsigned carries);

/* The IPv4 packet for that address inside the frame, and its length; NULL where it has none. */
const uint8_t *frame_packet(const uint8_t *frame, size_t length, struct in_addr address,
                            size_t *packet_length);

/*
 * "Who has 10.78.0.2?" - "I: it is at this MAC." Writes the answer and returns 0, or returns
 * -1 where the frame is not a question for that address.
 */
int frame_answer_arp(const uint8_t *frame, size_t length, const uint8_t mac[MAC_SIZE],
                     struct in_addr address, uint8_t answer[FRAME_ARP_SIZE]);

#endif
