/* socket_answers_linux.c - see socket_answers.h. */
#include "kit/socket_answers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	STATE_NEW_SYN_RECV = 12, /* a half-open request, not yet a socket of its own */
	/* Linux 6.8 and later list sockets that are bound and nothing else, under this number. */
	STATE_BOUND_INACTIVE = 13,
	ERROR_MOST = 4095 /* the kernel has no errno beyond */
};

/* The address words and the port are in network byte order, as in a sockaddr. */
static struct endpoint endpoint_of_words(int family, const uint32_t *address, uint16_t port)
{
	struct endpoint endpoint = endpoint_wildcard(family, ntohs(port));

	if (family == AF_INET6)
		memcpy(&endpoint.address.in6.sin6_addr, address, 16);
	else
		memcpy(&endpoint.address.in4.sin_addr, address, 4);
	return endpoint;
}

static enum tcp_state state_of(unsigned number)
{
	if (number == STATE_NEW_SYN_RECV)
		return TCP_STATE_SYN_RECV;
	if (number == STATE_BOUND_INACTIVE)
		return TCP_STATE_CLOSED;
	return number >= TCP_STATE_ESTABLISHED && number <= TCP_STATE_CLOSING
	           ? (enum tcp_state)number
	           : TCP_STATE_UNSEEN;
}

static void set_timer(struct socket_entry *entry, unsigned timer, int64_t expires_ms,
                      unsigned retransmits)
{
	entry->expires_ms = -1;
	if (timer == SOCKET_TIMER_NONE || timer >= SOCKET_TIMER_COUNT)
		return;
	entry->timer = (enum socket_timer)timer;
	entry->expires_ms = expires_ms > LONG_MAX ? LONG_MAX : (long)expires_ms;
	entry->retransmits = timer == SOCKET_TIMER_RETRANSMIT ? retransmits : 0;
}

/* ---- NETLINK_SOCK_DIAG ---- */

static void set_scope(struct endpoint *endpoint, uint32_t interface)
{
	struct sockaddr_in6 *address = &endpoint->address.in6;

	if (endpoint_family(endpoint) == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
		address->sin6_scope_id = interface;
}

static void entry_of_diag(const struct inet_diag_msg *message, enum transport transport,
                          struct socket_entry *entry)
{
	int family = message->idiag_family;

	memset(entry, 0, sizeof *entry);
	entry->local = endpoint_of_words(family, message->id.idiag_src, message->id.idiag_sport);
	entry->peer = endpoint_of_words(family, message->id.idiag_dst, message->id.idiag_dport);
	set_scope(&entry->local, message->id.idiag_if);
	set_scope(&entry->peer, message->id.idiag_if);
	if (transport == TRANSPORT_TCP) {
		entry->state = state_of(message->idiag_state);
		entry->bound_only = entry->state == TCP_STATE_CLOSED;
	}
	entry->uid = message->idiag_uid;
	entry->inode = message->idiag_inode;
	entry->receive_queue = message->idiag_rqueue;
	entry->send_queue = message->idiag_wqueue;
	set_timer(entry, message->idiag_timer, message->idiag_expires, message->idiag_retrans);
}

/* The kernel's "no" (or "yes": error 0, which ends the answer too). */
static enum answers_end end_of_error(const uint8_t *body, size_t length)
{
	int error = -EPROTO;

	if (length >= sizeof error)
		memcpy(&error, body, sizeof error);
	if (error == 0)
		return ANSWERS_DONE;
	errno = error < 0 && error >= -ERROR_MOST ? -error : EPROTO;
	return ANSWERS_REFUSED;
}

enum answers_end diag_answers_read(const void *bytes, size_t length, enum transport transport,
                                   socket_visitor visit, void *argument)
{
	const uint8_t *next = bytes;
	struct nlmsghdr header;

	while (length >= sizeof header) {
		memcpy(&header, next, sizeof header);
		if (header.nlmsg_len < sizeof header || header.nlmsg_len > length)
			break;
		const uint8_t *body = next + NLMSG_HDRLEN;
		size_t body_length = header.nlmsg_len - NLMSG_HDRLEN;
		struct inet_diag_msg message;
		struct socket_entry entry;
		if (header.nlmsg_type == NLMSG_DONE)
			return ANSWERS_DONE;
		if (header.nlmsg_type == NLMSG_ERROR)
			return end_of_error(body, body_length);
		if (body_length >= sizeof message) {
			memcpy(&message, body, sizeof message);
			bool known = message.idiag_family == AF_INET || message.idiag_family == AF_INET6;
			if (known)
				entry_of_diag(&message, transport, &entry);
			if (known && visit(&entry, argument) != 0)
				return ANSWERS_STOPPED;
		}
		size_t step = NLMSG_ALIGN(header.nlmsg_len);
		if (step >= length)
			break;
		next += step;
		length -= step;
	}
	return ANSWERS_MORE;
}

/* ---- /proc/net/{tcp,udp}{,6} ---- */

/* Reads "0100007F:0CEA": the address as words in this host's byte order, the port in hex. */
static bool endpoint_of_proc(int family, const char *text, struct endpoint *endpoint)
{
	uint32_t words[4] = {0};
	size_t count = family == AF_INET6 ? 4 : 1, digits = 8 * count;
	unsigned port;

	if (strspn(text, "0123456789ABCDEFabcdef") != digits || text[digits] != ':' ||
	    sscanf(text + digits, ":%4x", &port) != 1)
		return false;
	for (size_t i = 0; i < count; i++)
		if (sscanf(text + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	*endpoint = endpoint_of_words(family, words, htons((uint16_t)port));
	return true;
}

bool proc_line_read(const char *line, int family, enum transport transport,
                    struct socket_entry *entry)
{
	char local[64], peer[64];
	unsigned state, timer, retransmits, send_queue, receive_queue, when;
	unsigned long long uid, inode;

	memset(entry, 0, sizeof *entry);
	/* The widths keep every number within its type. */
	if (sscanf(line, " %*d: %63s %63s %2x %8x:%8x %2x:%8x %8x %10llu %*d %19llu", local, peer,
	           &state, &send_queue, &receive_queue, &timer, &when, &retransmits, &uid,
	           &inode) != 10 ||
	    !endpoint_of_proc(family, local, &entry->local) ||
	    !endpoint_of_proc(family, peer, &entry->peer))
		return false;
	if (transport == TRANSPORT_TCP)
		entry->state = state_of(state);
	entry->uid = (uint32_t)uid;
	entry->inode = (uint32_t)inode;
	entry->receive_queue = receive_queue;
	entry->send_queue = send_queue;
	set_timer(entry, timer, (int64_t)when * 1000 / sysconf(_SC_CLK_TCK), retransmits);
	return true;
}
