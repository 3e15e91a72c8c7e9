/*
 * desk.c - where am I in the course, and what comes next: lab without a subcommand, show,
 * next, reset, report.
 */
#include "instruments/print.h"
#include "instruments/sandbox.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "runner/course.h"
#include "runner/page.h"
#include "runner/progress.h"
#include "runner/shared_network.h"
#include "runner/stage.h"
#include "subcommand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes a command line without options but --help. Returns -1, or the status to end with. */
static int take_help(int argc, char **argv, const char *help)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	int option = options_next(argc, argv, "h", long_options);

	if (option == -1)
		return -1;
	return option == 'h' ? options_help(help) : EXIT_USAGE;
}

static int no_arguments(int argc)
{
	if (optind == argc)
		return 0;
	complain("nothing is expected after it");
	return -1;
}

/* ---- the list ---- */

static const char *standing_of(const struct progress_entry *entry, bool has_turn)
{
	if (entry->passed != 0)
		return "passed";
	if (entry->played && !has_turn)
		return "seen";
	if (entry->played)
		return "your turn";
	return entry->reached > 0 ? "begun" : entry->attempts > 0 ? "tried" : "";
}

/* The first that is not passed, after the last that was touched; 0: all are. */
static int next_of(const struct course *course, const struct progress *progress)
{
	for (size_t i = 0; i < course->count; i++)
		if (course->numbers[i] > 0 && progress_of(progress, course->numbers[i]).passed == 0)
			return course->numbers[i];
	return 0;
}

static void print_network(void)
{
	struct sandbox sandbox;

	if (machine_in_lab_network()) {
		print("You are in the private network of lab shell.\n");
	} else if (shared_network_find(&sandbox) == 1) {
		print("A private network is open: lab shell joins it.\n");
		sandbox_close(&sandbox);
	}
}

static int run_list(int argc, char **argv)
{
	struct course course;
	struct progress progress;
	int passed = 0, all = 0;

	(void)argc;
	(void)argv;
	if (course_find(&course) == -1)
		return EXIT_FAILURE;
	(void)progress_read(
	    &progress); /* where it cannot be read, that was said: then it is empty */
	page_prepare(NARRATE_COLOR_AUTO);
	int next = next_of(&course, &progress);
	for (size_t i = 0; i < course.count; i++) {
		struct worksheet *worksheet = course_read(course.numbers[i]);
		struct progress_entry entry = progress_of(&progress, course.numbers[i]);
		if (worksheet == NULL)
			continue; /* said; the others are there all the same */
		print("%s %2d  %-52.52s %3d min  %s%s\n",
		      worksheet->number == next && next > 0 ? ">" : " ", worksheet->number,
		      worksheet->title, worksheet->minutes, entry.passed != 0 ? page_bold() : "",
		      standing_of(&entry, worksheet->check_count > 0));
		print("%s", page_end());
		all += worksheet->number > 0;
		passed += worksheet->number > 0 && entry.passed != 0;
		worksheet_free(worksheet);
	}
	print("\n%d of %d passed. ", passed, all);
	if (next > 0)
		print("Next: lab run %d      lab help lists everything else\n", next);
	else
		print("lab help lists everything else\n");
	print_network();
	return EXIT_SUCCESS;
}

const struct subcommand subcommand_list = {"", "", "where you are in the course",
                                           "usage: lab\nWhere you are in the course.\n",
                                           run_list};

/* ---- next ---- */

static const char next_help[] =
    "usage: lab next\nWhat comes now: the exercise and what to type.\n";

static void print_next(const struct worksheet *worksheet, const struct progress_entry *entry)
{
	int number = worksheet->number;

	page_title(worksheet);
	if (entry->reached > 0)
		print("You stopped in the middle.\n  lab run %d         goes on there\n", number);
	else if (!entry->played)
		print("%d minutes.\n  lab run %d         plays it\n", worksheet->minutes, number);
	else
		print("You have seen it; now it is your turn:\n");
	for (size_t i = 0; entry->played && i < worksheet->item_count; i++)
		if (worksheet->items[i].section == SECTION_TURN &&
		    worksheet->items[i].kind == ITEM_TEXT) {
			print("\n");
			page_text(worksheet->items[i].text, "  ");
		}
	if (entry->played)
		print("\n  lab shell         in each of two windows: the place to do it\n"
		      "  lab check %d       is it done?\n"
		      "  lab hint %d        what helps\n",
		      number, number);
	print("  lab show %d        the page, to read\n", number);
}

