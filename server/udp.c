/* udp.c - see udp.h. */
#include "udp.h"

#include "datagram.h"
#include "kit/explain.h"
#include "kit/greeting.h"
#include "kit/narrate.h"
#include "kit/waiting.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { DATAGRAM_MOST = 65535, AT_ONCE = 64 };

static void tell(const struct session_start *from, size_t length, const char *result)
{
	char text[2 * ENDPOINT_TEXT_SIZE + 8], note[32];
	char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE];

	snprintf(text, sizeof text, "%s -> %s", endpoint_format(&from->peer, peer),
	         endpoint_format(&from->local, local));
	snprintf(note, sizeof note, "%zu byte%s", length, length == 1 ? "" : "s");
	narrate(&(struct event){
	    .name = "data",
	    .id = from->id,
	    .text = text,
	    .note = note,
	    .local = &from->local,
	    .peer = &from->peer,
	    .facts = FACTS({"bytes", NULL, (long long)length}, {"result", result, 0}),
	});
	if (strcmp(result, "answered") != 0)
		narrate_detail("%s", result);
}

/* Builds and sends the answer. Returns what to tell. */
static const char *answer(struct service *service, const struct session_start *from,
                          const char *payload, size_t length)
{
	static char reply[GREETING_SIZE + DATAGRAM_MOST];
	const struct greeting greeting = {from->peer, from->local, TRANSPORT_UDP, from->id};
	size_t head = (size_t)greeting_format(&greeting, reply);

	memcpy(reply + head, payload, length);
	ssize_t sent =
	    datagram_send(service->listener, reply, head + length, &from->peer, &from->local);
	if (sent >= 0) {
		service->bytes_out += (uint64_t)sent;
		return "answered";
	}
	if (errno == EMSGSIZE)
		return "no answer: with the greeting it would not fit one datagram";
	if (errno == EAGAIN || errno == ENOBUFS)
		return "no answer: the kernel's buffer is full";
	return strerror(errno);
}

static void serve_waiting(struct service *service)
{
	static char payload[DATAGRAM_MOST];
	struct session_start from;

	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t length = datagram_receive(service->listener, payload, sizeof payload,
		                                  &from.peer, &from.local);
		if (length == -1 && (errno == ENOMEM || errno == ENOBUFS))
			service_pause(service, errno); /* it still waits: at once is too soon */
		if (length == -1)
			return; /* none waits; or an earlier answer's ICMP error, now cleared */
		service_resume(service);
		from.id = ++service->accepted;
		service->bytes_in += (uint64_t)length;
		const char *result = answer(service, &from, payload, (size_t)length);
		if (narrate_wanted(false))
			tell(&from, (size_t)length, result);
	}
}

int udp_run(struct service *service)
{
	struct pollfd fds[] = {{service->listener, POLLIN, 0}, {stop_fd(), POLLIN, 0}};

	if (datagram_prepare(service->listener) == -1)
		return -1;
	for (;;) {
		fds[0].fd = service_may_accept(service) ? service->listener : -1;
		int ready = poll(fds, 2, clock_left(service_deadline(service)));
		if (ready == -1 && errno != EINTR)
			return -1;
		if (ready > 0 && fds[1].revents != 0)
			break;
		if (ready > 0)
			serve_waiting(service);
	}
	service_stop(service);
	return 0;
}
