/* measure.c - see measure.h. */
#define _GNU_SOURCE
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE); /* what was started gets SIGKILL with it: PR_SET_PDEATHSIG */
}

void measure_enter_network(const char *range)
{
	struct ifreq request;
	int fd;

	if (unshare(CLONE_NEWNET) == -1)
		die("a network of its own");
	memset(&request, 0, sizeof request);
	strcpy(request.ifr_name, "lo");
	request.ifr_flags = IFF_UP;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &request) == -1)
		die("bring loopback up");
	(void)close(fd);
	if (range == NULL)
		return;
	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);
	if (fd == -1 || write(fd, range, strlen(range)) == -1)
		die("set the range of ephemeral ports");
	(void)close(fd);
}

void measure_pin(void)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof allowed, &allowed) == -1)
		die("sched_getaffinity");
	int last = CPU_SETSIZE - 1;
	while (last > 0 && !CPU_ISSET(last, &allowed))
		last--;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	if (sched_setaffinity(0, sizeof one, &one) == -1)
		die("sched_setaffinity");
}

void measure_need_descriptors(long needed)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < (rlim_t)needed) {
		errno = EMFILE;
		die("so many connections");
	}
}

pid_t measure_start(char **command, const char *output)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == -1)
		die("fork");
	if (pid > 0)
		return pid;
	int fd = open(output != NULL ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || dup2(fd, STDOUT_FILENO) == -1)
		die("its output");
	(void)close(fd);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	execvp(command[0], command);
	die(command[0]);
	return -1;
}

void measure_await_listener(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	double deadline = wall_seconds() + 5;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd == -1)
			die("socket");
		int result = connect(fd, (struct sockaddr *)&name, sizeof name);
		(void)close(fd);
		if (result == 0)
			return;
		if (wall_seconds() > deadline)
			die("nobody listens");
		(void)usleep(1000);
	}
}

double measure_stop(pid_t pid)
{
	struct rusage usage;

	(void)kill(pid, SIGTERM);
	if (wait4(pid, NULL, 0, &usage) == -1)
		die("wait4");
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) == -1)
		die("clock_gettime");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double wall_seconds(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double cpu_seconds(pid_t pid)
{
	clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;

	if (pid != 0 && clock_getcpuclockid(pid, &clock) != 0)
		die("clock_getcpuclockid");
	return seconds_of(clock);
}

/* Of one process. Memory that fork() shares counts in parts: Pss, not Rss. */
static long memory_of(long pid)
{
	char path[64], line[256];
	long kilobytes = -1;

	snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		die(path);
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "Pss_Anon: %ld kB", &kilobytes) == 1)
			break;
	(void)fclose(file);
	if (kilobytes == -1)
		die("Pss_Anon");
	return kilobytes * 1024;
}

long memory_bytes(pid_t pid)
{
	char path[64];
	long total = memory_of((long)pid), child;

	snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
	FILE *file = fopen(path, "r");
	while (file != NULL && fscanf(file, "%ld", &child) == 1)
		total += memory_of(child);
	if (file != NULL)
		(void)fclose(file);
	return total;
}

static int compare(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;

	return (difference > 0) - (difference < 0);
}

double percentile(double *values, size_t count, double share)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof *values, compare);
	size_t index = (size_t)(share * (double)count);
	return values[index < count ? index : count - 1];
}
