/* sockets.c - lab sockets: the TCP and UDP sockets of this network, whoever has them. */
#include "instruments/print.h"
#include "instruments/socket_list.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "subcommand.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab sockets [options] [FILTER ...]\n"
    "The TCP and UDP sockets of this network, whoever they belong to.\n"
    "\n"
    "filters    tcp, udp           only one of the two\n"
    "           port N, or N       with N at either end (a number or service name)\n"
    "           local-port N       with N at this end\n"
    "           remote-port N      with N at the other\n"
    "           state NAME, NAME   in that state; may be repeated\n"
    "           mine               of this user\n"
    "options    --explain          what the states mean, and what ends each\n"
    "           --process          pid and program even of more than 5000 sockets\n"
    "           --json             one JSON object on a line for each socket\n"
    "           --color WHEN       auto, always or never\n"
    "\n"
    "queue: bytes received and not read / sent and not acknowledged (for UDP with the\n"
    "kernel's own); of a listener: connections to be accepted / backlog.\n"
    "timer: what the kernel does next by itself, and when.\n"
    "\n"
    "  lab sockets port 3306 --explain\n"
    "  lab sockets state time-wait\n";

/* ---- filters ---- */

static bool complain_about(const char *filter, const char *value, const char *reason)
{
	char quoted[80];

	if (value == NULL)
		complain("%s: %s", filter, reason);
	else
		complain("%s '%s': %s", filter,
		         text_escape(value, strlen(value), quoted, sizeof quoted), reason);
	return false;
}

static bool take_port(const char *filter, const char *value, int *port)
{
	char reason[PORT_REASON_SIZE];
	uint16_t number;

	if (value == NULL)
		return complain_about(filter, NULL, "give a port after it");
	if (port_parse(value, TRANSPORT_TCP, &number, reason) == -1 &&
	    port_parse(value, TRANSPORT_UDP, &number, reason) == -1)
		return complain_about(filter, value, reason);
	*port = number;
	return true;
}

static bool take_state(const char *value, unsigned *states)
{
	static const char known[] = "give one of LISTEN, SYN_SENT, SYN_RECV, ESTABLISHED, "
	                            "FIN_WAIT1, FIN_WAIT2, CLOSING, TIME_WAIT, CLOSE_WAIT, "
	                            "LAST_ACK, CLOSED";

	if (value == NULL)
		return complain_about("state", NULL, known);
	enum tcp_state state = tcp_state_find(value);
	if (state == TCP_STATE_COUNT)
		return complain_about("state", value, known);
	*states |= 1U << state;
	return true;
}

/* One filter. *next is at it, and is moved to the last word it took. */
static bool take_filter(struct socket_filter *filter, char **words, int count, int *next)
{
	const char *word = words[*next];
	const char *value = *next + 1 < count ? words[*next + 1] : NULL;
	char quoted[80];

	if (strcmp(word, "tcp") == 0) {
		filter->udp = false;
	} else if (strcmp(word, "udp") == 0) {
		filter->tcp = false;
	} else if (strcmp(word, "mine") == 0) {
		filter->mine = true;
	} else if (strcmp(word, "state") == 0) {
		++*next;
		return take_state(value, &filter->states);
	} else if (strcmp(word, "port") == 0) {
		++*next;
		return take_port(word, value, &filter->port);
	} else if (strcmp(word, "local-port") == 0) {
		++*next;
		return take_port(word, value, &filter->local_port);
	} else if (strcmp(word, "remote-port") == 0) {
		++*next;
		return take_port(word, value, &filter->remote_port);
	} else if (strspn(word, "0123456789") == strlen(word)) {
		return take_port("port", word, &filter->port);
	} else if (tcp_state_find(word) != TCP_STATE_COUNT) {
		return take_state(word, &filter->states);
	} else {
		complain("there is no filter '%s'; give tcp, udp, port N, local-port N, "
		         "remote-port N, state NAME or mine",
		         text_escape(word, strlen(word), quoted, sizeof quoted));
		return false;
	}
	return true;
}

/* ---- what a socket looks like ---- */

/* The other end; a socket that talks to nobody has none. */
static const char *format_peer(const struct socket_entry *entry, char text[ENDPOINT_TEXT_SIZE])
{
	if (endpoint_port(&entry->peer) == 0)
		return strcpy(text, "*");
	return endpoint_format(&entry->peer, text);
}

static const char *state_of(const struct listed *listed)
{
	if (listed->transport == TRANSPORT_UDP)
		return "-";
	return listed->entry.bound_only ? "CLOSED" : tcp_state_name(listed->entry.state);
}

