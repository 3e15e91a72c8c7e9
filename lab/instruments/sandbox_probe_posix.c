/* sandbox_probe_posix.c - namespaces are Linux's own. Twin: sandbox_probe_linux.c. */
#include "instruments/sandbox_probe.h"

#include <errno.h>
#include <stddef.h>

void sandbox_probe(struct sandbox_probe *probe)
{
	*probe = (struct sandbox_probe){ENOTSUP, NULL, ENOTSUP};
}
