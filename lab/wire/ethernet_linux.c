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

enum {
	HEADER = ETH_HLEN, /* to, from, and what it carries */
	FROM = MAC_SIZE,
	KIND = 2 * MAC_SIZE,
	FRAME_MOST = 2048,
	ARP_LENGTH = 28,
	ARP_OPERATION = 6,
	ARP_SENDER = 8, /* MAC and address */
	ARP_TARGET = 18
};

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

static void begin_frame(const struct ethernet *ethernet, uint8_t *frame, uint16_t kind)
{
	uint16_t network_kind = htons(kind);

	memcpy(frame, ethernet->neighbour, MAC_SIZE);
	memcpy(frame + FROM, ethernet->mac, MAC_SIZE);
	memcpy(frame + KIND, &network_kind, sizeof network_kind);
}

/* "Who has 10.78.0.2?" - "I: it is at this MAC." */
static void answer_arp(const struct ethernet *ethernet, const uint8_t *question)
{
	static const uint8_t request[] = {0, 1, 0x08, 0, MAC_SIZE, 4, 0, 1};
	uint8_t frame[HEADER + ARP_LENGTH];
	uint8_t *arp = frame + HEADER;

	if (memcmp(question, request, sizeof request) != 0 ||
	    memcmp(question + ARP_TARGET + MAC_SIZE, &ethernet->address, 4) != 0)
		return;
	begin_frame(ethernet, frame, ETH_P_ARP);
	memcpy(arp, question, ARP_LENGTH);
	arp[ARP_OPERATION + 1] = 2; /* an answer */
	memcpy(arp + ARP_SENDER, ethernet->mac, MAC_SIZE);
	memcpy(arp + ARP_SENDER + MAC_SIZE, &ethernet->address, 4);
	memcpy(arp + ARP_TARGET, question + ARP_SENDER, MAC_SIZE + 4); /* to whoever asked */
	(void)send_frame(ethernet, frame, sizeof frame);               /* else it asks again */
}

long ethernet_receive(struct ethernet *ethernet, uint8_t *packet, size_t size)
{
	for (;;) {
		uint8_t frame[FRAME_MOST];
		struct sockaddr_ll from;
		socklen_t from_length = sizeof from;
		ssize_t length = recvfrom(ethernet->fd, frame, sizeof frame, 0,
		                          (struct sockaddr *)&from, &from_length);
		uint16_t kind;
		if (length == -1 && errno == EINTR)
			continue;
		if (length == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		if (length < HEADER || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		memcpy(&kind, frame + KIND, sizeof kind);
		memcpy(ethernet->neighbour, frame + FROM, MAC_SIZE);
		if (kind == htons(ETH_P_ARP) && length >= HEADER + ARP_LENGTH)
			answer_arp(ethernet, frame + HEADER);
		bool ours = kind == htons(ETH_P_IP) && length >= HEADER + 20 &&
		            memcmp(frame + HEADER + 16, &ethernet->address, 4) == 0;
		if (!ours || (size_t)(length - HEADER) > size)
			continue;
		memcpy(packet, frame + HEADER, (size_t)(length - HEADER));
		return length - HEADER;
	}
}

int ethernet_send(const struct ethernet *ethernet, const uint8_t *packet, size_t length)
{
	uint8_t frame[FRAME_MOST];

	begin_frame(ethernet, frame, ETH_P_IP);
	memcpy(frame + HEADER, packet, length);
	return send_frame(ethernet, frame, HEADER + length);
}
