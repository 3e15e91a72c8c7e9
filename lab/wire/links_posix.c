/* links_posix.c - a system without virtual cables. Twin: links_linux.c. */
#include "wire/links.h"

#include <errno.h>

static int none(void)
{
	errno = ENOTSUP;
	return -1;
}

int link_answer_read(const void *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	return none();
}

int link_make_pair(const char *here, const char *there, int there_fd)
{
	(void)here;
	(void)there;
	(void)there_fd;
	return none();
}

int link_make_pair_in_time(const char *here, const char *there, int there_fd)
{
	return link_make_pair(here, there, there_fd);
}

int link_remove(const char *name)
{
	(void)name;
	return none();
}

int link_set_address(const char *name, struct in_addr address)
{
	(void)name;
	(void)address;
	return none();
}

int link_set_up(const char *name)
{
	(void)name;
	return none();
}

int link_set_gateway(struct in_addr gateway)
{
	(void)gateway;
	return none();
}

int link_make_checksums(const char *name)
{
	(void)name;
	return none();
}

int network_own(void)
{
	return none();
}

int network_make(void)
{
	return none();
}

int network_enter(int fd)
{
	(void)fd;
	return none();
}
