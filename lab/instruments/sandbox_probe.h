/*
 * sandbox_probe.h - whether this system lets the account have a private network, found by
 * trying it in a child process.
 *
 * Source: user_namespaces(7), network_namespaces(7), packet(7).
 */
#ifndef PORTLAB_SANDBOX_PROBE_H
#define PORTLAB_SANDBOX_PROBE_H

struct sandbox_probe {
	int network_error;  /* 0: a private network can be had; else the errno of what failed */
	const char *failed; /* the call that failed, or NULL */
	int packet_error;   /* 0: packets can be watched in it; else errno */
};

/* Tries. ENOTSUP where the system has no such thing. */
void sandbox_probe(struct sandbox_probe *probe);

#endif
