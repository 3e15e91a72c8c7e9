/* silence_posix.c - a system without such options. Twin: silence_linux.c. */
#include "silence.h"

#include <errno.h>

int silence_make(int fd, int family, enum transport transport)
{
	(void)fd;
	(void)family;
	(void)transport;
	errno = ENOTSUP;
	return -1;
}
