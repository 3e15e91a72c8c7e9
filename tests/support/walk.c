/*
 * walk.c - walks the error paths of the three programs: runs small scenes of their use again
 * and again, and each time lets one call fail in one way (interposer.c).
 *
 *   walk [-n MOST] [-e ERRORS] [-j JOBS] [-v] BIN INTERPOSER ERRNOS SCENE...
 *
 * Each of the first MOST calls of a kind fails with each of the first ERRORS errors that
 * ERRNOS lists. Whatever happens, the program must end in time, not by a signal, with one of
 * its own statuses; say what failed, or give its whole service; and not go round in circles.
 * One line for each path where it does not, and one with the sums at the end. A scene that
 * does not exist lists them all. "walk -l BIN INTERPOSER ERRNOS SCENE" counts the calls.
 */
#define _GNU_SOURCE
#include "interposer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	DEADLINE_MS = 30000,
	CPU_SECONDS = 10,
	/* So many more calls than without a fault are going round in circles. */
	CIRCLES = 20000,
	CIRCLES_LAB = 200000, /* in a private network lab looks at every descriptor there may be */
	TEXT = 65536
};

/* ---- the scenes ---- */

enum kind { SERVER, SERVER_HANGS_UP, SERVER_UDP, CLIENT, LAB };

/* In words, @ is the port of a server that runs meanwhile, % of one for UDP; 3307 is silent. */
struct scene {
	const char *name;
	enum kind kind;
	const char *words;
	bool only_verbs;     /* states and times differ from run to run */
	bool tells_failures; /* what fails is what it is asked for: on standard output */
	int status;          /* its usual one */
};

static const struct scene scenes[] = {
    {"server-iterative", SERVER, "-m iterative 0", false, false, 0},
    {"server-fork", SERVER, "-m fork 0", false, false, 0},
    {"server-thread", SERVER, "-m thread 0", false, false, 0},
    {"server-poll", SERVER, "-m poll 0", false, false, 0},
    {"server-epoll", SERVER, "-m epoll 0", false, false, 0},
    {"server-json", SERVER, "--json --reuseport --idle 60 -b localhost 0", false, false, 0},
    {"server-quiet", SERVER, "-q 0", false, false, 0},
    {"server-hang-up", SERVER_HANGS_UP, "--hang-up 0", false, false, 0},
    {"server-user", SERVER, "--user nobody 0", false, false, 0},
    {"server-udp", SERVER_UDP, "-u 0", false, false, 0},
    {"client", CLIENT, "-m hello @", true, false, 0},
    {"client-quiet", CLIENT, "-q -m hello -m world @", false, false, 0},
    {"client-swarm", CLIENT, "-n 3 --hold 0.05 localhost @", true, false, 0},
    {"client-many", CLIENT, "-q -n 5 -c 2 --plot @", true, false, 0},
    {"client-interactive", CLIENT, "-q -i @", false, false, 0},
    {"client-half-close", CLIENT, "--half-close -m x @", true, false, 0},
    {"client-reset", CLIENT, "--reset -m x @", true, false, 0},
    {"client-own-port", CLIENT, "-s 127.0.0.1 -m x @", true, false, 0},
    {"client-udp", CLIENT, "-q -u -m hello %", false, false, 0},
    {"client-json", CLIENT, "--json -m hello @", true, false, 0},
    {"client-refused", CLIENT, "-p 9999 9", false, false, 1},
    {"lab-list", LAB, "", false, false, 0},
    {"lab-ports", LAB, "ports", false, false, 0},
    {"lab-port", LAB, "ports 80 @", false, false, 0},
    {"lab-search", LAB, "ports --search mysql", false, false, 0},
    {"lab-sockets", LAB, "sockets --explain", false, false, 0},
    {"lab-sockets-json", LAB, "sockets --json listen", false, false, 0},
    {"lab-scan", LAB, "scan 127.0.0.1 1-100", true, false, 0},
    {"lab-scan-silent", LAB, "scan -t 0.1 127.0.0.1 3307", true, false, 0},
    {"lab-doctor", LAB, "doctor", true, true, 0},
    {"lab-show", LAB, "show 5", false, false, 0},
    {"lab-key", LAB, "show --key 5", false, false, 0},
    {"lab-check", LAB, "check 5", false, false, 1},
    {"lab-hint", LAB, "hint 5", false, false, 0},
    {"lab-report", LAB, "report --csv", false, false, 0},
    {"lab-reset", LAB, "reset 5", false, false, 0},
    {"lab-watch", LAB, "watch --once", true, false, 0},
    {"lab-run", LAB, "run --auto 2", false, false, 0},
    {"lab-wire", LAB, "wire @ -- client -q -m x @", true, false, 0},
    {"lab-shell", LAB, "shell -- true", false, false, 0},
};

