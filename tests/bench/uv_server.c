/* uv_server.c - the conversation of bare_server.c with libuv. usage: uv_server PORT */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static unsigned long accepted;
static int port;
static char shared[65536]; /* one client is read at a time, and its bytes copied */

struct writing {
	uv_write_t request;
	char bytes[];
};

static void on_close(uv_handle_t *handle)
{
	free(handle);
}

static void on_written(uv_write_t *request, int status)
{
	(void)status; /* reading finds out */
	free(request);
}

/* At once where the kernel takes it, else queued. */
static void say(uv_stream_t *client, const char *bytes, size_t length)
{
	uv_buf_t buffer = uv_buf_init((char *)(size_t)bytes, (unsigned)length);
	int sent = uv_try_write(client, &buffer, 1);

	sent = sent < 0 ? 0 : sent;
	if ((size_t)sent == length)
		return;
	struct writing *writing = malloc(sizeof *writing + length - (size_t)sent);
	if (writing == NULL)
		return;
	memcpy(writing->bytes, bytes + sent, length - (size_t)sent);
	buffer = uv_buf_init(writing->bytes, (unsigned)(length - (size_t)sent));
	(void)uv_write(&writing->request, client, &buffer, 1, on_written);
}

static void get_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)handle;
	(void)suggested;
	*buffer = uv_buf_init(shared, sizeof shared);
}

static void on_read(uv_stream_t *client, ssize_t count, const uv_buf_t *buffer)
{
	if (count < 0)
		uv_close((uv_handle_t *)client, on_close);
	else if (count > 0)
		say(client, buffer->base, (size_t)count);
}

static void on_client(uv_stream_t *server, int status)
{
	struct sockaddr_in peer;
	int length = sizeof peer;
	char name[INET_ADDRSTRLEN], line[96];
	uv_tcp_t *client = malloc(sizeof *client);

	if (status < 0 || client == NULL || uv_tcp_init(server->loop, client) != 0) {
		free(client);
		return;
	}
	if (uv_accept(server, (uv_stream_t *)client) != 0 ||
	    uv_tcp_getpeername(client, (struct sockaddr *)&peer, &length) != 0) {
		uv_close((uv_handle_t *)client, on_close);
		return;
	}
	int count = snprintf(line, sizeof line, "hello %s:%d from 127.0.0.1:%d connection %lu\n",
	                     inet_ntop(AF_INET, &peer.sin_addr, name, sizeof name),
	                     ntohs(peer.sin_port), port, ++accepted);
	say((uv_stream_t *)client, line, (size_t)count);
	(void)uv_read_start((uv_stream_t *)client, get_room, on_read);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	struct sockaddr_in name;
	uv_tcp_t server;

	port = argc > 1 ? atoi(argv[1]) : 0;
	if (uv_tcp_init(loop, &server) != 0 || uv_ip4_addr("127.0.0.1", port, &name) != 0 ||
	    uv_tcp_bind(&server, (struct sockaddr *)&name, 0) != 0 ||
	    uv_listen((uv_stream_t *)&server, 128, on_client) != 0) {
		fputs("uv_server: cannot listen\n", stderr);
		return 1;
	}
	puts("listening");
	(void)fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
