/* show.h - a segment on the screen: as lines, as an arrow, field by field, as a sum. */
#ifndef PORTLAB_WIRE_SHOW_H
#define PORTLAB_WIRE_SHOW_H

#include "wire/conversation.h"

/* Three lines: what it is, what it says, the numbers. `seconds` since the first one. */
void show_lines(double seconds, const struct segment *segment, const struct told *told);

/* An arrow between the two sides, with the states that the rules give them after it. */
void show_arrow_heading(void);
void show_arrow(const struct segment *segment, const struct told *told);

/* The header, field by field, the bits of the two ports first. */
void show_header(const struct segment *segment);

/* The checksum, step by step, word by word (RFC 1071). */
void show_checksum(const struct segment *segment);

/* A "segment" event of JSON. */
void show_json(double seconds, const struct segment *segment, const struct told *told);

#endif
