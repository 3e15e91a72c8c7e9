/* worksheet_test.c - a page is read as it was written, and a mistake is found in its line. */
#include "runner/worksheet.h"

#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

static struct worksheet_error error;

static struct worksheet *parse(const char *text)
{
	return worksheet_parse(text, strlen(text), "some/where/42-a-page.md", &error);
}

/* ---- a good page ---- */

static const char good[] = "# 42. A good page\n"                     /* 1 */
                           "*15 minutes. Terminals A and B.*\n"      /* 2 */
                           "\n"                                      /* 3 */
                           "A paragraph that goes\n"                 /* 4 */
                           "on in a second line.\n"                  /* 5 */
                           "\n"                                      /* 6 */
                           "<!-- network: host -->\n"                /* 7 */
                           "<!-- needs: setpriv\n"                   /* 8 */
                           "     ipv6 -->\n"                         /* 9 */
                           "<!-- claims: C1 C22 -->\n"               /* 10 */
                           "<!-- dispels: 3 10 -->\n"                /* 11 */
                           "## New words\n"                          /* 12 */
                           "- **source port**: the port where a\n"   /* 13 */
                           "  message comes from.\n"                 /* 14 */
                           "- `client -n COUNT PORT`: opens many.\n" /* 15 */
                           "## Predict\n"                            /* 16 */
                           "How many?\n"                             /* 17 */
                           "1. one\n"                                /* 18 */
                           "2. two, that\n"                          /* 19 */
                           "   is\n"                                 /* 20 */
                           "<!-- answer: 2. Because.\n"              /* 21 */
                           "     Truly. -->\n"                       /* 22 */
                           "## Do\n"                                 /* 23 */
                           "```console A\n"                          /* 24 */
                           "$ server 3306\n"                         /* 25 */
                           "listening <p> ...\n"                     /* 26 */
                           "> typed <p>\n"                           /* 27 */
                           "^C\n"                                    /* 28 */
                           "...\n"                                   /* 29 */
                           "```\n"                                   /* 30 */
                           "```console B needs=ss\n"                 /* 31 */
                           "$ ss -n\n"                               /* 32 */
                           "```\n"                                   /* 33 */
                           "<!-- expect: <p> in 1-65535 -->\n"       /* 34 */
                           "## What happened\n"                      /* 35 */
                           "| a | b |\n"                             /* 36 */
                           "|---|---|\n"                             /* 37 */
                           "```text\n"                               /* 38 */
                           "  as it is\n"                            /* 39 */
                           "\n"                                      /* 40 */
                           "$ not played\n"                          /* 41 */
                           "```\n"                                   /* 42 */
                           "## Your turn\n"                          /* 43 */
                           "Do it.\n"                                /* 44 */
                           "<!-- check: tcp local-port=3306\n"       /* 45 */
                           "     Start one. -->\n"                   /* 46 */
                           "<!-- check: udp\n"                       /* 47 */
                           "     And one more. -->\n"                /* 48 */
                           "<!-- hint: Think. -->\n"                 /* 49 */
                           "<!-- hint: Think\n"                      /* 50 */
                           "     again. -->\n"                       /* 51 */
                           "<!-- solution:\n"                        /* 52 */
                           "# why\n"                                 /* 53 */
                           "\n"                                      /* 54 */
                           "A$ server 3306\n"                        /* 55 */
                           "...\n"                                   /* 56 */
                           "listening <q> ...\n"                     /* 57 */
                           "B$ client <q>\n"                         /* 58 */
                           "A^C\n"                                   /* 59 */
                           "-->\n"                                   /* 60 */
                           "<!-- wrong: server -u 3306 -->\n"        /* 61 */
                           "<!-- wrong:\n"                           /* 62 */
                           "B$ cat\n"                                /* 63 */
                           "B> hello\n"                              /* 64 */
                           "-->\n"                                   /* 65 */
                           "## Review\n"                             /* 66 */
                           "1. Why?\n"                               /* 67 */
                           "<!-- key: Because. -->\n";               /* 68 */

