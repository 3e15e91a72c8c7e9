/*
 * registry.h - the IANA Service Name and Transport Protocol Port Number Registry, compiled
 * in from iana-ports.tsv, so that a port unknown to this machine's services database still
 * has its name, and "registered to nobody" can be said truthfully.
 *
 * Source: RFC 6335; the date of the copy is registry_date().
 */
#ifndef PORTLAB_REGISTRY_H
#define PORTLAB_REGISTRY_H

#include "kit/port.h"

#include <stddef.h>
#include <stdint.h>

enum { REGISTRY_TCP = 1, REGISTRY_UDP = 2, REGISTRY_OTHER = 4 };

struct registry_entry {
	uint16_t first, last;  /* most entries hold one port, some a range */
	uint8_t transports;    /* REGISTRY_* bits */
	const char *name;      /* service name; "-": reserved, without a name */
	const char *statement; /* what it is for, in the registry's words, shortened */
};

/* Every entry, ascending by first port. Static storage. */
const struct registry_entry *registry_entries(size_t *count);

/*
 * The first entry for the port and transport; where the registry has the port only for
 * another transport, NULL. Binary search.
 */
const struct registry_entry *registry_find(uint16_t port, enum transport transport);

/* The entry of that service name (case does not matter) for the transport, or NULL. */
const struct registry_entry *registry_find_name(const char *name, enum transport transport);

/* The date of the newest entry, "2025-11-14". */
const char *registry_date(void);

#endif
