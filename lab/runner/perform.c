/* perform.c - see perform.h. */
#include "runner/perform.h"

#include "instruments/print.h"
#include "kit/waiting.h"
#include "runner/page.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- signals ---- */

static int wake[2] = {-1, -1};
static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	int error = errno;

	if (number != SIGCHLD)
		asked_to_end = number;
	(void)!write(wake[1], "", 1); /* full: then it is awake already */
	errno = error;
}

int play_prepare(void)
{
	static const int signals[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (pipe(wake) == -1)
		return -1;
	for (int i = 0; i < 2; i++)
		if (fcntl(wake[i], F_SETFD, FD_CLOEXEC) == -1 ||
		    fcntl(wake[i], F_SETFL, O_NONBLOCK) == -1)
			return -1;
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		if (sigaction(signals[i], &action, NULL) == -1)
			return -1;
	return 0;
}

int play_signal(void)
{
	return asked_to_end;
}

/* ---- differences ---- */

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
enum play_result
perform_differs(struct player *player, int line, const char *format, ...)
{
	va_list arguments;

	player->different_line = line;
	va_start(arguments, format);
	vsnprintf(player->different, sizeof player->different, format, arguments);
	va_end(arguments);
	return PLAY_DIFFERENT;
}

/* ---- waiting ---- */

/*
 * Waits until something appears on a terminal, a command ends, a signal comes, or (with
 * input) the person types. Returns 1 if it was the person, else 0.
 */
int perform_wait(struct player *player, bool input, int64_t deadline)
{
	struct pollfd wanted[PLAY_TERMINALS_MOST + 2];
	nfds_t count = 0;
	int64_t left = deadline - clock_ms();
	char bytes[64];

	for (size_t i = 0; i < player->terminal_count; i++)
		wanted[count++] = (struct pollfd){.fd = player->terminals[i].master, .events = POLLIN};
	wanted[count++] = (struct pollfd){.fd = wake[0], .events = POLLIN};
	if (input)
		wanted[count++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	(void)poll(wanted, count, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
	while (read(wake[0], bytes, sizeof bytes) > 0)
		continue;
	for (size_t i = 0; i < player->terminal_count; i++)
		(void)terminal_read(&player->terminals[i]);
	return input && wanted[count - 1].revents != 0 ? 1 : 0;
}

/* ---- terminals ---- */

struct terminal *perform_terminal(struct player *player, char name)
{
	for (size_t i = 0; i < player->terminal_count; i++)
		if (player->terminals[i].name == name)
			return &player->terminals[i];
	return NULL;
}

struct terminal *perform_open_terminal(struct player *player, char name, bool admin)
{
	struct terminal *terminal = perform_terminal(player, name);

	if (terminal != NULL || player->terminal_count == PLAY_TERMINALS_MOST)
		return terminal;
	terminal = &player->terminals[player->terminal_count];
	if (terminal_open(terminal, name, admin) == -1) {
		terminal_close(terminal);
		return NULL;
	}
	player->displayed[player->terminal_count++] = 0;
	return terminal;
}

/* The rows of the window that are left before the person must have a stop to read. */
long perform_rows_left(const struct player *player)
{
	if (player->stage.mode != STAGE_ASKING)
		return 1000000;
	return page_rows() - 2 - (long)(print_lines() - player->stopped_at);
}

/*
 * Shows the lines up to that one which were not shown yet. With `paging` it stops when the
 * window is full; else the rest is shown later.
 */
static enum play_result display(struct player *player, struct terminal *terminal, size_t upto,
                                bool paging)
{
	size_t *displayed = &player->displayed[terminal - player->terminals];
	enum play_result result = PLAY_DONE;

	for (; *displayed < upto && *displayed < terminal->count; ++*displayed) {
		/* Programs that leave the line of a "^C" have done so here already. */
		if (!terminal->answered && match_is_blank(terminal->lines[*displayed]))
			continue;
		if (perform_rows_left(player) <= 1 && stage_shows(&player->stage)) {
			result = paging ? perform_pause(player, "Enter: more   q: stop") : PLAY_STOPPED;
			if (result != PLAY_DONE)
				return result;
		}
		terminal->answered = true;
		stage_line(&player->stage, terminal,
		           page_has_colors() ? terminal->shown[*displayed]
		                             : terminal->lines[*displayed]);
	}
	return PLAY_DONE;
}

/* Where any lines may come, they are shown as they come. */
enum play_result perform_show_floating(struct player *player, bool paging)
{
	enum play_result result = PLAY_DONE;

	for (size_t i = 0; i < player->terminal_count && result == PLAY_DONE; i++)
		if (player->terminals[i].floating)
			result = display(player, &player->terminals[i], player->terminals[i].count, paging);
	return result;
}

/* ---- patterns ---- */

enum { PATTERNS_MOST = 200 };

static const char *seen_instead(const struct terminal *terminal, size_t line, bool idle,
                                char *text, size_t size)
{
	if (line < terminal->count)
		snprintf(text, size, "%s", terminal->lines[line]);
	else if (idle && WIFEXITED(terminal->status))
		snprintf(text, size, "nothing more: '%.100s' ended with status %d", terminal->typed,
		         WEXITSTATUS(terminal->status));
	else if (idle)
		snprintf(text, size, "nothing more: '%.100s' was ended by signal %d", terminal->typed,
		         WTERMSIG(terminal->status));
	else
		snprintf(text, size, "nothing more for %d seconds", PLAY_LIMIT_MS / 1000);
	return text;
}

static enum play_result missing(struct player *player, const struct terminal *terminal,
                                const struct script_line *lines, size_t count,
                                const struct match_result *result, size_t first, bool idle)
{
	char seen[400], filled[400];
	size_t pattern = result->reached;

	/* "..." matched as much as there was: what comes after it is what was not found. */
	while (pattern + 1 < count && match_is_any(lines[pattern].text))
		pattern++;
	if (captures_fill(&player->captures, lines[pattern].text, filled, sizeof filled) == -1)
		snprintf(filled, sizeof filled, "%.300s", lines[pattern].text);
	(void)seen_instead(terminal, first + result->stuck_at, idle, seen, sizeof seen);
	return perform_differs(player, lines[pattern].number,
	                       "expected on terminal %c: %s\n"
	                       "seen there instead:     %s",
	                       terminal->name, filled, seen);
}

/*
 * For the eye only: where the page says "...", what still comes belongs here. A command that
 * is about to end may do so; one that stays is left alone after a moment.
 */
static enum play_result linger(struct player *player, struct terminal *terminal)
{
	int64_t deadline = clock_ms() + LINGER_MS;

	while (!terminal_is_idle(terminal) && clock_ms() < deadline && !asked_to_end)
		(void)perform_wait(player, false, deadline);
	return perform_show_floating(player, true);
}

/* Waits until the lines of the page have appeared. */
static enum play_result wait_for_lines(struct player *player, struct terminal *terminal,
                                       const struct script_line *lines, size_t count)
{
	const char *patterns[PATTERNS_MOST + 1];
	int64_t deadline = clock_ms() + PLAY_LIMIT_MS;
	size_t shift = terminal->floating ? 1 : 0;
	struct match_result result = {0};

	if (count > PATTERNS_MOST)
		return perform_differs(player, lines[0].number, "more than %d lines in one block",
		                       PATTERNS_MOST);
	patterns[0] = "...";
	for (size_t i = 0; i < count; i++)
		patterns[i + shift] = lines[i].text;
	for (;;) {
		bool idle = terminal_is_idle(terminal);
		(void)terminal_read(terminal);
		const char *const *from = (const char *const *)terminal->lines + terminal->matched;
		if (match_lines(patterns, count + shift, from, terminal->count - terminal->matched,
		                &player->captures, &result))
			break;
		if (result.reached > 0)
			(void)display(player, terminal, terminal->matched + result.stuck_at, false);
		if (asked_to_end)
			return PLAY_ENDED;
		if (idle || result.hopeless || clock_ms() >= deadline) {
			result.reached -= result.reached >= shift ? shift : result.reached;
			return missing(player, terminal, lines, count, &result, terminal->matched, idle);
		}
		(void)perform_wait(player, false, deadline);
	}
	terminal->matched += result.used;
	terminal->floating = player->lenient || match_is_any(lines[count - 1].text);
	enum play_result shown = display(player, terminal, terminal->matched, true);
	if (shown == PLAY_DONE && terminal->floating && stage_shows(&player->stage))
		shown = linger(player, terminal);
	return shown;
}

/* ---- what is typed ---- */

/* Waits until nothing runs there. PLAY_DIFFERENT, without words, where it still does. */
static enum play_result wait_for_prompt(struct player *player, struct terminal *terminal)
{
	int64_t deadline = clock_ms() + PLAY_LIMIT_MS;

	while (!terminal_is_idle(terminal)) {
		if (asked_to_end)
			return PLAY_ENDED;
		if (clock_ms() >= deadline)
			return PLAY_DIFFERENT;
		(void)perform_wait(player, false, deadline);
	}
	return PLAY_DONE;
}

/* Waits until nothing runs there, and every line that came was on the page. */
enum play_result perform_settle(struct player *player, struct terminal *terminal, int line)
{
	/* What should have been refused may run instead: nobody else will end it. */
	if (player->astray && !terminal_is_idle(terminal))
		(void)terminal_press(terminal, 'C');
	enum play_result result = wait_for_prompt(player, terminal);
	if (result == PLAY_DIFFERENT)
		return perform_differs(player, line,
		                       "terminal %c is not back at its prompt: '%s' still runs\n"
		                       "end it with ^C before this line",
		                       terminal->name, terminal->typed);
	if (result != PLAY_DONE)
		return result;
	while (terminal->matched < terminal->count &&
	       (terminal->floating || match_is_blank(terminal->lines[terminal->matched])))
		terminal->matched++;
	result = display(player, terminal, terminal->matched, true);
	if (result != PLAY_DONE)
		return result;
	if (terminal->matched < terminal->count)
		return perform_differs(player, line,
		                       "seen on terminal %c, but not on the page: %.300s\n"
		                       "before this line, after '%s'",
		                       terminal->name, terminal->lines[terminal->matched],
		                       terminal->typed);
	return PLAY_DONE;
}

/* The person reads, and presses Enter; a demo waits as long as it was told to. */
enum play_result perform_pause(struct player *player, const char *prompt)
{
	char line[64];
	int64_t until = clock_ms() + player->stage.pause_ms;

	if (!stage_shows(&player->stage))
		return asked_to_end ? PLAY_ENDED : PLAY_DONE;
	if (player->stage.mode == STAGE_ASKING) {
		if (player_ask(player, prompt, line, sizeof line) == -1)
			return asked_to_end ? PLAY_ENDED : PLAY_STOPPED;
		page_take_back_line();
		player->stopped_at = print_lines();
		return line[0] == 'q' ? PLAY_STOPPED : PLAY_DONE;
	}
	while (clock_ms() < until && !asked_to_end) {
		(void)perform_wait(player, false, until);
		(void)perform_show_floating(player, false);
	}
	return asked_to_end ? PLAY_ENDED : PLAY_DONE;
}

static enum play_result type_command(struct player *player, struct terminal *terminal,
                                     const struct script_line *line, const char *text)
{
	enum play_result result = perform_settle(player, terminal, line->number);

	if (result != PLAY_DONE)
		return result;
	stage_typed(&player->stage, terminal, terminal->admin ? "# " : "$ ", text);
	result = perform_pause(player, "Enter: run it");
	if (result != PLAY_DONE)
		return result;
	terminal->floating = player->lenient;
	if (terminal_start(terminal, text, player->surroundings) == -1)
		return perform_differs(player, line->number, "cannot start '%s': %s", text,
		                       strerror(errno));
	return PLAY_DONE;
}

static enum play_result type_line(struct player *player, struct terminal *terminal,
                                  const struct script_line *line)
{
	char text[1024], key[32];
	int typed;

	if (captures_fill(&player->captures, line->text, text, sizeof text) == -1)
		return perform_differs(player, line->number, "this line is too long");
	terminal->answered = false;
	if (line->kind == SCRIPT_COMMAND)
		return type_command(player, terminal, line, text);
	if (terminal_is_idle(terminal))
		return perform_differs(
		    player, line->number,
		    "nothing runs on terminal %c that could read this; '%s' has ended", terminal->name,
		    terminal->typed);
	stage_typed(&player->stage, terminal, line->kind == SCRIPT_KEY ? "^" : "", text);
	snprintf(key, sizeof key, "Enter: press Ctrl-%c", text[0]);
	enum play_result result =
	    perform_pause(player, line->kind == SCRIPT_KEY ? key : "Enter: type it");
	if (result != PLAY_DONE)
		return result;
	typed = line->kind == SCRIPT_KEY ? terminal_press(terminal, text[0])
	                                 : terminal_type(terminal, text);
	return typed == 0 ? PLAY_DONE
	                  : perform_differs(player, line->number, "cannot type there: %s",
	                                    strerror(errno));
}

/* ---- scripts and blocks ---- */

/* Ctrl-C ends what runs there; only then may another terminal look at what it has left. */
static enum play_result wait_after_key(struct player *player, const struct script_line *key)
{
	struct terminal *terminal = perform_terminal(player, key->terminal);
	enum play_result result = wait_for_prompt(player, terminal);

	return result != PLAY_DIFFERENT
	           ? result
	           : perform_differs(player, key->number,
	                             "terminal %c: '%s' has not ended after Ctrl-C", terminal->name,
	                             terminal->typed);
}

/* A command with nothing below it must end by itself: else nobody knows when it has worked. */
enum play_result perform_script(struct player *player, const struct script *script)
{
	enum play_result result = PLAY_DONE;
	const struct script_line *last_action = NULL;

	for (size_t i = 0; i < script->count && result == PLAY_DONE;) {
		const struct script_line *line = &script->lines[i];
		struct terminal *terminal = perform_open_terminal(player, line->terminal, line->admin);
		size_t end = i;
		if (terminal == NULL)
			return perform_differs(player, line->number, "cannot open terminal %c: %s",
			                       line->terminal, strerror(errno));
		if (line->kind != SCRIPT_OUTPUT) {
			last_action = line;
			result = type_line(player, terminal, line);
			i++;
			bool alone = i == script->count || script->lines[i].kind == SCRIPT_COMMAND;
			if (result == PLAY_DONE && line->kind == SCRIPT_COMMAND && alone)
				result = perform_settle(player, terminal, line->number);
			continue;
		}
		while (end < script->count && script->lines[end].kind == SCRIPT_OUTPUT &&
		       script->lines[end].terminal == line->terminal)
			end++;
		result = wait_for_lines(player, terminal, line, end - i);
		i = end;
	}
	if (result == PLAY_DONE && last_action != NULL && last_action->kind == SCRIPT_KEY &&
	    last_action->text[0] == 'C')
		result = wait_after_key(player, last_action);
	return result;
}

enum play_result player_solve(struct player *player, const struct script *script)
{
	player->lenient = true;
	return perform_script(player, script);
}

void player_end(struct player *player)
{
	for (size_t i = 0; i < player->terminal_count; i++)
		terminal_close(&player->terminals[i]);
	player->terminal_count = 0;
}

/* ---- questions ---- */

int player_ask(struct player *player, const char *prompt, char *line, size_t size)
{
	size_t length = 0;

	line[0] = '\0';
	print("%s[%s]%s ", page_faint(), prompt, page_end());
	(void)fflush(stdout);
	for (;;) {
		char byte;
		if (asked_to_end)
			return -1;
		if (perform_wait(player, true, clock_ms() + 60000) == 0)
			continue;
		ssize_t got = read(STDIN_FILENO, &byte, 1);
		if (got == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got != 1 || byte == '\n')
			return got != 1 ? -1 : (int)length;
		if (length + 1 < size) {
			line[length++] = byte;
			line[length] = '\0';
		}
	}
}
