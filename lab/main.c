/*
 * lab - the instruments to look with at this machine's ports and sockets, whoever they
 * belong to. Each is one file in instruments/; the table below is all that knows them.
 */
#include "instrument.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct instrument *const instruments[] = {
    &instrument_ports, &instrument_sockets, &instrument_watch,
    &instrument_scan,  &instrument_doctor,
};

enum { COUNT = sizeof instruments / sizeof instruments[0] };

static const struct instrument *find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(instruments[i]->name, name) == 0)
			return instruments[i];
	return NULL;
}

static int show_list(void)
{
	char text[2048] = "usage: lab SUBCOMMAND [options]      look at this machine's ports\n\n";

	for (size_t i = 0; i < COUNT; i++)
		text_add(text, sizeof text, "  %-8s %-18s %s\n", instruments[i]->name,
		         instruments[i]->arguments, instruments[i]->summary);
	text_add(text, sizeof text,
	         "\n  lab NAME --help tells more of one, man ./lab/lab.1 of all\n");
	return options_help(text);
}

static int show_help(int argc, char **argv)
{
	char quoted[80];

	if (argc < 2)
		return show_list();
	const struct instrument *instrument = find(argv[1]);
	if (instrument != NULL)
		return options_help(instrument->help);
	complain("there is no subcommand '%s'; lab help lists them",
	         text_escape(argv[1], strlen(argv[1]), quoted, sizeof quoted));
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	char quoted[80];
	const char *name = argc > 1 ? argv[1] : "help";

	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return show_help(argc - 1, argv + 1);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return options_version();
	const struct instrument *instrument = find(name);
	if (instrument != NULL)
		return instrument->run(argc - 1, argv + 1);
	text_escape(name, strlen(name), quoted, sizeof quoted);
	if (name[0] >= '0' && name[0] <= '9')
		complain("there is no subcommand '%s'; try: lab ports %s", quoted, quoted);
	else
		complain("there is no subcommand '%s'; lab help lists them", quoted);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	narrate_prepare();
	narrate_set_program("lab");
	int status = run(argc, argv);
	return narrate_finish() == 0 ? status : EXIT_FAILURE;
}
