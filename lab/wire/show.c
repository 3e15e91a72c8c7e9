/* show.c - see show.h. */
#include "wire/show.h"

#include "instruments/print.h"
#include "kit/narrate.h"
#include "kit/text.h"

#include <stdio.h>
#include <string.h>

/* ---- as lines ---- */

static void format_checksum(const struct segment *segment, char *text, size_t size)
{
	enum checksum_verdict verdict = segment_verdict(segment);

	text[0] = '\0';
	text_add(text, size, "checksum 0x%04x: %s", segment->checksum,
	         checksum_verdict_words(verdict));
	if (verdict != CHECKSUM_GOOD)
		text_add(text, size, ", 0x%04x would be right", segment_checksum(segment));
}

void show_lines(double seconds, const struct segment *segment, const struct told *told)
{
	char flags[FLAGS_TEXT_SIZE], checksum[80], numbers[64] = "", ports[24];

	text_add(numbers, sizeof numbers, "seq %lu", (unsigned long)told->relative_sequence);
	if (segment->flags & SEGMENT_ACK)
		text_add(numbers, sizeof numbers, "  ack %lu",
		         (unsigned long)told->relative_acknowledgement);
	snprintf(ports, sizeof ports, "%u -> %u", endpoint_port(&segment->source),
	         endpoint_port(&segment->destination));
	print("%9.6f  %-14s  %-11s  %-18s  %zu byte%s\n", seconds, ports,
	      segment_flags(segment->flags, flags), numbers, segment->data_length,
	      segment->data_length == 1 ? "" : "s");
	print("           %s\n", told->words);
	format_checksum(segment, checksum, sizeof checksum);
	numbers[0] = '\0';
	text_add(numbers, sizeof numbers, "seq %lu", (unsigned long)segment->sequence);
	if (segment->flags & SEGMENT_ACK)
		text_add(numbers, sizeof numbers, " ack %lu", (unsigned long)segment->acknowledgement);
	print("           absolute %s, window %ld\n", numbers, told->window);
	print("           %s\n", checksum);
}

/* ---- as an arrow ---- */

enum { ARROW_COLUMNS = 44 };

void show_arrow_heading(void)
{
	print("The states are what the rules of RFC 9293 make of the segments.\n\n");
}

static void format_label(const struct segment *segment, const struct told *told, char *label,
                         size_t size)
{
	char flags[FLAGS_TEXT_SIZE];

	label[0] = '\0';
	text_add(label, size, "%s seq %lu", segment_flags(segment->flags, flags),
	         (unsigned long)told->relative_sequence);
	if (segment->flags & SEGMENT_ACK)
		text_add(label, size, " ack %lu", (unsigned long)told->relative_acknowledgement);
	if (segment->data_length > 0)
		text_add(label, size, " %zu bytes", segment->data_length);
}

void show_arrow(const struct segment *segment, const struct told *told)
{
	const struct wire_side *sides = told->connection->sides;
	char label[64], shaft[ARROW_COLUMNS + 1];

	if (told->relative_sequence == 0 && told->from == 0 && (segment->flags & SEGMENT_SYN))
		print("%11s %-5u %*s %5u\n", "", endpoint_port(&sides[0].endpoint), ARROW_COLUMNS - 10,
		      "", endpoint_port(&sides[1].endpoint));
	format_label(segment, told, label, sizeof label);
	size_t length = strlen(label);
	if (length > ARROW_COLUMNS - 4)
		length = ARROW_COLUMNS - 4;
	memset(shaft, '-', ARROW_COLUMNS);
	shaft[ARROW_COLUMNS] = '\0';
	shaft[told->from == 0 ? ARROW_COLUMNS - 1 : 0] = told->from == 0 ? '>' : '<';
	size_t at = (ARROW_COLUMNS - length) / 2;
	memcpy(shaft + at, label, length);
	shaft[at - 1] = shaft[at + length] = ' ';
	print("%-11s |%s| %s\n", tcp_state_name(sides[0].state), shaft,
	      tcp_state_name(sides[1].state));
}

/* ---- field by field ---- */

static void print_bits(const char *name, unsigned long value, int bits, const char *meaning)
{
	char text[48];
	size_t used = 0;

	for (int i = bits - 1; i >= 0; i--) {
		text[used++] = value >> i & 1 ? '1' : '0';
		if (i % 8 == 0 && i > 0)
			text[used++] = ' ';
	}
	text[used] = '\0';
	print("  %-17s %-36s %10lu  %s\n", name, text, value, meaning);
}

