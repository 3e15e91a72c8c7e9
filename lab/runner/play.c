/* play.c - see play.h. */
#include "runner/play.h"

#include "instruments/print.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "runner/expectation.h"
#include "runner/page.h"
#include "runner/perform.h"
#include "runner/surroundings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- blocks ---- */

static enum play_result play_block(struct player *player, const struct item *item)
{
	const struct script_line *first = &item->script.lines[0];
	struct terminal *terminal = perform_open_terminal(player, first->terminal, first->admin);
	char note[160];

	if (terminal == NULL)
		return perform_differs(player, first->number, "cannot open terminal %c: %s",
		                       first->terminal, strerror(errno));
	bool missing_tool =
	    item->needs != NULL && !surroundings_have(player->surroundings, item->needs);
	bool goes_on = first->kind != SCRIPT_COMMAND;
	if (missing_tool || (goes_on && terminal->left_out)) {
		snprintf(note, sizeof note, "left out: %s is not installed on this machine",
		         item->needs != NULL ? item->needs : "the program for this");
		if (!goes_on) {
			terminal->left_out = true;
			stage_note(&player->stage, note);
		}
		return PLAY_DONE;
	}
	if (stage_shows(&player->stage))
		print("\n");
	return perform_script(player, &item->script);
}

/* ---- questions ---- */

/* Returns the number of the choice; 0 where the person did not want to; -1 to stop. */
static int ask_choice(struct player *player, int most)
{
	char prompt[80], line[64];

	snprintf(prompt, sizeof prompt, "What do you think? 1-%d", most);
	for (;;) {
		int length = player_ask(player, prompt, line, sizeof line);
		if (length == -1 || line[0] == 'q')
			return -1;
		if (length == 1 && line[0] >= '1' && line[0] <= '0' + most)
			return line[0] - '0';
		print("One of the numbers 1 to %d; there is no harm in being wrong. (q: stop)\n", most);
	}
}

/* After the choices of a prediction: asks now, tells after the next "Do". */
static enum play_result predict(struct player *player, const struct item *answer, int choices)
{
	player->answer = answer;
	player->choice = 0;
	if (!stage_shows(&player->stage))
		return PLAY_DONE;
	if (player->stage.mode == STAGE_DEMO) {
		print("\nWhat do you think?\n");
		return perform_pause(player, "");
	}
	print("\n");
	player->choice = ask_choice(player, choices);
	if (player->choice > 0 && player->record.predicted != NULL)
		player->record.predicted(player->record.argument, player->choice == answer->number);
	player->stopped_at = print_lines();
	return player->choice == -1 ? (play_signal() != 0 ? PLAY_ENDED : PLAY_STOPPED) : PLAY_DONE;
}

static void tell_answer(struct player *player)
{
	const struct item *answer = player->answer;
	char text[1600];

	player->answer = NULL;
	if (answer == NULL || !stage_shows(&player->stage))
		return;
	if (player->choice > 0 && player->choice == answer->number)
		snprintf(text, sizeof text, "You said %d, and so it is. %s", player->choice,
		         answer->text);
	else if (player->choice > 0)
		snprintf(text, sizeof text, "You said %d; it is %d. %s", player->choice, answer->number,
		         answer->text);
	else
		snprintf(text, sizeof text, "It is %d. %s", answer->number, answer->text);
	page_heading("Your prediction");
	page_text(text, "");
}

/* ---- the page ---- */

static long count_lines(void *argument, char name, const char *pattern)
{
	struct player *player = argument;
	const struct terminal *terminal = perform_terminal(player, name);
	struct captures *captures = malloc(sizeof *captures);
	long count = 0;

	if (terminal == NULL || captures == NULL) {
		free(captures);
		return -1;
	}
	for (size_t i = 0; i < terminal->count; i++) {
		*captures = player->captures;
		count += match_line(pattern, terminal->lines[i], captures);
	}
	free(captures);
	return count;
}

static enum play_result play_expectation(struct player *player, const struct item *item)
{
	char reason[EXPECTATION_REASON_SIZE], name[CAPTURE_NAME_SIZE];

	/* What was left out has kept nothing. */
	for (const char *at = item->text; *at != '\0'; at++)
		if (capture_name_at(at, name) > 0 && captures_find(&player->captures, name) == NULL)
			return PLAY_DONE;
	if (expectation_holds(item->text, &player->captures, count_lines, player, reason))
		return PLAY_DONE;
	return perform_differs(player, item->line, "%s", reason);
}

static int count_choices(const struct worksheet *worksheet, size_t answer)
{
	int most = 0;

	for (size_t i = answer; i > 0 && worksheet->items[i - 1].kind != ITEM_HEADING; i--)
		if (worksheet->items[i - 1].kind == ITEM_CHOICE &&
		    worksheet->items[i - 1].number > most)
			most = worksheet->items[i - 1].number;
	return most;
}

