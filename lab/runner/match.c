/* match.c - see match.h. */
#include "runner/match.h"

#include <string.h>

/*
 * A limit to how much is tried: worksheets are written by people, output is not. Beyond it
 * nothing matches.
 */
enum { STEPS_MOST = 4000000 };
static unsigned steps;

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

size_t capture_name_at(const char *text, char name[CAPTURE_NAME_SIZE])
{
	size_t length = 1;

	if (text[0] != '<' || text[1] < 'a' || text[1] > 'z')
		return 0;
	while ((text[length] >= 'a' && text[length] <= 'z') ||
	       (text[length] >= '0' && text[length] <= '9') || text[length] == '-')
		length++;
	if (text[length] != '>' || length > CAPTURE_NAME_SIZE)
		return 0;
	memcpy(name, text + 1, length - 1);
	name[length - 1] = '\0';
	return length + 1;
}

const char *captures_find(const struct captures *captures, const char *name)
{
	for (size_t i = 0; i < captures->count; i++)
		if (strcmp(captures->items[i].name, name) == 0)
			return captures->items[i].value;
	return NULL;
}

static bool keep(struct captures *captures, const char *name, const char *value, size_t length)
{
	if (captures->count == CAPTURES_MOST || length == 0 || length >= CAPTURE_VALUE_SIZE)
		return false;
	struct capture *capture = &captures->items[captures->count++];
	strcpy(capture->name, name);
	memcpy(capture->value, value, length);
	capture->value[length] = '\0';
	return true;
}

static bool begins_with_any(const char *pattern)
{
	return strncmp(pattern, "...", 3) == 0;
}

/*
 * A name ends where a word ends if "..." follows: else "..." could take the rest of a number
 * of which the name took the beginning.
 */
static bool may_end(const char *pattern_after, const char *text_after)
{
	return !begins_with_any(pattern_after) || !is_word(*text_after);
}

static bool match_here(const char *pattern, const char *text, char before,
                       struct captures *captures);

static bool match_name(const char *pattern, size_t pattern_length, const char *name,
                       const char *text, struct captures *captures)
{
	const char *after = pattern + pattern_length;
	const char *known = captures_find(captures, name);
	size_t most = strcspn(text, " \t"), length;

	if (known != NULL) {
		length = strlen(known);
		return strncmp(text, known, length) == 0 && may_end(after, text + length) &&
		       match_here(after, text + length, known[length - 1], captures);
	}
	/* The longest first: a number is taken whole. */
	for (length = most; length > 0; length--) {
		size_t count = captures->count;
		if (may_end(after, text + length) && keep(captures, name, text, length) &&
		    match_here(after, text + length, text[length - 1], captures))
			return true;
		captures->count = count;
	}
	return false;
}

/* "...": as few characters as possible; a name behind it begins where a word begins. */
static bool match_any(const char *pattern, const char *text, char before,
                      struct captures *captures)
{
	char name[CAPTURE_NAME_SIZE];
	bool name_follows = capture_name_at(pattern, name) > 0;

	for (;; before = *text++) {
		bool inside_word = name_follows && is_word(before) && is_word(*text);
		if (!inside_word && match_here(pattern, text, before, captures))
			return true;
		if (*text == '\0')
			return false;
	}
}

static bool match_here(const char *pattern, const char *text, char before,
                       struct captures *captures)
{
	char name[CAPTURE_NAME_SIZE];

	if (steps++ > STEPS_MOST)
		return false;
	for (; *pattern != '\0'; before = *text, pattern++, text++) {
		size_t length = capture_name_at(pattern, name);
		if (length > 0)
			return match_name(pattern, length, name, text, captures);
		if (begins_with_any(pattern))
			return match_any(pattern + 3, text, before, captures);
		if (is_blank(*pattern)) {
			pattern += strspn(pattern, " \t");
			size_t blanks = strspn(text, " \t");
			if (blanks == 0 && *text != '\0' && !is_blank(before))
				return false;
			return match_here(pattern, text + blanks, ' ', captures);
		}
		if (*pattern != *text)
			return false;
	}
	return text[strspn(text, " \t")] == '\0';
}

static bool match_whole(const char *pattern, const char *line, struct captures *captures)
{
	size_t count = captures->count;

	pattern += strspn(pattern, " \t");
	line += strspn(line, " \t");
	if (match_here(pattern, line, ' ', captures))
		return true;
	captures->count = count;
	return false;
}

bool match_line(const char *pattern, const char *line, struct captures *captures)
{
	steps = 0;
	return match_whole(pattern, line, captures);
}

bool match_is_blank(const char *text)
{
	return text[strspn(text, " \t")] == '\0';
}

bool match_is_any(const char *pattern)
{
	pattern += strspn(pattern, " \t");
	return begins_with_any(pattern) && pattern[3 + strspn(pattern + 3, " \t")] == '\0';
}

struct attempt {
	const char *const *patterns, *const *lines;
	size_t pattern_count, line_count;
	struct captures *captures;
	struct match_result *result;
};

static bool match_from(struct attempt *attempt, size_t pattern, size_t line)
{
	struct match_result *result = attempt->result;

	if (steps++ > STEPS_MOST) /* one "..." after the other: more ways than can be tried */
		return false;
	while (line < attempt->line_count && match_is_blank(attempt->lines[line]))
		line++;
	while (pattern < attempt->pattern_count && match_is_blank(attempt->patterns[pattern]))
		pattern++;
	if (pattern > result->reached || (pattern == result->reached && line > result->stuck_at)) {
		result->reached = pattern;
		result->stuck_at = line;
	}
	if (pattern == attempt->pattern_count) {
		result->used = line;
		return true;
	}
	if (match_is_any(attempt->patterns[pattern])) {
		for (size_t next = line; next <= attempt->line_count; next++)
			if (match_from(attempt, pattern + 1, next))
				return true;
		return false;
	}
	size_t count = attempt->captures->count;
	if (line == attempt->line_count)
		result->hopeless = false;
	if (line < attempt->line_count && steps < STEPS_MOST &&
	    match_whole(attempt->patterns[pattern], attempt->lines[line], attempt->captures) &&
	    match_from(attempt, pattern + 1, line + 1))
		return true;
	attempt->captures->count = count;
	return false;
}

bool match_lines(const char *const *patterns, size_t pattern_count, const char *const *lines,
                 size_t line_count, struct captures *captures, struct match_result *result)
{
	struct attempt attempt = {patterns, lines, pattern_count, line_count, captures, result};

	steps = 0;
	*result = (struct match_result){.hopeless = true};
	return match_from(&attempt, 0, 0);
}

int captures_fill(const struct captures *captures, const char *text, char *filled, size_t size)
{
	size_t used = 0;

	while (*text != '\0') {
		char name[CAPTURE_NAME_SIZE];
		size_t length = capture_name_at(text, name);
		const char *value = length > 0 ? captures_find(captures, name) : NULL;
		const char *from = value != NULL ? value : text;
		size_t count = value != NULL ? strlen(value) : 1;
		if (used + count >= size)
			return -1;
		memcpy(filled + used, from, count);
		used += count;
		text += value != NULL ? length : 1;
	}
	filled[used] = '\0';
	return 0;
}
