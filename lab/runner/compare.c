/* compare.c - see compare.h. */
#include "runner/compare.h"

#include "kit/machine.h"
#include "kit/port.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *sign, *words;
} comparisons[] = {
    [EQUAL] = {"=", "exactly"},     [NOT_EQUAL] = {"!=", "not"},
    [LESS] = {"<", "fewer than"},   [LESS_EQUAL] = {"<=", "at most"},
    [GREATER] = {">", "more than"}, [GREATER_EQUAL] = {">=", "at least"},
};

enum comparison comparison_at(const char *text, size_t *length)
{
	enum comparison found = NO_COMPARISON;

	*length = 0;
	for (int i = 0; i < NO_COMPARISON; i++) {
		size_t size = strlen(comparisons[i].sign);
		if (size > *length && strncmp(text, comparisons[i].sign, size) == 0) {
			found = (enum comparison)i;
			*length = size;
		}
	}
	return found;
}

bool comparison_holds(long one, enum comparison comparison, long other)
{
	switch (comparison) {
	case EQUAL:
		return one == other;
	case NOT_EQUAL:
		return one != other;
	case LESS:
		return one < other;
	case LESS_EQUAL:
		return one <= other;
	case GREATER:
		return one > other;
	case GREATER_EQUAL:
		return one >= other;
	case NO_COMPARISON:
		break;
	}
	return false;
}

const char *comparison_words(enum comparison comparison)
{
	return comparison == NO_COMPARISON ? "" : comparisons[comparison].words;
}

int number_parse(const char *text, long *number)
{
	size_t length = strspn(text, "0123456789");

	if (length == 0 || length > 10 || text[length] != '\0')
		return -1;
	long long value = strtoll(text, NULL, 10);
	if (value > INT_MAX)
		return -1;
	*number = (long)value;
	return 0;
}

int ports_parse(const char *text, long *first, long *last, bool *unknown)
{
	char copy[32];
	size_t count;
	const struct port_class *classes = port_classes(&count);
	struct port_range range;

	*unknown = false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(classes[i].name, text) == 0) {
			*first = classes[i].first;
			*last = classes[i].last;
			return 0;
		}
	if (strcmp(text, "kernel-range") == 0) {
		*unknown = machine_ephemeral_range(&range) == -1;
		*first = *unknown ? 0 : range.first;
		*last = *unknown ? 0 : range.last;
		return *unknown ? -1 : 0;
	}
	if (strlen(text) >= sizeof copy)
		return -1;
	strcpy(copy, text);
	char *dash = strchr(copy, '-');
	if (dash != NULL)
		*dash = '\0';
	if (number_parse(copy, first) == -1 ||
	    number_parse(dash != NULL ? dash + 1 : copy, last) == -1)
		return -1;
	return *first <= *last && *last <= 65535 ? 0 : -1;
}