/* Items in order: what they must be. */
static const struct {
	enum item_kind kind;
	enum section section;
	int line;
	const char *text;
	int number;
} items[] = {
    {ITEM_TEXT, SECTION_INTRODUCTION, 2, "*15 minutes. Terminals A and B.*", 0},
    {ITEM_TEXT, SECTION_INTRODUCTION, 4, "A paragraph that goes\non in a second line.", 0},
    {ITEM_HEADING, SECTION_WORDS, 12, "New words", 2},
    {ITEM_TEXT, SECTION_WORDS, 13, "- **source port**: the port where a\n  message comes from.",
     0},
    {ITEM_TEXT, SECTION_WORDS, 15, "- `client -n COUNT PORT`: opens many.", 0},
    {ITEM_HEADING, SECTION_PREDICT, 16, "Predict", 2},
    {ITEM_TEXT, SECTION_PREDICT, 17, "How many?", 0},
    {ITEM_CHOICE, SECTION_PREDICT, 18, "one", 1},
    {ITEM_CHOICE, SECTION_PREDICT, 19, "two, that\n   is", 2},
    {ITEM_ANSWER, SECTION_PREDICT, 21, "Because.\n     Truly.", 2},
    {ITEM_HEADING, SECTION_DO, 23, "Do", 2},
    {ITEM_CONSOLE, SECTION_DO, 24, "A", 0},
    {ITEM_CONSOLE, SECTION_DO, 31, "B", 0},
    {ITEM_EXPECT, SECTION_DO, 34, "<p> in 1-65535", 0},
    {ITEM_HEADING, SECTION_OTHER, 35, "What happened", 2},
    {ITEM_VERBATIM, SECTION_OTHER, 36, "| a | b |\n|---|---|", 0},
    {ITEM_VERBATIM, SECTION_OTHER, 38, "  as it is\n\n$ not played", 0},
    {ITEM_HEADING, SECTION_TURN, 43, "Your turn", 2},
    {ITEM_TEXT, SECTION_TURN, 44, "Do it.", 0},
    {ITEM_HEADING, SECTION_REVIEW, 66, "Review", 2},
    {ITEM_TEXT, SECTION_REVIEW, 67, "1. Why?", 0},
    {ITEM_KEY, SECTION_REVIEW, 68, "Because.", 0},
};

enum { ITEMS = sizeof items / sizeof items[0] };

static void test_items(const struct worksheet *worksheet)
{
	char what[80];

	CHECK_NUMBER(worksheet->item_count, ITEMS, "as many parts as were written");
	for (size_t i = 0; i < ITEMS && i < worksheet->item_count; i++) {
		const struct item *item = &worksheet->items[i];
		snprintf(what, sizeof what, "the part of line %d", items[i].line);
		CHECK_NUMBER(item->line, items[i].line, what);
		CHECK_NUMBER(item->kind, items[i].kind, "is of its kind");
		CHECK_NUMBER(item->section, items[i].section, "in its section");
		CHECK_NUMBER(item->number, items[i].number, "with its number");
		CHECK_STRING(item->text, items[i].text, "and its text");
	}
}

static void check_line(const struct script *script, size_t index, enum script_kind kind,
                       int number, char terminal, const char *text)
{
	char what[80];

	snprintf(what, sizeof what, "the script's line %d", number);
	if (!tap_check(index < script->count, what, __FILE__, __LINE__))
		return;
	const struct script_line *line = &script->lines[index];
	CHECK_NUMBER(line->number, number, "is counted right");
	CHECK_NUMBER(line->kind, kind, "is of its kind");
	CHECK_NUMBER(line->terminal, terminal, "on its terminal");
	CHECK(!line->admin, "of the ordinary account");
	CHECK_STRING(line->text, text, "with its text");
}

