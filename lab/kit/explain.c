/*
 * explain.c - see explain.h. Reading order: the table of reasons near the end says which
 * function explains which failure; each of those asks the machine and writes sentences.
 */
#include "kit/explain.h"

#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/socket_table.h"
#include "kit/text.h"
#include "kit/unix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ADD_WHY(explanation, ...) \
	text_add((explanation)->why, sizeof(explanation)->why, __VA_ARGS__)

#define ADD_TRY(explanation, does, ...)                                           \
	do {                                                                          \
		if ((explanation)->try_count < EXPLANATION_TRIES) {                       \
			struct try *try_ = &(explanation)->tries[(explanation)->try_count++]; \
			snprintf(try_->command, sizeof try_->command, __VA_ARGS__);           \
			snprintf(try_->what, sizeof try_->what, "%s", does);                  \
		}                                                                         \
	} while (0)

const char *errno_name(int error, char text[24])
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
#define NAME(error) {error, #error}
	    NAME(EACCES),          NAME(EADDRINUSE), NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT),
	    NAME(EAGAIN),          NAME(EALREADY),   NAME(EBADF),         NAME(ECONNABORTED),
	    NAME(ECONNREFUSED),    NAME(ECONNRESET), NAME(EFAULT),        NAME(EHOSTUNREACH),
	    NAME(EINPROGRESS),     NAME(EINTR),      NAME(EINVAL),        NAME(EIO),
	    NAME(EISCONN),         NAME(EMFILE),     NAME(EMSGSIZE),      NAME(ENETDOWN),
	    NAME(ENETUNREACH),     NAME(ENFILE),     NAME(ENOBUFS),       NAME(ENODEV),
	    NAME(EEXIST),          NAME(ENOENT),     NAME(ENOMEM),        NAME(ENOPROTOOPT),
	    NAME(ENOSPC),          NAME(ENOSYS),     NAME(ENOTCONN),      NAME(ENOTSOCK),
	    NAME(ENOTSUP),         NAME(EPERM),      NAME(EPIPE),         NAME(EPROTO),
	    NAME(EPROTONOSUPPORT), NAME(ETIMEDOUT),
#undef NAME
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].error == error)
			return names[i].name;
	snprintf(text, 24, "errno %d", error);
	return text;
}

static const char *user_name(uint32_t uid, char text[48])
{
	const struct passwd *user = getpwuid((uid_t)uid);

	if (user != NULL) {
		strcpy(text, "user ");
		(void)text_make_safe(user->pw_name, strlen(user->pw_name), text + 5, 43);
	} else
		snprintf(text, 48, "uid %lu", (unsigned long)uid);
	return text;
}

/* Whether packets to this endpoint stay on this machine. */
static bool is_this_machine(const struct endpoint *endpoint)
{
	return endpoint_is_wildcard(endpoint) || machine_has_address(endpoint);
}

/* ---- who has the port ---- */

struct holders {
	const struct endpoint *wanted;
	struct socket_entry listener, elsewhere, bound;
	int listeners, listeners_elsewhere, bound_only, time_wait, others, to_peer;
	struct port_range range; /* of this kernel, to count only those in to_peer */
	bool range_known;
	long longest_ms; /* the last TIME_WAIT to end */
	const struct endpoint *peer;
	enum tcp_state other_state;
};

/* Two sockets cannot have a port each to itself where their addresses overlap. */
static bool overlap(const struct endpoint *one, const struct endpoint *other)
{
	bool same_family = endpoint_family(one) == endpoint_family(other);

	if (endpoint_same_address(one, other))
		return true;
	/* The IPv6 wildcard may stand for IPv4 too; the IPv4 one never for IPv6. */
	return (endpoint_is_wildcard(one) && (same_family || endpoint_family(one) == AF_INET6)) ||
	       (endpoint_is_wildcard(other) && (same_family || endpoint_family(other) == AF_INET6));
}

/* Whether this kernel gives the number out; every number, where it does not tell its range. */
static bool is_given_out(const struct holders *holders, uint16_t port)
{
	return !holders->range_known ||
	       (port >= holders->range.first && port <= holders->range.last);
}