/* From here on it is shown again; what appeared until now was seen before. */
static void catch_up(struct player *player)
{
	int64_t deadline = clock_ms() + LINGER_MS;

	for (size_t i = 0; i < player->terminal_count; i++)
		while (player->terminals[i].floating && !terminal_is_idle(&player->terminals[i]) &&
		       clock_ms() < deadline)
			(void)perform_wait(player, false, deadline);
	for (size_t i = 0; i < player->terminal_count; i++)
		player->displayed[i] = player->terminals[i].floating ? player->terminals[i].count
		                                                     : player->terminals[i].matched;
	player->stage.hidden = false;
}

/* A new section: the answer is due when its "Do" is over; people read at their own pace. */
static enum play_result play_heading(struct player *player, size_t index)
{
	const struct item *item = &player->worksheet->items[index];
	enum play_result result = PLAY_DONE;

	bool resumes = player->stage.hidden && item->line >= player->resume_at;
	if (resumes)
		catch_up(player);
	if (index > 0 && !resumes)
		result = perform_pause(player, "Enter: go on   q: stop");
	if (result != PLAY_DONE)
		return result;
	if (item->section != SECTION_DO)
		tell_answer(player);
	if (player->record.reached != NULL && stage_shows(&player->stage))
		player->record.reached(player->record.argument, item->line);
	stage_item(&player->stage, item);
	return PLAY_DONE;
}

enum play_result player_show(struct player *player, const struct item *item)
{
	long lines = 2;
	enum play_result result = PLAY_DONE;

	for (const char *at = item->text; *at != '\0'; at++)
		lines += *at == '\n';
	lines += (long)text_columns(item->text) / page_width();
	if (stage_shows(&player->stage) && item->kind != ITEM_CHOICE &&
	    perform_rows_left(player) < lines)
		result = perform_pause(player, "Enter: more   q: stop");
	if (result == PLAY_DONE)
		stage_item(&player->stage, item);
	return result;
}

static enum play_result play_item(struct player *player, size_t index)
{
	const struct item *item = &player->worksheet->items[index];

	switch (item->kind) {
	case ITEM_HEADING:
		return play_heading(player, index);
	case ITEM_CONSOLE:
		return play_block(player, item);
	case ITEM_EXPECT:
		return play_expectation(player, item);
	case ITEM_ANSWER:
		return predict(player, item, count_choices(player->worksheet, index));
	case ITEM_TEXT:
	case ITEM_VERBATIM:
	case ITEM_CHOICE:
	case ITEM_KEY:
		return player_show(player, item);
	}
	return PLAY_DONE;
}

void player_begin(struct player *player, const struct worksheet *worksheet,
                  const struct surroundings *surroundings, enum stage_mode mode)
{
	memset(player, 0, sizeof *player);
	player->worksheet = worksheet;
	player->surroundings = surroundings;
	player->stage.mode = mode;
}

/*
 * For a person a difference is worth a look, not the end: this machine said something else
 * than the page. It is said, and the page goes on as far as it can.
 */
static enum play_result after_difference(struct player *player)
{
	if (!stage_shows(&player->stage))
		return PLAY_DIFFERENT;
	player->astray = true;
	print("\n");
	page_text("This machine says something else than the page. (Some things end by themselves "
	          "after a minute: a long pause may be the reason.)",
	          "-- ");
	for (const char *at = player->different; *at != '\0';) {
		char line[512];
		size_t length = strcspn(at, "\n");
		snprintf(line, sizeof line, "%.*s", (int)length, at);
		page_text(line, "   ");
		at += length + (at[length] == '\n');
	}
	for (size_t i = 0; i < player->terminal_count; i++)
		player->terminals[i].floating = true;
	(void)perform_show_floating(player, false);
	return perform_pause(player, "Enter: go on all the same   q: stop");
}

enum play_result player_play(struct player *player)
{
	const struct worksheet *worksheet = player->worksheet;
	enum play_result result = PLAY_DONE;

	player->stage.hidden = player->resume_at > 0;
	for (size_t i = 0; i < worksheet->item_count && result == PLAY_DONE; i++) {
		if (worksheet->items[i].section >= SECTION_TURN)
			break;
		result = play_item(player, i);
		if (result == PLAY_DIFFERENT)
			result = after_difference(player);
	}
	for (size_t i = 0; i < player->terminal_count && result == PLAY_DONE && !player->astray;
	     i++)
		result = perform_settle(player, &player->terminals[i],
		                        worksheet->items[worksheet->item_count - 1].line);
	if (result == PLAY_DONE && stage_shows(&player->stage)) {
		result = perform_pause(player, "Enter: go on   q: stop");
		tell_answer(player);
	}
	player->stage.hidden = false;
	return result == PLAY_DONE && player->astray ? PLAY_DIFFERENT : result;
}
