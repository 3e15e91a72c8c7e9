/*
 * worksheet.c - see worksheet.h. One pass over the lines; each kind of line has a function,
 * and the first mistake ends it.
 */
#include "runner/worksheet.h"

#include "kit/text.h"
#include "runner/expectation.h"
#include "runner/match.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_SIZE_MOST = 1 << 20, TERMINALS = 26 };

struct parser {
	struct worksheet *worksheet;
	struct worksheet_error *error;
	char *next; /* the line after this one; NULL after the last */
	int line;   /* number of this one */
	enum section section;
	bool failed;
	bool paragraph;       /* the item before goes on */
	char role[TERMINALS]; /* 'u' user, 'a' admin, 0 not named yet */
	int terminals;        /* named so far */
	struct captures kept; /* names only */
};

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
fail(struct parser *parser, int line, const char *format, ...)
{
	va_list arguments;

	if (parser->failed)
		return;
	parser->failed = true;
	parser->error->line = line;
	va_start(arguments, format);
	vsnprintf(parser->error->words, sizeof parser->error->words, format, arguments);
	va_end(arguments);
}

/* The next line, without its end; NULL after the last. */
static char *take_line(struct parser *parser)
{
	char *line = parser->next;

	if (line == NULL)
		return NULL;
	char *end = strchr(line, '\n');
	parser->next = end != NULL && end[1] != '\0' ? end + 1 : NULL;
	if (end != NULL)
		*end = '\0';
	parser->line++;
	return line;
}

static struct item *add_item(struct parser *parser, enum item_kind kind, int line, char *text)
{
	struct worksheet *worksheet = parser->worksheet;

	if (worksheet->item_count == worksheet->item_room) {
		size_t room = worksheet->item_room == 0 ? 64 : worksheet->item_room * 2;
		struct item *grown = realloc(worksheet->items, room * sizeof *grown);
		if (grown == NULL) {
			fail(parser, line, "out of memory");
			return NULL;
		}
		worksheet->items = grown;
		worksheet->item_room = room;
	}
	struct item *item = &worksheet->items[worksheet->item_count++];
	*item = (struct item){.kind = kind, .section = parser->section, .line = line, .text = text};
	return item;
}

static char *skip_blanks(char *text)
{
	return text + strspn(text, " \t\n");
}

static void cut_blanks(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && strchr(" \t\n", text[length - 1]) != NULL)
		text[--length] = '\0';
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* ---- scripts ---- */

static struct script_line *add_script_line(struct parser *parser, struct script *script)
{
	if (script->count == script->room) {
		size_t room = script->room == 0 ? 16 : script->room * 2;
		struct script_line *grown = realloc(script->lines, room * sizeof *grown);
		if (grown == NULL) {
			fail(parser, parser->line, "out of memory");
			return NULL;
		}
		script->lines = grown;
		script->room = room;
	}
	return &script->lines[script->count++];
}

static bool is_known(const struct captures *captures, const char *name)
{
	return captures_find(captures, name) != NULL;
}

static void keep_name(struct captures *captures, const char *name)
{
	if (is_known(captures, name) || captures->count == CAPTURES_MOST)
		return;
	struct capture *capture = &captures->items[captures->count++];
	strcpy(capture->name, name);
	strcpy(capture->value, "?");
}

/* A pattern keeps its names; whatever is typed may only use what was kept before. */
static void note_names(struct parser *parser, const struct script_line *line,
                       struct captures *captures)
{
	char name[CAPTURE_NAME_SIZE];

	for (const char *text = line->text; *text != '\0'; text++) {
		if (capture_name_at(text, name) == 0)
			continue;
		if (line->kind == SCRIPT_OUTPUT)
			keep_name(captures, name);
		else if (!is_known(captures, name))
			fail(parser, line->number, "<%s> is typed here before any line above has kept it",
			     name);
		if (captures->count == CAPTURES_MOST)
			fail(parser, line->number, "more than %d names in one exercise", CAPTURES_MOST - 1);
	}
}

