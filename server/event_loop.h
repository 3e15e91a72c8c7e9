/*
 * event_loop.h - one process, one thread, all clients: waits for all descriptors at once
 * and lets go on whoever can. How to wait is the poller's business: poll(2) or epoll(7).
 */
#ifndef PORTLAB_SERVER_EVENT_LOOP_H
#define PORTLAB_SERVER_EVENT_LOOP_H

#include "session.h"

#include <stdint.h>

struct service;

/* Each function returns 0, or -1 with errno; wait() returns how many owners it wrote. */
struct poller {
	void *(*open)(void); /* NULL with errno */
	void (*close)(void *state);
	/* Begins to watch a descriptor; owner is what wait() gives back. */
	int (*add)(void *state, int fd, enum session_want want, void *owner);
	int (*change)(void *state, int fd, enum session_want want, void *owner);
	/* Forgets a descriptor, which is closed right afterwards. */
	void (*remove)(void *state, int fd);
	/* Waits until the deadline (clock_ms, WAITING_FOREVER) for descriptors of `room` owners. */
	int (*wait)(void *state, int64_t deadline, void **owners, int room);
};

int event_loop_run(struct service *service, const struct poller *poller);

#endif
