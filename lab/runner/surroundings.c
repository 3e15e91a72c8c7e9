/* surroundings.c - see surroundings.h. */
#undef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* realpath() */
#include "runner/surroundings.h"

#include "kit/machine.h"
#include "kit/narrate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1024, PARENTS_MOST = 5 };

static char base[PATH_SIZE];     /* of everything that is played; "" before */
static char programs[PATH_SIZE]; /* with server, client and lab */

/* ---- where things are ---- */

/* The directory of this program. Returns 0, or -1 (said). */
static int own_directory(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *found = NULL;

	if (length > 0) {
		path[length] = '\0';
	} else if ((found = realpath(getenv("_") != NULL ? getenv("_") : "bin/lab", NULL)) !=
	           NULL) {
		snprintf(path, size, "%s", found);
		free(found);
	} else {
		complain("cannot find out where this program is; call it by its whole path");
		return -1;
	}
	char *slash = strrchr(path, '/');
	if (slash != NULL)
		*slash = '\0';
	return 0;
}

static bool has_programs(const char *directory)
{
	static const char *const names[] = {"server", "client", "lab"};
	char path[PATH_SIZE + 16];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, names[i]);
		if (access(path, X_OK) == -1)
			return false;
	}
	return true;
}

int find_programs(char *path, size_t size)
{
	char own[PATH_SIZE - 64];

	if (own_directory(own, sizeof own) == -1)
		return -1;
	snprintf(path, size, "%s", own);
	if (has_programs(path))
		return 0;
	snprintf(path, size, "%s/../libexec/portlab", own);
	if (has_programs(path))
		return 0;
	complain("cannot find server, client and lab, neither in %s nor in %s", own, path);
	return -1;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int find_exercises(char *path, size_t size)
{
	const char *chosen = getenv("PORTLAB_EXERCISES");
	char own[PATH_SIZE - 64], up[PARENTS_MOST * 3 + 1] = "";

	if (chosen != NULL && chosen[0] != '\0') {
		snprintf(path, size, "%s", chosen);
		if (is_directory(path))
			return 0;
		complain("PORTLAB_EXERCISES is no directory: %s", chosen);
		return -1;
	}
	if (own_directory(own, sizeof own) == -1)
		return -1;
	/* A build may lie deeper in the tree, build/asan/bin. */
	for (int parents = 0; parents < PARENTS_MOST; parents++) {
		strcat(up, "/..");
		snprintf(path, size, "%s%s/lab/exercises", own, up);
		if (is_directory(path))
			return 0;
	}
	snprintf(path, size, "%s/../share/portlab/exercises", own);
	if (is_directory(path))
		return 0;
	complain("cannot find the exercises; set PORTLAB_EXERCISES to their directory");
	return -1;
}

/* ---- the directory of what is played ---- */

/*
 * By descriptors, never by a whole path: while root takes a directory away, its owner could put
 * a link in the place of one further down, and have something else taken away. What is mounted
 * there stays.
 */
static void remove_below(int parent, const char *name, dev_t device, int depth)
{
	enum { DEPTH_MOST = 200 }; /* each takes a descriptor */
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags);
	struct stat status;

	/* Somebody has closed it. That stops no root, only the account whose own it is. */
	if (fd == -1 && errno == EACCES && geteuid() != 0 && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, flags);
	bool ours =
	    fd != -1 && fstat(fd, &status) == 0 && status.st_dev == device && depth < DEPTH_MOST;
	DIR *directory = ours ? fdopendir(fd) : NULL;
	if (directory == NULL) {
		if (fd != -1)
			(void)close(fd);
		return;
	}
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    unlinkat(fd, entry->d_name, 0) == -1) {
			remove_below(fd, entry->d_name, device, depth + 1);
			(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
		}
	(void)closedir(directory);
}

static void remove_tree(const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0)
		remove_below(AT_FDCWD, path, status.st_dev, 0);
	(void)rmdir(path);
}

void surroundings_remove(void *unused)
{
	(void)unused;
	if (base[0] != '\0')
		remove_tree(base);
	base[0] = '\0';
}

static int copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t length = -1;

	while (in != -1 && out != -1 && (length = read(in, bytes, sizeof bytes)) > 0)
		if (write(out, bytes, (size_t)length) != length) {
			length = -1;
			break;
		}
	if (in != -1)
		(void)close(in);
	if (out != -1 && close(out) == -1)
		length = -1;
	return length == 0 ? 0 : -1;
}

static int try_programs(void *unused)
{
	(void)unused;
	return has_programs(programs) ? 0 : 1;
}

