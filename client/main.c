/*
 * client - connects to a server and reports the source port that the kernel gave it, what
 * the server saw, and what becomes of the connection.
 *
 * Where to read: connection.c (one connection), conversation.c (what is said), swarm.c
 * (many), tally.c (the picture). Partner: server/main.c.
 */
#include "kit/explain.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "swarm.h"

#include <stdlib.h>
#include <string.h>

enum { PEERS = 16 };

/* Where to go: the addresses of HOST, or loopback. Returns how many, or -1 after saying why. */
static int find_peers(const struct options *options, struct endpoint peers[PEERS])
{
	const char *reason;

	if (options->host == NULL) {
		peers[0] =
		    endpoint_loopback(options->family == AF_INET6 ? AF_INET6 : AF_INET, options->port);
		return 1;
	}
	int count = endpoint_resolve(options->host, options->port, options->family,
	                             options->transport, peers, PEERS, &reason);
	if (count == -1)
		explain_report(
		    &(struct failure){.call = "getaddrinfo", .name = options->host, .reason = reason});
	return count;
}

static void tell_summary(const struct tally *tally, const struct tally_facts *facts)
{
	const struct fact list[] = {
	    {"connections", NULL, (long long)tally->count},
	    {"different", NULL, (long long)facts->different},
	    {"even", NULL, (long long)facts->even},
	    {"below_1024", NULL, (long long)facts->below_1024},
	    {"in_dynamic", NULL, (long long)facts->in_dynamic},
	    {"in_kernel_range", NULL, (long long)facts->in_kernel_range},
	    {"rising", NULL, (long long)facts->rising},
	    {tally->count > 0 ? "lowest" : NULL, NULL, facts->lowest}, /* of none there is none */
	    {"highest", NULL, facts->highest},
	    {NULL, NULL, 0},
	};

	narrate(&(struct event){.name = "summary", .facts = list});
}

static void summarise(const struct options *options, const struct tally *tally)
{
	struct tally_facts facts = tally_facts_of(tally);

	if (narrate_is_json())
		tell_summary(tally, &facts);
	else if (options->plot && tally->count > 0)
		tally_plot(tally, text_is_utf8());
	else if (tally->count > 1)
		narrate_title("%zu %s, %zu different source ports, %u to %u", tally->count, tally->unit,
		              facts.different, facts.lowest, facts.highest);
}

static int run(const struct options *options)
{
	struct endpoint peers[PEERS];
	struct tally tally = {.unit =
	                          options->transport == TRANSPORT_UDP ? "sockets" : "connections"};

	if (options->port == 0) {
		complain("port 0 cannot be reached: no packet carries it; give the port that a server "
		         "announced");
		return -1;
	}
	int count = find_peers(options, peers);
	if (count == -1)
		return -1;
	narrate_port(options->port, options->transport);
	int result = swarm_run(options, peers, count, &tally);
	summarise(options, &tally);
	tally_free(&tally);
	return result;
}

int main(int argc, char **argv)
{
	struct options options;

	narrate_prepare();
	narrate_set_program("client");
	int status = options_read(argc, argv, &options);
	if (status == -1) {
		narrate_configure(&options.narration);
		(void)machine_raise_descriptor_limit(); /* more connections at once, if it may be */
		status = run(&options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		if (narrate_finish() == -1)
			status = EXIT_FAILURE;
	}
	free(options.messages);
	return status;
}
