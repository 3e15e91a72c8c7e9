/*
 * listener.c - binds the chosen port and narrates each step.
 *
 * Read listener_open() at the end first: socket, bind, listen, in that order. Partner:
 * client/connection.c, which reaches it.
 */
#include "listener.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/unix.h"
#include "silence.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The state of a TCP socket, now; UDP sockets have none. */
static enum tcp_state state_of(const struct options *options, int fd)
{
	return options->transport == TRANSPORT_TCP ? tcp_state_of_fd(fd) : TCP_STATE_NONE;
}

/* By what right this port may be bound, in a few words for the last column. */
static const char *right_note(uint16_t port)
{
	static const char *const notes[] = {
	    [BIND_RIGHT_ANYBODY] = "any user may",
	    [BIND_RIGHT_LOWERED] = "limit lowered",
	    [BIND_RIGHT_ROOT] = "root may",
	    [BIND_RIGHT_SANDBOX] = "network's root",
	    [BIND_RIGHT_CAPABILITY] = "capability",
	    [BIND_RIGHT_FOREIGN] = "",
	    [BIND_RIGHT_NONE] = "",
	    [BIND_RIGHT_UNKNOWN] = "allowed here",
	};

	return notes[machine_bind_right(port)];
}

/* A system port was bound: not a matter of course, so say why in a sentence. */
static void tell_right(uint16_t port)
{
	const char *sign = machine_container_sign();

	switch (machine_bind_right(port)) {
	case BIND_RIGHT_LOWERED:
		narrate_detail("any user may, here: net.ipv4.ip_unprivileged_port_start = %ld",
		               machine_unprivileged_start());
		if (sign != NULL)
			narrate_detail("usual in containers, and there is a %s here", sign);
		break;
	case BIND_RIGHT_ROOT:
		narrate_detail("uid 0 has the capability CAP_NET_BIND_SERVICE");
		break;
	case BIND_RIGHT_SANDBOX:
		narrate_detail("CAP_NET_BIND_SERVICE over this private network");
		break;
	case BIND_RIGHT_CAPABILITY:
		narrate_detail("uid %lu has the capability CAP_NET_BIND_SERVICE",
		               (unsigned long)geteuid());
		break;
	case BIND_RIGHT_ANYBODY:
	case BIND_RIGHT_FOREIGN:
	case BIND_RIGHT_NONE:
	case BIND_RIGHT_UNKNOWN:
		break;
	}
}

static int explain_failure(const struct options *options, const char *call,
                           const struct endpoint *wanted)
{
	explain_report(&(struct failure){
	    .call = call,
	    .error = errno,
	    .transport = options->transport,
	    .local = *wanted,
	    .reuseaddr = options->reuseaddr && options->transport == TRANSPORT_TCP,
	    .reuseport = options->reuseport,
	    .program_path = options->program_path,
	});
	return -1;
}

/* The address to bind: loopback unless asked otherwise. */
static int wanted_address(const struct options *options, struct endpoint *wanted)
{
	int family = options->family == AF_UNSPEC ? AF_INET : options->family;
	const char *reason;

	if (options->address == NULL)
		*wanted = endpoint_loopback(family, options->port);
	else if (strcmp(options->address, "any") == 0)
		*wanted = endpoint_wildcard(family, options->port);
	else if (endpoint_resolve(options->address, options->port, options->family,
	                          options->transport, wanted, 1, &reason) == -1) {
		explain_report(&(struct failure){
		    .call = "getaddrinfo", .name = options->address, .reason = reason});
		return -1;
	}
	return 0;
}

