/* tally.c - see tally.h. */
#include "tally.h"

#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/number_line.h"
#include "kit/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* One line. A failure to write it is remembered in narrate. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
static void
print(const char *format, ...)
{
	char line[NUMBER_LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof line - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n");
	(void)narrate_raw(line, strlen(line));
}

static void print_picture(const struct tally *tally, bool utf8)
{
	enum { ROWS = 6 };
	struct number_line line = {{0}};
	char text[NUMBER_LINE_SIZE], most[24];

	for (size_t i = 0; i < tally->count; i++)
		number_line_add(&line, tally->ports[i]);
	snprintf(most, sizeof most, "%7zu", number_line_most(&line));
	for (unsigned row = ROWS; row-- > 0;) {
		number_line_bars(&line, row, ROWS, utf8, row == ROWS - 1 ? most : "", text);
		print("%s", text);
	}
	number_line_scale(text);
	print("%s", text);
	number_line_iana(text);
	print("%s", text);
	if (number_line_kernel(text))
		print("%s", text);
	print("            S: system ports, 1-1023");
}

static void print_facts(const struct tally *tally)
{
	struct tally_facts facts = tally_facts_of(tally);
	struct port_range range;
	size_t count = tally->count;

	print("%s", "");
	if (count == 1)
		print("one source port: %u", facts.lowest);
	else
		print("%zu %s, %zu different source port%s, %u to %u", count, tally->unit,
		      facts.different, facts.different == 1 ? "" : "s", facts.lowest, facts.highest);
	if (facts.below_1024 == 0)
		print("  none is a system port (below 1024)");
	else
		print("  %zu below 1024: system ports", facts.below_1024);
	if (machine_ephemeral_range(&range) == 0)
		print("  %zu of %zu in this kernel's range %u-%u", facts.in_kernel_range, count,
		      range.first, range.last);
	print("  %zu of %zu in IANA's dynamic range 49152-65535", facts.in_dynamic, count);
	if (count > 1 && (facts.even == 0 || facts.even == count))
		print("  all are %s", facts.even == 0 ? "odd" : "even");
	else if (count > 1)
		print("  %zu are even, %zu odd", facts.even, count - facts.even);
	if (count > 2)
		print("  %zu times of %zu the next one was higher than the last", facts.rising,
		      count - 1);
}

void tally_plot(const struct tally *tally, bool utf8)
{
	print("%s", "");
	print("source ports, in columns of 1024 numbers");
	print_picture(tally, utf8);
	print_facts(tally);
}
