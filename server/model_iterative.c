/*
 * model_iterative.c - one client after the other: the next is accepted when the last one
 * has gone. Good for learning and for very short answers; everybody else waits in the
 * listener's queue.
 */
#include "kit/waiting.h"
#include "model.h"
#include "stop.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>

static void serve_one(struct service *service)
{
	struct session_start start;
	int error;

	if (service_accept(service, &start) == -1)
		return;
	struct report report = worker_converse(&start, service->options, 0, &error);
	service_left(service, report.bytes_in, report.bytes_out);
}

static int run(struct service *service)
{
	struct pollfd fds[] = {{service->listener, POLLIN, 0}, {stop_fd(), POLLIN, 0}};

	for (;;) {
		fds[0].fd = service_may_accept(service) ? service->listener : -1;
		int ready = poll(fds, 2, clock_left(service_deadline(service)));
		if (ready == -1 && errno != EINTR)
			return -1;
		if (ready > 0 && fds[1].revents != 0)
			break;
		if (ready > 0)
			serve_one(service);
	}
	service_stop(service);
	return 0;
}

const struct model model_iterative = {
    "iterative", "one client after the other; the others wait in the queue", run};