enum { SCENES = sizeof scenes / sizeof scenes[0] };

/* ---- what is to be walked ---- */

struct path {
	const struct scene *scene;
	enum fault_call call;
	unsigned number;
	bool on; /* and all after it */
	char error[24];
};

static struct path *paths;
static size_t path_count, path_room;

/* What a scene does without a fault. */
struct usual {
	struct fault_log log;
	int status;
	char out[TEXT];
};

static struct usual usual[SCENES];

/* What all workers count together. */
struct sums {
	_Atomic size_t next;
	_Atomic unsigned walked, crashes, hangs, silent, accepted, calls;
	_Atomic bool call_seen[SCENES][FAULT_CALL_COUNT];
};

static struct sums *sums;

static const char *bin, *interposer;
static unsigned most_calls = 2, most_errors = 1, jobs = 1;
static bool verbose;

static _Noreturn void die(const char *words)
{
	fprintf(stderr, "walk: %s: %s\n", words, strerror(errno));
	exit(2);
}

static void *shared_page(size_t size, int fd)
{
	int flags = fd == -1 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (page == MAP_FAILED)
		die("mmap");
	return page;
}

/* ---- this worker's place, and the servers that run beside ---- */

static const char *directory; /* where the places are: TMPDIR */
static char place[256];
static struct fault_log *fault_log;
static uint16_t tcp_port, udp_port;
static pid_t beside[3];

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void rest(void)
{
	nanosleep(&(struct timespec){0, 700000}, NULL);
}

/* The file of that name in this worker's place. Returns its length; text is ended with 0. */
static size_t slurp(const char *name, char text[TEXT])
{
	char path[300];
	ssize_t length = 0;

	snprintf(path, sizeof path, "%s/%s", place, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		length = read(fd, text, TEXT - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}

static void redirect(const char *name, int flags, int target)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", place, name);
	int fd = open(path, flags, 0644);
	if (fd == -1 || dup2(fd, target) == -1)
		_exit(125);
	if (fd != target)
		close(fd);
}

/* Splits words and puts the ports in. */
static void arguments_of(const char *program, const char *words, char text[512], char *list[24])
{
	size_t length = 0, count = 0;

	list[count++] = strcpy(text, program);
	length = strlen(program) + 1;
	bool inside = false;
	for (; *words != '\0'; words++) {
		if (*words == ' ') {
			text[length++] = '\0';
			inside = false;
			continue;
		}
		if (!inside)
			list[count++] = text + length;
		inside = true;
		if (*words == '@' || *words == '%')
			length += (size_t)sprintf(text + length, "%u", *words == '@' ? tcp_port : udp_port);
		else
			text[length++] = *words;
	}
	text[length] = '\0';
	list[count] = NULL;
}

static void set_environment(const char *program, const char *fault)
{
	char text[1024];
	const char *before = getenv("WALK_PRELOAD"); /* a sanitizer's library must be first */

	snprintf(text, sizeof text, "%s %s", before != NULL ? before : "", interposer);
	setenv("LD_PRELOAD", text, 1);
	snprintf(text, sizeof text, "%s/log", place);
	setenv("FAULT_LOG", text, 1);
	setenv("FAULT_PROGRAM", program, 1);
	if (fault != NULL)
		setenv("FAULT", fault, 1);
}

/* Starts a program of ours, with output in NAME.out and NAME.err; watched: with the fault. */
static pid_t start(const char *name, const char *program, const char *words, bool watched,
                   const char *fault)
{
	char text[512], path[300], *list[24];
	const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};

	arguments_of(program, words, text, list);
	snprintf(path, sizeof path, "%s/%s.out", place, name);
	(void)unlink(path); /* an earlier run's "listening" must not be taken for this one's */
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	setpgid(0, 0);
	redirect("in", O_RDONLY, STDIN_FILENO);
	snprintf(path, sizeof path, "%s.out", name);
	redirect(path, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
	snprintf(path, sizeof path, "%s.err", name);
	redirect(path, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
	if (chdir(place) == -1)
		_exit(125);
	if (watched) {
		setrlimit(RLIMIT_CPU, &cpu);
		set_environment(program, fault);
	}
	snprintf(path, sizeof path, "%s/%s", bin, program);
	execv(path, list);
	_exit(125);
}

enum { HUNG = -1 };

/* Waits for its end. Returns its status as waitpid() gives it, or HUNG after ending it. */
static int await(pid_t pid, int64_t deadline)
{
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ms() > deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return HUNG;
		}
		rest();
	}
	kill(-pid, SIGKILL); /* whoever it left behind */
	return status;
}