static void test_scripts(const struct worksheet *worksheet)
{
	const struct script *played = &worksheet->items[11].script;
	const struct script *solution = &worksheet->solution;

	CHECK_NUMBER(played->count, 5, "a console block's lines");
	check_line(played, 0, SCRIPT_COMMAND, 25, 'A', "server 3306");
	check_line(played, 1, SCRIPT_OUTPUT, 26, 'A', "listening <p> ...");
	check_line(played, 2, SCRIPT_INPUT, 27, 'A', "typed <p>");
	check_line(played, 3, SCRIPT_KEY, 28, 'A', "C");
	check_line(played, 4, SCRIPT_OUTPUT, 29, 'A', "...");
	CHECK(worksheet->items[11].needs == NULL, "it needs nothing special");
	CHECK_STRING(worksheet->items[12].needs, "ss", "another one needs a program");
	check_line(&worksheet->items[12].script, 0, SCRIPT_COMMAND, 32, 'B', "ss -n");

	CHECK_NUMBER(solution->count, 5,
	             "a script in lines; those with # and without text are none");
	check_line(solution, 0, SCRIPT_COMMAND, 55, 'A', "server 3306");
	check_line(solution, 1, SCRIPT_OUTPUT, 56, 'A', "...");
	check_line(solution, 2, SCRIPT_OUTPUT, 57, 'A', "listening <q> ...");
	check_line(solution, 3, SCRIPT_COMMAND, 58, 'B', "client <q>");
	check_line(solution, 4, SCRIPT_KEY, 59, 'A', "C");

	CHECK_NUMBER(worksheet->wrong_count, 2, "two wrong ways");
	CHECK_NUMBER(worksheet->wrongs[0].count, 1, "a script of one command");
	check_line(&worksheet->wrongs[0], 0, SCRIPT_COMMAND, 61, 'A', "server -u 3306");
	check_line(&worksheet->wrongs[1], 0, SCRIPT_COMMAND, 63, 'B', "cat");
	check_line(&worksheet->wrongs[1], 1, SCRIPT_INPUT, 64, 'B', "hello");
}

static void test_directives(const struct worksheet *worksheet)
{
	CHECK_NUMBER(worksheet->number, 42, "the number");
	CHECK_NUMBER(worksheet->minutes, 15, "the minutes");
	CHECK_STRING(worksheet->title, "A good page", "the title");
	CHECK_STRING(worksheet->path, "some/where/42-a-page.md", "the path");
	CHECK_NUMBER(worksheet->network, NETWORK_HOST, "where it plays");
	CHECK_NUMBER(worksheet->need_count, 2, "what it needs, over two lines");
	CHECK_STRING(worksheet->needs[0], "setpriv", "a program");
	CHECK_STRING(worksheet->needs[1], "ipv6", "and IPv6");
	CHECK_NUMBER(worksheet->claims, 1U << 1 | 1U << 22, "what it shows");
	CHECK_NUMBER(worksheet->dispels, 1U << 3 | 1U << 10, "what it corrects");
	CHECK_NUMBER(worksheet->word_count, 2, "two new words");
	CHECK_STRING(worksheet->words[0].text, "source port", "a term");
	CHECK(!worksheet->words[0].command, "is none to type");
	CHECK_NUMBER(worksheet->words[0].line, 13, "in its line");
	CHECK_STRING(worksheet->words[1].text, "client -n COUNT PORT", "a command");
	CHECK(worksheet->words[1].command, "is one to type");
	CHECK_NUMBER(worksheet->check_count, 2, "two checks");
	CHECK_NUMBER(worksheet->checks[0].line, 45, "the first in its line");
	CHECK_STRING(worksheet->checks[0].next_step, "Start one.", "with what to do");
	CHECK_NUMBER(worksheet->checks[1].line, 47, "the second in its line");
	CHECK_NUMBER(worksheet->hint_count, 2, "two hints");
	CHECK_STRING(worksheet->hints[0].text, "Think.", "the first");
	CHECK_STRING(worksheet->hints[1].text, "Think\n     again.", "the second, over two lines");
	CHECK_NUMBER(worksheet->hints[1].line, 50, "in its line");
}

static void test_good(void)
{
	struct worksheet *worksheet = parse(good);

	if (!tap_check(worksheet != NULL, "a good page is read", __FILE__, __LINE__)) {
		printf("# line %d: %s\n", error.line, error.words);
		return;
	}
	test_directives(worksheet);
	test_items(worksheet);
	test_scripts(worksheet);
	worksheet_free(worksheet);
}

#define HEAD "# 42. T\n*5 minutes. A.*\n" /* two lines */

static void accepted(const char *text, const char *what)
{
	struct worksheet *worksheet = parse(text);

	if (!tap_check(worksheet != NULL, what, __FILE__, __LINE__))
		printf("# line %d: %s\n", error.line, error.words);
	worksheet_free(worksheet);
}

