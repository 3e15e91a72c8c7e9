/* machine_linux.c - asks /proc, the capability sets and the namespaces. Twin: machine_posix.c.
 */
#include "kit/machine.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CAPABILITY_NET_BIND_SERVICE = 10 }; /* capabilities(7) */

/* Reads the first line of a file. Returns 0, or -1 with errno. */
static int read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return -1;
	const char *read = fgets(line, (int)size, file);
	(void)fclose(file);
	return read != NULL ? 0 : -1;
}

int machine_ephemeral_range(struct port_range *range)
{
	char line[64];
	unsigned first, last;

	if (read_line("/proc/sys/net/ipv4/ip_local_port_range", line, sizeof line) == -1 ||
	    sscanf(line, "%u %u", &first, &last) != 2 || first > last || last > UINT16_MAX)
		return -1;
	*range = (struct port_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

int machine_reserved_ports(char *text, size_t size)
{
	if (read_line("/proc/sys/net/ipv4/ip_local_reserved_ports", text, size) == -1)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

long machine_unprivileged_start(void)
{
	char line[64];

	if (read_line("/proc/sys/net/ipv4/ip_unprivileged_port_start", line, sizeof line) == -1)
		return -1;
	return strtol(line, NULL, 10);
}

static bool holds_capability(void)
{
	char line[128];
	unsigned long long effective = 0;
	FILE *file = fopen("/proc/self/status", "re");

	if (file == NULL)
		return geteuid() == 0;
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	(void)fclose(file);
	return (effective >> CAPABILITY_NET_BIND_SERVICE & 1) != 0;
}

/* The first user namespace maps every uid onto itself. */
static bool in_first_user_namespace(void)
{
	char line[64];
	unsigned long inside, outside, count;

	return read_line("/proc/self/uid_map", line, sizeof line) == -1 ||
	       (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	        outside == 0 && count == 4294967295UL);
}

/*
 * A capability counts over the network namespaces that belong to one's own user namespace
 * or to one below it. The kernel tells the owner of a network only if it is one of those.
 */
static bool network_is_ours(void)
{
	int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (network == -1)
		return true; /* cannot be asked: the common case */
	int owner = ioctl(network, NS_GET_USERNS);
	(void)close(network);
	if (owner == -1)
		return in_first_user_namespace();
	(void)close(owner);
	return true;
}

enum bind_right machine_bind_right(uint16_t port)
{
	long start = machine_unprivileged_start();

	if (start == -1)
		start = 1024; /* before Linux 4.11 the limit was built in */
	if (port == 0 || port >= start)
		return port > 0 && port < 1024 ? BIND_RIGHT_LOWERED : BIND_RIGHT_ANYBODY;
	if (!holds_capability())
		return BIND_RIGHT_NONE;
	if (!network_is_ours())
		return BIND_RIGHT_FOREIGN;
	if (!in_first_user_namespace())
		return BIND_RIGHT_SANDBOX;
	return geteuid() == 0 ? BIND_RIGHT_ROOT : BIND_RIGHT_CAPABILITY;
}

const char *machine_container_sign(void)
{
	static const char *const signs[] = {"/.dockerenv", "/run/.containerenv"};
	struct stat status;

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
		if (stat(signs[i], &status) == 0)
			return signs[i];
	return NULL;
}

bool machine_has_account(uid_t uid)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned long first, outside, count;
	bool exists = file == NULL;

	while (file != NULL && fscanf(file, "%lu %lu %lu", &first, &outside, &count) == 3)
		exists = exists || (uid >= first && uid - first < count);
	if (file != NULL)
		(void)fclose(file);
	return exists;
}