static int run_next(int argc, char **argv)
{
	struct course course;
	struct progress progress;
	int status = take_help(argc, argv, next_help);

	if (status != -1)
		return status;
	if (no_arguments(argc) == -1)
		return EXIT_USAGE;
	if (course_find(&course) == -1)
		return EXIT_FAILURE;
	(void)progress_read(
	    &progress); /* where it cannot be read, that was said: then it is empty */
	page_prepare(NARRATE_COLOR_AUTO);
	int number = next_of(&course, &progress);
	if (number == 0) {
		print("You have passed every exercise. lab report tells how.\n");
		return EXIT_SUCCESS;
	}
	struct worksheet *worksheet = course_read(number);
	if (worksheet == NULL)
		return EXIT_FAILURE;
	struct progress_entry entry = progress_of(&progress, number);
	print_next(worksheet, &entry);
	worksheet_free(worksheet);
	return EXIT_SUCCESS;
}

const struct subcommand subcommand_next = {"next", "", "what comes now", next_help, run_next};

/* ---- show ---- */

static const char show_help[] =
    "usage: lab show [--key] N\n"
    "The page of exercise N, to read or print.\n"
    "\n"
    "  --key   the teacher's: with the answers, the checks, hints and solution\n";

static void show_console(const struct stage *stage, const struct item *item)
{
	struct terminal terminal = {.name = item->script.lines[0].terminal,
	                            .admin = item->script.lines[0].admin};

	print("\n");
	for (size_t i = 0; i < item->script.count; i++) {
		const struct script_line *line = &item->script.lines[i];
		if (line->kind == SCRIPT_OUTPUT)
			stage_line(stage, &terminal, line->text);
		else
			stage_typed(stage, &terminal,
			            line->kind == SCRIPT_COMMAND ? (line->admin ? "# " : "$ ")
			            : line->kind == SCRIPT_KEY   ? "^"
			                                         : "",
			            line->text);
	}
	if (item->needs != NULL)
		print("(only where %s is installed)\n", item->needs);
}

static void show_key(const struct worksheet *worksheet)
{
	page_heading("Your turn: the teacher's key");
	for (size_t i = 0; i < worksheet->check_count; i++) {
		struct check_result result = {.passed = false};
		check_describe(&worksheet->checks[i], result.looked_for, sizeof result.looked_for);
		page_text(result.looked_for, "  check     ");
	}
	for (size_t i = 0; i < worksheet->hint_count; i++)
		page_text(worksheet->hints[i].text, "  hint      ");
	for (size_t i = 0; i < worksheet->solution.count; i++) {
		const struct script_line *line = &worksheet->solution.lines[i];
		if (line->kind != SCRIPT_OUTPUT)
			print("  solution  %c%s: %s\n", line->terminal, line->admin ? " (admin)" : "",
			      line->text);
	}
}

static void show_page(const struct worksheet *worksheet, bool key)
{
	const struct stage stage = {.mode = STAGE_ASKING};
	char mark[32];

	page_title(worksheet);
	for (size_t i = 0; i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		if (item->kind == ITEM_CONSOLE)
			show_console(&stage, item);
		else if (item->kind == ITEM_ANSWER && key)
			snprintf(mark, sizeof mark, "  answer %d: ", item->number),
			    page_text(item->text, mark);
		else if (item->kind == ITEM_KEY && key)
			page_text(item->text, "   key: ");
		else
			stage_item(&stage, item);
	}
	if (key && worksheet->check_count > 0)
		show_key(worksheet);
}

