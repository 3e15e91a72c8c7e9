/*
 * wire.c - lab wire: the segments of connections at a port, each named and explained, as they
 * pass.
 */
#include "instruments/print.h"
#include "kit/explain.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "subcommand.h"
#include "wire/capture.h"
#include "wire/conversation.h"
#include "wire/pcap.h"
#include "wire/show.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab wire [options] PORT [-- COMMAND ...]\n"
    "The segments of TCP connections at PORT, as they pass on this network: ports, flags,\n"
    "sequence and acknowledgement numbers, window, checksum, and what each says in words.\n"
    "With COMMAND until that has ended and its connections too, else until Ctrl-C. It needs\n"
    "the power to see packets: use it in lab shell --admin.\n"
    "\n"
    "  --diagram      arrows between the two sides, with their states by the rules\n"
    "  --header[=N]   only segment N (default 1), its header field by field\n"
    "  --checksum[=N] only segment N, its checksum step by step\n"
    "  --count N      end after N segments\n"
    "  --pcap FILE    also into a new file for tcpdump and Wireshark\n"
    "  --json         one JSON object on a line for each segment\n"
    "  --color WHEN   auto, always or never\n"
    "\n"
    "  lab wire 3306 -- client 3306      with server 3306 in another window\n";

enum form { FORM_LINES, FORM_DIAGRAM, FORM_HEADER, FORM_CHECKSUM };

struct wire {
	uint16_t port;
	enum form form;
	long only;  /* the number of the one segment that is wanted */
	long limit; /* end after so many; 0: none */
	const char *pcap_path;
	char **command; /* or NULL */

	int fd;
	FILE *pcap;
	struct captured captured;
	struct conversations conversations;
	struct timespec first;
	long count;
	bool failed;
};

static volatile sig_atomic_t stopped, child_ended;

static void on_signal(int number)
{
	if (number == SIGCHLD)
		child_ended = 1;
	else
		stopped = 1;
}

/* ---- segments ---- */

static double seconds_since(const struct timespec *first, const struct timespec *now)
{
	return (double)(now->tv_sec - first->tv_sec) +
	       (double)(now->tv_nsec - first->tv_nsec) / 1e9;
}

static void show(struct wire *wire, const struct segment *segment, const struct told *told)
{
	double seconds = seconds_since(&wire->first, &wire->captured.time);

	if (narrate_is_json())
		show_json(seconds, segment, told);
	else if (wire->form == FORM_LINES)
		show_lines(seconds, segment, told);
	else if (wire->form == FORM_DIAGRAM)
		show_arrow(segment, told);
	else if (wire->count == wire->only && wire->form == FORM_HEADER)
		show_header(segment);
	else if (wire->count == wire->only)
		show_checksum(segment);
}

static bool is_enough(const struct wire *wire)
{
	return stopped || narrate_failed() || wire->failed ||
	       (wire->limit > 0 && wire->count >= wire->limit) ||
	       (wire->form >= FORM_HEADER && wire->count >= wire->only);
}

static void take_packet(struct wire *wire)
{
	struct segment segment;
	struct told told;

	if (segment_decode(wire->captured.packet, wire->captured.length, &segment) == -1 ||
	    (endpoint_port(&segment.source) != wire->port &&
	     endpoint_port(&segment.destination) != wire->port))
		return;
	if (wire->count++ == 0)
		wire->first = wire->captured.time;
	if (wire->pcap != NULL && pcap_add(wire->pcap, &wire->captured) == -1) {
		complain("cannot write %s: %s", wire->pcap_path, strerror(errno));
		wire->failed = true;
	}
	conversations_take(&wire->conversations, &segment, &told);
	show(wire, &segment, &told);
}

/* ---- the command ---- */

enum { NOT_RUN = 127 }; /* as shells say it */