static void add_to_script(struct parser *parser, struct script *script, char terminal,
                          bool admin, int number, char *text, struct captures *captures)
{
	struct script_line *line = add_script_line(parser, script);

	if (line == NULL)
		return;
	*line = (struct script_line){SCRIPT_OUTPUT, number, terminal, admin, text};
	if (begins(text, "$ ")) {
		line->kind = SCRIPT_COMMAND;
		line->text = skip_blanks(text + 2);
	} else if (begins(text, "> ")) {
		line->kind = SCRIPT_INPUT;
		line->text = text + 2;
	} else if (strcmp(text, "^C") == 0 || strcmp(text, "^D") == 0) {
		line->kind = SCRIPT_KEY;
		line->text = text + 1;
	} else if (text[0] == '$' || text[0] == '^') {
		fail(parser, number, "a command is written '$ command', a key '^C' or '^D'");
	}
	if (line->kind == SCRIPT_COMMAND && line->text[0] == '\0')
		fail(parser, number, "there is no command after the $");
	note_names(parser, line, captures);
}

/* A terminal belongs either to the ordinary account or to the admin, all the time. */
static void check_role(struct parser *parser, char terminal, bool admin, int line)
{
	char *role = &parser->role[terminal - 'A'];

	if (*role == 0 && ++parser->terminals > WORKSHEET_TERMINALS_MOST)
		fail(parser, line, "more than %d terminals", WORKSHEET_TERMINALS_MOST);
	if (*role == 0)
		*role = admin ? 'a' : 'u';
	else if ((*role == 'a') != admin)
		fail(parser, line, "terminal %c was %s before; give the other account another letter",
		     terminal, admin ? "the ordinary account's" : "the admin's");
}

/* ```console A admin needs=ss */
static void parse_console(struct parser *parser, char *fence)
{
	char *rest = NULL;
	const char *word = strtok_r(fence, " \t", &rest); /* "console" */
	char *name = strtok_r(NULL, " \t", &rest);
	int begin = parser->line;
	bool admin = false;

	(void)word;
	parser->paragraph = false;
	if (name == NULL || strlen(name) != 1 || name[0] < 'A' || name[0] > 'Z') {
		fail(parser, begin, "a console block names its terminal: ```console A");
		return;
	}
	struct item *item = add_item(parser, ITEM_CONSOLE, begin, name);
	if (item == NULL)
		return;
	while ((word = strtok_r(NULL, " \t", &rest)) != NULL) {
		if (strcmp(word, "admin") == 0)
			admin = true;
		else if (begins(word, "needs=") && word[6] != '\0')
			item->needs = word + 6;
		else
			fail(parser, begin,
			     "after the terminal may come admin and needs=PROGRAM, not '%.60s'", word);
	}
	check_role(parser, name[0], admin, begin);
	for (char *line; (line = take_line(parser)) != NULL && !parser->failed;) {
		if (strcmp(line, "```") == 0) {
			if (item->script.count == 0)
				fail(parser, begin, "this console block is empty");
			return;
		}
		add_to_script(parser, &item->script, name[0], admin, parser->line, line, &parser->kept);
	}
	fail(parser, begin, "this console block has no end (```)");
}

/*
 * solution and wrong: "A$ command" and what appears below it; one line without a terminal is
 * a command in A.
 */
static void parse_script(struct parser *parser, struct script *script, char *text, int line)
{
	struct captures captures = {.count = 0};
	char *rest = NULL, terminal = '\0';
	bool admin = false;
	int begin = line;

	bool with_terminal =
	    text[0] >= 'A' && text[0] <= 'Z' && (text[1] == '$' || begins(text + 1, " admin$"));
	if (strchr(text, '\n') == NULL && !with_terminal && text[0] != '#') {
		text = begins(text, "$ ") ? text + 2 : text;
		struct script_line *only = add_script_line(parser, script);
		if (only != NULL)
			*only = (struct script_line){SCRIPT_COMMAND, line, 'A', false, text};
		return;
	}
	/* Lines are counted by hand: strtok_r() would skip the empty ones. */
	for (char *here = text; here != NULL; here = rest, line++) {
		char *end = strchr(here, '\n');
		rest = end != NULL ? end + 1 : NULL;
		if (end != NULL)
			*end = '\0';
		if (here[0] == '#' || here[strspn(here, " \t")] == '\0')
			continue;
		if (here[0] >= 'A' && here[0] <= 'Z' && begins(here + 1, " admin$")) {
			terminal = here[0];
			admin = true;
			here += 7;
		} else if (here[0] >= 'A' && here[0] <= 'Z' &&
		           (here[1] == '$' || here[1] == '>' || here[1] == '^')) {
			if (terminal != here[0])
				admin = false;
			terminal = here[0];
			here++;
		}
		if (terminal == '\0') {
			fail(parser, line, "the script begins with a terminal: A$ command");
			return;
		}
		add_to_script(parser, script, terminal, admin, line, here, &captures);
	}
	if (script->count == 0)
		fail(parser, begin, "this script is empty");
}

