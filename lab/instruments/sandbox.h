/*
 * sandbox.h - a private network: a network namespace with loopback up, in which every port
 * is free and nobody is disturbed, made by system calls and without being root.
 *
 * Two parts can be played in it. SANDBOX_ORDINARY is the account as it is outside, without
 * any power over this network: a system port is refused. SANDBOX_ADMIN is root of this
 * network, and of nothing else.
 *
 * How: an ordinary account makes a user namespace, whose root it is, and in it the network.
 * The ordinary part is played in a second user namespace below, which has no power over the
 * first one's network; all who play it share that one, so that they see each other's
 * processes as they would outside. Real root needs no user namespace; it plays the ordinary
 * part as another account (that of SUDO_UID, else nobody).
 *
 * A sandbox lasts as long as a process is in it, or a struct sandbox is open. Nothing is left
 * in the file system.
 *
 * Source: user_namespaces(7), network_namespaces(7), setns(2), netdevice(7). The portable
 * twin has none: every call fails with ENOTSUP.
 */
#ifndef PORTLAB_SANDBOX_H
#define PORTLAB_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum sandbox_part { SANDBOX_ORDINARY, SANDBOX_ADMIN };

struct sandbox {
	int net_fd;      /* of its network namespace; -1: this machine's own network */
	int admin_fd;    /* of the user namespace that owns it; -1 where real root made it */
	int ordinary_fd; /* of the one below, which owns nothing; -1 as well */
};

/* Stands for the network in which this program runs. */
#define SANDBOX_NONE ((struct sandbox){-1, -1, -1})

struct sandbox_refusal {
	const char *call; /* what was refused */
	int error;        /* errno */
};

/* Makes a new one. Returns 0, or -1 with what was refused. */
int sandbox_create(struct sandbox *sandbox, struct sandbox_refusal *refusal);

/* The one in which the process plays the ordinary part. Returns 0, or -1 with errno. */
int sandbox_of_process(pid_t pid, struct sandbox *sandbox);

void sandbox_close(struct sandbox *sandbox);

/*
 * Moves this process into it, for good. Returns 0, or -1 with what was refused. With
 * SANDBOX_NONE the part must be ordinary, and nothing happens; but real root becomes an
 * ordinary account there, too.
 */
int sandbox_enter(const struct sandbox *sandbox, enum sandbox_part part,
                  struct sandbox_refusal *refusal);

/*
 * Whether this is real root, who can become another account; and the account as which it
 * plays the ordinary part.
 */
bool sandbox_by_root(void);
uid_t sandbox_ordinary_uid(void);

/*
 * Why it was refused, and what the administrator of this machine could set; both static text,
 * asked of this machine's settings.
 */
void sandbox_reason(const struct sandbox_refusal *refusal, const char **why,
                    const char **advice);

/*
 * Calls the function with its argument in a child that has entered the sandbox, and waits for
 * it. Returns what the function returned (0 to 100), or -1 with what was refused.
 */
int sandbox_call(const struct sandbox *sandbox, enum sandbox_part part,
                 int (*function)(void *argument), void *argument,
                 struct sandbox_refusal *refusal);

/* For sandbox_call(): 0 if packets may be watched there, else 1. */
int sandbox_watches_packets(void *unused);

#endif
