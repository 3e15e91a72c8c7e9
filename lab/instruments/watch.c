/*
 * watch.c - lab watch: the sockets of this network, live. The number line with the ports
 * in use, the diagram of the TCP states with a count in each, and the 4-tuples.
 *
 * The table is read several times a second and compared with the one before; the same
 * changes are what --log prints, a line each.
 */
#include "instruments/watch.h"
#include "instruments/screen.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "subcommand.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab watch [options] [PORT]\n"
    "The TCP sockets of this network, live; with PORT those that have it at an end.\n"
    "\n"
    "  --once              one picture as plain text\n"
    "  --log               each change as a line, until Ctrl-C; what comes and goes\n"
    "                      between two looks is not seen\n"
    "  --interval SECONDS  between two looks (default 0.2)\n"
    "  --color WHEN        auto, always or never\n"
    "\n"
    "keys: q quit   p pause   s sort   f filter by port   ? help\n"
    "\n"
    "  lab watch 3306\n"
    "  lab watch --log 3306\n";

/* ---- what has changed ---- */

/* "13:04:05.120 127.0.0.1:41234 -> 127.0.0.1:3306 ESTABLISHED -> FIN_WAIT2" */
static void log_change(const struct listed *listed, enum tcp_state from, enum tcp_state to)
{
	char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE] = "*", line[320];
	struct timespec now;
	struct tm day;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)localtime_r(&now.tv_sec, &day);
	endpoint_format(&listed->entry.local, local);
	if (endpoint_port(&listed->entry.peer) != 0)
		endpoint_format(&listed->entry.peer, peer);
	snprintf(line, sizeof line, "%02d:%02d:%02d.%03ld %s -> %s %s -> %s\n", day.tm_hour,
	         day.tm_min, day.tm_sec, now.tv_nsec / 1000000, local, peer, tcp_state_name(from),
	         tcp_state_name(to));
	(void)narrate_raw(line, strlen(line));
}

/* A connection that the table does not have is CLOSED, as RFC 9293 says. */
static int64_t note_change(struct watch *watch, const struct listed *listed,
                           enum tcp_state from, enum tcp_state to)
{
	int64_t now = clock_ms();

	if (!watch->started || from == to)
		return 0;
	if (watch->log)
		log_change(listed, from, to);
	watch->state_changed_at[from] = watch->state_changed_at[to] = now;
	return now;
}

/*
 * Merges the list just read, which is in order, with what was there before, and fills
 * `next` with as many as the list has.
 */
static void merge(struct watch *watch, const struct socket_list *list, struct watched *next)
{
	size_t old = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct listed *listed = &list->sockets[i];
		int order = 1;
		while (old < watch->count &&
		       (order = listed_compare(&watch->sockets[old].listed, listed)) < 0) {
			const struct listed *gone = &watch->sockets[old++].listed;
			(void)note_change(watch, gone, gone->entry.state, TCP_STATE_CLOSED);
		}
		next[i].listed = *listed;
		if (old < watch->count && order == 0) {
			const struct watched *before = &watch->sockets[old++];
			int64_t changed =
			    note_change(watch, listed, before->listed.entry.state, listed->entry.state);
			next[i].changed_at = changed != 0 ? changed : before->changed_at;
		} else {
			next[i].changed_at =
			    note_change(watch, listed, TCP_STATE_CLOSED, listed->entry.state);
		}
	}
	for (; old < watch->count; old++) {
		const struct listed *gone = &watch->sockets[old].listed;
		(void)note_change(watch, gone, gone->entry.state, TCP_STATE_CLOSED);
	}
}

static int look(struct watch *watch)
{
	struct socket_list list = {NULL, 0, 0};

	if (socket_list_read(&list, &watch->filter) == -1) {
		socket_list_free(&list);
		return -1;
	}
	struct watched *next = calloc(list.count + 1, sizeof *next);
	if (next == NULL) {
		socket_list_free(&list);
		return -1;
	}
	merge(watch, &list, next);
	free(watch->sockets);
	watch->sockets = next;
	watch->count = list.count;
	watch->started = true;
	memset(watch->counts, 0, sizeof watch->counts);
	for (size_t i = 0; i < list.count; i++)
		watch->counts[list.sockets[i].entry.state]++;
	socket_list_free(&list);
	return 0;
}

/* ---- keys ---- */

static void take_digit(struct watch *watch, int key)
{
	size_t length = strlen(watch->typed);
	char reason[PORT_REASON_SIZE];
	uint16_t port = 0;

	if (key >= '0' && key <= '9' && length < 5) {
		watch->typed[length] = (char)key;
		watch->typed[length + 1] = '\0';
	} else if ((key == 127 || key == 8) && length > 0) {
		watch->typed[length - 1] = '\0';
	} else if (key == '\n' || key == '\r' || key == 27) {
		watch->typing = false;
		if (key == 27)
			return;
		if (length > 0 && port_number_parse(watch->typed, &port, reason) == -1) {
			watch->typing = true; /* above 65535: once more */
			watch->typed[0] = '\0';
			return;
		}
		watch->filter.port = length == 0 ? -1 : port;
		watch->started = false; /* another set of sockets: nothing of it is a change */
	}
}

