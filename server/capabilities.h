/*
 * capabilities.h - the parts of root's power, which Linux gives out one by one. A process can
 * have some of them whatever its uid is.
 *
 * Source: capabilities(7), PR_SET_NO_NEW_PRIVS(2const). The portable twin has none.
 */
#ifndef PORTLAB_SERVER_CAPABILITIES_H
#define PORTLAB_SERVER_CAPABILITIES_H

#include <stdbool.h>

/*
 * Gives up all of them, and the way to any: also a set-user-ID program that this process might
 * start gives it nothing more. Returns 0, or -1 with errno.
 */
int capabilities_drop(void);

/* Whether the kernel says that there is one: in use, in reserve, or to be inherited. */
bool capabilities_held(void);

#endif