static int count_holder(const struct socket_entry *entry, void *argument)
{
	struct holders *holders = argument;
	bool here = overlap(&entry->local, holders->wanted);

	if (holders->peer != NULL && endpoint_equal(&entry->peer, holders->peer) &&
	    is_given_out(holders, endpoint_port(&entry->local)))
		holders->to_peer++;
	if (endpoint_port(&entry->local) != endpoint_port(holders->wanted))
		return 0;
	if (entry->state == TCP_STATE_LISTEN || entry->state == TCP_STATE_NONE) {
		*(here ? &holders->listener : &holders->elsewhere) = *entry;
		holders->listeners += here;
		holders->listeners_elsewhere += !here;
	} else if (!here) {
		return 0;
	} else if (entry->state == TCP_STATE_TIME_WAIT) {
		holders->time_wait++;
		if (entry->expires_ms > holders->longest_ms)
			holders->longest_ms = entry->expires_ms;
	} else if (entry->bound_only) {
		holders->bound = *entry;
		holders->bound_only++;
	} else {
		holders->other_state = entry->state;
		holders->others++;
	}
	return 0;
}

/*
 * Who has the port of `wanted`, and how many connections go to `peer` (may be NULL).
 * Returns 0, or -1 where the table cannot be read.
 */
static int find_holders(const struct endpoint *wanted, const struct endpoint *peer,
                        enum transport transport, struct holders *holders)
{
	memset(holders, 0, sizeof *holders);
	holders->wanted = wanted;
	holders->peer = peer;
	holders->range_known = machine_ephemeral_range(&holders->range) == 0;
	return socket_table_each(transport, count_holder, holders);
}

/* "server, pid 4711 (user student)", as much of it as this account may see. */
static void add_owner(struct explanation *explanation, const struct socket_entry *entry)
{
	struct socket_owners *owners = socket_owners_read();
	const struct socket_process *process = socket_owners_find(owners, entry->inode);
	char user[48], safe[48];

	user_name(entry->uid, user);
	/* To the root of a private network everybody in it looks like root. */
	if (process != NULL && entry->uid == 0 && machine_in_lab_network())
		ADD_WHY(explanation, "%s, pid %ld",
		        text_escape(process->name, strlen(process->name), safe, sizeof safe),
		        process->pid);
	else if (process != NULL)
		ADD_WHY(explanation, "%s, pid %ld (%s)",
		        text_escape(process->name, strlen(process->name), safe, sizeof safe),
		        process->pid, user);
	else if (entry->uid != (uint32_t)geteuid())
		ADD_WHY(explanation, "a process of %s, which the system does not let uid %lu see", user,
		        (unsigned long)geteuid());
	else
		ADD_WHY(explanation, "a process of %s that is not visible from here", user);
	socket_owners_free(owners);
}

/* ---- socket ---- */

static void explain_no_family(const struct failure *failure, struct explanation *explanation)
{
	bool six = endpoint_family(&failure->local) == AF_INET6 ||
	           endpoint_family(&failure->peer) == AF_INET6;

	ADD_WHY(explanation, "This system's kernel does not offer %s.", six ? "IPv6" : "IPv4");
	ADD_TRY(explanation, six ? "use IPv4" : "use IPv6", "%s %s ...", narrate_program(),
	        six ? "-4" : "-6");
}

static void explain_descriptors(const struct failure *failure, struct explanation *explanation)
{
	struct rlimit limit;

	(void)failure;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		ADD_WHY(explanation,
		        "Every socket is a descriptor, and this process may have %lu at once. The port "
		        "numbers are not what ran out.",
		        (unsigned long)limit.rlim_cur);
	ADD_TRY(explanation, "shows the limits: soft, and hard", "ulimit -n; ulimit -Hn");
}

/* ---- bind ---- */

/* A port that needs no privilege here, and is easily remembered. */
static uint16_t open_port_like(uint16_t port)
{
	long start = machine_unprivileged_start();
	long other = port < 1024 ? 8000 + port : port < 65535 ? port + 1 : 1024;

	return (uint16_t)(other < start && start <= UINT16_MAX ? start : other);
}

/*
 * How to name the program in a command for root: as it was called, or, where the shell
 * found it by PATH, through the shell again.
 */
static const char *path_for_root(const struct failure *failure, char path[160])
{
	const char *called = failure->program_path != NULL ? failure->program_path : "bin/server";
	char safe[160];

	text_make_safe(called, strlen(called), safe, sizeof safe);
	if (strchr(called, '/') != NULL && strlen(called) < sizeof safe - 12)
		snprintf(path, 160, "%s", safe);
	else
		snprintf(path, 160, "$(command -v %.40s)", safe);
	return path;
}

