/* coach.c - see coach.h; and the subcommands check, hint and solution. */
#include "runner/coach.h"

#include "instruments/print.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "runner/course.h"
#include "runner/page.h"
#include "runner/progress.h"
#include "runner/shared_network.h"
#include "subcommand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- check ---- */

static void tell(const struct check *check, const struct check_result *result)
{
	char words[1024];

	if (check->secret) {
		page_text(result->passed ? "what this riddle asks for is there" : check->next_step,
		          result->passed ? "  done: " : "  next    ");
		return;
	}
	if (result->passed) {
		snprintf(words, sizeof words, "done: %s", result->looked_for);
		page_text(words, "  ");
		return;
	}
	page_text(result->looked_for, "  wanted  ");
	/* What was found may have lines of its own. */
	const char *found = result->found;
	for (bool first = true; *found != '\0'; first = false) {
		size_t length = strcspn(found, "\n");
		snprintf(words, sizeof words, "%.*s", (int)length, found);
		page_text(words, first ? "  found   " : "          ");
		found += length + (found[length] == '\n');
	}
	page_text(check->next_step, "  next    ");
}

/* In the network that is looked at. Returns 0, 1 or 77. */
static int look(void *argument)
{
	const struct worksheet *worksheet = *(const struct worksheet *const *)argument;
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < worksheet->check_count; i++) {
		struct check_result result;
		check_look(&worksheet->checks[i], &result);
		tell(&worksheet->checks[i], &result);
		if (result.unseen)
			status = EXIT_SKIPPED;
		else if (!result.passed && status == EXIT_SUCCESS)
			status = EXIT_FAILURE;
	}
	return status;
}

static void change_attempt(struct progress_entry *entry, void *argument)
{
	const int *status = argument;

	entry->attempts++;
	if (*status == EXIT_SUCCESS && entry->passed == 0)
		entry->passed = time(NULL);
}

int coach_check(const struct worksheet *worksheet)
{
	struct sandbox sandbox = SANDBOX_NONE;
	struct sandbox_refusal refusal;
	int open = machine_in_lab_network() ? 0 : shared_network_find(&sandbox), status;

	if (open == 1) {
		print("Looking at the private network of lab shell:\n");
		status = sandbox_call(&sandbox, SANDBOX_ADMIN, look, &worksheet, &refusal);
		sandbox_close(&sandbox);
		if (status == -1)
			complain("cannot enter it: %s: %s", refusal.call, strerror(refusal.error));
	} else {
		if (machine_in_lab_network())
			print("Looking at this private network:\n");
		else
			print("Looking at this machine's own network (no lab shell is open):\n");
		status = look(&worksheet);
	}
	if (status == -1)
		return EXIT_FAILURE;
	if (status == EXIT_SUCCESS)
		print("%sExercise %d: done.%s\n", page_bold(), worksheet->number, page_end());
	else if (status == EXIT_FAILURE)
		print("%sExercise %d: not yet.%s  lab hint %d helps.\n", page_bold(), worksheet->number,
		      page_end(), worksheet->number);
	else
		complain("this system does not show what must be looked at");
	(void)progress_change(worksheet->number, change_attempt, &status);
	return status;
}

/* ---- hint and solution ---- */

static void change_hints(struct progress_entry *entry, void *argument)
{
	const unsigned *hints = argument;

	entry->hints = *hints;
}

/* The next one; after the last, all of them. */
static void tell_hint(const struct worksheet *worksheet)
{
	struct progress progress;
	char mark[32];
	unsigned seen = 0, all = (unsigned)worksheet->hint_count;

	if (progress_read(&progress) == 0)
		seen = progress_of(&progress, worksheet->number).hints;
	unsigned first = seen >= all ? 0 : seen, last = seen >= all ? all : seen + 1;
	for (unsigned i = first; i < last; i++) {
		snprintf(mark, sizeof mark, "hint %u of %u: ", i + 1, all);
		page_text(worksheet->hints[i].text, mark);
	}
	if (seen >= all)
		print("There are no more. lab check %d tells what is missing now.\n",
		      worksheet->number);
	else
		(void)progress_change(worksheet->number, change_hints, &last);
}

/* What is typed, without what is waited for. */
static void tell_script(const struct script *script)
{
	bool captured = false;

	for (size_t i = 0; i < script->count; i++) {
		const struct script_line *line = &script->lines[i];
		if (line->kind == SCRIPT_OUTPUT)
			continue;
		print("  terminal %c%s: %s%s%s%s\n", line->terminal, line->admin ? " (admin)" : "",
		      page_bold(), line->kind == SCRIPT_KEY ? "Ctrl-" : "", line->text, page_end());
		const char *name = strchr(line->text, '<');
		captured = captured || (name != NULL && strchr(name, '>') != NULL);
	}
	if (captured)
		print("  A word in <> stands for what your own terminal has shown there.\n");
}

/* ---- your turn, at the end of lab run ---- */

static bool turn_is_over(struct player *player, enum play_result *result)
{
	const struct worksheet *worksheet = player->worksheet;
	char line[64];

	print("\n");
	int length = player_ask(player, "c check, h hint, q stop, or nothing to go on; then Enter",
	                        line, sizeof line);
	if (length == -1 || line[0] == 'q') {
		*result = play_signal() != 0 ? PLAY_ENDED : PLAY_STOPPED;
		return true;
	}
	if (line[0] == 'h')
		tell_hint(worksheet);
	else if (line[0] == 'c')
		return coach_check(worksheet) == EXIT_SUCCESS;
	return length == 0;
}

