/* stop.c - see stop.h. */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int ends[2] = {-1, -1};
static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	int error = errno;

	if (signals++ > 0)
		_exit(128 + number);
	stop_request();
	errno = error;
}

void stop_request(void)
{
	ssize_t written = write(ends[1], "", 1);

	(void)written; /* a full pipe is readable already */
}

int stop_prepare(void)
{
	struct sigaction action;

	if (pipe(ends) == -1)
		return -1;
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) == -1 ||
		    fcntl(ends[i], F_SETFL, O_NONBLOCK) == -1)
			return -1;
	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART; /* poll() and epoll_wait() end all the same */
	if (sigaction(SIGINT, &action, NULL) == -1 || sigaction(SIGTERM, &action, NULL) == -1)
		return -1;
	return 0;
}

int stop_fd(void)
{
	return ends[0];
}

void stop_in_child(void)
{
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_DFL);
	(void)close(ends[1]);
	ends[1] = -1;
}
