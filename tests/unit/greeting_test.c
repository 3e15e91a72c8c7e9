/* greeting_test.c - the one line of the protocol, written out by hand from greeting.h. */
#include "kit/greeting.h"

#include "tap.h"

#include <stdlib.h>

static struct greeting make(const char *client, const char *server, enum transport transport,
                            uint32_t number)
{
	struct greeting greeting;

	memset(&greeting, 0, sizeof greeting);
	if (endpoint_parse(client, &greeting.client) == -1 ||
	    endpoint_parse(server, &greeting.server) == -1)
		abort();
	greeting.transport = transport;
	greeting.number = number;
	return greeting;
}

static int same(const struct greeting *one, const struct greeting *other)
{
	return endpoint_equal(&one->client, &other->client) &&
	       endpoint_equal(&one->server, &other->server) && one->transport == other->transport &&
	       one->number == other->number;
}

static void check_both_ways(struct greeting greeting, const char *expected)
{
	char line[GREETING_SIZE];
	struct greeting read;

	memset(&read, 0xff, sizeof read);
	CHECK_NUMBER(greeting_format(&greeting, line), strlen(expected), "its length in bytes");
	CHECK_STRING(line, expected, "exactly this line");
	CHECK(greeting_parse(expected, strlen(expected), &read) == 0, "it can be read");
	CHECK(same(&read, &greeting), "and says the same");
}

static void test_lines(void)
{
	check_both_ways(make("127.0.0.1:41234", "127.0.0.1:3306", TRANSPORT_TCP, 17),
	                "hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17\n");
	check_both_ways(make("192.0.2.1:1", "198.51.100.255:65535", TRANSPORT_TCP, 1),
	                "hello 192.0.2.1:1 from 198.51.100.255:65535 connection 1\n");
	check_both_ways(make("[::1]:41234", "[2001:db8::5]:3306", TRANSPORT_TCP, 4294967295U),
	                "hello [::1]:41234 from [2001:db8::5]:3306 connection 4294967295\n");
	check_both_ways(make("127.0.0.2:9", "127.0.0.1:53", TRANSPORT_UDP, 3),
	                "hello 127.0.0.2:9 from 127.0.0.1:53 datagram 3\n");
	check_both_ways(make("[::ffff:192.0.2.1]:40000", "[::ffff:192.0.2.2]:80", TRANSPORT_TCP, 2),
	                "hello [::ffff:192.0.2.1]:40000 from [::ffff:192.0.2.2]:80 connection 2\n");
}

/* The longest there can be: IPv6 in full, and interfaces whose number has ten digits. */
static void test_longest(void)
{
	const char *end = "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535";
	struct greeting greeting = make(end, end, TRANSPORT_TCP, 4294967295U);
	struct {
		char line[GREETING_SIZE];
		char after[8];
	} room;

	memset(&room, '#', sizeof room);
	int length = greeting_format(&greeting, room.line);
	CHECK(length > 0 && length < GREETING_SIZE, "the longest line fits");
	CHECK(memcmp(room.after, "########", 8) == 0, "and nothing is written behind it");
	CHECK_NUMBER(room.line[length - 1], '\n', "it ends with its newline");
	CHECK_NUMBER(strlen(room.line), length, "and a 0 after that");
}

static void check_refused(const char *line, size_t length, const char *why)
{
	struct greeting read, untouched;

	memset(&read, 0x5a, sizeof read);
	untouched = read;
	CHECK(greeting_parse(line, length, &read) == -1 &&
	          memcmp(&read, &untouched, sizeof read) == 0,
	      why);
}

#define LINE "hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17\n"

