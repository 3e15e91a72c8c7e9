/*
 * support.h - what the targets share: they end by abort() where something does not hold, read
 * an input piece by piece, and look at what was written.
 */
#ifndef PORTLAB_FUZZ_SUPPORT_H
#define PORTLAB_FUZZ_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What was read wrongly must not go on unseen. Inline, so that analyzers see it end. */
static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/* Copies of exactly that size, to be freed, so that a byte too many is found. */
uint8_t *bytes_of(const uint8_t *bytes, size_t length);
char *string_of(const uint8_t *bytes, size_t length);

/* An input as a sequence of steps. After its end, zeros. */
struct input {
	const uint8_t *next;
	size_t left;
};
uint8_t input_byte(struct input *input);
uint32_t input_word(struct input *input); /* four bytes */

/* At most so many bytes of it; how many to *length. */
const uint8_t *input_bytes(struct input *input, size_t most, size_t *length);

/*
 * Calls the function with descriptor 1 or 2 going to a file. Returns what it wrote there, to
 * be freed.
 */
char *output_of(int fd, void (*run)(void *argument), void *argument, size_t *length);

/* No byte steers a terminal: newlines and tabs, and nothing else below a blank. */
bool is_harmless(const char *text, size_t length);

/* One JSON value (RFC 8259), in UTF-8, and nothing after it. */
bool json_is_valid(const char *text, size_t length);

#endif