static void add_four_ways(const struct failure *failure, struct explanation *explanation)
{
	uint16_t port = endpoint_port(&failure->local);
	uint16_t other = open_port_like(port);
	char what[80], path[160];

	const char *udp = failure->transport == TRANSPORT_UDP ? "-u " : "";

	snprintf(what, sizeof what, "%s: any user may", port_class_of(other)->title);
	ADD_TRY(explanation, what, "%s %s%u", narrate_program(), udp, other);
	if (machine_in_lab_network()) { /* where nobody is real root */
		ADD_TRY(explanation, "in another window: its root may", "lab shell --admin");
		ADD_TRY(explanation, "how real services get such a port", "lab show 4");
		return;
	}
	path_for_root(failure, path);
	ADD_TRY(explanation, "root binds it, then becomes you", "sudo %s %s--user \"$USER\" %u",
	        path, udp, port);
	ADD_TRY(explanation, "gives this one program the capability",
	        "sudo setcap cap_net_bind_service=ep %s", path);
	ADD_TRY(explanation, "lowers the limit for all users",
	        "sudo sysctl net.ipv4.ip_unprivileged_port_start=%u", port);
}

/* A client that asked for such a source port: it needs none. */
static void add_client_ways(struct explanation *explanation)
{
	ADD_TRY(explanation, "the kernel chooses a source port, never one of these",
	        "%s without -p", narrate_program());
}

static void add_limit(struct explanation *explanation)
{
	long start = machine_unprivileged_start();
	unsigned long uid = (unsigned long)geteuid();

	if (start == -1) {
		ADD_WHY(explanation,
		        "On most systems a port below 1024 needs root, and uid %lu is not. "
		        "(macOS allows it on the wildcard address only: -b any.)",
		        uid);
		return;
	}
	ADD_WHY(explanation,
	        "On this machine ports below %ld need the capability CAP_NET_BIND_SERVICE "
	        "(net.ipv4.ip_unprivileged_port_start = %ld), and ",
	        start, start);
	if (uid == 0)
		ADD_WHY(explanation, "this process lacks it, although its uid is 0: the capability "
		                     "counts, not the name root.");
	else
		ADD_WHY(explanation, "uid %lu does not have it.", uid);
	if (machine_container_sign() != NULL)
		ADD_WHY(explanation,
		        " (Many containers lower that limit to 0. There is a %s here, as in "
		        "containers, but the limit stands.)",
		        machine_container_sign());
}

static void explain_bind_denied(const struct failure *failure, struct explanation *explanation)
{
	uint16_t port = endpoint_port(&failure->local);
	const struct port_class *class = port_class_of(port);
	enum bind_right right = machine_bind_right(port);

	ADD_WHY(explanation, "%u is %s (%u-%u). ", port, class->title, class->first, class->last);
	if (right == BIND_RIGHT_FOREIGN) {
		ADD_WHY(explanation,
		        "This process is privileged in its own user namespace only. The network "
		        "belongs to another one, and there its capabilities do not count.");
	} else if (right == BIND_RIGHT_NONE || right == BIND_RIGHT_UNKNOWN) {
		add_limit(explanation);
	} else {
		ADD_WHY(explanation,
		        "By the kernel's own rule this process may bind it, so something "
		        "else forbids it: a security policy (SELinux, AppArmor, seccomp).");
		return;
	}
	if (failure->peer.length != 0)
		add_client_ways(explanation);
	else
		add_four_ways(failure, explanation);
}

static void add_listener(const struct failure *failure, struct explanation *explanation,
                         const struct holders *holders)
{
	char text[ENDPOINT_TEXT_SIZE];
	bool udp = failure->transport == TRANSPORT_UDP;

	ADD_WHY(explanation, "%s is taken: a socket %s on it, held by ",
	        endpoint_format(&holders->listener.local, text), udp ? "is bound" : "listens");
	add_owner(explanation, &holders->listener);
	ADD_WHY(explanation, ".");
	if (endpoint_is_wildcard(&holders->listener.local))
		ADD_WHY(explanation, " It has the port on every address of this machine.");
	if (failure->reuseport)
		ADD_WHY(explanation,
		        " SO_REUSEPORT shares a port only where all its sockets set it and "
		        "belong to the same user.");
	ADD_TRY(explanation, "shows who has it", "ss -%snp 'sport = :%u'", udp ? "lu" : "lt",
	        endpoint_port(&failure->local));
}

