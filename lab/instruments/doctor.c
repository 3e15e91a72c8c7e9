/*
 * doctor.c - lab doctor: what this machine will show, what it will not, and what to do
 * about it. Whatever can be tried is tried, not looked up.
 */
#include "instruments/print.h"
#include "instruments/sandbox.h"
#include "kit/explain.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/socket_table.h"
#include "kit/text.h"
#include "kit/unix.h"
#include "subcommand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab doctor [options]\n"
    "What this machine will let you see: each point fine, limited or missing, what it\n"
    "means for the lessons, and what to do. Exit status 0 if the core lessons work.\n"
    "\n"
    "  --json          one JSON object on a line for each point\n"
    "  --color WHEN    auto, always or never\n";

enum verdict { FINE, LIMITED, MISSING };

struct point {
	const char *name;
	enum verdict verdict;
	char found[200];
	const char *means;  /* for the lessons; NULL where all is fine */
	const char *advice; /* or NULL */
};

static void tell(const struct point *point)
{
	static const char *const words[] = {"fine", "limited", "missing"};

	if (narrate_is_json()) {
		narrate(&(struct event){
		    .name = "check",
		    .facts = FACTS({"name", point->name, 0}, {"verdict", words[point->verdict], 0},
		                   {"found", point->found, 0},
		                   {"means", point->means != NULL ? point->means : "", 0},
		                   {"try", point->advice != NULL ? point->advice : "", 0}),
		});
		return;
	}
	print("%-8s %-13s %s\n", words[point->verdict], point->name, point->found);
	if (point->verdict != FINE && point->means != NULL)
		print("%22s so: %s\n", "", point->means);
	if (point->verdict != FINE && point->advice != NULL)
		print("%22s do: %s\n", "", point->advice);
}

/* ---- the system and the account ---- */

static void check_system(void)
{
	struct point point = {.name = "system"};
	char line[256] = "";
	FILE *file = fopen("/proc/version", "r");

	machine_system(point.found, sizeof point.found);
	if (file != NULL) {
		if (fgets(line, sizeof line, file) == NULL)
			line[0] = '\0';
		(void)fclose(file);
	}
	if (strstr(line, "icrosoft") != NULL) {
		point.verdict = LIMITED;
		text_add(point.found, sizeof point.found, ", inside Windows (WSL)");
		point.means = "in mirrored mode a closed port may be silent instead of refused";
		point.advice = "clients have a time limit (-t), so wait for it";
	}
	if (machine_container_sign() != NULL)
		text_add(point.found, sizeof point.found, "; there is a %s", machine_container_sign());
	tell(&point);
}

static void check_account(void)
{
	struct point point = {.name = "account"};
	enum bind_right right = machine_bind_right(1);

	snprintf(point.found, sizeof point.found, "uid %lu, %s CAP_NET_BIND_SERVICE",
	         (unsigned long)geteuid(),
	         right == BIND_RIGHT_ROOT || right == BIND_RIGHT_SANDBOX ||
	                 right == BIND_RIGHT_CAPABILITY
	             ? "with"
	             : "without");
	if (right == BIND_RIGHT_ROOT) {
		point.verdict = LIMITED;
		point.means = "root may bind every port: the refused bind is not to be seen";
		point.advice = "work as an ordinary user";
	}
	tell(&point);
}

static void check_limit(void)
{
	struct point point = {.name = "system ports"};
	long start = machine_unprivileged_start();

	if (start == -1) {
		point.verdict = LIMITED;
		snprintf(point.found, sizeof point.found, "this system does not tell its limit");
		point.means = "whether 80 may be bound is seen by trying";
	} else {
		snprintf(point.found, sizeof point.found, "below %ld privilege is needed", start);
	}
	if (start != -1 && start != 1024) {
		point.verdict = LIMITED;
		point.means = "most systems have 1024 here: some ports are allowed that are not there";
		point.advice =
		    "sysctl net.ipv4.ip_unprivileged_port_start=1024, in a sandbox of your own";
	}
	tell(&point);
}

static void check_range(void)
{
	struct point point = {.name = "ephemeral"};
	struct port_range range;

	if (machine_ephemeral_range(&range) == 0) {
		snprintf(point.found, sizeof point.found, "%u-%u is given to clients", range.first,
		         range.last);
	} else {
		point.verdict = LIMITED;
		snprintf(point.found, sizeof point.found, "this system does not show its range");
		point.means = "client -n 1000 --plot shows it all the same";
	}
	tell(&point);
}

