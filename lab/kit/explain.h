/*
 * explain.h - a call that failed, explained for this machine: what was tried, what the
 * kernel said, why (asked from the machine now, not assumed), and what to try.
 *
 * The reasons are one table, by call and errno; POSIX and tcp(7), ip(7) are its source.
 */
#ifndef PORTLAB_EXPLAIN_H
#define PORTLAB_EXPLAIN_H

#include "kit/endpoint.h"

#include <stdint.h>

struct failure {
	const char *call; /* "bind": the system call that failed */
	int error;        /* its errno; 0: it succeeded, and yet is no success */
	enum transport transport;
	struct endpoint local;    /* what was to be bound, or the socket's own name */
	struct endpoint peer;     /* what was to be reached */
	bool reuseaddr;           /* SO_REUSEADDR was set */
	bool reuseport;           /* SO_REUSEPORT was set */
	bool own_port;            /* client: the source port was chosen by its user */
	int64_t waited_ms;        /* how long, where a time limit was the end; else 0 */
	uint32_t id;              /* number of the connection; 0: none */
	const char *name;         /* the host or user that it was about, or NULL */
	const char *reason;       /* getaddrinfo's error has words of its own, no errno */
	const char *program_path; /* argv[0], for commands to try */
};

#define EXPLANATION_TRIES 4

struct explanation {
	char headline[256]; /* without the program's name */
	char why[1200];     /* sentences; empty where nothing is known beyond the errno */
	struct
	try {
		char command[240]; /* what to type; empty: a remark only */
		char what[80];     /* what that does */
	}
	tries[EXPLANATION_TRIES];
	int try_count;
};

/* Fills *explanation, asking this machine. */
void explain(const struct failure *failure, struct explanation *explanation);

/*
 * Explains on standard error, in three parts: the headline, "why", "try". With --json an
 * "error" event goes to standard output too, and standard error gets the headline only.
 */
void explain_report(const struct failure *failure);

/* The name of an errno, "EACCES"; of an unknown one "errno 123". Static or `text`. */
const char *errno_name(int error, char text[24]);

#endif