static void add_leftovers(const struct failure *failure, struct explanation *explanation,
                          const struct holders *holders)
{
	if (holders->time_wait > 0) {
		ADD_WHY(
		    explanation,
		    "Nobody listens on it, but %d earlier connection%s of this port "
		    "%s in TIME_WAIT: whoever closes first keeps the pair of endpoints for a while. ",
		    holders->time_wait, holders->time_wait == 1 ? "" : "s",
		    holders->time_wait == 1 ? "is" : "are");
		if (holders->longest_ms > 0)
			ADD_WHY(explanation, "The last one ends in %ld s. ",
			        (holders->longest_ms + 999) / 1000);
		if (failure->reuseaddr)
			ADD_WHY(explanation,
			        "SO_REUSEADDR was set this time, but not by the earlier socket, "
			        "and here both must.");
		else
			ADD_WHY(explanation, "With SO_REUSEADDR, which portlab's server sets by default, a "
			                     "listener may bind nevertheless.");
	} else {
		ADD_WHY(explanation,
		        "Nobody listens on it, but %d connection%s of this port still "
		        "live%s (one is in %s).",
		        holders->others, holders->others == 1 ? "" : "s",
		        holders->others == 1 ? "s" : "", tcp_state_name(holders->other_state));
	}
	ADD_TRY(explanation, "shows them", "ss -tan 'sport = :%u'", endpoint_port(&failure->local));
}

/* Whether the number can be had on 127.0.0.2, asked of somebody who wants 127.0.0.1. */
static bool is_free_on_second_loopback(const struct failure *failure)
{
	struct endpoint first = endpoint_loopback(AF_INET, endpoint_port(&failure->local));
	struct endpoint second = first;
	struct holders holders;

	second.address.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	return endpoint_equal(&failure->local, &first) && machine_has_address(&second) &&
	       find_holders(&second, NULL, failure->transport, &holders) == 0 &&
	       holders.listeners + holders.bound_only == 0;
}

static void explain_in_use(const struct failure *failure, struct explanation *explanation)
{
	struct holders holders = {.wanted = &failure->local};
	uint16_t port = endpoint_port(&failure->local);

	if (port == 0)
		ADD_WHY(explanation, "The kernel was asked to choose a port and has none left.");
	else if (find_holders(&failure->local, NULL, failure->transport, &holders) == -1)
		ADD_WHY(explanation, "Some socket has this port already; this system does not show "
		                     "whose.");
	else if (holders.listeners > 0)
		add_listener(failure, explanation, &holders);
	else if (holders.time_wait + holders.others > 0)
		add_leftovers(failure, explanation, &holders);
	else if (holders.bound_only > 0) {
		ADD_WHY(explanation, "It is bound, though not listening, by ");
		add_owner(explanation, &holders.bound);
		ADD_WHY(explanation, ".");
	} else
		ADD_WHY(explanation, "The kernel's table shows no holder, so it is a socket that is "
		                     "bound and neither listens nor is connected, or one that has "
		                     "just been closed.");
	if (failure->peer.length != 0) {
		ADD_TRY(explanation, "the kernel chooses a free one", "%s without -p",
		        narrate_program());
		return;
	}
	ADD_TRY(explanation, "another port", "%s %u", narrate_program(), open_port_like(port));
	if (holders.listeners > 0 && is_free_on_second_loopback(failure))
		ADD_TRY(explanation, "the same number on another address is free", "%s -b 127.0.0.2 %u",
		        narrate_program(), port);
}

static void add_own_addresses(struct explanation *explanation, int family)
{
	struct endpoint own[8];
	char text[ENDPOINT_TEXT_SIZE];
	int count = machine_addresses(family, own, 8);

	if (count <= 0) {
		ADD_WHY(explanation, "This machine has no %s address at all.",
		        family == AF_INET6 ? "IPv6" : "IPv4");
		return;
	}
	ADD_WHY(explanation, "Its %s addresses are ", family == AF_INET6 ? "IPv6" : "IPv4");
	for (int i = 0; i < count; i++)
		ADD_WHY(explanation, "%s%s", i > 0 ? ", " : "", endpoint_format_address(&own[i], text));
	ADD_WHY(explanation, count == 8 ? ", and perhaps more." : ".");
}

