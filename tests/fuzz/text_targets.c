/* text_targets.c - words, lines and numbers: what people type and servers say. */
#include "support.h"
#include "targets.h"

#include "kit/endpoint.h"
#include "kit/greeting.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/port.h"
#include "kit/registry.h"
#include "kit/text.h"
#include "kit/waiting.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void fuzz_port(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length), reason[PORT_REASON_SIZE];
	uint16_t port = 4711;
	int64_t milliseconds;

	if (port_number_parse(text, &port, reason) == 0) {
		must(strtol(text, NULL, 10) == port);
		must(strspn(text, "0123456789") == strlen(text));
	} else {
		must(reason[0] != '\0' && port == 4711);
	}
	if (seconds_parse(text, 86400, &milliseconds) == 0)
		must(milliseconds >= 0 && milliseconds <= 86400 * 1000);
	free(text);
}

/* ---- the registry, and the services database ---- */

static bool has(const struct registry_entry *entry, enum transport transport)
{
	return (entry->transports & (transport == TRANSPORT_UDP ? REGISTRY_UDP : REGISTRY_TCP)) !=
	       0;
}

/* The first entry of each port, found by going through all of them, once. */
static const struct registry_entry *first_entry(uint16_t port, enum transport transport)
{
	static const struct registry_entry *first[2][65536];
	static bool made;
	size_t count;
	const struct registry_entry *entries = registry_entries(&count);

	for (size_t i = 0; i < count && !made; i++)
		for (int kind = TRANSPORT_TCP; kind <= TRANSPORT_UDP; kind++)
			for (unsigned at = entries[i].first;
			     at <= entries[i].last && has(&entries[i], (enum transport)kind); at++)
				if (first[kind][at] == NULL)
					first[kind][at] = &entries[i];
	made = true;
	return first[transport][port];
}

static void check_name(const char *name, enum transport transport)
{
	const struct registry_entry *entry = registry_find_name(name, transport);
	char reason[PORT_REASON_SIZE] = "";
	uint16_t port = 4711;

	if (entry != NULL)
		must(strcasecmp(entry->name, name) == 0 && strcmp(name, "-") != 0 &&
		     has(entry, transport));
	int result = port_parse(name, transport, &port, reason);
	must(result == 0 ||
	     (port == 4711 && reason[0] != '\0' && is_harmless(reason, strlen(reason))));
	/* Whatever the registry has a name for can be asked for by it: names have a letter. */
	must(entry == NULL || result == 0);
}

/* Two bytes are a port, the rest is a name. */
void fuzz_registry(const uint8_t *bytes, size_t length)
{
	struct input input = {bytes, length};
	unsigned high = input_byte(&input), low = input_byte(&input);
	uint16_t port = (uint16_t)(high << 8 | low);
	char *name = string_of(input.next, input.left), words[PORT_NAMES_SIZE];

	for (int kind = TRANSPORT_TCP; kind <= TRANSPORT_UDP; kind++) {
		enum transport transport = (enum transport)kind;
		const struct registry_entry *entry = registry_find(port, transport);
		must(entry == first_entry(port, transport));
		port_describe_names(port, transport, words);
		must(words[0] != '\0' && is_harmless(words, strlen(words)));
		check_name(name, transport);
		if (entry != NULL)
			check_name(entry->name, transport);
	}
	free(name);
}

/* ---- endpoints, greetings ---- */

void fuzz_endpoint(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length), again[ENDPOINT_TEXT_SIZE];
	struct endpoint endpoint;

	/* One spelling only: what was accepted is written the same way. */
	if (endpoint_parse(text, &endpoint) == 0)
		must(strcmp(endpoint_format(&endpoint, again), text) == 0);
	free(text);
}

void fuzz_greeting(const uint8_t *bytes, size_t length)
{
	char *line = string_of(bytes, length), again[GREETING_SIZE];
	struct greeting greeting;

	if (greeting_parse(line, length, &greeting) == 0) {
		must(greeting_format(&greeting, again) == (int)length);
		must(memcmp(line, again, length) == 0);
	}
	free(line);
}

/* ---- text from others on a terminal ---- */

void fuzz_text(const uint8_t *bytes, size_t length)
{
	char small[16], *large = malloc(length * 4 + 12), *copy = string_of(bytes, length);

	must(large != NULL);
	(void)text_escape(copy, length, small, sizeof small);
	must(strlen(small) < sizeof small && is_harmless(small, strlen(small)));
	(void)text_escape(copy, length, large, length * 4 + 12);
	must(is_harmless(large, strlen(large)) && strpbrk(large, "\n\t") == NULL);
	(void)text_make_safe(copy, length, large, length * 4 + 12);
	must(is_harmless(large, strlen(large)));
	/* Nothing but escapes is added, nothing is left out. */
	must(strlen(large) >= length);
	free(copy);
	free(large);
}

/* ---- JSON ---- */

