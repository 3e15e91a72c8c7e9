/*
 * screen.h - a full-screen picture in a terminal, without a library: the alternate screen,
 * keys without Enter, and everything put back whatever happens: the end, Ctrl-C, SIGTERM,
 * a crash, Ctrl-Z and fg, another window size.
 *
 * Source: POSIX termios; ECMA-48 control sequences, and DEC's private modes 25 (cursor) and
 * 1049 (alternate screen), which every terminal of today knows.
 */
#ifndef PORTLAB_SCREEN_H
#define PORTLAB_SCREEN_H

#include "kit/unix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the terminal. Returns 0, or -1 with errno where standard input or output is none. */
int screen_open(void);
void screen_close(void);

/* The window's size now, at least 20x5. */
struct terminal_size screen_size(void);

/* Shows the text, whose lines must fit the window; what was there before is gone. */
void screen_show(const char *text);

/* A key, or SCREEN_NOTHING when the time is over or the window has changed, or SCREEN_END. */
enum { SCREEN_NOTHING = -1, SCREEN_END = -2 };
int screen_key(int64_t deadline);

#endif