static void explain_not_ours(const struct failure *failure, struct explanation *explanation)
{
	char text[ENDPOINT_TEXT_SIZE];

	ADD_WHY(explanation,
	        "%s is not an address of this machine, and a socket can only be bound "
	        "to one that is. ",
	        endpoint_format_address(&failure->local, text));
	add_own_addresses(explanation, endpoint_family(&failure->local));
	if (failure->peer.length == 0)
		ADD_TRY(explanation, "every address it has", "%s -b any %u", narrate_program(),
		        endpoint_port(&failure->local));
}

static void explain_scope(const struct failure *failure, struct explanation *explanation)
{
	if (endpoint_family(&failure->local) == AF_INET6)
		ADD_WHY(explanation, "A link-local IPv6 address (fe80::...) also needs its interface, "
		                     "as in fe80::1%%eth0.");
}

static void explain_second_listen(const struct failure *failure,
                                  struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation,
	        "Two sockets may be bound to one address where both have SO_REUSEADDR, "
	        "but only one of them may listen.");
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

static void explain_refused(const struct failure *failure, struct explanation *explanation)
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
	if (find_holders(&failure->peer, NULL, failure->transport, &holders) == -1)
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

static void explain_silence(const struct failure *failure, struct explanation *explanation)
{
	struct holders holders;

	ADD_WHY(explanation, "No answer came at all");
	if (failure->waited_ms > 0)
		ADD_WHY(explanation, " within %.3g s", (double)failure->waited_ms / 1000);
	ADD_WHY(explanation, ". A closed port would have refused at once. ");
	if (is_this_machine(&failure->peer) &&
	    find_holders(&failure->peer, NULL, TRANSPORT_TCP, &holders) == 0 &&
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

static void explain_no_route(const struct failure *failure, struct explanation *explanation)
{
	char text[ENDPOINT_TEXT_SIZE];

	ADD_WHY(explanation,
	        "This machine knows no way to %s: ", endpoint_format_address(&failure->peer, text));
	if (failure->error == ENETUNREACH)
		ADD_WHY(explanation, "no route leads to that network. ");
	else
		ADD_WHY(explanation, "the last hop did not find it, or a route or firewall says "
		                     "unreachable. ");
	add_own_addresses(explanation, endpoint_family(&failure->peer));
	ADD_TRY(explanation, "shows the routes, where it is installed", "ip route");
}

static void explain_forbidden(const struct failure *failure, struct explanation *explanation)
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

static void explain_out_of_ports(const struct failure *failure, struct explanation *explanation)
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
	if (find_holders(&failure->local, &failure->peer, failure->transport, &holders) == 0) {
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

/* ---- send and receive ---- */

/* Connected, and yet no answer. */
static void explain_no_answer(const struct failure *failure, struct explanation *explanation)
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
	    find_holders(&failure->peer, NULL, TRANSPORT_UDP, &holders) == 0 &&
	    holders.listeners > 0)
		ADD_WHY(explanation, " A socket on this machine has the port open, so it did not.");
}

static void explain_reset(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation,
	        "The other side cut the connection with a reset (RST): its program "
	        "ended, closed with data unread, or chose to. Nothing more can be sent "
	        "or received.");
}

static void explain_too_big(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "A UDP datagram is sent whole or not at all, and over IPv4 it carries "
	                     "at most 65507 bytes.");
}

/* ---- names ---- */

static void explain_no_change(const struct failure *failure, struct explanation *explanation)
{
	if (geteuid() != 0)
		ADD_WHY(explanation,
		        "Only a privileged process may become another user, and this one "
		        "runs as uid %lu.",
		        (unsigned long)geteuid());
	else
		ADD_WHY(explanation, "This process is root of a user namespace that does not know that "
		                     "user, or lacks the capabilities CAP_SETUID and CAP_SETGID.");
	char name[64];
	text_make_safe(failure->name, strlen(failure->name), name, sizeof name);
	if (failure->program_path != NULL)
		ADD_TRY(explanation, "started by root, it can", "sudo %.60s --user %.40s ...",
		        failure->program_path, name);
}

