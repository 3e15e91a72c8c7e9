/* expectation_test.c - "expect": what it accepts, when it holds, and what it says if not. */
#include "runner/expectation.h"

#include "kit/machine.h"
#include "tap.h"

static struct captures captures;
static char reason[EXPECTATION_REASON_SIZE];

static void keep(const char *name, const char *value)
{
	struct capture *capture = &captures.items[captures.count++];

	snprintf(capture->name, sizeof capture->name, "%s", name);
	snprintf(capture->value, sizeof capture->value, "%s", value);
}

/* Terminal A has three lines that match whatever is asked for, B none, others are not there. */
static long count(void *argument, char terminal, const char *pattern)
{
	(void)pattern;
	++*(int *)argument;
	return terminal == 'A' ? 3 : terminal == 'B' ? 0 : -1;
}

static int holds(const char *text)
{
	int asked = 0;

	reason[0] = '\0';
	return expectation_holds(text, &captures, count, &asked, reason);
}

/* A text in one line, without the sign that means something in TAP. */
static const char *in_one_line(const char *text)
{
	static char line[80];

	snprintf(line, sizeof line, "'%.70s'", text);
	for (char *c = line; *c != '\0'; c++)
		*c = *c == '\n' || *c == '\t' ? ' ' : *c == '#' ? '%' : *c;
	return line;
}

static void valid(const char *text)
{
	reason[0] = '\0';
	CHECK(expectation_is_valid(text, reason), in_one_line(text));
	CHECK_STRING(reason, "", "without complaint");
}

/* The reason must have the word in it. */
static void invalid(const char *text, const char *word)
{
	reason[0] = '\0';
	CHECK(!expectation_is_valid(text, reason), in_one_line(text));
	if (!tap_check(strstr(reason, word) != NULL, "the reason names it", __FILE__, __LINE__))
		printf("# no '%s' in: %s\n", word, reason);
	CHECK(!holds(text), "nor does it hold");
}

static void is_true(const char *text)
{
	if (!tap_check(holds(text), in_one_line(text), __FILE__, __LINE__))
		printf("# %s\n", reason);
}

/* Both the expected and the seen must be told. */
static void is_false(const char *text, const char *expected, const char *seen)
{
	CHECK(!holds(text), in_one_line(text));
	if (!tap_check(strstr(reason, expected) != NULL && strstr(reason, seen) != NULL,
	               "says what was expected, and what was seen", __FILE__, __LINE__))
		printf("# no '%s' and '%s' in: %s\n", expected, seen, reason);
}

static void test_forms(void)
{
	valid("<a> in 1024-49151");
	valid("<a> in kernel-range");
	valid("<a> in 80");
	valid("<a> is registered");
	valid("<a> is system");
	valid("<a> is dynamic");
	valid("<a> <b> equal");
	valid("<a> <b> <c> different");
	valid("<a> < <b>");
	valid("<a> <= 5");
	valid("<a> = 5");
	valid("<a> != 5");
	valid("<a> >= <b>");
	valid("<a> > 0");
	valid("  <a>\n  in\t80  ");
	valid("count A \"accept #...\" = 3");
	valid("count B \"a \\\"b\\\" c\" >= 0");
	valid("count Z \"x\" != 2147483647");
}

static void test_mistakes(void)
{
	invalid("", "<names>");
	invalid("<a>", "<names>");
	invalid("a in 80", "<names>");
	invalid("<A> in 80", "<names>");
	invalid("in 80", "<names>");
	invalid("<a> in", "one word");
	invalid("<a> in 1 2", "one word");
	invalid("<a> <b> in 80", "one <name>");
	invalid("<a> in 90-80", "range");
	invalid("<a> in 65536", "range");
	invalid("<a> in 1-65536", "range");
	invalid("<a> in -1", "range");
	invalid("<a> in 80x", "range");
	invalid("<a> is user", "registered");
	invalid("<a> is SYSTEM", "system");
	invalid("<a> equal", "two names");
	invalid("<a> different", "two names");
	invalid("equal <a> <b>", "<names>");
	invalid("<a> <b> equal <c>", "two names");
	invalid("<a> == 5", "equal");
	invalid("<a> =5 6", "in, is");
	invalid("<a> like 5", "different");
	invalid("<a> = x", "number");
	invalid("<a> = 99999999999", "number");
	invalid("<a> = -1", "number");
	invalid("count", "terminal");
	invalid("count A", "pattern");
	invalid("count a \"x\" = 3", "count A");
	invalid("count 1 \"x\" = 3", "count A");
	invalid("count A x = 3", "quotes");
	invalid("count A \"x = 3", "quotes");
	invalid("count A \"\" = 3", "pattern");
	invalid("count A \"x\"", "number");
	invalid("count A \"x\" 3", "comparison");
	invalid("count A \"x\" = three", "number");
	invalid("count A \"x\" = 3 4", "number");
	invalid("count A \"x\" = -3", "number");
}