static const char *timer_name(enum socket_timer timer)
{
	static const char *const names[SOCKET_TIMER_COUNT] = {
	    [SOCKET_TIMER_NONE] = "",
	    [SOCKET_TIMER_RETRANSMIT] = "resend",
	    [SOCKET_TIMER_KEEPALIVE] = "keepalive",
	    [SOCKET_TIMER_TIME_WAIT] = "ends",
	    [SOCKET_TIMER_PROBE] = "probe",
	};
	return names[timer];
}

/* "ends 43s", "resend 2s x3": what comes, when, and how often it was tried. */
static void format_timer(const struct socket_entry *entry, char *text, size_t size)
{
	text[0] = '\0';
	if (entry->timer == SOCKET_TIMER_NONE)
		return;
	text_add(text, size, "%s %lds", timer_name(entry->timer), (entry->expires_ms + 999) / 1000);
	if (entry->retransmits > 0)
		text_add(text, size, " x%u", entry->retransmits);
}

/* User names are asked for once each: the database may be slow, and users are few. */
static const char *user_of(uint32_t uid)
{
	static struct {
		uint32_t uid;
		char name[32];
	} known[16];
	static size_t count;

	for (size_t i = 0; i < count; i++)
		if (known[i].uid == uid)
			return known[i].name;
	size_t place = count < 16 ? count++ : 15;
	const struct passwd *user = getpwuid((uid_t)uid);
	known[place].uid = uid;
	if (user != NULL)
		(void)text_make_safe(user->pw_name, strlen(user->pw_name), known[place].name,
		                     sizeof known[place].name);
	else
		snprintf(known[place].name, sizeof known[place].name, "%lu", (unsigned long)uid);
	return known[place].name;
}

static void format_whose(const struct socket_entry *entry, const struct socket_owners *owners,
                         char *text, size_t size)
{
	const struct socket_process *process = socket_owners_find(owners, entry->inode);
	char safe[48];

	text[0] = '\0';
	if (entry->inode == 0) /* TIME_WAIT, or closed by its program: the kernel's alone */
		text_add(text, size, "kernel");
	else if (process != NULL)
		text_add(text, size, "%s/%ld %s",
		         text_escape(process->name, strlen(process->name), safe, sizeof safe),
		         process->pid, user_of(entry->uid));
	else
		text_add(text, size, "%s", user_of(entry->uid));
}

/* ---- the table ---- */

struct widths {
	int local, peer, queue, timer;
};

static void widen(int *width, const char *text)
{
	int length = (int)strlen(text);

	*width = length > *width ? length : *width;
}

static void format_queue(const struct socket_entry *entry, char text[32])
{
	snprintf(text, 32, "%lu/%lu", (unsigned long)entry->receive_queue,
	         (unsigned long)entry->send_queue);
}

static struct widths measure(const struct socket_list *list)
{
	struct widths widths = {5, 6, 5, 5};
	char text[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; i < list->count; i++) {
		const struct socket_entry *entry = &list->sockets[i].entry;
		widen(&widths.local, endpoint_format(&entry->local, text));
		widen(&widths.peer, format_peer(entry, text));
		format_queue(entry, text);
		widen(&widths.queue, text);
		format_timer(entry, text, sizeof text);
		widen(&widths.timer, text);
	}
	return widths;
}

static void print_table(const struct socket_list *list, const struct socket_owners *owners)
{
	struct widths widths = measure(list);

	print("     %-*s  %-*s  %-11s  %*s  %-*s  whose\n", widths.local, "local", widths.peer,
	      "remote", "state", widths.queue, "queue", widths.timer, "timer");
	for (size_t i = 0; i < list->count && !narrate_failed(); i++) {
		const struct listed *listed = &list->sockets[i];
		char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE], queue[32], timer[32],
		    whose[96];
		format_queue(&listed->entry, queue);
		format_timer(&listed->entry, timer, sizeof timer);
		format_whose(&listed->entry, owners, whose, sizeof whose);
		print("%-3s  %-*s  %-*s  %s%-11s%s  %*s  %-*s  %s\n",
		      transport_protocol(listed->transport), widths.local,
		      endpoint_format(&listed->entry.local, local), widths.peer,
		      format_peer(&listed->entry, peer), narrate_state_color(listed->entry.state),
		      state_of(listed), narrate_color_end(), widths.queue, queue, widths.timer, timer,
		      whose);
	}
}

static void explain_states(const struct socket_list *list)
{
	size_t counts[TCP_STATE_COUNT] = {0};
	size_t datagrams = 0;

	for (size_t i = 0; i < list->count; i++) {
		counts[list->sockets[i].entry.state]++;
		datagrams += list->sockets[i].transport == TRANSPORT_UDP;
	}
	print("\n");
	for (int i = TCP_STATE_ESTABLISHED; i < TCP_STATE_UNSEEN; i++)
		if (counts[i] > 0)
			print("%5zu %-11s  %s\n", counts[i], tcp_state_name((enum tcp_state)i),
			      tcp_state_meaning((enum tcp_state)i));
	if (datagrams > 0)
		print("%5zu %-11s  %s\n", datagrams, "UDP",
		      "no connection, so no state; ends when its program closes it");
}

