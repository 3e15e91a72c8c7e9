/*
 * waiting.h - waiting for a descriptor, never longer than asked.
 *
 * Times are milliseconds of the monotonic clock, which nobody can set back.
 */
#ifndef PORTLAB_WAITING_H
#define PORTLAB_WAITING_H

#include <stdint.h>

enum { WAITING_FOREVER = -1 };

/* Now, in milliseconds since some fixed moment. */
int64_t clock_ms(void);

/* The milliseconds until a deadline as poll(2) takes them: -1 for WAITING_FOREVER. */
int clock_left(int64_t deadline);

/*
 * Waits until poll(2) reports one of `events` (or an error or hang-up) on the descriptor,
 * or the deadline (a clock_ms() value, or WAITING_FOREVER) has passed; a deadline in the
 * past looks once. Returns poll's revents, 0 at the deadline, -1 with errno. Signals do
 * not shorten it.
 */
int wait_for_fd(int fd, short events, int64_t deadline);

/*
 * Reads "5" or "0.25" seconds, at most `most` seconds, into milliseconds. Returns 0, or -1
 * where the text is anything else.
 */
int seconds_parse(const char *text, int64_t most, int64_t *milliseconds);

#endif
