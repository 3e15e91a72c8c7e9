/* frame.c - see frame.h. */
#include "wire/frame.h"

#include <stdbool.h>
#include <string.h>

enum {
	FROM = MAC_SIZE, /* in the frame */
	CARRIES = 2 * MAC_SIZE,
	ARP_OPERATION = 6, /* in what it carries */
	ARP_SENDER = 8,    /* MAC and address */
	ARP_TARGET = 18,
	IP_DESTINATION = 16,
	IP_LEAST = 20
};

void frame_begin(uint8_t *frame, const uint8_t to[MAC_SIZE], const uint8_t from[MAC_SIZE],
                 unsigned carries)
{
	memcpy(frame, to, MAC_SIZE);
	memcpy(frame + FROM, from, MAC_SIZE);
	frame[CARRIES] = (uint8_t)(carries >> 8);
	frame[CARRIES + 1] = (uint8_t)carries;
}

/* Whether the frame carries that, and at least so many bytes of it. */
static bool carries(const uint8_t *frame, size_t length, unsigned what, size_t least)
{
	return length >= FRAME_HEADER + least &&
	       (unsigned)(frame[CARRIES] << 8 | frame[CARRIES + 1]) == what;
}

const uint8_t *frame_packet(const uint8_t *frame, size_t length, struct in_addr address,
                            size_t *packet_length)
{
	if (!carries(frame, length, FRAME_IP, IP_LEAST) ||
	    memcmp(frame + FRAME_HEADER + IP_DESTINATION, &address, sizeof address) != 0)
		return NULL;
	*packet_length = length - FRAME_HEADER;
	return frame + FRAME_HEADER;
}

int frame_answer_arp(const uint8_t *frame, size_t length, const uint8_t mac[MAC_SIZE],
                     struct in_addr address, uint8_t answer[FRAME_ARP_SIZE])
{
	/* Ethernet, IPv4, the sizes of their addresses, a question */
	static const uint8_t question[] = {0, 1, 0x08, 0, MAC_SIZE, 4, 0, 1};
	const uint8_t *asked = frame + FRAME_HEADER;
	uint8_t *arp = answer + FRAME_HEADER;

	if (!carries(frame, length, FRAME_ARP, FRAME_ARP_SIZE - FRAME_HEADER) ||
	    memcmp(asked, question, sizeof question) != 0 ||
	    memcmp(asked + ARP_TARGET + MAC_SIZE, &address, sizeof address) != 0)
		return -1;
	frame_begin(answer, frame + FROM, mac, FRAME_ARP);
	memcpy(arp, question, sizeof question);
	arp[ARP_OPERATION + 1] = 2; /* an answer */
	memcpy(arp + ARP_SENDER, mac, MAC_SIZE);
	memcpy(arp + ARP_SENDER + MAC_SIZE, &address, sizeof address);
	memcpy(arp + ARP_TARGET, asked + ARP_SENDER, MAC_SIZE + 4); /* to whoever asked */
	return 0;
}