static int run_show(int argc, char **argv)
{
	enum { OPTION_KEY = 256 };
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
	                                             {"key", no_argument, NULL, OPTION_KEY},
	                                             {NULL, 0, NULL, 0}};
	struct course course;
	bool key = false;
	int option, number;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(show_help);
		if (option != OPTION_KEY)
			return EXIT_USAGE;
		key = true;
	}
	if (optind + 1 != argc) {
		complain("give the number of one exercise; lab lists them");
		return EXIT_USAGE;
	}
	if (course_find(&course) == -1)
		return EXIT_FAILURE;
	if (course_number(&course, argv[optind], &number) == -1)
		return EXIT_USAGE;
	struct worksheet *worksheet = course_read(number);
	if (worksheet == NULL)
		return EXIT_FAILURE;
	page_prepare(NARRATE_COLOR_AUTO);
	show_page(worksheet, key);
	worksheet_free(worksheet);
	return EXIT_SUCCESS;
}

const struct subcommand subcommand_show = {
    "show", "[--key] N", "the page of exercise N, to read or print", show_help, run_show};

/* ---- reset ---- */

static const char reset_help[] = "usage: lab reset N, or lab reset --all\n"
                                 "Forgets what you have done of exercise N, or of all.\n";

static int run_reset(int argc, char **argv)
{
	enum { OPTION_ALL = 256 };
	static const struct option long_options[] = {{"all", no_argument, NULL, OPTION_ALL},
	                                             {"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	struct course course;
	bool all = false;
	int option, number = -1;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(reset_help);
		if (option != OPTION_ALL)
			return EXIT_USAGE;
		all = true;
	}
	if (optind + (all ? 0 : 1) != argc) {
		complain("give the number of one exercise, or --all");
		return EXIT_USAGE;
	}
	if (course_find(&course) == -1)
		return EXIT_FAILURE;
	if (!all && course_number(&course, argv[optind], &number) == -1)
		return EXIT_USAGE;
	if (progress_forget(number) == -1)
		return EXIT_FAILURE;
	if (all)
		print("Forgotten: everything. lab run 1 begins again.\n");
	else
		print("Forgotten: exercise %d. lab run %d begins it again.\n", number, number);
	return EXIT_SUCCESS;
}

const struct subcommand subcommand_reset = {
    "reset", "N|--all", "forgets what you have done of it", reset_help, run_reset};

/* ---- report ---- */

static const char report_help[] =
    "usage: lab report [--csv | --json]\n"
    "What you have done: predictions right, checks passed, attempts, hints, time; and what of\n"
    "this machine explains differences from another. Nothing leaves this machine.\n"
    "\n"
    "  --csv    a table for a spreadsheet\n"
    "  --json   one JSON object on a line for each exercise, and one for the machine\n";

enum form { FORM_TEXT, FORM_CSV, FORM_JSON };

struct facts {
	char system[128], range[32], start[32], account[48], container[64];
};

static void ask_machine(struct facts *facts)
{
	struct port_range range;
	long start = machine_unprivileged_start();
	const char *sign = machine_container_sign();

	machine_system(facts->system, sizeof facts->system);
	snprintf(facts->range, sizeof facts->range, "not told");
	if (machine_ephemeral_range(&range) == 0)
		snprintf(facts->range, sizeof facts->range, "%u-%u", range.first, range.last);
	snprintf(facts->start, sizeof facts->start, "not told");
	if (start >= 0)
		snprintf(facts->start, sizeof facts->start, "%ld", start);
	snprintf(facts->account, sizeof facts->account, "%s",
	         geteuid() == 0 ? "root" : "ordinary account");
	snprintf(facts->container, sizeof facts->container, "%s",
	         sign != NULL ? sign : "no sign of one");
}

/* A field of CSV: in quotes, those within it doubled (RFC 4180). */
static void print_quoted(const char *text)
{
	print("\"");
	for (; *text != '\0'; text++)
		print("%s%c", *text == '"' ? "\"" : "", *text);
	print("\"");
}

static void print_row(enum form form, const struct worksheet *worksheet,
                      const struct progress_entry *entry)
{
	char passed[TIME_TEXT_SIZE] = "";

	if (entry->passed != 0)
		time_format(entry->passed, passed);
	if (form == FORM_CSV) {
		print("%d,", worksheet->number);
		print_quoted(worksheet->title);
		print(",%u,%u,%s,%u,%u,%ld,%s\n", entry->right, entry->predicted,
		      entry->passed != 0 ? "yes" : "no", entry->attempts, entry->hints, entry->seconds,
		      passed);
	} else if (form == FORM_JSON) {
		narrate(&(struct event){
		    .name = "exercise",
		    .facts = FACTS({"number", NULL, worksheet->number}, {"title", worksheet->title, 0},
		                   {"predictions_right", NULL, entry->right},
		                   {"predictions", NULL, entry->predicted}, {"passed", passed, 0},
		                   {"attempts", NULL, entry->attempts}, {"hints", NULL, entry->hints},
		                   {"seconds", NULL, entry->seconds}),
		});
	} else {
		print("%2d  %-31.31s %4u/%-5u %-7s %8u %6u %4ld min\n", worksheet->number,
		      worksheet->title, entry->right, entry->predicted,
		      entry->passed != 0    ? "yes"
		      : entry->attempts > 0 ? "not yet"
		                            : "-",
		      entry->attempts, entry->hints, (entry->seconds + 30) / 60);
	}
}

static void print_machine(enum form form)
{
	struct facts facts;

	ask_machine(&facts);
	if (form == FORM_JSON)
		narrate(&(struct event){
		    .name = "machine",
		    .facts = FACTS({"system", facts.system, 0}, {"ephemeral", facts.range, 0},
		                   {"unprivileged_first", facts.start, 0},
		                   {"account", facts.account, 0}, {"container", facts.container, 0}),
		});
	else if (form == FORM_CSV)
		print("\nsystem,ephemeral ports,first port for anybody,account,container\n"
		      "\"%s\",%s,%s,%s,\"%s\"\n",
		      facts.system, facts.range, facts.start, facts.account, facts.container);
	else
		print("\nthis machine: %s; %s; container: %s\n"
		      "              ephemeral ports %s; anybody may bind from %s\n",
		      facts.system, facts.account, facts.container, facts.range, facts.start);
}

static int run_report(int argc, char **argv)
{
	enum { OPTION_CSV = 256, OPTION_JSON };
	static const struct option long_options[] = {{"csv", no_argument, NULL, OPTION_CSV},
	                                             {"help", no_argument, NULL, 'h'},
	                                             {"json", no_argument, NULL, OPTION_JSON},
	                                             {NULL, 0, NULL, 0}};
	struct course course;
	struct progress progress;
	enum form form = FORM_TEXT;
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(report_help);
		if (option != OPTION_CSV && option != OPTION_JSON)
			return EXIT_USAGE;
		form = option == OPTION_CSV ? FORM_CSV : FORM_JSON;
	}
	if (no_arguments(argc) == -1)
		return EXIT_USAGE;
	narrate_configure(
	    &(struct narrate_options){.form = form == FORM_JSON ? NARRATE_JSON : NARRATE_TEXT});
	if (course_find(&course) == -1)
		return EXIT_FAILURE;
	(void)progress_read(
	    &progress); /* where it cannot be read, that was said: then it is empty */
	if (form == FORM_CSV)
		print("exercise,title,predictions "
		      "right,predictions,passed,attempts,hints,seconds,when\n");
	else if (form == FORM_TEXT)
		print("    exercise                       predicted   passed  attempts  hints  time\n");
	for (size_t i = 0; i < course.count; i++) {
		struct progress_entry entry = progress_of(&progress, course.numbers[i]);
		struct worksheet *worksheet =
		    course.numbers[i] > 0 ? course_read(course.numbers[i]) : NULL;
		if (worksheet != NULL)
			print_row(form, worksheet, &entry);
		worksheet_free(worksheet);
	}
	print_machine(form);
	return EXIT_SUCCESS;
}

const struct subcommand subcommand_report = {"report", "[--csv|--json]", "what you have done",
                                             report_help, run_report};
