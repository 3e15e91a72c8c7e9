/*
 * perform.h - the part of a play that happens on the terminals: what is typed, what must
 * appear, and the waits between. What is read and asked is in play.c.
 *
 * Every function that returns a result says PLAY_DONE, or why it could not go on; a difference
 * is then in player->different.
 */
#ifndef PORTLAB_PERFORM_H
#define PORTLAB_PERFORM_H

#include "runner/play.h"

#include <stdint.h>

/* How long trailing lines are waited for where the page does not need them, in milliseconds. */
enum { LINGER_MS = 400 };

/* Keeps what differed, at that line of the page; printf-like. Returns PLAY_DIFFERENT. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
enum play_result
perform_differs(struct player *player, int line, const char *format, ...);

/*
 * Waits until something appears on a terminal, a command ends, a signal comes, or (with
 * input) the person types. Returns 1 if it was the person, else 0.
 */
int perform_wait(struct player *player, bool input, int64_t deadline);

/* The terminal of that letter, or NULL; opened where it is not yet, NULL with errno. */
struct terminal *perform_terminal(struct player *player, char name);
struct terminal *perform_open_terminal(struct player *player, char name, bool admin);

/* The rows of the window that are left before the person must have a stop to read. */
long perform_rows_left(const struct player *player);

/* Where any lines may come ("..."), shows them as they come. */
enum play_result perform_show_floating(struct player *player, bool paging);

/* Waits until nothing runs there, and every line that came was on the page. */
enum play_result perform_settle(struct player *player, struct terminal *terminal, int line);

/* The person reads, and presses Enter; a demo waits as long as it was told to. */
enum play_result perform_pause(struct player *player, const char *prompt);

/* Types what is to be typed, and waits for what must appear. */
enum play_result perform_script(struct player *player, const struct script *script);

#endif
