/* page.c - see page.h. */
#include "runner/page.h"

#include "instruments/print.h"
#include "kit/text.h"
#include "kit/unix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	WIDTH_LEAST = 20,
	WIDTH_MOST = 100,
	WIDTH_WITHOUT_WINDOW = 80,
	ROWS_LEAST = 8,
	ROWS_WITHOUT_WINDOW = 24,
	WORD_MOST = 256
};

static int width = WIDTH_WITHOUT_WINDOW, rows = ROWS_WITHOUT_WINDOW;
static bool colors, moves; /* what the terminal can */

void page_prepare(enum narrate_color color)
{
	struct terminal_size size;
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	width = WIDTH_WITHOUT_WINDOW;
	if (terminal_size_of(STDOUT_FILENO, &size) == 0)
		width = size.columns > WIDTH_MOST    ? WIDTH_MOST
		        : size.columns < WIDTH_LEAST ? WIDTH_LEAST
		                                     : size.columns;
	rows = ROWS_WITHOUT_WINDOW;
	if (terminal_size_of(STDOUT_FILENO, &size) == 0)
		rows = size.rows < ROWS_LEAST ? ROWS_LEAST : size.rows;
	moves = isatty(STDOUT_FILENO) == 1 && terminal != NULL && strcmp(terminal, "dumb") != 0;
	colors = color == NARRATE_COLOR_ALWAYS ||
	         (color == NARRATE_COLOR_AUTO && isatty(STDOUT_FILENO) == 1 &&
	          (no_color == NULL || no_color[0] == '\0') &&
	          (terminal == NULL || strcmp(terminal, "dumb") != 0));
}

int page_width(void)
{
	return width;
}

int page_rows(void)
{
	return rows;
}

bool page_has_colors(void)
{
	return colors;
}

const char *page_bold(void)
{
	return colors ? "\033[1m" : "";
}

const char *page_faint(void)
{
	return colors ? "\033[2m" : "";
}

const char *page_end(void)
{
	return colors ? "\033[0m" : "";
}

/* ---- wrapping ---- */

struct wrap {
	size_t column, indent;
	bool bold, emphasis, code;
	char word[WORD_MOST]; /* with its control sequences */
	size_t length, columns;
};

static void add_byte(struct wrap *wrap, char byte)
{
	if (wrap->length + 8 < sizeof wrap->word)
		wrap->word[wrap->length++] = byte;
}

static void add_sequence(struct wrap *wrap, const char *sequence)
{
	for (; colors && *sequence != '\0'; sequence++)
		add_byte(wrap, *sequence);
}

/* Bold and code look the same: what matters. A window has no third look that all show. */
static void switch_look(struct wrap *wrap)
{
	add_sequence(wrap, "\033[0m");
	if (wrap->bold || wrap->code)
		add_sequence(wrap, "\033[1m");
	if (wrap->emphasis)
		add_sequence(wrap, "\033[4m");
}

static void end_word(struct wrap *wrap)
{
	if (wrap->columns == 0 && wrap->length == 0)
		return;
	bool first = wrap->column == wrap->indent;
	if (!first && wrap->column + 1 + wrap->columns > (size_t)width) {
		print("\n%*s", (int)wrap->indent, "");
		wrap->column = wrap->indent;
		first = true;
	}
	wrap->word[wrap->length] = '\0';
	print("%s%s", first || wrap->columns == 0 ? "" : " ", wrap->word);
	wrap->column += wrap->columns + (first || wrap->columns == 0 ? 0 : 1);
	wrap->length = wrap->columns = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Whether a * here begins or ends emphasis, and is not a sign of its own. */
static bool is_mark(const struct wrap *wrap, const char *at)
{
	return wrap->emphasis ? true
	                      : at[1] != '\0' && !is_blank(at[1]) && strchr(at + 1, '*') != NULL;
}

static void wrap_text(struct wrap *wrap, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '`') {
			wrap->code = !wrap->code;
			/* Without colours the marks stay: a command must be told from the words around. */
			if (colors)
				switch_look(wrap);
			else
				add_byte(wrap, '`');
			wrap->columns += colors ? 0 : 1;
		} else if (!wrap->code && text[0] == '*' && text[1] == '*') {
			wrap->bold = !wrap->bold;
			switch_look(wrap);
			text++;
		} else if (!wrap->code && *text == '*' && is_mark(wrap, text)) {
			wrap->emphasis = !wrap->emphasis;
			switch_look(wrap);
		} else if (is_blank(*text)) {
			end_word(wrap);
		} else {
			add_byte(wrap, *text);
			wrap->columns += ((unsigned char)*text & 0xc0) != 0x80;
		}
	}
	end_word(wrap);
}

