/*
 * watch.c - lab watch: the sockets of this network, live. The number line with the ports
 * in use, the diagram of the TCP states with a count in each, and the 4-tuples.
 *
 * The table is read several times a second and compared with the one before; the same
 * changes are what --log prints, a line each.
 * Source: RFC 9293 figure 5 (the diagram of states).
 */
#include "instrument.h"
#include "instruments/screen.h"
#include "instruments/socket_list.h"
#include "kit/narrate.h"
#include "kit/number_line.h"
#include "kit/options.h"
#include "kit/text.h"
#include "kit/waiting.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
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

enum { FRAME_SIZE = 65536, MARKED_MS = 1500 };

enum order { ORDER_PORTS, ORDER_STATE, ORDER_CHANGE, ORDER_COUNT };

static const char *const order_names[ORDER_COUNT] = {"by port", "by state", "latest first"};

struct watched {
	struct listed listed;
	int64_t changed_at; /* clock; 0: it was there from the start */
};

struct watch {
	struct socket_filter filter;
	int64_t interval_ms;
	enum order order;
	bool log, color, utf8, paused, help;
	struct watched *sockets; /* in the order of socket_list */
	size_t count;
	size_t counts[TCP_STATE_COUNT];
	int64_t state_changed_at[TCP_STATE_COUNT];
	bool started;
	char typed[8]; /* the port that is being typed after f; "" else */
	bool typing;
};

/* ---- what has changed ---- */

static int compare_tuples(const struct listed *one, const struct listed *other)
{
	int order = endpoint_port(&one->entry.local) - endpoint_port(&other->entry.local);

	if (order == 0)
		order = endpoint_port(&one->entry.peer) - endpoint_port(&other->entry.peer);
	if (order == 0)
		order = memcmp(&one->entry.local.address, &other->entry.local.address,
		               sizeof one->entry.local.address);
	if (order == 0)
		order = memcmp(&one->entry.peer.address, &other->entry.peer.address,
		               sizeof one->entry.peer.address);
	return order;
}

