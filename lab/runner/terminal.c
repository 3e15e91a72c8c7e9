/* terminal.c - see terminal.h. */
#undef _XOPEN_SOURCE
#define _XOPEN_SOURCE    700 /* posix_openpt() and its company */
#define _DEFAULT_SOURCE  1   /* TIOCSCTTY, TIOCSWINSZ */
#define _DARWIN_C_SOURCE 1
#include "runner/terminal.h"

#include "kit/machine.h"
#include "kit/text.h"
#include "kit/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/*
 * Written by the runner itself behind the last byte of a command that has ended: when it
 * comes out, everything before it has come out. Terminals ignore such a sequence.
 */
static const char end_mark[] = "\033]portlab-end\a";

static void set_modes(int slave)
{
	struct termios modes;
	struct winsize size = {.ws_row = TERMINAL_ROWS, .ws_col = TERMINAL_COLUMNS};

	if (tcgetattr(slave, &modes) == 0) {
		modes.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		modes.c_oflag &= ~(tcflag_t)ONLCR;
		(void)tcsetattr(slave, TCSANOW, &modes);
	}
	(void)ioctl(slave, TIOCSWINSZ, &size);
}

int terminal_open(struct terminal *terminal, char name, bool admin)
{
	*terminal = (struct terminal){.name = name, .admin = admin, .master = -1, .slave = -1};
	terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (terminal->master == -1 || grantpt(terminal->master) == -1 ||
	    unlockpt(terminal->master) == -1)
		return -1;
	const char *path = ptsname(terminal->master);
	terminal->slave = path != NULL ? open(path, O_RDWR | O_NOCTTY) : -1;
	if (terminal->slave == -1 || fcntl(terminal->master, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(terminal->slave, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(terminal->master, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	set_modes(terminal->slave);
	return 0;
}

void terminal_close(struct terminal *terminal)
{
	if (terminal->command > 0) {
		(void)kill(-terminal->command, SIGKILL);
		(void)kill(terminal->command, SIGKILL);
		while (waitpid(terminal->command, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	if (terminal->slave != -1)
		(void)close(terminal->slave);
	if (terminal->master != -1)
		(void)close(terminal->master);
	for (size_t i = 0; i < terminal->count; i++) {
		free(terminal->lines[i]);
		free(terminal->shown[i]);
	}
	free(terminal->lines);
	free(terminal->shown);
	*terminal = (struct terminal){.master = -1, .slave = -1};
}

/* ---- running a command ---- */

void terminal_prepare_program(const struct surroundings *surroundings)
{
	const char *path = getenv("PATH");
	size_t size = strlen(surroundings->programs) + (path != NULL ? strlen(path) : 0) + 32;
	char *longer = malloc(size);

	if (longer != NULL) {
		snprintf(longer, size, "%s:%s", surroundings->programs,
		         path != NULL ? path : "/usr/bin:/bin");
		(void)setenv("PATH", longer, 1);
		free(longer);
	}
	(void)setenv("PORTLAB_NETWORK", surroundings->sandbox.net_fd != -1 ? "sandbox" : "host", 1);
	/* Whoever started the lab may have had others open; a program here has its own only. */
	long most = sysconf(_SC_OPEN_MAX);
	for (int fd = 3; fd < (most > 0 && most < 4096 ? most : 4096); fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* A single command takes the shell's place: then it is the one that Ctrl-C reaches. */
static void run_shell(const char *command)
{
	char replaced[2048], name[64];
	size_t first = strcspn(command, " ");

	snprintf(name, sizeof name, "%.*s", (int)first, command);
	/* A command of the shell's own (cd, ulimit) cannot take its place. */
	bool simple = strpbrk(command, ";|&(){}`\n") == NULL && strchr(name, '=') == NULL &&
	              first < sizeof name && machine_has_program(name);
	if (snprintf(replaced, sizeof replaced, "%s%s", simple ? "exec " : "", command) <
	    (int)sizeof replaced)
		command = replaced;
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
}

static void reset_signals(void)
{
	static const int signals[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP,  SIGPIPE, SIGXFSZ,
	                              SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};
	sigset_t none;

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)signal(signals[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child(const struct terminal *terminal, const char *command,
                  const struct surroundings *surroundings)
{
	struct sandbox_refusal refusal;

	reset_signals();
	if (setsid() == -1 || ioctl(terminal->slave, TIOCSCTTY, 0) == -1 ||
	    dup2(terminal->slave, STDIN_FILENO) == -1 ||
	    dup2(terminal->slave, STDOUT_FILENO) == -1 ||
	    dup2(terminal->slave, STDERR_FILENO) == -1)
		_exit(126);
	if (sandbox_enter(&surroundings->sandbox,
	                  terminal->admin ? SANDBOX_ADMIN : SANDBOX_ORDINARY, &refusal) == -1) {
		dprintf(STDERR_FILENO, "lab: cannot enter the private network: %s: %s\n", refusal.call,
		        strerror(refusal.error));
		_exit(126);
	}
	if (chdir(surroundings->directory) == -1) {
		dprintf(STDERR_FILENO, "lab: cannot go to %s: %s\n", surroundings->directory,
		        strerror(errno));
		_exit(126);
	}
	terminal_prepare_program(surroundings);
	(void)setenv("HOME", surroundings->directory, 1);
	if (!surroundings->colors)
		(void)setenv("NO_COLOR", "1", 1);
	run_shell(command);
	_exit(127);
}

int terminal_start(struct terminal *terminal, const char *command,
                   const struct surroundings *surroundings)
{
	int begun[2];
	char byte;

	snprintf(terminal->typed, sizeof terminal->typed, "%s", command);
	terminal->left_out = false;
	(void)fflush(NULL);         /* what is buffered must not be written twice */
	set_modes(terminal->slave); /* the command before may have changed them */
	if (pipe(begun) == -1)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(begun[0]);
		if (fcntl(begun[1], F_SETFD, FD_CLOEXEC) == -1)
			_exit(126);
		child(terminal, command, surroundings);
	}
	/* Ends when the shell runs, on its own terminal: before that a Ctrl-C would be lost. */
	(void)close(begun[1]);
	while (pid != -1 && read(begun[0], &byte, 1) == -1 && errno == EINTR)
		continue;
	(void)close(begun[0]);
	terminal->command = pid != -1 ? pid : 0;
	return pid != -1 ? 0 : -1;
}

/* ---- what is typed ---- */

static int write_all(int fd, const char *bytes, size_t length)
{
	int64_t deadline = clock_ms() + 5000;

	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		} else if (written == -1 && errno != EINTR &&
		           (errno != EAGAIN || wait_for_fd(fd, POLLOUT, deadline) <= 0)) {
			return -1;
		}
	}
	return 0;
}

int terminal_type(struct terminal *terminal, const char *text)
{
	if (write_all(terminal->master, text, strlen(text)) == -1)
		return -1;
	return write_all(terminal->master, "\n", 1);
}

int terminal_press(struct terminal *terminal, char letter)
{
	char byte = (char)(letter & 0x1f);

	return write_all(terminal->master, &byte, 1);
}

/* ---- what appears ---- */

static bool is_color(const char *sequence, size_t length)
{
	return length > 2 && sequence[1] == '[' && sequence[length - 1] == 'm' &&
	       strspn(sequence + 2, "0123456789;") == length - 3;
}

/* The length of the control sequence with which the bytes begin (ECMA-48), at least 1. */
static size_t sequence_length(const char *bytes)
{
	size_t length = 1;

	if (bytes[0] != '\033')
		return 1;
	if (bytes[1] == '[') {
		for (length = 2; bytes[length] != '\0'; length++)
			if (bytes[length] >= '@' && bytes[length] <= '~')
				return length + 1;
		return length;
	}
	if (bytes[1] == ']') {
		for (length = 2; bytes[length] != '\0' && bytes[length] != '\a'; length++)
			continue;
		return bytes[length] == '\a' ? length + 1 : length;
	}
	return bytes[1] != '\0' ? 2 : 1;
}

/* Copies a character that is not of ASCII, unless it is none or steers the terminal. */
static size_t copy_character(const char *from, char **to)
{
	size_t length;
	uint32_t character = text_utf8(from, &length);

	if (length == 0)
		return 1;
	if (!text_steers(character)) {
		memcpy(*to, from, length);
		*to += length;
	}
	return length;
}

/* Copies a line: colours only where wanted, other control characters never. */
static char *cleaned(const char *line, bool colors)
{
	char *clean = malloc(strlen(line) + 1), *to = clean;

	while (clean != NULL && *line != '\0') {
		unsigned char c = (unsigned char)*line;
		size_t length = 1;
		if (c == '\033') {
			length = sequence_length(line);
			if (colors && is_color(line, length)) {
				memcpy(to, line, length);
				to += length;
			}
		} else if (c == '\t') {
			*to++ = ' ';
		} else if (c >= 0x80) {
			length = copy_character(line, &to);
		} else if (c >= ' ' && c != 0x7f) {
			*to++ = *line;
		}
		line += length;
	}
	if (clean != NULL)
		*to = '\0';
	return clean;
}

static void add_line(struct terminal *terminal)
{
	terminal->partial[terminal->partial_length] = '\0';
	terminal->partial_length = 0;
	if (terminal->count == TERMINAL_LINES_MOST) {
		terminal->overflowed = true;
		return;
	}
	if (terminal->count == terminal->room) {
		size_t room = terminal->room == 0 ? 64 : terminal->room * 2;
		char **lines = realloc(terminal->lines, room * sizeof *lines);
		if (lines != NULL)
			terminal->lines = lines;
		char **shown = lines != NULL ? realloc(terminal->shown, room * sizeof *shown) : NULL;
		if (shown == NULL) {
			terminal->overflowed = true;
			return;
		}
		terminal->shown = shown;
		terminal->room = room;
	}
	char *line = cleaned(terminal->partial, false), *shown = cleaned(terminal->partial, true);
	if (line == NULL || shown == NULL) {
		free(line);
		free(shown);
		terminal->overflowed = true;
		return;
	}
	terminal->lines[terminal->count] = line;
	terminal->shown[terminal->count++] = shown;
}

bool terminal_take(struct terminal *terminal, const char *bytes, size_t length)
{
	bool marked = false;

	for (size_t i = 0; i < length; i++) {
		if (terminal->returned && bytes[i] != '\n')
			terminal->partial_length = 0; /* the line is written anew */
		terminal->returned = bytes[i] == '\r';
		size_t used = terminal->partial_length;
		if (bytes[i] == '\r')
			continue;
		if (bytes[i] == '\n') {
			add_line(terminal);
		} else if (bytes[i] != '\0' && used + 1 < sizeof terminal->partial) {
			terminal->partial[terminal->partial_length++] = bytes[i];
			size_t size = sizeof end_mark - 1;
			if (bytes[i] == '\a' && used + 1 >= size &&
			    memcmp(terminal->partial + used + 1 - size, end_mark, size) == 0) {
				terminal->partial_length -= size;
				marked = true;
			}
		}
	}
	return marked;
}

/* Returns 1 if there was something, 2 if the mark was in it, 0 if nothing, -1 at the end. */
static int read_some(struct terminal *terminal)
{
	char bytes[4096];
	ssize_t length = read(terminal->master, bytes, sizeof bytes);

	if (length <= 0)
		return length == -1 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	return terminal_take(terminal, bytes, (size_t)length) ? 2 : 1;
}

bool terminal_read(struct terminal *terminal)
{
	bool something = false;

	while (read_some(terminal) > 0)
		something = true;
	return something;
}

/* The kernel hands a terminal's bytes on in its own time: ask for what is on its way. */
static void drain(struct terminal *terminal)
{
	int64_t deadline = clock_ms() + 5000;
	int got = 0;

	(void)terminal_read(terminal); /* so that there is room for the mark */
	if (write_all(terminal->slave, end_mark, sizeof end_mark - 1) == -1)
		return;
	while (got != 2 && wait_for_fd(terminal->master, POLLIN, deadline) > 0)
		if ((got = read_some(terminal)) == -1)
			return;
	if (terminal->partial_length > 0)
		add_line(terminal);
}

bool terminal_is_idle(struct terminal *terminal)
{
	if (terminal->command == 0)
		return true;
	if (waitpid(terminal->command, &terminal->status, WNOHANG) != terminal->command)
		return false;
	terminal->command = 0;
	drain(terminal);
	return true;
}
