/*
 * check.h - whether "your turn" is done, decided from what the kernel's socket table and
 * settings say at this moment, never from what was typed: the directive "check". The forms
 * are listed in lab/exercises/README.md.
 *
 * Source: sock_diag(7), proc(5), by way of kit/socket_table.h.
 */
#ifndef PORTLAB_CHECK_H
#define PORTLAB_CHECK_H

#include "kit/endpoint.h"
#include "kit/tcp_state.h"
#include "runner/compare.h"

#include <stdbool.h>
#include <stddef.h>

enum check_attribute {
	CHECK_STATE,
	CHECK_LOCAL_PORT,
	CHECK_REMOTE_PORT,
	CHECK_LOCAL_ADDRESS,
	CHECK_REMOTE_ADDRESS,
	CHECK_PROGRAM,
	CHECK_CAPABILITY,
	CHECK_PROCESS, /* only to be distinct: nobody knows a pid before */
	CHECK_THREADS,
	CHECK_ATTRIBUTES
};

struct check_condition {
	enum check_attribute attribute;
	enum comparison comparison;
	char value[64];
};

enum { CHECK_CONDITIONS_MOST = 8 };

struct check {
	int line;         /* of the worksheet */
	bool secret;      /* what it looks for would be the solution of a riddle */
	char setting[64]; /* the setting's name; "" for a check of sockets */
	enum transport transport;
	struct check_condition conditions[CHECK_CONDITIONS_MOST];
	size_t condition_count;
	enum comparison comparison; /* with how many sockets there must be, or the setting */
	long number;
	enum check_attribute distinct; /* CHECK_ATTRIBUTES: not asked for */
	enum comparison distinct_comparison;
	long distinct_number;
	char next_step[320]; /* what to do where it fails */
};

/* Size for a reason in words. */
enum { CHECK_REASON_SIZE = 200 };

/* Reads the directive's text. Returns 0, or -1 with the reason. */
int check_parse(const char *text, struct check *check, char reason[CHECK_REASON_SIZE]);

struct check_result {
	bool passed;
	bool unseen;          /* this system does not show what must be looked at */
	char looked_for[400]; /* in words */
	char found[1200];     /* in words; may have several lines */
};

/* What it looks for, in words. */
void check_describe(const struct check *check, char *text, size_t size);

/* Looks, in the network in which this process is. */
void check_look(const struct check *check, struct check_result *result);

#endif
