/* guardian_linux.c - see guardian.h. Twin: guardian_posix.c. */
#include "runner/guardian.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The parent of a process, or -1. Its name, in parentheses, may hold anything. */
static long parent_of(const char *pid)
{
	char path[64], line[512];
	long parent = -1;

	snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return -1;
	const char *read = fgets(line, sizeof line, file);
	const char *end = read != NULL ? strrchr(line, ')') : NULL;
	if (end == NULL || sscanf(end + 1, " %*c %ld", &parent) != 1)
		parent = -1;
	(void)fclose(file);
	return parent;
}

static void kill_children(void)
{
	DIR *processes = opendir("/proc");
	long self = (long)getpid();

	if (processes == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(processes)) != NULL;)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    parent_of(entry->d_name) == self)
			(void)kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
	(void)closedir(processes);
}

void guardian_end_all(void)
{
	/* The children of a child that ended are this process's children from then on. */
	for (;;) {
		kill_children();
		if (waitpid(-1, NULL, 0) == -1 && errno != EINTR)
			return;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

/* Ends as the worker did, so that a shell sees the same. */
static void end_as(int status)
{
	sigset_t all;

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	(void)signal(WTERMSIG(status), SIG_DFL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	(void)raise(WTERMSIG(status));
	_exit(128 + WTERMSIG(status));
}

/* Returns the worker's status as wait() gives it. */
static int guard(pid_t worker, const sigset_t *signals)
{
	siginfo_t signal_info;
	int status = 0;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)signal(SIGQUIT, SIG_IGN);
	while (waitpid(worker, &status, WNOHANG) != worker) {
		int number = sigwaitinfo(signals, &signal_info);
		bool by_keyboard = number == SIGINT && signal_info.si_code == SI_KERNEL;
		if (number > 0 && number != SIGCHLD && !by_keyboard) /* the worker has that one too */
			(void)kill(worker, number);
	}
	guardian_end_all();
	return status;
}

void guardian_watch_again(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

int guardian_begin(void (*last)(void *argument), void *argument)
{
	sigset_t signals, before;
	pid_t guardian = getpid();

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	pid_t worker = fork();
	if (worker > 0) {
		int status = guard(worker, &signals);
		if (last != NULL)
			last(argument);
		end_as(status);
	}
	if (worker == 0) {
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		guardian_watch_again();
		if (getppid() != guardian) /* it died before it could be watched */
			_exit(EXIT_FAILURE);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return worker == 0 ? 0 : -1;
}