static int compare_for_order(const void *one, const void *other)
{
	return compare_tuples(one, other);
}

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
		       (order = compare_tuples(&watch->sockets[old].listed, listed)) < 0) {
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
	struct socket_list list;

	if (socket_list_read(&list, &watch->filter) == -1) {
		socket_list_free(&list);
		return -1;
	}
	if (list.count > 0)
		qsort(list.sockets, list.count, sizeof *list.sockets, compare_for_order);
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

/* ---- the picture ---- */

struct frame {
	char text[FRAME_SIZE];
	int columns, rows; /* 0 rows: as many as needed */
	int used;
	bool color;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
add(struct frame *frame, const char *format, ...)
{
	size_t end = strlen(frame->text);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(frame->text + end, sizeof frame->text - end, format, arguments);
	va_end(arguments);
}

static bool is_full(const struct frame *frame)
{
	return frame->rows > 0 && frame->used >= frame->rows;
}

static void end_line(struct frame *frame)
{
	add(frame, "\n");
	frame->used++;
}

static const char *style(const struct frame *frame, const char *code)
{
	return frame->color ? code : "";
}

static bool is_recent(int64_t changed_at)
{
	return changed_at != 0 && clock_ms() - changed_at < MARKED_MS;
}

/* "ESTABLISHED 12*" in 16 columns: the star marks what has just changed. */
static void add_state(struct frame *frame, const struct watch *watch, enum tcp_state state)
{
	char text[32];
	bool recent = is_recent(watch->state_changed_at[state]);
	size_t count = watch->counts[state];

	snprintf(text, sizeof text, "%s %zu%s", tcp_state_name(state), count, recent ? "*" : "");
	add(frame, "%s%s%-16s%s", recent ? style(frame, "\033[7m") : "",
	    count > 0 ? style(frame, "\033[1m") : "", text,
	    recent || count > 0 ? style(frame, "\033[0m") : "");
}

/* The diagram of states: how a connection begins above, how it ends below. */
static void add_diagram(struct frame *frame, const struct watch *watch)
{
	add(frame, "  server opens:   ");
	add_state(frame, watch, TCP_STATE_LISTEN);
	add(frame, "-> ");
	add_state(frame, watch, TCP_STATE_SYN_RECV);
	add(frame, "-.");
	end_line(frame);
	add(frame, "%56s-> ", "");
	add_state(frame, watch, TCP_STATE_ESTABLISHED);
	end_line(frame);
	add(frame, "  client opens:   ");
	add_state(frame, watch, TCP_STATE_SYN_SENT);
	add(frame, "%19s-'", "-------------------");
	end_line(frame);
	add(frame, "  closes first:   ");
	add_state(frame, watch, TCP_STATE_FIN_WAIT1);
	add(frame, "-> ");
	add_state(frame, watch, TCP_STATE_FIN_WAIT2);
	add(frame, "-> ");
	add_state(frame, watch, TCP_STATE_TIME_WAIT);
	end_line(frame);
	add(frame, "  closes second:  ");
	add_state(frame, watch, TCP_STATE_CLOSE_WAIT);
	add(frame, "-> ");
	add_state(frame, watch, TCP_STATE_LAST_ACK);
	add(frame, "-> CLOSED");
	end_line(frame);
	add(frame, "  both at once:   ");
	add_state(frame, watch, TCP_STATE_CLOSING);
	add(frame, "-> TIME_WAIT");
	end_line(frame);
}

static void add_number_line(struct frame *frame, const struct watch *watch)
{
	struct number_line ports = {{0}};
	char line[NUMBER_LINE_SIZE];

	for (size_t i = 0; i < watch->count; i++)
		number_line_add(&ports, endpoint_port(&watch->sockets[i].listed.entry.local));
	number_line_bars(&ports, 0, 1, watch->utf8, "sockets", line);
	add(frame, "%s%s%s", style(frame, "\033[1m"), line, style(frame, "\033[0m"));
	end_line(frame);
	number_line_scale(line);
	add(frame, "%s", line);
	end_line(frame);
	number_line_iana(line);
	add(frame, "%s", line);
	end_line(frame);
	if (number_line_kernel(line)) {
		add(frame, "%s", line);
		end_line(frame);
	}
}

static void add_title(struct frame *frame, const struct watch *watch)
{
	char what[32] = "all TCP sockets", clock[16];
	time_t now = time(NULL);
	struct tm day;

	(void)localtime_r(&now, &day);
	(void)strftime(clock, sizeof clock, "%H:%M:%S", &day);
	if (watch->filter.port != -1)
		snprintf(what, sizeof what, "port %d", watch->filter.port);
	add(frame, "%slab watch: %s, %zu now, %s%s   %s%s", style(frame, "\033[1m"), what,
	    watch->count, clock, watch->paused ? ", PAUSED" : "", order_names[watch->order],
	    style(frame, "\033[0m"));
	end_line(frame);
}

static enum order sort_order;

static int compare_rows(const void *one, const void *other)
{
	const struct watched *const *first = one, *const *second = other;
	int order = 0;

	if (sort_order == ORDER_STATE)
		order = (int)(*first)->listed.entry.state - (int)(*second)->listed.entry.state;
	else if (sort_order == ORDER_CHANGE)
		order = ((*second)->changed_at > (*first)->changed_at) -
		        ((*second)->changed_at < (*first)->changed_at);
	return order != 0 ? order : compare_tuples(&(*first)->listed, &(*second)->listed);
}

static void add_row(struct frame *frame, const struct watched *watched)
{
	const struct socket_entry *entry = &watched->listed.entry;
	char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE] = "*", left[40] = "";
	bool recent = is_recent(watched->changed_at);

	endpoint_format(&entry->local, local);
	if (endpoint_port(&entry->peer) != 0)
		endpoint_format(&entry->peer, peer);
	if (entry->state == TCP_STATE_TIME_WAIT && entry->expires_ms >= 0)
		snprintf(left, sizeof left, "%ld s left", (entry->expires_ms + 999) / 1000);
	else if (entry->receive_queue + entry->send_queue > 0)
		snprintf(left, sizeof left, "queue %lu/%lu", (unsigned long)entry->receive_queue,
		         (unsigned long)entry->send_queue);
	add(frame, "%s%c %-21s -> %-21s %-11s %s%s", recent ? style(frame, "\033[1m") : "",
	    recent ? '*' : ' ', local, peer, tcp_state_name(entry->state), left,
	    recent ? style(frame, "\033[0m") : "");
	end_line(frame);
}

static void add_rows(struct frame *frame, const struct watch *watch)
{
	const struct watched **rows = calloc(watch->count + 1, sizeof(*rows));
	size_t shown = 0;

	if (rows == NULL)
		return;
	for (size_t i = 0; i < watch->count; i++)
		rows[i] = &watch->sockets[i];
	sort_order = watch->order;
	qsort(rows, watch->count, sizeof(*rows), compare_rows);
	int room = frame->rows - frame->used - 2; /* a line for the rest, one for the keys */
	while (shown < watch->count && (frame->rows == 0 || (int)shown < room) &&
	       strlen(frame->text) < FRAME_SIZE - 1024)
		add_row(frame, rows[shown++]);
	if (shown < watch->count) {
		add(frame, "  and %zu more", watch->count - shown);
		end_line(frame);
	}
	free(rows);
}

static void add_help(struct frame *frame)
{
	static const char *const lines[] = {
	    "",
	    "  Every row is one socket of this machine: its own end -> the other end, and its",
	    "  state as the kernel tells it. A connection within this machine has two rows.",
	    "  * and reverse: changed a moment ago.",
	    "",
	    "  q  quit             p  pause: hold the picture, go on with p",
	    "  s  sort: by port, by state, latest change first",
	    "  f  filter: type a port and Enter; f and Enter alone: all again",
	    "  ?  this page, and back",
	};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		add(frame, "%s", lines[i]);
		end_line(frame);
	}
}

