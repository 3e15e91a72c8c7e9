/*
 * model_fork.c - a process for each client. Simple, and one client's trouble is its own;
 * each costs a process.
 */
#include "kit/narrate.h"
#include "model.h"
#include "stop.h"
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that was killed sends no report: its end must be noticed all the same. */
static void on_child(int number)
{
	int error = errno;

	(void)number;
	worker_wake();
	errno = error;
}

static void child(const struct service *service, const struct session_start *start,
                  const int reports[2])
{
	int error;

	stop_in_child();
	(void)close(service->listener); /* the port is the parent's; the child has its client */
	(void)close(reports[0]);        /* without a parent, writing must fail, not wait */
	struct report report = worker_converse(start, service->options, -1, &error);
	_exit(worker_report(reports[1], &report) == 0 && error == 0 ? 0 : 1);
}

static int hire(struct service *service, const struct session_start *start,
                const int reports[2])
{
	pid_t pid = fork();
	if (pid == -1)
		return -1;
	if (pid == 0)
		child(service, start, reports);
	(void)close(start->fd); /* the child's copy keeps the connection open */
	return 0;
}

static void tell_killed(pid_t pid, int number)
{
	char text[80];

	snprintf(text, sizeof text, "process %ld was ended by signal %d: its client is cut off",
	         (long)pid, number);
	narrate(&(struct event){
	    .name = "error",
	    .text = text,
	    .always = true,
	    .facts = FACTS({"call", "waitpid", 0}, {"why", text, 0}),
	});
}

static void collect(struct service *service, const struct report *report)
{
	if (report != NULL) {
		service->bytes_in += report->bytes_in;
		service->bytes_out += report->bytes_out;
		return;
	}
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		/* By SIGTERM it was asked to end, perhaps together with this process. */
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
			tell_killed(pid, WTERMSIG(status));
		service_left(service, 0, 0);
	}
}

static int run(struct service *service)
{
	static const struct hiring hiring = {hire, "fork", collect};
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = on_child;
	action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
	if (sigaction(SIGCHLD, &action, NULL) == -1)
		return -1;
	int result = worker_accept_loop(service, &hiring);
	(void)signal(SIGCHLD, SIG_DFL);
	return result;
}

const struct model model_fork = {"fork", "a process for each client", run};