/* The bytes there must be that character in UTF-8 (RFC 3629). Returns how many they are. */
static size_t utf8_of(unsigned long number, const unsigned char *bytes)
{
	must(number >= 0x80 && number <= 0xffff);
	if (number < 0x800) {
		must(bytes[0] == (0xc0 | number >> 6) && bytes[1] == (0x80 | (number & 0x3f)));
		return 2;
	}
	must(bytes[0] == (0xe0 | number >> 12) && bytes[1] == (0x80 | (number >> 6 & 0x3f)) &&
	     bytes[2] == (0x80 | (number & 0x3f)));
	return 3;
}

/* Reads back what json_add_string() wrote: the same bytes must come out. */
static void check_json_string(const char *json, const char *string)
{
	const unsigned char *was = (const unsigned char *)string;

	must(*json++ == '"');
	while (*json != '"') {
		if (json[0] == '\\' && json[1] == 'u') {
			char digits[5] = {json[2], json[3], json[4], json[5], '\0'};
			unsigned long number = strtoul(digits, NULL, 16);
			was += number == *was ? 1 : utf8_of(number, was); /* a stray byte, or a character */
			json += 6;
		} else {
			json += *json == '\\';
			must((unsigned char)*json++ == *was++);
		}
	}
	must(*was == '\0' && json[1] == '\0');
}

static void tell(void *argument)
{
	const char *text = argument;
	struct endpoint endpoint = endpoint_loopback(AF_INET6, 80);

	narrate_configure(&(struct narrate_options){.form = NARRATE_JSON});
	narrate(&(struct event){
	    .name = "error",
	    .id = 7,
	    .local = &endpoint,
	    .state = TCP_STATE_UNSEEN,
	    .class = port_class_of(80),
	    .facts = FACTS({"why", text, 0}, {"bytes", NULL, -1}),
	});
	narrate_configure(&(struct narrate_options){.form = NARRATE_TEXT});
}

void fuzz_json(const uint8_t *bytes, size_t length)
{
	char *string = string_of(bytes, length), *json = calloc(1, length * 6 + 3);
	size_t line_length;

	must(json != NULL);
	json_add_string(json, length * 6 + 3, string);
	must(json_is_valid(json, strlen(json)) && is_harmless(json, strlen(json)));
	check_json_string(json, string);
	/* An event is one line; what is told in it has been shortened to a few hundred bytes. */
	string[length < 500 ? length : 500] = '\0';
	char *line = output_of(1, tell, string, &line_length);
	must(json_is_valid(line, line_length) && is_harmless(line, line_length));
	must(line_length > 1 && strchr(line, '\n') == line + line_length - 1);
	free(line);
	free(json);
	free(string);
}

/* ---- the command line ---- */

struct command_line {
	int count;
	char *words[34];
	int status; /* -1: read to its end */
	long number;
	int64_t milliseconds;
	uint16_t port;
	enum narrate_color color;
};

static bool take_option(struct command_line *line, int option)
{
	switch (option) {
	case 'n':
		return options_number("-n", optarg, 1, 100000, &line->number);
	case 't':
		return options_seconds("-t", optarg, &line->milliseconds);
	case 'p':
		return options_port("-p", optarg, &line->port);
	case 'c':
		return options_color(optarg, &line->color);
	default:
		return option == 'q';
	}
}

static void read_command_line(void *argument)
{
	static const struct option long_options[] = {
	    {"count", required_argument, NULL, 'n'}, {"timeout", required_argument, NULL, 't'},
	    {"port", required_argument, NULL, 'p'},  {"color", required_argument, NULL, 'c'},
	    {"quiet", no_argument, NULL, 'q'},       {NULL, 0, NULL, 0},
	};
	struct command_line *line = argument;
	int option = -1;

	optind = 0; /* begin anew */
	while (line->status == -1 &&
	       (option = options_next(line->count, line->words, "+n:t:p:c:q", long_options)) != -1)
		if (option == '?' || !take_option(line, option))
			line->status = EXIT_USAGE;
}

/* Each line is a word. What is refused is said in one line, whatever was in it. */
void fuzz_options(const uint8_t *bytes, size_t length)
{
	char *text = string_of(bytes, length), *rest = NULL, program[] = "lab";
	struct command_line line = {.count = 1, .words = {program}, .status = -1, .number = 1};
	size_t said_length;

	for (char *word = strtok_r(text, "\n", &rest); word != NULL && line.count < 33;
	     word = strtok_r(NULL, "\n", &rest))
		line.words[line.count++] = word;
	char *said = output_of(2, read_command_line, &line, &said_length);
	if (line.status == -1)
		must(said_length == 0);
	else
		must(said_length > 1 && strchr(said, '\n') == said + said_length - 1);
	must(is_harmless(said, said_length) && strchr(said, '\t') == NULL);
	must(line.number >= 1 && line.number <= 100000);
	must(line.milliseconds >= 0 && line.milliseconds <= 86400 * 1000);
	must(line.color <= NARRATE_COLOR_NEVER);
	free(said);
	free(text);
}
