/* support.c - see support.h. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t *bytes_of(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);

	must(copy != NULL);
	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

char *string_of(const uint8_t *bytes, size_t length)
{
	char *text = malloc(length + 1);

	must(text != NULL);
	if (length > 0)
		memcpy(text, bytes, length);
	text[length] = '\0';
	return text;
}

/* ---- an input in pieces ---- */

uint8_t input_byte(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->next++;
}

uint32_t input_word(struct input *input)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word = word << 8 | input_byte(input);
	return word;
}

const uint8_t *input_bytes(struct input *input, size_t most, size_t *length)
{
	const uint8_t *bytes = input->next;

	*length = most < input->left ? most : input->left;
	input->next += *length;
	input->left -= *length;
	return bytes;
}

/* ---- what was written ---- */

char *output_of(int fd, void (*run)(void *argument), void *argument, size_t *length)
{
	static FILE *files[3];

	if (files[fd] == NULL)
		files[fd] = tmpfile();
	must(files[fd] != NULL && fflush(stdout) == 0);
	int kept = dup(fd), to = fileno(files[fd]);
	must(kept != -1 && ftruncate(to, 0) == 0 && lseek(to, 0, SEEK_SET) == 0);
	must(dup2(to, fd) == fd);
	run(argument);
	must(fflush(stdout) == 0 && dup2(kept, fd) == fd && close(kept) == 0);
	off_t end = lseek(to, 0, SEEK_CUR);
	must(end >= 0);
	char *text = malloc((size_t)end + 1);
	must(text != NULL && pread(to, text, (size_t)end, 0) == end);
	text[end] = '\0';
	*length = (size_t)end;
	return text;
}

bool is_harmless(const char *text, size_t length)
{
	const unsigned char *byte = (const unsigned char *)text;

	for (size_t i = 0; i < length; i++) {
		bool encoded = byte[i] == 0xc2 && i + 1 < length && byte[i + 1] >= 0x80;
		if ((byte[i] < ' ' && byte[i] != '\n' && byte[i] != '\t') || byte[i] == 0x7f ||
		    (encoded && byte[i + 1] < 0xa0))
			return false;
	}
	return true;
}

/* ---- JSON: each function moves *at behind what it read, or returns false ---- */

struct json {
	const unsigned char *at, *end;
	int depth;
};

static bool json_value(struct json *json);

static bool take(struct json *json, char c)
{
	if (json->at == json->end || *json->at != (unsigned char)c)
		return false;
	json->at++;
	return true;
}

static bool take_word(struct json *json, const char *word)
{
	while (*word != '\0')
		if (!take(json, *word++))
			return false;
	return true;
}

static void skip_blanks(struct json *json)
{
	while (take(json, ' ') || take(json, '\t') || take(json, '\n') || take(json, '\r'))
		continue;
}

static bool digits(struct json *json)
{
	const unsigned char *begin = json->at;

	while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
		json->at++;
	return json->at > begin;
}

static bool json_number(struct json *json)
{
	(void)take(json, '-');
	if (!take(json, '0') && !digits(json))
		return false;
	if (take(json, '.') && !digits(json))
		return false;
	if (take(json, 'e') || take(json, 'E')) {
		if (!take(json, '+'))
			(void)take(json, '-');
		return digits(json);
	}
	return true;
}

static bool json_escape(struct json *json)
{
	if (take(json, 'u')) {
		for (int i = 0; i < 4; i++, json->at++)
			if (json->at == json->end || strchr("0123456789abcdefABCDEF", *json->at) == NULL ||
			    *json->at == '\0')
				return false;
		return true;
	}
	return json->at < json->end && *json->at != '\0' &&
	       strchr("\"\\/bfnrt", *json->at++) != NULL;
}

/* One character of UTF-8 beyond ASCII, by its number (RFC 3629). */
static bool utf8_character(struct json *json)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = *json->at++;
	int count = first >= 0xf8   ? 0
	            : first >= 0xf0 ? 4
	            : first >= 0xe0 ? 3
	            : first >= 0xc0 ? 2
	                            : 0;

	if (count == 0)
		return false;
	uint32_t number = first & (0xffU >> (count + 1));
	for (int i = 1; i < count; i++, json->at++) {
		if (json->at == json->end || (*json->at & 0xc0) != 0x80)
			return false;
		number = number << 6 | (*json->at & 0x3f);
	}
	return number >= least[count] && number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);
}

static bool json_string(struct json *json)
{
	if (!take(json, '"'))
		return false;
	while (json->at < json->end && *json->at != '"') {
		if (*json->at < ' ')
			return false;
		if (*json->at >= 0x80) {
			if (!utf8_character(json))
				return false;
		} else if (*json->at++ == '\\' && !json_escape(json)) {
			return false;
		}
	}
	return take(json, '"');
}

/* The members of an object or array, up to its end. */
static bool json_members(struct json *json, bool named, char end)
{
	skip_blanks(json);
	if (take(json, end))
		return true;
	do {
		skip_blanks(json);
		if (named && !json_string(json))
			return false;
		skip_blanks(json);
		if (named && !take(json, ':'))
			return false;
		if (!json_value(json))
			return false;
		skip_blanks(json);
	} while (take(json, ','));
	return take(json, end);
}

static bool json_value(struct json *json)
{
	bool valid = false;

	skip_blanks(json);
	if (json->at == json->end || ++json->depth > 32)
		return false;
	if (*json->at == '"')
		valid = json_string(json);
	else if (take(json, '{'))
		valid = json_members(json, true, '}');
	else if (take(json, '['))
		valid = json_members(json, false, ']');
	else if (*json->at == 't' || *json->at == 'f' || *json->at == 'n')
		valid = take_word(json, *json->at == 't'   ? "true"
		                        : *json->at == 'f' ? "false"
		                                           : "null");
	else
		valid = json_number(json);
	json->depth--;
	return valid;
}

bool json_is_valid(const char *text, size_t length)
{
	struct json json = {(const unsigned char *)text, (const unsigned char *)text + length, 0};

	if (!json_value(&json))
		return false;
	skip_blanks(&json);
	return json.at == json.end;
}