static void tell_json(const struct socket_list *list, const struct socket_owners *owners)
{
	for (size_t i = 0; i < list->count && !narrate_failed(); i++) {
		const struct socket_entry *entry = &list->sockets[i].entry;
		const struct socket_process *process = socket_owners_find(owners, entry->inode);
		const struct fact facts[] = {
		    {"transport", transport_protocol(list->sockets[i].transport), 0},
		    {"receive_queue", NULL, entry->receive_queue},
		    {"send_queue", NULL, entry->send_queue},
		    {"timer", timer_name(entry->timer), 0},
		    {"expires_ms", NULL, entry->expires_ms},
		    {"retransmits", NULL, entry->retransmits},
		    {"user", entry->inode != 0 ? user_of(entry->uid) : "", 0},
		    {process != NULL ? "pid" : NULL, NULL, process != NULL ? process->pid : 0},
		    {"program", process != NULL ? process->name : "", 0},
		    {NULL, NULL, 0},
		};
		narrate(&(struct event){
		    .name = "socket",
		    .local = &entry->local,
		    .peer = endpoint_port(&entry->peer) != 0 ? &entry->peer : NULL,
		    .state = entry->state,
		    .class = port_class_of(endpoint_port(&entry->local)),
		    .facts = facts,
		});
	}
}

/* ---- the command line ---- */

/* To find who holds which socket, every descriptor of every process must be looked at. */
enum { PROCESSES_UP_TO = 5000 };

struct asked {
	struct socket_filter filter;
	struct narrate_options narration;
	bool explain, processes;
};

static int show(const struct asked *asked)
{
	struct socket_list list = {NULL, 0, 0};

	if (socket_list_read(&list, &asked->filter) == -1) {
		int error = errno;
		complain("cannot read the socket table: %s",
		         error == ENOTSUP ? "this build knows no way to ask this system for it"
		                          : strerror(error));
		socket_list_free(&list);
		return error == ENOTSUP ? EXIT_SKIPPED : EXIT_FAILURE;
	}
	bool processes = asked->processes || list.count <= PROCESSES_UP_TO;
	struct socket_owners *owners = processes ? socket_owners_read() : NULL;
	if (processes && owners == NULL && errno != ENOTSUP)
		complain("cannot see which process has a socket: %s", strerror(errno));
	if (narrate_is_json())
		tell_json(&list, owners);
	else if (list.count == 0)
		print("no such socket now\n");
	else
		print_table(&list, owners);
	if (asked->explain && !narrate_is_json())
		explain_states(&list);
	if (!processes)
		complain("%zu sockets: pid and program left out (--process shows them)", list.count);
	socket_owners_free(owners);
	socket_list_free(&list);
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	enum { OPTION_EXPLAIN = 256, OPTION_JSON, OPTION_COLOR, OPTION_PROCESS };
	static const struct option long_options[] = {
	    {"color", required_argument, NULL, OPTION_COLOR},
	    {"explain", no_argument, NULL, OPTION_EXPLAIN},
	    {"help", no_argument, NULL, 'h'},
	    {"json", no_argument, NULL, OPTION_JSON},
	    {"process", no_argument, NULL, OPTION_PROCESS},
	    {NULL, 0, NULL, 0},
	};
	struct asked asked = {.filter = socket_filter_all()};
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option == OPTION_EXPLAIN)
			asked.explain = true;
		else if (option == OPTION_JSON)
			asked.narration.form = NARRATE_JSON;
		else if (option == OPTION_PROCESS)
			asked.processes = true;
		else if (option != OPTION_COLOR || !options_color(optarg, &asked.narration.color))
			return EXIT_USAGE;
	}
	narrate_configure(&asked.narration);
	narrate_in_blocks(true);
	for (int i = optind; i < argc; i++)
		if (!take_filter(&asked.filter, argv, argc, &i))
			return EXIT_USAGE;
	if (!asked.filter.tcp && !asked.filter.udp)
		asked.filter.tcp = asked.filter.udp = true; /* "tcp udp": both were named */
	if (asked.filter.states != 0)
		asked.filter.udp = false; /* only TCP has states */
	return show(&asked);
}

const struct subcommand subcommand_sockets = {
    "sockets", "[FILTER ...]", "the TCP and UDP sockets, their states and owners", help_text,
    run};
