/*
 * model_poll.c - all clients in one loop with poll(2): portable. The kernel looks at every
 * descriptor at every call, so idle clients cost time.
 */
#include "event_loop.h"
#include "kit/waiting.h"
#include "model.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct table {
	struct pollfd *fds; /* what poll() reads */
	void **owners;      /* of the same index */
	size_t count, room;
	size_t *index_of; /* by descriptor: its place in fds */
	size_t index_room;
	size_t next; /* where to go on looking, so that nobody is always last */
};

static void *poll_open(void)
{
	return calloc(1, sizeof(struct table));
}

static void poll_close(void *state)
{
	struct table *table = state;

	free(table->fds);
	free(table->owners);
	free(table->index_of);
	free(table);
}

static short events_of(enum session_want want)
{
	return want == SESSION_READ ? POLLIN : want == SESSION_WRITE ? POLLOUT : 0;
}

/* Grows an array to twice its room. Returns it, or NULL with errno, the old one intact. */
static void *grow(void *array, size_t *room, size_t least, size_t size)
{
	size_t wanted = *room * 2 > least ? *room * 2 : least;
	void *grown = realloc(array, wanted * size);

	if (grown != NULL)
		*room = wanted;
	return grown;
}

static int make_room(struct table *table, int fd)
{
	if (table->count == table->room) {
		size_t room = table->room;
		void *fds = grow(table->fds, &room, 64, sizeof *table->fds);
		if (fds == NULL)
			return -1;
		table->fds = fds;
		void *owners = realloc(table->owners, room * sizeof *table->owners);
		if (owners == NULL)
			return -1;
		table->owners = owners;
		table->room = room;
	}
	if ((size_t)fd >= table->index_room) {
		void *grown =
		    grow(table->index_of, &table->index_room, (size_t)fd + 64, sizeof *table->index_of);
		if (grown == NULL)
			return -1;
		table->index_of = grown;
	}
	return 0;
}

static int poll_add(void *state, int fd, enum session_want want, void *owner)
{
	struct table *table = state;

	if (make_room(table, fd) == -1)
		return -1;
	table->fds[table->count] = (struct pollfd){fd, events_of(want), 0};
	table->owners[table->count] = owner;
	table->index_of[fd] = table->count++;
	return 0;
}

static int poll_change(void *state, int fd, enum session_want want, void *owner)
{
	struct table *table = state;

	(void)owner;
	table->fds[table->index_of[fd]].events = events_of(want);
	return 0;
}

/* The last one takes the place that becomes free. */
static void poll_remove(void *state, int fd)
{
	struct table *table = state;
	size_t last = table->count - 1;

	if ((size_t)fd >= table->index_room)
		return;
	size_t place = table->index_of[fd];
	if (place >= table->count || table->fds[place].fd != fd)
		return; /* it was never added */
	table->fds[place] = table->fds[last];
	table->owners[place] = table->owners[last];
	table->index_of[table->fds[place].fd] = place;
	table->count--;
}

static int poll_wait(void *state, int64_t deadline, void **owners, int room)
{
	struct table *table = state;
	int found = 0;

	int ready = poll(table->fds, (nfds_t)table->count, clock_left(deadline));
	for (size_t looked = 0; looked < table->count && found < ready && found < room; looked++) {
		if (table->next >= table->count)
			table->next = 0;
		if (table->fds[table->next].revents != 0)
			owners[found++] = table->owners[table->next];
		table->next++;
	}
	return ready == -1 ? -1 : found;
}

static int run(struct service *service)
{
	static const struct poller poller = {poll_open,   poll_close,  poll_add,
	                                     poll_change, poll_remove, poll_wait};

	return event_loop_run(service, &poller);
}

const struct model model_poll = {"poll", "all in one loop, asking about everyone each time",
                                 run};
