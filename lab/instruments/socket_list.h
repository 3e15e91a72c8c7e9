/*
 * socket_list.h - a picture of the socket table at one moment, filtered and in order, for
 * the instruments that show it: sockets, watch, scan.
 */
#ifndef PORTLAB_SOCKET_LIST_H
#define PORTLAB_SOCKET_LIST_H

#include "kit/socket_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listed {
	struct socket_entry entry;
	enum transport transport;
};

struct socket_filter {
	bool tcp, udp;   /* which to list */
	bool mine;       /* only this uid's */
	int port;        /* local or remote; -1: any */
	int local_port;  /* -1: any */
	int remote_port; /* -1: any */
	unsigned states; /* bits 1 << enum tcp_state; 0: any */
};

struct socket_list {
	struct listed *sockets;
	size_t count, room;
};

/* A filter that lets everything pass. */
struct socket_filter socket_filter_all(void);

/*
 * Reads the table. Order: transport, local port, remote port, addresses. Returns 0; or -1
 * with errno: ENOTSUP where the system shows no table, ENOMEM. Free it in both cases.
 */
int socket_list_read(struct socket_list *list, const struct socket_filter *filter);

/* That order, by both ends: 0 for the same socket seen twice. */
int listed_compare(const struct listed *one, const struct listed *other);
void socket_list_free(struct socket_list *list);

/* What a state means and what ends it, in one sentence. "" for NONE. */
const char *tcp_state_meaning(enum tcp_state state);

/* The state of that name, or TCP_STATE_COUNT. Case does not matter, nor - for _. */
enum tcp_state tcp_state_find(const char *name);

#endif
