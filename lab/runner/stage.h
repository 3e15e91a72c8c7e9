/*
 * stage.h - what a person sees of a worksheet that is played: the page, both terminals in
 * lanes with their names, the questions. Nothing at all with STAGE_SILENT.
 *
 * The lanes share the window, one line below the other, each line with its terminal's letter
 * in front, in the order of the page.
 */
#ifndef PORTLAB_STAGE_H
#define PORTLAB_STAGE_H

#include "runner/terminal.h"
#include "runner/worksheet.h"

#include <stdbool.h>
#include <stdint.h>

enum stage_mode {
	STAGE_SILENT, /* for tests: nothing is shown, nothing is asked */
	STAGE_DEMO,   /* for a projector: typed at reading speed, nothing is asked */
	STAGE_ASKING  /* for a student */
};

struct stage {
	enum stage_mode mode;
	int64_t pause_ms; /* of a demo, after each scene */
	bool hidden;      /* nothing is shown for now: what was seen before is played again */
};

/* What somebody types: with Enter, in the mode of a demo letter by letter. */
void stage_typed(const struct stage *stage, const struct terminal *terminal, const char *sign,
                 const char *text);

/* A line that appeared there. */
void stage_line(const struct stage *stage, const struct terminal *terminal, const char *line);

/* A remark of the runner, wrapped. */
void stage_note(const struct stage *stage, const char *words);

/* The page. */
void stage_item(const struct stage *stage, const struct item *item);

/* Whether anything is shown now. */
bool stage_shows(const struct stage *stage);

#endif
