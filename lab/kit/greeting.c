/* greeting.c - see greeting.h. */
#include "kit/greeting.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *unit_of(enum transport transport)
{
	return transport == TRANSPORT_UDP ? "datagram" : "connection";
}

int greeting_format(const struct greeting *greeting, char line[GREETING_SIZE])
{
	char client[ENDPOINT_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
	struct endpoint client_end = endpoint_without_zone(&greeting->client);
	struct endpoint server_end = endpoint_without_zone(&greeting->server);

	/* Twice ENDPOINT_TEXT_SIZE and all else fit; a busy server writes many of these. */
	char *end = stpcpy(line, "hello ");
	end = stpcpy(end, endpoint_format(&client_end, client));
	end = stpcpy(end, " from ");
	end = stpcpy(end, endpoint_format(&server_end, server));
	end +=
	    snprintf(end, 32, " %s %" PRIu32 "\n", unit_of(greeting->transport), greeting->number);
	return (int)(end - line);
}

int greeting_parse(const char *line, size_t length, struct greeting *greeting)
{
	char copy[GREETING_SIZE], again[GREETING_SIZE];
	enum { HELLO, CLIENT, FROM, SERVER, UNIT, NUMBER, WORDS };
	char *words[WORDS], *rest = copy;
	struct greeting read;

	if (length >= sizeof copy || memchr(line, '\0', length) != NULL)
		return -1;
	memcpy(copy, line, length);
	copy[length] = '\0';
	for (int i = 0; i < WORDS; i++) {
		words[i] = rest;
		rest += strcspn(rest, " ");
		if (i < NUMBER && *rest == '\0')
			return -1;
		*rest++ = '\0';
	}
	if (endpoint_parse(words[CLIENT], &read.client) == -1 ||
	    endpoint_parse(words[SERVER], &read.server) == -1)
		return -1;
	read.transport =
	    strcmp(words[UNIT], unit_of(TRANSPORT_UDP)) == 0 ? TRANSPORT_UDP : TRANSPORT_TCP;
	unsigned long long number = strtoull(words[NUMBER], NULL, 10);
	if (number == 0 || number > UINT32_MAX)
		return -1;
	read.number = (uint32_t)number;
	/* Exactly the line that the server would write: one spelling, nothing before or after. */
	if ((size_t)greeting_format(&read, again) != length || memcmp(again, line, length) != 0)
		return -1;
	*greeting = read;
	return 0;
}
