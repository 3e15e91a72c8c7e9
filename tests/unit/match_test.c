/* match_test.c - what a worksheet says against what a terminal shows: nothing is forgiven
 * but blanks and "...". */
#include "runner/match.h"

#include "tap.h"

#include <unistd.h>

static struct captures captures;

static void keep(const char *name, const char *value)
{
	struct capture *capture = &captures.items[captures.count++];

	snprintf(capture->name, sizeof capture->name, "%s", name);
	snprintf(capture->value, sizeof capture->value, "%s", value);
}

static void forget(void)
{
	memset(&captures, 0, sizeof captures);
}

/* The description is the pattern and the line themselves. */
static void check_match(const char *pattern, const char *line, int expected)
{
	char what[400];

	snprintf(what, sizeof what, "'%.150s' %s '%.150s'", pattern, expected ? "is" : "is not",
	         line);
	for (char *c = what; *c != '\0'; c++)
		*c = *c == '#' ? '%' : *c == '\t' ? '_' : *c;
	CHECK(match_line(pattern, line, &captures) == expected, what);
}

static void is(const char *pattern, const char *line)
{
	forget();
	check_match(pattern, line, 1);
}

static void is_not(const char *pattern, const char *line)
{
	forget();
	check_match(pattern, line, 0);
	CHECK_NUMBER(captures.count, 0, "and nothing was kept");
}

/* With <p> known to be 3410. */
static void known(const char *pattern, const char *line, int expected)
{
	forget();
	keep("p", "3410");
	check_match(pattern, line, expected);
	CHECK_NUMBER(captures.count, 1, "nothing more was kept");
	CHECK_STRING(captures.items[0].value, "3410", "what was kept stays");
}

static void kept(const char *pattern, const char *line, const char *value)
{
	const char *seen;

	is(pattern, line);
	seen = captures_find(&captures, "p");
	CHECK_STRING(seen, value, "and kept as <p>");
}

/* ---- names ---- */

static void check_name(const char *text, size_t length, const char *expected)
{
	char name[CAPTURE_NAME_SIZE] = "", what[100];

	snprintf(what, sizeof what, "a name at '%s'?", text);
	CHECK_NUMBER(capture_name_at(text, name), length, what);
	if (length > 0)
		CHECK_STRING(name, expected, "it is called so");
}

static void test_names(void)
{
	check_name("<p>", 3, "p");
	check_name("<in-b2>: x", 7, "in-b2");
	check_name("<abcdefghijklmnopqrstuvw>", 25, "abcdefghijklmnopqrstuvw");
	check_name("<abcdefghijklmnopqrstuvwx>", 0, ""); /* 24 letters and the end do not fit */
	check_name("<P>", 0, "");
	check_name("<2p>", 0, "");
	check_name("<-p>", 0, "");
	check_name("<p", 0, "");
	check_name("<p q>", 0, "");
	check_name("<p_q>", 0, "");
	check_name("<>", 0, "");
	check_name("<", 0, "");
	check_name("", 0, "");
	check_name(" <p>", 0, "");
	check_name("<https://example.org>", 0, "");
}

static void test_plain_lines(void)
{
	is("listening", "listening");
	is("", "");
	is_not("listening", "listenin");
	is_not("listening", "listening1");
	is_not("listenin", "listening");
	is_not("Listening", "listening");
	is_not("", "x");
	is_not("x", "");
	is_not("34104", "34014");
	is_not("3410", "34104");
	is_not("34104", "3410");
	is("a < b > c", "a < b > c");
	is("*.[x]\\?", "*.[x]\\?");
}

static void test_blanks(void)
{
	is("a b", "a    b");
	is("a    b", "a b");
	is("a\tb", "a b");
	is("a b", "a \t b");
	is("  a b", "a b  ");
	is("a b  ", "\ta b");
	is_not("a b", "ab");
	is_not("ab", "a b");
	is_not("a b", "a  bc");
	is("   ", "");
	is("", " \t ");
	is("a ...", "a");
	is("a ...", "a b c");
	is("... a", "a");
	is_not("a ...", "ab");
	is("a ... b", "a b");
	is("a   ...   b", "a x b");
}

static void test_anything(void)
{
	is("...", "");
	is("...", "whatever there is");
	is("a...", "a");
	is("a...", "abc");
	is("...c", "abc");
	is("a...c", "ac");
	is("a...c", "abcbc");
	is("a...b...c", "a c b c c");
	is("... ... ...", "x");
	is("....", "x.");
	is_not("....", "x");
	is_not("a...", "ba");
	is_not("...c", "cb");
	is_not("a...c", "ab");
	is_not("a...b...c", "a c b");
	is("..", "..");
	is_not("..", "...x");
}