/* Waits for "listening" in NAME.out. Returns the port, or 0 where the program has ended. */
static uint16_t await_listening(const char *name, pid_t pid)
{
	char file[64], *text = malloc(TEXT);
	int64_t deadline = now_ms() + DEADLINE_MS;
	uint16_t port = 0;
	siginfo_t info = {.si_pid = 0};

	snprintf(file, sizeof file, "%s.out", name);
	while (port == 0 && info.si_pid == 0 && now_ms() < deadline) {
		(void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
		slurp(file, text);
		const char *found = strstr(text, "listening");
		if (found != NULL && strstr(text, "\"listening\"") == NULL && found != text &&
		    found[-1] != '\n')
			found = NULL;
		found =
		    found != NULL && strchr(found, '\n') != NULL ? strstr(found, "127.0.0.1:") : NULL;
		if (found != NULL)
			port = (uint16_t)strtoul(found + 10, NULL, 10);
		if (port == 0)
			rest();
	}
	free(text);
	return port;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

/* A network of this worker's own, in which its ports are free and nobody else's are seen. */
static void make_network(void)
{
	static const char no_time_wait[] = "/proc/sys/net/ipv4/tcp_max_tw_buckets";
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	if (unshare(CLONE_NEWNET) == -1)
		die("no private network");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &loopback) == -1)
		die("loopback");
	close(fd);
	fd = open(no_time_wait, O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, "0", 1) != 1)
		die(no_time_wait);
	close(fd);
}

static void prepare_place(void)
{
	char path[300];

	make_network();

	snprintf(place, sizeof place, "%s/walk-XXXXXX", directory);
	if (mkdtemp(place) == NULL || chmod(place, 0755) == -1)
		die("mkdtemp");
	setenv("HOME", place, 1);
	setenv("XDG_STATE_HOME", place, 1);
	setenv("TMPDIR", place, 1);
	snprintf(path, sizeof path, "%s/in", place);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, "first\nsecond\n", 13) != 13)
		die(path);
	close(fd);
	snprintf(path, sizeof path, "%s/log", place);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	/* Whoever the program becomes goes on counting. */
	if (fd == -1 || ftruncate(fd, sizeof *fault_log) == -1 || fchmod(fd, 0666) == -1)
		die(path);
	fault_log = shared_page(sizeof *fault_log, fd);
	close(fd);
	beside[0] = start("tcp", "server", "3306", false, NULL);
	beside[1] = start("udp", "server", "-u 5353", false, NULL);
	beside[2] = start("silent", "server", "--fault no-answer 3307", false, NULL);
	tcp_port = await_listening("tcp", beside[0]);
	udp_port = await_listening("udp", beside[1]);
	if (tcp_port == 0 || udp_port == 0 || await_listening("silent", beside[2]) == 0)
		die("no server beside");
}

static void leave_place(void)
{
	for (int i = 0; i < 3; i++) {
		kill(beside[i], SIGKILL);
		waitpid(beside[i], NULL, 0);
	}
	reap();
	/* By the system's own rm: the place has a few files and perhaps what lab left there. */
	pid_t pid = fork();
	if (pid == 0)
		execlp("rm", "rm", "-rf", place, (char *)NULL);
	waitpid(pid, NULL, 0);
}

/* ---- clients that know what they must get ---- */

