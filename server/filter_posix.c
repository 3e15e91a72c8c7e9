/* filter_posix.c - a system without such filters. Twin: filter_linux.c. */
#include "filter.h"

#include <errno.h>

int filter_let_nothing_in(int fd)
{
	(void)fd;
	errno = ENOTSUP;
	return -1;
}
