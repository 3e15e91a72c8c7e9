/* socket_table_posix.c - POSIX shows no socket table. Twin: socket_table_linux.c. */
#include "kit/socket_table.h"

#include <errno.h>

int socket_table_each(enum transport transport, socket_visitor visit, void *argument)
{
	(void)transport;
	(void)visit;
	(void)argument;
	errno = ENOTSUP;
	return -1;
}

int socket_table_find(const struct endpoint *local, const struct endpoint *peer,
                      struct socket_entry *entry)
{
	(void)local;
	(void)peer;
	(void)entry;
	errno = ENOTSUP;
	return -1;
}

struct socket_owners *socket_owners_read(void)
{
	errno = ENOTSUP;
	return NULL;
}

void socket_owners_free(struct socket_owners *owners)
{
	(void)owners;
}

const struct socket_process *socket_owners_find(const struct socket_owners *owners,
                                                uint32_t inode)
{
	(void)owners;
	(void)inode;
	return NULL;
}
