/*
 * progress.h - what this account has done of the course: one plain text file, replaced as a
 * whole, $XDG_STATE_HOME/portlab/progress (by default ~/.local/state/portlab/progress).
 *
 * A file that cannot be understood is set aside as progress.damaged, with a message, and a
 * new one is begun. No symbolic link is followed to it.
 *
 * Source: XDG Base Directory Specification; POSIX rename (atomic).
 */
#ifndef PORTLAB_PROGRESS_H
#define PORTLAB_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct progress_entry {
	int number;         /* of the exercise */
	int reached;        /* line of the page at which it was left; 0: not begun, or at its end */
	bool played;        /* to the end */
	unsigned predicted; /* predictions made in the last play */
	unsigned right;     /* of them */
	unsigned attempts;  /* checks asked for */
	unsigned hints;     /* hints seen */
	long seconds;       /* spent in lab run, not counting pauses of more than ten minutes */
	time_t passed;      /* when the check was passed first; 0: not yet */
};

enum { PROGRESS_MOST = 128 };

struct progress {
	struct progress_entry entries[PROGRESS_MOST]; /* ascending by number */
	size_t count;
};

/* The directory; made if it is missing. Returns 0, or -1 where there is none (said). */
int progress_directory(char *path, size_t size);

/* Reads it. Where there is none it is empty. Returns 0, or -1 where it cannot be read (said).
 */
int progress_read(struct progress *progress);

/* The file itself. Return false where it is not what this program writes, or on an error. */
bool progress_parse(FILE *file, struct progress *progress);
bool progress_print(FILE *file, const struct progress *progress);

/* The entry of an exercise; one that says "nothing yet" where there is none. */
struct progress_entry progress_of(const struct progress *progress, int number);

/*
 * Reads, lets the function change the entry of an exercise, and writes, with no other program
 * in between. Returns 0, or -1 where it could not be written (said).
 */
int progress_change(int number, void (*change)(struct progress_entry *entry, void *argument),
                    void *argument);

/* Forgets one exercise, or all of them (number -1). Returns 0, or -1 (said). */
int progress_forget(int number);

/* "2026-11-20T21:04:00Z" */
enum { TIME_TEXT_SIZE = 24 };
void time_format(time_t time, char text[TIME_TEXT_SIZE]);

#endif