static int open_client(uint16_t port, int type, int patience_ms)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval patience = {patience_ms / 1000, patience_ms % 1000 * 1000};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A conversation: the greeting's line, the same bytes back, and the end. */
static bool is_served(int fd, const char *words, bool hangs_up)
{
	char text[256];
	size_t length = 0, head = 0;
	ssize_t count = 1;

	if (fd == -1)
		return false;
	if (!hangs_up && send(fd, words, strlen(words), MSG_NOSIGNAL) != (ssize_t)strlen(words))
		count = 0;
	shutdown(fd, SHUT_WR);
	while (count > 0 && length < sizeof text - 1) {
		count = recv(fd, text + length, sizeof text - 1 - length, 0);
		length += count > 0 ? (size_t)count : 0;
	}
	close(fd);
	text[length] = '\0';
	head = strcspn(text, "\n") + 1;
	return count == 0 && length > 6 && memcmp(text, "hello ", 6) == 0 && head <= length &&
	       strcmp(text + head, hangs_up ? "" : words) == 0;
}

static bool is_answered(int fd, const char *words)
{
	char text[256];

	if (fd == -1 || send(fd, words, strlen(words), 0) == -1)
		return false;
	ssize_t length = recv(fd, text, sizeof text - 1, 0);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	const char *end = strchr(text, '\n');
	return strncmp(text, "hello ", 6) == 0 && end != NULL && strcmp(end + 1, words) == 0;
}

/* ---- one run ---- */

struct outcome {
	int status;   /* of waitpid(), or HUNG */
	bool served;  /* server: all who came while the fault did its work */
	bool goes_on; /* and who came afterwards */
	char out[TEXT], err[TEXT];
};

static void use_server(const struct scene *scene, uint16_t port, int patience,
                       struct outcome *outcome)
{
	bool hangs_up = scene->kind == SERVER_HANGS_UP;
	int type = scene->kind == SERVER_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int one = open_client(port, type, patience), two = open_client(port, type, patience);

	if (scene->kind == SERVER_UDP) {
		bool first = is_answered(one, "one");
		outcome->served = is_answered(two, "two") && first;
		for (int i = 0; i < 2 && !outcome->goes_on; i++)
			outcome->goes_on = is_answered(open_client(port, type, patience), "then");
		return;
	}
	bool first = is_served(one, "one", hangs_up);
	bool second = is_served(two, "two", hangs_up);
	bool third = is_served(open_client(port, type, patience), "three", hangs_up);
	outcome->served = first && second && third;
	outcome->goes_on = third || is_served(open_client(port, type, patience), "then", hangs_up);
}

static void run(const struct scene *scene, const char *fault, int patience,
                struct outcome *outcome)
{
	static const char *const programs[] = {"server", "server", "server", "client", "lab"};
	int64_t deadline = now_ms() + DEADLINE_MS;

	char path[300];
	snprintf(path, sizeof path, "%s/portlab/progress", place);
	(void)unlink(path); /* each run is the first */
	memset(fault_log, 0, sizeof *fault_log);
	memset(outcome, 0, sizeof *outcome);
	pid_t pid = start("target", programs[scene->kind], scene->words, true, fault);
	if (scene->kind <= SERVER_UDP) {
		uint16_t port = await_listening("target", pid);
		if (port != 0) {
			use_server(scene, port, patience, outcome);
			kill(pid, SIGTERM);
		}
	}
	outcome->status = await(pid, deadline);
	slurp("target.out", outcome->out);
	slurp("target.err", outcome->err);
	reap();
}

/* ---- the judgement ---- */

/*
 * Of each line only its first word; of an object in JSON only its event. What went in two
 * pieces is told twice: once is enough.
 */
static void keep_verbs(char *text)
{
	char *to = text, *last = text;

	for (char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n"), blanks = strspn(line, " ");
		size_t word = blanks + strcspn(line + blanks, *line == '{' ? "," : " \n");
		char *next = line + length + (line[length] == '\n');
		if (blanks < 10) { /* a detail is told behind more */
			memmove(to, line, word);
			to[word] = '\n';
			bool again =
			    to > last && (size_t)(to - last) == word + 1 && memcmp(last, to, word + 1) == 0;
			if (!again) {
				last = to;
				to += word + 1;
			}
		}
		line = next;
	}
	*to = '\0';
}

/* What stays the same from run to run: no numbers, blanks once; or the first words only. */
static void normalise(char *text, bool only_verbs)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		char next = isdigit((unsigned char)*from) ? '#' : *from;
		if (only_verbs || !((next == '#' || next == ' ') && to > text && to[-1] == next))
			*to++ = next;
	}
	*to = '\0';
	if (only_verbs)
		keep_verbs(text);
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof errnos / sizeof errnos[0]; i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].number;
	return 0;
}

