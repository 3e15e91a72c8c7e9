/* options.c - see options.h. */
#include "options.h"

#include "kit/options.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "usage: client [options] [HOST] PORT      connect; tell which port it got\n"
    "HOST defaults to loopback; PORT is 0-65535 or a service name, such as mysql.\n"
    "\n"
    "many         -n, --count N         N connections, each with a port of its own\n"
    "             -c, --concurrent N    at most N open at once (default: all)\n"
    "             --plot                their source ports on a line from 0 to 65535\n"
    "my own end   -p, --port PORT       my source port (0: bind before connecting)\n"
    "             -s, --source ADDR     my source address\n"
    "talk         -m, --message TEXT    send TEXT as it is (may be repeated)\n"
    "             -i, --interactive     keyboard to server, server to screen\n"
    "end          --hold SECONDS        keep open so long, or until Enter ('enter')\n"
    "             --half-close          end my side, then read the rest\n"
    "             --reset               cut the connection: RST instead of FIN\n"
    "how          -u, --udp   UDP, not TCP       -4, -6   IPv4 only, IPv6 only\n"
    "             -t, --timeout SECONDS wait so long for an answer (default 5)\n"
    "output       --json                one JSON object for each event\n"
    "             -q, --quiet           only what comes back, the picture, and errors\n"
    "             --color WHEN          auto, always or never\n"
    "             -h, --help            -V, --version     more: man ./client/client.1\n"
    "\n"
    "  client 3306                      after, in another terminal: server 3306\n"
    "  client -n 1000 --plot 3306       a thousand source ports in one picture\n";

enum {
	OPTION_COLOR = 256,
	OPTION_HALF_CLOSE,
	OPTION_HOLD,
	OPTION_JSON,
	OPTION_PLOT,
	OPTION_RESET,
};

