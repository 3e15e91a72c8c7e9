/*
 * explain_connect.c - why the other end cannot be reached, or is lost: connect, send and
 * receive. Partner: explain_bind.c.
 */
#include "kit/explain_parts.h"

#include "kit/narrate.h"
#include "kit/unix.h"

#include <errno.h>

/* Whether packets to this endpoint stay on this machine. */
static bool is_this_machine(const struct endpoint *endpoint)
{
	return endpoint_is_wildcard(endpoint) || machine_has_address(endpoint);
}

/* ---- connect ---- */

/* The number is open, but at another address than the one that was asked. */
static void explain_elsewhere(const struct failure *failure, struct explanation *explanation,
                              const struct endpoint *where)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct endpoint reach = *where;

	if (endpoint_is_wildcard(where))
		reach = endpoint_loopback(endpoint_family(where), endpoint_port(where));
	ADD_WHY(explanation, "A socket has the port open, but on another address: %s.",
	        endpoint_format(where, text));
	ADD_TRY(explanation, "reaches it there", "%s %s%s %u", narrate_program(),
	        failure->transport == TRANSPORT_UDP ? "-u " : "",
	        endpoint_format_address(&reach, text), endpoint_port(where));
}

void explain_refused(const struct failure *failure, struct explanation *explanation)
{
	struct holders holders;
	uint16_t port = endpoint_port(&failure->peer);
	bool udp = failure->transport == TRANSPORT_UDP;

	if (!is_this_machine(&failure->peer)) {
		ADD_WHY(explanation,
		        "The other machine answered, and the answer was no: no program has "
		        "this port open there, or a firewall rejects it.");
		return;
	}
	if (holders_find(&failure->peer, NULL, failure->transport, &holders) == -1)
		ADD_WHY(explanation,
		        "No program has %s port %u open at this address, or a firewall "
		        "rejects. (This system does not show its sockets.)",
		        transport_name(failure->transport), port);
	else if (holders.listeners > 0)
		ADD_WHY(explanation, "Now a socket has this port open; either it was opened a moment "
		                     "too late, or a firewall rejects.");
	else if (holders.listeners_elsewhere > 0) {
		explain_elsewhere(failure, explanation, &holders.elsewhere.local);
		return;
	} else
		ADD_WHY(explanation,
		        "No program on this machine has %s port %u open (asked just now). "
		        "Its kernel said so at once%s.",
		        transport_name(failure->transport), port,
		        udp ? ", with an ICMP message: port unreachable" : ", with a reset (RST)");
	ADD_TRY(explanation,
	        machine_bind_right(port) == BIND_RIGHT_NONE
	            ? "opens it, with the privilege it needs"
	            : "in another terminal: opens it",
	        "server %s%s%u", udp ? "-u " : "",
	        endpoint_family(&failure->peer) == AF_INET6 ? "-6 " : "", port);
	ADD_TRY(explanation, "lists what is open", "ss -%sn", udp ? "lu" : "lt");
}

void explain_silence(const struct failure *failure, struct explanation *explanation)
{
	struct holders holders;

	ADD_WHY(explanation, "No answer came at all");
	if (failure->waited_ms > 0)
		ADD_WHY(explanation, " within %.3g s", (double)failure->waited_ms / 1000);
	ADD_WHY(explanation, ". A closed port would have refused at once. ");
	if (is_this_machine(&failure->peer) &&
	    holders_find(&failure->peer, NULL, TRANSPORT_TCP, &holders) == 0 &&
	    holders.listeners > 0) {
		ADD_WHY(explanation,
		        "A socket listens there, with %lu connection%s waiting to be accepted "
		        "and a backlog of %lu",
		        (unsigned long)holders.listener.receive_queue,
		        holders.listener.receive_queue == 1 ? "" : "s",
		        (unsigned long)holders.listener.send_queue);
		ADD_WHY(
		    explanation,
		    holders.listener.receive_queue > holders.listener.send_queue
		        ? ": its queue is full, so the kernel leaves further clients without answer."
		        : ": so a firewall drops the packets, or the queue was full.");
	} else {
		ADD_WHY(explanation,
		        "Silence means that packets are dropped on the way (a firewall), or "
		        "that no machine has this address.");
	}
	ADD_TRY(explanation, "waits longer", "%s -t 30 ...", narrate_program());
}

void explain_no_route(const struct failure *failure, struct explanation *explanation)
{
	char text[ENDPOINT_TEXT_SIZE];

	ADD_WHY(explanation,
	        "This machine knows no way to %s: ", endpoint_format_address(&failure->peer, text));
	if (failure->error == ENETUNREACH)
		ADD_WHY(explanation, "no route leads to that network. ");
	else
		ADD_WHY(explanation, "the last hop did not find it, or a route or firewall says "
		                     "unreachable. ");
	explanation_add_own_addresses(explanation, endpoint_family(&failure->peer));
	ADD_TRY(explanation, "shows the routes, where it is installed", "ip route");
}

