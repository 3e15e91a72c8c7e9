/* options.h - what the command line asks of the client. */
#ifndef PORTLAB_CLIENT_OPTIONS_H
#define PORTLAB_CLIENT_OPTIONS_H

#include "kit/endpoint.h"
#include "kit/narrate.h"

#include <stdbool.h>
#include <stdint.h>

enum { HOLD_UNTIL_ENTER = -1 };

struct options {
	const char *host; /* NULL: loopback */
	uint16_t port;
	enum transport transport;
	int family;    /* AF_UNSPEC, AF_INET or AF_INET6 */
	long count;    /* connections in all */
	long at_once;  /* open at the same time */
	bool own_port; /* --port was given; it may be 0 */
	uint16_t source_port;
	const char *source_address; /* or NULL */
	int64_t timeout_ms;         /* for connecting, and for each answer */
	bool hold;
	int64_t hold_ms;       /* or HOLD_UNTIL_ENTER */
	const char **messages; /* into argv; the array is the caller's to free() */
	int message_count;
	bool interactive, half_close, reset, plot;
	struct narrate_options narration;
	const char *program_path;
};

/*
 * Reads the command line. Returns -1 to go on, else the exit status to end with: 0 after
 * --help or --version, 2 after a mistake, which has been reported.
 */
int options_read(int argc, char **argv, struct options *options);

/* Whether every step is told: of a single connection, and always in JSON. */
bool options_detailed(const struct options *options);

#endif