static const struct option long_options[] = {
    {"color", required_argument, NULL, OPTION_COLOR},
    {"concurrent", required_argument, NULL, 'c'},
    {"count", required_argument, NULL, 'n'},
    {"half-close", no_argument, NULL, OPTION_HALF_CLOSE},
    {"help", no_argument, NULL, 'h'},
    {"hold", required_argument, NULL, OPTION_HOLD},
    {"interactive", no_argument, NULL, 'i'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"message", required_argument, NULL, 'm'},
    {"plot", no_argument, NULL, OPTION_PLOT},
    {"port", required_argument, NULL, 'p'},
    {"quiet", no_argument, NULL, 'q'},
    {"reset", no_argument, NULL, OPTION_RESET},
    {"source", required_argument, NULL, 's'},
    {"timeout", required_argument, NULL, 't'},
    {"udp", no_argument, NULL, 'u'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

bool options_detailed(const struct options *options)
{
	return options->count == 1 || options->narration.form == NARRATE_JSON;
}

static bool read_hold(const char *text, struct options *options)
{
	options->hold = true;
	if (strcmp(text, "enter") == 0) {
		options->hold_ms = HOLD_UNTIL_ENTER;
		return true;
	}
	return options_seconds("--hold", text, &options->hold_ms);
}

static bool read_timeout(const char *text, struct options *options)
{
	if (!options_seconds("--timeout", text, &options->timeout_ms))
		return false;
	if (options->timeout_ms > 0)
		return true;
	complain("--timeout '0': no answer comes in no time; give more, such as 0.5");
	return false;
}

static bool read_own_port(const char *text, struct options *options)
{
	options->own_port = true;
	return options_port("--port", text, &options->source_port);
}

/* Options with a value. Returns false after a complaint. */
static bool take_value(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'n':
		return options_number("--count", value, 1, 1000000, &options->count);
	case 'c':
		return options_number("--concurrent", value, 1, 1000000, &options->at_once);
	case 'm':
		options->messages[options->message_count++] = value;
		return true;
	case 'p':
		return read_own_port(value, options);
	case 's':
		options->source_address = value;
		return true;
	case 't':
		return read_timeout(value, options);
	case OPTION_COLOR:
		return options_color(value, &options->narration.color);
	case OPTION_HOLD:
		return read_hold(value, options);
	default: /* reported by options_next() */
		return false;
	}
}

static bool take(struct options *options, int option, const char *value)
{
	switch (option) {
	case '4':
		options->family = AF_INET;
		break;
	case '6':
		options->family = AF_INET6;
		break;
	case 'i':
		options->interactive = true;
		break;
	case 'q':
		options->narration.quiet = true;
		break;
	case 'u':
		options->transport = TRANSPORT_UDP;
		break;
	case OPTION_HALF_CLOSE:
		options->half_close = true;
		break;
	case OPTION_JSON:
		options->narration.form = NARRATE_JSON;
		break;
	case OPTION_PLOT:
		options->plot = true;
		break;
	case OPTION_RESET:
		options->reset = true;
		break;
	default:
		return take_value(options, option, value);
	}
	return true;
}

static bool read_operands(int argc, char **argv, struct options *options)
{
	char reason[PORT_REASON_SIZE], quoted[80];
	int operands = argc - optind;

	if (operands < 1) {
		const char *before = argc > 2 ? argv[argc - 2] : "";
		if (before[0] == '-' && argv[argc - 1][0] != '-')
			complain("which PORT? '%s' was taken as the value of %s",
			         text_escape(argv[argc - 1], strlen(argv[argc - 1]), quoted, sizeof quoted),
			         before);
		else
			complain("which PORT? Give 1-65535 or a service name, such as: client 3306");
		return false;
	}
	if (operands > 2) {
		complain(
		    "one HOST and one PORT, please: '%s' is too much",
		    text_escape(argv[optind + 2], strlen(argv[optind + 2]), quoted, sizeof quoted));
		return false;
	}
	options->host = operands == 2 ? argv[optind] : NULL;
	const char *port = argv[argc - 1];
	if (port_parse(port, options->transport, &options->port, reason) == 0)
		return true;
	text_escape(port, strlen(port), quoted, sizeof quoted);
	if (operands == 1 && strchr(port, ':') != NULL)
		complain("port '%s': HOST and PORT are two words, such as: client 127.0.0.1 3306",
		         quoted);
	else if (operands == 2 && strspn(options->host, "0123456789") == strlen(options->host))
		complain("port '%s': first HOST, then PORT: client %s %s", quoted, quoted,
		         options->host);
	else
		complain("port '%s': %s", quoted, reason);
	return false;
}

/* Options that contradict each other. */
static bool consistent(const struct options *options)
{
	if (options->transport == TRANSPORT_UDP && (options->half_close || options->reset)) {
		complain("%s is about connections, and UDP (-u) has none",
		         options->reset ? "--reset" : "--half-close");
		return false;
	}
	if (options->plot && options->narration.form == NARRATE_JSON) {
		complain("--plot is a picture and --json is not: its last line has the same numbers");
		return false;
	}
	if (options->interactive && options->count > 1) {
		complain("--interactive is for one connection, not for %ld", options->count);
		return false;
	}
	return true;
}

int options_read(int argc, char **argv, struct options *options)
{
	int option;

	*options = (struct options){
	    .transport = TRANSPORT_TCP,
	    .family = AF_UNSPEC,
	    .count = 1,
	    .timeout_ms = 5000,
	    .program_path = argv[0],
	    .messages = calloc((size_t)argc, sizeof *options->messages),
	};
	if (options->messages == NULL) {
		complain("cannot begin: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	while ((option = options_next(argc, argv, "46c:him:n:p:qs:t:uV", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option == 'V')
			return options_version();
		if (!take(options, option, optarg))
			return EXIT_USAGE;
	}
	if (!consistent(options) || !read_operands(argc, argv, options))
		return EXIT_USAGE;
	if (options->at_once == 0 || options->at_once > options->count)
		options->at_once = options->count;
	return -1;
}