/* ---- directives ---- */

static void parse_network(struct parser *parser, const char *text, int line)
{
	static const char *const names[] = {
	    [NETWORK_SANDBOX] = "sandbox", [NETWORK_HOST] = "host", [NETWORK_EITHER] = "either"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], text) == 0) {
			parser->worksheet->network = (enum worksheet_network)i;
			return;
		}
	fail(parser, line, "network is sandbox, host or either, not '%.40s'", text);
}

static void parse_needs(struct parser *parser, char *text, int line)
{
	struct worksheet *worksheet = parser->worksheet;
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t\n", &rest); word != NULL;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		if (worksheet->need_count == sizeof worksheet->needs / sizeof worksheet->needs[0]) {
			fail(parser, line, "too many needs");
			return;
		}
		worksheet->needs[worksheet->need_count++] = word;
	}
}

/* "C9 C10" or "3 4" into bits. */
static void parse_numbers(struct parser *parser, char *text, int line, const char *prefix,
                          int most, unsigned *bits)
{
	char *rest = NULL;
	size_t length = strlen(prefix);

	for (char *word = strtok_r(text, " \t\n", &rest); word != NULL;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		long number;
		if (!begins(word, prefix) || number_parse(word + length, &number) == -1 || number < 1 ||
		    number > most) {
			fail(parser, line, "'%.40s' is not one of %s1 to %s%d", word, prefix, prefix, most);
			return;
		}
		*bits |= 1U << number;
	}
}

/* "2. because ..." */
static void parse_answer(struct parser *parser, char *text, int line)
{
	const struct worksheet *worksheet = parser->worksheet;
	char *why = NULL;
	long number = strtol(text, &why, 10);
	long most = 0;

	for (size_t i = worksheet->item_count; i > 0; i--) {
		const struct item *before = &worksheet->items[i - 1];
		if (before->kind == ITEM_HEADING || before->kind == ITEM_ANSWER)
			break;
		if (before->kind == ITEM_CHOICE && before->number > most)
			most = before->number;
	}
	if (why == text || *why != '.' || number < 1 || number > most) {
		fail(parser, line,
		     "an answer begins with the number of one of the choices above it (1 to %ld)",
		     most);
		return;
	}
	why = skip_blanks(why + 1);
	if (*why == '\0') {
		fail(parser, line, "an answer says why after its number");
		return;
	}
	struct item *item = add_item(parser, ITEM_ANSWER, line, why);
	if (item != NULL)
		item->number = (int)number;
}

static void parse_check(struct parser *parser, const char *text, int line)
{
	struct worksheet *worksheet = parser->worksheet;
	char reason[CHECK_REASON_SIZE];
	struct check *check = &worksheet->checks[worksheet->check_count];

	if (worksheet->check_count == CHECKS_MOST)
		fail(parser, line, "more than %d checks", CHECKS_MOST);
	else if (check_parse(text, check, reason) == -1)
		fail(parser, line, "%s", reason);
	else if (check->next_step[0] == '\0')
		fail(parser, line, "a check says in words, on a line below, what to do where it fails");
	else
		worksheet->checks[worksheet->check_count++].line = line;
}

static void parse_expect(struct parser *parser, char *text, int line)
{
	char reason[EXPECTATION_REASON_SIZE], name[CAPTURE_NAME_SIZE];

	if (!expectation_is_valid(text, reason))
		fail(parser, line, "%s", reason);
	for (const char *at = text; *at != '\0' && !begins(text, "count"); at++)
		if (capture_name_at(at, name) > 0 && !is_known(&parser->kept, name))
			fail(parser, line, "no line above keeps <%s>", name);
	(void)add_item(parser, ITEM_EXPECT, line, text);
}

