/*
 * match.h - what a worksheet says a terminal will show, held against what it shows.
 *
 * A pattern is a line in which "..." stands for any characters or none, and <name> for a run
 * of characters without blanks: the first time it is kept, later it must be the same. A run
 * of blanks matches any run of blanks; blanks at both ends and blank lines do not count.
 * Nothing else is forgiven: a kept number never matches a part of a longer one.
 */
#ifndef PORTLAB_MATCH_H
#define PORTLAB_MATCH_H

#include <stdbool.h>
#include <stddef.h>

enum { CAPTURE_NAME_SIZE = 24, CAPTURE_VALUE_SIZE = 128, CAPTURES_MOST = 64 };

struct capture {
	char name[CAPTURE_NAME_SIZE];
	char value[CAPTURE_VALUE_SIZE];
};

struct captures {
	struct capture items[CAPTURES_MOST];
	size_t count;
};

/*
 * If `text` begins with "<name>" (a lower-case letter, then letters, digits and -), its
 * length with both brackets, and the name; else 0.
 */
size_t capture_name_at(const char *text, char name[CAPTURE_NAME_SIZE]);

/* What was kept under the name, or NULL. */
const char *captures_find(const struct captures *captures, const char *name);

/*
 * Whether the line is what the pattern says. If so, names that are new in it are kept;
 * if not, nothing is.
 */
bool match_line(const char *pattern, const char *line, struct captures *captures);

/* Whether there is nothing but blanks. */
bool match_is_blank(const char *text);

/* Whether the pattern is "...", any number of lines. */
bool match_is_any(const char *pattern);

/*
 * Matches patterns against lines, in order; "..." takes as few lines as possible. Returns
 * true if every pattern found its line, and *used lines were needed; then names are kept.
 * Else *reached is the number of patterns that found their line in the best attempt, and
 * *stuck_at the line at which the next one should have been.
 */
struct match_result {
	size_t used;
	size_t reached, stuck_at;
	bool hopeless; /* no further line can help */
};
bool match_lines(const char *const *patterns, size_t pattern_count, const char *const *lines,
                 size_t line_count, struct captures *captures, struct match_result *result);

/*
 * Writes the text with every <name> that was kept replaced. Returns 0, or -1 where it does
 * not fit.
 */
int captures_fill(const struct captures *captures, const char *text, char *filled, size_t size);

#endif
