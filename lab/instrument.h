/*
 * instrument.h - one subcommand of the lab. main.c keeps them in one table, from which
 * "lab help" is printed too.
 */
#ifndef PORTLAB_INSTRUMENT_H
#define PORTLAB_INSTRUMENT_H

struct instrument {
	const char *name;
	const char *arguments; /* for the list: "[N|NAME|N-M ...]" */
	const char *summary;   /* for the list: one line */
	const char *help;      /* what "lab NAME --help" prints */
	/* argv[0] is the subcommand's name. Returns the exit status: 0, 1, 2 or 77. */
	int (*run)(int argc, char **argv);
};

extern const struct instrument instrument_ports, instrument_sockets, instrument_scan,
    instrument_doctor, instrument_watch;

#endif
