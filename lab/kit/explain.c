/*
 * explain.c - see explain.h. Reading order: the table of reasons says which function explains
 * which failure; each of those asks the machine and writes sentences. They are in
 * explain_bind.c, explain_connect.c and explain_name.c.
 */
#include "kit/explain.h"

#include "kit/explain_parts.h"
#include "kit/narrate.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *errno_name(int error, char text[24])
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
#define NAME(error) {error, #error}
	    NAME(EACCES),          NAME(EADDRINUSE), NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT),
	    NAME(EAGAIN),          NAME(EALREADY),   NAME(EBADF),         NAME(ECONNABORTED),
	    NAME(ECONNREFUSED),    NAME(ECONNRESET), NAME(EFAULT),        NAME(EHOSTUNREACH),
	    NAME(EINPROGRESS),     NAME(EINTR),      NAME(EINVAL),        NAME(EIO),
	    NAME(EISCONN),         NAME(EMFILE),     NAME(EMSGSIZE),      NAME(ENETDOWN),
	    NAME(ENETUNREACH),     NAME(ENFILE),     NAME(ENOBUFS),       NAME(ENODEV),
	    NAME(EEXIST),          NAME(ENOENT),     NAME(ENOMEM),        NAME(ENOPROTOOPT),
	    NAME(ENOSPC),          NAME(ENOSYS),     NAME(ENOTCONN),      NAME(ENOTSOCK),
	    NAME(ENOTSUP),         NAME(EPERM),      NAME(EPIPE),         NAME(EPROTO),
	    NAME(EPROTONOSUPPORT), NAME(ETIMEDOUT),
#undef NAME
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].error == error)
			return names[i].name;
	snprintf(text, 24, "errno %d", error);
	return text;
}

/* ---- the table ---- */

static const struct reason {
	const char *call;
	int error;
	void (*explain)(const struct failure *failure, struct explanation *explanation);
} reasons[] = {
    {"socket", EAFNOSUPPORT, explain_no_family},
    {"socket", EMFILE, explain_descriptors},
    {"bind", EACCES, explain_bind_denied},
    {"bind", EADDRINUSE, explain_in_use},
    {"bind", EADDRNOTAVAIL, explain_not_ours},
    {"bind", EAFNOSUPPORT, explain_no_family},
    {"bind", EINVAL, explain_scope},
    {"listen", EADDRINUSE, explain_second_listen},
    {"connect", ECONNREFUSED, explain_refused},
    {"connect", ETIMEDOUT, explain_silence},
    {"connect", ENETUNREACH, explain_no_route},
    {"connect", EHOSTUNREACH, explain_no_route},
    {"connect", EINVAL, explain_no_route},
    {"connect", EADDRNOTAVAIL, explain_out_of_ports},
    {"connect", EAGAIN, explain_out_of_ports},
    {"connect", EACCES, explain_forbidden},
    {"connect", EPERM, explain_forbidden},
    {"connect", ECONNRESET, explain_reset},
    {"receive", ECONNREFUSED, explain_refused},
    {"receive", ECONNRESET, explain_reset},
    {"receive", ETIMEDOUT, explain_no_answer},
    {"send", ECONNREFUSED, explain_refused},
    {"send", ECONNRESET, explain_reset},
    {"send", EPIPE, explain_reset},
    {"send", EMSGSIZE, explain_too_big},
    {"connect", 0, explain_self},
    {"getaddrinfo", 0, explain_no_host},
    {"getpwnam", 0, explain_no_user},
    {"getpwnam", EINVAL, explain_root_user},
    {"setgroups", EPERM, explain_no_change},
    {"setgid", EPERM, explain_no_change},
    {"setgid", EINVAL, explain_no_change},
    {"setuid", EPERM, explain_no_change},
    {"setuid", EINVAL, explain_no_change},
};

/* What could not be done, in words: the table above explains why. */
static void write_headline(const struct failure *failure, char *headline, size_t size)
{
	static const struct {
		const char *call, *words;
		bool peer; /* it is about the other end */
	} phrases[] = {
	    {"bind", "bind", false},         {"listen", "listen on", false},
	    {"connect", "connect to", true}, {"receive", "receive from", true},
	    {"send", "send to", true},       {"shutdown", "close the connection to", true},
	};
	char text[ENDPOINT_TEXT_SIZE], name[24];

	text_add(headline, size, "cannot ");
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
		if (strcmp(failure->call, phrases[i].call) == 0) {
			text_add(headline, size, "%s %s: %s (%s)", phrases[i].words,
			         endpoint_format(phrases[i].peer ? &failure->peer : &failure->local, text),
			         strerror(failure->error), errno_name(failure->error, name));
			return;
		}
	text_add(headline, size, "%s: %s (%s)", failure->call, strerror(failure->error),
	         errno_name(failure->error, name));
}

