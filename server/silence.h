/*
 * silence.h - a socket for which the kernel throws away whatever comes: clients meet the
 * silence that they would meet behind a firewall that drops.
 *
 * Source: ip(7), IP_MINTTL (a TCP segment must have at least this time to live; 255 is what
 * hardly any sender begins with); ipv6(7), IPV6_MINHOPCOUNT; for datagrams socket(7),
 * SO_ATTACH_FILTER. None of them needs privilege. Elsewhere there is none: ENOTSUP.
 */
#ifndef PORTLAB_SERVER_SILENCE_H
#define PORTLAB_SERVER_SILENCE_H

#include "kit/port.h"

/* Of a socket of that family (AF_INET, AF_INET6). Returns 0, or -1 with errno. */
int silence_make(int fd, int family, enum transport transport);

#endif
