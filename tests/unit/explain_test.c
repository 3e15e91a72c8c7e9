/*
 * explain_test.c - what is said of a call that failed: the errno's name in the headline, a
 * reason where there is one, numbers read from this machine, and nothing cut.
 */
#include "kit/explain.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/port.h"
#include "kit/unix.h"

#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define LONGEST "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535"

static struct endpoint end(const char *text)
{
	struct endpoint endpoint;

	if (endpoint_parse(text, &endpoint) == -1)
		abort();
	return endpoint;
}

/* The rows of the table in explain.c, and what POSIX calls each errno. */
static const struct row {
	const char *call;
	int error;
	const char *name;
	const char *headline; /* how it begins */
} rows[] = {
    {"socket", EAFNOSUPPORT, "EAFNOSUPPORT", "cannot socket"},
    {"socket", EMFILE, "EMFILE", "cannot socket"},
    {"bind", EACCES, "EACCES", "cannot bind "},
    {"bind", EADDRINUSE, "EADDRINUSE", "cannot bind "},
    {"bind", EADDRNOTAVAIL, "EADDRNOTAVAIL", "cannot bind "},
    {"bind", EAFNOSUPPORT, "EAFNOSUPPORT", "cannot bind "},
    {"bind", EINVAL, "EINVAL", "cannot bind "},
    {"listen", EADDRINUSE, "EADDRINUSE", "cannot listen on "},
    {"connect", ECONNREFUSED, "ECONNREFUSED", "cannot connect to "},
    {"connect", ETIMEDOUT, "ETIMEDOUT", "cannot connect to "},
    {"connect", ENETUNREACH, "ENETUNREACH", "cannot connect to "},
    {"connect", EHOSTUNREACH, "EHOSTUNREACH", "cannot connect to "},
    {"connect", EINVAL, "EINVAL", "cannot connect to "},
    {"connect", EADDRNOTAVAIL, "EADDRNOTAVAIL", "cannot connect to "},
    {"connect", EAGAIN, "EAGAIN", "cannot connect to "},
    {"connect", EACCES, "EACCES", "cannot connect to "},
    {"connect", EPERM, "EPERM", "cannot connect to "},
    {"connect", ECONNRESET, "ECONNRESET", "cannot connect to "},
    {"receive", ECONNREFUSED, "ECONNREFUSED", "cannot receive from "},
    {"receive", ECONNRESET, "ECONNRESET", "cannot receive from "},
    {"receive", ETIMEDOUT, "ETIMEDOUT", "cannot receive from "},
    {"send", ECONNREFUSED, "ECONNREFUSED", "cannot send to "},
    {"send", ECONNRESET, "ECONNRESET", "cannot send to "},
    {"send", EPIPE, "EPIPE", "cannot send to "},
    {"send", EMSGSIZE, "EMSGSIZE", "cannot send to "},
};

/* Nothing was cut: a sentence ends with its full stop, and buffers have room left. */
static int is_whole(const struct explanation *explanation)
{
	size_t length = strlen(explanation->why);
	int whole = strlen(explanation->headline) < sizeof explanation->headline - 1 &&
	            length < sizeof explanation->why - 1;

	while (length > 0 && explanation->why[length - 1] == ' ')
		length--;
	whole = whole && (length == 0 || strchr(".)", explanation->why[length - 1]) != NULL);
	whole = whole && explanation->try_count >= 0 && explanation->try_count <= EXPLANATION_TRIES;
	for (int i = 0; whole && i < explanation->try_count; i++)
		whole =
		    strlen(explanation->tries[i].command) < sizeof explanation->tries[i].command - 1 &&
		    strlen(explanation->tries[i].what) < sizeof explanation->tries[i].what - 1;
	return whole;
}

static void check_row(const struct row *row, const char *own, const char *peer,
                      enum transport transport)
{
	struct failure failure = {.call = row->call,
	                          .error = row->error,
	                          .transport = transport,
	                          .waited_ms = row->error == ETIMEDOUT ? 1500 : 0,
	                          .program_path = "bin/server"};
	struct explanation explanation;
	char what[160], name[24];

