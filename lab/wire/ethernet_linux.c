/* ethernet_linux.c - see ethernet.h. Twin: ethernet_posix.c. */
#define _GNU_SOURCE /* SOCK_NONBLOCK with packet sockets */
#include "wire/ethernet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int ethernet_open(struct ethernet *ethernet, const char *device, struct in_addr address)
{
	/* "Locally administered" (second bit of the first byte): of no manufacturer. */
	static const uint8_t mac[MAC_SIZE] = {0x02, 0, 0, 0, 0, 0x02};
	struct sockaddr_ll here = {.sll_family = AF_PACKET,
	                           .sll_protocol = htons(ETH_P_ALL),
	                           .sll_ifindex = (int)if_nametoindex(device)};

	memset(ethernet, 0, sizeof *ethernet);
	ethernet->address = address;
	memcpy(ethernet->mac, mac, sizeof mac);
	ethernet->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	if (ethernet->fd == -1)
		return -1;
	if (here.sll_ifindex != 0 &&
	    bind(ethernet->fd, (const struct sockaddr *)&here, sizeof here) == 0)
		return 0;
	int error = errno;
	(void)close(ethernet->fd);
	errno = error;
	return -1;
}

static int send_frame(const struct ethernet *ethernet, const uint8_t *frame, size_t length)
{
	return send(ethernet->fd, frame, length, 0) == (ssize_t)length ? 0 : -1;
}

long ethernet_receive(struct ethernet *ethernet, uint8_t *packet, size_t size)
{
	for (;;) {
		uint8_t frame[FRAME_SIZE_MOST], answer[FRAME_ARP_SIZE];
		struct sockaddr_ll from = {0};
		socklen_t from_length = sizeof from;
		ssize_t length = recvfrom(ethernet->fd, frame, sizeof frame, 0,
		                          (struct sockaddr *)&from, &from_length);
		if (length == -1 && errno == EINTR)
			continue;
		if (length == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		if (length < FRAME_HEADER || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		memcpy(ethernet->neighbour, frame + MAC_SIZE, MAC_SIZE);
		if (frame_answer_arp(frame, (size_t)length, ethernet->mac, ethernet->address, answer) ==
		    0)
			(void)send_frame(ethernet, answer, sizeof answer); /* else it asks again */
		size_t packet_length;
		const uint8_t *found =
		    frame_packet(frame, (size_t)length, ethernet->address, &packet_length);
		if (found == NULL || packet_length > size)
			continue;
		memcpy(packet, found, packet_length);
		return (long)packet_length;
	}
}

int ethernet_send(const struct ethernet *ethernet, const uint8_t *packet, size_t length)
{
	uint8_t frame[FRAME_SIZE_MOST];

	if (length > sizeof frame - FRAME_HEADER) {
		errno = EMSGSIZE;
		return -1;
	}
	frame_begin(frame, ethernet->neighbour, ethernet->mac, FRAME_IP);
	memcpy(frame + FRAME_HEADER, packet, length);
	return send_frame(ethernet, frame, FRAME_HEADER + length);
}
