/* event_server.c - the conversation of bare_server.c with libevent's buffered events. usage:
 * event_server PORT */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long accepted;
static int port;

static void on_read(struct bufferevent *client, void *nothing)
{
	(void)nothing;
	(void)bufferevent_write_buffer(client, bufferevent_get_input(client));
}

static void on_event(struct bufferevent *client, short what, void *nothing)
{
	(void)nothing;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_free(client);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int length, void *nothing)
{
	const struct sockaddr_in *peer = (const struct sockaddr_in *)(const void *)address;
	struct bufferevent *client =
	    bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
	char name[INET_ADDRSTRLEN], line[96];

	(void)length;
	(void)nothing;
	if (client == NULL)
		return;
	int count = snprintf(line, sizeof line, "hello %s:%d from 127.0.0.1:%d connection %lu\n",
	                     inet_ntop(AF_INET, &peer->sin_addr, name, sizeof name),
	                     ntohs(peer->sin_port), port, ++accepted);
	bufferevent_setcb(client, on_read, NULL, on_event, NULL);
	(void)bufferevent_write(client, line, (size_t)count);
	(void)bufferevent_enable(client, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct event_base *base = event_base_new();

	port = argc > 1 ? atoi(argv[1]) : 0;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	name.sin_port = htons((uint16_t)port);
	struct evconnlistener *listener = evconnlistener_new_bind(
	    base, on_client, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128,
	    (struct sockaddr *)&name, sizeof name);
	if (listener == NULL) {
		fputs("event_server: cannot listen\n", stderr);
		return 1;
	}
	puts("listening");
	(void)fflush(stdout);
	return event_base_dispatch(base);
}