static void test_malformed(void)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
	    {"", "nothing"},
	    {"\n", "a newline alone"},
	    {"hello", "the beginning"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17", "no newline"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17\r\n", "a carriage return"},
	    {LINE "x", "a byte after it"},
	    {LINE "\n", "a second newline"},
	    {LINE LINE, "two lines"},
	    {" " LINE, "a blank before it"},
	    {"Hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17\n", "a capital"},
	    {"hallo 127.0.0.1:41234 from 127.0.0.1:3306 connection 17\n", "another word"},
	    {"hello  127.0.0.1:41234 from 127.0.0.1:3306 connection 17\n", "two blanks"},
	    {"hello\t127.0.0.1:41234 from 127.0.0.1:3306 connection 17\n", "a tabulator"},
	    {"hello 127.0.0.1:41234  from 127.0.0.1:3306 connection 17\n", "two blanks, later"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection  17\n", "two blanks, last"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17 \n", "a blank at the end"},
	    {"hello 127.0.0.1:41234 at 127.0.0.1:3306 connection 17\n", "at, not from"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 client 17\n", "another noun"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connections 17\n", "a plural"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 17\n", "no noun"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection\n", "no number"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection \n", "an empty number"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection x\n", "a letter for a number"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection -1\n", "a negative number"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection +1\n", "a sign"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 017\n", "a leading zero"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17x\n", "17x"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 1.7\n", "a fraction"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 4294967296\n", "33 bits"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 4294967313\n", "17 and 33 bits"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 18446744073709551633\n",
	     "17 and 65 bits"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 17 18\n", "two numbers"},
	    {"hello 127.0.0.1 from 127.0.0.1:3306 connection 17\n", "no client port"},
	    {"hello 127.0.0.1:41234 from 127.0.0.1 connection 17\n", "no server port"},
	    {"hello 127.0.0.1:65536 from 127.0.0.1:3306 connection 17\n", "a port too large"},
	    {"hello 127.0.0.1:041234 from 127.0.0.1:3306 connection 17\n", "a port with a zero"},
	    {"hello 127.0.0.01:41234 from 127.0.0.1:3306 connection 17\n",
	     "an address with a zero"},
	    {"hello 127.1:41234 from 127.0.0.1:3306 connection 17\n", "a shortened address"},
	    {"hello ::1:41234 from 127.0.0.1:3306 connection 17\n", "IPv6 without brackets"},
	    {"hello [::1]41234 from 127.0.0.1:3306 connection 17\n", "IPv6 without a colon"},
	    {"hello [0::1]:41234 from [::1]:3306 connection 17\n", "IPv6 in another spelling"},
	    {"hello [::A]:41234 from [::1]:3306 connection 17\n", "IPv6 in capitals"},
	    {"hello localhost:41234 from 127.0.0.1:3306 connection 17\n", "a name"},
	    {"hello - from 127.0.0.1:3306 connection 17\n", "no client"},
	    {"hello from connection\n", "the words alone"},
	    {"hello %s from %n connection 17\n", "what printf would obey"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_refused(cases[i].line, strlen(cases[i].line), cases[i].why);
}

/* Every line that is one byte short, or has one byte changed, is another line. */
static void test_each_byte(void)
{
	char line[] = LINE;
	size_t length = strlen(line), wrong = 0;
	struct greeting read, right;

	CHECK(greeting_parse(line, length, &right) == 0, "the line itself is read");
	for (size_t end = 0; end < length; end++)
		wrong += greeting_parse(line, end, &read) == 0;
	CHECK_NUMBER(wrong, 0, "no beginning of it is");
	for (size_t i = 0; i < length; i++)
		for (int byte = 0; byte < 256; byte++) {
			char before = line[i];
			line[i] = (char)byte;
			if (line[i] != before && greeting_parse(line, length, &read) == 0)
				wrong += same(&read, &right) != 0 ? 1U : 0U;
			line[i] = before;
		}
	CHECK_NUMBER(wrong, 0, "no line with one byte changed is taken for the same");
}

static void test_bytes(void)
{
	static const char zero_end[] = LINE, zero_inside[] =
	                                         "hello 127.0.0.1:4123\0 from 127.0.0.1:"
	                                         "3306 connection 17\n";
	char huge[5000];

	check_refused(zero_end, sizeof zero_end, "a 0 after it");
	check_refused(zero_inside, sizeof zero_inside - 1, "a 0 inside");
	memset(huge, 'x', sizeof huge);
	check_refused(huge, sizeof huge, "five thousand letters");
	memcpy(huge, "hello ", 6);
	check_refused(huge, sizeof huge, "hello and then letters");
	check_refused(huge, GREETING_SIZE - 1, "of the largest size that is looked at");
	check_refused(huge, GREETING_SIZE, "and one more");
	memset(huge, ' ', sizeof huge);
	memcpy(huge, LINE, strlen(LINE));
	check_refused(huge, sizeof huge, "a greeting in front of blanks");
	memset(huge, '1', sizeof huge);
	memcpy(huge, "hello 127.0.0.1:41234 from 127.0.0.1:3306 connection 1", 54);
	huge[sizeof huge - 1] = '\n';
	check_refused(huge, sizeof huge, "an endless number");
}

int main(void)
{
	test_lines();
	test_longest();
	test_malformed();
	test_each_byte();
	test_bytes();
	return tap_done();
}
