/* udp.h - the service over UDP: one socket for all clients, no connections. */
#ifndef PORTLAB_SERVER_UDP_H
#define PORTLAB_SERVER_UDP_H

#include "service.h"

/*
 * Answers each datagram with the greeting line followed by its payload, until asked to
 * stop. Returns 0, or -1 with errno.
 */
int udp_run(struct service *service);

#endif
