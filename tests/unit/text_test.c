/* text_test.c - what comes from outside, made safe for a terminal and for JSON. */
#include "kit/narrate.h"
#include "kit/text.h"

#include "tap.h"

#include <locale.h>
#include <stdlib.h>

static void check_escape(const char *bytes, size_t length, const char *expected,
                         const char *what)
{
	char text[256];

	CHECK(text_escape(bytes, length, text, sizeof text) == text, "it returns its text");
	CHECK_STRING(text, expected, what);
}

#define ESCAPED(bytes, expected, what) check_escape(bytes, sizeof(bytes) - 1, expected, what)

static void test_plain_and_named(void)
{
	ESCAPED("", "", "nothing");
	ESCAPED("hello, world!", "hello, world!", "printable characters stay");
	ESCAPED(" ~", " ~", "the first and the last of ASCII's printable ones");
	ESCAPED("a\nb\rc\td", "a\\nb\\rc\\td", "newline, return and tabulator by name");
	ESCAPED("\"\\", "\\\"\\\\", "quote and backslash by name");
	ESCAPED("a\0b", "a\\x00b", "a 0 is a byte like others");
	ESCAPED("\033[31mred\033]0;title\a", "\\x1b[31mred\\x1b]0;title\\x07",
	        "what a terminal would obey");
	ESCAPED("\177\b", "\\x7f\\x08", "delete and backspace");
}

static void test_every_control(void)
{
	char expected[8], text[16];
	int wrong = 0;

	for (int byte = 0; byte < 0x20; byte++) {
		char one = (char)byte;
		text_escape(&one, 1, text, sizeof text);
		snprintf(expected, sizeof expected, "\\x%02x", (unsigned)byte);
		if (strchr("\n\r\t", byte) == NULL || byte == 0)
			wrong += strcmp(text, expected) != 0;
		wrong += text[0] != '\\';
	}
	CHECK_NUMBER(wrong, 0, "none of ASCII's control characters gets through");
}

/* In the C locale a byte above 127 is no character. */
static void test_bytes_of_c_locale(void)
{
	ESCAPED("\303\251", "\\xc3\\xa9", "C locale: two bytes, and no letter");
	ESCAPED("\200\377", "\\x80\\xff", "C locale: any byte above 127");
	ESCAPED("\233[31m", "\\x9b[31m", "C locale: the one-byte control sequence introducer");
}

static void test_utf8(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL && setlocale(LC_CTYPE, "en_US.UTF-8") == NULL) {
		CHECK(1, "UTF-8 # SKIP this system has no such locale");
		return;
	}
	CHECK(text_is_utf8(), "the locale is known to be UTF-8");
	ESCAPED("caf\303\251 \342\202\254", "caf\303\251 \342\202\254", "letters and signs stay");
	ESCAPED("\303", "\\xc3", "the beginning of a character, and no more");
	ESCAPED("\342\202", "\\xe2\\x82", "two of three bytes");
	ESCAPED("\251", "\\xa9", "the end of a character without its beginning");
	ESCAPED("\300\257", "\\xc0\\xaf", "a slash written too long");
	ESCAPED("\355\240\200", "\\xed\\xa0\\x80", "half a pair of surrogates");
	ESCAPED("\370\210\200\200\200", "\\xf8\\x88\\x80\\x80\\x80", "five bytes are no UTF-8");
	ESCAPED("\302\233[31m", "\\xc2\\x9b[31m", "a C1 control (U+009B) is no letter");
	ESCAPED("\302\205", "\\xc2\\x85", "nor is the next line (U+0085)");
	ESCAPED("\303\033[m", "\\xc3\\x1b[m", "half a character does not swallow an escape");
	(void)setlocale(LC_CTYPE, "C");
}

/* Behind the room that was given stands a wall of marks: none may be touched. */
static void test_every_size(const char *bytes, size_t length)
{
	char room[160], whole[160];
	int overflows = 0, unended = 0, not_prefix = 0, unmarked = 0;

	text_escape(bytes, length, whole, sizeof whole);
	for (size_t size = 1; size <= strlen(whole) + 5; size++) {
		memset(room, '#', sizeof room);
		text_escape(bytes, length, room, size);
		for (size_t i = size; i < sizeof room; i++)
			overflows += room[i] != '#';
		if (memchr(room, '\0', size) == NULL) {
			unended++;
			continue;
		}
		size_t end = strlen(room);
		/* Up to three bytes of room may be held back for dots that are not needed. */
		if (size > strlen(whole) || strcmp(room, whole) == 0) {
			not_prefix += strcmp(room, whole) != 0;
			continue;
		}
		if (size > 3) {
			unmarked += end < 3 || strcmp(room + end - 3, "...") != 0;
			not_prefix += end >= 3 && strncmp(room, whole, end - 3) != 0;
		}
	}
	CHECK_NUMBER(overflows, 0, "at no size is a byte written outside");
	CHECK_NUMBER(unended, 0, "at every size it ends with a 0");
	CHECK_NUMBER(not_prefix, 0, "what is shown is the beginning, or all where it fits");
	CHECK_NUMBER(unmarked, 0, "and where it was cut there are three dots");
}