/* ---- the network ---- */

/* Makes a connection over the address, both ends. Returns 0, or an errno. */
static int try_connection(const struct endpoint *address, enum tcp_state *state)
{
	struct endpoint name = *address;
	int listener = socket(endpoint_family(address), SOCK_STREAM, 0);
	int client = socket(endpoint_family(address), SOCK_STREAM, 0);
	int error = 0;

	*state = TCP_STATE_UNSEEN;
	if (listener == -1 || client == -1 ||
	    bind(listener, &address->address.any, address->length) == -1 ||
	    listen(listener, 1) == -1 || endpoint_of_socket(listener, &name) == -1 ||
	    connect(client, &name.address.any, name.length) == -1)
		error = errno;
	else
		*state = tcp_state_of_fd(client);
	if (listener != -1)
		(void)close(listener);
	if (client != -1)
		(void)close(client);
	return error;
}

/* Returns whether a connection over loopback works: without it no lesson does. */
static bool check_loopback(void)
{
	static const char addresses[][16] = {"127.0.0.1", "::1", "127.0.0.2"};
	struct point point = {.name = "loopback"};
	int works[3];
	enum tcp_state state = TCP_STATE_UNSEEN;

	for (int i = 0; i < 3; i++) {
		struct endpoint address;
		const char *reason;
		enum tcp_state seen = TCP_STATE_UNSEEN;
		if (endpoint_resolve(addresses[i], 0, AF_UNSPEC, TRANSPORT_TCP, &address, 1, &reason) !=
		    1)
			works[i] = 0;
		else
			works[i] = try_connection(&address, &seen) == 0;
		if (i == 0 && works[i])
			state = seen;
		text_add(point.found, sizeof point.found, "%s%s %s", i > 0 ? ", " : "", addresses[i],
		         works[i] ? "works" : "does not");
	}
	point.verdict = !works[0] ? MISSING : works[1] && works[2] ? FINE : LIMITED;
	point.means = !works[0] ? "no lesson works" : "examples with the others cannot be tried";
	point.advice = !works[0] ? "bring the interface lo up" : NULL;
	tell(&point);

	point = (struct point){.name = "TCP states"};
	snprintf(point.found, sizeof point.found, "%s",
	         state == TCP_STATE_ESTABLISHED ? "the kernel tells a socket's state"
	                                        : "not visible on this system");
	if (state != TCP_STATE_ESTABLISHED) {
		point.verdict = LIMITED;
		point.means = "the programs say \"not visible\" where a state would stand";
	}
	tell(&point);
	return works[0] != 0;
}

static void check_addresses(void)
{
	struct point point = {.name = "addresses"};
	static const int families[] = {AF_INET, AF_INET6};
	struct endpoint own[8];
	char text[ENDPOINT_TEXT_SIZE];

	for (int family = 0; family < 2; family++) {
		int count = machine_addresses(families[family], own, 8);
		for (int i = 0; i < count; i++)
			text_add(point.found, sizeof point.found, "%s%s",
			         point.found[0] != '\0' ? ", " : "",
			         endpoint_format_address(&own[i], text));
	}
	tell(&point);
}

static int count_one(const struct socket_entry *entry, void *argument)
{
	(void)entry;
	++*(size_t *)argument;
	return 0;
}

static void check_table(void)
{
	struct point point = {.name = "socket table"};
	size_t count = 0;

	if (socket_table_each(TRANSPORT_TCP, count_one, &count) == 0) {
		snprintf(point.found, sizeof point.found, "readable: %zu TCP sockets now", count);
	} else {
		point.verdict = MISSING;
		snprintf(point.found, sizeof point.found, "not readable: %s", strerror(errno));
		point.means = "lab sockets and lab watch show nothing; TIME_WAIT cannot be seen";
	}
	tell(&point);
}

