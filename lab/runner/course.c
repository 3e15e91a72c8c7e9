/* course.c - see course.h. */
#include "runner/course.h"

#include "kit/narrate.h"
#include "kit/text.h"
#include "runner/surroundings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "05-the-clients-port.md": two digits at least, a dash, the ending. Returns -1 for others. */
static int number_in_name(const char *name)
{
	size_t digits = strspn(name, "0123456789"), length = strlen(name);

	if (digits < 2 || digits > 3 || name[digits] != '-' || length < digits + 5 ||
	    strcmp(name + length - 3, ".md") != 0)
		return -1;
	return (int)strtol(name, NULL, 10);
}

static int compare_numbers(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

int course_find(struct course *course)
{
	char path[1024];

	course->count = 0;
	if (find_exercises(path, sizeof path) == -1)
		return -1;
	DIR *directory = opendir(path);
	if (directory == NULL) {
		complain("cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	errno = 0; /* readdir() says by it whether it came to the end */
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL; errno = 0) {
		int number = number_in_name(entry->d_name);
		if (number >= 0 && course->count < EXERCISES_MOST)
			course->numbers[course->count++] = number;
	}
	int error = errno;
	(void)closedir(directory);
	if (error != 0) {
		complain("cannot read %s: %s", path, strerror(error));
		return -1;
	}
	qsort(course->numbers, course->count, sizeof course->numbers[0], compare_numbers);
	for (size_t i = 1; i < course->count; i++)
		if (course->numbers[i] == course->numbers[i - 1]) {
			complain("%s: two files have the number %d", path, course->numbers[i]);
			return -1;
		}
	return 0;
}

/* The file of that number. Returns 0, or -1 (said). */
static int find_file(int number, char *path, size_t size)
{
	if (find_exercises(path, size) == -1)
		return -1;
	size_t length = strlen(path);
	DIR *directory = opendir(path);
	bool found = false;
	int error = directory == NULL ? errno : 0;
	while (directory != NULL && !found) {
		errno = 0;
		const struct dirent *entry = readdir(directory);
		error = errno;
		if (entry == NULL)
			break;
		if (number_in_name(entry->d_name) == number) {
			snprintf(path + length, size - length, "/%s", entry->d_name);
			found = true;
		}
	}
	if (directory != NULL)
		(void)closedir(directory);
	if (!found && error != 0)
		complain("cannot read %s: %s", path, strerror(error));
	else if (!found)
		complain("there is no exercise %d; lab lists them", number);
	return found ? 0 : -1;
}

struct worksheet *course_read(int number)
{
	char path[1400];
	struct worksheet_error error;

	if (find_file(number, path, sizeof path) == -1)
		return NULL;
	struct worksheet *worksheet = worksheet_read(path, &error);
	if (worksheet == NULL && error.line > 0)
		complain("%s:%d: %s", path, error.line, error.words);
	else if (worksheet == NULL)
		complain("cannot read %s: %s", path, error.words);
	return worksheet;
}

int course_number(const struct course *course, const char *text, int *number)
{
	char quoted[80];
	long value;

	if (number_parse(text, &value) == 0)
		for (size_t i = 0; i < course->count; i++)
			if (course->numbers[i] == value) {
				*number = (int)value;
				return 0;
			}
	complain("there is no exercise '%s'; lab lists them",
	         text_escape(text, strlen(text), quoted, sizeof quoted));
	return -1;
}
