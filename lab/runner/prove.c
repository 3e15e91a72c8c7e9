/*
 * prove.c - lab prove: an exercise is what it promises. It plays as written; "your turn" is
 * not passed by doing nothing, nor by any wrong way, and is by the solution; and nothing is
 * used before it was introduced.
 */
#include "instruments/print.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "runner/course.h"
#include "runner/guardian.h"
#include "runner/page.h"
#include "runner/play.h"
#include "runner/surroundings.h"
#include "subcommand.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab prove [N ...]\n"
    "Tries whether exercises are what they promise: they play as written; \"your turn\" is "
    "not\n"
    "passed by doing nothing nor by a wrong way, but by the solution; they have hints, review\n"
    "questions with a key, claims; and use no word or command before it is introduced.\n"
    "Without a number: all. Exit status 0, 1, or 77 if none can be played here.\n";

/* Those without a part to do are a show, such as the tour: they need no hints and words. */
static bool is_exercise(const struct worksheet *worksheet)
{
	return worksheet->number > 0;
}

static int failed(const struct worksheet *worksheet, int line, const char *words)
{
	complain("%s:%d: %s", worksheet->path, line, words);
	return EXIT_FAILURE;
}

/* ---- what must be there ---- */

static int count_items(const struct worksheet *worksheet, enum item_kind kind)
{
	int count = 0;

	for (size_t i = 0; i < worksheet->item_count; i++)
		count += worksheet->items[i].kind == kind;
	return count;
}

/* Numbered questions of the section Review. */
static int count_questions(const struct worksheet *worksheet)
{
	int count = 0;

	for (size_t i = 0; i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		count += item->section == SECTION_REVIEW && item->kind == ITEM_TEXT &&
		         isdigit((unsigned char)item->text[0]);
	}
	return count;
}

static int prove_parts(const struct worksheet *worksheet)
{
	int questions = count_questions(worksheet);
	int status = EXIT_SUCCESS;

	if (worksheet->word_count == 0)
		status = failed(worksheet, 1, "there is no section \"New words\" with a word in it");
	if (worksheet->claims == 0)
		status = failed(worksheet, 1, "there is no <!-- claims: ... -->");
	if (count_items(worksheet, ITEM_ANSWER) == 0)
		status = failed(worksheet, 1, "there is no prediction with an answer");
	if (count_items(worksheet, ITEM_CONSOLE) == 0)
		status = failed(worksheet, 1, "there is no console block: nothing happens");
	if (worksheet->check_count == 0)
		status = failed(worksheet, 1, "there is no check");
	if (worksheet->hint_count < 2)
		status = failed(worksheet, 1, "there are fewer than two hints");
	if (worksheet->solution.count == 0)
		status = failed(worksheet, 1, "there is no solution");
	if (worksheet->wrong_count < 2)
		status = failed(worksheet, 1, "there are fewer than two wrong ways");
	if (questions < 3 || count_items(worksheet, ITEM_KEY) != questions)
		status = failed(worksheet, 1,
		                "the review needs three questions or more, each followed by its key");
	return status;
}

/* ---- words ---- */

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The length of the term at the beginning of the text, or 0. A line may end between words. */
static size_t term_at(const char *text, const char *term)
{
	size_t length = 0;

	for (; *term != '\0'; term++) {
		size_t blanks = strspn(text + length, " \n");
		if (*term == ' '
		        ? blanks == 0
		        : tolower((unsigned char)text[length]) != tolower((unsigned char)*term))
			return 0;
		length += *term == ' ' ? blanks : 1;
	}
	return length;
}

/* Whether the text uses the term as words of their own; a plural s is the same word. */
static bool uses_term(const char *text, const char *term)
{
	for (const char *at = text; *at != '\0'; at++) {
		size_t length = at != text && is_letter(at[-1]) ? 0 : term_at(at, term);
		if (length > 0 && !is_letter(at[length + (at[length] == 's')]))
			return true;
	}
	return false;
}

/* "lab sockets", "ss": the program, for lab with its subcommand. */
static void command_of(const char *text, char *command, size_t size)
{
	size_t length = strcspn(text, " ");

	if (strncmp(text, "lab ", 4) == 0)
		length = 4 + strcspn(text + 4, " ");
	snprintf(command, size, "%.*s", (int)length, text);
}

