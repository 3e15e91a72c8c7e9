/* worker.c - see worker.h. */
#include "worker.h"

#include "kit/narrate.h"
#include "kit/waiting.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 64 }; /* clients accepted before looking at anything else again */

static short events_of(enum session_want want)
{
	return want == SESSION_READ ? POLLIN : want == SESSION_WRITE ? POLLOUT : 0;
}

/* Waits for what the session wants. Returns why it is to be closed, or SESSION_OVER to go on.
 */
static enum session_reason wait_for(const struct session *session, enum session_want want,
                                    const struct options *options)
{
	struct pollfd fds[] = {{session->fd, events_of(want), 0}, {stop_fd(), POLLIN, 0}};

	int64_t deadline = session_idle_deadline(session, options, clock_ms());

	for (;;) {
		int left = clock_left(deadline);
		int ready = poll(fds, 2, left);
		if (ready > 0)
			return fds[1].revents != 0 ? SESSION_STOPPED : SESSION_OVER;
		if (ready == -1 && errno != EINTR) { /* no memory to wait with: give this client up */
			complain("cannot wait for connection %lu: %s", (unsigned long)session->id,
			         strerror(errno));
			return SESSION_STOPPED;
		}
		if (ready == 0 && left == 0)
			return SESSION_IDLE;
	}
}

struct report worker_converse(const struct session_start *start, const struct options *options,
                              long open, int *error)
{
	struct report report;
	enum session_want want;
	enum session_reason reason = SESSION_OVER;
	struct session *session = session_open(start, options, &want);

	memset(&report, 0, sizeof report);
	*error = session == NULL ? ENOMEM : 0;
	if (session == NULL) {
		service_tell_refusal(start->id, "allocate", ENOMEM);
		return report;
	}
	while (want != SESSION_END) {
		reason = wait_for(session, want, options);
		if (reason != SESSION_OVER)
			break;
		want = session_go_on(session, options, clock_ms());
	}
	report.bytes_in = session->bytes_in;
	report.bytes_out = session->bytes_out;
	session_close(session, reason, open);
	return report;
}

int worker_report(int fd, const struct report *report)
{
	ssize_t written;

	do
		written = write(fd, report, sizeof *report);
	while (written == -1 && errno == EINTR);
	return written == (ssize_t)sizeof *report ? 0 : -1; /* a pipe takes it whole */
}

static void accept_some(struct service *service, const struct hiring *hiring,
                        const int reports[2])
{
	struct session_start start;

	for (int i = 0; i < AT_ONCE && service_may_accept(service); i++) {
		if (service_accept(service, &start) == -1)
			return;
		if (hiring->hire(service, &start, reports) == -1)
			service_refuse(service, &start, hiring->call, errno);
	}
}

static int wake_ends[2] = {-1, -1};

void worker_wake(void)
{
	ssize_t written = write(wake_ends[1], "", 1);

	(void)written; /* a full pipe wakes too */
}

/* Reads the reports that are there, and forgets being woken. */
static void collect(struct service *service, const struct hiring *hiring, int fd)
{
	struct report report;
	char wakes[64];

	while (read(wake_ends[0], wakes, sizeof wakes) > 0)
		continue;
	hiring->collect(service, NULL);
	while (read(fd, &report, sizeof report) == (ssize_t)sizeof report)
		hiring->collect(service, &report);
}

static int loop(struct service *service, const struct hiring *hiring, const int reports[2])
{
	struct pollfd fds[] = {{reports[0], POLLIN, 0},
	                       {wake_ends[0], POLLIN, 0},
	                       {stop_fd(), POLLIN, 0},
	                       {service->listener, POLLIN, 0}};
	struct pollfd *stop = &fds[2], *listener = &fds[3];

	while (service->listener != -1 || service->open > 0) {
		bool accepting = service_may_accept(service) && service->listener != -1;
		listener->fd = accepting ? service->listener : -1; /* poll() passes over -1 */
		int ready = poll(fds, 4, clock_left(service_deadline(service)));
		if (ready == -1 && errno != EINTR)
			return -1;
		collect(service, hiring, reports[0]);
		if (ready > 0 && stop->revents != 0) {
			service_stop(service);
			stop->fd = -1; /* known; now only the workers' ends are awaited */
		} else if (ready > 0 && accepting && listener->revents != 0) {
			accept_some(service, hiring, reports);
		}
	}
	return 0;
}

/* A pipe that keeps nobody waiting at the ends named. Returns 0, or -1 with errno. */
static int make_pipe(int ends[2], bool write_end_too)
{
	if (pipe(ends) == -1)
		return -1;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1 ||
	    (write_end_too && fcntl(ends[1], F_SETFL, O_NONBLOCK) == -1))
		return -1;
	return 0;
}

/*
 * A worker may wait until its report fits the pipe: the loop empties it. Waking must not
 * wait: it happens in a signal handler of the very loop that empties the pipe.
 */
int worker_accept_loop(struct service *service, const struct hiring *hiring)
{
	int reports[2] = {-1, -1};

	if (make_pipe(reports, false) == -1 || make_pipe(wake_ends, true) == -1)
		return -1;
	int result = loop(service, hiring, reports);
	int error = errno;
	for (int i = 0; i < 2; i++) {
		(void)close(reports[i]);
		(void)close(wake_ends[i]);
	}
	errno = error;
	return result;
}