static int set_options(const struct options *options, int fd)
{
	int on = 1;

	/* On UDP it would let two servers have one port, and the last one take all datagrams. */
	if (options->reuseaddr && options->transport == TRANSPORT_TCP &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
		return -1;
	if (options->reuseport && set_reuseport(fd) == -1)
		return -1;
	/* A client may vanish between poll() and accept(): then accept() must not wait. */
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	return 0;
}

static void tell_socket(const struct options *options, int fd, const struct endpoint *wanted)
{
	char text[64];

	snprintf(text, sizeof text, "fd %d, %s over %s", fd, transport_name(options->transport),
	         endpoint_family(wanted) == AF_INET6 ? "IPv6" : "IPv4");
	narrate(&(struct event){
	    .name = "socket",
	    .text = text,
	    .state = state_of(options, fd),
	    .facts = FACTS({"fd", NULL, fd}),
	});
}

static void tell_bind(const struct options *options, int fd, const struct endpoint *name)
{
	char text[ENDPOINT_TEXT_SIZE];
	uint16_t port = endpoint_port(name);
	int v6only = 1;
	socklen_t length = sizeof v6only;

	narrate(&(struct event){
	    .name = "bind",
	    .text = endpoint_format(name, text),
	    .local = name,
	    .state = state_of(options, fd),
	    .note = right_note(port),
	    .class = port_class_of(port),
	});
	if (options->port == 0)
		narrate_detail("port 0 was asked for: the kernel chose %u", port);
	tell_right(port);
	if (!endpoint_is_loopback(name))
		narrate_detail("not only loopback: other machines may connect");
	if (endpoint_family(name) == AF_INET6 && endpoint_is_wildcard(name) &&
	    getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &length) == 0)
		narrate_detail(v6only ? "IPv6 clients only" : "IPv4 clients too, as ::ffff:a.b.c.d");
}

static void tell_listen(const struct options *options, int fd, const struct endpoint *name)
{
	char text[64];

	snprintf(text, sizeof text, "backlog %ld", options->backlog);
	narrate(&(struct event){
	    .name = "listen",
	    .text = text,
	    .local = name,
	    .state = state_of(options, fd),
	    .facts = FACTS({"backlog", NULL, options->backlog}),
	});
}

void listener_announce(const struct endpoint *name)
{
	char text[ENDPOINT_TEXT_SIZE], line[ENDPOINT_TEXT_SIZE + 16];

	snprintf(line, sizeof line, "listening %s", endpoint_format(name, text));
	narrate(&(struct event){
	    .name = "listening",
	    .text = line,
	    .note = "Ctrl-C stops",
	    .local = name,
	    .class = port_class_of(endpoint_port(name)),
	    .always = true,
	    .headline = true,
	});
}

/* Explains why `call` failed, and gives the socket back. */
static int give_up(const struct options *options, int fd, const char *call,
                   const struct endpoint *wanted)
{
	(void)explain_failure(options, call, wanted);
	(void)close(fd); /* nothing was sent through it that could be lost */
	return -1;
}

int listener_open(const struct options *options, struct endpoint *name)
{
	bool tcp = options->transport == TRANSPORT_TCP;
	struct endpoint wanted;

	if (wanted_address(options, &wanted) == -1)
		return -1;

	int fd = socket(endpoint_family(&wanted), tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd == -1)
		return explain_failure(options, "socket", &wanted);
	tell_socket(options, fd, &wanted);
	if (set_options(options, fd) == -1)
		return give_up(options, fd, "setsockopt", &wanted);

	if (bind(fd, &wanted.address.any, wanted.length) == -1)
		return give_up(options, fd, "bind", &wanted);
	/* Read back: with port 0 only the kernel knows which one it is. */
	if (endpoint_of_socket(fd, name) == -1)
		return give_up(options, fd, "getsockname", &wanted);
	tell_bind(options, fd, name);

	if (options->fault == FAULT_NO_ANSWER &&
	    silence_make(fd, endpoint_family(name), options->transport) == -1)
		return give_up(options, fd, "setsockopt", name);
	if (tcp && listen(fd, (int)options->backlog) == -1)
		return give_up(options, fd, "listen", name);
	if (tcp)
		tell_listen(options, fd, name);
	return fd;
}
