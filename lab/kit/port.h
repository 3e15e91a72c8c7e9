/*
 * port.h - port numbers: their classes, how they are written, what they are called.
 *
 * A port is a 16-bit number in host byte order everywhere in this suite; only the
 * sockaddr inside a struct endpoint holds it in network byte order.
 *
 * Source: RFC 6335 sections 6 and 8.1.2 (the three ranges, port 0 reserved).
 */
#ifndef PORTLAB_PORT_H
#define PORTLAB_PORT_H

#include <stddef.h>
#include <stdint.h>

enum transport { TRANSPORT_TCP, TRANSPORT_UDP };

/* "TCP" or "UDP", for people; "tcp" or "udp", as the services database spells it. */
const char *transport_name(enum transport transport);
const char *transport_protocol(enum transport transport);

/*
 * One row for each class. RFC 6335 counts 0 among the system ports and reserves it; here
 * it has a row of its own, because to bind it means something else: "kernel, choose one".
 */
struct port_class {
	const char *name;  /* "system": what text and JSON say */
	const char *title; /* "a system port": for a sentence */
	const char *alias; /* the other names in use, or NULL */
	uint16_t first, last;
};

/* All classes in ascending order; their number goes to *count. */
const struct port_class *port_classes(size_t *count);

/* The class a number belongs to. Never NULL: the classes cover 0 to 65535. */
const struct port_class *port_class_of(uint16_t port);

/* Size for the reason that port_parse() and port_number_parse() write. */
#define PORT_REASON_SIZE 160

/*
 * Reads a whole decimal number from 0 to 65535: no sign, no blank, nothing after it.
 * Returns 0 and sets *port, or -1 with the reason in words in `reason`, *port untouched.
 */
int port_number_parse(const char *text, uint16_t *port, char reason[PORT_REASON_SIZE]);

/*
 * The same, or a service name: looked up in the services database for that transport
 * (getservbyname), then in the IANA registry.
 */
int port_parse(const char *text, enum transport transport, uint16_t *port,
               char reason[PORT_REASON_SIZE]);

/* Size for a description; each of its lines fits 80 columns. */
#define PORT_NAMES_SIZE 160

/*
 * Writes who the number belongs to, in words: its name in the services database of this
 * machine and its name in the IANA registry, both where they differ. For instance
 * "mysql in this machine's services database and in the IANA registry".
 */
void port_describe_names(uint16_t port, enum transport transport, char text[PORT_NAMES_SIZE]);

/*
 * The name in this machine's services database (getservbyport), or NULL. The string is
 * overwritten by the next call.
 */
const char *port_service_name(uint16_t port, enum transport transport);

#endif
