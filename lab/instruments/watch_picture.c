/*
 * watch_picture.c - the picture of lab watch: the number line, the diagram of the TCP states
 * (RFC 9293 figure 5) with a count in each, and the 4-tuples.
 */
#include "instruments/watch.h"
#include "kit/number_line.h"
#include "kit/waiting.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MARKED_MS = 1500 }; /* how long what has changed is marked */

static const char *const order_names[ORDER_COUNT] = {"by port", "by state", "latest first"};

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
	return order != 0 ? order : listed_compare(&(*first)->listed, &(*second)->listed);
}

enum { ROW_COLUMNS = 80 }; /* what one row takes; wider windows have several side by side */

static void add_row(struct frame *frame, const struct watched *watched, bool pad)
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
	add(frame, "%s%c %-21s -> %-21s %-11s %*s%s", recent ? style(frame, "\033[1m") : "",
	    recent ? '*' : ' ', local, peer, tcp_state_name(entry->state), pad ? -19 : 0, left,
	    recent ? style(frame, "\033[0m") : "");
}

/* In a wide window the list goes on beside itself, down first and then to the right. */
static void add_rows(struct frame *frame, const struct watch *watch)
{
	const struct watched **rows = calloc(watch->count + 1, sizeof(*rows));
	size_t side_by_side = frame->rows > 0 ? (size_t)frame->columns / ROW_COLUMNS : 1;

	if (rows == NULL) {
		add(frame, "  out of memory: the sockets cannot be listed");
		end_line(frame);
		return;
	}
	for (size_t i = 0; i < watch->count; i++)
		rows[i] = &watch->sockets[i];
	sort_order = watch->order;
	qsort(rows, watch->count, sizeof(*rows), compare_rows);
	if (side_by_side == 0)
		side_by_side = 1;
	size_t lines = (watch->count + side_by_side - 1) / side_by_side;
	int room = frame->rows - frame->used - 2; /* a line for the rest, one for the keys */
	if (frame->rows > 0 && (room < 0 || lines > (size_t)room))
		lines = room < 0 ? 0 : (size_t)room;
	for (size_t line = 0; line < lines && strlen(frame->text) < FRAME_SIZE - 2048; line++) {
		for (size_t i = line; i < watch->count && i < lines * side_by_side; i += lines)
			add_row(frame, rows[i], i + lines < lines * side_by_side);
		end_line(frame);
	}
	if (lines * side_by_side < watch->count) {
		add(frame, "  and %zu more", watch->count - lines * side_by_side);
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

void watch_draw_keys(struct frame *frame, const struct watch *watch)
{
	while (frame->rows > 0 && frame->used < frame->rows - 1)
		end_line(frame);
	if (watch->typing)
		add(frame, "port, 0-65535 (Enter alone: all): %s_", watch->typed);
	else
		add(frame, "q quit   p pause   s sort   f filter   ? help");
}

void watch_draw(struct frame *frame, const struct watch *watch)
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

void watch_cut_lines(char *text, int columns)
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