static void test_new_names(void)
{
	kept("<p>", "34104", "34104");
	kept("port <p>", "port   34104", "34104");
	kept("127.0.0.1:<p>", "127.0.0.1:34104", "34104");
	kept("127.0.0.1:<p> -> 127.0.0.1:3306", "127.0.0.1:34104  -> 127.0.0.1:3306", "34104");
	kept("...:<p> -> ...", "  accept #1 127.0.0.1:34104 -> 127.0.0.1:3306", "34104");
	kept("server/<p> ...", "server/4711  root", "4711");
	kept("pid <p>, ...", "pid 4711, user root", "4711");
	kept("(\"server\",pid=<p>,fd=3)", "(\"server\",pid=4711,fd=3)", "4711");
	kept("ends <p>s", "ends 59s", "59");
	kept("<p> <q>", "1 2", "1");
	kept("<p>", "a:b,c;d", "a:b,c;d");
	is_not("<p>", "");
	is_not("<p>", "1 2");
	is_not("a <p>", "a");
	is_not("port:<p> x", "port: x");
	/* The same name twice on one line: the same both times. */
	is("<p> <p>", "34104 34104");
	is_not("<p> <p>", "34104 34014");
	is_not("<p> <p>", "3410 34104");
	is_not("<p> <p>", "34104 3410");
}

/* A name is never a part of a longer number, whatever stands around it. */
static void test_whole_numbers(void)
{
	kept("<p>...", "34104", "34104");
	kept("...<p>", "34104", "34104");
	kept("...<p>...", "34104", "34104");
	kept("x...<p>", "x34104 5", "5");
	is_not("<p>...<q>", "34104");
	is_not("...<p>...<q>...", "34104");
	is("<p>...<q>", "34104 2");
	CHECK_STRING(captures_find(&captures, "q"), "2", "the second name has the second number");

	known("<p>", "3410", 1);
	known("<p>", "34104", 0);
	known("<p>", "34014", 0);
	known("<p>", "13410", 0);
	known("<p>...", "34104", 0);
	known("...<p>", "13410", 0);
	known("...<p>...", "13410", 0);
	known("...<p>...", "34104", 0);
	known("...<p>...", "134104", 0);
	known("...<p>...", "34104 34105 13410", 0);
	known("...<p>...", "34104 3410 13410", 1);
	known("...<p>...", "a3410b", 0);
	known("127.0.0.1:<p> ...", "127.0.0.1:34104 x", 0);
	known("127.0.0.1:<p> ...", "127.0.0.1:3410 x", 1);
	known("127.0.0.1:<p> ...", "127.0.0.1:3410", 1);
	known("127.0.0.1:<p>...", "127.0.0.1:34104 x", 0);
	known("<p> -> 80", "3410 -> 80", 1);
	known("<p> -> 80", "34104 -> 80", 0);
	known("pid=<p>,fd", "pid=34104,fd", 0);
	known("pid=<p>,fd", "pid=3410,fd", 1);
	known("<p> <p>", "3410 3410", 1);
	known("<p> <p>", "3410 3411", 0);
	known("<q> <p>", "3410 3411", 0);
}

/* What was kept is text, not a pattern. */
static void test_known_is_text(void)
{
	forget();
	keep("p", "...");
	check_match("<p>", "x", 0);
	check_match("<p>", "...", 1);
	forget();
	keep("p", "<q>");
	check_match("<p>", "5", 0);
	check_match("<p>", "<q>", 1);
}

/* The first choice for a name is not always the right one. */
static void test_backtracking_in_a_line(void)
{
	kept("<p>,fd=3", "4,fd=4,fd=3", "4,fd=4");
	kept("<p>:80", "127.0.0.1:80:80", "127.0.0.1:80");
	kept("...<p> end", "1 2 3 end", "3");
	is("...<p>/<q> -", "a b/c d/e -");
	CHECK_STRING(captures_find(&captures, "p"), "d", "the name that did not fit is forgotten");
	CHECK_STRING(captures_find(&captures, "q"), "e", "and so is the one after it");
	is("...x<p> ...x<p>", "x1 x2 x3 x2");
	CHECK_STRING(captures_find(&captures, "p"), "2", "a pair is found");
	is_not("...x<p> ...x<p>", "x1 x2 x3 x4");
}

