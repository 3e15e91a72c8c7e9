/*
 * listener.h - the server's end of the story before any client comes: a socket is made, a
 * port is bound, and for TCP the socket listens.
 */
#ifndef PORTLAB_SERVER_LISTENER_H
#define PORTLAB_SERVER_LISTENER_H

#include "kit/explain.h"
#include "options.h"

/*
 * Opens the socket that `options` asks for and narrates each step. Returns its descriptor,
 * which does not block, with *name read back from the kernel; or -1 after the failure has
 * been explained.
 */
int listener_open(const struct options *options, struct endpoint *name);

/* Says that the service is up: only after listen(), with the address read back. */
void listener_announce(const struct endpoint *name);

#endif
