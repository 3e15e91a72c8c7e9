/* tap.h - a unit test in one header: checks that speak TAP, one line each. */
#ifndef PORTLAB_TAP_H
#define PORTLAB_TAP_H

#include <stdio.h>
#include <string.h>

static int tap_count, tap_failures;

/* Reports one check. Returns whether it held. */
static inline int tap_check(int held, const char *what, const char *file, int line)
{
	printf("%sok %d %s\n", held ? "" : "not ", ++tap_count, what);
	if (!held) {
		tap_failures++;
		printf("# at %s:%d\n", file, line);
	}
	return held;
}

static inline void tap_check_string(const char *seen, const char *expected, const char *what,
                                    const char *file, int line)
{
	if (!tap_check(seen != NULL && strcmp(seen, expected) == 0, what, file, line))
		printf("# expected: %s\n# seen:     %s\n", expected, seen != NULL ? seen : "(null)");
}

static inline void tap_check_number(long long seen, long long expected, const char *what,
                                    const char *file, int line)
{
	if (!tap_check(seen == expected, what, file, line))
		printf("# expected: %lld\n# seen:     %lld\n", expected, seen);
}

#define CHECK(condition, what) (void)tap_check(!!(condition), what, __FILE__, __LINE__)
#define CHECK_STRING(seen, expected, what) \
	tap_check_string(seen, expected, what, __FILE__, __LINE__)
#define CHECK_NUMBER(seen, expected, what) \
	tap_check_number((long long)(seen), (long long)(expected), what, __FILE__, __LINE__)

/* Last thing in main(): the plan, and the exit status. */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures > 0;
}

#endif
