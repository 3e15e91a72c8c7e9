/* datagram_posix.c - see datagram.h. Twin: datagram_linux.c. */
#include "datagram.h"

#include <string.h>
#include <sys/socket.h>

int datagram_prepare(int fd)
{
	(void)fd; /* POSIX has no option that tells a datagram's destination */
	return 0;
}

ssize_t datagram_receive(int fd, void *bytes, size_t size, struct endpoint *peer,
                         struct endpoint *local)
{
	memset(peer, 0, sizeof *peer);
	peer->length = sizeof peer->address;
	if (endpoint_of_socket(fd, local) == -1) /* asked first: so no datagram is lost by it */
		return -1;
	return recvfrom(fd, bytes, size, 0, &peer->address.any, &peer->length);
}

ssize_t datagram_send(int fd, const void *bytes, size_t length, const struct endpoint *peer,
                      const struct endpoint *local)
{
	(void)local; /* the system chooses the address it leaves from */
	return sendto(fd, bytes, length, 0, &peer->address.any, peer->length);
}