/* Returns false where the key ends it. */
static bool take_key(struct watch *watch, int key)
{
	if (key == SCREEN_END)
		return false;
	if (watch->typing) {
		take_digit(watch, key);
		return true;
	}
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 'p':
	case ' ':
		watch->paused = !watch->paused;
		break;
	case 's':
		watch->order = (enum order)((watch->order + 1) % ORDER_COUNT);
		break;
	case 'f':
		watch->typing = true;
		watch->typed[0] = '\0';
		break;
	case '?':
	case 'h':
		watch->help = !watch->help;
		break;
	default:
		break;
	}
	return true;
}

/* ---- three ways to see it ---- */

static int complain_table(void)
{
	complain("cannot read the socket table: %s",
	         errno == ENOTSUP ? "this build knows no way to ask this system for it"
	                          : strerror(errno));
	return errno == ENOTSUP ? EXIT_SKIPPED : EXIT_FAILURE;
}

static int show_once(struct watch *watch)
{
	static struct frame frame;

	if (look(watch) == -1)
		return complain_table();
	frame.columns = 80;
	watch_draw(&frame, watch);
	return narrate_raw(frame.text, strlen(frame.text)) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int show_log(struct watch *watch)
{
	for (;;) {
		int64_t next = clock_ms() + watch->interval_ms;
		if (look(watch) == -1)
			return complain_table();
		if (narrate_failed())
			return EXIT_FAILURE;
		int64_t left = next - clock_ms();
		if (left > 0)
			(void)poll(NULL, 0, (int)left);
	}
}

static void draw_screen(struct frame *frame, const struct watch *watch)
{
	struct terminal_size size = screen_size();

	frame->columns = size.columns;
	frame->rows = size.rows;
	watch_draw(frame, watch);
	watch_draw_keys(frame, watch);
	watch_cut_lines(frame->text, size.columns);
	screen_show(frame->text);
}

static int show_live(struct watch *watch)
{
	static struct frame frame;
	struct terminal_size size = {0, 0};
	bool going = true;
	int key = 0;

	if (look(watch) == -1)
		return complain_table();
	if (screen_open() == -1) {
		complain("lab watch needs a terminal: %s; with --once or --log it does not",
		         errno == ENOTTY ? "this is none" : strerror(errno));
		return EXIT_FAILURE;
	}
	while (going) {
		int64_t next = clock_ms() + watch->interval_ms;
		struct terminal_size now = screen_size();
		bool resized = now.columns != size.columns || now.rows != size.rows;
		/* A pause holds the picture, its clock included. */
		if (!watch->paused || key != SCREEN_NOTHING || resized)
			draw_screen(&frame, watch);
		size = now;
		key = screen_key(next);
		going = take_key(watch, key);
		if (going && !watch->paused && (clock_ms() >= next || !watch->started) &&
		    look(watch) == -1)
			going = false;
	}
	screen_close();
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	enum { OPTION_ONCE = 256, OPTION_LOG, OPTION_INTERVAL, OPTION_COLOR };
	static const struct option long_options[] = {
	    {"color", required_argument, NULL, OPTION_COLOR},
	    {"help", no_argument, NULL, 'h'},
	    {"interval", required_argument, NULL, OPTION_INTERVAL},
	    {"log", no_argument, NULL, OPTION_LOG},
	    {"once", no_argument, NULL, OPTION_ONCE},
	    {NULL, 0, NULL, 0},
	};
	struct watch watch = {.filter = socket_filter_all(), .interval_ms = 200};
	struct narrate_options narration = {.form = NARRATE_TEXT};
	char reason[PORT_REASON_SIZE], quoted[80];
	bool once = false;
	uint16_t port;
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option == OPTION_ONCE)
			once = true;
		else if (option == OPTION_LOG)
			watch.log = true;
		else if (option == OPTION_INTERVAL) {
			if (!options_seconds("--interval", optarg, &watch.interval_ms))
				return EXIT_USAGE;
		} else if (option != OPTION_COLOR || !options_color(optarg, &narration.color))
			return EXIT_USAGE;
	}
	if (argc - optind > 1) {
		complain("one PORT, please");
		return EXIT_USAGE;
	}
	if (optind < argc && port_parse(argv[optind], TRANSPORT_TCP, &port, reason) == -1) {
		complain("port '%s': %s",
		         text_escape(argv[optind], strlen(argv[optind]), quoted, sizeof quoted),
		         reason);
		return EXIT_USAGE;
	}
	if (optind < argc)
		watch.filter.port = port;
	watch.filter.udp = false;
	narrate_configure(&narration);
	watch.color = narrate_color_end()[0] != '\0';
	watch.utf8 = text_is_utf8();
	int status = once ? show_once(&watch) : watch.log ? show_log(&watch) : show_live(&watch);
	free(watch.sockets);
	return status;
}

const struct subcommand subcommand_watch = {
    "watch", "[PORT]", "the sockets and their states, live", help_text, run};
