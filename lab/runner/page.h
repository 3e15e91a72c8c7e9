/*
 * page.h - a worksheet's Markdown on a terminal: wrapped to the window, `code`, **bold** and
 * *emphasis* shown by the terminal's own means where there are colours, else as plain words.
 */
#ifndef PORTLAB_PAGE_H
#define PORTLAB_PAGE_H

#include "kit/narrate.h"
#include "runner/worksheet.h"

/* The width of the window (at most 100, so that lines stay easy to read), and the colours. */
void page_prepare(enum narrate_color color);
int page_width(void);
int page_rows(void);
bool page_has_colors(void);

/* A control sequence where there are colours, else "". */
const char *page_bold(void);
const char *page_faint(void);
const char *page_end(void);

/*
 * A paragraph or an entry of a list, wrapped; the first line begins with `mark` (which takes
 * its columns), the others below its text.
 */
void page_text(const char *markdown, const char *mark);

/* Lines as they are, indented by two; a table with its columns side by side. */
void page_verbatim(const char *text);

/* Takes back the line above the cursor, a prompt that was answered, where a terminal can. */
void page_take_back_line(void);

void page_heading(const char *words);

/* "5. The client's port", and how long it takes. */
void page_title(const struct worksheet *worksheet);

#endif