static bool introduces(const struct worksheet *worksheet, const char *command)
{
	char introduced[64];

	for (size_t i = 0; i < worksheet->word_count; i++) {
		if (!worksheet->words[i].command)
			continue;
		command_of(worksheet->words[i].text, introduced, sizeof introduced);
		if (strcmp(introduced, command) == 0)
			return true;
	}
	return false;
}

struct library {
	struct worksheet *worksheets[EXERCISES_MOST]; /* ascending */
	size_t count;
};

/* A command must be introduced here or before. */
static int prove_command(const struct library *library, size_t index,
                         const struct script_line *line)
{
	char command[64], words[160];

	if (line->kind != SCRIPT_COMMAND)
		return EXIT_SUCCESS;
	command_of(line->text, command, sizeof command);
	for (size_t i = 0; i <= index; i++)
		if (introduces(library->worksheets[i], command))
			return EXIT_SUCCESS;
	snprintf(words, sizeof words,
	         "the command '%.60s' is not introduced, neither here nor before", command);
	return failed(library->worksheets[index], line->number, words);
}

static int prove_script(const struct library *library, size_t index,
                        const struct script *script)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < script->count; i++)
		if (prove_command(library, index, &script->lines[i]) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	return status;
}

/* A term that a later exercise introduces must not be used here. */
static int prove_term(const struct library *library, size_t index,
                      const struct worksheet *later, const struct word *word)
{
	const struct worksheet *worksheet = library->worksheets[index];
	char words[200];

	for (size_t i = 0; i <= index; i++)
		for (size_t j = 0; j < library->worksheets[i]->word_count; j++)
			if (strcmp(library->worksheets[i]->words[j].text, word->text) == 0)
				return EXIT_SUCCESS;
	for (size_t i = 0; i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		bool prose = item->kind != ITEM_CONSOLE && item->kind != ITEM_EXPECT;
		if (!prose || !uses_term(item->text, word->text))
			continue;
		snprintf(words, sizeof words,
		         "'%.60s' is used here, but introduced only in exercise %d", word->text,
		         later->number);
		return failed(worksheet, item->line, words);
	}
	return EXIT_SUCCESS;
}

