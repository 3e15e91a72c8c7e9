/* options.c - see options.h. */
#include "options.h"

#include "kit/options.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "usage: server [options] PORT      bind PORT, greet every client, echo its bytes\n"
    "PORT is 0-65535 (0: the kernel chooses) or a service name, such as mysql.\n"
    "\n"
    "where      -b, --bind ADDR     address (default: loopback; any: 0.0.0.0 or [::])\n"
    "           -4, -6              IPv4 only, IPv6 only     -u, --udp   UDP, not TCP\n"
    "many       -m, --model NAME    %s\n"
    "clients    --backlog N         how many may wait to be accepted (default 128)\n"
    "           --max-clients N     serve N at once; the others wait\n"
    "           --idle SECONDS      close a silent connection (default 600; 0: never)\n"
    "sharing    --no-reuseaddr      bind without SO_REUSEADDR\n"
    "a port     --reuseport         with SO_REUSEPORT: several servers, one port\n"
    "privilege  --user NAME         bind first, then become NAME for good\n"
    "closing    --hang-up           greet, then close: the server closes first\n"
    "trouble    --fault KIND        be broken: no-accept, no-read, no-close,\n"
    "                               no-answer or reset\n"
    "output     --json              one JSON object for each event\n"
    "           -q, --quiet         only where it listens, and errors\n"
    "           --color WHEN        auto, always or never\n"
    "           -h, --help          -V, --version       more: man ./server/server.1\n"
    "\n"
    "  server 3306                  then, in another terminal: client 3306\n"
    "  server -m fork --hang-up 0   any free port, a process for each client\n";

enum {
	OPTION_BACKLOG = 256,
	OPTION_COLOR,
	OPTION_FAULT,
	OPTION_HANG_UP,
	OPTION_IDLE,
	OPTION_JSON,
	OPTION_MAX_CLIENTS,
	OPTION_NO_REUSEADDR,
	OPTION_REUSEPORT,
	OPTION_USER,
};

static const struct option long_options[] = {
    {"backlog", required_argument, NULL, OPTION_BACKLOG},
    {"bind", required_argument, NULL, 'b'},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"hang-up", no_argument, NULL, OPTION_HANG_UP},
    {"help", no_argument, NULL, 'h'},
    {"idle", required_argument, NULL, OPTION_IDLE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"max-clients", required_argument, NULL, OPTION_MAX_CLIENTS},
    {"model", required_argument, NULL, 'm'},
    {"no-reuseaddr", no_argument, NULL, OPTION_NO_REUSEADDR},
    {"quiet", no_argument, NULL, 'q'},
    {"reuseport", no_argument, NULL, OPTION_REUSEPORT},
    {"udp", no_argument, NULL, 'u'},
    {"user", required_argument, NULL, OPTION_USER},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* What may only be said of TCP; remembered to refuse it with --udp. */
static const char *tcp_only(int option)
{
	switch (option) {
	case 'm':
		return "--model";
	case OPTION_BACKLOG:
		return "--backlog";
	case OPTION_MAX_CLIENTS:
		return "--max-clients";
	case OPTION_IDLE:
		return "--idle";
	case OPTION_HANG_UP:
		return "--hang-up";
	case OPTION_NO_REUSEADDR:
		return "--no-reuseaddr";
	default:
		return NULL;
	}
}

static int show_help(void)
{
	char text[sizeof help_text + 80];

	snprintf(text, sizeof text, help_text, model_names());
	return options_help(text);
}

static bool read_fault(const char *text, enum fault *fault)
{
	static const char *const names[FAULT_COUNT] = {
	    [FAULT_NO_READ] = "no-read",   [FAULT_NO_ANSWER] = "no-answer",
	    [FAULT_NO_CLOSE] = "no-close", [FAULT_NO_ACCEPT] = "no-accept",
	    [FAULT_RESET] = "reset",
	};
	char quoted[80];

	for (int i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
		/* By number too, so that an exercise can hide which it is. */
		bool by_number = text[0] == '0' + i && text[1] == '\0';
		if (by_number || strcmp(text, names[i]) == 0) {
			*fault = (enum fault)i;
			return true;
		}
	}
	complain("--fault '%s': give no-accept, no-read, no-close, no-answer or reset",
	         text_escape(text, strlen(text), quoted, sizeof quoted));
	return false;
}

