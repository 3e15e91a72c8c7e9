/*
 * narrate.h - what happens, told while it happens: one event is one line of text, or one
 * JSON object on one line (--json). The same events in every program of the suite.
 *
 * In text a line has five columns: verb, connection, what happened, the state as the
 * kernel reported it, a note. It fits 80 columns, except where long IPv6 addresses do not.
 * Only the name of a state is coloured, and only on a terminal.
 *
 * Each event leaves in a single write, so that lines of several processes or threads that
 * share a terminal do not mix.
 */
#ifndef PORTLAB_NARRATE_H
#define PORTLAB_NARRATE_H

#include "kit/endpoint.h"
#include "kit/tcp_state.h"

#include <stdbool.h>
#include <stdint.h>

enum narrate_form { NARRATE_TEXT, NARRATE_JSON };
enum narrate_color { NARRATE_COLOR_AUTO, NARRATE_COLOR_ALWAYS, NARRATE_COLOR_NEVER };

struct narrate_options {
	enum narrate_form form;
	enum narrate_color color;
	bool quiet; /* only events marked `always` */
};

/* A further key of the JSON object. With text NULL the value is the number. */
struct fact {
	const char *key;
	const char *text;
	long long number;
};

/* Facts for an event: FACTS({"fd", NULL, 3}, {"user", "nobody", 0}). */
#define FACTS(...) ((const struct fact[]){__VA_ARGS__, {NULL, NULL, 0}})

struct event {
	const char *name; /* the verb, and the value of JSON's "event" */
	uint32_t id;      /* number of the connection; 0: none */
	const char *text; /* for people: what happened */
	const char *note; /* for people: last column, at most 14 characters */
	const struct endpoint *local, *peer;
	enum tcp_state state;           /* NONE: this event has no state */
	const struct port_class *class; /* of the port that this is about */
	const struct fact *facts;       /* ends with a NULL key */
	bool always;                    /* told even with --quiet */
	bool headline;                  /* text starts at the left margin */
};

/*
 * First thing in main(): makes standard output line-buffered, sees to it that descriptors
 * 0 to 2 are taken (so that no socket can be mistaken for standard output), ignores
 * SIGPIPE (a vanished reader is an error of write(), reported as such) and takes over the
 * locale's character set.
 */
void narrate_prepare(void);

/*
 * From now on blocks of lines are written instead of each line: for a program that prints a
 * table and ends, and for a loop that calls narrate_finish() whenever it is about to wait.
 * For one thread only.
 */
void narrate_in_blocks(bool blocks);

/* After the options are known. */
void narrate_configure(const struct narrate_options *options);

/* Tells less, or again what was asked for: between many events that a person would not read. */
void narrate_hush(bool hushed);

/* "auto", "always" or "never". Returns 0, or -1 where it is none of them. */
int narrate_color_parse(const char *text, enum narrate_color *color);

bool narrate_is_json(void);

/*
 * Whether anybody is told this event; the caller may spare itself the questions to the
 * kernel if not.
 */
bool narrate_wanted(bool always);

void narrate(const struct event *event);

/* A further line of the event before, for people only; printf-like. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void narrate_detail(const char *format, ...);

/* The first line of a program, for people only, at the left margin; printf-like. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void narrate_title(const char *format, ...);

/*
 * First of all: which port this is about, its class and its names. Two lines at the left
 * margin, or a "port" event.
 */
void narrate_port(uint16_t port, enum transport transport);

/*
 * Bytes that are the result itself (received data, a picture) to standard output, as they
 * are. Returns 0, or -1 where they could not be written.
 */
int narrate_raw(const void *bytes, size_t length);

/*
 * The same for bytes that come from somebody else: to a file or pipe as they are, to a
 * terminal with everything escaped that could steer it. Written out at once.
 */
int narrate_foreign(const void *bytes, size_t length);

/*
 * Where standard output cannot be written any more (disk full, pipe closed) this is said
 * once on standard error, nothing further is written, and `when` is called, if set.
 */
void narrate_on_failure(void (*when)(void));
bool narrate_failed(void);

/* Writes out what is buffered. Returns 0, or -1 where output failed at any time. */
int narrate_finish(void);

/* The name that messages on standard error begin with: "server", "client", "lab". */
void narrate_set_program(const char *name);
const char *narrate_program(void);

/* One line on standard error: "server: ...". printf-like, without a newline. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void complain(const char *format, ...);

/* Whether text on standard error is coloured. */
bool narrate_colors_stderr(void);

/* The colour of a state on standard output and what ends it; "" where there are none. */
const char *narrate_state_color(enum tcp_state state);
const char *narrate_color_end(void);

/* Adds a string to JSON text as a quoted, escaped JSON string. */
void json_add_string(char *text, size_t size, const char *string);

#endif
