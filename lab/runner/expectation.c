/* expectation.c - see expectation.h. */
#include "runner/expectation.h"

#include "runner/compare.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MOST = 12, WORD_SIZE = 64, PATTERN_SIZE = 200 };

enum form { FORM_IN, FORM_EQUAL, FORM_DIFFERENT, FORM_COMPARE, FORM_COUNT };

struct expectation {
	enum form form;
	char names[WORDS_MOST][CAPTURE_NAME_SIZE]; /* of what was kept */
	size_t name_count;
	char operand[WORD_SIZE]; /* a range, a class, a number or <name> */
	enum comparison comparison;
	char terminal;
	char pattern[PATTERN_SIZE];
};

static bool wrong(char reason[EXPECTATION_REASON_SIZE], const char *words)
{
	snprintf(reason, EXPECTATION_REASON_SIZE, "%s", words);
	return false;
}

static void split(const char *text, char words[WORDS_MOST][WORD_SIZE], size_t *count)
{
	*count = 0;
	while (*count < WORDS_MOST) {
		text += strspn(text, " \t\n");
		size_t length = strcspn(text, " \t\n");
		if (length == 0)
			return;
		snprintf(words[(*count)++], WORD_SIZE, "%.*s", (int)(length < 60 ? length : 60), text);
		text += length;
	}
}

static bool take_comparison(const char *word, struct expectation *expectation)
{
	size_t length;

	expectation->comparison = comparison_at(word, &length);
	return expectation->comparison != NO_COMPARISON && word[length] == '\0';
}

/* count A "pattern" = 3 */
static bool parse_count(const char *text, struct expectation *expectation,
                        char reason[EXPECTATION_REASON_SIZE])
{
	static const char usage[] = "after count come a terminal, a pattern in quotes, "
	                            "a comparison and a number: count A \"accept #...\" = 3";
	char words[WORDS_MOST][WORD_SIZE];
	size_t count;
	const char *from = strchr(text, '"');
	const char *to = from != NULL ? strrchr(from + 1, '"') : NULL;
	long number;

	expectation->form = FORM_COUNT;
	text += strspn(text, " \t\n") + strlen("count");
	text += strspn(text, " \t\n");
	expectation->terminal = *text;
	if (to == NULL || to == from + 1 || (size_t)(to - from) > PATTERN_SIZE || *text < 'A' ||
	    *text > 'Z')
		return wrong(reason, usage);
	snprintf(expectation->pattern, PATTERN_SIZE, "%.*s", (int)(to - from - 1), from + 1);
	split(to + 1, words, &count);
	if (count != 2 || !take_comparison(words[0], expectation) ||
	    number_parse(words[1], &number) == -1)
		return wrong(reason, usage);
	strcpy(expectation->operand, words[1]);
	return true;
}

static bool parse(const char *text, struct expectation *expectation,
                  char reason[EXPECTATION_REASON_SIZE])
{
	char words[WORDS_MOST][WORD_SIZE], name[CAPTURE_NAME_SIZE];
	size_t count, next = 0;
	long first, last;
	bool unknown;

	memset(expectation, 0, sizeof *expectation);
	split(text, words, &count);
	if (count > 0 && strcmp(words[0], "count") == 0)
		return parse_count(text, expectation, reason);
	while (next < count && capture_name_at(words[next], name) == strlen(words[next]))
		strcpy(expectation->names[expectation->name_count++], (next++, name));
	if (count == WORDS_MOST)
		return wrong(reason, "this is too long");
	if (next == 0 || next == count)
		return wrong(reason,
		             "an expectation begins with <names> and then says something of them");
	const char *verb = words[next++];
	if (strcmp(verb, "equal") == 0 || strcmp(verb, "different") == 0) {
		expectation->form = verb[0] == 'e' ? FORM_EQUAL : FORM_DIFFERENT;
		return next == count && expectation->name_count > 1
		           ? true
		           : wrong(reason, "equal and different come last, after two names or more");
	}
	if (next + 1 != count || expectation->name_count != 1)
		return wrong(reason, "give one <name>, then in, is or a comparison, then one word");
	strcpy(expectation->operand, words[next]);
	if (strcmp(verb, "in") == 0 || strcmp(verb, "is") == 0) {
		expectation->form = FORM_IN;
		return ports_parse(words[next], &first, &last, &unknown) == 0 || unknown
		           ? true
		           : wrong(reason, "in and is take a range 1024-49151, kernel-range, or one of "
		                           "system, registered, dynamic");
	}
	expectation->form = FORM_COMPARE;
	if (!take_comparison(verb, expectation))
		return wrong(reason,
		             "it is one of: in, is, equal, different, =, !=, <, <=, >, >=, count");
	return capture_name_at(words[next], name) > 0 || number_parse(words[next], &first) == 0
	           ? true
	           : wrong(reason, "a comparison is with a number or a <name>");
}