static void explain_no_user(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "The user database of this machine has no such name.");
	ADD_TRY(explanation, "lists the names", "getent passwd | cut -d: -f1");
	ADD_TRY(explanation, "has no rights at all, and is nearly everywhere", "... --user nobody");
}

static void explain_root_user(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "Uid 0 is the privilege that --user is there to give up.");
	ADD_TRY(explanation, "an ordinary user without any rights", "... --user nobody");
}

static void explain_no_host(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "Before a connection there must be an address, and the resolver of "
	                     "this machine (the hosts file, then DNS) gave none for this name.");
	ADD_TRY(explanation, "asks the same resolver", "getent hosts NAME");
	ADD_TRY(explanation, "this machine itself, always", "127.0.0.1");
}

/* A connection to itself is one end playing both parts: no server is there. */
static void explain_self(const struct failure *failure, struct explanation *explanation)
{
	uint16_t port = endpoint_port(&failure->peer);

	ADD_WHY(explanation,
	        "Nobody listens on port %u, but the source port of this client was %u "
	        "too: its SYN came back to itself, and TCP takes that for two ends that "
	        "open at the same time (RFC 9293, 3.5). No server took part.",
	        port, port);
	ADD_TRY(explanation, "in another terminal: opens it", "server %u", port);
}

/* ---- the table ---- */

static const struct reason {
	const char *call;
	int error;
	void (*explain)(const struct failure *failure, struct explanation *explanation);
} reasons[] = {
    {"socket", EAFNOSUPPORT, explain_no_family},
    {"socket", EMFILE, explain_descriptors},
    {"bind", EACCES, explain_bind_denied},
    {"bind", EADDRINUSE, explain_in_use},
    {"bind", EADDRNOTAVAIL, explain_not_ours},
    {"bind", EAFNOSUPPORT, explain_no_family},
    {"bind", EINVAL, explain_scope},
    {"listen", EADDRINUSE, explain_second_listen},
    {"connect", ECONNREFUSED, explain_refused},
    {"connect", ETIMEDOUT, explain_silence},
    {"connect", ENETUNREACH, explain_no_route},
    {"connect", EHOSTUNREACH, explain_no_route},
    {"connect", EINVAL, explain_no_route},
    {"connect", EADDRNOTAVAIL, explain_out_of_ports},
    {"connect", EAGAIN, explain_out_of_ports},
    {"connect", EACCES, explain_forbidden},
    {"connect", EPERM, explain_forbidden},
    {"connect", ECONNRESET, explain_reset},
    {"receive", ECONNREFUSED, explain_refused},
    {"receive", ECONNRESET, explain_reset},
    {"receive", ETIMEDOUT, explain_no_answer},
    {"send", ECONNREFUSED, explain_refused},
    {"send", ECONNRESET, explain_reset},
    {"send", EPIPE, explain_reset},
    {"send", EMSGSIZE, explain_too_big},
    {"connect", 0, explain_self},
    {"getaddrinfo", 0, explain_no_host},
    {"getpwnam", 0, explain_no_user},
    {"getpwnam", EINVAL, explain_root_user},
    {"setgroups", EPERM, explain_no_change},
    {"setgid", EPERM, explain_no_change},
    {"setgid", EINVAL, explain_no_change},
    {"setuid", EPERM, explain_no_change},
    {"setuid", EINVAL, explain_no_change},
};

/* What could not be done, in words: the table above explains why. */
static void write_headline(const struct failure *failure, char *headline, size_t size)
{
	static const struct {
		const char *call, *words;
		bool peer; /* it is about the other end */
	} phrases[] = {
	    {"bind", "bind", false},         {"listen", "listen on", false},
	    {"connect", "connect to", true}, {"receive", "receive from", true},
	    {"send", "send to", true},       {"shutdown", "close the connection to", true},
	};
	char text[ENDPOINT_TEXT_SIZE], name[24];

	text_add(headline, size, "cannot ");
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
		if (strcmp(failure->call, phrases[i].call) == 0) {
			text_add(headline, size, "%s %s: %s (%s)", phrases[i].words,
			         endpoint_format(phrases[i].peer ? &failure->peer : &failure->local, text),
			         strerror(failure->error), errno_name(failure->error, name));
			return;
		}
	text_add(headline, size, "%s: %s (%s)", failure->call, strerror(failure->error),
	         errno_name(failure->error, name));
}

