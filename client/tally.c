/* tally.c - see tally.h. */
#include "tally.h"

#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/port.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * 64 columns of 1024 ports each: system ports are exactly the first, and the dynamic range
 * begins exactly with the 49th.
 */
enum { COLUMNS = 64, PER_COLUMN = 1024, INDENT = 12, LINE = 512 };

int tally_add(struct tally *tally, uint16_t port)
{
	if (tally->count == tally->room) {
		size_t room = tally->room == 0 ? 64 : tally->room * 2;
		uint16_t *ports = realloc(tally->ports, room * sizeof *ports);
		if (ports == NULL)
			return -1;
		tally->ports = ports;
		tally->room = room;
	}
	tally->ports[tally->count++] = port;
	return 0;
}

void tally_free(struct tally *tally)
{
	free(tally->ports);
	*tally = (struct tally){.unit = tally->unit};
}

struct tally_facts tally_facts_of(const struct tally *tally)
{
	static unsigned char seen[65536 / 8];
	struct tally_facts facts = {.lowest = UINT16_MAX};
	struct port_range range;
	bool known = machine_ephemeral_range(&range) == 0;

	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < tally->count; i++) {
		uint16_t port = tally->ports[i];
		unsigned char bit = (unsigned char)(1 << (port & 7));
		facts.different += (seen[port >> 3] & bit) == 0;
		seen[port >> 3] |= bit;
		facts.lowest = port < facts.lowest ? port : facts.lowest;
		facts.highest = port > facts.highest ? port : facts.highest;
		facts.even += port % 2 == 0;
		facts.below_1024 += port < 1024;
		facts.in_dynamic += port >= 49152;
		facts.in_kernel_range += known && port >= range.first && port <= range.last;
		facts.rising += i > 0 && port > tally->ports[i - 1];
	}
	return facts;
}

static void print(const char *line)
{
	(void)narrate_raw(line, strlen(line)); /* a failure is remembered there */
}

static void print_scale(void)
{
	print("            0       8192    16384   24576   32768   40960   49152   57344  65535\n");
}

/* A row of marks that fills columns first to last with a name in it. */
static void mark_range(char row[COLUMNS + 1], unsigned first, unsigned last, const char *name)
{
	size_t from = first / PER_COLUMN, to = last / PER_COLUMN;
	size_t width = to - from + 1, length = strlen(name);

	memset(row + from, '-', width);
	if (width >= 2) {
		row[from] = '[';
		row[to] = ']';
	}
	if (length + 4 <= width)
		memcpy(row + from + (width - length) / 2, name, length);
}

static void print_ranges(void)
{
	char row[COLUMNS + 1], line[LINE], text[64];
	struct port_range range;

	memset(row, ' ', COLUMNS);
	row[COLUMNS] = '\0';
	mark_range(row, 1024, 49151, " registered 1024-49151 ");
	mark_range(row, 49152, 65535, " dynamic ");
	row[0] = 'S'; /* 1-1023: one column */
	snprintf(line, sizeof line, "%-*s%s\n", INDENT, "IANA", row);
	print(line);
	if (machine_ephemeral_range(&range) == -1)
		return;
	memset(row, ' ', COLUMNS);
	snprintf(text, sizeof text, " %u-%u ", range.first, range.last);
	mark_range(row, range.first, range.last, text);
	for (size_t end = COLUMNS; end > 0 && row[end - 1] == ' '; end--)
		row[end - 1] = '\0';
	snprintf(line, sizeof line, "%-*s%s\n", INDENT, "this kernel", row);
	print(line);
}

/* The height of each column in eighths of a row; any port at all gives at least one. */
static unsigned heights_of(const struct tally *tally, unsigned rows, unsigned heights[COLUMNS])
{
	size_t counts[COLUMNS] = {0}, most = 1;

	for (size_t i = 0; i < tally->count; i++)
		counts[tally->ports[i] / PER_COLUMN]++;
	for (size_t i = 0; i < COLUMNS; i++)
		most = counts[i] > most ? counts[i] : most;
	for (size_t i = 0; i < COLUMNS; i++) {
		heights[i] = (unsigned)(counts[i] * rows * 8 / most);
		if (counts[i] > 0 && heights[i] == 0)
			heights[i] = 1;
	}
	return (unsigned)most;
}

static void print_bars(const struct tally *tally, bool utf8)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ".", ":", ":", "|", "|", "#", "#"};
	const char *const *shapes = utf8 ? blocks : ascii;
	enum { ROWS = 6 };
	unsigned heights[COLUMNS];
	unsigned most = heights_of(tally, ROWS, heights);

	for (unsigned row = ROWS; row-- > 0;) {
		char line[LINE] = "";
		if (row == ROWS - 1)
			text_add(line, sizeof line, "%7u     ", most);
		else
			text_add(line, sizeof line, "%*s", INDENT, "");
		for (size_t i = 0; i < COLUMNS; i++) {
			unsigned above = heights[i] > row * 8 ? heights[i] - row * 8 : 0;
			text_add(line, sizeof line, "%s", shapes[above > 8 ? 8 : above]);
		}
		size_t end = strlen(line);
		while (end > 0 && line[end - 1] == ' ')
			line[--end] = '\0';
		text_add(line, sizeof line, "\n");
		print(line);
	}
}

static void print_facts(const struct tally *tally)
{
	struct tally_facts facts = tally_facts_of(tally);
	struct port_range range;
	char line[LINE] = "";

	text_add(line, sizeof line, "\n%zu %s, %zu different source ports, %u to %u\n",
	         tally->count, tally->unit, facts.different, facts.lowest, facts.highest);
	if (facts.below_1024 == 0)
		text_add(line, sizeof line, "  none is a system port (below 1024)\n");
	else
		text_add(line, sizeof line, "  %zu are system ports (below 1024)\n", facts.below_1024);
	if (machine_ephemeral_range(&range) == 0)
		text_add(line, sizeof line, "  %zu of %zu are in this kernel's range %u-%u\n",
		         facts.in_kernel_range, tally->count, range.first, range.last);
	text_add(line, sizeof line, "  %zu of %zu are in IANA's dynamic range 49152-65535\n",
	         facts.in_dynamic, tally->count);
	if (tally->count > 1 && (facts.even == 0 || facts.even == tally->count))
		text_add(line, sizeof line, "  all are %s\n", facts.even == 0 ? "odd" : "even");
	else if (tally->count > 1)
		text_add(line, sizeof line, "  %zu are even, %zu odd\n", facts.even,
		         tally->count - facts.even);
	if (tally->count > 2)
		text_add(line, sizeof line,
		         "  %zu times of %zu the next one was higher than the last\n", facts.rising,
		         tally->count - 1);
	print(line);
}

void tally_plot(const struct tally *tally, bool utf8)
{
	print("\nsource ports, in columns of 1024 numbers\n");
	print_bars(tally, utf8);
	print_scale();
	print_ranges();
	print("            S: system ports, 1-1023\n");
	print_facts(tally);
}