static bool read_model(const char *text, const struct model **model)
{
	char quoted[80];

	*model = model_find(text);
	if (*model != NULL)
		return true;
	complain("--model '%s': give one of %s",
	         text_escape(text, strlen(text), quoted, sizeof quoted), model_names());
	return false;
}

/* One option with a value or an effect of its own. Returns false after a complaint. */
static bool take(struct options *options, int option, const char *value)
{
	switch (option) {
	case '4':
		options->family = AF_INET;
		return true;
	case '6':
		options->family = AF_INET6;
		return true;
	case 'b':
		options->address = value;
		return true;
	case 'u':
		options->transport = TRANSPORT_UDP;
		return true;
	case 'q':
		options->narration.quiet = true;
		return true;
	case 'm':
		return read_model(value, &options->model);
	case OPTION_BACKLOG:
		return options_number("--backlog", value, 0, 65535, &options->backlog);
	case OPTION_COLOR:
		return options_color(value, &options->narration.color);
	case OPTION_FAULT:
		return read_fault(value, &options->fault);
	case OPTION_HANG_UP:
		options->hang_up = true;
		return true;
	case OPTION_IDLE:
		return options_seconds("--idle", value, &options->idle_ms);
	case OPTION_JSON:
		options->narration.form = NARRATE_JSON;
		return true;
	case OPTION_MAX_CLIENTS:
		return options_number("--max-clients", value, 1, 1000000, &options->max_clients);
	case OPTION_NO_REUSEADDR:
		options->reuseaddr = false;
		return true;
	case OPTION_REUSEPORT:
		options->reuseport = true;
		return true;
	case OPTION_USER:
		options->user = value;
		return true;
	default: /* reported by options_next() */
		return false;
	}
}

static bool read_port(int argc, char **argv, struct options *options)
{
	char reason[PORT_REASON_SIZE], quoted[80];

	if (optind >= argc) {
		complain("which PORT? Give 0-65535 or a service name, such as: server 3306");
		return false;
	}
	if (optind + 1 < argc) {
		complain(
		    "one PORT, please: '%s' is too much (an address goes after -b)",
		    text_escape(argv[optind + 1], strlen(argv[optind + 1]), quoted, sizeof quoted));
		return false;
	}
	if (port_parse(argv[optind], options->transport, &options->port, reason) == 0)
		return true;
	if (strchr(argv[optind], ':') != NULL)
		snprintf(reason, sizeof reason, "the address goes before it: server -b ADDR PORT");
	complain("port '%s': %s",
	         text_escape(argv[optind], strlen(argv[optind]), quoted, sizeof quoted), reason);
	return false;
}

/* Options that contradict each other. */
static bool consistent(const struct options *options, const char *needs_tcp)
{
	if (options->transport == TRANSPORT_UDP && needs_tcp != NULL) {
		complain("%s is about connections, and UDP (-u) has none", needs_tcp);
		return false;
	}
	if (options->transport == TRANSPORT_UDP && options->fault != FAULT_NONE &&
	    options->fault != FAULT_NO_READ && options->fault != FAULT_NO_ANSWER) {
		complain("with UDP (-u) only --fault no-read and no-answer make sense: there is "
		         "nothing to accept or close");
		return false;
	}
	if (options->hang_up && options->fault != FAULT_NONE) {
		complain("--hang-up and --fault exclude each other");
		return false;
	}
	return true;
}

int options_read(int argc, char **argv, struct options *options)
{
	const char *needs_tcp = NULL;
	int option;

	*options = (struct options){
	    .transport = TRANSPORT_TCP,
	    .family = AF_UNSPEC,
	    .model = model_default(),
	    .backlog = 128,
	    .reuseaddr = true,
	    .idle_ms = 600 * 1000,
	    .program_path = argv[0],
	};
	while ((option = options_next(argc, argv, "46b:hm:quV", long_options)) != -1) {
		if (option == 'h')
			return show_help();
		if (option == 'V')
			return options_version();
		if (!take(options, option, optarg))
			return EXIT_USAGE;
		if (tcp_only(option) != NULL)
			needs_tcp = tcp_only(option);
	}
	if (!consistent(options, needs_tcp) || !read_port(argc, argv, options))
		return EXIT_USAGE;
	return -1;
}
