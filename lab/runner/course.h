/* course.h - the exercises that there are: found by their files, read when they are wanted. */
#ifndef PORTLAB_COURSE_H
#define PORTLAB_COURSE_H

#include "runner/worksheet.h"

enum { EXERCISES_MOST = 100 };

struct course {
	int numbers[EXERCISES_MOST]; /* ascending */
	size_t count;
};

/* Looks which there are. Returns 0, or -1 (said). */
int course_find(struct course *course);

/* Reads one. NULL where there is none of that number, or it has a mistake (said). */
struct worksheet *course_read(int number);

/*
 * The number in an argument of the command line, "5" or "05". Returns 0, or -1 where it is
 * none of the course (said).
 */
int course_number(const struct course *course, const char *text, int *number);

#endif
