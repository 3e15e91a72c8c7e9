/*
 * model_epoll_linux.c - all clients in one loop with epoll(7): the kernel keeps the list
 * and names only who is ready, so idle clients cost nothing. Twin: model_epoll_posix.c.
 */
#include "event_loop.h"
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct instance {
	int fd;
};

static void *epoll_open(void)
{
	struct instance *instance = malloc(sizeof *instance);

	if (instance == NULL)
		return NULL;
	instance->fd = epoll_create1(EPOLL_CLOEXEC);
	if (instance->fd != -1)
		return instance;
	int error = errno;
	free(instance);
	errno = error;
	return NULL;
}

static void epoll_close(void *state)
{
	struct instance *instance = state;

	(void)close(instance->fd);
	free(instance);
}

static int control(void *state, int operation, int fd, enum session_want want, void *owner)
{
	struct instance *instance = state;
	struct epoll_event event = {
	    .events = want == SESSION_READ    ? EPOLLIN
	              : want == SESSION_WRITE ? EPOLLOUT
	                                      : 0,
	    .data.ptr = owner,
	};

	return epoll_ctl(instance->fd, operation, fd, &event);
}

static int epoll_add(void *state, int fd, enum session_want want, void *owner)
{
	return control(state, EPOLL_CTL_ADD, fd, want, owner);
}

static int epoll_change(void *state, int fd, enum session_want want, void *owner)
{
	return control(state, EPOLL_CTL_MOD, fd, want, owner);
}

static void epoll_remove(void *state, int fd)
{
	(void)state;
	(void)fd; /* close() takes it out of the list: nobody else has this socket open */
}

static int epoll_wait_for(void *state, int timeout_ms, void **owners, int room)
{
	struct instance *instance = state;
	struct epoll_event events[256];

	if (room > 256)
		room = 256;
	int ready = epoll_wait(instance->fd, events, room, timeout_ms);
	for (int i = 0; i < ready; i++)
		owners[i] = events[i].data.ptr;
	return ready;
}

static int run(struct service *service)
{
	static const struct poller poller = {epoll_open,   epoll_close,  epoll_add,
	                                     epoll_change, epoll_remove, epoll_wait_for};

	return event_loop_run(service, &poller);
}

const struct model model_epoll = {"epoll", "all in one loop, told only who is ready", run};
