/*
 * surroundings.h - where a worksheet is played: the network, an empty directory of its own,
 * and the programs of the suite under their short names.
 */
#ifndef PORTLAB_SURROUNDINGS_H
#define PORTLAB_SURROUNDINGS_H

#include "runner/terminal.h"
#include "runner/worksheet.h"

/*
 * Finds the directory with server, client and lab, and the one with the exercises: beside
 * this program, or where it is installed. Return 0, or -1 (said).
 */
int find_programs(char *path, size_t size);
int find_exercises(char *path, size_t size);

/*
 * The directory for everything that is played, removed by surroundings_remove(): with a
 * guardian, it does that even if this process is killed. Returns 0, or -1 (said).
 */
int surroundings_prepare(void);
void surroundings_remove(void *unused);

/*
 * A place for one play: a fresh network where it wants one, an empty directory. Returns 0; or
 * -1 where the network is refused, with the reason, everything undone.
 */
int surroundings_make(struct surroundings *surroundings, enum worksheet_network network,
                      struct sandbox_refusal *refusal);
void surroundings_leave(struct surroundings *surroundings);

/* Whether a program can be found by its name there, or "ipv6" works. */
bool surroundings_have(const struct surroundings *surroundings, const char *name);

#endif
