/* ethernet_posix.c - a system without packet sockets. Twin: ethernet_linux.c. */
#include "wire/ethernet.h"

#include <errno.h>

int ethernet_open(struct ethernet *ethernet, const char *device, struct in_addr address)
{
	(void)ethernet;
	(void)device;
	(void)address;
	errno = ENOTSUP;
	return -1;
}

long ethernet_receive(struct ethernet *ethernet, uint8_t *packet, size_t size)
{
	(void)ethernet;
	(void)packet;
	(void)size;
	errno = ENOTSUP;
	return -1;
}

int ethernet_send(const struct ethernet *ethernet, const uint8_t *packet, size_t length)
{
	(void)ethernet;
	(void)packet;
	(void)length;
	errno = ENOTSUP;
	return -1;
}
