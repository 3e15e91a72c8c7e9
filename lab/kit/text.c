/* text.c - see text.h. */
#include "kit/text.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

/* \n and the like by name. Returns the bytes it was, 0 where it has no such name. */
static size_t escape_by_name(const unsigned char *bytes, char form[12])
{
	static const char names[][3] = {"\n\\n", "\r\\r", "\t\\t", "\"\\\"", "\\\\\\"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (bytes[0] == (unsigned char)names[i][0]) {
			snprintf(form, 12, "%.2s", names[i] + 1);
			return 1;
		}
	return 0;
}

/*
 * Characters that print nothing and yet change how what follows is read or drawn: soft
 * hyphen, zero-width ones, and those that turn the direction of writing (Unicode UAX 9).
 */
static bool is_invisible(uint32_t character)
{
	return character == 0x00ad || character == 0x061c || character == 0xfeff ||
	       (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x206f);
}

bool text_steers(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
	       is_invisible(character);
}

uint32_t text_utf8(const void *bytes, size_t *length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *next = bytes;
	size_t count = next[0] < 0x80   ? 1
	               : next[0] < 0xc2 ? 0
	               : next[0] < 0xe0 ? 2
	               : next[0] < 0xf0 ? 3
	               : next[0] < 0xf5 ? 4
	                                : 0;
	uint32_t character = count == 1 ? next[0] : next[0] & (0xffU >> (count + 1));

	*length = 0;
	for (size_t i = 1; i < count; i++) {
		if ((next[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (next[i] & 0x3fU);
	}
	/* Too long a form, a surrogate, or beyond the last character. */
	if (count == 0 || character < least[count] || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*length = count;
	return character;
}

/* A printable character as it is, anything else as \xHH. Returns the bytes it was. */
static size_t escape_one(const unsigned char *bytes, size_t length, char form[12])
{
	mbstate_t state;
	wchar_t wide;

	memset(&state, 0, sizeof state);
	size_t used = mbrtowc(&wide, (const char *)bytes, length, &state);
	if (used >= 1 && used <= 6 && iswprint((wint_t)wide) && !is_invisible((uint32_t)wide)) {
		memcpy(form, bytes, used);
		form[used] = '\0';
		return used;
	}
	snprintf(form, 12, "\\x%02x", bytes[0]);
	return 1;
}

char *text_escape(const void *bytes, size_t length, char *text, size_t size)
{
	const unsigned char *next = bytes;
	size_t end = 0, dots = 0; /* dots: the last place where "..." would still fit */

	while (length > 0) {
		char form[12];
		size_t used = escape_by_name(next, form);
		if (used == 0)
			used = escape_one(next, length, form);
		if (end + 4 <= size)
			dots = end;
		if (end + strlen(form) + 1 > size) {
			snprintf(text + dots, size - dots, "...");
			return text;
		}
		memcpy(text + end, form, strlen(form));
		end += strlen(form);
		next += used;
		length -= used;
	}
	text[end] = '\0';
	return text;
}

char *text_make_safe(const void *bytes, size_t length, char *text, size_t size)
{
	const unsigned char *next = bytes;
	size_t end = 0;

	while (length > 0 && end + 12 <= size) {
		char form[12] = {(char)*next, '\0'};
		size_t used = *next == '\n' || *next == '\t' ? 1 : escape_one(next, length, form);
		memcpy(text + end, form, strlen(form));
		end += strlen(form);
		next += used;
		length -= used;
	}
	text[end] = '\0';
	return text;
}

bool text_is_utf8(void)
{
	return strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

size_t text_columns(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80; /* not inside a character */
	return columns;
}

void text_add(char *text, size_t size, const char *format, ...)
{
	size_t end = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text + end, size - end, format, arguments); /* cut is documented */
	va_end(arguments);
}

void text_add_word(char *text, size_t size, const char *word, size_t columns)
{
	size_t end = strlen(text), length = strlen(word), used = text_columns(word);

	if (length > size - end - 1)
		length = size - end - 1;
	memcpy(text + end, word, length);
	end += length;
	while (used++ < columns && end + 1 < size)
		text[end++] = ' ';
	text[end] = '\0';
}
