/* machine.c - what POSIX can answer. The rest is in machine_linux.c. */
#include "kit/machine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

void machine_system(char *text, size_t size)
{
	struct utsname name;

	if (uname(&name) == -1)
		snprintf(text, size, "this system");
	else
		snprintf(text, size, "%s %s", name.sysname, name.release);
}

unsigned long machine_raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {limit.rlim_max, limit.rlim_max};
		if (raised.rlim_cur == RLIM_INFINITY || raised.rlim_cur > 1048576)
			raised.rlim_cur = 1048576;
		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur > ULONG_MAX ? ULONG_MAX : (unsigned long)limit.rlim_cur;
}

bool machine_has_program(const char *name)
{
	char path[1024];
	const char *next = getenv("PATH");

	while (next != NULL && *next != '\0') {
		size_t length = strcspn(next, ":");
		snprintf(path, sizeof path, "%.*s/%.200s", (int)(length < 800 ? length : 800), next,
		         name);
		if (access(path, X_OK) == 0)
			return true;
		next += length + (next[length] == ':');
	}
	return false;
}

bool machine_in_lab_network(void)
{
	const char *network = getenv("PORTLAB_NETWORK");

	return network != NULL && strcmp(network, "sandbox") == 0;
}