/* The same for what is not about an endpoint. */
static void write_name_headline(const struct failure *failure, char *headline, size_t size)
{
	char quoted[100], text[ENDPOINT_TEXT_SIZE], name[24];

	if (failure->name != NULL)
		text_escape(failure->name, strlen(failure->name), quoted, sizeof quoted);
	if (strcmp(failure->call, "getaddrinfo") == 0)
		text_add(headline, size, "cannot find host '%s': %s", quoted, failure->reason);
	else if (strcmp(failure->call, "getpwnam") == 0)
		text_add(headline, size,
		         failure->error == 0 ? "cannot find user '%s'"
		                             : "cannot drop privilege to '%s': that is root",
		         quoted);
	else if (failure->name != NULL)
		text_add(headline, size, "cannot become user '%s': %s: %s (%s)", quoted, failure->call,
		         strerror(failure->error), errno_name(failure->error, name));
	else
		text_add(headline, size, "connected to itself: %s is both ends",
		         endpoint_format(&failure->local, text));
}

void explain(const struct failure *failure, struct explanation *explanation)
{
	memset(explanation, 0, sizeof *explanation);
	if (failure->name != NULL || failure->error == 0)
		write_name_headline(failure, explanation->headline, sizeof explanation->headline);
	else
		write_headline(failure, explanation->headline, sizeof explanation->headline);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].error == failure->error && strcmp(reasons[i].call, failure->call) == 0) {
			reasons[i].explain(failure, explanation);
			return;
		}
}

/* ---- printing ---- */

/* Prints text broken into lines of at most 78 columns, the first after `label`. */
static void print_wrapped(const char *label, const char *text)
{
	enum { INDENT = 7, WIDTH = 78 }; /* the lab shows them in a lane, two columns narrower */
	int column = INDENT;

	(void)fprintf(stderr, "%-*s", INDENT, label);
	while (*text != '\0') {
		int word = (int)strcspn(text, " ");
		if (column > INDENT && column + 1 + word > WIDTH) {
			(void)fprintf(stderr, "\n%*s", INDENT, "");
			column = INDENT;
		}
		column += fprintf(stderr, "%s%.*s", column > INDENT ? " " : "", word, text);
		text += word;
		text += strspn(text, " ");
	}
	(void)fprintf(stderr, "\n");
}

static void print_tries(const struct explanation *explanation)
{
	int width = 0;

	for (int i = 0; i < explanation->try_count; i++) {
		int length = (int)strlen(explanation->tries[i].command);
		width = length > width && length <= 36 ? length : width;
	}
	for (int i = 0; i < explanation->try_count; i++) {
		const struct try *try = &explanation->tries[i];
		(void)fprintf(stderr, "%-7s%-*s", i == 0 ? "  try" : "", width, try->command);
		if ((int)strlen(try->command) > width)
			(void)fprintf(stderr, "\n%*s", 7 + width, "");
		(void)fprintf(stderr, "  %s\n", try->what);
	}
}

static void report_json(const struct failure *failure, const struct explanation *explanation)
{
	char tries[EXPLANATION_TRIES * sizeof(struct try)] = "", name[24];

	for (int i = 0; i < explanation->try_count; i++)
		text_add(tries, sizeof tries, "%s%s: %s", i > 0 ? "; " : "",
		         explanation->tries[i].command, explanation->tries[i].what);
	narrate(&(struct event){
	    .name = "error",
	    .id = failure->id,
	    .local = &failure->local,
	    .peer = &failure->peer,
	    .always = true,
	    .facts =
	        FACTS({"call", failure->call, 0},
	              {"errno", failure->error != 0 ? errno_name(failure->error, name) : "", 0},
	              {"why", explanation->why, 0}, {"try", tries, 0}),
	});
}

void explain_report(const struct failure *failure)
{
	struct explanation explanation;
	const char *red = narrate_colors_stderr() ? "\033[31m" : "";

	explain(failure, &explanation);
	(void)narrate_finish(); /* what led to this comes first */
	(void)fprintf(stderr, "%s: %s%s%s\n", narrate_program(), red, explanation.headline,
	              red[0] != '\0' ? "\033[0m" : "");
	if (narrate_is_json()) {
		report_json(failure, &explanation);
		return;
	}
	if (explanation.why[0] != '\0')
		print_wrapped("  why", explanation.why);
	print_tries(&explanation);
}
