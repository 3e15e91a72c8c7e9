/* tcp_state_linux.c - asks a descriptor with TCP_INFO. Twin: tcp_state_posix.c. */
#define _GNU_SOURCE /* struct tcp_info, with glibc and with musl */
#include "kit/tcp_state.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* The enum is in the order of Linux's own numbers, so an answer is one of its values. */
_Static_assert(TCP_STATE_ESTABLISHED == (int)TCP_ESTABLISHED &&
                   TCP_STATE_TIME_WAIT == (int)TCP_TIME_WAIT &&
                   TCP_STATE_CLOSED == (int)TCP_CLOSE && TCP_STATE_LISTEN == (int)TCP_LISTEN &&
                   TCP_STATE_CLOSING == (int)TCP_CLOSING,
               "enum tcp_state follows the kernel's numbering");

enum tcp_state tcp_state_of_fd(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof info;

	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == -1 || info.tcpi_state == 0 ||
	    info.tcpi_state > TCP_STATE_CLOSING)
		return TCP_STATE_UNSEEN;
	return (enum tcp_state)info.tcpi_state;
}