	failure.local = end(own);
	failure.peer = end(peer);
	memset(&explanation, '#', sizeof explanation);
	explain(&failure, &explanation);
	snprintf(what, sizeof what, "%s %s over %s, %.24s", row->call, row->name,
	         transport_name(transport), own);
	snprintf(name, sizeof name, "(%s)", row->name);
	CHECK(strncmp(explanation.headline, row->headline, strlen(row->headline)) == 0 &&
	          strstr(explanation.headline, name) != NULL &&
	          strstr(explanation.headline, strerror(row->error)) != NULL,
	      what);
	CHECK(is_whole(&explanation), "nothing of it was cut");
	/* Of EINVAL at bind() there is something to say for IPv6 only. */
	CHECK(explanation.why[0] != '\0' || (row->error == EINVAL && own[0] != '['),
	      "and there is a reason");
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		check_row(&rows[i], "127.0.0.1:1023", "127.0.0.1:9", TRANSPORT_TCP);
		check_row(&rows[i], "127.0.0.1:3306", "192.0.2.1:9", TRANSPORT_UDP);
		check_row(&rows[i], LONGEST, LONGEST, TRANSPORT_TCP);
	}
}

/* A program's path and a user's name may be as long as they like. */
static void test_long_names(void)
{
	static const char *const calls[] = {"setgroups", "setgid", "setuid"};
	static char path[PATH_MAX], name[1000], reason[1000];
	struct explanation explanation;

	memset(path, 'p', sizeof path - 1);
	memset(name, '\033', sizeof name - 1);
	memset(reason, 'r', sizeof reason - 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct failure failure = {.call = rows[i].call, .error = rows[i].error};
		failure.local = end(LONGEST);
		failure.peer = end(LONGEST);
		failure.program_path = path;
		explain(&failure, &explanation);
		CHECK(strstr(explanation.headline, rows[i].name) != NULL, rows[i].name);
	}
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		struct failure failure = {
		    .call = calls[i], .error = EPERM, .name = name, .program_path = path};
		explain(&failure, &explanation);
		CHECK(strstr(explanation.headline, calls[i]) != NULL &&
		          strstr(explanation.headline, "EPERM") != NULL &&
		          strchr(explanation.headline, '\033') == NULL && explanation.why[0] != '\0',
		      calls[i]);
	}
	struct failure host = {.call = "getaddrinfo", .name = name, .reason = reason};
	explain(&host, &explanation);
	CHECK(strchr(explanation.headline, '\033') == NULL && explanation.why[0] != '\0',
	      "a host's name is escaped");
}

static void test_names_not_found(void)
{
	struct failure host = {
	    .call = "getaddrinfo", .name = "nosuch.invalid", .reason = "Name or service not known"};
	struct failure user = {.call = "getpwnam", .name = "nosuchuser"};
	struct explanation explanation;

	explain(&host, &explanation);
	CHECK(strstr(explanation.headline, "'nosuch.invalid'") != NULL &&
	          strstr(explanation.headline, "Name or service not known") != NULL &&
	          is_whole(&explanation) && explanation.why[0] != '\0',
	      "an unknown host is named, with the resolver's words");
	explain(&user, &explanation);
	CHECK(strstr(explanation.headline, "'nosuchuser'") != NULL && is_whole(&explanation) &&
	          explanation.why[0] != '\0',
	      "an unknown user is named");
}

static void test_self(void)
{
	struct failure failure = {.call = "connect"};
	struct explanation explanation;

	failure.local = failure.peer = end("127.0.0.1:40000");
	explain(&failure, &explanation);
	CHECK(strstr(explanation.headline, "127.0.0.1:40000") != NULL &&
	          strstr(explanation.why, "40000") != NULL && is_whole(&explanation),
	      "a connection to itself: which port it was");
}

static void test_unknown(void)
{
	struct failure failure = {.call = "bind", .error = 9999};
	struct explanation explanation;
	char text[24];

	failure.local = end("127.0.0.1:80");
	explain(&failure, &explanation);
	CHECK(strstr(explanation.headline, "127.0.0.1:80") != NULL &&
	          strstr(explanation.headline, "(errno 9999)") != NULL,
	      "an errno that nobody knows is shown by its number");
	CHECK(explanation.why[0] == '\0' && explanation.try_count == 0, "and no reason is made up");
	CHECK_STRING(errno_name(EACCES, text), "EACCES", "EACCES has a name");
	CHECK_STRING(errno_name(EPROTONOSUPPORT, text), "EPROTONOSUPPORT",
	             "and so has the longest");
	CHECK_STRING(errno_name(-2147483647, text), "errno -2147483647", "the longest number fits");
}

