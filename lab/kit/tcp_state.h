/*
 * tcp_state.h - the state of a TCP connection, as the kernel tells it when it is asked.
 *
 * A connected socket is asked by its descriptor (TCP_INFO). Two things that way cannot
 * show: TIME_WAIT, which no descriptor has, and anything at all once the descriptor is
 * closed. For those the kernel's socket table is asked by 4-tuple.
 *
 * Source: RFC 9293 section 3.3.2 (the states; the names are the ones that netstat and ss
 * users know, SYN_RECV for SYN-RECEIVED); tcp(7), TCP_INFO.
 */
#ifndef PORTLAB_TCP_STATE_H
#define PORTLAB_TCP_STATE_H

#include "kit/endpoint.h"

enum tcp_state {
	TCP_STATE_NONE = 0, /* not asked, or not a TCP socket */
	TCP_STATE_ESTABLISHED,
	TCP_STATE_SYN_SENT,
	TCP_STATE_SYN_RECV,
	TCP_STATE_FIN_WAIT1,
	TCP_STATE_FIN_WAIT2,
	TCP_STATE_TIME_WAIT,
	TCP_STATE_CLOSED,
	TCP_STATE_CLOSE_WAIT,
	TCP_STATE_LAST_ACK,
	TCP_STATE_LISTEN,
	TCP_STATE_CLOSING,
	TCP_STATE_UNSEEN, /* asked, but this system does not show it */
	TCP_STATE_COUNT
};

/* "ESTABLISHED"; "" for NONE, "not visible" for UNSEEN. */
const char *tcp_state_name(enum tcp_state state);

/* The state of the socket behind a descriptor, now. UNSEEN where it cannot be asked. */
enum tcp_state tcp_state_of_fd(int fd);

/*
 * The state of the connection local -> peer in the kernel's table, now; CLOSED where the
 * table has no such connection, UNSEEN where there is no table to ask. With `seconds_left`
 * not NULL, it gets the time a TIME_WAIT still has, in seconds rounded up, else -1.
 */
enum tcp_state tcp_state_of_tuple(const struct endpoint *local, const struct endpoint *peer,
                                  int *seconds_left);

/*
 * Both: asks the descriptor, and where that says CLOSED the table, which alone knows
 * TIME_WAIT.
 */
enum tcp_state tcp_state_of_connection(int fd, const struct endpoint *local,
                                       const struct endpoint *peer);

#endif
