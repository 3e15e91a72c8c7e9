/* options.c - see options.h. */
#include "kit/options.h"

#include "kit/narrate.h"
#include "kit/text.h"
#include "kit/waiting.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PORTLAB_VERSION
#define PORTLAB_VERSION "unknown"
#endif

/* An argument of the command line, safe to print. */
static const char *quote(const char *argument, char text[80])
{
	return text_escape(argument, strlen(argument), text, 80);
}

/* The word that getopt was looking at when it stopped. */
static const char *word_before(int argc, char **argv)
{
	return optind > 0 && optind <= argc ? argv[optind - 1] : "";
}

static void complain_unknown(int argc, char **argv)
{
	char text[80];
	const char *word = word_before(argc, argv);

	if (optopt != 0 && isdigit(optopt))
		complain("'-%c...' is no port: a port is a whole number from 0 to 65535", optopt);
	else if (optopt > 0 && optopt < 128 && strncmp(word, "--", 2) != 0)
		complain("there is no option -%s; see %s --help",
		         quote((char[]){(char)optopt, 0}, text), narrate_program());
	else if (strchr(word, '=') != NULL && optopt != 0)
		complain("%s: this option takes no value; see %s --help", quote(word, text),
		         narrate_program());
	else
		complain("there is no option %s, or it is short for several; see %s --help",
		         quote(word, text), narrate_program());
}

int options_next(int argc, char **argv, const char *short_options,
                 const struct option *long_options)
{
	char with_colon[128], text[80];

	snprintf(with_colon, sizeof with_colon, ":%s", short_options);
	opterr = 0;
	int option = getopt_long(argc, argv, with_colon, long_options, NULL);
	if (option == ':') {
		complain("%s needs a value; see %s --help", quote(word_before(argc, argv), text),
		         narrate_program());
		return '?';
	}
	if (option == '?')
		complain_unknown(argc, argv);
	return option;
}

bool options_number(const char *option, const char *text, long least, long most, long *number)
{
	char quoted[80], *end;

	errno = 0;
	long value = strtol(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && value >= least &&
	    value <= most) {
		*number = value;
		return true;
	}
	complain("%s '%s': give a whole number from %ld to %ld", option, quote(text, quoted), least,
	         most);
	return false;
}

bool options_seconds(const char *option, const char *text, int64_t *milliseconds)
{
	char quoted[80];

	if (seconds_parse(text, 86400, milliseconds) == 0)
		return true;
	complain("%s '%s': give seconds from 0 to 86400, such as 5 or 0.5", option,
	         quote(text, quoted));
	return false;
}

bool options_port(const char *option, const char *text, uint16_t *port)
{
	char quoted[80], reason[PORT_REASON_SIZE];

	if (port_number_parse(text, port, reason) == 0)
		return true;
	complain("%s '%s': %s", option, quote(text, quoted), reason);
	return false;
}

bool options_color(const char *text, enum narrate_color *color)
{
	char quoted[80];

	if (narrate_color_parse(text, color) == 0)
		return true;
	complain("--color '%s': give auto, always or never", quote(text, quoted));
	return false;
}

int options_help(const char *text)
{
	return narrate_raw(text, strlen(text)) == 0 && narrate_finish() == 0 ? EXIT_SUCCESS
	                                                                     : EXIT_FAILURE;
}

int options_version(void)
{
	char line[80];

	snprintf(line, sizeof line, "portlab %s %s\n", narrate_program(), PORTLAB_VERSION);
	return options_help(line);
}
