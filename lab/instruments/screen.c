/* screen.c - see screen.h. */
#include "instruments/screen.h"

#include "kit/waiting.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const char enter[] = "\033[?1049h\033[?25l\033[H\033[2J";
static const char leave[] = "\033[?25h\033[?1049l";

static struct termios before;
static volatile sig_atomic_t taken, end_wanted, stop_wanted;

static void put(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, text, length);
		if (written == -1 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* the terminal is gone: the next key says so */
		text += written;
		length -= (size_t)written;
	}
}

/* Both calls are safe in a signal handler. */
static void give_back(void)
{
	if (!taken)
		return;
	taken = 0;
	put(leave, sizeof leave - 1);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void take(void)
{
	struct termios raw = before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	put(enter, sizeof enter - 1);
	taken = 1;
}

static void on_end(int number)
{
	(void)number;
	end_wanted = 1;
}

static void on_stop(int number)
{
	(void)number;
	stop_wanted = 1;
}

/* The window has another size: poll() ends, and the next picture fits. */
static void on_size(int number)
{
	(void)number;
}

/* A crash: the terminal first, then what would have happened anyway. */
static void on_crash(int number)
{
	give_back();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void handle(int number, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	(void)sigaction(number, &action, NULL);
}

int screen_open(void)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	if (!isatty(STDOUT_FILENO)) {
		errno = ENOTTY;
		return -1;
	}
	if (tcgetattr(STDIN_FILENO, &before) == -1)
		return -1;
	for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
		handle(crashes[i], on_crash);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		handle(ends[i], on_end);
	handle(SIGTSTP, on_stop);
	handle(SIGWINCH, on_size);
	take();
	return 0;
}

void screen_close(void)
{
	give_back();
}

struct terminal_size screen_size(void)
{
	struct terminal_size size = {80, 24};

	(void)terminal_size_of(STDOUT_FILENO, &size); /* else the usual one */
	if (size.columns < 20)
		size.columns = 20;
	if (size.rows < 5)
		size.rows = 5;
	return size;
}

/* Each line is cleared behind its end, and so is all that is below: nothing flickers. */
void screen_show(const char *text)
{
	put("\033[H", 3);
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		put(text, length);
		text += length;
		put("\033[K", 3);
		if (*text == '\n') {
			text++;
			if (*text != '\0')
				put("\r\n", 2);
		}
	}
	put("\033[J", 3);
}

/* Ctrl-Z: the shell gets its terminal back, and stops us; fg goes on here. */
static void suspend(void)
{
	stop_wanted = 0;
	give_back();
	(void)raise(SIGSTOP);
	take();
}

int screen_key(int64_t deadline)
{
	struct pollfd input = {STDIN_FILENO, POLLIN, 0};
	int64_t left = deadline - clock_ms();
	unsigned char key;

	if (stop_wanted)
		suspend();
	if (end_wanted)
		return SCREEN_END;
	int ready = poll(&input, 1, left < 0 ? 0 : (int)left);
	if (stop_wanted)
		suspend();
	if (end_wanted)
		return SCREEN_END;
	if (ready <= 0)
		return SCREEN_NOTHING;
	ssize_t count = read(STDIN_FILENO, &key, 1);
	if (count == 1)
		return key;
	return count == -1 && (errno == EINTR || errno == EAGAIN) ? SCREEN_NOTHING : SCREEN_END;
}
