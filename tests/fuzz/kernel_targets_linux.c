/*
 * kernel_targets_linux.c - what Linux answers: messages of sock_diag, lines of /proc/net/tcp,
 * answers of rtnetlink. Twin: kernel_targets_posix.c.
 */
#include "support.h"
#include "targets.h"

#include "kit/socket_answers.h"
#include "wire/links.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What every program relies on: each value has a name, each endpoint is one. */
static void check_entry(const struct socket_entry *entry, enum transport transport)
{
	const struct endpoint *ends[] = {&entry->local, &entry->peer};
	char text[ENDPOINT_TEXT_SIZE];
	struct endpoint again;

	must(entry->state < TCP_STATE_COUNT && tcp_state_name(entry->state) != NULL);
	must((entry->state == TCP_STATE_NONE) == (transport == TRANSPORT_UDP));
	must(!entry->bound_only || entry->state == TCP_STATE_CLOSED);
	must(entry->timer < SOCKET_TIMER_COUNT);
	must((entry->expires_ms == -1) == (entry->timer == SOCKET_TIMER_NONE));
	must(entry->retransmits == 0 || entry->timer == SOCKET_TIMER_RETRANSMIT);
	for (int i = 0; i < 2; i++) {
		int family = endpoint_family(ends[i]);
		must(family == AF_INET || family == AF_INET6);
		(void)endpoint_format(ends[i], text);
		if (family == AF_INET6 && ends[i]->address.in6.sin6_scope_id != 0)
			continue; /* the name of an interface may hold what no endpoint does */
		must(endpoint_parse(text, &again) == 0 && endpoint_equal(&again, ends[i]));
	}
}

struct visits {
	enum transport transport;
	size_t count, most;
};

static int visit(const struct socket_entry *entry, void *argument)
{
	struct visits *visits = argument;

	check_entry(entry, visits->transport);
	errno = 0; /* asking for the name of an interface may have changed it */
	return ++visits->count == visits->most;
}

/* The first byte: the transport, and after how many sockets the visitor has enough. */
void fuzz_diag(const uint8_t *bytes, size_t length)
{
	uint8_t first = length > 0 ? bytes[0] : 0;
	struct visits visits = {first & 1 ? TRANSPORT_UDP : TRANSPORT_TCP, 0, (first >> 1) + 1};
	uint8_t *answer = length > 0 ? bytes_of(bytes + 1, length - 1) : bytes_of(bytes, 0);

	errno = 0;
	enum answers_end end = diag_answers_read(answer, length > 0 ? length - 1 : 0,
	                                         visits.transport, visit, &visits);
	must((end == ANSWERS_STOPPED) == (visits.count == visits.most));
	must((end == ANSWERS_REFUSED) == (errno != 0));
	/* A socket takes 72 bytes after a header of 16. */
	must(visits.count <= length / 88);
	free(answer);
}

/* As the kernel writes them: words of this host's byte order. */
static void write_endpoint(const struct endpoint *endpoint, char *text, size_t size)
{
	uint32_t words[4] = {0};
	int used = 0;

	if (endpoint_family(endpoint) == AF_INET)
		memcpy(words, &endpoint->address.in4.sin_addr, 4);
	else
		memcpy(words, &endpoint->address.in6.sin6_addr, 16);
	for (int i = 0; i < (endpoint_family(endpoint) == AF_INET ? 1 : 4); i++)
		used += snprintf(text + used, size - (size_t)used, "%08" PRIX32, words[i]);
	(void)snprintf(text + used, size - (size_t)used, ":%04X", endpoint_port(endpoint));
}

/* The first byte: family and transport; the rest is the line. */
void fuzz_proc(const uint8_t *bytes, size_t length)
{
	uint8_t first = length > 0 ? bytes[0] : 0;
	int family = first & 1 ? AF_INET6 : AF_INET;
	enum transport transport = first & 2 ? TRANSPORT_UDP : TRANSPORT_TCP;
	char *line = length > 0 ? string_of(bytes + 1, length - 1) : string_of(bytes, 0);
	char local[64], peer[64], again[256];
	struct socket_entry entry, other;

	if (proc_line_read(line, family, transport, &entry)) {
		check_entry(&entry, transport);
		must(endpoint_family(&entry.local) == family && endpoint_family(&entry.peer) == family);
		/* A state without a name here is told as one number, whichever it was. */
		unsigned state = entry.state == TCP_STATE_UNSEEN ? 0xff : (unsigned)entry.state;
		write_endpoint(&entry.local, local, sizeof local);
		write_endpoint(&entry.peer, peer, sizeof peer);
		snprintf(again, sizeof again,
		         "  7: %s %s %02X %08" PRIX32 ":%08" PRIX32 " 00:00000000 00000000 %5" PRIu32
		         "        0 %" PRIu32 " 1 0000000000000000\n",
		         local, peer, state, entry.send_queue, entry.receive_queue, entry.uid,
		         entry.inode);
		must(proc_line_read(again, family, transport, &other));
		must(endpoint_equal(&entry.local, &other.local) &&
		     endpoint_equal(&entry.peer, &other.peer) && entry.state == other.state &&
		     entry.uid == other.uid && entry.inode == other.inode &&
		     entry.send_queue == other.send_queue &&
		     entry.receive_queue == other.receive_queue);
	}
	free(line);
}

void fuzz_link(const uint8_t *bytes, size_t length)
{
	uint8_t *answer = bytes_of(bytes, length);
	struct nlmsghdr header;
	int error = -1;

	if (length >= NLMSG_HDRLEN + sizeof error) {
		memcpy(&header, answer, sizeof header);
		memcpy(&error, answer + NLMSG_HDRLEN, sizeof error);
		error = header.nlmsg_type == NLMSG_ERROR ? error : -1;
	}
	errno = 0;
	if (link_answer_read(answer, length) == 0)
		must(error == 0);
	else
		must(error != 0 && errno > 0 && errno < 4096);
	free(answer);
}