/* The same for what is not about an endpoint. */
static void write_name_headline(const struct failure *failure, char *headline, size_t size)
{
	char quoted[100], text[ENDPOINT_TEXT_SIZE], name[24];

	if (failure->name != NULL)
		text_escape(failure->name, strlen(failure->name), quoted, sizeof quoted);
	if (strcmp(failure->call, "getaddrinfo") == 0)
		text_add(headline, size, "cannot find host '%s': %s", quoted, failure->reason);
	else if (strcmp(failure->call, "getpwnam") == 0)
		text_add(headline, size,
		         failure->error == 0 ? "cannot find user '%s'"
		                             : "cannot drop privilege to '%s': that is root",
		         quoted);
	else if (failure->name != NULL)
		text_add(headline, size, "cannot become user '%s': %s: %s (%s)", quoted, failure->call,
		         strerror(failure->error), errno_name(failure->error, name));
	else
		text_add(headline, size, "connected to itself: %s is both ends",
		         endpoint_format(&failure->local, text));
}

void explain(const struct failure *failure, struct explanation *explanation)
{
	memset(explanation, 0, sizeof *explanation);
	if (failure->name != NULL || failure->error == 0)
		write_name_headline(failure, explanation->headline, sizeof explanation->headline);
	else
		write_headline(failure, explanation->headline, sizeof explanation->headline);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].error == failure->error && strcmp(reasons[i].call, failure->call) == 0) {
			reasons[i].explain(failure, explanation);
			return;
		}
}

/* ---- printing ---- */

/* Prints text broken into lines of at most 78 columns, the first after `label`. */
static void print_wrapped(const char *label, const char *text)
{
	enum { INDENT = 7, WIDTH = 78 }; /* the lab shows them in a lane, two columns narrower */
	int column = INDENT;

	(void)fprintf(stderr, "%-*s", INDENT, label);
	while (*text != '\0') {
		int word = (int)strcspn(text, " ");
		if (column > INDENT && column + 1 + word > WIDTH) {
			(void)fprintf(stderr, "\n%*s", INDENT, "");
			column = INDENT;
		}
		column += fprintf(stderr, "%s%.*s", column > INDENT ? " " : "", word, text);
		text += word;
		text += strspn(text, " ");
	}
	(void)fprintf(stderr, "\n");
}

static void print_tries(const struct explanation *explanation)
{
	int width = 0;

	for (int i = 0; i < explanation->try_count; i++) {
		int length = (int)strlen(explanation->tries[i].command);
		width = length > width && length <= 36 ? length : width;
	}
	for (int i = 0; i < explanation->try_count; i++) {
		const struct try *try = &explanation->tries[i];
		(void)fprintf(stderr, "%-7s%-*s", i == 0 ? "  try" : "", width, try->command);
		if ((int)strlen(try->command) > width)
			(void)fprintf(stderr, "\n%*s", 7 + width, "");
		(void)fprintf(stderr, "  %s\n", try->what);
	}
}

static void report_json(const struct failure *failure, const struct explanation *explanation)
{
	char tries[EXPLANATION_TRIES * sizeof(struct try)] = "", name[24];

	for (int i = 0; i < explanation->try_count; i++)
		text_add(tries, sizeof tries, "%s%s: %s", i > 0 ? "; " : "",
		         explanation->tries[i].command, explanation->tries[i].what);
	narrate(&(struct event){
	    .name = "error",
	    .id = failure->id,
	    .local = &failure->local,
	    .peer = &failure->peer,
	    .always = true,
	    .facts =
	        FACTS({"call", failure->call, 0},
	              {"errno", failure->error != 0 ? errno_name(failure->error, name) : "", 0},
	              {"why", explanation->why, 0}, {"try", tries, 0}),
	});
}

void explain_report(const struct failure *failure)
{
	struct explanation explanation;
	const char *red = narrate_colors_stderr() ? "\033[31m" : "";

	explain(failure, &explanation);
	(void)narrate_finish(); /* what led to this comes first */
	(void)fprintf(stderr, "%s: %s%s%s\n", narrate_program(), red, explanation.headline,
	              red[0] != '\0' ? "\033[0m" : "");
	if (narrate_is_json()) {
		report_json(failure, &explanation);
		return;
	}
	if (explanation.why[0] != '\0')
		print_wrapped("  why", explanation.why);
	print_tries(&explanation);
}
