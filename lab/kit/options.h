/*
 * options.h - the command line, by getopt_long(3), with errors that say what is accepted.
 *
 * Every complaint is one line on standard error; the caller then ends with status 2,
 * having opened nothing.
 */
#ifndef PORTLAB_OPTIONS_H
#define PORTLAB_OPTIONS_H

#include "kit/narrate.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum { EXIT_USAGE = 2, EXIT_SKIPPED = 77 };

/*
 * The next option: its letter or value, -1 after the last one, '?' after an error, which
 * has then been reported. short_options is as for getopt, without a leading colon;
 * with a leading + the first word that is no option ends them.
 */
int options_next(int argc, char **argv, const char *short_options,
                 const struct option *long_options);

/*
 * Values. Each returns true, or reports what was wrong with the value of `option` and what
 * is accepted, and returns false.
 */
bool options_number(const char *option, const char *text, long least, long most, long *number);
bool options_seconds(const char *option, const char *text, int64_t *milliseconds);
bool options_port(const char *option, const char *text, uint16_t *port);
bool options_color(const char *text, enum narrate_color *color);

/* Prints a help text; returns the exit status. */
int options_help(const char *text);

/* Prints the version; returns the exit status. */
int options_version(void);

#endif