static void test_small_ones(void)
{
	struct worksheet *worksheet = parse(HEAD);

	CHECK(worksheet != NULL, "a title and its minutes are enough to be read");
	if (worksheet != NULL)
		CHECK_NUMBER(worksheet->network, NETWORK_SANDBOX, "where nothing is said: private");
	worksheet_free(worksheet);
	worksheet_free(NULL);
	accepted("# 42. T\n\n*1 minute.*", "an empty line below the title, none at the end");
	accepted(HEAD "## Do\n```console C admin\n$ id\n```\n```console C admin\n$ id\n```\n",
	         "an admin in a private network");
	accepted(HEAD "<!-- solution:\nC admin$ server 80\nC^C\n-->\n", "and in a solution");
	accepted(HEAD "### A heading below\n#### and further\n", "headings of other levels");
	accepted(HEAD "## Predict\n1. a\n2. b\n\n<!-- answer: 1. So. -->\n"
	              "## Predict\n1. c\n<!-- answer: 1. So. -->\n",
	         "several predictions");
	accepted(HEAD "1. a list\n2. that is no choice\n", "numbers elsewhere are no choices");
	accepted(HEAD "caf\303\251 \342\202\254\n", "letters of any language");
	accepted(HEAD "```console A\n$ a\n```\n", "a block in the introduction");
	accepted(HEAD "<!-- solution: a -->\n", "a solution of one letter");
}

/* ---- mistakes ---- */

static void refused(const char *text, int line, const char *word)
{
	struct worksheet *worksheet = parse(text);
	char what[100];

	snprintf(what, sizeof what, "refused in line %d: %s", line, word);
	CHECK(worksheet == NULL, what);
	if (worksheet == NULL) {
		CHECK_NUMBER(error.line, line, "it says in which line");
		if (!tap_check(strstr(error.words, word) != NULL, "and why", __FILE__, __LINE__))
			printf("# no '%s' in: %s\n", word, error.words);
	}
	worksheet_free(worksheet);
}

static void test_title_mistakes(void)
{
	refused("", 1, "title");
	refused("\n\n", 1, "title");
	refused("Words first\n# 42. T\n*5 minutes.*\n", 1, "title");
	refused("```console A\n$ a\n```\n# 42. T\n*5 minutes.*\n", 1, "title");
	refused("# T\n*5 minutes.*\n", 1, "NUMBER");
	refused("# 42 T\n*5 minutes.*\n", 1, "NUMBER");
	refused("# 41. T\n*5 minutes.*\n", 1, "41");
	refused("# 1042. T\n*5 minutes.*\n", 1, "NUMBER");
	refused(HEAD "# 42. Again\n", 3, "already");
	refused("# 42. T\n\nNo minutes.\n", 3, "minutes");
	refused("# 42. T\n*Five minutes.*\n", 2, "minutes");
	refused("# 42. T\n*0 minutes.*\n", 2, "minutes");
	refused("# 42. T\n*601 minutes.*\n", 2, "minutes");
	refused("# 42. T\n", 1, "minutes");
	refused(HEAD "##\n", 3, "heading");
	refused(HEAD "##Words\n", 3, "heading");
}

static void test_byte_mistakes(void)
{
	static const char with_zero[] = HEAD "a\0b\n";

	refused(HEAD "a\n\033[2J\n", 4, "0x1b");
	refused(HEAD "a\rb\n", 3, "0x0d");
	refused(HEAD "\177\n", 3, "0x7f");
	refused(HEAD "\302\233[31m\n", 3, "0xc2");
	struct worksheet *worksheet =
	    worksheet_parse(with_zero, sizeof with_zero - 1, "42-x.md", &error);
	CHECK(worksheet == NULL, "a 0 does not end the page");
	CHECK(strstr(error.words, "0x00") != NULL, "it is told");
	CHECK_NUMBER(error.line, 3, "with its line");
	worksheet_free(worksheet);
}

static void test_word_mistakes(void)
{
	refused(HEAD "## New words\n- port: a number\n", 4, "new word");
	refused(HEAD "## New words\n- **port: a number\n", 4, "new word");
	refused(HEAD "## New words\n- ****: nothing\n", 4, "new word");
	refused(HEAD "## New words\nA paragraph.\n", 4, "new word");
	refused(HEAD "## New words\n- `ss: a program\n", 4, "new word");
}

