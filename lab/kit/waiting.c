/* waiting.c - see waiting.h. */
#include "kit/waiting.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int clock_left(int64_t deadline)
{
	if (deadline == WAITING_FOREVER)
		return -1;
	int64_t left = deadline - clock_ms();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int wait_for_fd(int fd, short events, int64_t deadline)
{
	struct pollfd wanted = {.fd = fd, .events = events};

	for (;;) {
		int left = clock_left(deadline);
		int ready = poll(&wanted, 1, left);
		if (ready > 0)
			return wanted.revents;
		if (ready == -1 && errno != EINTR)
			return -1;
		if (ready == 0 && left == 0)
			return 0;
	}
}

int seconds_parse(const char *text, int64_t most, int64_t *milliseconds)
{
	size_t whole = strspn(text, "0123456789");
	size_t fraction = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	size_t end = whole + (text[whole] == '.' ? 1 + fraction : 0);

	if (whole == 0 || whole > 9 || fraction > 3 || text[end] != '\0' ||
	    (text[whole] == '.' && fraction == 0))
		return -1;
	int64_t value = (int64_t)strtol(text, NULL, 10) * 1000;
	for (size_t i = 0, unit = 100; i < fraction; i++, unit /= 10)
		value += (int64_t)unit * (text[whole + 1 + i] - '0');
	if (value > most * 1000)
		return -1;
	*milliseconds = value;
	return 0;
}
