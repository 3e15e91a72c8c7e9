/*
 * model_epoll_linux.c - all clients in one loop with epoll(7): the kernel keeps the list
 * and names only who is ready, so idle clients cost nothing. Twin: model_epoll_posix.c.
 *
 * A timeout of epoll_wait() would be set and taken back in every turn, which a quick
 * exchange feels. So the deadline is a timerfd of its own, set again only when it is to
 * come earlier or has passed.
 */
#include "event_loop.h"
#include "kit/waiting.h"
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct instance {
	int fd, timer;
	int64_t set_to; /* when the timer will wake (clock_ms), or WAITING_FOREVER */
};

static void give_back(struct instance *instance)
{
	int error = errno;

	if (instance->timer != -1)
		(void)close(instance->timer);
	if (instance->fd != -1)
		(void)close(instance->fd);
	free(instance);
	errno = error;
}

static void *epoll_open(void)
{
	struct instance *instance = malloc(sizeof *instance);

	struct epoll_event timer = {.events = EPOLLIN, .data.ptr = NULL};

	if (instance == NULL)
		return NULL;
	instance->set_to = WAITING_FOREVER;
	instance->fd = epoll_create1(EPOLL_CLOEXEC);
	instance->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (instance->fd != -1 && instance->timer != -1 &&
	    epoll_ctl(instance->fd, EPOLL_CTL_ADD, instance->timer, &timer) == 0)
		return instance;
	give_back(instance);
	return NULL;
}

static void epoll_close(void *state)
{
	give_back(state);
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

/* Sees to it that the wait ends at the deadline. Waking too early costs a turn, no more. */
static int set_timer(struct instance *instance, int64_t deadline)
{
	bool set = instance->set_to != WAITING_FOREVER;

	if (deadline == WAITING_FOREVER || (set && instance->set_to <= deadline))
		return 0;
	const struct itimerspec at = {
	    .it_value = {.tv_sec = (time_t)(deadline / 1000),
	                 .tv_nsec = (long)(deadline % 1000) * 1000000 + 1}, /* 0 would unset it */
	};
	instance->set_to = deadline;
	return timerfd_settime(instance->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void timer_has_passed(struct instance *instance)
{
	uint64_t times;
	ssize_t length = read(instance->timer, &times, sizeof times);

	(void)length; /* it was ready; were it not, nothing would be lost */
	instance->set_to = WAITING_FOREVER;
}

static int epoll_wait_for(void *state, int64_t deadline, void **owners, int room)
{
	struct instance *instance = state;
	struct epoll_event events[256];
	int found = 0;

	if (set_timer(instance, deadline) == -1)
		return -1;
	int ready = epoll_wait(instance->fd, events, room < 256 ? room : 256, -1);
	for (int i = 0; i < ready; i++)
		if (events[i].data.ptr == NULL)
			timer_has_passed(instance);
		else
			owners[found++] = events[i].data.ptr;
	return ready == -1 ? -1 : found;
}

static int run(struct service *service)
{
	static const struct poller poller = {epoll_open,   epoll_close,  epoll_add,
	                                     epoll_change, epoll_remove, epoll_wait_for};

	return event_loop_run(service, &poller);
}

const struct model model_epoll = {"epoll", "all in one loop, told only who is ready", run};
