/* print.c - see print.h. */
#include "instruments/print.h"

#include "kit/narrate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned long lines;

unsigned long print_lines(void)
{
	return lines;
}

void print(const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	for (const char *at = line; *at != '\0'; at++)
		lines += *at == '\n';
	(void)narrate_raw(line, strlen(line));
}