static void add_keys(struct frame *frame, const struct watch *watch)
{
	while (frame->rows > 0 && frame->used < frame->rows - 1)
		end_line(frame);
	if (watch->typing)
		add(frame, "port, 0-65535 (Enter alone: all): %s_", watch->typed);
	else
		add(frame, "q quit   p pause   s sort   f filter   ? help");
}

static void draw(struct frame *frame, const struct watch *watch)
{
	frame->text[0] = '\0';
	frame->used = 0;
	frame->color = watch->color;
	add_title(frame, watch);
	if (watch->help) {
		add_help(frame);
	} else {
		/* In a small window the sockets matter most, then the states, then the line. */
		if (frame->rows == 0 || frame->rows >= 22) {
			add_number_line(frame, watch);
			end_line(frame);
		}
		if (frame->rows == 0 || frame->rows >= 15) {
			add_diagram(frame, watch);
			end_line(frame);
		}
		if (!is_full(frame))
			add_rows(frame, watch);
	}
}

/* Cuts every line at the window's edge: a line that wraps would push the rest down. */
static void cut_lines(char *text, int columns)
{
	char *to = text;
	int column = 0;

	for (const char *from = text; *from != '\0';) {
		if (*from == '\033') { /* a style takes no room */
			do
				*to++ = *from;
			while (*from++ != 'm');
			continue;
		}
		if (*from == '\n')
			column = -1;
		bool starts = ((unsigned char)*from & 0xc0) != 0x80; /* not inside a character */
		column += starts;
		if (column <= columns)
			*to++ = *from;
		from++;
	}
	*to = '\0';
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
	draw(&frame, watch);
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
	draw(frame, watch);
	add_keys(frame, watch);
	cut_lines(frame->text, size.columns);
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

const struct instrument instrument_watch = {
    "watch", "[PORT]", "the sockets and their states, live", help_text, run};
