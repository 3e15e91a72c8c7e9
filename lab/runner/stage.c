/* stage.c - see stage.h. */
#include "runner/stage.h"

#include "instruments/print.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "runner/page.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { LETTER_MS = 35 };

bool stage_shows(const struct stage *stage)
{
	return stage->mode != STAGE_SILENT && !stage->hidden;
}

/* Lanes are told apart by letter and colour: A cyan, B yellow, C magenta. */
static const char *lane_color(char name)
{
	static const char *const colors[] = {"\033[36m", "\033[33m", "\033[35m"};

	return page_has_colors() ? colors[(name - 'A') % 3] : "";
}

static void print_lane(const struct terminal *terminal)
{
	print("%s%c%s%s", lane_color(terminal->name), terminal->name,
	      text_is_utf8() ? "\xe2\x94\x82" : "|", page_end());
}

enum { LANE_COLUMNS = 2 };

void stage_typed(const struct stage *stage, const struct terminal *terminal, const char *sign,
                 const char *text)
{
	if (!stage_shows(stage))
		return;
	print_lane(terminal);
	print("%s%s", page_bold(), sign);
	for (; *text != '\0'; text++) {
		print("%c", *text);
		if (stage->mode != STAGE_DEMO || stage->pause_ms == 0 ||
		    ((unsigned char)text[1] & 0xc0) == 0x80)
			continue;
		(void)fflush(stdout);
		(void)poll(NULL, 0, LETTER_MS); /* the speed of typing is what is shown here */
	}
	print("%s\n", page_end());
}

/* The columns of a line with colours. */
static size_t columns_of(const char *line)
{
	size_t columns = 0;

	for (; *line != '\0'; line++) {
		if (*line == '\033') {
			line += strcspn(line, "m");
			if (*line == '\0')
				break;
		} else {
			columns += ((unsigned char)*line & 0xc0) != 0x80;
		}
	}
	return columns;
}

/* The last run of more than two blanks: it can give some away, and moves one column only. */
static char *last_gap(char *line, size_t *length)
{
	char *last = NULL;

	*length = 2;
	for (char *at = line + strspn(line, " "); *at != '\0'; at++) {
		size_t blanks = strspn(at, " ");
		if (blanks > 2) {
			last = at;
			*length = blanks;
		}
		at += blanks > 0 ? blanks - 1 : 0;
	}
	return last;
}

/* Lines are made for 80 columns; the lane takes two: gaps between columns give them back. */
static void squeeze(char *line, size_t room)
{
	size_t columns = columns_of(line), length;
	char *gap;

	while (columns > room && (gap = last_gap(line, &length)) != NULL) {
		size_t less = columns - room < length - 2 ? columns - room : length - 2;
		memmove(gap, gap + less, strlen(gap + less) + 1);
		columns -= less;
	}
}

/* The bytes of the line that fit the room, at best up to a blank. */
static size_t fitting(const char *line, size_t room)
{
	size_t columns = 0, blank = 0, i = 0;

	for (; line[i] != '\0'; i++) {
		if (line[i] == '\033') {
			i += strcspn(line + i, "m");
			if (line[i] == '\0')
				return i;
			continue;
		}
		if (((unsigned char)line[i] & 0xc0) == 0x80)
			continue;
		if (line[i] == ' ' && columns > room / 2)
			blank = i;
		if (++columns > room)
			return blank > 0 ? blank : i;
	}
	return i;
}

void stage_line(const struct stage *stage, const struct terminal *terminal, const char *line)
{
	char copy[1024];
	size_t room = (size_t)page_width() - LANE_COLUMNS;

	if (!stage_shows(stage))
		return;
	snprintf(copy, sizeof copy, "%s", line);
	squeeze(copy, room);
	size_t indent = strspn(copy, " ");
	if (indent > room / 2)
		indent = room / 2;
	const char *at = copy;
	size_t length = fitting(at, room);
	print_lane(terminal);
	print("%.*s", (int)length, at);
	for (at += length; *at != '\0'; at += length) {
		at += strspn(at, " ");
		length = fitting(at, room - indent);
		print("\n");
		print_lane(terminal);
		print("%*s%.*s", (int)indent, "", (int)length, at);
	}
	print("%s\n", page_end());
}

void stage_note(const struct stage *stage, const char *words)
{
	if (stage_shows(stage))
		page_text(words, "-- ");
}

void stage_item(const struct stage *stage, const struct item *item)
{
	char mark[16];

	if (!stage_shows(stage))
		return;
	switch (item->kind) {
	case ITEM_HEADING:
		page_heading(item->text);
		break;
	case ITEM_TEXT:
		/* Entries of one list stand close together. */
		if (strncmp(item->text, "- ", 2) != 0 && (item->text[0] < '0' || item->text[0] > '9'))
			print("\n");
		page_text(item->text, "");
		break;
	case ITEM_VERBATIM:
		print("\n");
		page_verbatim(item->text);
		break;
	case ITEM_CHOICE:
		snprintf(mark, sizeof mark, "  %d. ", item->number);
		page_text(item->text, mark);
		break;
	case ITEM_CONSOLE:
	case ITEM_EXPECT:
	case ITEM_ANSWER:
	case ITEM_KEY:
		break;
	}
}