/* The numbers in the text are those of this machine, read here for themselves. */
static void test_ephemeral_range(void)
{
	struct failure failure = {.call = "connect", .error = EADDRNOTAVAIL};
	struct explanation explanation;
	struct port_range range;
	char expected[40];

	failure.local = end("127.0.0.1:0");
	failure.peer = end("127.0.0.1:9");
	explain(&failure, &explanation);
	CHECK(strstr(explanation.why, "127.0.0.1:9") != NULL, "out of ports: towards whom");
	if (machine_ephemeral_range(&range) == -1)
		return;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	int first = 0, last = 0;
	if (file == NULL || fscanf(file, "%d %d", &first, &last) != 2)
		first = 0;
	if (file != NULL)
		(void)fclose(file);
	snprintf(expected, sizeof expected, "%d-%d", first, last);
	CHECK(strstr(explanation.why, expected) != NULL, "the range is the sysctl's");
	snprintf(expected, sizeof expected, "%d numbers", last - first + 1);
	CHECK(strstr(explanation.why, expected) != NULL, "and how many numbers that is");
}

static void test_own_addresses(void)
{
	struct failure failure = {.call = "bind", .error = EADDRNOTAVAIL};
	struct explanation explanation;

	failure.local = end("192.0.2.1:3306");
	explain(&failure, &explanation);
	CHECK(strstr(explanation.why, "192.0.2.1 is not an address") != NULL,
	      "an address of another machine is named");
	CHECK(strstr(explanation.why, "127.0.0.1") != NULL, "and this machine's own are listed");
}

static int has_try(const struct explanation *explanation, const char *words)
{
	for (int i = 0; i < explanation->try_count; i++)
		if (strstr(explanation->tries[i].command, words) != NULL)
			return 1;
	return 0;
}

/* For an ordinary user, where the limit is above the port. Last: privilege is given up. */
static void test_denied(void)
{
	struct failure failure = {.call = "bind", .error = EACCES, .program_path = "bin/server"};
	struct explanation explanation;
	char expected[80];
	long start = -1;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");

	if (file != NULL) {
		if (fscanf(file, "%ld", &start) != 1)
			start = -1;
		(void)fclose(file);
	}
	if (geteuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1)) {
		CHECK(1, "EACCES # SKIP this root cannot become an ordinary user");
		return;
	}
	failure.local = end("127.0.0.1:80");
	explain(&failure, &explanation);
	CHECK(strstr(explanation.headline, "127.0.0.1:80") != NULL, "EACCES: what was to be bound");
	/* RFC 6335, section 6: system ports; port 0 is a matter of its own here. */
	CHECK(strstr(explanation.why, "80 is a system port (1-1023)") != NULL, "the port's class");
	if (start != -1 && start <= 80) {
		CHECK(1, "the limit # SKIP on this machine anybody may bind port 80");
		return;
	}
	if (machine_unprivileged_start() != -1) {
		snprintf(expected, sizeof expected, "ip_unprivileged_port_start = %ld", start);
		CHECK(strstr(explanation.why, expected) != NULL, "the limit, as the sysctl has it");
		CHECK(strstr(explanation.why, "CAP_NET_BIND_SERVICE") != NULL, "the capability");
	}
	snprintf(expected, sizeof expected, "uid %lu", (unsigned long)geteuid());
	CHECK(strstr(explanation.why, expected) != NULL, "who it is that may not");
	CHECK_NUMBER(explanation.try_count, 4, "four ways to try");
	CHECK(has_try(&explanation, "--user") && has_try(&explanation, "setcap") &&
	          has_try(&explanation, "sysctl"),
	      "root that steps down, a capability, a lower limit");
	CHECK(is_whole(&explanation), "and nothing was cut");
	failure.program_path = NULL;
	failure.local = end(LONGEST);
	endpoint_set_port(&failure.local, 1);
	explain(&failure, &explanation);
	CHECK(is_whole(&explanation) && strstr(explanation.why, "1 is a system port") != NULL,
	      "the same for the longest address, and without a path");
}

int main(void)
{
	narrate_set_program("server");
	test_rows();
	test_long_names();
	test_names_not_found();
	test_self();
	test_unknown();
	test_ephemeral_range();
	test_own_addresses();
	test_denied();
	return tap_done();
}