/* Whether the program has said that something failed. */
static bool tells(const struct outcome *outcome, const char *error)
{
	static const char *const words[] = {"cannot ",   "no descriptor", "out of memory",
	                                    "no answer", "no greeting",   "(RST)",
	                                    "not shown", "does not show", "not as the page says",
	                                    "skipped"};
	const char *texts[] = {outcome->out, outcome->err};
	int number = error_number(error);

	for (int i = 0; i < 2; i++) {
		if (strstr(texts[i], error) != NULL ||
		    (number > 0 && strstr(texts[i], strerror(number)) != NULL) ||
		    (number < 0 && strstr(texts[i], gai_strerror(number)) != NULL))
			return true;
		for (size_t j = 0; j < sizeof words / sizeof words[0]; j++)
			if (strstr(texts[i], words[j]) != NULL)
				return true;
	}
	return false;
}

static unsigned total(const struct fault_log *log)
{
	unsigned sum = 0;

	for (int i = 0; i < FAULT_CALL_COUNT; i++)
		sum += log->calls[i];
	return sum;
}

/* A client that cuts its connection is told of as long as anything is. */
static bool is_clients_affair(const struct path *path)
{
	return strncmp(path->scene->words, "-q", 2) == 0 &&
	       (strcmp(path->error, "EPIPE") == 0 || strcmp(path->error, "ECONNRESET") == 0 ||
	        strcmp(path->error, "ETIMEDOUT") == 0);
}

/*
 * What a program shows in its place, or leaves out, where it cannot be found out. That it is
 * so is in the manual: a name is a number, a process is "?", a range is not drawn.
 */
static bool is_accepted(const struct path *path)
{
	static const struct {
		const char *scene;
		enum fault_call call;
	} rows[] = {
	    {"lab-port", CALL_getservbyport},
	    {"lab-port", CALL_getpwuid},
	    {"lab-sockets", CALL_getpwuid},
	    {"lab-sockets-json", CALL_getpwuid},
	    {"lab-sockets", CALL_opendir},
	    {"lab-sockets-json", CALL_opendir},
	    {"lab-ports", CALL_opendir},
	    {"lab-port", CALL_opendir},
	    {"lab-scan-silent", CALL_connect},
	    {"lab-scan", CALL_connect}, /* what connect() says is what a port is */
	    {"lab-ports", CALL_ioctl},
	    {"lab-port", CALL_ioctl},
	    {"lab-show", CALL_malloc}, /* the locale's letters: then ASCII's */
	    {"lab-key", CALL_malloc},
	    {"lab-sockets", CALL_fopen},
	    {"lab-sockets-json", CALL_fopen},
	    {"lab-sockets", CALL_fgets},
	    {"lab-sockets-json", CALL_fgets},
	    {"lab-sockets", CALL_malloc},
	    {"lab-sockets-json", CALL_malloc},
	    {"lab-ports", CALL_fopen},
	    {"lab-port", CALL_fopen},
	    {"lab-ports", CALL_fgets},
	    {"lab-port", CALL_fgets},
	    {"lab-ports", CALL_malloc},
	    {"lab-port", CALL_malloc},
	    {"lab-watch", CALL_fopen},
	    {"lab-watch", CALL_fgets},
	    {"lab-watch", CALL_malloc},
	    {"lab-report", CALL_fopen},
	    {"lab-report", CALL_fgets},
	    {"lab-report", CALL_stat},
	    {"lab-report", CALL_malloc},
	    {"client-many", CALL_fopen},
	    {"client-many", CALL_fgets},
	    {"client-many", CALL_malloc},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].call == path->call && strcmp(rows[i].scene, path->scene->name) == 0) {
			sums->accepted++;
			return true;
		}
	return false;
}

