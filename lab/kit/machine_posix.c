/* machine_posix.c - POSIX has none of this to ask. Twin: machine_linux.c. */
#include "kit/machine.h"

#include <unistd.h>

int machine_ephemeral_range(struct port_range *range)
{
	(void)range;
	return -1;
}

int machine_reserved_ports(char *text, size_t size)
{
	(void)text;
	(void)size;
	return -1;
}

long machine_unprivileged_start(void)
{
	return -1;
}

enum bind_right machine_bind_right(uint16_t port)
{
	if (port == 0 || port >= 1024)
		return BIND_RIGHT_ANYBODY;
	return geteuid() == 0 ? BIND_RIGHT_ROOT : BIND_RIGHT_UNKNOWN;
}

const char *machine_container_sign(void)
{
	return NULL;
}

bool machine_has_account(uid_t uid)
{
	(void)uid;
	return true;
}
