/* coach.h - "your turn": is it done, what helps, what would have been a way. */
#ifndef PORTLAB_COACH_H
#define PORTLAB_COACH_H

#include "runner/play.h"

/*
 * Looks whether every check of the worksheet holds now, in the private network of lab shell if
 * one is open, else in this one; tells what was found. Returns 0 if it is done, 1 if not yet,
 * 77 where this system does not show what must be looked at.
 */
int coach_check(const struct worksheet *worksheet);

/* The end of a play for a student: "Your turn" with checks and hints, then the review. */
enum play_result coach_turn(struct player *player);

#endif
