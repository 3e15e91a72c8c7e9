/*
 * guardian.h - nothing that the runner starts outlives it, whatever happens to it: its end,
 * Ctrl-C, a closed terminal, SIGKILL.
 *
 * Two processes watch each other. The guardian only waits; the worker does everything. If the
 * worker is killed, all that it had started becomes the guardian's children, who ends them.
 * If the guardian is killed, the kernel tells the worker, who ends them and itself.
 *
 * Source: prctl(2), PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG. In the portable build there
 * is neither: there the worker does what it can by itself.
 */
#ifndef PORTLAB_GUARDIAN_H
#define PORTLAB_GUARDIAN_H

/*
 * Divides this process in two. Returns in the worker: 0, or -1 with errno. The guardian never
 * returns: it ends as the worker ended, after calling `last` with its argument, if set.
 */
int guardian_begin(void (*last)(void *argument), void *argument);

/* In the worker, after it has become another account: the kernel forgets then to tell it. */
void guardian_watch_again(void);

/* Ends every process that this one started, and theirs, and waits until they are gone. */
void guardian_end_all(void);

#endif