/* Its own words would stand between the segments. */
static pid_t start_command(struct wire *wire)
{
	pid_t pid;

	(void)fflush(NULL); /* what is buffered must not be written twice */
	pid = fork();
	if (pid != 0)
		return pid;
	int nowhere = open("/dev/null", O_RDWR);
	if (nowhere == -1 || dup2(nowhere, STDIN_FILENO) == -1 ||
	    dup2(nowhere, STDOUT_FILENO) == -1) {
		complain("cannot run %s: /dev/null: %s", wire->command[0], strerror(errno));
		_exit(126);
	}
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL); /* ignored here; what is ignored stays so in a command */
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)execvp(wire->command[0], wire->command);
	complain("cannot run %s: %s", wire->command[0], strerror(errno));
	_exit(NOT_RUN);
}

enum { AFTERWARDS_MS = 1000 };

/* It may end by itself, but not take long. Returns its status as wait() gives it. */
static int end_command(pid_t pid)
{
	int64_t deadline = clock_ms() + AFTERWARDS_MS;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_ms() >= deadline) {
			(void)kill(pid, SIGTERM);
			(void)waitpid(pid, &status, 0);
			break;
		}
		(void)poll(NULL, 0, 10);
	}
	return status;
}

/*
 * Until it is enough. With a command: until it has ended, and then until its connections have,
 * or nothing more has come for a second.
 */
static void watch(struct wire *wire, pid_t pid)
{
	int64_t deadline = WAITING_FOREVER;

	while (!is_enough(wire)) {
		int got = capture_next(wire->fd, &wire->captured);
		if (got == 1) {
			take_packet(wire);
			deadline = deadline == WAITING_FOREVER ? deadline : clock_ms() + AFTERWARDS_MS;
			continue;
		}
		if (got == -1) {
			complain("cannot read packets: %s", strerror(errno));
			wire->failed = true;
			return;
		}
		if (pid > 0 && deadline == WAITING_FOREVER && child_ended)
			deadline = clock_ms() + AFTERWARDS_MS;
		if (deadline != WAITING_FOREVER &&
		    (clock_ms() >= deadline || conversations_are_over(&wire->conversations)))
			return;
		struct pollfd wanted = {.fd = wire->fd, .events = POLLIN};
		(void)poll(&wanted, 1, 50); /* a signal may come between the look and the wait */
	}
}

/* ---- the subcommand ---- */

static int refuse(void)
{
	int error = errno;

	char name[24];

	complain("cannot see packets: %s (%s)", strerror(error), errno_name(error, name));
	if (error == ENOTSUP) {
		fprintf(stderr, "  why  this build knows no way; Linux has packet sockets\n");
		return EXIT_SKIPPED;
	}
	fprintf(stderr,
	        "  why  packets belong to everybody on this machine: to see them needs the\n"
	        "       capability CAP_NET_RAW over this network\n"
	        "  try  lab shell --admin   a private network, whose root may\n");
	return EXIT_FAILURE;
}

static void announce(const struct wire *wire)
{
	char safe[200];

	if (narrate_is_json())
		return;
	if (wire->command != NULL)
		print("watching TCP port %u while %s runs\n", wire->port,
		      text_make_safe(wire->command[0], strlen(wire->command[0]), safe, sizeof safe));
	else
		print("watching TCP port %u; Ctrl-C stops\n", wire->port);
	if (wire->form == FORM_DIAGRAM)
		show_arrow_heading();
	(void)fflush(stdout);
}

