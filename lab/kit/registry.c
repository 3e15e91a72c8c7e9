/* registry.c - see registry.h. The rows are made from iana-ports.tsv by the Makefile. */
#include "kit/registry.h"

#include <strings.h>

#include "iana_ports.inc" /* static entries[], and REGISTRY_DATE */

const struct registry_entry *registry_entries(size_t *count)
{
	*count = sizeof entries / sizeof entries[0];
	return entries;
}

static uint8_t bit_of(enum transport transport)
{
	return transport == TRANSPORT_UDP ? REGISTRY_UDP : REGISTRY_TCP;
}

const struct registry_entry *registry_find(uint16_t port, enum transport transport)
{
	size_t count, low = 0;
	const struct registry_entry *table = registry_entries(&count);
	size_t high = count;

	while (low < high) { /* the first entry that does not end before the port */
		size_t middle = low + (high - low) / 2;
		if (table[middle].last < port)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && table[low].first <= port; low++)
		if (table[low].last >= port && (table[low].transports & bit_of(transport)))
			return &table[low];
	return NULL;
}

const struct registry_entry *registry_find_name(const char *name, enum transport transport)
{
	size_t count;
	const struct registry_entry *table = registry_entries(&count);

	for (size_t i = 0; i < count; i++)
		if ((table[i].transports & bit_of(transport)) && table[i].name[0] != '-' &&
		    strcasecmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

const char *registry_date(void)
{
	return REGISTRY_DATE;
}
