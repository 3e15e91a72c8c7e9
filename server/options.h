/* options.h - what the command line asks of the server. */
#ifndef PORTLAB_SERVER_OPTIONS_H
#define PORTLAB_SERVER_OPTIONS_H

#include "kit/endpoint.h"
#include "kit/narrate.h"
#include "model.h"

#include <stdbool.h>
#include <stdint.h>

enum fault {
	FAULT_NONE,
	FAULT_NO_READ,
	FAULT_NO_ANSWER,
	FAULT_NO_CLOSE,
	FAULT_NO_ACCEPT,
	FAULT_RESET,
	FAULT_COUNT
};

struct options {
	uint16_t port;
	enum transport transport;
	const char *address; /* --bind, or NULL for loopback */
	int family;          /* AF_UNSPEC, AF_INET or AF_INET6 */
	const struct model *model;
	long backlog;
	bool reuseaddr, reuseport;
	const char *user; /* to become after binding, or NULL */
	long max_clients; /* 0: no limit */
	int64_t idle_ms;  /* 0: never */
	bool hang_up;
	enum fault fault;
	struct narrate_options narration;
	const char *program_path; /* argv[0] */
};

/*
 * Reads the command line. Returns -1 to go on, else the exit status to end with: 0 after
 * --help or --version, 2 after a mistake, which has been reported.
 */
int options_read(int argc, char **argv, struct options *options);

#endif