static int finish(struct wire *wire, pid_t pid)
{
	unsigned missed = capture_missed(wire->fd);
	int status = 0;

	(void)close(wire->fd);
	if (wire->pcap != NULL && fclose(wire->pcap) != 0)
		wire->failed = true;
	if (pid > 0)
		status = end_command(pid);
	if (!narrate_is_json())
		print("%ld segment%s of %lu connection%s%s\n", wire->count, wire->count == 1 ? "" : "s",
		      (unsigned long)wire->conversations.count,
		      wire->conversations.count == 1 ? "" : "s",
		      wire->form >= FORM_HEADER ? "; one shown" : "");
	if (missed > 0)
		complain("%u packets came too fast to be seen", missed);
	if (wire->form >= FORM_HEADER && wire->count < wire->only) {
		complain("there was no segment %ld", wire->only);
		return EXIT_FAILURE;
	}
	bool not_run = WIFEXITED(status) && WEXITSTATUS(status) == NOT_RUN;
	return wire->failed || not_run ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_wire(struct wire *wire)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pid_t pid = 0;

	wire->fd = capture_open();
	if (wire->fd == -1)
		return refuse();
	if (wire->pcap_path != NULL && (wire->pcap = pcap_open(wire->pcap_path)) == NULL) {
		complain("cannot make %s: %s", wire->pcap_path, strerror(errno));
		(void)close(wire->fd);
		return EXIT_FAILURE;
	}
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGCHLD, &action, NULL);
	announce(wire);
	if (wire->command != NULL && (pid = start_command(wire)) == -1) {
		complain("cannot run %s: %s", wire->command[0], strerror(errno));
		wire->failed = true;
	}
	watch(wire, pid);
	return finish(wire, pid);
}

static bool take_form(struct wire *wire, enum form form, const char *option, const char *number)
{
	wire->form = form;
	wire->only = 1;
	return number == NULL || options_number(option, number, 1, 1000000, &wire->only);
}

/* Returns -1, or the status with which to end. */
static int parse_options(int argc, char **argv, struct wire *wire)
{
	enum {
		OPTION_DIAGRAM = 256,
		OPTION_HEADER,
		OPTION_CHECKSUM,
		OPTION_COUNT,
		OPTION_PCAP,
		OPTION_JSON,
		OPTION_COLOR
	};
	static const struct option long_options[] = {
	    {"checksum", optional_argument, NULL, OPTION_CHECKSUM},
	    {"color", required_argument, NULL, OPTION_COLOR},
	    {"count", required_argument, NULL, OPTION_COUNT},
	    {"diagram", no_argument, NULL, OPTION_DIAGRAM},
	    {"header", optional_argument, NULL, OPTION_HEADER},
	    {"help", no_argument, NULL, 'h'},
	    {"json", no_argument, NULL, OPTION_JSON},
	    {"pcap", required_argument, NULL, OPTION_PCAP},
	    {NULL, 0, NULL, 0},
	};
	struct narrate_options narration = {.form = NARRATE_TEXT};
	int option;
	bool fine = true;

	while (fine && (option = options_next(argc, argv, "+h", long_options)) != -1) {
		switch (option) {
		case 'h':
			return options_help(help_text);
		case OPTION_DIAGRAM:
			wire->form = FORM_DIAGRAM;
			break;
		case OPTION_HEADER:
			fine = take_form(wire, FORM_HEADER, "--header", optarg);
			break;
		case OPTION_CHECKSUM:
			fine = take_form(wire, FORM_CHECKSUM, "--checksum", optarg);
			break;
		case OPTION_COUNT:
			fine = options_number("--count", optarg, 1, 1000000, &wire->limit);
			break;
		case OPTION_PCAP:
			wire->pcap_path = optarg;
			break;
		case OPTION_JSON:
			narration.form = NARRATE_JSON;
			break;
		case OPTION_COLOR:
			fine = options_color(optarg, &narration.color);
			break;
		default:
			fine = false;
		}
	}
	narrate_configure(&narration);
	return fine ? -1 : EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	static struct wire wire;
	int status = parse_options(argc, argv, &wire);

	if (status != -1)
		return status;
	if (optind == argc) {
		complain("give the port to watch");
		return EXIT_USAGE;
	}
	if (!options_port("the port", argv[optind], &wire.port))
		return EXIT_USAGE;
	if (wire.port == 0) {
		complain("no segment has port 0; give one from 1 to 65535");
		return EXIT_USAGE;
	}
	char **rest = argv + optind + 1;
	if (*rest != NULL && strcmp(*rest, "--") == 0)
		rest++;
	wire.command = *rest != NULL ? rest : NULL;
	return run_wire(&wire);
}

const struct subcommand subcommand_wire = {
    "wire", "PORT [-- CMD]", "the segments of connections, as they pass", help_text, run};
