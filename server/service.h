/*
 * service.h - what all serving models share: the listening socket, who may come in, and
 * the counts for the summary.
 */
#ifndef PORTLAB_SERVER_SERVICE_H
#define PORTLAB_SERVER_SERVICE_H

#include "options.h"
#include "session.h"

#include <stdbool.h>
#include <stdint.h>

struct service {
	const struct options *options;
	int listener; /* -1 once closed */
	struct endpoint name;
	uint32_t accepted; /* clients ever; the number of the last one */
	long open, most_open;
	long crowd; /* the most open since memory was last given back */
	uint64_t bytes_in, bytes_out;
	int64_t starved_until; /* clock: no descriptor or memory for a client; 0: there is */
	bool shortage_told;    /* since the last client came in */
};

/*
 * Accepts one client, counts it and narrates it. Returns 0 and fills *start; or -1, with
 * errno EAGAIN where nobody waits. Any other reason (no descriptor, no memory) has been said,
 * and service_may_accept() is false until a client has left or a while has passed.
 */
int service_accept(struct service *service, struct session_start *start);

/* Whether a further client may come in: --max-clients, and descriptors. */
bool service_may_accept(struct service *service);

/* A client has left with that many bytes moved. */
void service_left(struct service *service, uint64_t bytes_in, uint64_t bytes_out);

/* A client could not be served: said, and counted as gone. The descriptor is closed. */
void service_refuse(struct service *service, const struct session_start *start,
                    const char *call, int error);

/* Says it alone: a worker that could not begin, whose end will be counted. */
void service_tell_refusal(uint32_t id, const char *call, int error);

/*
 * Nothing can be taken in for now: says why, once until service_resume(), and
 * service_may_accept() is false for a while. Leaves that errno behind.
 */
void service_pause(struct service *service, int error);
void service_resume(struct service *service);

/* Stops listening, and says so. */
void service_stop(struct service *service);

/* Until the end of the server, nothing: --fault no-accept. */
int service_wait(struct service *service);

/* Until when to wait for a client (clock_ms), at most: while starved, the next try. */
int64_t service_deadline(const struct service *service);

/* What was served, in one line. */
void service_summary(const struct service *service);

#endif
