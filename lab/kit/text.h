/* text.h - text from outside made safe for a terminal, and small helpers for sentences. */
#ifndef PORTLAB_TEXT_H
#define PORTLAB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes bytes so that a terminal shows them and obeys none of them: printable characters
 * of this locale as they are, \n \r \t \\ and \" by name, everything else as \xHH. Ends
 * with "..." where `size` is too small for all. Returns text.
 */
char *text_escape(const void *bytes, size_t length, char *text, size_t size);

/*
 * The same for text that stays text: newline and tab, quotes and backslashes as they are.
 * `size` must be at least 4 * length + 12.
 */
char *text_make_safe(const void *bytes, size_t length, char *text, size_t size);

/*
 * The character with which the bytes begin, which end with a 0, read as UTF-8 (RFC 3629) in any
 * locale; *length gets its bytes, 0 where it is none.
 */
uint32_t text_utf8(const void *bytes, size_t *length);

/*
 * Whether a character of Unicode steers what comes after it, on a terminal or in the reader's
 * eye, and prints nothing: a control character, or an invisible one.
 */
bool text_steers(uint32_t character);

/* Whether this locale's terminal shows UTF-8 (call setlocale first). */
bool text_is_utf8(void);

/* The columns that UTF-8 text takes, one for each character. */
size_t text_columns(const char *text);

/* Adds formatted text at the end of what is in `text`; cut where it does not fit. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void text_add(char *text, size_t size, const char *format, ...);

/*
 * Appends a word, then blanks until it has so many columns. Cut to fit `size` bytes with
 * the NUL. Quicker than text_add(): a busy server tells a hundred thousand events a second.
 */
void text_add_word(char *text, size_t size, const char *word, size_t columns);

#endif