static void test_add(void)
{
	char room[24];

	memset(room, '#', sizeof room);
	room[0] = '\0';
	text_add(room, 8, "%s", "abc");
	text_add(room, 8, "%d", 12);
	CHECK_STRING(room, "abc12", "text is added at the end");
	text_add(room, 8, "%s", "345678");
	CHECK_STRING(room, "abc1234", "and cut where it does not fit");
	text_add(room, 8, "%s", "more");
	CHECK_STRING(room, "abc1234", "a full one stays as it is");
	CHECK(memcmp(room + 8, "################", 16) == 0, "nothing is written behind it");
}

static void test_add_word(void)
{
	char room[24];

	memset(room, '#', sizeof room);
	strcpy(room, "a");
	text_add_word(room, 8, "bc", 4);
	CHECK_STRING(room, "abc  ", "a word is filled up with blanks");
	text_add_word(room, 8, "d", 0);
	CHECK_STRING(room, "abc  d", "of no width as it is");
	text_add_word(room, 8, "efgh", 2);
	CHECK_STRING(room, "abc  de", "and cut where the room ends");
	text_add_word(room, 8, "x", 9);
	CHECK_STRING(room, "abc  de", "a full one stays as it is");
	CHECK(memcmp(room + 8, "################", 16) == 0, "nothing is written behind it");
	room[0] = '\0';
	text_add_word(room, sizeof room, "\xc3\xa9\xe2\x86\x92", 4);
	CHECK_STRING(room, "\xc3\xa9\xe2\x86\x92  ", "characters count, not bytes");
	room[0] = '\0';
	text_add_word(room, 8, "ab", 90);
	CHECK_STRING(room, "ab     ", "blanks end with the room");
}

/* RFC 8259 section 7: what must be escaped, and that the rest is ASCII here. */
static void test_json(void)
{
	char text[64] = "x:";

	json_add_string(text, sizeof text, "plain");
	CHECK_STRING(text, "x:\"plain\"", "a string is added in quotes");
	text[0] = '\0';
	json_add_string(text, sizeof text, "");
	CHECK_STRING(text, "\"\"", "an empty one, too");
	text[0] = '\0';
	json_add_string(text, sizeof text, "a\"b\\c/");
	CHECK_STRING(text, "\"a\\\"b\\\\c/\"", "quote and backslash");
	text[0] = '\0';
	json_add_string(text, sizeof text, "\001\n\033\037 ");
	CHECK_STRING(text, "\"\\u0001\\u000a\\u001b\\u001f \"", "control characters by number");
	text[0] = '\0';
	json_add_string(text, sizeof text, "\177");
	CHECK_STRING(text, "\"\\u007f\"", "delete by number");
}

/* RFC 3629 section 3 and 4: the bytes of each length, and those that are no character. */
static void test_decoding(void)
{
	static const struct {
		const char *bytes;
		size_t length;
		uint32_t character;
		bool steers;
	} cases[] = {
	    {"a", 1, 'a', false},
	    {"\033", 1, 0x1b, true},
	    {"\177", 1, 0x7f, true},
	    {"\302\200", 2, 0x80, true},
	    {"\302\237", 2, 0x9f, true},
	    {"\302\240", 2, 0xa0, false},
	    {"\303\251", 2, 0xe9, false},
	    {"\342\200\256", 3, 0x202e, true}, /* right-to-left override */
	    {"\342\202\254", 3, 0x20ac, false},
	    {"\360\237\231\202", 4, 0x1f642, false},
	    {"\364\217\277\277", 4, 0x10ffff, false},
	};
	static const char *const none[] = {"\200",
	                                   "\377",
	                                   "\302",
	                                   "\302a",
	                                   "\300\233",
	                                   "\340\202\233",
	                                   "\355\240\200",
	                                   "\342\202",
	                                   "\360\200\200\200",
	                                   "\364\220\200\200"};
	size_t length;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_NUMBER(text_utf8(cases[i].bytes, &length), cases[i].character, "its number");
		CHECK_NUMBER(length, cases[i].length, "its bytes");
		CHECK(text_steers(cases[i].character) == cases[i].steers, "whether it steers");
	}
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		(void)text_utf8(none[i], &length);
		CHECK_NUMBER(length, 0, "no character");
	}
}

/* The C1 controls steer a terminal in UTF-8 as ESC does: by number, too. */
static void test_json_controls(void)
{
	char text[64] = "";

	json_add_string(text, sizeof text, "\302\233\342\200\256\233\303\251");
	CHECK_STRING(text, "\"\\u009b\\u202e\\u009b\303\251\"", "what steers, by number");
}

int main(void)
{
	(void)setlocale(LC_CTYPE, "C");
	test_decoding();
	test_json_controls();
	test_plain_and_named();
	test_every_control();
	test_bytes_of_c_locale();
	test_every_size("plain text of some length", 25);
	test_every_size("\033\033\033\033", 4);
	test_every_size("a\nb\001c\"", 6);
	test_every_size("x", 1);
	test_add();
	test_add_word();
	test_json();
	test_utf8();
	return tap_done();
}
