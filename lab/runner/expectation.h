/*
 * expectation.h - what must be true of the words that a worksheet has kept: the directive
 * "expect". The forms are listed in lab/exercises/README.md.
 */
#ifndef PORTLAB_EXPECTATION_H
#define PORTLAB_EXPECTATION_H

#include "runner/match.h"

#include <stdbool.h>
#include <stddef.h>

/* Size for a reason in words. */
enum { EXPECTATION_REASON_SIZE = 320 };

/* How many lines of a terminal match; -1 where there is no such terminal. */
typedef long (*line_counter)(void *argument, char terminal, const char *pattern);

/*
 * Whether it is true. If not, the reason says what was expected and what was seen. A range
 * that this system does not tell (kernel-range) holds every number.
 */
bool expectation_holds(const char *text, const struct captures *captures, line_counter count,
                       void *argument, char reason[EXPECTATION_REASON_SIZE]);

/* Whether it is one. If not, the reason says what is wrong with it. */
bool expectation_is_valid(const char *text, char reason[EXPECTATION_REASON_SIZE]);

#endif
