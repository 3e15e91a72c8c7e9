/*
 * socket_answers.h - what Linux answers when it is asked for its sockets, taken apart: the
 * messages of NETLINK_SOCK_DIAG, and the lines of /proc/net/tcp. Nothing here asks anybody:
 * that is socket_table_linux.c. There is no portable twin, since there is nothing to read.
 *
 * What does not make sense is passed over: a kernel of another year may say more than is
 * known here, and a state that has no name here is told as TCP_STATE_UNSEEN.
 *
 * Source: sock_diag(7), netlink(7), proc(5).
 */
#ifndef PORTLAB_SOCKET_ANSWERS_H
#define PORTLAB_SOCKET_ANSWERS_H

#include "kit/socket_table.h"

#include <stddef.h>

enum answers_end {
	ANSWERS_MORE,    /* all of it was taken in; the kernel has more to say */
	ANSWERS_DONE,    /* that was the last */
	ANSWERS_STOPPED, /* a visit did not want more */
	ANSWERS_REFUSED  /* the kernel says no: errno tells why */
};

/* The messages of one datagram from the kernel, in order. The bytes need no alignment. */
enum answers_end diag_answers_read(const void *bytes, size_t length, enum transport transport,
                                   socket_visitor visit, void *argument);

/* A line of /proc/net/{tcp,udp}{,6}. Returns false where it is none, as its first line. */
bool proc_line_read(const char *line, int family, enum transport transport,
                    struct socket_entry *entry);

#endif
