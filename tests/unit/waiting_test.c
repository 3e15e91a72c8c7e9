/* waiting_test.c - seconds as text, and waits that end when they should. */
#include "kit/waiting.h"

#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static void test_seconds(void)
{
	static const struct {
		const char *text;
		int64_t most, milliseconds; /* -1: refused */
	} cases[] = {
	    {"0", 60, 0},
	    {"5", 60, 5000},
	    {"0.5", 60, 500},
	    {"0.25", 60, 250},
	    {"0.001", 60, 1},
	    {"1.05", 60, 1050},
	    {"12.345", 60, 12345},
	    {"007", 60, 7000},
	    {"60", 60, 60000},
	    {"60.0", 60, 60000},
	    {"60.001", 60, -1},
	    {"61", 60, -1},
	    {"86400", 86400, 86400000},
	    {"0", 0, 0},
	    {"1", 0, -1},
	    {"", 60, -1},
	    {"x", 60, -1},
	    {"5s", 60, -1},
	    {" 5", 60, -1},
	    {"5 ", 60, -1},
	    {"-1", 60, -1},
	    {"+1", 60, -1},
	    {"1.", 60, -1},
	    {".5", 60, -1},
	    {".", 60, -1},
	    {"1.5.5", 60, -1},
	    {"1,5", 60, -1},
	    {"1e1", 60, -1},
	    {"0x5", 60, -1},
	    {"inf", 60, -1},
	    {"nan", 60, -1},
	    {"1.x", 60, -1},
	    {"99999999999999999999", 60, -1},
	    {"999999999", 60, -1},
	    {"4294967297", 86400, -1},
	    {"18446744073709551617", 86400, -1},
	    {"999999999", 999999999, 999999999000},
	};
	char what[80];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t milliseconds = -7, expected = cases[i].milliseconds;
		int result = seconds_parse(cases[i].text, cases[i].most, &milliseconds);
		snprintf(what, sizeof what, "'%s' %s", cases[i].text,
		         expected == -1 ? "is refused and nothing changed" : "seconds");
		if (expected == -1)
			CHECK(result == -1 && milliseconds == -7, what);
		else
			CHECK(result == 0 && milliseconds == expected, what);
	}
}

static void test_clock(void)
{
	int64_t before = clock_ms(), last = before;
	int backwards = 0;

	while (last < before + 5) {
		int64_t now = clock_ms();
		backwards += now < last;
		last = now;
	}
	CHECK_NUMBER(backwards, 0, "the clock moves, and never backwards");
}

static void test_deadlines(void)
{
	int ends[2];

	if (pipe(ends) == -1) {
		CHECK(0, "a pipe");
		return;
	}
	CHECK_NUMBER(wait_for_fd(ends[0], POLLIN, clock_ms() - 1000), 0,
	             "a deadline in the past: looked once, nothing there");
	CHECK_NUMBER(wait_for_fd(ends[1], POLLOUT, clock_ms() - 1000), POLLOUT,
	             "looked once, and there is room to write");
	int64_t before = clock_ms();
	CHECK_NUMBER(wait_for_fd(ends[0], POLLIN, before + 50), 0, "nothing until the deadline");
	CHECK(clock_ms() >= before + 50, "which was not cut short");
	CHECK(write(ends[1], "x", 1) == 1 &&
	          wait_for_fd(ends[0], POLLIN, WAITING_FOREVER) == POLLIN,
	      "for ever ends at once when a byte is there");
	CHECK_NUMBER(wait_for_fd(ends[0], POLLIN, 0), POLLIN, "the same for a deadline long ago");
	(void)close(ends[1]);
	char byte;
	CHECK(read(ends[0], &byte, 1) == 1 &&
	          (wait_for_fd(ends[0], POLLIN, WAITING_FOREVER) & POLLHUP),
	      "a hang-up is reported, though nobody asked for it");
	(void)close(ends[0]);
	CHECK(wait_for_fd(ends[0], POLLIN, WAITING_FOREVER) & POLLNVAL,
	      "a closed descriptor does not wait for ever");
}

static void test_left(void)
{
	int64_t now = clock_ms();

	CHECK_NUMBER(clock_left(WAITING_FOREVER), -1, "for ever, as poll() has it");
	CHECK_NUMBER(clock_left(now - 1), 0, "nothing is left of what has passed");
	CHECK_NUMBER(clock_left(INT64_MAX), INT_MAX, "more than poll() takes is cut");
	int left = clock_left(now + 60000);
	CHECK(left > 0 && left <= 60000, "a minute, or less of it by now");
}

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
	(void)number;
	alarms++;
}

/* Signals every 5 ms, without SA_RESTART: each one interrupts poll(). */
static void test_signals(void)
{
	const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action, before;
	int ends[2];

	memset(&action, 0, sizeof action);
	action.sa_handler = on_alarm;
	if (pipe(ends) == -1 || sigaction(SIGALRM, &action, &before) == -1 ||
	    setitimer(ITIMER_REAL, &often, NULL) == -1) {
		CHECK(0, "a timer");
		return;
	}
	int64_t start = clock_ms();
	int result = wait_for_fd(ends[0], POLLIN, start + 100);
	int64_t end = clock_ms();
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	CHECK(alarms > 0, "signals came while it waited");
	CHECK_NUMBER(result, 0, "they are not taken for an error");
	CHECK(end >= start + 100, "and do not shorten the wait");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	test_seconds();
	test_clock();
	test_deadlines();
	test_left();
	test_signals();
	return tap_done();
}
