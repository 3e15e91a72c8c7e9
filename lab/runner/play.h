/*
 * play.h - plays a worksheet on real terminals and holds what appears against the page.
 *
 * Every wait is for output and has a limit (PLAY_LIMIT_MS).
 */
#ifndef PORTLAB_PLAY_H
#define PORTLAB_PLAY_H

#include "runner/match.h"
#include "runner/stage.h"
#include "runner/terminal.h"
#include "runner/worksheet.h"

enum { PLAY_LIMIT_MS = 10000, PLAY_TERMINALS_MOST = WORKSHEET_TERMINALS_MOST };

enum play_result {
	PLAY_DONE,
	PLAY_DIFFERENT, /* something appeared that is not on the page */
	PLAY_STOPPED,   /* the person wants to stop */
	PLAY_ENDED,     /* a signal asked to end */
};

/* What is told while it is played, for the record. Functions may be NULL. */
struct play_record {
	void (*predicted)(void *argument, bool right);
	void (*reached)(void *argument, int line);
	void *argument;
};

struct player {
	const struct worksheet *worksheet;
	const struct surroundings *surroundings;
	struct stage stage;
	struct play_record record;
	bool astray;   /* something differed, and it went on all the same */
	bool lenient;  /* lines that are not on the page do not matter */
	int resume_at; /* line of the page; before it nothing is shown or asked; 0: from the start
	                */

	struct terminal terminals[PLAY_TERMINALS_MOST];
	size_t displayed[PLAY_TERMINALS_MOST];
	size_t terminal_count;
	struct captures captures;
	unsigned long stopped_at;  /* print_lines() when the person had time to read last */
	int choice;                /* the person's last prediction; 0: none */
	const struct item *answer; /* not told yet */

	/* The first difference: file, line, what was expected, what was seen. */
	int different_line;
	char different[1200];
};

/* Made once, before any player: signals and the pipe by which they wake a wait. */
int play_prepare(void);

/* The signal that asked to end, or 0. */
int play_signal(void);

void player_begin(struct player *player, const struct worksheet *worksheet,
                  const struct surroundings *surroundings, enum stage_mode mode);

/* Plays the page up to "Your turn". */
enum play_result player_play(struct player *player);

/*
 * Does a solution, and leaves it as it is then: what runs, runs. Lines that are not in it do
 * not matter. A command without a line to wait for must have ended.
 */
enum play_result player_solve(struct player *player, const struct script *script);

/* Shows an item of the page; one that would not fit the rest of the window waits for Enter. */
enum play_result player_show(struct player *player, const struct item *item);

/* Ends what runs in the terminals. */
void player_end(struct player *player);

/*
 * Reads a line that the person types, while the terminals live on. Returns its length; 0 for
 * a mere Enter; -1 at the end of input, or where a signal asks to end.
 */
int player_ask(struct player *player, const char *prompt, char *line, size_t size);

#endif
