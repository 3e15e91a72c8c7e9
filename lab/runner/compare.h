/* compare.h - "=", "!=", "<", "<=", ">", ">=": comparisons as worksheets write them. */
#ifndef PORTLAB_COMPARE_H
#define PORTLAB_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

enum comparison { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, NO_COMPARISON };

/* The one with which the text begins, and its length; NO_COMPARISON and 0 for none. */
enum comparison comparison_at(const char *text, size_t *length);

bool comparison_holds(long one, enum comparison comparison, long other);

/* "at least", "exactly": before a number, in a sentence. */
const char *comparison_words(enum comparison comparison);

/* Reads a whole number from 0 to 2^31-1. Returns 0, or -1. */
int number_parse(const char *text, long *number);

/*
 * Reads what ports may be: "3306", "1024-49151", a class ("system"), "kernel-range". Returns
 * 0, or -1 where it is none of them. kernel-range is asked of this kernel now; where it does
 * not tell, -1 with *unknown set.
 */
int ports_parse(const char *text, long *first, long *last, bool *unknown);

#endif