static void test_block_mistakes(void)
{
	refused(HEAD "```console\n$ a\n```\n", 3, "names its terminal");
	refused(HEAD "```console a\n$ a\n```\n", 3, "names its terminal");
	refused(HEAD "```console AB\n$ a\n```\n", 3, "names its terminal");
	refused(HEAD "```console A root\n$ a\n```\n", 3, "'root'");
	refused(HEAD "```console A needs=\n$ a\n```\n", 3, "needs=");
	refused(HEAD "```console A\n```\n", 3, "empty");
	refused(HEAD "```console A\n$ a\n", 3, "no end");
	refused(HEAD "\n```text\na\n", 4, "no end");
	refused(HEAD "```text\n", 3, "no end");
	refused(HEAD "```console A\n$server\n```\n", 4, "'$ command'");
	refused(HEAD "```console A\n$ \n```\n", 4, "no command");
	refused(HEAD "```console A\n$ a\n^c\n```\n", 5, "'^C'");
	refused(HEAD "```console A\n$ a\n^Z\n```\n", 5, "'^C'");
	refused(HEAD "```console A\n$ client <p>\n<p>\n```\n", 4, "<p>");
	refused(HEAD "```console A\n$ a\n> <p>\n```\n", 5, "<p>");
	refused(HEAD "```console A\n$ a\n```\n```console A admin\n$ a\n```\n", 6, "another letter");
	refused(HEAD "```console A admin\n$ a\n```\n```console A\n$ a\n```\n", 6, "another letter");
	refused(HEAD "<!-- network: host -->\n```console A admin\n$ a\n```\n", 5,
	        "network: sandbox");
	refused(HEAD "```console A admin\n$ a\n```\n<!-- network: host -->\n", 4,
	        "network: sandbox");
}

static void test_directive_mistakes(void)
{
	refused(HEAD "<!-- hint: never\nends\n", 3, "no end");
	refused(HEAD "<!-- a remark -->\n", 3, "directive");
	refused(HEAD "<!-- -->\n", 3, "directive");
	refused(HEAD "<!-->\n", 3, "directive");
	refused(HEAD "<!-- hint: a --> b\n", 3, "nothing may follow");
	refused(HEAD "<!-- hint:\na --> b\n", 4, "nothing may follow");
	refused(HEAD "<!-- hint: -->\n", 3, "empty");
	refused(HEAD "<!-- hint:\n  \n-->\n", 3, "empty");
	refused(HEAD "<!-- hints: a -->\n", 3, "'hints'");
	refused(HEAD "<!-- network: sandbocks -->\n", 3, "'sandbocks'");
	refused(HEAD "<!-- claims: 9 -->\n", 3, "'9'");
	refused(HEAD "<!-- claims: C0 -->\n", 3, "'C0'");
	refused(HEAD "<!-- claims: C23 -->\n", 3, "'C23'");
	refused(HEAD "<!-- dispels: 11 -->\n", 3, "'11'");
	refused(HEAD "<!-- dispels: C1 -->\n", 3, "'C1'");
	refused(HEAD "<!-- needs: a b c d e f g h i -->\n", 3, "too many");
	refused(HEAD "<!-- key: Because. -->\n", 3, "Review");
}

static void test_prediction_mistakes(void)
{
	refused(HEAD "## Predict\n1. a\n2. b\n## Do\n", 4, "answer");
	refused(HEAD "## Predict\n1. a\n2. b\n", 4, "answer");
	refused(HEAD "## Predict\n1. a\n<!-- answer: 2. So. -->\n", 5, "1 to 1");
	refused(HEAD "## Predict\n1. a\n<!-- answer: 0. So. -->\n", 5, "1 to 1");
	refused(HEAD "## Predict\n1. a\n<!-- answer: a. So. -->\n", 5, "number");
	refused(HEAD "## Predict\n1. a\n<!-- answer: 1 -->\n", 5, "number");
	refused(HEAD "## Predict\n1. a\n<!-- answer: 1. -->\n", 5, "why");
	refused(HEAD "<!-- answer: 1. So. -->\n", 3, "1 to 0");
	refused(HEAD "## Predict\n1. a\n<!-- answer: 1. So. -->\n<!-- answer: 1. So. -->\n", 6,
	        "choices");
}

static void test_expect_mistakes(void)
{
	refused(HEAD "<!-- expect: <p> in 80 -->\n", 3, "<p>");
	refused(HEAD "```console A\n$ a\n<q>\n```\n<!-- expect: <q> <p> equal -->\n", 7, "<p>");
	refused(HEAD "```console A\n$ a\n<q>\n```\n<!-- expect: <q> in nowhere -->\n", 7, "range");
	refused(HEAD "<!-- expect: count A x -->\n", 3, "count");
}

