/* targets.c - see targets.h. */
#include "targets.h"

#include "kit/endpoint.h"
#include "kit/greeting.h"
#include "kit/port.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "runner/check.h"
#include "runner/expectation.h"
#include "runner/match.h"
#include "runner/worksheet.h"
#include "wire/conversation.h"
#include "wire/segment.h"
#include "wire/small_tcp.h"

#include <stdlib.h>
#include <string.h>

/* What was read wrongly must not go on unseen. */
static void must(int holds)
{
	if (!holds)
		abort();
}

/* A string of exactly that size, so that a byte too many is found. */
static char *string_of(const uint8_t *bytes, size_t length)
{
	char *text = malloc(length + 1);

	must(text != NULL);
	memcpy(text, bytes, length);
	text[length] = '\0';
	return text;
}

static void run_port(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length), reason[PORT_REASON_SIZE];
	uint16_t port = 0;
	int64_t milliseconds;

	if (port_number_parse(text, &port, reason) == 0)
		must(strtol(text, NULL, 10) == port);
	else
		must(reason[0] != '\0');
	(void)port_parse(text, TRANSPORT_TCP, &port, reason);
	if (seconds_parse(text, 86400, &milliseconds) == 0)
		must(milliseconds >= 0 && milliseconds <= 86400 * 1000);
	free(text);
}

static void run_endpoint(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length), again[ENDPOINT_TEXT_SIZE];
	struct endpoint endpoint;

	/* One spelling only: what was accepted is written the same way. */
	if (endpoint_parse(text, &endpoint) == 0)
		must(strcmp(endpoint_format(&endpoint, again), text) == 0);
	free(text);
}

static void run_greeting(const uint8_t *bytes, size_t length)
{
	char *line = string_of(bytes, length), again[GREETING_SIZE];
	struct greeting greeting;

	if (greeting_parse(line, length, &greeting) == 0) {
		must(greeting_format(&greeting, again) == (int)length);
		must(memcmp(line, again, length) == 0);
	}
	free(line);
}

static void run_text(const uint8_t *bytes, size_t length)
{
	char small[16], *large = malloc(length * 4 + 12);

	must(large != NULL);
	(void)text_escape(bytes, length, small, sizeof small);
	must(strlen(small) < sizeof small);
	(void)text_make_safe(bytes, length, large, length * 4 + 12);
	for (const char *at = large; *at != '\0'; at++)
		must((unsigned char)*at >= ' ' || *at == '\n' || *at == '\t');
	free(large);
}

static void run_worksheet(const uint8_t *bytes, size_t length)
{
	struct worksheet_error error;
	struct worksheet *worksheet =
	    worksheet_parse((const char *)bytes, length, "lab/exercises/05-x.md", &error);

	must(worksheet != NULL || error.words[0] != '\0');
	worksheet_free(worksheet);
}

/* The first line is the pattern, the others are what appeared. */
static void run_match(const uint8_t *bytes, size_t length)
{
	enum { LINES_MOST = 64 };
	char *text = string_of(bytes, length), *rest = NULL;
	const char *patterns[LINES_MOST], *lines[LINES_MOST];
	size_t pattern_count = 0, line_count = 0;
	struct captures *captures = calloc(1, sizeof *captures);
	struct match_result result;

	must(captures != NULL);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] == '|' && pattern_count < LINES_MOST)
			patterns[pattern_count++] = line + 1;
		else if (line_count < LINES_MOST)
			lines[line_count++] = line;
	}
	if (match_lines(patterns, pattern_count, lines, line_count, captures, &result))
		must(result.used <= line_count);
	free(captures);
	free(text);
}

static long count_nothing(void *argument, char terminal, const char *pattern)
{
	(void)argument;
	(void)terminal;
	(void)pattern;
	return 3;
}

static void run_directive(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length), reason[EXPECTATION_REASON_SIZE] = "";
	char check_reason[CHECK_REASON_SIZE] = "", words[400] = "";
	struct captures *captures = calloc(1, sizeof *captures);
	struct check check;

	must(captures != NULL);
	if (check_parse(text, &check, check_reason) == 0)
		check_describe(&check, words, sizeof words);
	else
		must(check_reason[0] != '\0');
	if (expectation_is_valid(text, reason))
		(void)expectation_holds(text, captures, count_nothing, NULL, reason);
	else
		must(reason[0] != '\0');
	free(captures);
	free(text);
}

static void ignore_segment(void *argument, const struct segment *segment, bool again)
{
	uint8_t packet[SEGMENT_SIZE_MOST];

	(void)argument;
	(void)again;
	must(segment_build(segment, 0, packet) > 0);
}

/* A packet, and what both those who watch it and those who answer it make of it. */
static void run_segment(const uint8_t *bytes, size_t length)
{
	static struct conversations conversations;
	static struct small_tcp tcp;
	uint8_t *packet = malloc(length + 1);
	struct segment segment;
	struct told told;

	must(packet != NULL);
	memcpy(packet, bytes, length);
	if (segment_decode(packet, length, &segment) == 0) {
		must(segment.header_length + segment.data_length <= length);
		(void)segment_verdict(&segment);
		conversations_take(&conversations, &segment, &told);
		if (endpoint_family(&segment.source) == AF_INET) {
			if (tcp.local.length == 0)
				small_tcp_listen(&tcp, &segment.destination);
			small_tcp_take(&tcp, &segment, 1000, ignore_segment, NULL);
			small_tcp_tick(&tcp, 100000, ignore_segment, NULL);
		}
	}
	free(packet);
}

const struct fuzz_target fuzz_targets[] = {
    {"port", run_port},           {"endpoint", run_endpoint},   {"greeting", run_greeting},
    {"text", run_text},           {"worksheet", run_worksheet}, {"match", run_match},
    {"directive", run_directive}, {"segment", run_segment},
};

const size_t fuzz_target_count = sizeof fuzz_targets / sizeof fuzz_targets[0];
