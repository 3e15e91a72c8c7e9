/* narrate.c - see narrate.h. */
#include "kit/narrate.h"

#include "kit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, BLOCK_SIZE = 32768, TEXT_COLUMN = 17, STATE_COLUMN = 53 };

static const char *program = "portlab";
static struct narrate_options chosen;
static bool color_out, color_err;
static bool in_blocks, hushed_now;
static size_t in_block; /* bytes told and not yet written; only while in_blocks */
static atomic_bool failed;
static void (*failure_handler)(void);

void narrate_prepare(void)
{
	static char block[BLOCK_SIZE];
	struct sigaction ignore;

	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			(void)open("/dev/null", O_RDONLY); /* takes the number; writing to it fails */
	(void)setlocale(LC_CTYPE, "");
	(void)setvbuf(stdout, block, _IOFBF, sizeof block); /* when to write is decided here */
	memset(&ignore, 0, sizeof ignore);
	ignore.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL); /* a file as large as it may be: an error, too */
}

void narrate_in_blocks(bool blocks)
{
	(void)narrate_finish();
	in_blocks = blocks;
}

static bool color_wanted(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (chosen.color != NARRATE_COLOR_AUTO)
		return chosen.color == NARRATE_COLOR_ALWAYS;
	return isatty(fd) && (no_color == NULL || no_color[0] == '\0') &&
	       (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

void narrate_configure(const struct narrate_options *options)
{
	chosen = *options;
	color_out = color_wanted(STDOUT_FILENO);
	color_err = color_wanted(STDERR_FILENO);
}

int narrate_color_parse(const char *text, enum narrate_color *color)
{
	static const char *const names[] = {"auto", "always", "never"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(text, names[i]) == 0) {
			*color = (enum narrate_color)i;
			return 0;
		}
	return -1;
}

bool narrate_is_json(void)
{
	return chosen.form == NARRATE_JSON;
}

void narrate_hush(bool hushed)
{
	hushed_now = hushed;
}

bool narrate_wanted(bool always)
{
	return (always || (!chosen.quiet && !hushed_now)) && !failed;
}

bool narrate_colors_stderr(void)
{
	return color_err;
}

void narrate_set_program(const char *name)
{
	program = name;
}

const char *narrate_program(void)
{
	return program;
}

/* Words from outside may be among ours: what would steer the terminal is escaped. */
static void make_line_safe(char *line)
{
	char copy[LINE_SIZE];
	const char *next = line;

	while ((*next >= ' ' && *next <= '~') || *next == '\n')
		next++;
	if (*next == '\0')
		return;
	memcpy(copy, line, strlen(line) + 1);
	(void)text_make_safe(copy, strlen(copy), line, LINE_SIZE - 1);
}

void complain(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	make_line_safe(line);
	if (in_blocks && !failed)
		(void)narrate_finish();                       /* what led to this comes first */
	(void)fprintf(stderr, "%s: %s\n", program, line); /* nowhere left to report a failure */
}

/* ---- writing ---- */

void narrate_on_failure(void (*when)(void))
{
	failure_handler = when;
}

bool narrate_failed(void)
{
	return failed;
}

static void fail(int error)
{
	if (atomic_exchange(&failed, true))
		return;
	complain("cannot write to standard output: %s", strerror(error));
	if (failure_handler != NULL)
		failure_handler();
}

int narrate_raw(const void *bytes, size_t length)
{
	if (failed)
		return -1;
	/* In one piece: whatever ends the program, no half of a line is left. */
	if (in_blocks && in_block + length > BLOCK_SIZE && narrate_finish() == -1)
		return -1;
	if (in_blocks)
		in_block += length;
	errno = 0;
	if (fwrite(bytes, 1, length, stdout) != length || ferror(stdout)) {
		fail(errno);
		return -1;
	}
	bool line_ends = length > 0 && ((const char *)bytes)[length - 1] == '\n';
	return line_ends && !in_blocks ? narrate_finish() : 0;
}

int narrate_foreign(const void *bytes, size_t length)
{
	enum { PIECE = 1024 };
	char safe[4 * PIECE + 12];
	const char *next = bytes;

	if (!isatty(STDOUT_FILENO))
		return narrate_raw(bytes, length) == 0 ? narrate_finish() : -1;
	for (; length > 0 && !failed; next += PIECE) {
		size_t piece = length < PIECE ? length : PIECE;
		text_make_safe(next, piece, safe, sizeof safe);
		(void)narrate_raw(safe, strlen(safe));
		length -= piece;
	}
	return narrate_finish();
}

int narrate_finish(void)
{
	if (in_blocks && in_block == 0) /* nothing was told: a loop asks in every turn */
		return failed ? -1 : 0;
	if (in_blocks) /* with threads nobody may touch it */
		in_block = 0;
	errno = 0;
	if (!failed && fflush(stdout) == EOF)
		fail(errno);
	return failed ? -1 : 0;
}

/* ---- as text ---- */

/* At most three colours, each beside the word that says the same. */
const char *narrate_state_color(enum tcp_state state)
{
	if (!color_out)
		return "";
	switch (state) {
	case TCP_STATE_ESTABLISHED:
	case TCP_STATE_LISTEN:
		return "\033[32m"; /* green: open */
	case TCP_STATE_NONE:
	case TCP_STATE_CLOSED:
	case TCP_STATE_UNSEEN:
		return "";
	default:
		return "\033[33m"; /* yellow: on the way in or out */
	}
}

const char *narrate_color_end(void)
{
	return color_out ? "\033[0m" : "";
}

/* "  accept   #1    text", from the state's column on the state, and behind it the note. */
static void text_line(const struct event *event, char *line, size_t size)
{
	const char *color = narrate_state_color(event->state);
	const char *text = event->text != NULL ? event->text : "";
	char id[16] = "";

	if (!event->headline) {
		if (event->id != 0)
			snprintf(id, sizeof id, "#%lu", (unsigned long)event->id);
		text_add_word(line, size, "  ", 0);
		text_add_word(line, size, event->name, 8);
		text_add_word(line, size, " ", 0);
		text_add_word(line, size, id, 5);
		text_add_word(line, size, " ", 0);
	}
	text_add_word(line, size, text, 0);
	make_line_safe(line);
	size_t used = text_columns(line);
	text_add_word(line, size, " ", used < STATE_COLUMN ? STATE_COLUMN - used : 0);
	text_add_word(line, size, color, 0);
	text_add_word(line, size, tcp_state_name(event->state), 11);
	if (color[0] != '\0')
		text_add_word(line, size, narrate_color_end(), 0);
	if (event->note != NULL) {
		text_add_word(line, size, "  ", 0);
		text_add_word(line, size, event->note, 0);
	}
	size_t end = strlen(line);
	while (end > 0 && line[end - 1] == ' ')
		line[--end] = '\0';
}

void narrate_detail(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;

	if (chosen.form == NARRATE_JSON || !narrate_wanted(false))
		return;
	int indent = snprintf(line, sizeof line, "%*s", TEXT_COLUMN, "");
	va_start(arguments, format);
	(void)vsnprintf(line + indent, sizeof line - (size_t)indent - 1, format, arguments);
	va_end(arguments);
	make_line_safe(line);
	strcat(line, "\n");
	(void)narrate_raw(line, strlen(line));
}

void narrate_title(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;

	if (chosen.form == NARRATE_JSON || !narrate_wanted(false))
		return;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof line - 1, format, arguments);
	va_end(arguments);
	make_line_safe(line);
	strcat(line, "\n");
	(void)narrate_raw(line, strlen(line));
}

void narrate_port(uint16_t port, enum transport transport)
{
	const struct port_class *class = port_class_of(port);
	const char *service = port_service_name(port, transport);
	char names[PORT_NAMES_SIZE], range[24] = "";

	port_describe_names(port, transport, names);
	if (chosen.form == NARRATE_JSON) {
		narrate(&(struct event){
		    .name = "port",
		    .class = class,
		    .facts =
		        FACTS({"port", NULL, port}, {"transport", transport_protocol(transport), 0},
		              {"service", service != NULL ? service : "", 0}, {"names", names, 0}),
		});
		return;
	}
	if (class->first != class->last)
		snprintf(range, sizeof range, " (%u-%u)", class->first, class->last);
	narrate_title("portlab %s: %u is %s%s", program, port, class->title, range);
	narrate_title("                %s", names);
}

/* ---- as JSON (RFC 8259) ---- */

void json_add_string(char *text, size_t size, const char *string)
{
	text_add(text, size, "\"");
	while (*string != '\0') {
		size_t length;
		uint32_t character = text_utf8(string, &length);
		if (length == 0) { /* a stray byte */
			text_add(text, size, "\\u%04x", (unsigned char)*string);
			length = 1;
		} else if (text_steers(character)) { /* all of these have four digits at most */
			text_add(text, size, "\\u%04x", (unsigned)character);
		} else {
			text_add(text, size, "%s%.*s", *string == '"' || *string == '\\' ? "\\" : "",
			         (int)length, string);
		}
		string += length;
	}
	text_add(text, size, "\"");
}

static void json_key(char *line, size_t size, const char *key)
{
	text_add(line, size, "%s\"%s\":", line[1] == '\0' ? "" : ",", key);
}

static void json_endpoint(char *line, size_t size, const char *key,
                          const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (endpoint == NULL || endpoint->length == 0)
		return;
	json_key(line, size, key);
	json_add_string(line, size, endpoint_format(endpoint, text));
}

static void json_line(const struct event *event, char *line, size_t size)
{
	text_add(line, size, "{");
	json_key(line, size, "event");
	json_add_string(line, size, event->name);
	if (event->id != 0)
		text_add(line, size, ",\"id\":%lu", (unsigned long)event->id);
	json_endpoint(line, size, "local", event->local);
	json_endpoint(line, size, "peer", event->peer);
	if (event->state == TCP_STATE_UNSEEN)
		text_add(line, size, ",\"state\":null");
	else if (event->state != TCP_STATE_NONE)
		text_add(line, size, ",\"state\":\"%s\"", tcp_state_name(event->state));
	if (event->class != NULL)
		text_add(line, size, ",\"class\":\"%s\"", event->class->name);
	for (const struct fact *fact = event->facts; fact != NULL && fact->key != NULL; fact++) {
		json_key(line, size, fact->key);
		if (fact->text != NULL)
			json_add_string(line, size, fact->text);
		else
			text_add(line, size, "%lld", fact->number);
	}
	text_add(line, size, "}");
}

void narrate(const struct event *event)
{
	char line[LINE_SIZE];

	if (!narrate_wanted(event->always))
		return;
	line[0] = '\0';
	if (chosen.form == NARRATE_JSON)
		json_line(event, line, sizeof line - 1);
	else
		text_line(event, line, sizeof line - 1);
	size_t length = strlen(line);
	line[length++] = '\n';
	(void)narrate_raw(line, length);
}
