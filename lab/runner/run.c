/*
 * run.c - lab run: plays an exercise, for a student (asking), at a projector (--demo), or
 * for a test (--auto).
 */
#include "instruments/print.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "runner/coach.h"
#include "runner/course.h"
#include "runner/guardian.h"
#include "runner/page.h"
#include "runner/play.h"
#include "runner/progress.h"
#include "runner/surroundings.h"
#include "subcommand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab run [options] N\n"
    "Plays exercise N on real terminals: you predict, press Enter, and watch both sides.\n"
    "q stops; the next lab run N goes on there.\n"
    "\n"
    "  --demo           for a projector: types by itself, asks nothing\n"
    "  --pause SECONDS  how long a demo waits after each scene (default 3)\n"
    "  --auto           for a test: no terminal is needed, the first difference from the\n"
    "                   page is told; exit status 0, 1, or 77 if it cannot be played here\n"
    "  --restart        from the beginning, even if you stopped in the middle\n"
    "  --color WHEN     auto, always or never\n";

struct run {
	enum stage_mode mode;
	int64_t pause_ms;
	bool restart;
	enum narrate_color color;
	int number;
	bool fresh; /* from the beginning: the first prediction forgets those of earlier plays */
	int64_t last_ms; /* of the clock, when something was recorded last */
};

/* ---- the record ---- */

enum { LONG_PAUSE_MS = 10 * 60 * 1000 };

/* Whoever goes away for lunch has not worked on the exercise. */
static long seconds_since(struct run *run)
{
	int64_t now = clock_ms(), passed = now - run->last_ms;

	run->last_ms = now;
	return (long)((passed > LONG_PAUSE_MS ? 0 : passed) / 1000);
}

struct record {
	long seconds;
	int reached;
	bool begin, predicted, right, played;
};

static void change(struct progress_entry *entry, void *argument)
{
	const struct record *record = argument;

	if (record->begin)
		entry->predicted = entry->right = 0;
	entry->seconds += record->seconds;
	entry->predicted += record->predicted;
	entry->right += record->right;
	entry->reached = record->played        ? 0
	                 : record->reached > 0 ? record->reached
	                                       : entry->reached;
	entry->played = entry->played || record->played;
}

static void keep(struct run *run, struct record record)
{
	record.seconds = seconds_since(run);
	if (run->mode == STAGE_ASKING)
		(void)progress_change(run->number, change, &record);
}

static void on_prediction(void *argument, bool right)
{
	struct run *run = argument;
	bool fresh = run->fresh;

	run->fresh = false;
	keep(run, (struct record){.begin = fresh, .predicted = true, .right = right});
}

static void on_reached(void *argument, int line)
{
	keep(argument, (struct record){.reached = line});
}

/* ---- what is missing here ---- */

/* Returns 0; or 77 where this machine cannot play it (said). */
static int look_for_needs(const struct worksheet *worksheet,
                          const struct surroundings *surroundings)
{
	for (size_t i = 0; i < worksheet->need_count; i++)
		if (!surroundings_have(surroundings, worksheet->needs[i])) {
			complain("exercise %d is skipped: it needs %s, which this machine does not have",
			         worksheet->number, worksheet->needs[i]);
			return EXIT_SKIPPED;
		}
	return EXIT_SUCCESS;
}

static int refuse(const struct worksheet *worksheet, const struct sandbox_refusal *refusal)
{
	const char *why, *advice;

	sandbox_reason(refusal, &why, &advice);
	complain("exercise %d is skipped: it needs a private network, and this system allows none "
	         "(%s: %s)",
	         worksheet->number, refusal->call, strerror(refusal->error));
	fprintf(stderr, "  why  %s\n  try  %s\n", why, advice);
	return EXIT_SKIPPED;
}

/* ---- the page ---- */

static void introduce(struct player *player)
{
	const struct worksheet *worksheet = player->worksheet;

	if (player->stage.mode == STAGE_SILENT)
		return;
	page_title(worksheet);
	if (player->resume_at > 0)
		print("\nYou were here before: what came before this place is done again, unseen.\n");
	else if (worksheet->items[0].kind != ITEM_TEXT)
		print("\n");
}

static enum play_result finish(struct run *run, struct player *player, enum play_result result)
{
	bool asking = run->mode == STAGE_ASKING;
	const struct worksheet *worksheet = player->worksheet;

	player_end(player);
	if (result == PLAY_DIFFERENT && player->astray)
		result = PLAY_DONE; /* said where it was seen, and the page was played to its end */
	if (result == PLAY_DIFFERENT)
		complain("%s:%d: not as the page says\n%s", worksheet->path, player->different_line,
		         player->different);
	if (result == PLAY_STOPPED || (result == PLAY_ENDED && asking)) {
		keep(run, (struct record){0});
		print("\nStopped. lab run %d goes on here.\n", worksheet->number);
	}
	if (result == PLAY_DONE)
		keep(run, (struct record){.played = true});
	return result;
}