/* NULL where all is well. */
static const char *verdict_silence(const struct path *path, struct outcome *outcome)
{
	const struct usual *before = &usual[path->scene - scenes];
	int status = WEXITSTATUS(outcome->status);
	bool told = tells(outcome, path->error);

	if (path->scene->tells_failures && status == 1 && outcome->out[0] != '\0')
		return NULL;
	if (status != 0 && status != before->status && outcome->err[0] == '\0')
		return "failed without a word on standard error";
	if (status != 0 && status != before->status && status != 77)
		return told ? NULL : "failed, and does not say of what";
	if (path->scene->kind <= SERVER_UDP) {
		if (!outcome->served && !told && !is_clients_affair(path))
			return "somebody was not served, and it says nothing";
		if (!outcome->goes_on && !path->on)
			return "nobody is served any more";
		return NULL;
	}
	normalise(outcome->out, path->scene->only_verbs);
	bool same = strcmp(outcome->out, before->out) == 0;
	if (told || same || path->scene->tells_failures || is_accepted(path))
		return NULL;
	return "its output is another, and it says nothing";
}

static void describe(const struct path *path, char text[64])
{
	snprintf(text, 64, "%s:%u%s:%s", call_names[path->call], path->number, path->on ? "+" : "",
	         path->error);
}

static void report(const struct path *path, const struct outcome *outcome, const char *what)
{
	char fault[64];

	describe(path, fault);
	printf("%s FAULT=%s: %s\n", path->scene->name, fault, what);
	if (verbose && outcome != NULL)
		printf("---- usual out\n%.3000s---- out\n%.3000s---- err\n%.3000s----\n",
		       usual[path->scene - scenes].out, outcome->out, outcome->err);
	fflush(stdout);
}

/* lab shell ends as its command does: 126 and 127 are what shells say, too. */
static bool is_own_status(const struct path *path, int status)
{
	bool shell = path->scene->kind == LAB && (status == 126 || status == 127);

	return status <= 2 || status == 77 || shell;
}

static void judge(const struct path *path, struct outcome *outcome)
{
	char text[80];
	const char *what = NULL;
	int status = outcome->status;

	if (status == HUNG) {
		sums->hangs++;
		report(path, outcome, "does not end");
		return;
	}
	if (WIFSIGNALED(status) || !is_own_status(path, WEXITSTATUS(status))) {
		sums->crashes++;
		snprintf(text, sizeof text, "ended by %s %d",
		         WIFSIGNALED(status) ? "signal" : "itself with status",
		         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		report(path, outcome, text);
		return;
	}
	unsigned most = path->scene->kind == LAB ? CIRCLES_LAB : CIRCLES;
	if (total(fault_log) > total(&usual[path->scene - scenes].log) + most) {
		sums->hangs++;
		snprintf(text, sizeof text, "goes round in circles: %u calls", total(fault_log));
		report(path, outcome, text);
		return;
	}
	what = verdict_silence(path, outcome);
	if (what == NULL)
		return;
	sums->silent++;
	report(path, outcome, what);
}

static void walk(const struct path *path, struct outcome *outcome)
{
	char fault[64];

	describe(path, fault);
	run(path->scene, fault, path->on ? 300 : 3000, outcome);
	if (fault_log->delivered == 0)
		return; /* another run, another way: this call was not made so often */
	sums->walked++;
	if (!sums->call_seen[path->scene - scenes][path->call]) {
		sums->call_seen[path->scene - scenes][path->call] = true;
		sums->calls++;
	}
	judge(path, outcome);
}

static void work(void)
{
	struct outcome *outcome = malloc(sizeof *outcome);

	if (outcome == NULL || prctl(PR_SET_CHILD_SUBREAPER, 1L) == -1)
		die("worker");
	prepare_place();
	for (size_t next = sums->next++; next < path_count; next = sums->next++)
		walk(&paths[next], outcome);
	leave_place();
	free(outcome);
}

/* ---- the list ---- */

static void add_path(const struct scene *scene, enum fault_call call, unsigned number, bool on,
                     const char *error)
{
	if (path_count == path_room) {
		path_room = path_room == 0 ? 1024 : path_room * 2;
		paths = realloc(paths, path_room * sizeof *paths);
		if (paths == NULL)
			die("realloc");
	}
	paths[path_count] = (struct path){scene, call, number, on, ""};
	snprintf(paths[path_count++].error, sizeof paths->error, "%s", error);
}

static void add_paths(const struct scene *scene, const char *name, char *errors)
{
	bool on = name[0] == '+';
	unsigned errors_taken = 0;
	char *state;

	for (int call = 0; call < FAULT_CALL_COUNT; call++) {
		if (strcmp(call_names[call], name + on) != 0)
			continue;
		unsigned count = usual[scene - scenes].log.calls[call];
		for (char *error = strtok_r(errors, " \n", &state);
		     error != NULL && errors_taken < most_errors;
		     error = strtok_r(NULL, " \n", &state), errors_taken++)
			for (unsigned number = 1; number <= count; number++)
				if (number <= most_calls || number == count)
					add_path(scene, (enum fault_call)call, number, on, error);
	}
}

static void read_errnos(const char *file, const struct scene *scene)
{
	char line[512];
	FILE *stream = fopen(file, "r");

	if (stream == NULL)
		die(file);
	while (fgets(line, sizeof line, stream) != NULL) {
		char *colon = strchr(line, ':');
		if (line[0] == '#' || colon == NULL)
			continue;
		*colon = '\0';
		add_paths(scene, line, colon + 1);
	}
	fclose(stream);
}

/* How a scene goes without a fault. Returns whether it can be played here at all. */
static bool rehearse(const struct scene *scene, bool list)
{
	struct usual *before = &usual[scene - scenes];
	struct outcome *outcome = malloc(sizeof *outcome);

	if (outcome == NULL)
		die("malloc");
	for (int i = 0; i < 2; i++) /* the second time, what is made once is there */
		run(scene, NULL, 3000, outcome);
	memcpy(&before->log, fault_log, sizeof before->log);
	before->status = WEXITSTATUS(outcome->status);
	bool fine = outcome->status != HUNG && WIFEXITED(outcome->status) &&
	            before->status == scene->status &&
	            (scene->kind > SERVER_UDP || (outcome->served && outcome->goes_on));
	if (!fine)
		printf("# %s cannot be played here: status %d: %s\n", scene->name, before->status,
		       outcome->err);
	normalise(outcome->out, scene->only_verbs);
	memcpy(before->out, outcome->out, TEXT);
	free(outcome);
	for (int i = 0; list && i < FAULT_CALL_COUNT; i++)
		if (before->log.calls[i] > 0)
			printf("%-18s %-16s %u\n", scene->name, call_names[i], before->log.calls[i]);
	return fine;
}

static unsigned number_of(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static bool is_wanted(const struct scene *scene, char **names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], scene->name) == 0 || strcmp(names[i], "all") == 0)
			return true;
	return false;
}