void page_text(const char *markdown, const char *mark)
{
	struct wrap wrap = {0};
	size_t entry = strncmp(markdown, "- ", 2) == 0 ? 2 : strspn(markdown, "0123456789");

	if (entry != 2 || markdown[0] != '-')
		entry = entry > 0 && strncmp(markdown + entry, ". ", 2) == 0 ? entry + 2 : 0;
	print("%s%.*s", mark, (int)entry, markdown);
	wrap.indent = wrap.column = text_columns(mark) + entry;
	wrap_text(&wrap, markdown + entry);
	print("\n");
}

/* ---- tables ---- */

enum { COLUMNS_MOST = 8, CELL_MOST = 160, LAST_COLUMN_LEAST = 12 };

struct row {
	char cells[COLUMNS_MOST][CELL_MOST]; /* without marks */
	size_t count;
};

/* "| a | b |" into its cells. Returns where the next line begins. */
static const char *split_row(const char *line, struct row *row)
{
	size_t used = 0;

	memset(row, 0, sizeof *row);
	for (line++; *line != '\0' && *line != '\n'; line++) {
		char *cell = row->cells[row->count];
		if (*line == '|') {
			while (used > 0 && cell[used - 1] == ' ')
				cell[--used] = '\0';
			used = 0;
			if (++row->count == COLUMNS_MOST)
				break;
		} else if (*line != '`' && *line != '*' && !(used == 0 && *line == ' ') &&
		           used + 1 < CELL_MOST) {
			cell[used++] = *line;
		}
	}
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* "|---|---|" */
static bool is_rule(const struct row *row)
{
	return row->count > 0 && row->cells[0][0] == '-' &&
	       strspn(row->cells[0], "-:") == strlen(row->cells[0]);
}

/* Too narrow for columns: one cell below the other, each with the head of its column. */
static void print_stacked(const struct row *row, const struct row *head)
{
	char mark[CELL_MOST + 8];

	for (size_t i = 0; i < row->count; i++) {
		if (head->cells[i][0] != '\0')
			snprintf(mark, sizeof mark, "%s%s: ", i == 0 ? "  " : "    ", head->cells[i]);
		else
			snprintf(mark, sizeof mark, "%s", i == 0 ? "  " : "    ");
		page_text(row->cells[i][0] != '\0' ? row->cells[i] : "-",
		          text_columns(mark) + 8 < (size_t)width ? mark : "    ");
	}
}

/* The head is the row without a `head`. */
static void print_row(const struct row *row, const size_t *widths, const struct row *head)
{
	size_t indent = 2;

	for (size_t i = 0; i + 1 < row->count; i++)
		indent += widths[i] + 2;
	size_t last = row->count > 0 ? widths[row->count - 1] : 0;
	if (indent + (last < LAST_COLUMN_LEAST ? last : LAST_COLUMN_LEAST) > (size_t)width) {
		if (head != NULL)
			print_stacked(row, head);
		return;
	}
	print("  %s", head == NULL ? page_bold() : "");
	for (size_t i = 0; i + 1 < row->count; i++)
		print("%s%*s  ", row->cells[i], (int)(widths[i] - text_columns(row->cells[i])), "");
	/* The last column takes what is left of the window. */
	struct wrap wrap = {.column = indent, .indent = indent};
	if (row->count > 0)
		wrap_text(&wrap, row->cells[row->count - 1]);
	print("%s\n", head == NULL ? page_end() : "");
}

static void print_table(const char *text)
{
	struct row head, row;
	size_t widths[COLUMNS_MOST] = {0};
	const char *body = split_row(text, &head);

	for (const char *line = text; *line != '\0';) {
		line = split_row(line, &row);
		for (size_t i = 0; i < row.count && !is_rule(&row); i++) {
			size_t columns = text_columns(row.cells[i]);
			widths[i] = columns > widths[i] ? columns : widths[i];
		}
	}
	print_row(&head, widths, NULL);
	while (*body != '\0') {
		body = split_row(body, &row);
		if (!is_rule(&row))
			print_row(&row, widths, &head);
	}
}

void page_verbatim(const char *text)
{
	if (*text == '|') {
		print_table(text);
		return;
	}
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		print("  %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

void page_take_back_line(void)
{
	if (moves)
		print("\033[1A\r\033[K"); /* up, to its beginning, erase: ECMA-48 */
}

void page_heading(const char *words)
{
	print("\n%s%s%s\n", page_bold(), words, page_end());
}

void page_title(const struct worksheet *worksheet)
{
	size_t columns = text_columns(worksheet->title) + (worksheet->number > 9 ? 4 : 3);

	print("%s%d. %s%s\n", page_bold(), worksheet->number, worksheet->title, page_end());
	for (size_t i = 0; i < columns && i < (size_t)width; i++)
		print("-");
	print("\n");
}
