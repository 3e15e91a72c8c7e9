/*
 * scan.c - lab scan: which TCP ports of this machine are open, found by connecting to each
 * as a client would. Only addresses of this machine: anything else is refused before any
 * packet leaves.
 *
 * Read scan_port() first: what connect() answers is what a port looks like from outside.
 * Source: RFC 9293 section 3.10.7.1 (a closed port answers with a reset).
 */
#include "instruments/print.h"
#include "kit/explain.h"
#include "kit/greeting.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/registry.h"
#include "kit/tcp_state.h"
#include "kit/text.h"
#include "kit/unix.h"
#include "kit/waiting.h"
#include "subcommand.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab scan [options] [ADDR] [PORTS]\n"
    "Connects to every TCP port of this machine: open, closed, or silent.\n"
    "ADDR is one of this machine's own (default 127.0.0.1); PORTS is N or N-M.\n"
    "\n"
    "  -t, --timeout SECONDS   silent after so long without an answer (default 1)\n"
    "  --before FILE           compare with an earlier --json scan\n"
    "  --json                  one JSON object on a line for each port not closed\n"
    "  --color WHEN            auto, always or never\n"
    "\n"
    "  lab scan\n"
    "  lab scan --json > before; server 8080 & lab scan --before before\n";

enum { WAITING_MOST = 1024, OPEN_MOST = 256, BANNER_MS = 200, BANNER_SIZE = 40 };

enum found { FOUND_CLOSED, FOUND_OPEN, FOUND_SILENT, FOUND_UNREACHABLE, FOUND_COUNT };

static const char *const found_names[FOUND_COUNT] = {"closed", "open", "silent", "unreachable"};

/* A connection on its way, or one that was made. */
struct probe {
	int fd;
	uint16_t port;
	int64_t deadline;
};

struct scan {
	struct endpoint target; /* its port changes */
	unsigned first, last;
	int64_t timeout_ms;
	int spare_fd; /* after a refusal a socket may be used again; -1: none */
	struct probe waiting[WAITING_MOST], open[OPEN_MOST];
	size_t waiting_count, open_count;
	size_t counts[FOUND_COUNT];
	unsigned char found[65536];
	int self_connections, left_in_time_wait;
	int64_t started;
	bool progress_shown;
};

/* ---- what is told ---- */

static void tell_progress(struct scan *scan, unsigned port)
{
	enum { WIDTH = 40 };
	unsigned all = scan->last - scan->first + 1, done = port - scan->first + 1;
	unsigned filled = done * WIDTH / all;

	if (!isatty(STDERR_FILENO) || clock_ms() - scan->started < 1000)
		return;
	scan->progress_shown = true;
	(void)fprintf(stderr, "\r[%.*s%*s] port %5u", (int)filled,
	              "########################################", (int)(WIDTH - filled), "", port);
}

static void end_progress(const struct scan *scan)
{
	if (scan->progress_shown)
		(void)fprintf(stderr, "\r%60s\r", "");
}

static const char *name_of(uint16_t port)
{
	const char *name = port_service_name(port, TRANSPORT_TCP);
	const struct registry_entry *entry = registry_find(port, TRANSPORT_TCP);

	if (name != NULL)
		return name;
	return entry != NULL && entry->name[0] != '-' ? entry->name : "-";
}

static void tell(const struct scan *scan, uint16_t port, const char *banner)
{
	struct endpoint peer = scan->target;
	const char *what = found_names[scan->found[port]];

	endpoint_set_port(&peer, port);
	if (narrate_is_json())
		narrate(&(struct event){
		    .name = what,
		    .peer = &peer,
		    .class = port_class_of(port),
		    .facts =
		        FACTS({"port", NULL, port}, {"service", name_of(port), 0}, {"says", banner, 0}),
		});
	else if (banner[0] != '\0')
		print("%-11s %5u  %-15s  says \"%s\"\n", what, port, name_of(port), banner);
	else
		print("%-11s %5u  %-15s  %s\n", what, port, name_of(port),
		      scan->found[port] == FOUND_OPEN ? "says nothing first" : "");
}

/* ---- one port ---- */