static enum play_result review(struct player *player)
{
	const struct worksheet *worksheet = player->worksheet;
	char line[64];

	for (size_t i = 0; i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		if (item->section != SECTION_REVIEW)
			continue;
		stage_item(&player->stage, item);
		if (item->kind != ITEM_KEY)
			continue;
		print("\n");
		if (player_ask(player, "think, then Enter: the answer", line, sizeof line) == -1 ||
		    line[0] == 'q')
			return play_signal() != 0 ? PLAY_ENDED : PLAY_STOPPED;
		page_text(item->text, "   ");
	}
	return PLAY_DONE;
}

enum play_result coach_turn(struct player *player)
{
	const struct worksheet *worksheet = player->worksheet;
	enum play_result result = PLAY_DONE;

	for (size_t i = 0; i < worksheet->item_count && result == PLAY_DONE; i++)
		if (worksheet->items[i].section == SECTION_TURN)
			result = player_show(player, &worksheet->items[i]);
	if (result == PLAY_DONE && worksheet->check_count > 0) {
		print("\n");
		page_text(
		    worksheet->network == NETWORK_SANDBOX
		        ? "Open as many windows as you need. Type `lab shell` in each, or `lab shell "
		          "--admin` where you need root: they share one private network. Do it there, "
		          "leave it running, and come back here."
		        : "Do it in other windows, leave it running, and come back here.",
		    "");
		while (!turn_is_over(player, &result))
			continue;
	}
	if (result == PLAY_DONE)
		result = review(player);
	if (result == PLAY_STOPPED)
		print("\nStopped. lab next tells what comes now.\n");
	if (result == PLAY_DONE)
		print("\nThat was exercise %d. lab next tells what comes now.\n", worksheet->number);
	return result;
}

/* ---- the subcommands ---- */

static const char check_help[] =
    "usage: lab check N\n"
    "Whether \"your turn\" of exercise N is done. Looks at the kernel's sockets and settings,\n"
    "in the private network of lab shell if one is open, else in this one; never at what\n"
    "was typed. Exit status 0 if it is, 1 if not yet, 77 if this system does not show it.\n";

static const char hint_help[] =
    "usage: lab hint N\n"
    "The next hint for \"your turn\" of exercise N; each says a little more.\n";

static const char solution_help[] =
    "usage: lab solution [--teacher] N\n"
    "One way to do \"your turn\" of exercise N, once you have passed its check.\n"
    "\n"
    "  --teacher   before that, too\n";

enum { OPTION_TEACHER = 256 };

/*
 * Reads the command line of one of the three. Returns the worksheet; or NULL with the status
 * with which to end.
 */
static struct worksheet *take_exercise(int argc, char **argv, const char *help, bool *teacher,
                                       int *status)
{
	static const struct option long_options[] = {
	    {"help", no_argument, NULL, 'h'},
	    {"teacher", no_argument, NULL, OPTION_TEACHER},
	    {NULL, 0, NULL, 0},
	};
	struct course course;
	int option, number;

	*status = EXIT_USAGE;
	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h') {
			*status = options_help(help);
			return NULL;
		}
		if (option != OPTION_TEACHER)
			return NULL;
		if (teacher == NULL) {
			complain("--teacher belongs to lab solution");
			return NULL;
		}
		*teacher = true;
	}
	if (optind + 1 != argc) {
		complain("give the number of one exercise; lab lists them");
		return NULL;
	}
	if (course_find(&course) == -1) {
		*status = EXIT_FAILURE;
		return NULL;
	}
	if (course_number(&course, argv[optind], &number) == -1)
		return NULL;
	page_prepare(NARRATE_COLOR_AUTO);
	*status = EXIT_FAILURE;
	struct worksheet *worksheet = course_read(number);
	if (worksheet != NULL && worksheet->check_count == 0) {
		complain("exercise %d has no part for you to do", number);
		worksheet_free(worksheet);
		return NULL;
	}
	return worksheet;
}

static int run_check(int argc, char **argv)
{
	int status;
	struct worksheet *worksheet = take_exercise(argc, argv, check_help, NULL, &status);

	if (worksheet != NULL)
		status = coach_check(worksheet);
	worksheet_free(worksheet);
	return status;
}

static int run_hint(int argc, char **argv)
{
	int status;
	struct worksheet *worksheet = take_exercise(argc, argv, hint_help, NULL, &status);

	if (worksheet != NULL) {
		tell_hint(worksheet);
		status = EXIT_SUCCESS;
	}
	worksheet_free(worksheet);
	return status;
}

static int run_solution(int argc, char **argv)
{
	struct progress progress;
	bool teacher = false;
	int status;
	struct worksheet *worksheet = take_exercise(argc, argv, solution_help, &teacher, &status);

	if (worksheet == NULL)
		return status;
	if (!teacher && (progress_read(&progress) == -1 ||
	                 progress_of(&progress, worksheet->number).passed == 0)) {
		complain("not before lab check %d has passed; lab hint %d helps (teachers: --teacher)",
		         worksheet->number, worksheet->number);
		worksheet_free(worksheet);
		return EXIT_FAILURE;
	}
	print("One way to do it:\n");
	tell_script(&worksheet->solution);
	worksheet_free(worksheet);
	return EXIT_SUCCESS;
}

const struct subcommand subcommand_check = {
    "check", "N", "whether \"your turn\" of exercise N is done", check_help, run_check};
const struct subcommand subcommand_hint = {"hint", "N", "the next hint for it", hint_help,
                                           run_hint};
const struct subcommand subcommand_solution = {
    "solution", "[--teacher] N", "one way to do it, after a pass", solution_help, run_solution};