static void test_full(void)
{
	char name[CAPTURE_NAME_SIZE], line[CAPTURE_VALUE_SIZE + 10];

	forget();
	for (int i = 0; i < CAPTURES_MOST; i++) {
		snprintf(name, sizeof name, "n%d", i);
		keep(name, "1");
	}
	CHECK(!match_line("<more>", "1", &captures), "where no name can be kept, no line matches");
	CHECK(match_line("<n63>", "1", &captures), "the known ones do");
	CHECK_NUMBER(captures.count, CAPTURES_MOST, "and nothing is written behind the last");
	forget();
	memset(line, 'x', sizeof line);
	line[CAPTURE_VALUE_SIZE - 1] = '\0';
	CHECK(match_line("<p>", line, &captures), "the longest value that fits is kept");
	CHECK_STRING(captures_find(&captures, "p"), line, "and whole");
	forget();
	line[CAPTURE_VALUE_SIZE - 1] = 'x';
	line[CAPTURE_VALUE_SIZE] = '\0';
	CHECK(!match_line("<p>", line, &captures), "a longer one is not cut, it is refused");
}

/*
 * A line with many "..." against a long line that is nearly it: an answer, and soon. The
 * alarm ends this program, which is a failure, too.
 */
static void test_no_explosion(void)
{
	char line[4000];

	memset(line, 'a', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	(void)alarm(10);
	forget();
	CHECK(!match_line("...a...a...a...a...a...a...b", line, &captures),
	      "many dots and a long line end in reasonable time");
	(void)alarm(0);
}

/* ---- lines ---- */

enum { LINES_MOST = 12 };

/* Texts whose lines are the patterns and the lines. */
static size_t split(char *text, const char **lines)
{
	size_t count = 0;

	for (char *line = strtok(text, "\n"); line != NULL && count < LINES_MOST;
	     line = strtok(NULL, "\n"))
		lines[count++] = line;
	return count;
}

static struct match_result result;

static int matches(const char *patterns, const char *lines)
{
	char pattern_text[400], line_text[400];
	const char *pattern_list[LINES_MOST], *line_list[LINES_MOST];

	snprintf(pattern_text, sizeof pattern_text, "%s", patterns);
	snprintf(line_text, sizeof line_text, "%s", lines);
	size_t pattern_count = split(pattern_text, pattern_list);
	size_t line_count = split(line_text, line_list);
	return match_lines(pattern_list, pattern_count, line_list, line_count, &captures, &result);
}

static void found(const char *patterns, const char *lines, size_t used, const char *what)
{
	forget();
	CHECK(matches(patterns, lines), what);
	CHECK_NUMBER(result.used, used, "so many lines were needed");
}

static void stuck(const char *patterns, const char *lines, size_t reached, size_t stuck_at,
                  int hopeless, const char *what)
{
	forget();
	CHECK(!matches(patterns, lines), what);
	CHECK_NUMBER(result.reached, reached, "so many patterns found their line");
	CHECK_NUMBER(result.stuck_at, stuck_at, "the next one should have been there");
	CHECK_NUMBER(result.hopeless, hopeless, "whether a further line can help");
	CHECK_NUMBER(captures.count, 0, "nothing is kept");
}

static void test_lines(void)
{
	found("", "", 0, "nothing is there at once");
	found("a\nb", "a\nb", 2, "line by line");
	found("a\nb", "a\nb\nc", 2, "what comes later is left for later");
	found("a\n \nb", "a\nb", 2, "blank lines of the page do not count");
	found("a\nb", "a\n \t\n  \nb", 4, "nor blank lines of the terminal");
	found("...", "a\nb", 0, "dots take as few lines as possible");
	found("...\nb", "b", 1, "no line at all");
	found("...\nb", "a\na\nb\nb", 3, "or some");
	found("a\n...\nc", "a\nb\nb\nc", 4, "in the middle");
	found("  ...  \nc", "a\nc", 2, "dots with blanks around are dots");
	found("a\n...", "a\nb", 1, "dots at the end do not wait");
	stuck("a\nb", "a", 1, 1, 0, "the second line has not come yet");
	stuck("a\nb", "a\nc", 1, 1, 1, "another line came: no hope");
	stuck("a", "b", 0, 0, 1, "not even the first");
	stuck("a", "", 0, 0, 0, "nothing has come yet");
	stuck("...\nb", "a\na", 1, 2, 0, "after dots there is always hope");
	stuck("a\n...\nb", "c\nb", 0, 0, 1, "but not before them");
	stuck("a\nb", "a\nx\nb", 1, 1, 1, "a line too many is not passed over");
	stuck("a\nb", "b\na", 0, 0, 1, "nor another order");
	stuck("a\na", "a", 1, 1, 0, "the same line twice is two lines");
}

static void test_names_in_lines(void)
{
	found("client <p>\nserver <p>", "client 34104\nserver 34104", 2, "the same number twice");
	CHECK_STRING(captures_find(&captures, "p"), "34104", "it is kept");
	stuck("client <p>\nserver <p>", "client 34104\nserver 34014", 1, 1, 1,
	      "34014 is not 34104");
	stuck("client <p>\nserver <p>", "client 3410\nserver 34104", 1, 1, 1, "nor is 34104 3410");
	stuck("client <p>\nserver <p>", "client 34104\nserver 3410", 1, 1, 1, "nor 3410 34104");
	/* The first "from" is not the one that came back. */
	found("...\nfrom <p>\n...\nto <p>", "from 1\nfrom 2\nto 3\nto 2", 4,
	      "another try for a name");
	CHECK_STRING(captures_find(&captures, "p"), "2", "what the wrong try kept is forgotten");
	found("...\n<p> x\n<p> y", "1 x\n2 x\n2 y", 3, "dots take one line more where they must");
	stuck("...\n<p> x\n<p> y", "1 x\n2 x\n3 y", 2, 2, 0, "the furthest try is told");
	forget();
	keep("p", "7");
	CHECK(!matches("a <q>\nb <p>", "a 1\nb 8"), "a known name in a later line");
	CHECK_NUMBER(captures.count, 1, "the new one before it is forgotten again");
	CHECK(matches("a <q>\nb <p>", "a 1\nb 7"), "it fits");
	CHECK_NUMBER(captures.count, 2, "then it is kept");
}

/* Thousands of lines and patterns that nearly match them all: an answer, and soon. */
static void test_many_lines(void)
{
	enum { MANY = 20000 };
	static const char *lines[MANY];
	static const char *const patterns[] = {"...", "a", "...", "a", "...", "a", "...", "a", "b"};

	for (int i = 0; i < MANY; i++)
		lines[i] = "a";
	forget();
	CHECK(!match_lines(patterns, sizeof patterns / sizeof patterns[0], lines, MANY, &captures,
	                   &result),
	      "20,000 lines and many dots end in reasonable time");
}

static void test_blank_and_any(void)
{
	CHECK(match_is_blank("") && match_is_blank(" \t"), "blank");
	CHECK(!match_is_blank(" x") && !match_is_blank("..."), "not blank");
	CHECK(match_is_any("...") && match_is_any("  ...\t"), "any number of lines");
	CHECK(!match_is_any("....") && !match_is_any("..") && !match_is_any("... x") &&
	          !match_is_any("") && !match_is_any("x..."),
	      "a pattern for one line");
}

static void check_fill(const char *text, const char *expected, const char *what)
{
	char filled[64];

	CHECK_NUMBER(captures_fill(&captures, text, filled, sizeof filled), 0, what);
	CHECK_STRING(filled, expected, "as it should read");
}

static void test_fill(void)
{
	char filled[16];

	forget();
	keep("p", "34104");
	keep("q", "<p>");
	check_fill("client <p>", "client 34104", "a name is replaced");
	check_fill("<p><p>", "3410434104", "every time");
	check_fill("<p> <r> <P> < > <", "34104 <r> <P> < > <", "what was not kept stays");
	check_fill("<q>", "<p>", "a value is not looked into");
	check_fill("", "", "nothing");
	CHECK_NUMBER(captures_fill(&captures, "client <p>", filled, 13), 0, "it just fits");
	CHECK_STRING(filled, "client 34104", "with its end");
	CHECK_NUMBER(captures_fill(&captures, "client <p>", filled, 12), -1, "one byte too small");
	CHECK_NUMBER(captures_fill(&captures, "", filled, 1), 0, "room for the end only");
}

int main(void)
{
	test_names();
	test_plain_lines();
	test_blanks();
	test_anything();
	test_new_names();
	test_whole_numbers();
	test_known_is_text();
	test_backtracking_in_a_line();
	test_full();
	test_lines();
	test_names_in_lines();
	test_blank_and_any();
	test_fill();
	test_many_lines();
	test_no_explosion();
	return tap_done();
}
