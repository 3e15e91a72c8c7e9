/*
 * host.c - lab host: another host on a cable of its own, for one command. It is a network
 * namespace, joined to this network by a pair of virtual Ethernet devices.
 *
 *   this network  10.77.N.1  hostN ======== eth0  10.77.N.2  host N
 */
#include "instruments/print.h"
#include "kit/explain.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "subcommand.h"
#include "wire/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab host N COMMAND ...\n"
    "Runs COMMAND on another host, number N (1 to 250), that is joined to this network by a\n"
    "cable of its own: its address is 10.77.N.2, and this one is 10.77.N.1 to it. The host\n"
    "ends with its command. It needs power over this network: use it in lab shell --admin.\n"
    "\n"
    "  lab host 1 client 10.77.1.1 3306     with server -b any 3306 in another window\n";

static int refuse(const char *what)
{
	int error = errno;
	char name[24];

	complain("cannot make the host: %s: %s (%s)", what, strerror(error),
	         errno_name(error, name));
	if (error == ENOTSUP) {
		fprintf(stderr, "  why  this build knows no way; Linux has network namespaces\n");
		return EXIT_SKIPPED;
	}
	if (error == EPERM || error == EACCES)
		fprintf(stderr, "  why  to change the network needs CAP_NET_ADMIN over it\n"
		                "  try  lab shell --admin   a private network, whose root may\n");
	if (error == EEXIST)
		fprintf(stderr, "  why  there is a host of this number already\n"
		                "  try  another number\n");
	return EXIT_FAILURE;
}

static struct in_addr address_of(long number, int last)
{
	char text[32];
	struct in_addr address = {0};

	snprintf(text, sizeof text, "10.77.%ld.%d", number, last);
	(void)inet_pton(AF_INET, text, &address);
	return address;
}

/* Makes the network, the cable and both addresses. Returns 0, or the status to end with. */
static int make_host(long number)
{
	struct in_addr near = address_of(number, 1);
	struct in_addr far = address_of(number, 2);
	char name[16];
	int near_fd = network_own();

	snprintf(name, sizeof name, "host%ld", number);
	if (near_fd == -1 || network_make() == -1)
		return refuse("a network");
	int far_fd = network_own();
	if (far_fd == -1 || link_make_pair_in_time("eth0", name, near_fd) == -1)
		return refuse("a cable");
	if (link_set_address("eth0", far) == -1 || network_enter(near_fd) == -1 ||
	    link_set_address(name, near) == -1 || network_enter(far_fd) == -1 ||
	    link_set_gateway(near) == -1)
		return refuse("an address");
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	long number;
	int option = options_next(argc, argv, "+h", long_options);

	if (option != -1)
		return option == 'h' ? options_help(help_text) : EXIT_USAGE;
	if (optind + 1 >= argc) {
		complain("give the number of the host, and the command to run there");
		return EXIT_USAGE;
	}
	if (!options_number("the host", argv[optind], 1, 250, &number))
		return EXIT_USAGE;
	char **command = argv + optind + 1;
	if (strcmp(*command, "--") == 0 && command[1] != NULL)
		command++;
	int status = make_host(number);
	if (status != EXIT_SUCCESS)
		return status;
	print("host %ld is 10.77.%ld.2, with a cable to here, 10.77.%ld.1\n", number, number,
	      number);
	if (narrate_finish() == -1)
		return EXIT_FAILURE;
	(void)signal(SIGPIPE, SIG_DFL); /* ignored here; what is ignored stays so in a command */
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)execvp(command[0], command);
	complain("cannot run %s: %s", command[0], strerror(errno));
	return EXIT_FAILURE;
}

const struct subcommand subcommand_host = {"host", "N COMMAND ...",
                                           "runs COMMAND on another host, cabled to this one",
                                           help_text, run};