void explain_forbidden(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "A rule of this machine forbids it: a route of type prohibit, a "
	                     "firewall, or a broadcast address.");
}

static int find_same_tuple(const struct socket_entry *entry, void *argument)
{
	struct holders *holders = argument;

	if (endpoint_port(&entry->local) != endpoint_port(holders->wanted) ||
	    !endpoint_equal(&entry->peer, holders->peer))
		return 0;
	holders->bound = *entry;
	holders->others = 1;
	return 1;
}

static void explain_same_tuple(const struct failure *failure, struct explanation *explanation)
{
	struct holders holders = {.wanted = &failure->local, .peer = &failure->peer};
	char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE];

	ADD_WHY(explanation,
	        "A connection is known by its 4-tuple, and no two may have the same. ");
	if (socket_table_each(failure->transport, find_same_tuple, &holders) == 0 &&
	    holders.others > 0)
		ADD_WHY(explanation, "%s -> %s exists already (%s). ",
		        endpoint_format(&holders.bound.local, local),
		        endpoint_format(&failure->peer, peer), tcp_state_name(holders.bound.state));
	ADD_WHY(explanation, "The same source port may be used towards another port or address.");
	ADD_TRY(explanation, "the kernel chooses a free source port", "%s without -p",
	        narrate_program());
}

void explain_out_of_ports(const struct failure *failure, struct explanation *explanation)
{
	struct port_range range;
	struct holders holders;
	char text[ENDPOINT_TEXT_SIZE];
	bool bound_elsewhere = false;

	if (failure->own_port) {
		explain_same_tuple(failure, explanation);
		return;
	}
	ADD_WHY(explanation, "Every connection to %s needs a source port of its own, and ",
	        endpoint_format(&failure->peer, text));
	if (machine_ephemeral_range(&range) == 0)
		ADD_WHY(explanation, "this kernel gives out %u-%u: %d numbers. ", range.first,
		        range.last, range.last - range.first + 1);
	else
		ADD_WHY(explanation, "this kernel has given out all it has. ");
	if (holders_find(&failure->local, &failure->peer, failure->transport, &holders) == 0) {
		ADD_WHY(explanation,
		        "Now %d of this machine's sockets go there, those in TIME_WAIT "
		        "included. ",
		        holders.to_peer);
		bound_elsewhere = machine_ephemeral_range(&range) == 0 &&
		                  holders.to_peer <= (range.last - range.first) / 2;
	}
	/* With most numbers free towards there, it is not connections that hold them. */
	if (bound_elsewhere)
		ADD_WHY(explanation, "The other numbers are bound: a port that bind() has given is "
		                     "taken towards every destination.");
	else
		ADD_WHY(explanation,
		        "Towards another port or address the same numbers may be used again.");
	ADD_TRY(explanation, "the same destination from another address", "%s -s 127.0.0.2 ...",
	        narrate_program());
	ADD_TRY(explanation, "counts sockets by state", "ss -s");
}

/* A connection to itself is one end playing both parts: no server is there. */
void explain_self(const struct failure *failure, struct explanation *explanation)
{
	uint16_t port = endpoint_port(&failure->peer);

	ADD_WHY(explanation,
	        "Nobody listens on port %u, but the source port of this client was %u "
	        "too: its SYN came back to itself, and TCP takes that for two ends that "
	        "open at the same time (RFC 9293, 3.5). No server took part.",
	        port, port);
	ADD_TRY(explanation, "in another terminal: opens it", "server %u", port);
}

/* ---- send and receive ---- */

/* Connected, and yet no answer. */
void explain_no_answer(const struct failure *failure, struct explanation *explanation)
{
	struct holders holders;
	bool udp = failure->transport == TRANSPORT_UDP;

	ADD_WHY(explanation, "Nothing came back within %.3g s. ",
	        (double)failure->waited_ms / 1000);
	if (!udp) {
		ADD_WHY(explanation,
		        "The connection stands, and the other kernel has what was sent; the "
		        "program there has not read it, or has nothing to say.");
		ADD_TRY(explanation, "shows what waits unread (Recv-Q)",
		        "ss -tn 'sport = :%u or dport = :%u'", endpoint_port(&failure->peer),
		        endpoint_port(&failure->peer));
		return;
	}
	ADD_WHY(explanation,
	        "UDP does not tell why: the datagram or its answer may be lost, or the "
	        "program there did not answer.");
	if (is_this_machine(&failure->peer) &&
	    holders_find(&failure->peer, NULL, TRANSPORT_UDP, &holders) == 0 &&
	    holders.listeners > 0)
		ADD_WHY(explanation, " A socket on this machine has the port open, so it did not.");
}

void explain_reset(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation,
	        "The other side cut the connection with a reset (RST): its program "
	        "ended, closed with data unread, or chose to. Nothing more can be sent "
	        "or received.");
}

void explain_too_big(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "A UDP datagram is sent whole or not at all, and over IPv4 it carries "
	                     "at most 65507 bytes.");
}
