/* number_line.c - see number_line.h. */
#include "kit/number_line.h"

#include "kit/machine.h"
#include "kit/text.h"

#include <stdio.h>
#include <string.h>

void number_line_add(struct number_line *line, uint16_t port)
{
	line->counts[port / NUMBER_LINE_PORTS]++;
}

size_t number_line_most(const struct number_line *line)
{
	size_t most = 0;

	for (size_t i = 0; i < NUMBER_LINE_COLUMNS; i++)
		most = line->counts[i] > most ? line->counts[i] : most;
	return most;
}

static void cut_blanks(char *text)
{
	size_t end = strlen(text);

	while (end > 0 && text[end - 1] == ' ')
		text[--end] = '\0';
}

/* How high a column is, in eighths of a row. */
static size_t height_of(size_t count, size_t most, unsigned rows)
{
	size_t height = most == 0 ? 0 : count * rows * 8 / most;

	return count > 0 && height == 0 ? 1 : height;
}

void number_line_bars(const struct number_line *line, unsigned row, unsigned rows, bool utf8,
                      const char *name, char text[NUMBER_LINE_SIZE])
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ".", ":", ":", "|", "|", "#", "#"};
	size_t most = number_line_most(line);

	snprintf(text, NUMBER_LINE_SIZE, "%-*s", NUMBER_LINE_MARGIN, name);
	for (size_t i = 0; i < NUMBER_LINE_COLUMNS; i++) {
		size_t height = height_of(line->counts[i], most, rows);
		size_t above = height > row * 8 ? height - row * 8 : 0;
		text_add(text, NUMBER_LINE_SIZE, "%s", (utf8 ? blocks : ascii)[above > 8 ? 8 : above]);
	}
	cut_blanks(text);
}

void number_line_scale(char text[NUMBER_LINE_SIZE])
{
	snprintf(text, NUMBER_LINE_SIZE, "%*s", NUMBER_LINE_MARGIN, "");
	for (unsigned port = 0; port < 57344; port += 8192)
		text_add(text, NUMBER_LINE_SIZE, "%-8u", port);
	text_add(text, NUMBER_LINE_SIZE, "57344  65535");
}

/* Marks the columns from first to last, with a name in the middle where it fits. */
static void mark(char row[NUMBER_LINE_COLUMNS + 1], unsigned first, unsigned last,
                 const char *name)
{
	size_t from = first / NUMBER_LINE_PORTS, to = last / NUMBER_LINE_PORTS;
	size_t width = to - from + 1, length = strlen(name);

	memset(row + from, '-', width);
	if (width >= 2) {
		row[from] = '[';
		row[to] = ']';
	}
	if (length + 4 <= width)
		memcpy(row + from + (width - length) / 2, name, length);
}

static void start(char row[NUMBER_LINE_COLUMNS + 1])
{
	memset(row, ' ', NUMBER_LINE_COLUMNS);
	row[NUMBER_LINE_COLUMNS] = '\0';
}

void number_line_iana(char text[NUMBER_LINE_SIZE])
{
	char row[NUMBER_LINE_COLUMNS + 1];

	start(row);
	mark(row, 1024, 49151, " registered 1024-49151 ");
	mark(row, 49152, 65535, " dynamic ");
	row[0] = 'S'; /* 1-1023: one column */
	snprintf(text, NUMBER_LINE_SIZE, "%-*s%s", NUMBER_LINE_MARGIN, "IANA", row);
}

bool number_line_kernel(char text[NUMBER_LINE_SIZE])
{
	char row[NUMBER_LINE_COLUMNS + 1], name[64];
	struct port_range range;

	if (machine_ephemeral_range(&range) == -1)
		return false;
	start(row);
	snprintf(name, sizeof name, " %u-%u ", range.first, range.last);
	mark(row, range.first, range.last, name);
	snprintf(text, NUMBER_LINE_SIZE, "%-*s%s", NUMBER_LINE_MARGIN, "this kernel", row);
	cut_blanks(text);
	return true;
}