static void prepare(char **names, int count, const char *file, bool list)
{
	prepare_place();
	for (size_t i = 0; i < SCENES; i++)
		if (is_wanted(&scenes[i], names, count) && rehearse(&scenes[i], list) && !list)
			read_errnos(file, &scenes[i]);
	leave_place();
}

int main(int argc, char **argv)
{
	bool list = false;
	int option, status = 0;

	while ((option = getopt(argc, argv, "e:j:ln:v")) != -1) {
		if (option == 'e')
			most_errors = number_of(optarg);
		else if (option == 'j')
			jobs = number_of(optarg);
		else if (option == 'n')
			most_calls = number_of(optarg);
		else if (option == 'v')
			verbose = true;
		else if (option == 'l')
			list = true;
		else
			return 2;
	}
	if (argc - optind < 4) {
		fputs("usage: walk [-n MOST] [-e ERRORS] [-j JOBS] [-lv] BIN INTERPOSER ERRNOS "
		      "SCENE...\n",
		      stderr);
		return 2;
	}
	bin = argv[optind];
	interposer = argv[optind + 1];
	directory = getenv("TMPDIR") != NULL ? strdup(getenv("TMPDIR")) : "/tmp";
	signal(SIGPIPE, SIG_IGN);
	prepare(argv + optind + 3, argc - optind - 3, argv[optind + 2], list);
	if (list)
		return 0;
	sums = shared_page(sizeof *sums, -1);
	for (unsigned i = 0; i < jobs; i++)
		if (fork() == 0) {
			work();
			fflush(stdout);
			_exit(0);
		}
	while (wait(&status) > 0)
		if (status != 0)
			sums->crashes++; /* the worker itself */
	printf("%u of them leave out what cannot be found out, as documented\n", sums->accepted);
	printf("walked %u error paths of %u calls, %u crashes, %u hangs, %u silent\n", sums->walked,
	       sums->calls, sums->crashes, sums->hangs, sums->silent);
	return sums->walked == 0 || sums->crashes + sums->hangs + sums->silent > 0;
}
