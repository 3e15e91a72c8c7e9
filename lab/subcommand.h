/*
 * subcommand.h - one subcommand of the lab. main.c keeps them in one table, from which
 * "lab help" is printed too.
 */
#ifndef PORTLAB_SUBCOMMAND_H
#define PORTLAB_SUBCOMMAND_H

struct subcommand {
	const char *name;
	const char *arguments; /* for the list: "[N|NAME|N-M ...]" */
	const char *summary;   /* for the list: one line */
	const char *help;      /* what "lab NAME --help" prints */
	/* argv[0] is the subcommand's name. Returns the exit status: 0, 1, 2 or 77. */
	int (*run)(int argc, char **argv);
};

/* instruments/ */
extern const struct subcommand subcommand_ports, subcommand_sockets, subcommand_scan,
    subcommand_doctor, subcommand_watch;

/* wire/ */
extern const struct subcommand subcommand_wire, subcommand_host, subcommand_peer;

/* runner/ */
extern const struct subcommand subcommand_list, subcommand_show, subcommand_run,
    subcommand_shell, subcommand_check, subcommand_hint, subcommand_solution, subcommand_next,
    subcommand_reset, subcommand_report, subcommand_prove;

#endif