static void conclude(struct scan *scan, uint16_t port, enum found found)
{
	scan->found[port] = (unsigned char)found;
	scan->counts[found]++;
}

/* What an errno of connect() says about the port. */
static enum found found_by(int error)
{
	return error == ECONNREFUSED ? FOUND_CLOSED
	       : error == ECONNRESET ? FOUND_OPEN /* somebody was there to cut it */
	       : error == ETIMEDOUT  ? FOUND_SILENT
	                             : FOUND_UNREACHABLE;
}

/*
 * Says goodbye with a reset, so that no TIME_WAIT remains; and asks the kernel whether that
 * is so.
 */
static void leave(struct scan *scan, int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct endpoint local, peer;
	bool known = endpoint_of_socket(fd, &local) == 0 && endpoint_of_peer(fd, &peer) == 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	(void)close(fd);
	if (known && (tcp_state_of_tuple(&local, &peer, NULL) == TCP_STATE_TIME_WAIT ||
	              tcp_state_of_tuple(&peer, &local, NULL) == TCP_STATE_TIME_WAIT))
		scan->left_in_time_wait++;
}

/* Listens for a moment to what the open ports say first, and leaves them. */
static void finish_open(struct scan *scan)
{
	int64_t deadline = clock_ms() + BANNER_MS;

	for (size_t i = 0; i < scan->open_count; i++) {
		char bytes[GREETING_SIZE], banner[BANNER_SIZE] = "";
		const struct probe *probe = &scan->open[i];
		ssize_t length = 0;
		if (wait_for_fd(probe->fd, POLLIN, deadline) > 0)
			length = recv(probe->fd, bytes, sizeof bytes, 0);
		if (length > 0)
			text_escape(bytes, (size_t)length, banner, sizeof banner);
		tell(scan, probe->port, banner);
		leave(scan, probe->fd);
	}
	scan->open_count = 0;
}

/*
 * Somebody answered. If it was this very socket, whose source port happened to be the
 * port it asked for, then nobody listens there: else it could not have had the number.
 */
static void take_open(struct scan *scan, int fd, uint16_t port)
{
	struct endpoint local, peer;

	if (endpoint_of_socket(fd, &local) == 0 && endpoint_of_peer(fd, &peer) == 0 &&
	    endpoint_equal(&local, &peer)) {
		scan->self_connections++;
		conclude(scan, port, FOUND_CLOSED);
		leave(scan, fd);
		return;
	}
	conclude(scan, port, FOUND_OPEN);
	scan->open[scan->open_count++] = (struct probe){fd, port, 0};
	if (scan->open_count == OPEN_MOST)
		finish_open(scan);
}

/*
 * Takes the answers that have come, and gives up those whose time is over. Returns 0, or -1
 * with errno where the scan cannot go on.
 */
