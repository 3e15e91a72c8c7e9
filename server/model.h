/*
 * model.h - the ways to serve many clients, one table. Each model decides only who waits
 * for which descriptor; the conversation itself is in session.c.
 */
#ifndef PORTLAB_SERVER_MODEL_H
#define PORTLAB_SERVER_MODEL_H

#include <stddef.h>

struct service;

struct model {
	const char *name;
	const char *idea; /* in one line */
	/*
	 * Serves until it is asked to stop, then closes everything in order. Returns 0, or -1
	 * with errno. NULL: not on this system.
	 */
	int (*run)(struct service *service);
};

extern const struct model model_iterative, model_fork, model_thread, model_poll, model_epoll;

/* The models that this system has, the default one last. */
const struct model *const *models(size_t *count);

const struct model *model_default(void);

/* Their names, "iterative, fork, ...", for help and errors. Static storage. */
const char *model_names(void);

/* The model of that name, or NULL where there is none here. */
const struct model *model_find(const char *name);

#endif