static void test_ranges(void)
{
	struct port_range range;
	char least[16];

	is_true("<http> in 80");
	is_true("<http> in 80-80");
	is_true("<http> in 1-80");
	is_true("<http> in 80-90");
	is_true("<http> is system");
	is_true("<mysql> is registered");
	is_true("<high> is dynamic");
	is_true("<mysql> in registered");
	is_false("<http> in 81-90", "81-90", "80");
	is_false("<http> in 1-79", "1-79", "80");
	is_false("<http> is registered", "1024-49151", "80");
	is_false("<mysql> is system", "1-1023", "3306");
	is_false("<mysql> is dynamic", "dynamic", "3306");
	is_false("<word> in 1-65535", "1-65535", "LISTEN");
	is_false("<none> in 80", "<none>", "not seen");
	if (machine_ephemeral_range(&range) == -1) {
		is_true("<http> in kernel-range");
		return;
	}
	snprintf(least, sizeof least, "%u", range.first);
	keep("least", least);
	is_true("<least> in kernel-range");
	is_false("<zero> in kernel-range", "kernel-range", "0");
}

static void test_sameness(void)
{
	is_true("<http> <same> equal");
	is_true("<http> <mysql> different");
	is_true("<http> <mysql> <high> different");
	is_true("<word> <http> different");
	is_false("<http> <mysql> equal", "equal", "80 and 3306");
	is_false("<http> <same> different", "different", "80 and 80");
	is_false("<http> <mysql> <same> different", "<http> and <same>", "80");
	is_false("<http> <same> <mysql> equal", "<mysql>", "3306");
	is_false("<http> <zeros> equal", "equal", "0080"); /* words, not numbers */
	is_false("<http> <none> different", "<none>", "not seen");
}

static void test_comparisons(void)
{
	is_true("<http> < <mysql>");
	is_true("<http> <= <same>");
	is_true("<http> = <same>");
	is_true("<http> = <zeros>"); /* as numbers */
	is_true("<http> >= 80");
	is_true("<mysql> > 80");
	is_true("<mysql> != 80");
	is_false("<http> < 80", "80", "80");
	is_false("<mysql> < <http>", "<mysql>", "3306 and 80");
	is_false("<http> > 80", "<http>", "80");
	is_false("<http> != <same>", "<http>", "80");
	is_false("<http> = 8", "<http>", "80");
	is_false("<http> <= 8", "at most 8", "80");
	is_false("<http> >= 800", "at least 800", "80");
	is_false("<word> = <word>", "<word>", "LISTEN"); /* no numbers */
	is_false("<http> = <none>", "<none>", "nothing");
	is_false("<none> = 80", "<none>", "not seen");
}

static void test_counts(void)
{
	is_true("count A \"accept ...\" = 3");
	is_true("count A \"accept ...\" >= 3");
	is_true("count A \"accept ...\" < 4");
	is_true("count B \"accept ...\" = 0");
	is_false("count A \"accept ...\" = 4", "accept ...", "3");
	is_false("count A \"accept ...\" = 30", "30", "seen 3");
	is_false("count B \"accept ...\" >= 1", "terminal B", "0");
	is_false("count C \"accept ...\" >= 1", "terminal C", "0");
}

int main(void)
{
	keep("http", "80");
	keep("same", "80");
	keep("zeros", "0080");
	keep("zero", "0");
	keep("mysql", "3306");
	keep("high", "50000");
	keep("word", "LISTEN");
	test_forms();
	test_mistakes();
	test_ranges();
	test_sameness();
	test_comparisons();
	test_counts();
	return tap_done();
}
