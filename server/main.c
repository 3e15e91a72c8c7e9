/*
 * server - binds a chosen port, greets every client with the endpoint it sees it under,
 * and echoes what it sends, telling each step with the state that the kernel reports.
 *
 * Where to read: listener.c (socket, bind, listen), session.c (one connection), model.h
 * (how to serve many). Partner: client/main.c.
 */
#include "kit/machine.h"
#include "kit/narrate.h"
#include "listener.h"
#include "model.h"
#include "options.h"
#include "privilege.h"
#include "service.h"
#include "stop.h"
#include "udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int serve(struct service *service)
{
	const struct options *options = service->options;

	if (options->fault == FAULT_NO_ACCEPT || options->fault == FAULT_NO_ANSWER ||
	    (options->transport == TRANSPORT_UDP && options->fault == FAULT_NO_READ))
		return service_wait(service);
	if (options->transport == TRANSPORT_UDP)
		return udp_run(service);
	return options->model->run(service);
}

static int run(const struct options *options)
{
	struct service service = {.options = options};
	struct account account;

	if (options->user != NULL && privilege_find(options->user, &account) == -1)
		return -1;
	narrate_port(options->port, options->transport);
	service.listener = listener_open(options, &service.name);
	if (service.listener == -1 || narrate_failed())
		return -1;
	if (stop_prepare() == -1) {
		complain("cannot prepare for signals: %s", strerror(errno));
		return -1;
	}
	narrate_on_failure(stop_request);
	if (options->user != NULL && privilege_drop(&account) == -1)
		return -1;
	listener_announce(&service.name);
	if (serve(&service) == -1) {
		complain("cannot go on serving: %s", strerror(errno));
		return -1;
	}
	service_summary(&service);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;

	narrate_prepare();
	narrate_set_program("server");
	int status = options_read(argc, argv, &options);
	if (status != -1)
		return status;
	narrate_configure(&options.narration);
	(void)machine_raise_descriptor_limit(); /* more clients at once, if it may be */
	status = run(&options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	return narrate_finish() == 0 ? status : EXIT_FAILURE;
}