static int play(struct run *run, const struct worksheet *worksheet,
                const struct surroundings *surroundings)
{
	struct player *player = malloc(sizeof *player);
	struct progress progress;

	if (player == NULL) {
		complain("out of memory");
		return EXIT_FAILURE;
	}
	player_begin(player, worksheet, surroundings, run->mode);
	player->stage.pause_ms = run->pause_ms;
	player->record = (struct play_record){on_prediction, on_reached, run};
	if (run->mode == STAGE_ASKING) {
		if (!run->restart && progress_read(&progress) == 0)
			player->resume_at = progress_of(&progress, worksheet->number).reached;
		run->fresh = player->resume_at == 0;
	}
	introduce(player);
	enum play_result result = finish(run, player, player_play(player));
	if (result == PLAY_DONE && run->mode == STAGE_ASKING)
		result = coach_turn(player);
	if (result == PLAY_DONE && run->mode == STAGE_SILENT)
		print("exercise %d: everything on the page has happened\n", worksheet->number);
	free(player);
	return result == PLAY_DONE || result == PLAY_STOPPED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* In the worker. */
static int run_worksheet(struct run *run)
{
	struct surroundings surroundings;
	struct sandbox_refusal refusal;
	struct worksheet *worksheet = course_read(run->number);

	if (worksheet == NULL)
		return EXIT_FAILURE;
	if (play_prepare() == -1) {
		complain("cannot start: %s", strerror(errno));
		worksheet_free(worksheet);
		return EXIT_FAILURE;
	}
	bool made = surroundings_make(&surroundings, worksheet->network, &refusal) == 0;
	int status = made ? look_for_needs(worksheet, &surroundings) : refuse(worksheet, &refusal);
	if (status == EXIT_SUCCESS) {
		surroundings.colors = page_has_colors();
		run->last_ms = clock_ms();
		status = play(run, worksheet, &surroundings);
	}
	if (made)
		surroundings_leave(&surroundings);
	worksheet_free(worksheet);
	return status;
}

static int parse_options(int argc, char **argv, struct run *run)
{
	enum { OPTION_AUTO = 256, OPTION_DEMO, OPTION_PAUSE, OPTION_RESTART, OPTION_COLOR };
	static const struct option long_options[] = {
	    {"auto", no_argument, NULL, OPTION_AUTO},
	    {"color", required_argument, NULL, OPTION_COLOR},
	    {"demo", no_argument, NULL, OPTION_DEMO},
	    {"help", no_argument, NULL, 'h'},
	    {"pause", required_argument, NULL, OPTION_PAUSE},
	    {"restart", no_argument, NULL, OPTION_RESTART},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return 'h';
		if (option == OPTION_AUTO)
			run->mode = STAGE_SILENT;
		else if (option == OPTION_DEMO)
			run->mode = STAGE_DEMO;
		else if (option == OPTION_RESTART)
			run->restart = true;
		else if (option == OPTION_PAUSE && options_seconds("--pause", optarg, &run->pause_ms))
			continue;
		else if (option != OPTION_COLOR || !options_color(optarg, &run->color))
			return EXIT_USAGE;
	}
	return EXIT_SUCCESS;
}

static int run_subcommand(int argc, char **argv)
{
	struct run run = {.mode = STAGE_ASKING, .pause_ms = 3000};
	struct course course;
	int parsed = parse_options(argc, argv, &run);

	if (parsed == 'h')
		return options_help(help_text);
	if (parsed != EXIT_SUCCESS)
		return parsed;
	if (optind + 1 != argc) {
		complain("give the number of one exercise; lab lists them");
		return EXIT_USAGE;
	}
	if (course_find(&course) == -1)
		return EXIT_FAILURE;
	if (course_number(&course, argv[optind], &run.number) == -1)
		return EXIT_USAGE;
	if (run.mode == STAGE_ASKING && (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)) {
		complain("lab run asks questions and needs a terminal; without one: --auto or --demo");
		return EXIT_USAGE;
	}
	page_prepare(run.color);
	if (surroundings_prepare() == -1)
		return EXIT_FAILURE;
	if (guardian_begin(surroundings_remove, NULL) == -1) {
		complain("cannot start: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	int status = run_worksheet(&run);
	guardian_end_all();
	surroundings_remove(NULL);
	if (narrate_finish() == -1)
		status = EXIT_FAILURE;
	_exit(status);
}

const struct subcommand subcommand_run = {
    "run", "N", "plays exercise N: predict, watch, understand", help_text, run_subcommand};
