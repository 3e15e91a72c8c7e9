/*
 * socket_table.h - the kernel's table of TCP and UDP sockets of this network, whoever
 * they belong to, and the process that holds one where this account may see it.
 *
 * Source: sock_diag(7) (NETLINK_SOCK_DIAG); proc(5) for /proc/net/tcp, the fall-back, and
 * for /proc/PID/fd. In the portable build there is no table: the functions return -1 with
 * errno ENOTSUP.
 */
#ifndef PORTLAB_SOCKET_TABLE_H
#define PORTLAB_SOCKET_TABLE_H

#include "kit/endpoint.h"
#include "kit/tcp_state.h"

#include <stdint.h>

/* What the kernel will do next by itself; sock_diag(7) has the same numbers. */
enum socket_timer {
	SOCKET_TIMER_NONE,
	SOCKET_TIMER_RETRANSMIT,
	SOCKET_TIMER_KEEPALIVE,
	SOCKET_TIMER_TIME_WAIT,
	SOCKET_TIMER_PROBE, /* of a window that the other side has closed */
	SOCKET_TIMER_COUNT
};

struct socket_entry {
	struct endpoint local, peer; /* a listener's peer is the wildcard, port 0 */
	enum tcp_state state;        /* NONE for UDP */
	bool bound_only;             /* TCP: has a port, neither listens nor connects */
	uint32_t uid;                /* whose; 0 for TIME_WAIT, which is nobody's any more */
	uint32_t inode;              /* names the socket; 0 for TIME_WAIT */
	uint32_t receive_queue;      /* bytes; of a listener: connections to be accepted */
	uint32_t send_queue;         /* bytes; of a listener: its backlog */
	enum socket_timer timer;
	long expires_ms;      /* until the timer, in milliseconds; -1 without a timer */
	unsigned retransmits; /* of the segment that is being sent again; else 0 */
};

/*
 * Calls visit for every socket, in no order. A visit that returns non-zero ends the walk.
 * Returns 0, or -1 with errno where the table cannot be read.
 */
typedef int (*socket_visitor)(const struct socket_entry *entry, void *argument);
int socket_table_each(enum transport transport, socket_visitor visit, void *argument);

/*
 * The TCP connection local -> peer. Returns 1 and fills *entry, 0 where there is none, -1
 * with errno where the table cannot be asked. Takes the same time however many there are.
 */
int socket_table_find(const struct endpoint *local, const struct endpoint *peer,
                      struct socket_entry *entry);

struct socket_process {
	long pid;
	char name[32]; /* of the program, as the kernel keeps it */
};

/*
 * Which process holds which socket, for those that this account may see (another user's
 * processes are not). Read once, asked often. NULL with errno where it cannot be read.
 */
struct socket_owners *socket_owners_read(void);
void socket_owners_free(struct socket_owners *owners);

/* The process of the lowest pid that holds the socket, or NULL. Lives as long as owners. */
const struct socket_process *socket_owners_find(const struct socket_owners *owners,
                                                uint32_t inode);

#endif
