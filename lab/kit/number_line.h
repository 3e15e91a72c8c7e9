/*
 * number_line.h - the line of all port numbers from 0 to 65535 as text, 80 columns wide.
 *
 * It has 64 columns of 1024 ports, so that system ports are exactly the first column and
 * IANA's dynamic range begins exactly with the 49th. Every function writes one line
 * without its newline, and without blanks at its end.
 *
 * Source: RFC 6335 (the ranges).
 */
#ifndef PORTLAB_NUMBER_LINE_H
#define PORTLAB_NUMBER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NUMBER_LINE_COLUMNS = 64,
	NUMBER_LINE_PORTS = 1024, /* in each column */
	NUMBER_LINE_MARGIN = 12,  /* for a name before them */
	NUMBER_LINE_SIZE = 320    /* for a line, in bytes: a block character takes three */
};

/* How many of something in each column. */
struct number_line {
	size_t counts[NUMBER_LINE_COLUMNS];
};

void number_line_add(struct number_line *line, uint16_t port);
size_t number_line_most(const struct number_line *line);

/*
 * One of `rows` rows of bars, 0 the lowest. The highest bar fills all rows; any count above
 * 0 shows. With utf8 in block characters, else in ASCII. `name` stands in the margin.
 */
void number_line_bars(const struct number_line *line, unsigned row, unsigned rows, bool utf8,
                      const char *name, char text[NUMBER_LINE_SIZE]);

/* The numbers below: 0, 8192, ... */
void number_line_scale(char text[NUMBER_LINE_SIZE]);

/* IANA's ranges. */
void number_line_iana(char text[NUMBER_LINE_SIZE]);

/* This kernel's ephemeral range. Returns false where the system does not show it. */
bool number_line_kernel(char text[NUMBER_LINE_SIZE]);

#endif
