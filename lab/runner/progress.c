/* progress.c - see progress.h. */
#include "runner/progress.h"

#include "kit/narrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char header[] = "portlab progress 1\n";

/* ---- where ---- */

/* Makes every directory on the way. Returns 0, or -1 with errno. */
static int make_directories(char *path)
{
	int refused = 0; /* the reason may lie higher up than the last one */

	for (char *slash = path + 1; *slash != '\0'; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		int made = mkdir(path, 0700);
		*slash = '/';
		if (made == -1 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return -1;
		if (made == -1 && errno != EEXIST)
			refused = errno;
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	errno = errno == ENOENT && refused != 0 ? refused : errno;
	return -1;
}

/*
 * What is written there must not lead elsewhere: where others may write, or through somebody
 * else's link. Returns 0, or -1 (said).
 */
static int check_directory(const char *path)
{
	static bool said; /* once is enough */
	struct stat status;
	const char *wrong = NULL;

	if (lstat(path, &status) == -1)
		wrong = strerror(errno);
	else if (!S_ISDIR(status.st_mode))
		wrong = "it is no directory";
	else if (status.st_uid != geteuid())
		wrong = "it belongs to another account (sudo -H takes root's own)";
	else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		wrong = "others may write to it (chmod go-w)";
	if (wrong != NULL && !said)
		complain("cannot write %s/: %s", path, wrong);
	said = wrong != NULL;
	return wrong != NULL ? -1 : 0;
}

/* Directories that root makes on the way are root's: whose home it is could not use them. */
static bool is_anothers_home(const char *home, const char *path)
{
	struct stat status;

	return geteuid() == 0 && lstat(path, &status) == -1 && stat(home, &status) == 0 &&
	       status.st_uid != 0;
}

int progress_directory(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int length;

	if (state != NULL && state[0] == '/') { /* the specification ignores other values */
		home = state;
		length = snprintf(path, size, "%s/portlab", state);
	} else if (home != NULL && home[0] == '/')
		length = snprintf(path, size, "%s/.local/state/portlab", home);
	else
		length = -1;
	if (length < 0 || (size_t)length >= size) {
		complain("no place to keep what you have done: neither XDG_STATE_HOME nor HOME is set");
		return -1;
	}
	if (is_anothers_home(home, path)) {
		complain("cannot make %s: %s is another account's (sudo -H takes root's own)", path,
		         home);
		return -1;
	}
	if (make_directories(path) == -1) {
		complain("cannot make the directory %s: %s", path, strerror(errno));
		return -1;
	}
	return check_directory(path);
}

static int file_path(const char *name, char *path, size_t size)
{
	if (progress_directory(path, size - 32) == -1)
		return -1;
	size_t length = strlen(path);
	snprintf(path + length, size - length, "/%s", name);
	return 0;
}

/* ---- reading ---- */

void time_format(time_t time, char text[TIME_TEXT_SIZE])
{
	struct tm utc;

	if (gmtime_r(&time, &utc) == NULL ||
	    strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		strcpy(text, "-");
}

/* "name 12" at the beginning of *line, which is moved behind it; false where it is not. */
static bool take_number(const char **line, const char *name, long long most, long long *number)
{
	size_t length = strlen(name);
	char *end = NULL;

	if (strncmp(*line, name, length) != 0 || (*line)[length] < '0' || (*line)[length] > '9')
		return false;
	errno = 0;
	*number = strtoll(*line + length, &end, 10);
	if (errno != 0 || *number > most)
		return false;
	*line = end;
	return true;
}

/* A whole line of the file. Returns false where it is not one. */
static bool parse_entry(const char *line, struct progress_entry *entry)
{
	enum { NUMBERS = 9 };
	static const struct {
		const char *name;
		long long most;
	} fields[NUMBERS] = {
	    {"exercise ", 999},       {" reached ", 1 << 20},   {" played ", 1},
	    {" predicted ", 1000000}, {" right ", 1000000},     {" attempts ", 1000000000},
	    {" hints ", 1000},        {" seconds ", INT32_MAX}, {" passed ", INT64_MAX / 2},
	};
	long long numbers[NUMBERS];

	for (size_t i = 0; i < NUMBERS; i++)
		if (!take_number(&line, fields[i].name, fields[i].most, &numbers[i]))
			return false;
	*entry = (struct progress_entry){
	    .number = (int)numbers[0],
	    .reached = (int)numbers[1],
	    .played = numbers[2] == 1,
	    .predicted = (unsigned)numbers[3],
	    .right = (unsigned)numbers[4],
	    .attempts = (unsigned)numbers[5],
	    .hints = (unsigned)numbers[6],
	    .seconds = (long)numbers[7],
	    .passed = (time_t)numbers[8],
	};
	return strcmp(line, "\n") == 0 && entry->right <= entry->predicted;
}

bool progress_parse(FILE *file, struct progress *progress)
{
	char line[256];

	memset(progress, 0, sizeof *progress);
	if (fgets(line, sizeof line, file) == NULL || strcmp(line, header) != 0)
		return false;
	while (fgets(line, sizeof line, file) != NULL) {
		struct progress_entry entry;
		if (!parse_entry(line, &entry) || progress->count == PROGRESS_MOST ||
		    (progress->count > 0 &&
		     progress->entries[progress->count - 1].number >= entry.number))
			return false;
		progress->entries[progress->count++] = entry;
	}
	return ferror(file) == 0;
}

static void set_aside(const char *path)
{
	char aside[1100];
	struct stat status;

	snprintf(aside, sizeof aside, "%s.damaged", path);
	for (int i = 2; i < 100 && lstat(aside, &status) == 0; i++)
		snprintf(aside, sizeof aside, "%s.damaged-%d", path, i);
	if (rename(path, aside) == 0)
		complain("%s is damaged; it is now %s, and a new one is begun", path, aside);
	else
		complain("%s is damaged and cannot be set aside: %s", path, strerror(errno));
}

int progress_read(struct progress *progress)
{
	char path[1024];

	memset(progress, 0, sizeof *progress);
	if (file_path("progress", path, sizeof path) == -1)
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT)
		return 0;
	FILE *file = fd != -1 ? fdopen(fd, "r") : NULL;
	if (file == NULL) {
		complain("cannot read %s: %s", path, strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	bool understood = progress_parse(file, progress);
	(void)fclose(file);
	if (!understood) {
		memset(progress, 0, sizeof *progress);
		set_aside(path);
	}
	return 0;
}

static struct progress_entry *find(struct progress *progress, int number)
{
	for (size_t i = 0; i < progress->count; i++)
		if (progress->entries[i].number == number)
			return &progress->entries[i];
	return NULL;
}

struct progress_entry progress_of(const struct progress *progress, int number)
{
	for (size_t i = 0; i < progress->count; i++)
		if (progress->entries[i].number == number)
			return progress->entries[i];
	return (struct progress_entry){.number = number};
}

/* ---- writing ---- */

bool progress_print(FILE *file, const struct progress *progress)
{
	fputs(header, file);
	for (size_t i = 0; i < progress->count; i++) {
		const struct progress_entry *entry = &progress->entries[i];
		fprintf(file,
		        "exercise %d reached %d played %d predicted %u right %u attempts %u hints %u "
		        "seconds %ld passed %lld\n",
		        entry->number, entry->reached, entry->played ? 1 : 0, entry->predicted,
		        entry->right, entry->attempts, entry->hints, entry->seconds,
		        (long long)entry->passed);
	}
	return fflush(file) == 0 && ferror(file) == 0;
}

/* A new file, whole and on the disk, takes the place of the old one. */
static int write_all(const struct progress *progress)
{
	char path[1024], draft[1100];

	if (file_path("progress", path, sizeof path) == -1)
		return -1;
	snprintf(draft, sizeof draft, "%s.new", path);
	(void)unlink(draft); /* of somebody who was interrupted; the lock is ours */
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd != -1 ? fdopen(fd, "w") : NULL;
	bool written = file != NULL && progress_print(file, progress) && fsync(fileno(file)) == 0;
	int error = errno;
	if (file != NULL)
		written = fclose(file) == 0 && written;
	if (written && rename(draft, path) == 0)
		return 0;
	complain("cannot write %s: %s", path, strerror(written ? errno : error));
	(void)unlink(draft);
	return -1;
}

/* One program at a time. Returns the lock's descriptor, or -1 (said). */
static int lock(void)
{
	char path[1024];
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (file_path("progress.lock", path, sizeof path) == -1)
		return -1;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (fd != -1 && fcntl(fd, F_SETLKW, &whole) == -1 && errno == EINTR)
		continue;
	if (fd == -1)
		complain("cannot write %s: %s", path, strerror(errno));
	return fd;
}

static int compare_entries(const void *one, const void *other)
{
	return ((const struct progress_entry *)one)->number -
	       ((const struct progress_entry *)other)->number;
}

int progress_change(int number, void (*change)(struct progress_entry *entry, void *argument),
                    void *argument)
{
	struct progress progress;
	int fd = lock();

	if (fd == -1)
		return -1;
	int result = progress_read(&progress);
	struct progress_entry *entry = find(&progress, number);
	if (result == 0 && entry == NULL && progress.count < PROGRESS_MOST) {
		entry = &progress.entries[progress.count++];
		*entry = (struct progress_entry){.number = number};
	}
	if (entry != NULL) {
		change(entry, argument);
		qsort(progress.entries, progress.count, sizeof progress.entries[0], compare_entries);
		result = write_all(&progress);
	}
	(void)close(fd);
	return result;
}

int progress_forget(int number)
{
	struct progress progress;
	size_t kept = 0;
	int fd = lock();

	if (fd == -1)
		return -1;
	int result = progress_read(&progress);
	for (size_t i = 0; i < progress.count; i++)
		if (number != -1 && progress.entries[i].number != number)
			progress.entries[kept++] = progress.entries[i];
	progress.count = kept;
	if (result == 0)
		result = write_all(&progress);
	(void)close(fd);
	return result;
}
