/*
 * unix.h - the few calls that every Unix has and POSIX.1-2008 does not name. They
 * are gathered here because this one file is compiled with a wider name space.
 */
#ifndef PORTLAB_UNIX_H
#define PORTLAB_UNIX_H

#include "kit/endpoint.h"

#include <sys/types.h>

/* socket() with a descriptor that does not block. Returns it, or -1 with errno. */
int socket_nonblocking(int family, int type);

/*
 * Accepts a client with a descriptor that does not block. Returns it, or -1 with errno, as
 * accept() does; *peer is the client's endpoint.
 */
int accept_nonblocking(int listener, struct endpoint *peer);

/* Sets SO_REUSEPORT. Returns 0, or -1 with errno (ENOTSUP where there is no such option). */
int set_reuseport(int fd);

/* Gives up all supplementary groups (setgroups). Returns 0, or -1 with errno. */
int drop_supplementary_groups(void);

/*
 * This machine's addresses of the family, interfaces that are up only, with port 0, at
 * most `room` of them. Returns how many, or -1 with errno.
 */
int machine_addresses(int family, struct endpoint *found, int room);

/*
 * Whether the address is one of this machine's, so that packets to it never leave it. The
 * whole of 127.0.0.0/8 is on Linux, although only 127.0.0.1 is in the list above; so the
 * kernel is asked, by binding.
 */
bool machine_has_address(const struct endpoint *endpoint);

/*
 * Gives freed memory back to the system where the C library would keep it: glibc's small
 * blocks hold whole regions of larger ones. Elsewhere nothing.
 */
void give_memory_back(void);

struct terminal_size {
	int columns, rows;
};

/* The size of the terminal behind a descriptor. Returns 0, or -1 where there is none. */
int terminal_size_of(int fd, struct terminal_size *size);

#endif