static void parse_directive(struct parser *parser, const char *name, char *text, int line)
{
	struct worksheet *worksheet = parser->worksheet;

	if (strcmp(name, "network") == 0) {
		parse_network(parser, text, line);
	} else if (strcmp(name, "needs") == 0) {
		parse_needs(parser, text, line);
	} else if (strcmp(name, "claims") == 0) {
		parse_numbers(parser, text, line, "C", CLAIMS, &worksheet->claims);
	} else if (strcmp(name, "dispels") == 0) {
		parse_numbers(parser, text, line, "", BELIEFS, &worksheet->dispels);
	} else if (strcmp(name, "answer") == 0) {
		parse_answer(parser, text, line);
	} else if (strcmp(name, "expect") == 0) {
		parse_expect(parser, text, line);
	} else if (strcmp(name, "check") == 0) {
		parse_check(parser, text, line);
	} else if (strcmp(name, "hint") == 0) {
		if (worksheet->hint_count == HINTS_MOST)
			fail(parser, line, "more than %d hints", HINTS_MOST);
		else
			worksheet->hints[worksheet->hint_count++] = (struct note){text, line};
	} else if (strcmp(name, "solution") == 0) {
		if (worksheet->solution.count > 0)
			fail(parser, line, "there is a solution already");
		parse_script(parser, &worksheet->solution, text, line);
	} else if (strcmp(name, "wrong") == 0) {
		if (worksheet->wrong_count == WRONGS_MOST)
			fail(parser, line, "more than %d wrong solutions", WRONGS_MOST);
		else
			parse_script(parser, &worksheet->wrongs[worksheet->wrong_count++], text, line);
	} else if (strcmp(name, "key") == 0) {
		if (parser->section != SECTION_REVIEW)
			fail(parser, line, "a key belongs under a question of the section Review");
		(void)add_item(parser, ITEM_KEY, line, text);
	} else {
		fail(
		    parser, line,
		    "there is no directive '%.40s'; there are network, needs, claims, dispels, answer, "
		    "expect, check, hint, solution, wrong and key",
		    name);
	}
}

/* <!-- name: text, perhaps over several lines --> */
static void parse_comment(struct parser *parser, char *line)
{
	int begin = parser->line, text_line = begin;
	char *end = strstr(line, "-->");

	parser->paragraph = false;
	/* The lines of a long comment become one text again. */
	while (end == NULL) {
		char *next = take_line(parser);
		if (next == NULL) {
			fail(parser, begin, "this comment has no end (-->)");
			return;
		}
		next[-1] = '\n';
		end = strstr(next, "-->");
	}
	if (end[3 + strspn(end + 3, " \t")] != '\0') {
		fail(parser, parser->line, "nothing may follow --> on its line");
		return;
	}
	*end = '\0';
	char *name = skip_blanks(line + 4);
	char *colon = name + strcspn(name, ": \t\n");
	if (*colon != ':') {
		fail(parser, begin, "a comment here is a directive: <!-- name: text -->");
		return;
	}
	*colon = '\0';
	char *text = colon + 1;
	text += strspn(text, " \t");
	if (*text == '\n') { /* a script begins on the line below */
		text++;
		text_line++;
	}
	cut_blanks(text);
	if (*text == '\0')
		fail(parser, begin, "the directive '%.40s' is empty", name);
	else
		parse_directive(parser, name, text, text_line);
}

/* ---- prose ---- */

/* "- **term**: meaning" or "- `command ARGUMENTS`: meaning" */
static void parse_word(struct parser *parser, const char *line)
{
	struct worksheet *worksheet = parser->worksheet;
	bool command = begins(line, "- `");
	bool term = begins(line, "- **");
	const char *from = command ? line + 3 : term ? line + 4 : line;
	const char *to = command ? strstr(from, "`") : term ? strstr(from, "**") : NULL;

	if (to == NULL || to == from) {
		fail(parser, parser->line,
		     "a new word is written '- **term**: ...' or '- `command`: ...'");
		return;
	}
	if (worksheet->word_count == WORDS_MOST) {
		fail(parser, parser->line, "more than %d new words", WORDS_MOST);
		return;
	}
	struct word *word = &worksheet->words[worksheet->word_count++];
	snprintf(word->text, sizeof word->text, "%.*s", (int)(to - from), from);
	word->command = command;
	word->line = parser->line;
}

static enum section section_of(const char *heading)
{
	static const struct {
		const char *heading;
		enum section section;
	} sections[] = {
	    {"New words", SECTION_WORDS}, {"Predict", SECTION_PREDICT}, {"Do", SECTION_DO},
	    {"Your turn", SECTION_TURN},  {"Review", SECTION_REVIEW},
	};

	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
		if (strcmp(heading, sections[i].heading) == 0)
			return sections[i].section;
	return SECTION_OTHER;
}

/* "# 5. The client's port" */
static void parse_title(struct parser *parser, char *text)
{
	struct worksheet *worksheet = parser->worksheet;
	char *title = NULL;
	long number = strtol(text, &title, 10);

	if (title == text || *title != '.' || number < 0 || number > 999)
		fail(parser, parser->line, "the title is '# NUMBER. WORDS'");
	else if (number != worksheet->number)
		fail(parser, parser->line, "the title says %ld, the file's name %d", number,
		     worksheet->number);
	else
		worksheet->title = skip_blanks(title + 1);
}

