/* port.c - see port.h. */
#include "kit/port.h"

#include "kit/registry.h"
#include "kit/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *transport_name(enum transport transport)
{
	return transport == TRANSPORT_UDP ? "UDP" : "TCP";
}

const char *transport_protocol(enum transport transport)
{
	return transport == TRANSPORT_UDP ? "udp" : "tcp";
}

static const struct port_class classes[] = {
    {"reserved", "reserved: to bind it asks the kernel to choose a port", NULL, 0, 0},
    {"system", "a system port", "well-known", 1, 1023},
    {"registered", "a registered port", "user", 1024, 49151},
    {"dynamic", "a dynamic port", "private, ephemeral", 49152, 65535},
};

const struct port_class *port_classes(size_t *count)
{
	*count = sizeof classes / sizeof classes[0];
	return classes;
}

const struct port_class *port_class_of(uint16_t port)
{
	const struct port_class *class = classes;

	while (port > class->last) /* the last row ends at 65535, so this ends */
		class ++;
	return class;
}

int port_number_parse(const char *text, uint16_t *port, char reason[PORT_REASON_SIZE])
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || text[digits] != '\0') {
		snprintf(reason, PORT_REASON_SIZE, "a port is a whole number from 0 to 65535");
		return -1;
	}
	errno = 0;
	unsigned long number = strtoul(text, NULL, 10);
	if (errno == ERANGE || number > UINT16_MAX) {
		snprintf(reason, PORT_REASON_SIZE,
		         "ports are 16-bit numbers: 0 to 65535, there is none above");
		return -1;
	}
	*port = (uint16_t)number;
	return 0;
}

/* As every name of a service has (RFC 6335 section 5.1), and no number. */
static bool has_letter(const char *text)
{
	while (*text != '\0' && !isalpha((unsigned char)*text))
		text++;
	return *text != '\0';
}

int port_parse(const char *text, enum transport transport, uint16_t *port,
               char reason[PORT_REASON_SIZE])
{
	const struct servent *service;
	const struct registry_entry *entry;

	if (!has_letter(text))
		return port_number_parse(text, port, reason);
	/* "80x" starts like a number, but so do the registered "3com-tsmux" and "4-tieropmgw". */
	service = getservbyname(text, transport_protocol(transport));
	if (service != NULL) {
		*port = ntohs((uint16_t)service->s_port);
		return 0;
	}
	entry = registry_find_name(text, transport);
	if (entry != NULL) {
		*port = entry->first;
		return 0;
	}
	if (isdigit((unsigned char)text[0]))
		return port_number_parse(text, port, reason);
	snprintf(reason, PORT_REASON_SIZE,
	         "no %s service of that name in the services database or the IANA registry",
	         transport_name(transport));
	return -1;
}

const char *port_service_name(uint16_t port, enum transport transport)
{
	static char name[64];
	const struct servent *service =
	    getservbyport((int)htons(port), transport_protocol(transport));

	if (service == NULL)
		return NULL;
	return text_make_safe(service->s_name, strlen(service->s_name), name, sizeof name);
}

void port_describe_names(uint16_t port, enum transport transport, char text[PORT_NAMES_SIZE])
{
	const char *local = port_service_name(port, transport);
	const struct registry_entry *entry = registry_find(port, transport);
	const char *iana = entry != NULL && entry->name[0] != '-' ? entry->name : NULL;

	if (local != NULL && iana != NULL && strcasecmp(local, iana) == 0)
		snprintf(text, PORT_NAMES_SIZE, "%s in the services database and the IANA registry",
		         local);
	else if (local != NULL && iana != NULL)
		snprintf(text, PORT_NAMES_SIZE, "%.20s in the services database, %.20s at IANA", local,
		         iana);
	else if (local != NULL)
		snprintf(text, PORT_NAMES_SIZE, "%.20s in the services database, no name at IANA",
		         local);
	else if (iana != NULL)
		snprintf(text, PORT_NAMES_SIZE, "%.20s at IANA, not in the services database", iana);
	else if (port == 0)
		snprintf(text, PORT_NAMES_SIZE, "no service has it and no packet carries it");
	else if (entry != NULL)
		snprintf(text, PORT_NAMES_SIZE, "no name: the IANA registry keeps it reserved");
	else if (port_class_of(port)->first == 49152)
		snprintf(text, PORT_NAMES_SIZE, "no name: dynamic ports cannot be registered");
	else
		snprintf(text, PORT_NAMES_SIZE, "no name: registered with IANA by nobody");
}
