/*
 * worker.h - for the models in which somebody is there for one client alone: how such a
 * conversation is led, and how the accepting side hires workers and hears of their end.
 */
#ifndef PORTLAB_SERVER_WORKER_H
#define PORTLAB_SERVER_WORKER_H

#include "service.h"

#include <pthread.h>

/* What a worker says of a conversation that is over. Small enough to be written at once. */
struct report {
	uint64_t bytes_in, bytes_out;
	pthread_t thread; /* model thread: to be joined */
};

/*
 * Leads one conversation to its end, waiting in poll(2) for this client only; gives up
 * when the server is asked to stop. `open` as for session_close(). Returns the bytes
 * moved, or errno ENOMEM in *error where it could not begin, which has been said (else 0).
 */
struct report worker_converse(const struct session_start *start, const struct options *options,
                              long open, int *error);

/* Writes it whole, whatever signal comes. Returns 0, or -1 with errno. */
int worker_report(int fd, const struct report *report);

struct hiring {
	/* Hands the client to a new worker. Returns 0, or -1 with errno; call tells which. */
	int (*hire)(struct service *service, const struct session_start *start,
	            const int reports[2]);
	const char *call;
	/*
	 * NULL: counts whoever has ended without saying so. Then, for each report that has
	 * come, counts what it says: a worker reports before it ends, so none is overlooked.
	 */
	void (*collect)(struct service *service, const struct report *report);
};

/* Makes the loop below collect soon. Safe in a signal handler. */
void worker_wake(void);

/* Accepts, hires and collects until the server is asked to stop and all have ended. */
int worker_accept_loop(struct service *service, const struct hiring *hiring);

#endif
