/*
 * capture.h - every packet of this network, as it passes: a packet socket.
 *
 * Source: packet(7). It needs CAP_NET_RAW over this network, which the root of a private
 * network has. The portable twin has none: ENOTSUP.
 */
#ifndef PORTLAB_CAPTURE_H
#define PORTLAB_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { PACKET_SIZE_MOST = 65536 + 64 };

struct captured {
	struct timespec time; /* of the day, when the kernel saw it */
	size_t length;        /* of the IP packet */
	uint8_t packet[PACKET_SIZE_MOST];
};

/* Begins. Returns a descriptor, which does not block, or -1 with errno. */
int capture_open(void);

/*
 * The next packet, once each: on loopback the kernel shows it going out and coming in, and
 * the former is passed over. Returns 1; 0 where there is none now; -1 with errno.
 */
int capture_next(int fd, struct captured *captured);

/* How many the kernel had no room for, since it was asked last. */
unsigned capture_missed(int fd);

#endif
