/* capture_posix.c - a system without packet sockets. Twin: capture_linux.c. */
#include "wire/capture.h"

#include <errno.h>

int capture_open(void)
{
	errno = ENOTSUP;
	return -1;
}

int capture_next(int fd, struct captured *captured)
{
	(void)fd;
	(void)captured;
	errno = ENOTSUP;
	return -1;
}

unsigned capture_missed(int fd)
{
	(void)fd;
	return 0;
}
