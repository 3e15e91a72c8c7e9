/*
 * lab - the exercises to learn by (runner/) and the instruments to look with at this
 * machine's ports and sockets, whoever they belong to (instruments/). The table below is all
 * that knows them.
 */
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "subcommand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct subcommand *const subcommands[] = {
    &subcommand_run,    &subcommand_show,     &subcommand_shell, &subcommand_check,
    &subcommand_hint,   &subcommand_solution, &subcommand_next,  &subcommand_reset,
    &subcommand_report, &subcommand_prove,    &subcommand_ports, &subcommand_sockets,
    &subcommand_watch,  &subcommand_scan,     &subcommand_wire,  &subcommand_host,
    &subcommand_peer,   &subcommand_doctor,
};

enum { COUNT = sizeof subcommands / sizeof subcommands[0] };

static const struct subcommand *find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(subcommands[i]->name, name) == 0)
			return subcommands[i];
	return NULL;
}

static int show_list(void)
{
	char text[4096] =
	    "usage: lab [SUBCOMMAND [options]]      alone: where you are in the course\n\n";

	for (size_t i = 0; i < COUNT; i++)
		text_add(text, sizeof text, "  %-8s %-15s %s\n", subcommands[i]->name,
		         subcommands[i]->arguments, subcommands[i]->summary);
	text_add(text, sizeof text,
	         "\n  lab NAME --help tells more of one, man ./lab/lab.1 of all\n");
	return options_help(text);
}

static int show_help(int argc, char **argv)
{
	char quoted[80];

	if (argc < 2)
		return show_list();
	const struct subcommand *subcommand = find(argv[1]);
	if (subcommand != NULL)
		return options_help(subcommand->help);
	complain("there is no subcommand '%s'; lab help lists them",
	         text_escape(argv[1], strlen(argv[1]), quoted, sizeof quoted));
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	char quoted[80];
	const char *name = argc > 1 ? argv[1] : "";

	if (argc == 1)
		return subcommand_list.run(argc, argv);
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return show_help(argc - 1, argv + 1);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return options_version();
	const struct subcommand *subcommand = find(name);
	if (subcommand != NULL)
		return subcommand->run(argc - 1, argv + 1);
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