static void check_sandbox(void)
{
	struct point network = {.name = "sandbox"}, packets = {.name = "packets"};
	struct sandbox_refusal refusal;
	struct sandbox sandbox;
	const char *why;
	char name[24];

	if (sandbox_create(&sandbox, &refusal) == 0) {
		snprintf(network.found, sizeof network.found,
		         "this account may have a private network (tried)");
	} else {
		network.verdict = MISSING;
		snprintf(network.found, sizeof network.found, "no private network: %s: %s",
		         refusal.call, errno_name(refusal.error, name));
		network.means = "what needs all ports free, or power over them, is skipped";
		sandbox_reason(&refusal, &why, &network.advice);
	}
	tell(&network);
	if (sandbox.net_fd != -1 &&
	    sandbox_call(&sandbox, SANDBOX_ADMIN, sandbox_watches_packets, NULL, &refusal) == 0) {
		snprintf(packets.found, sizeof packets.found, "can be watched in the sandbox (tried)");
	} else {
		packets.verdict = MISSING;
		snprintf(packets.found, sizeof packets.found, "cannot be watched");
		packets.means = "segments on the wire cannot be shown";
	}
	tell(&packets);
	sandbox_close(&sandbox);
}

/* ---- limits, terminal, tools ---- */

static void check_descriptors(void)
{
	struct point point = {.name = "descriptors"};
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	snprintf(point.found, sizeof point.found, "%llu at once, at most %llu",
	         (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
	if (limit.rlim_max < 1024) {
		point.verdict = LIMITED;
		point.means = "each connection takes one: a thousand at once are too many";
		point.advice = "ulimit -Hn, by the administrator";
	}
	tell(&point);
}

static void check_terminal(void)
{
	struct point point = {.name = "terminal"};
	struct terminal_size size = {0, 0};
	const char *kind = getenv("TERM");
	char safe[64] = "TERM is not set";

	if (kind != NULL)
		(void)text_make_safe(kind, strlen(kind), safe, sizeof safe);
	snprintf(point.found, sizeof point.found, "%s, %s", safe,
	         text_is_utf8() ? "UTF-8" : "ASCII");
	if (terminal_size_of(STDOUT_FILENO, &size) == 0)
		text_add(point.found, sizeof point.found, ", %dx%d", size.columns, size.rows);
	if (size.columns > 0 && (size.columns < 80 || size.rows < 24)) {
		point.verdict = LIMITED;
		point.means = "lines are made for 80 columns, lab watch for 24 rows";
		point.advice = "enlarge the window";
	}
	tell(&point);
}

static void check_tools(void)
{
	static const struct {
		const char *tool, *means, *advice;
	} tools[] = {
	    {"ss", "what professionals use to list sockets is not there to compare",
	     "install iproute2"},
	    {"nc", "a client that is not ours is not there to compare", "install netcat-openbsd"},
	    {"nft", "a firewall is shown by other means", "install nftables"},
	    {"bats", "make test gets it by itself", "install bats"},
	};

	for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
		struct point point = {.name = tools[i].tool};
		bool there = machine_has_program(tools[i].tool);
		point.verdict = there ? FINE : MISSING;
		snprintf(point.found, sizeof point.found, "%s", there ? "installed" : "not installed");
		point.means = tools[i].means;
		point.advice = tools[i].advice;
		tell(&point);
	}
}

static int run(int argc, char **argv)
{
	enum { OPTION_JSON = 256, OPTION_COLOR };
	static const struct option long_options[] = {
	    {"color", required_argument, NULL, OPTION_COLOR},
	    {"help", no_argument, NULL, 'h'},
	    {"json", no_argument, NULL, OPTION_JSON},
	    {NULL, 0, NULL, 0},
	};
	struct narrate_options narration = {.form = NARRATE_TEXT};
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option == OPTION_JSON)
			narration.form = NARRATE_JSON;
		else if (option != OPTION_COLOR || !options_color(optarg, &narration.color))
			return EXIT_USAGE;
	}
	if (optind < argc) {
		complain("lab doctor takes no argument");
		return EXIT_USAGE;
	}
	narrate_configure(&narration);
	check_system();
	check_account();
	check_limit();
	check_range();
	bool works = check_loopback();
	check_addresses();
	check_table();
	check_sandbox();
	check_descriptors();
	check_terminal();
	check_tools();
	if (!narrate_is_json())
		print("\n%s\n", works ? "The core lessons work on this machine."
		                      : "The core lessons do not work on this machine: see loopback.");
	return works ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct subcommand subcommand_doctor = {
    "doctor", "", "what this machine will let you see, and what not", help_text, run};