static int prove_words(const struct library *library, size_t index)
{
	const struct worksheet *worksheet = library->worksheets[index];
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < worksheet->item_count; i++)
		if (prove_script(library, index, &worksheet->items[i].script) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	if (prove_script(library, index, &worksheet->solution) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	for (size_t i = index + 1; i < library->count; i++)
		for (size_t j = 0; j < library->worksheets[i]->word_count; j++)
			if (!library->worksheets[i]->words[j].command &&
			    prove_term(library, index, library->worksheets[i],
			               &library->worksheets[i]->words[j]) != EXIT_SUCCESS)
				status = EXIT_FAILURE;
	return status;
}

/* ---- your turn ---- */

/* In the network of the play. Returns bits: 1 passed, 2 cannot be seen here. */
static int look(void *argument)
{
	const struct worksheet *worksheet = *(const struct worksheet *const *)argument;
	bool passed = true, unseen = false;

	for (size_t i = 0; i < worksheet->check_count; i++) {
		struct check_result result;
		check_look(&worksheet->checks[i], &result);
		passed = passed && result.passed;
		unseen = unseen || result.unseen;
	}
	return (passed ? 1 : 0) | (unseen ? 2 : 0);
}

/*
 * Does the script in a network of its own, and looks. A solution may need a moment to show in
 * the kernel's table; a wrong way must not pass at any time while this looks. Returns what
 * look() said, or -1 (said).
 */
static int try_script(const struct worksheet *worksheet, const struct script *script,
                      bool want_pass)
{
	struct surroundings surroundings;
	struct sandbox_refusal refusal = {"out of memory", 0};
	struct player *player = malloc(sizeof *player);
	int64_t deadline = clock_ms() + (want_pass ? PLAY_LIMIT_MS : 300);
	int verdict = -1;

	if (player == NULL ||
	    surroundings_make(&surroundings, worksheet->network, &refusal) == -1) {
		free(player);
		complain("no place to try exercise %d: %s", worksheet->number, refusal.call);
		return -1;
	}
	player_begin(player, worksheet, &surroundings, STAGE_SILENT);
	enum play_result result = script != NULL ? player_solve(player, script) : PLAY_DONE;
	if (result != PLAY_DONE) {
		failed(worksheet, player->different_line, player->different);
	} else {
		do {
			verdict =
			    sandbox_call(&surroundings.sandbox, SANDBOX_ADMIN, look, &worksheet, &refusal);
		} while (verdict != -1 && (verdict & 1) == 0 && clock_ms() < deadline &&
		         poll(NULL, 0, 20) == 0);
	}
	player_end(player);
	surroundings_leave(&surroundings);
	free(player);
	return verdict;
}

static int prove_turn(const struct worksheet *worksheet)
{
	int status = EXIT_SUCCESS;
	int verdict = try_script(worksheet, NULL, false);

	if (verdict == -1)
		return EXIT_FAILURE;
	if (verdict & 2)
		return EXIT_SKIPPED;
	if (verdict & 1)
		status =
		    failed(worksheet, worksheet->checks[0].line, "the check passes with nothing done");
	for (size_t i = 0; i < worksheet->wrong_count; i++) {
		verdict = try_script(worksheet, &worksheet->wrongs[i], false);
		if (verdict == -1)
			status = EXIT_FAILURE;
		else if (verdict & 1)
			status = failed(worksheet, worksheet->wrongs[i].lines[0].number,
			                "the check passes for this wrong way");
	}
	verdict = try_script(worksheet, &worksheet->solution, true);
	if (verdict == -1)
		status = EXIT_FAILURE;
	else if (!(verdict & 1))
		status = failed(worksheet, worksheet->solution.lines[0].number,
		                "the check does not pass for the solution");
	return status;
}

/* ---- the play ---- */

static int prove_play(const struct worksheet *worksheet)
{
	struct surroundings surroundings;
	struct sandbox_refusal refusal;
	struct player *player = malloc(sizeof *player);

	if (player == NULL)
		return failed(worksheet, 1, "out of memory");
	if (surroundings_make(&surroundings, worksheet->network, &refusal) == -1) {
		free(player);
		complain("exercise %d cannot be played here: %s: %s", worksheet->number, refusal.call,
		         strerror(refusal.error));
		return EXIT_SKIPPED;
	}
	int status = EXIT_SUCCESS;
	for (size_t i = 0; i < worksheet->need_count && status == EXIT_SUCCESS; i++)
		if (!surroundings_have(&surroundings, worksheet->needs[i])) {
			complain("exercise %d cannot be played here: it needs %s", worksheet->number,
			         worksheet->needs[i]);
			status = EXIT_SKIPPED;
		}
	player_begin(player, worksheet, &surroundings, STAGE_SILENT);
	if (status == EXIT_SUCCESS && player_play(player) != PLAY_DONE)
		status = failed(worksheet, player->different_line, player->different);
	player_end(player);
	surroundings_leave(&surroundings);
	free(player);
	return status;
}

/* ---- all of it ---- */

/* "claim C9: exercises 5 7" for each; returns whether one is carried by none. */
static bool print_carried(const struct library *library, const char *what, const char *prefix,
                          int most, size_t offset)
{
	char carried[96], missing[200] = "";

	for (int number = 1; number <= most; number++) {
		carried[0] = '\0';
		for (size_t i = 0; i < library->count; i++) {
			unsigned bits;
			memcpy(&bits, (const char *)library->worksheets[i] + offset, sizeof bits);
			if (bits >> number & 1)
				text_add(carried, sizeof carried, " %d", library->worksheets[i]->number);
		}
		if (carried[0] != '\0')
			print("%s %s%d: exercise%s\n", what, prefix, number, carried);
		else
			text_add(missing, sizeof missing, " %s%d", prefix, number);
	}
	if (missing[0] != '\0')
		complain("%s that no exercise carries:%s", what, missing);
	return missing[0] != '\0';
}

/* The whole course of the suite must carry everything that it promises. */
static int prove_course(const struct library *library, const bool *wanted)
{
	const char *own = getenv("PORTLAB_EXERCISES");

	for (size_t i = 0; i < library->count; i++)
		if (!wanted[i])
			return EXIT_SUCCESS;
	bool missing =
	    print_carried(library, "claim", "C", CLAIMS, offsetof(struct worksheet, claims));
	missing =
	    print_carried(library, "belief", "", BELIEFS, offsetof(struct worksheet, dispels)) ||
	    missing;
	return missing && (own == NULL || own[0] == '\0') ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int prove(const struct library *library, size_t index)
{
	const struct worksheet *worksheet = library->worksheets[index];
	int status = EXIT_SUCCESS, played, turn = EXIT_SUCCESS;

	if (is_exercise(worksheet)) {
		if (prove_parts(worksheet) != EXIT_SUCCESS ||
		    prove_words(library, index) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	}
	played = prove_play(worksheet);
	if (played == EXIT_SUCCESS && worksheet->check_count > 0 && worksheet->solution.count > 0)
		turn = prove_turn(worksheet);
	if (status == EXIT_SUCCESS)
		status = played != EXIT_SUCCESS ? played : turn;
	print("%-8s %2d. %s\n",
	      status == EXIT_SUCCESS   ? "proved"
	      : status == EXIT_SKIPPED ? "skipped"
	                               : "FAILED",
	      worksheet->number, worksheet->title);
	(void)fflush(stdout);
	return status;
}

/* Returns the status; 77 only where every exercise was skipped. */
static int prove_wanted(const struct library *library, const bool *wanted)
{
	int proved = 0, skipped = 0, wrong = 0;

	for (size_t i = 0; i < library->count && play_signal() == 0; i++) {
		if (!wanted[i])
			continue;
		int status = prove(library, i);
		proved += status == EXIT_SUCCESS;
		skipped += status == EXIT_SKIPPED;
		wrong += status == EXIT_FAILURE;
	}
	bool whole = prove_course(library, wanted) == EXIT_SUCCESS;
	print("%d proved, %d failed, %d skipped\n", proved, wrong, skipped);
	return wrong > 0 || !whole || play_signal() != 0 ? EXIT_FAILURE
	       : proved > 0                              ? EXIT_SUCCESS
	                                                 : EXIT_SKIPPED;
}

/* Every worksheet is read, for the words; a mistake in any is an error. */
static int read_library(const struct course *course, struct library *library)
{
	library->count = 0;
	for (size_t i = 0; i < course->count; i++) {
		library->worksheets[i] = course_read(course->numbers[i]);
		if (library->worksheets[i] == NULL)
			return -1;
		library->count++;
	}
	return 0;
}

static void free_library(struct library *library)
{
	for (size_t i = 0; i < library->count; i++)
		worksheet_free(library->worksheets[i]);
}

static int take_numbers(const struct course *course, int argc, char **argv, bool *wanted)
{
	for (size_t i = 0; i < course->count; i++)
		wanted[i] = optind == argc;
	for (int i = optind; i < argc; i++) {
		int number;
		if (course_number(course, argv[i], &number) == -1)
			return -1;
		for (size_t j = 0; j < course->count; j++)
			wanted[j] = wanted[j] || course->numbers[j] == number;
	}
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	static struct library library;
	struct course course;
	bool wanted[EXERCISES_MOST];
	int status = EXIT_FAILURE, option = options_next(argc, argv, "h", long_options);

	if (option != -1)
		return option == 'h' ? options_help(help_text) : EXIT_USAGE;
	if (course_find(&course) == -1)
		return EXIT_FAILURE;
	if (take_numbers(&course, argc, argv, wanted) == -1)
		return EXIT_USAGE;
	if (surroundings_prepare() == -1)
		return EXIT_FAILURE;
	if (guardian_begin(surroundings_remove, NULL) == -1 || play_prepare() == -1) {
		complain("cannot start: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	if (read_library(&course, &library) == 0)
		status = prove_wanted(&library, wanted);
	free_library(&library);
	guardian_end_all();
	surroundings_remove(NULL);
	_exit(narrate_finish() == -1 ? EXIT_FAILURE : status);
}

const struct subcommand subcommand_prove = {
    "prove", "[N ...]", "tries whether exercises are what they promise", help_text, run};
