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

/* The long option of that value, or NULL. */
static const struct option *find_option(const struct option *options, int value)
{
	for (; options->name != NULL; options++)
		if (options->val == value)
			return options;
	return NULL;
}

/* "-80" looks like options and is meant for a number. Returns that word, or NULL. */
static const char *negative_number(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t digits = argv[i][0] == '-' ? strspn(argv[i] + 1, "0123456789") : 0;
		if (digits > 0 && argv[i][digits + 1] == '\0' && strcmp(argv[i], "-4") != 0 &&
		    strcmp(argv[i], "-6") != 0)
			return argv[i];
	}
	return NULL;
}

/* getopt says in optopt which option it was; 0: a long one that it does not know. */
static void complain_unknown(int argc, char **argv, const struct option *options)
{
	char text[80];
	const char *number = negative_number(argc, argv);
	const struct option *known = find_option(options, optopt);

	if (number != NULL)
		complain("port '%s': a port is a whole number from 0 to 65535", quote(number, text));
	else if (optopt != 0 && known != NULL)
		complain("%s: this option takes no value; see %s --help", quote(argv[optind - 1], text),
		         narrate_program());
	else if (optopt != 0)
		complain("there is no option -%s; see %s --help",
		         quote((char[]){(char)optopt, 0}, text), narrate_program());
	else
		complain("there is no option %s; see %s --help", quote(argv[optind - 1], text),
		         narrate_program());
}

int options_next(int argc, char **argv, const char *short_options,
                 const struct option *long_options)
{
	char with_colon[128];

	/* A leading + (stop at the first word that is none) must stay the first character. */
	bool plus = short_options[0] == '+';
	snprintf(with_colon, sizeof with_colon, "%s:%s", plus ? "+" : "", short_options + plus);
	opterr = 0;
	int option = getopt_long(argc, argv, with_colon, long_options, NULL);
	if (option == ':') {
		const char *word = argv[argc - 1]; /* only at the end can a value be missing */
		char text[80], letter[] = {'-', (char)optopt, '\0'};
		complain("%s needs a value; see %s --help",
		         strncmp(word, "--", 2) == 0 ? quote(word, text) : letter, narrate_program());
		return '?';
	}
	if (option == '?')
		complain_unknown(argc, argv, long_options);
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
