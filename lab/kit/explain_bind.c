/*
 * explain_bind.c - why a port cannot be had: socket, bind and listen. Partner:
 * explain_connect.c.
 */
#include "kit/explain_parts.h"

#include "kit/narrate.h"
#include "kit/unix.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- socket ---- */

void explain_no_family(const struct failure *failure, struct explanation *explanation)
{
	bool six = endpoint_family(&failure->local) == AF_INET6 ||
	           endpoint_family(&failure->peer) == AF_INET6;

	ADD_WHY(explanation, "This system's kernel does not offer %s.", six ? "IPv6" : "IPv4");
	ADD_TRY(explanation, six ? "use IPv4" : "use IPv6", "%s %s ...", narrate_program(),
	        six ? "-4" : "-6");
}

void explain_descriptors(const struct failure *failure, struct explanation *explanation)
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

void explain_bind_denied(const struct failure *failure, struct explanation *explanation)
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
	explanation_add_owner(explanation, &holders->listener);
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
	       holders_find(&second, NULL, failure->transport, &holders) == 0 &&
	       holders.listeners + holders.bound_only == 0;
}

void explain_in_use(const struct failure *failure, struct explanation *explanation)
{
	struct holders holders = {.wanted = &failure->local};
	uint16_t port = endpoint_port(&failure->local);

	if (port == 0)
		ADD_WHY(explanation, "The kernel was asked to choose a port and has none left.");
	else if (holders_find(&failure->local, NULL, failure->transport, &holders) == -1)
		ADD_WHY(explanation, "Some socket has this port already; this system does not show "
		                     "whose.");
	else if (holders.listeners > 0)
		add_listener(failure, explanation, &holders);
	else if (holders.time_wait + holders.others > 0)
		add_leftovers(failure, explanation, &holders);
	else if (holders.bound_only > 0) {
		ADD_WHY(explanation, "It is bound, though not listening, by ");
		explanation_add_owner(explanation, &holders.bound);
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

void explain_not_ours(const struct failure *failure, struct explanation *explanation)
{
	char text[ENDPOINT_TEXT_SIZE];

	ADD_WHY(explanation,
	        "%s is not an address of this machine, and a socket can only be bound "
	        "to one that is. ",
	        endpoint_format_address(&failure->local, text));
	explanation_add_own_addresses(explanation, endpoint_family(&failure->local));
	if (failure->peer.length == 0)
		ADD_TRY(explanation, "every address it has", "%s -b any %u", narrate_program(),
		        endpoint_port(&failure->local));
}

void explain_scope(const struct failure *failure, struct explanation *explanation)
{
	if (endpoint_family(&failure->local) == AF_INET6)
		ADD_WHY(explanation, "A link-local IPv6 address (fe80::...) also needs its interface, "
		                     "as in fe80::1%%eth0.");
}

void explain_second_listen(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation,
	        "Two sockets may be bound to one address where both have SO_REUSEADDR, "
	        "but only one of them may listen.");
}
