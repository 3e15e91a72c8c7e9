/* page_targets.c - what the runner reads: pages, patterns, progress, what terminals show. */
#include "support.h"
#include "targets.h"

#include "runner/check.h"
#include "runner/expectation.h"
#include "runner/match.h"
#include "runner/page.h"
#include "runner/progress.h"
#include "runner/terminal.h"
#include "runner/worksheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pages ---- */

static void show_page(void *argument)
{
	const struct worksheet *worksheet = argument;

	page_title(worksheet);
	for (size_t i = 0; i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		if (item->kind == ITEM_HEADING)
			page_heading(item->text);
		else if (item->kind == ITEM_VERBATIM)
			page_verbatim(item->text);
		else
			page_text(item->text, "  ");
		for (size_t line = 0; line < item->script.count; line++)
			page_text(item->script.lines[line].text, "  ");
	}
}

static void check_worksheet(const struct worksheet *worksheet)
{
	int before = 0;

	must(worksheet->title != NULL && worksheet->minutes > 0);
	for (size_t i = 0; i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		must(item->text != NULL && item->line > before);
		must(item->kind != ITEM_CONSOLE || item->script.count > 0);
		before = item->line - 1; /* a heading and what follows may share a line's number */
	}
}

void fuzz_worksheet(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length);
	struct worksheet_error error;
	struct worksheet *worksheet =
	    worksheet_parse(text, length, "lab/exercises/05-x.md", &error);
	size_t shown_length;

	if (worksheet != NULL) {
		check_worksheet(worksheet);
		char *shown = output_of(1, show_page, worksheet, &shown_length);
		must(is_harmless(shown, shown_length));
		free(shown);
	} else {
		must(error.words[0] != '\0');
	}
	worksheet_free(worksheet);
	free(text);
}

/* Lines that begin with | are patterns, the others are what appeared. */
void fuzz_match(const uint8_t *bytes, size_t length)
{
	enum { LINES_MOST = 64 };
	char *text = string_of(bytes, length), *rest = NULL;
	const char *patterns[LINES_MOST], *lines[LINES_MOST];
	size_t pattern_count = 0, line_count = 0;
	struct captures *captures = calloc(1, sizeof *captures);
	struct match_result result, again;

	must(captures != NULL);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] == '|' && pattern_count < LINES_MOST)
			patterns[pattern_count++] = line + 1;
		else if (line[0] != '|' && line_count < LINES_MOST)
			lines[line_count++] = line;
	}
	if (match_lines(patterns, pattern_count, lines, line_count, captures, &result)) {
		must(result.used <= line_count);
		/* What was kept is what appeared: the same lines match with it once more. */
		must(match_lines(patterns, pattern_count, lines, line_count, captures, &again));
	} else {
		must(captures->count == 0);
		must(result.reached <= pattern_count && result.stuck_at <= line_count);
	}
	for (size_t i = 0; i < captures->count; i++)
		must(strcmp(captures_find(captures, captures->items[i].name),
		            captures->items[i].value) == 0);
	free(captures);
	free(text);
}

static long count_nothing(void *argument, char terminal, const char *pattern)
{
	(void)argument;
	(void)terminal;
	(void)pattern;
	return 3;
}

void fuzz_directive(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length), reason[EXPECTATION_REASON_SIZE] = "";
	char check_reason[CHECK_REASON_SIZE] = "", words[400] = "";
	struct captures *captures = calloc(1, sizeof *captures);
	struct check check;

	must(captures != NULL);
	if (check_parse(text, &check, check_reason) == 0) {
		check_describe(&check, words, sizeof words);
		must(words[0] != '\0' && check.condition_count <= CHECK_CONDITIONS_MOST);
	} else {
		must(check_reason[0] != '\0');
	}
	if (expectation_is_valid(text, reason))
		(void)expectation_holds(text, captures, count_nothing, NULL, reason);
	else
		must(reason[0] != '\0');
	free(captures);
	free(text);
}

/* ---- the file of progress ---- */

static bool same_entry(const struct progress_entry *one, const struct progress_entry *other)
{
	return one->number == other->number && one->reached == other->reached &&
	       one->played == other->played && one->predicted == other->predicted &&
	       one->right == other->right && one->attempts == other->attempts &&
	       one->hints == other->hints && one->seconds == other->seconds &&
	       one->passed == other->passed;
}

static void check_progress(const struct progress *progress)
{
	static struct progress again;
	char *text = NULL, time_text[TIME_TEXT_SIZE];
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	must(file != NULL && progress_print(file, progress) && fclose(file) == 0);
	must(progress->count <= PROGRESS_MOST);
	file = fmemopen(text, size, "r");
	must(file != NULL && progress_parse(file, &again) && fclose(file) == 0);
	must(again.count == progress->count);
	for (size_t i = 0; i < progress->count; i++) {
		const struct progress_entry *entry = &progress->entries[i];
		must(same_entry(entry, &again.entries[i]) && entry->right <= entry->predicted);
		must(i == 0 || progress->entries[i - 1].number < entry->number);
		time_format(entry->passed, time_text);
		must(time_text[0] != '\0');
	}
	free(text);
}

void fuzz_progress(const uint8_t *bytes, size_t length)
{
	static struct progress progress;
	uint8_t *copy = bytes_of(bytes, length);
	FILE *file = length > 0 ? fmemopen(copy, length, "r") : NULL;

	if (file != NULL) {
		if (progress_parse(file, &progress))
			check_progress(&progress);
		must(fclose(file) == 0);
	}
	free(copy);
}

/* ---- terminals ---- */

static void forget_lines(struct terminal *terminal)
{
	for (size_t i = 0; i < terminal->count; i++) {
		free(terminal->lines[i]);
		free(terminal->shown[i]);
	}
	free(terminal->lines);
	free(terminal->shown);
	free(terminal);
}

/* Takes colours out: ESC [ numbers m. */
static void remove_colors(char *text)
{
	char *to = text;

	while (*text != '\0') {
		size_t length =
		    text[0] == '\033' && text[1] == '[' ? 2 + strspn(text + 2, "0123456789;") : 0;
		if (length > 0 && text[length] == 'm')
			text += length + 1;
		else
			*to++ = *text++;
	}
	*to = '\0';
}

static struct terminal *terminal_given(const uint8_t *bytes, size_t length, size_t piece)
{
	struct terminal *terminal = calloc(1, sizeof *terminal);

	must(terminal != NULL);
	while (length > 0) {
		size_t now = length < piece ? length : piece;
		char *copy = string_of(bytes, now);
		(void)terminal_take(terminal, copy, now);
		free(copy);
		bytes += now;
		length -= now;
	}
	return terminal;
}

/* The first byte: how many come at a time. That must make no difference. */
void fuzz_terminal(const uint8_t *bytes, size_t length)
{
	if (length < 2)
		return;
	struct terminal *whole = terminal_given(bytes + 1, length - 1, length);
	struct terminal *pieces = terminal_given(bytes + 1, length - 1, (size_t)bytes[0] % 16 + 1);

	must(whole->count == pieces->count && whole->partial_length == pieces->partial_length);
	for (size_t i = 0; i < whole->count; i++) {
		const char *line = whole->lines[i];
		char *shown = whole->shown[i];
		must(strcmp(line, pieces->lines[i]) == 0 && strcmp(shown, pieces->shown[i]) == 0);
		must(is_harmless(line, strlen(line)) && strpbrk(line, "\n\t") == NULL);
		remove_colors(shown);
		must(strcmp(shown, line) == 0);
	}
	forget_lines(whole);
	forget_lines(pieces);
}