static int collect(struct scan *scan, int patience_ms)
{
	struct pollfd fds[WAITING_MOST];
	size_t kept = 0;

	for (size_t i = 0; i < scan->waiting_count; i++)
		fds[i] = (struct pollfd){scan->waiting[i].fd, POLLOUT, 0};
	if (poll(fds, (nfds_t)scan->waiting_count, patience_ms) == -1 && errno != EINTR)
		return -1; /* what fds holds then is not known */
	for (size_t i = 0; i < scan->waiting_count; i++) {
		struct probe probe = scan->waiting[i];
		int error = 0;
		socklen_t length = sizeof error;
		if (fds[i].revents == 0 && clock_ms() < probe.deadline) {
			scan->waiting[kept++] = probe;
			continue;
		}
		if (fds[i].revents == 0)
			error = ETIMEDOUT;
		else if (getsockopt(probe.fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1)
			error = errno;
		if (error == 0) {
			take_open(scan, probe.fd, probe.port);
			continue;
		}
		conclude(scan, probe.port, found_by(error));
		(void)close(probe.fd);
	}
	scan->waiting_count = kept;
	return 0;
}

static int new_socket(const struct scan *scan)
{
	return socket_nonblocking(endpoint_family(&scan->target), SOCK_STREAM);
}

/*
 * Returns 0 or the errno of connect(). On loopback the answer has come by the time the call
 * returns, although without blocking it says only "in progress": asked again, it tells.
 */
static int start_connect(const struct scan *scan, int fd)
{
	const struct sockaddr *address = &scan->target.address.any;

	if (connect(fd, address, scan->target.length) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (connect(fd, address, scan->target.length) == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY ? EINPROGRESS : errno;
}

/* Asks one port. Returns 0, or -1 with errno where the scan cannot go on. */
static int scan_port(struct scan *scan, uint16_t port)
{
	int fd = scan->spare_fd;
	bool reused = fd != -1;

	scan->spare_fd = -1;
	if (fd == -1 && (fd = new_socket(scan)) == -1)
		return -1;
	endpoint_set_port(&scan->target, port);
	int answer = start_connect(scan, fd);
	if (reused && answer != 0 && answer != ECONNREFUSED && answer != EINPROGRESS) {
		(void)close(fd); /* not every system takes a socket twice: with a new one */
		if ((fd = new_socket(scan)) == -1)
			return -1;
		answer = start_connect(scan, fd);
	}
	if (answer == 0) {
		take_open(scan, fd, port);
	} else if (answer == EINPROGRESS) {
		scan->waiting[scan->waiting_count++] =
		    (struct probe){fd, port, clock_ms() + scan->timeout_ms};
	} else if (answer == ECONNREFUSED) {
		conclude(scan, port, FOUND_CLOSED);
		scan->spare_fd = fd;
	} else {
		(void)close(fd);
		if (answer == EADDRNOTAVAIL || answer == ENOBUFS || answer == ENOMEM) {
			errno = answer;
			return -1;
		}
		conclude(scan, port, found_by(answer));
	}
	return 0;
}

static int scan_all(struct scan *scan)
{
	int result = 0;

	scan->spare_fd = -1;
	scan->started = clock_ms();
	for (unsigned port = scan->first; port <= scan->last && result == 0; port++) {
		result = scan_port(scan, (uint16_t)port);
		if (result == 0 && scan->waiting_count > 0 && port % 64 == 0)
			result = collect(scan, 0);
		while (result == 0 && scan->waiting_count == WAITING_MOST)
			result = collect(scan, 50);
		if (port % 1024 == 0)
			tell_progress(scan, port);
	}
	while (result == 0 && scan->waiting_count > 0)
		result = collect(scan, 50);
	int error = errno;
	for (size_t i = 0; i < scan->waiting_count; i++)
		(void)close(scan->waiting[i].fd);
	scan->waiting_count = 0;
	if (scan->spare_fd != -1)
		(void)close(scan->spare_fd);
	end_progress(scan);
	finish_open(scan);
	errno = error;
	return result;
}

/* ---- an earlier scan ---- */

/* The number after a key in a line of JSON that this program wrote; -1 where it is not. */
static long number_after(const char *line, const char *key)
{
	const char *found = strstr(line, key);

	return found != NULL ? strtol(found + strlen(key), NULL, 10) : -1;
}

/*
 * Marks the ports that an earlier --json scan found open. It must have looked at the same
 * address and at all ports that are to be compared. Returns 0, or -1 after saying why not.
 */
static int read_before(const char *path, const struct scan *scan, unsigned char open[65536])
{
	char line[1024], address[ENDPOINT_TEXT_SIZE], wanted[ENDPOINT_TEXT_SIZE + 16];
	FILE *file = fopen(path, "r");
	const char *wrong = "that is not what lab scan --json writes";

	if (file == NULL) {
		complain("cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	snprintf(wanted, sizeof wanted, "\"address\":\"%s\"",
	         endpoint_format_address(&scan->target, address));
	while (fgets(line, sizeof line, file) != NULL) {
		long port = number_after(line, "\"port\":");
		if (strncmp(line, "{\"event\":\"open\"", 15) == 0 && port >= 0 && port <= UINT16_MAX)
			open[port] = 1;
		if (strncmp(line, "{\"event\":\"scan\"", 15) != 0)
			continue;
		if (strstr(line, wanted) == NULL)
			wrong = "that was a scan of another address";
		else if (number_after(line, "\"first\":") > (long)scan->first ||
		         number_after(line, "\"last\":") < (long)scan->last)
			wrong = "that scan looked at fewer ports";
		else
			wrong = NULL;
	}
	(void)fclose(file);
	if (wrong == NULL)
		return 0;
	complain("cannot compare with %s: %s", path, wrong);
	return -1;
}

static void compare(const struct scan *scan, const unsigned char before[65536])
{
	size_t changes = 0;

	for (unsigned port = scan->first; port <= scan->last; port++) {
		bool open = scan->found[port] == FOUND_OPEN;
		if (open == (before[port] != 0) || scan->found[port] == FOUND_SILENT)
			continue; /* silent: neither to be called open nor closed */
		changes++;
		if (narrate_is_json())
			narrate(&(struct event){.name = open ? "opened" : "closed",
			                        .class = port_class_of((uint16_t)port),
			                        .facts = FACTS({"port", NULL, port})});
		else
			print("since then   %u (%s) was %s\n", port, name_of((uint16_t)port),
			      open ? "opened" : "closed");
	}
	if (changes == 0 && !narrate_is_json())
		print("since then   nothing was opened or closed\n");
}

/* ---- the command line ---- */

static void summarise(const struct scan *scan)
{
	double seconds = (double)(clock_ms() - scan->started) / 1000;
	char address[ENDPOINT_TEXT_SIZE];

	if (narrate_is_json()) {
		narrate(&(struct event){
		    .name = "scan",
		    .facts = FACTS({"address", endpoint_format_address(&scan->target, address), 0},
		                   {"first", NULL, scan->first}, {"last", NULL, scan->last},
		                   {"open", NULL, (long long)scan->counts[FOUND_OPEN]},
		                   {"closed", NULL, (long long)scan->counts[FOUND_CLOSED]},
		                   {"silent", NULL, (long long)scan->counts[FOUND_SILENT]},
		                   {"unreachable", NULL, (long long)scan->counts[FOUND_UNREACHABLE]},
		                   {"self_connections", NULL, scan->self_connections},
		                   {"time_wait", NULL, scan->left_in_time_wait}),
		});
		return;
	}
	print("%u port%s: %zu open, %zu closed, %zu silent", scan->last - scan->first + 1,
	      scan->last == scan->first ? "" : "s", scan->counts[FOUND_OPEN],
	      scan->counts[FOUND_CLOSED], scan->counts[FOUND_SILENT]);
	if (scan->counts[FOUND_UNREACHABLE] > 0)
		print(", %zu unreachable", scan->counts[FOUND_UNREACHABLE]);
	print("; in %.1f s\n", seconds);
	if (scan->self_connections > 0)
		print("connected to itself %d time%s: no server there, counted as closed\n",
		      scan->self_connections, scan->self_connections == 1 ? "" : "s");
	if (tcp_state_of_tuple(&scan->target, &scan->target, NULL) == TCP_STATE_UNSEEN)
		print("left behind: not visible on this system\n");
	else if (scan->left_in_time_wait == 0)
		print("left behind: nothing, no connection in TIME_WAIT\n");
	else
		print("left behind: %d in TIME_WAIT, where the server closed first\n",
		      scan->left_in_time_wait);
}

static int run_scan(struct scan *scan, const char *before_path)
{
	static unsigned char before[65536];
	char address[ENDPOINT_TEXT_SIZE];

	if (before_path != NULL && read_before(before_path, scan, before) == -1)
		return EXIT_FAILURE;
	(void)machine_raise_descriptor_limit();
	if (!narrate_is_json())
		print("scan of %s, TCP ports %u-%u\n", endpoint_format_address(&scan->target, address),
		      scan->first, scan->last);
	if (scan_all(scan) == -1) {
		complain("cannot go on: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	for (unsigned port = scan->first; port <= scan->last && scan->counts[FOUND_SILENT] <= 100;
	     port++)
		if (scan->found[port] == FOUND_SILENT)
			tell(scan, (uint16_t)port, "");
	summarise(scan);
	if (before_path != NULL)
		compare(scan, before);
	return EXIT_SUCCESS;
}

/* "N" or "N-M"; false where the word is neither, and so may be an address. */
static bool read_range(const char *word, struct scan *scan)
{
	char copy[16], reason[PORT_REASON_SIZE];
	uint16_t first, last;

	if (strlen(word) >= sizeof copy || strspn(word, "0123456789-") != strlen(word))
		return false;
	snprintf(copy, sizeof copy, "%s", word);
	char *dash = strchr(copy, '-');
	if (dash != NULL)
		*dash = '\0';
	if (port_number_parse(copy, &first, reason) == -1 ||
	    port_number_parse(dash != NULL ? dash + 1 : copy, &last, reason) == -1 || first == 0 ||
	    first > last)
		return false;
	scan->first = first;
	scan->last = last;
	return true;
}

static int read_target(const char *word, struct scan *scan)
{
	const char *reason;
	char quoted[120];

	text_escape(word, strlen(word), quoted, sizeof quoted);
	/* What begins with a digit and has neither dot nor colon was meant for ports. */
	bool plain = word[strcspn(word, ".:")] == '\0' && strncmp(word, "0x", 2) != 0;
	if (word[0] == '\0' || (plain && (word[0] == '-' || isdigit((unsigned char)word[0])))) {
		complain("ports '%s': give N or N-M, from 1 to 65535, low to high", quoted);
		return EXIT_USAGE;
	}
	if (endpoint_resolve(word, 1, AF_UNSPEC, TRANSPORT_TCP, &scan->target, 1, &reason) == -1) {
		explain_report(
		    &(struct failure){.call = "getaddrinfo", .name = word, .reason = reason});
		return EXIT_FAILURE;
	}
	if (machine_has_address(&scan->target))
		return -1;
	complain("'%s' is not an address of this machine: lab scan looks at no other. (lab doctor "
	         "lists this machine's.)",
	         quoted);
	return EXIT_USAGE;
}

/* An address, a range, or one of each. Returns -1 to go on, else the exit status. */
static int read_operands(int count, char **words, struct scan *scan)
{
	bool range = false, target = false;
	char quoted[80];

	for (int i = 0; i < count; i++) {
		bool is_range = read_range(words[i], scan);
		if (is_range ? range : target) {
			complain("'%s' is too much: give one ADDR and one PORTS, N or N-M",
			         text_escape(words[i], strlen(words[i]), quoted, sizeof quoted));
			return EXIT_USAGE;
		}
		int status = is_range ? -1 : read_target(words[i], scan);
		if (status != -1)
			return status;
		range = range || is_range;
		target = target || !is_range;
	}
	return -1;
}

static int run(int argc, char **argv)
{
	enum { OPTION_BEFORE = 256, OPTION_JSON, OPTION_COLOR };
	static const struct option long_options[] = {
	    {"before", required_argument, NULL, OPTION_BEFORE},
	    {"color", required_argument, NULL, OPTION_COLOR},
	    {"help", no_argument, NULL, 'h'},
	    {"json", no_argument, NULL, OPTION_JSON},
	    {"timeout", required_argument, NULL, 't'},
	    {NULL, 0, NULL, 0},
	};
	static struct scan scan;
	struct narrate_options narration = {.form = NARRATE_TEXT};
	const char *before = NULL;
	int option;

	scan.target = endpoint_loopback(AF_INET, 0);
	scan.first = 1;
	scan.last = UINT16_MAX;
	scan.timeout_ms = 1000;
	while ((option = options_next(argc, argv, "ht:", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option == OPTION_BEFORE)
			before = optarg;
		else if (option == OPTION_JSON)
			narration.form = NARRATE_JSON;
		else if (option == 't') {
			if (!options_seconds("--timeout", optarg, &scan.timeout_ms))
				return EXIT_USAGE;
		} else if (option != OPTION_COLOR || !options_color(optarg, &narration.color))
			return EXIT_USAGE;
	}
	narrate_configure(&narration);
	int status = read_operands(argc - optind, argv + optind, &scan);
	return status != -1 ? status : run_scan(&scan, before);
}

const struct subcommand subcommand_scan = {
    "scan", "[ADDR] [PORTS]", "which TCP ports of this machine are open", help_text, run};
