/* service.c - see service.h. */
#include "service.h"

#include "kit/explain.h"
#include "kit/narrate.h"
#include "kit/unix.h"
#include "kit/waiting.h"
#include "stop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* After a shortage, when to try again if no client leaves meanwhile. */
enum { RETRY_MS = 1000 };

/* So many are a crowd: when half of them have left, their memory goes back to the system. */
enum { CROWD = 64 };

static void tell_accept(const struct service *service, const struct session_start *start)
{
	char text[2 * ENDPOINT_TEXT_SIZE + 8], note[32];
	char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE];

	snprintf(text, sizeof text, "%s -> %s", endpoint_format(&start->peer, peer),
	         endpoint_format(&start->local, local));
	snprintf(note, sizeof note, "%ld open", service->open);
	narrate(&(struct event){
	    .name = "accept",
	    .id = start->id,
	    .text = text,
	    .note = note,
	    .local = &start->local,
	    .peer = &start->peer,
	    .state = tcp_state_of_fd(start->fd),
	    .class = port_class_of(endpoint_port(&start->peer)),
	    .facts = FACTS({"fd", NULL, start->fd}, {"open", NULL, service->open}),
	});
	if (service->options->max_clients != 0 && service->open >= service->options->max_clients)
		narrate_detail("%ld at once is the limit: others wait in the queue",
		               service->options->max_clients);
}

static void tell_starved(const struct service *service, int error)
{
	char name[24], text[80];
	bool tcp = service->options->transport == TRANSPORT_TCP;

	snprintf(text, sizeof text, "%s: %s pauses",
	         error == EMFILE                       ? "no descriptor left"
	         : error == ENOMEM || error == ENOBUFS ? "out of memory"
	                                               : strerror(error),
	         tcp ? "accepting" : "receiving");
	narrate(&(struct event){
	    .name = "pause",
	    .text = text,
	    .state = tcp ? tcp_state_of_fd(service->listener) : TCP_STATE_NONE,
	    .always = true,
	    .facts = FACTS({"errno", errno_name(error, name), 0}, {"open", NULL, service->open}),
	});
}

void service_pause(struct service *service, int error)
{
	if (!service->shortage_told)
		tell_starved(service, error);
	service->shortage_told = true;
	service->starved_until = clock_ms() + RETRY_MS;
	errno = error;
}

void service_resume(struct service *service)
{
	service->starved_until = 0;
	service->shortage_told = false;
}

int service_accept(struct service *service, struct session_start *start)
{
	int fd;

	do
		fd = accept_nonblocking(service->listener, &start->peer);
	while (fd == -1 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
	if (fd == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
		service_pause(service, errno); /* who waits goes on waiting: at once is too soon */
	if (fd == -1)
		return -1;
	service_resume(service);
	start->fd = fd;
	start->id = ++service->accepted;
	(void)endpoint_of_socket(fd, &start->local); /* on failure it is shown as "-" */
	if (++service->open > service->most_open)
		service->most_open = service->open;
	if (service->open > service->crowd)
		service->crowd = service->open;
	if (narrate_wanted(false))
		tell_accept(service, start);
	return 0;
}

bool service_may_accept(struct service *service)
{
	if (service->starved_until != 0 && clock_ms() < service->starved_until)
		return false;
	service->starved_until =
	    0; /* or its past would end every wait at once: perhaps none comes */
	return service->options->max_clients == 0 || service->open < service->options->max_clients;
}

void service_left(struct service *service, uint64_t bytes_in, uint64_t bytes_out)
{
	service->open--;
	service->bytes_in += bytes_in;
	service->bytes_out += bytes_out;
	service->starved_until = 0;
	if (service->crowd >= CROWD && service->open <= service->crowd / 2) {
		give_memory_back();
		service->crowd = service->open;
	}
}

void service_refuse(struct service *service, const struct session_start *start,
                    const char *call, int error)
{
	if (start->fd != -1)
		(void)close(start->fd);
	service_left(service, 0, 0);
	service_tell_refusal(start->id, call, error);
}

void service_tell_refusal(uint32_t id, const char *call, int error)
{
	char text[80], name[24];

	snprintf(text, sizeof text, "cannot %s: %s", call, strerror(error));
	narrate(&(struct event){
	    .name = "error",
	    .id = id,
	    .text = text,
	    .always = true,
	    .facts = FACTS({"call", call, 0}, {"errno", errno_name(error, name), 0}),
	});
}

void service_stop(struct service *service)
{
	char text[ENDPOINT_TEXT_SIZE];

	(void)close(service->listener);
	service->listener = -1;
	if (isatty(STDOUT_FILENO))
		narrate_title("%s", ""); /* the terminal has just shown "^C" */
	narrate(&(struct event){
	    .name = "stop",
	    .text = endpoint_format(&service->name, text),
	    .local = &service->name,
	    .note = "given back",
	});
}

int service_wait(struct service *service)
{
	static const char *const faults[FAULT_COUNT] = {
	    [FAULT_NO_ACCEPT] = "no-accept: clients come in, the program never looks",
	    [FAULT_NO_READ] = "no-read: the program never looks",
	    [FAULT_NO_ANSWER] = "no-answer: the kernel throws away whatever comes",
	};

	narrate_detail("--fault %s", faults[service->options->fault]);
	if (wait_for_fd(stop_fd(), POLLIN, WAITING_FOREVER) == -1)
		return -1;
	service_stop(service);
	return 0;
}

int64_t service_deadline(const struct service *service)
{
	return service->starved_until == 0 ? WAITING_FOREVER : service->starved_until;
}

void service_summary(const struct service *service)
{
	bool tcp = service->options->transport == TRANSPORT_TCP;
	char text[160];

	snprintf(
	    text, sizeof text, "served %" PRIu32 " %s%s, %" PRIu64 " byte%s in, %" PRIu64 " out",
	    service->accepted, tcp ? "connection" : "datagram", service->accepted == 1 ? "" : "s",
	    service->bytes_in, service->bytes_in == 1 ? "" : "s", service->bytes_out);
	struct fact facts[] = {{tcp ? "connections" : "datagrams", NULL, service->accepted},
	                       {"bytes_in", NULL, (long long)service->bytes_in},
	                       {"bytes_out", NULL, (long long)service->bytes_out},
	                       {tcp ? "most_open" : NULL, NULL, service->most_open},
	                       {NULL, NULL, 0}};
	if (tcp && service->most_open > 1)
		snprintf(text + strlen(text), sizeof text - strlen(text), ", at most %ld at once",
		         service->most_open);
	narrate(&(struct event){.name = "summary", .text = text, .headline = true, .facts = facts});
}