static void test_turn_mistakes(void)
{
	refused(HEAD "<!-- check: tcp local-port=80 -->\n", 3, "what to do");
	refused(HEAD "\n<!-- check: tcp port=80\n     Do. -->\n", 4, "'port'");
	refused(HEAD "<!-- solution: id -->\n<!-- solution: ls -->\n", 4, "already");
	refused(HEAD "<!-- solution:\n# nothing\n-->\n", 4, "empty");
	refused(HEAD "<!-- solution:\n# nothing\n\n# at all\n-->\n", 4, "empty");
	refused(HEAD "<!-- solution:\nserver 80\nclient 80\n-->\n", 4, "terminal");
	refused(HEAD "<!-- solution:\n# a\nA$\n-->\n", 5, "'$ command'");
	refused(HEAD "<!-- wrong:\nA$ client <p>\n-->\n", 4, "<p>");
	refused(HEAD "<!-- network: host -->\n<!-- wrong:\nA admin$ id\n-->\n", 5,
	        "network: sandbox");
	refused(HEAD "<!-- wrong:\nA admin$ id\nB$ id\n-->\n<!-- network: host -->\n", 4,
	        "network: sandbox");
	refused(HEAD "<!-- hint: 1 -->\n<!-- hint: 2 -->\n<!-- hint: 3 -->\n<!-- hint: 4 -->\n"
	             "<!-- hint: 5 -->\n<!-- hint: 6 -->\n<!-- hint: 7 -->\n<!-- hint: 8 -->\n"
	             "<!-- hint: 9 -->\n",
	        11, "more than 8");
}

/* Many of a kind: refused with words, never overrun (the sanitizers watch). */
static void test_many(const char *before, const char *each, const char *end, const char *word)
{
	enum { MANY = 400 };
	size_t size = strlen(HEAD) + strlen(before) + MANY * (strlen(each) + strlen(end) + 8) + 1;
	char *text = malloc(size);
	size_t length = 0;

	if (text == NULL)
		return;
	length += (size_t)snprintf(text, size, "%s%s", HEAD, before);
	for (int i = 0; i < MANY; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%d%s", each, i, end);
	struct worksheet *worksheet = parse(text);
	CHECK(worksheet == NULL, "400 of a kind are too many");
	if (!tap_check(strstr(error.words, word) != NULL, "it says of what", __FILE__, __LINE__))
		printf("# no '%s' in: %s\n", word, error.words);
	worksheet_free(worksheet);
	free(text);
}

static void test_file(void)
{
	char path[] = "/tmp/42-worksheet-test-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd != -1 ? fdopen(fd, "w") : NULL;

	CHECK(worksheet_read("/nonexistent/42-x.md", &error) == NULL, "a file that is not there");
	CHECK_NUMBER(error.line, 0, "has no line");
	CHECK(strstr(error.words, "No such file") != NULL, "and its reason");
	CHECK(worksheet_read("/", &error) == NULL, "a directory");
	CHECK_NUMBER(error.line, 0, "has no line");
	if (file == NULL) {
		CHECK(0, "a temporary file");
		return;
	}
	fputs(good, file);
	(void)fclose(file);
	struct worksheet *worksheet = worksheet_read(path, &error);
	CHECK(worksheet != NULL && worksheet->item_count == ITEMS, "a file is read whole");
	worksheet_free(worksheet);
	file = fopen(path, "w");
	if (file != NULL && fseek(file, 2L << 20, SEEK_SET) == 0)
		fputs("x", file);
	if (file != NULL)
		(void)fclose(file);
	CHECK(worksheet_read(path, &error) == NULL && strstr(error.words, "1 MB") != NULL,
	      "one that is too large is not");
	(void)unlink(path);
}

int main(void)
{
	test_good();
	test_small_ones();
	test_title_mistakes();
	test_byte_mistakes();
	test_word_mistakes();
	test_block_mistakes();
	test_directive_mistakes();
	test_prediction_mistakes();
	test_expect_mistakes();
	test_turn_mistakes();
	test_many("## New words\n", "- **w", "**: x\n", "new words");
	test_many("", "<!-- check: tcp\n do ", " -->\n", "checks");
	test_many("", "<!-- wrong: a", " -->\n", "wrong");
	test_many("```console A\n$ a\n", "<n", ">\n", "names");
	test_file();
	return tap_done();
}