static void parse_heading(struct parser *parser, char *line)
{
	size_t level = strspn(line, "#");
	char *text = skip_blanks(line + level);

	parser->paragraph = false;
	if (line[level] != ' ' || *text == '\0') {
		fail(parser, parser->line, "a heading is '## Words'");
	} else if (level == 1) {
		if (parser->worksheet->title != NULL)
			fail(parser, parser->line, "there is a title already");
		parse_title(parser, text);
	} else {
		if (level == 2)
			parser->section = section_of(text);
		struct item *item = add_item(parser, ITEM_HEADING, parser->line, text);
		if (item != NULL)
			item->number = (int)level;
	}
}

/* Other fences, and tables: as they are. */
static void parse_verbatim(struct parser *parser, char *line)
{
	bool fence = begins(line, "```");
	int begin = parser->line;
	char *text = fence ? take_line(parser) : line;

	parser->paragraph = false;
	struct item *item = add_item(parser, ITEM_VERBATIM, begin, text);
	if (!fence) { /* the rows of a table follow each other */
		for (char *next; parser->next != NULL && parser->next[0] == '|' &&
		                 (next = take_line(parser)) != NULL;)
			next[-1] = '\n';
		return;
	}
	for (char *next = text; item != NULL && next != NULL; next = take_line(parser)) {
		if (next != text)
			next[-1] = '\n';
		if (strcmp(next, "```") == 0) {
			next[next == text ? 0 : -1] = '\0';
			return;
		}
	}
	fail(parser, begin, "this block has no end (```)");
}

static bool is_choice(const char *line)
{
	size_t digits = strspn(line, "0123456789");

	return digits > 0 && digits < 3 && line[digits] == '.' && line[digits + 1] == ' ';
}

static void parse_text(struct parser *parser, char *line)
{
	bool choice = is_choice(line) && parser->section == SECTION_PREDICT;
	bool entry = is_choice(line) || begins(line, "- ") || begins(line, "* ");

	if (parser->section == SECTION_WORDS && (entry || !parser->paragraph))
		parse_word(parser, line);
	if (parser->paragraph && !entry) { /* it goes on: one text again */
		line[-1] = '\n';
		return;
	}
	parser->paragraph = true;
	struct item *item = add_item(parser, choice ? ITEM_CHOICE : ITEM_TEXT, parser->line, line);
	if (item != NULL && choice) {
		item->number = (int)strtol(line, &item->text, 10);
		item->text = skip_blanks(item->text + 1);
	}
}

/* "*15 minutes. Terminals A and B.*" */
static void parse_minutes(struct parser *parser, const char *line)
{
	char *end = NULL;
	long minutes = strtol(line + 1, &end, 10);

	if (line[0] != '*' || end == line + 1 || !begins(end, " minute") || minutes < 1 ||
	    minutes > 600)
		fail(parser, parser->line,
		     "below the title comes a line in italics: *15 minutes. ...*");
	parser->worksheet->minutes = (int)minutes;
}

static void parse_line(struct parser *parser, char *line)
{
	if (line[strspn(line, " \t")] == '\0')
		parser->paragraph = false;
	else if (line[0] == '#')
		parse_heading(parser, line);
	else if (parser->worksheet->title == NULL)
		fail(parser, parser->line, "the file begins with its title: # NUMBER. WORDS");
	else if (begins(line, "```console"))
		parse_console(parser, line + 3);
	else if (begins(line, "```") || line[0] == '|')
		parse_verbatim(parser, line);
	else if (begins(line, "<!--"))
		parse_comment(parser, line);
	else
		parse_text(parser, line);
	if (parser->worksheet->title != NULL && parser->worksheet->minutes == 0 && line[0] != '#' &&
	    line[0] != '\0' && !parser->failed)
		parse_minutes(parser, line);
}

/* Root of this machine's own network nobody can be: an admin has a private one. */
static void check_admins(struct parser *parser, const struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		if (script->lines[i].admin && parser->worksheet->network != NETWORK_SANDBOX)
			fail(parser, script->lines[i].number, "an admin needs <!-- network: sandbox -->");
}

