/*
 * filter.h - a filter of the kernel in front of one socket, which lets nothing in: clients
 * meet the silence that they would meet behind a firewall that drops.
 *
 * Source: socket(7), SO_ATTACH_FILTER. Elsewhere there is none: ENOTSUP.
 */
#ifndef PORTLAB_SERVER_FILTER_H
#define PORTLAB_SERVER_FILTER_H

/* Returns 0, or -1 with errno. Needs no privilege: the socket is the caller's own. */
int filter_let_nothing_in(int fd);

#endif
