/*
 * ethernet.h - one end of a cable held by a program: frames in and out, and the answer to the
 * question who has the address (ARP). What a frame is made of: frame.h.
 *
 * Source: packet(7).
 */
#ifndef PORTLAB_ETHERNET_H
#define PORTLAB_ETHERNET_H

#include "wire/frame.h"
#include "wire/links.h"
#include "wire/segment.h"

#include <stddef.h>
#include <stdint.h>

struct ethernet {
	int fd; /* packet socket, does not block */
	struct in_addr address;
	uint8_t mac[MAC_SIZE];       /* ours: of nobody but this program */
	uint8_t neighbour[MAC_SIZE]; /* the other end's, once it has spoken */
};

/* Takes the device's end of the cable. Returns 0, or -1 with errno. */
int ethernet_open(struct ethernet *ethernet, const char *device, struct in_addr address);

/*
 * The next IP packet for our address; ARP is answered on the way. Returns its length; 0 where
 * there is none now; -1 with errno.
 */
long ethernet_receive(struct ethernet *ethernet, uint8_t *packet, size_t size);

/* Sends an IP packet to the neighbour. Returns 0, or -1 with errno. */
int ethernet_send(const struct ethernet *ethernet, const uint8_t *packet, size_t length);

#endif