/* A prediction needs its answer, and no name may stay without use of its own. */
static void check_whole(struct parser *parser)
{
	const struct worksheet *worksheet = parser->worksheet;
	int open_since = 0;

	if (worksheet->title == NULL)
		fail(parser, 1, "the file begins with its title: # NUMBER. WORDS");
	if (worksheet->minutes == 0)
		fail(parser, parser->line,
		     "below the title comes a line in italics: *15 minutes. ...*");
	for (size_t i = 0; i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		if (item->kind == ITEM_CHOICE && open_since == 0)
			open_since = item->line;
		if (item->kind == ITEM_ANSWER)
			open_since = 0;
		if (item->kind == ITEM_HEADING && open_since != 0)
			break;
	}
	for (size_t i = 0; i < worksheet->item_count; i++)
		check_admins(parser, &worksheet->items[i].script);
	for (size_t i = 0; i < worksheet->wrong_count; i++)
		check_admins(parser, &worksheet->wrongs[i]);
	check_admins(parser, &worksheet->solution);
	if (open_since != 0)
		fail(parser, open_since, "these choices have no <!-- answer: ... -->");
}

/* Control characters could steer the terminal on which the page is shown. */
static void check_bytes(struct parser *parser, const char *text, size_t length)
{
	int line = 1;

	for (size_t i = 0, used; i < length; i += used) {
		uint32_t character = text_utf8(text + i, &used); /* the text ends with a 0 */
		unsigned char byte = (unsigned char)text[i];
		if (used == 0)
			fail(parser, line, "byte 0x%02x in this line is not UTF-8", byte);
		else if (text_steers(character) && byte != '\n' && byte != '\t')
			fail(parser, line, "there is a control character (byte 0x%02x) in this line", byte);
		line += byte == '\n';
		used += used == 0;
	}
}

/* The number in the file's name: ".../05-the-clients-port.md" is 5. */
static int number_of(const char *path)
{
	const char *name = strrchr(path, '/');

	return (int)strtol(name != NULL ? name + 1 : path, NULL, 10);
}

struct worksheet *worksheet_parse(const char *text, size_t length, const char *path,
                                  struct worksheet_error *error)
{
	struct worksheet *worksheet = calloc(1, sizeof *worksheet);
	char *copy = malloc(length + 1);
	struct parser *parser = calloc(1, sizeof *parser);

	*error = (struct worksheet_error){0, "out of memory"};
	if (worksheet == NULL || copy == NULL || parser == NULL) {
		free(worksheet);
		free(copy);
		free(parser);
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	snprintf(worksheet->path, sizeof worksheet->path, "%s", path);
	worksheet->text = copy;
	worksheet->number = number_of(path);
	*parser = (struct parser){.worksheet = worksheet, .error = error, .next = copy};
	check_bytes(parser, copy, length);
	for (char *line; !parser->failed && (line = take_line(parser)) != NULL;)
		parse_line(parser, line);
	if (!parser->failed)
		check_whole(parser);
	bool failed = parser->failed;
	free(parser);
	if (!failed)
		return worksheet;
	worksheet_free(worksheet);
	return NULL;
}

struct worksheet *worksheet_read(const char *path, struct worksheet_error *error)
{
	struct worksheet *worksheet = NULL;
	struct stat status;
	FILE *file = fopen(path, "r");

	*error = (struct worksheet_error){0, ""};
	if (file == NULL || fstat(fileno(file), &status) == -1) {
		snprintf(error->words, sizeof error->words, "%s", strerror(errno));
		if (file != NULL)
			(void)fclose(file);
		return NULL;
	}
	if (!S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MOST) {
		snprintf(error->words, sizeof error->words, "not a file of at most 1 MB");
		(void)fclose(file);
		return NULL;
	}
	char *text = malloc((size_t)status.st_size + 1);
	size_t length = text != NULL ? fread(text, 1, (size_t)status.st_size, file) : 0;
	bool whole = text != NULL && !ferror(file); /* half a page is another one */
	if (!whole)
		snprintf(error->words, sizeof error->words, "%s", strerror(errno));
	(void)fclose(file);
	if (whole)
		worksheet = worksheet_parse(text, length, path, error);
	free(text);
	return worksheet;
}

void worksheet_free(struct worksheet *worksheet)
{
	if (worksheet == NULL)
		return;
	for (size_t i = 0; i < worksheet->item_count; i++)
		free(worksheet->items[i].script.lines);
	for (size_t i = 0; i < worksheet->wrong_count; i++)
		free(worksheet->wrongs[i].lines);
	free(worksheet->solution.lines);
	free(worksheet->items);
	free(worksheet->text);
	free(worksheet);
}