void show_header(const struct segment *segment)
{
	char flags[FLAGS_TEXT_SIZE];

	print("  field             bits                                      number\n");
	print_bits("source port", endpoint_port(&segment->source), 16, "");
	print_bits("destination port", endpoint_port(&segment->destination), 16, "");
	print_bits("sequence", segment->sequence, 32, "");
	print_bits("acknowledgement", segment->acknowledgement, 32, "");
	print_bits("header length", segment->header_length / 4, 4, "words");
	print_bits("flags", segment->flags, 6, segment_flags(segment->flags, flags));
	print_bits("window", segment->window, 16, "");
	print_bits("checksum", segment->checksum, 16,
	           segment_verdict(segment) == CHECKSUM_LEFT
	               ? "left"
	               : checksum_verdict_words(segment_verdict(segment)));
	print_bits("urgent pointer", segment->urgent, 16, "");
	print("  %-17s %zu bytes\n", "options", segment->header_length - 20);
	print("  %-17s %zu bytes\n", "data", segment->data_length);
}

/* ---- as a sum ---- */

enum { WORDS_SHOWN = 24 };

/* Adds bytes word by word, a line each. Returns the sum. */
static uint32_t show_words(uint32_t sum, const uint8_t *bytes, size_t length, const char *what)
{
	size_t words = (length + 1) / 2;

	for (size_t i = 0; i < words; i++) {
		uint8_t pair[2] = {bytes[i * 2], i * 2 + 1 < length ? bytes[i * 2 + 1] : 0};
		unsigned word = (unsigned)(pair[0] << 8 | pair[1]);
		uint32_t before = sum;
		sum = sum_add(sum, pair, 2);
		if (i < WORDS_SHOWN)
			print("  %-16s  0x%04x   sum 0x%04lx%s\n", i == 0 ? what : "", word,
			      (unsigned long)sum, before + word > 0xffff ? "   (1 carried round)" : "");
		else if (i == WORDS_SHOWN)
			print("  %-16s  ... and %zu words more\n", "", words - WORDS_SHOWN);
	}
	return sum;
}

static uint32_t show_address(uint32_t sum, const struct endpoint *endpoint, const char *what)
{
	if (endpoint_family(endpoint) == AF_INET)
		return show_words(sum, (const uint8_t *)&endpoint->address.in4.sin_addr, 4, what);
	return show_words(sum, (const uint8_t *)&endpoint->address.in6.sin6_addr, 16, what);
}

void show_checksum(const struct segment *segment)
{
	size_t length = segment->header_length + segment->data_length;
	uint8_t rest[4] = {0, 6, (uint8_t)(length >> 8), (uint8_t)length};
	uint8_t header[64];
	char checksum[80];
	uint32_t sum = 0;

	print(
	    "All 16-bit words are added; what goes over 16 bits is carried round to the right.\n");
	sum = show_address(sum, &segment->source, "source address");
	sum = show_address(sum, &segment->destination, "destination");
	sum = show_words(sum, rest, 4, "TCP, length");
	memcpy(header, segment->header, segment->header_length);
	header[16] = header[17] = 0; /* the checksum itself counts as 0 */
	sum = show_words(sum, header, segment->header_length, "header");
	sum = show_words(sum, segment->data, segment->data_length, "data");
	print("  every bit turned:  checksum 0x%04x\n", (unsigned)(uint16_t)~sum_fold(sum));
	format_checksum(segment, checksum, sizeof checksum);
	print("  in the segment:    %s\n", checksum);
}

/* ---- as JSON ---- */

void show_json(double seconds, const struct segment *segment, const struct told *told)
{
	char flags[FLAGS_TEXT_SIZE], source[ENDPOINT_TEXT_SIZE], destination[ENDPOINT_TEXT_SIZE];
	enum checksum_verdict verdict = segment_verdict(segment);
	static const char *const verdicts[] = {"good", "wrong", "left"};

	narrate(&(struct event){
	    .name = "segment",
	    .id = told->connection->number,
	    .facts = FACTS({"microseconds", NULL, (long long)(seconds * 1e6 + 0.5)},
	                   {"source", endpoint_format(&segment->source, source), 0},
	                   {"destination", endpoint_format(&segment->destination, destination), 0},
	                   {"flags", segment_flags(segment->flags, flags), 0},
	                   {"sequence", NULL, segment->sequence},
	                   {"relative_sequence", NULL, told->relative_sequence},
	                   {"acknowledgement", NULL, segment->acknowledgement},
	                   {"relative_acknowledgement", NULL, told->relative_acknowledgement},
	                   {"window", NULL, told->window},
	                   {"length", NULL, (long long)segment->data_length},
	                   {"checksum", NULL, segment->checksum},
	                   {"checksum_right", NULL, segment_checksum(segment)},
	                   {"verdict", verdicts[verdict], 0}, {"words", told->words, 0}),
	});
}
