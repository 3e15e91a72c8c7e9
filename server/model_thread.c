/*
 * model_thread.c - a thread for each client: lighter than a process, but all share one
 * memory. Each costs a stack.
 */
#include "model.h"
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { STACK_BYTES = 256 * 1024 }; /* a conversation needs about 30 kB of it */

struct assignment {
	struct session_start start;
	const struct options *options;
	int report_fd;
};

static void *converse(void *argument)
{
	struct assignment assignment = *(struct assignment *)argument;
	int error;

	free(argument);
	struct report report = worker_converse(&assignment.start, assignment.options, -1, &error);
	report.thread = pthread_self();
	/* The accepting thread empties the pipe until the last report has come. */
	(void)worker_report(assignment.report_fd, &report);
	return NULL;
}

/* Signals are for the accepting thread: a worker starts with all of them blocked. */
static int start_thread(struct assignment *assignment)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	int error = pthread_attr_init(&attributes);
	if (error != 0)
		return error;
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES); /* else the default */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, converse, assignment);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return error;
}

static int hire(struct service *service, const struct session_start *start,
                const int reports[2])
{
	struct assignment *assignment = malloc(sizeof *assignment);

	if (assignment == NULL) {
		errno = ENOMEM;
		return -1;
	}
	*assignment = (struct assignment){*start, service->options, reports[1]};
	int error = start_thread(assignment);
	if (error == 0)
		return 0;
	free(assignment);
	errno = error;
	return -1;
}

static void collect(struct service *service, const struct report *report)
{
	if (report == NULL)
		return;
	(void)pthread_join(report->thread, NULL); /* it has written its last */
	service_left(service, report->bytes_in, report->bytes_out);
}

static int run(struct service *service)
{
	static const struct hiring hiring = {hire, "create a thread", collect};

	return worker_accept_loop(service, &hiring);
}

const struct model model_thread = {"thread", "a thread for each client", run};
