/*
 * terminal.h - a pseudo-terminal in which a worksheet's commands run, so that programs behave
 * as they do for a person; and the lines that appear on it.
 *
 * Each command is the leader of a session of its own on the same terminal; Ctrl-C reaches it
 * by the terminal, as from a keyboard. What is typed is not echoed: whoever types shows it.
 *
 * Source: POSIX posix_openpt, setsid, termios; pty(7).
 */
#ifndef PORTLAB_TERMINAL_H
#define PORTLAB_TERMINAL_H

#include "instruments/sandbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct terminal {
	char name; /* 'A' */
	bool admin;
	int master, slave;
	pid_t command;      /* what runs there; 0: nothing */
	int status;         /* of the last command, as wait() gives it */
	char typed[256];    /* the last command */
	bool left_out;      /* the last command was not typed: its program is not installed */
	char **lines;       /* whole lines, without colours and other sequences */
	char **shown;       /* the same with colours */
	size_t count, room; /* of both */
	size_t matched;     /* so many lines are accounted for */
	bool answered;      /* a line was shown since something was typed */
	bool floating;      /* the last pattern was "...": any lines may come before the next */
	char partial[4096]; /* the line that is not yet whole */
	size_t partial_length;
	bool returned;   /* its last byte was a carriage return */
	bool overflowed; /* more lines than are kept */
};

enum { TERMINAL_LINES_MOST = 20000, TERMINAL_COLUMNS = 80, TERMINAL_ROWS = 24 };

/* Where commands run: the network, the directory, and where the programs are. */
struct surroundings {
	struct sandbox sandbox;
	const char *directory;
	const char *programs;
	bool colors;
};

/* Opens one. Returns 0, or -1 with errno. */
int terminal_open(struct terminal *terminal, char name, bool admin);

/* Ends what runs there (SIGKILL) and forgets the lines. */
void terminal_close(struct terminal *terminal);

/* Starts a command there (sh -c). Returns 0, or -1 with errno. */
int terminal_start(struct terminal *terminal, const char *command,
                   const struct surroundings *surroundings);

/*
 * For a process that is about to become a program there: PATH and PORTLAB_NETWORK, and no
 * descriptors but the first three.
 */
void terminal_prepare_program(const struct surroundings *surroundings);

/* Types text and Enter, or Ctrl and a letter. Returns 0, or -1 with errno. */
int terminal_type(struct terminal *terminal, const char *text);
int terminal_press(struct terminal *terminal, char letter);

/*
 * Takes in bytes as they came, in pieces of any size: whole lines, without what could steer
 * a terminal. Returns whether the mark was among them that says where a command's output ends.
 */
bool terminal_take(struct terminal *terminal, const char *bytes, size_t length);

/* Takes in what has appeared, without waiting. Returns whether there was anything. */
bool terminal_read(struct terminal *terminal);

/*
 * Looks whether the command has ended; then everything that it wrote has been taken in.
 * Returns whether nothing runs there now.
 */
bool terminal_is_idle(struct terminal *terminal);

#endif