bool expectation_is_valid(const char *text, char reason[EXPECTATION_REASON_SIZE])
{
	struct expectation expectation;

	return parse(text, &expectation, reason);
}

static bool in_range(const struct expectation *expectation, const char *value,
                     char reason[EXPECTATION_REASON_SIZE])
{
	long number, first, last;
	bool unknown;

	if (ports_parse(expectation->operand, &first, &last, &unknown) == -1)
		return unknown ? true : wrong(reason, "not a range"); /* this system does not tell */
	if (number_parse(value, &number) == 0 && number >= first && number <= last)
		return true;
	snprintf(reason, EXPECTATION_REASON_SIZE, "expected <%s> in %s (%ld-%ld), seen %s",
	         expectation->names[0], expectation->operand, first, last, value);
	return false;
}

static bool all_same_or_different(const struct expectation *expectation,
                                  const struct captures *captures,
                                  char reason[EXPECTATION_REASON_SIZE])
{
	bool want_equal = expectation->form == FORM_EQUAL;

	for (size_t i = 0; i < expectation->name_count; i++)
		for (size_t j = i + 1; j < expectation->name_count; j++) {
			const char *one = captures_find(captures, expectation->names[i]);
			const char *other = captures_find(captures, expectation->names[j]);
			if ((strcmp(one, other) == 0) == want_equal)
				continue;
			snprintf(reason, EXPECTATION_REASON_SIZE,
			         "expected <%s> and <%s> to be %s, seen %s and %s", expectation->names[i],
			         expectation->names[j], want_equal ? "equal" : "different", one, other);
			return false;
		}
	return true;
}

static bool compares(const struct expectation *expectation, const struct captures *captures,
                     const char *value, char reason[EXPECTATION_REASON_SIZE])
{
	char name[CAPTURE_NAME_SIZE];
	const char *other = expectation->operand;
	long one_number, other_number;

	if (capture_name_at(other, name) > 0)
		other = captures_find(captures, name);
	if (other != NULL && number_parse(value, &one_number) == 0 &&
	    number_parse(other, &other_number) == 0 &&
	    comparison_holds(one_number, expectation->comparison, other_number))
		return true;
	snprintf(reason, EXPECTATION_REASON_SIZE, "expected <%s> to be %s %s, seen %s and %s",
	         expectation->names[0], comparison_words(expectation->comparison),
	         expectation->operand, value, other != NULL ? other : "nothing");
	return false;
}

static bool counts(const struct expectation *expectation, line_counter count, void *argument,
                   char reason[EXPECTATION_REASON_SIZE])
{
	long seen = count(argument, expectation->terminal, expectation->pattern), wanted;

	if (number_parse(expectation->operand, &wanted) == 0 &&
	    comparison_holds(seen, expectation->comparison, wanted))
		return true;
	snprintf(reason, EXPECTATION_REASON_SIZE,
	         "expected %s %s lines \"%.120s\" on terminal %c, seen %ld",
	         comparison_words(expectation->comparison), expectation->operand,
	         expectation->pattern, expectation->terminal, seen < 0 ? 0 : seen);
	return false;
}

bool expectation_holds(const char *text, const struct captures *captures, line_counter count,
                       void *argument, char reason[EXPECTATION_REASON_SIZE])
{
	struct expectation expectation;

	if (!parse(text, &expectation, reason))
		return false;
	if (expectation.form == FORM_COUNT)
		return counts(&expectation, count, argument, reason);
	for (size_t i = 0; i < expectation.name_count; i++)
		if (captures_find(captures, expectation.names[i]) == NULL) {
			snprintf(reason, EXPECTATION_REASON_SIZE, "<%s> was not seen before",
			         expectation.names[i]);
			return false;
		}
	const char *value = captures_find(captures, expectation.names[0]);
	if (expectation.form == FORM_IN)
		return in_range(&expectation, value, reason);
	if (expectation.form == FORM_COMPARE)
		return compares(&expectation, captures, value, reason);
	return all_same_or_different(&expectation, captures, reason);
}
