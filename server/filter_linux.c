/* filter_linux.c - see filter.h. Twin: filter_posix.c. */
#define _GNU_SOURCE /* SO_ATTACH_FILTER */
#include "filter.h"

#include <linux/filter.h>
#include <sys/socket.h>

int filter_let_nothing_in(int fd)
{
	/* A program of one instruction: keep 0 bytes of whatever comes. */
	struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
	struct sock_fprog program = {1, &drop};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