/* Root's own checkout may be closed to the ordinary account: it gets copies. */
static int open_programs_to_all(void)
{
	static const char *const names[] = {"server", "client", "lab"};
	struct sandbox none = SANDBOX_NONE;
	struct sandbox_refusal refusal;
	char from[PATH_SIZE + 16], to[PATH_SIZE + 32], copies[PATH_SIZE + 16];

	if (!sandbox_by_root() ||
	    sandbox_call(&none, SANDBOX_ORDINARY, try_programs, NULL, &refusal) == 0)
		return 0;
	snprintf(copies, sizeof copies, "%s/programs", base);
	if (mkdir(copies, 0755) == -1 || chmod(copies, 0755) == -1)
		return -1;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(from, sizeof from, "%s/%s", programs, names[i]);
		snprintf(to, sizeof to, "%s/%s", copies, names[i]);
		if (copy_file(from, to) == -1 || chmod(to, 0755) == -1)
			return -1;
	}
	snprintf(programs, sizeof programs, "%.1000s", copies);
	return 0;
}

/* Where administrators' programs are, such as nft, an ordinary account often does not look. */
static void add_admin_path(void)
{
	const char *path = getenv("PATH");
	char longer[4096];

	if (path != NULL &&
	    snprintf(longer, sizeof longer, "%s:/usr/sbin:/sbin", path) < (int)sizeof longer)
		(void)setenv("PATH", longer, 1);
}

int surroundings_prepare(void)
{
	const char *where = getenv("TMPDIR");

	if (find_programs(programs, sizeof programs) == -1)
		return -1;
	add_admin_path();
	snprintf(base, sizeof base, "%.900s/portlab-XXXXXX",
	         where != NULL && where[0] == '/' ? where : "/tmp");
	if (mkdtemp(base) == NULL) {
		complain("cannot make a directory %s: %s", base, strerror(errno));
		base[0] = '\0';
		return -1;
	}
	if (chmod(base, 0711) == -1 || open_programs_to_all() == -1) {
		complain("cannot use the directory %s: %s", base, strerror(errno));
		surroundings_remove(NULL);
		return -1;
	}
	return 0;
}

int surroundings_make(struct surroundings *surroundings, enum worksheet_network network,
                      struct sandbox_refusal *refusal)
{
	static unsigned count;
	static char directory[PATH_SIZE + 16];
	uid_t ordinary = sandbox_ordinary_uid();

	*surroundings = (struct surroundings){SANDBOX_NONE, directory, programs, false};
	if (network != NETWORK_HOST && sandbox_create(&surroundings->sandbox, refusal) == -1 &&
	    network == NETWORK_SANDBOX)
		return -1;
	snprintf(directory, sizeof directory, "%s/%u", base, ++count);
	/* Only real root can give it away, and only then must it. */
	if (mkdir(directory, 0755) == 0 &&
	    (!sandbox_by_root() || surroundings->sandbox.admin_fd != -1 ||
	     chown(directory, ordinary, (gid_t)-1) == 0))
		return 0;
	*refusal = (struct sandbox_refusal){"mkdir", errno};
	surroundings_leave(surroundings);
	return -1;
}

void surroundings_leave(struct surroundings *surroundings)
{
	sandbox_close(&surroundings->sandbox);
	remove_tree(surroundings->directory);
}

/* ---- what is there ---- */

/* Programs that may be there and yet not do what the pages need of them. */
static const struct {
	const char *name, *trial;
} trials[] = {
    {"nft", "nft list tables"},
    {"setpriv", "setpriv --bounding-set=-net_bind_service true"},
};

static int run_trial(void *argument)
{
	const char *const *trial = argument;
	char command[128];

	snprintf(command, sizeof command, "%s >/dev/null 2>&1", *trial);
	return system(command) == 0 ? 0 : 1;
}

static bool works(const struct surroundings *surroundings, const char *name)
{
	struct sandbox_refusal refusal;

	for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
		const char *trial = trials[i].trial;
		if (strcmp(trials[i].name, name) == 0 && surroundings->sandbox.net_fd != -1)
			return sandbox_call(&surroundings->sandbox, SANDBOX_ADMIN, run_trial, &trial,
			                    &refusal) == 0;
	}
	return true;
}

bool surroundings_have(const struct surroundings *surroundings, const char *name)
{
	char path[PATH_SIZE + 208];

	if (strcmp(name, "ipv6") == 0) {
		struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
		int fd = socket(AF_INET6, SOCK_STREAM, 0);
		bool there =
		    fd != -1 && bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) == 0;
		if (fd != -1)
			(void)close(fd);
		return there;
	}
	snprintf(path, sizeof path, "%s/%.200s", surroundings->programs, name);
	return access(path, X_OK) == 0 || (machine_has_program(name) && works(surroundings, name));
}
