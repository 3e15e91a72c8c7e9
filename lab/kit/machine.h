/*
 * machine.h - what this machine says about itself: which ports it hands to clients, from
 * which port on anybody may bind, and by what right this process may go below that.
 *
 * Every answer is asked of the kernel at the moment of the call. Where a system has no
 * such thing to ask, the answer says so.
 *
 * Source: ip(7) (ip_local_port_range, ip_unprivileged_port_start); capabilities(7);
 * user_namespaces(7).
 */
#ifndef PORTLAB_MACHINE_H
#define PORTLAB_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct port_range {
	uint16_t first, last; /* both belong to it */
};

/*
 * The range from which this kernel gives ports to connect() and bind(0): its ephemeral
 * ports. Returns 0, or -1 where it cannot be asked.
 */
int machine_ephemeral_range(struct port_range *range);

/*
 * The numbers that it leaves out all the same, "8080,9000-9100" or "" (for the setting
 * net.ipv4.ip_local_reserved_ports). Returns 0, or -1 where it cannot be asked.
 */
int machine_reserved_ports(char *text, size_t size);

/*
 * The first port that needs no privilege (net.ipv4.ip_unprivileged_port_start), usually
 * 1024. Returns -1 where this system has no such setting to ask.
 */
long machine_unprivileged_start(void);

enum bind_right {
	BIND_RIGHT_ANYBODY,    /* not below the limit */
	BIND_RIGHT_LOWERED,    /* a system port, but the limit was lowered to or below it */
	BIND_RIGHT_ROOT,       /* below the limit; uid 0 holds the capability */
	BIND_RIGHT_SANDBOX,    /* below the limit; uid 0 or capability of a user namespace */
	BIND_RIGHT_CAPABILITY, /* below the limit; an ordinary uid holds the capability */
	BIND_RIGHT_FOREIGN,    /* none: the capability is held, but not over this network */
	BIND_RIGHT_NONE,
	BIND_RIGHT_UNKNOWN /* a system port where the rule cannot be asked */
};

/* By what right this process may bind the port, if it may. Port 0 needs none. */
enum bind_right machine_bind_right(uint16_t port);

/*
 * Whether root could become that account here: in a user namespace of an ordinary account's
 * making there is usually root only.
 */
bool machine_has_account(uid_t uid);

/* Whether this process was started in a private network by the lab. */
bool machine_in_lab_network(void);

/* Whether a program of that name is found by PATH. */
bool machine_has_program(const char *name);

/* A file that containers have, "/.dockerenv", or NULL. A sign, not a proof. */
const char *machine_container_sign(void);

/* "Linux 6.1.0", by uname(). */
void machine_system(char *text, size_t size);

/* Raises the soft limit on descriptors to the hard one. Returns the limit then in force. */
unsigned long machine_raise_descriptor_limit(void);

#endif
