/*
 * ports.c - lab ports: what a number is, what it is called, who may bind it on this
 * machine, and who listens on it now. Without a number: the map of all of them.
 */
#include "instruments/print.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/number_line.h"
#include "kit/options.h"
#include "kit/port.h"
#include "kit/registry.h"
#include "kit/socket_table.h"
#include "kit/text.h"
#include "subcommand.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab ports [options] [N | NAME | N-M ...]\n"
    "What a port number is: class, names, who may bind it here, who listens now.\n"
    "Without a number: the map of all 65,536 of them.\n"
    "\n"
    "  --search TEXT   the services whose name or purpose contains TEXT\n"
    "  --json          one JSON object on a line for each port, and each listener\n"
    "  --color WHEN    auto, always or never\n"
    "\n"
    "  lab ports 80 mysql 50000\n"
    "  lab ports 20-25\n";

enum { DETAILED = 4 }; /* up to so many ports are told in full, more in a line each */

/* ---- who listens ---- */

struct listener {
	struct socket_entry entry;
	enum transport transport;
};

struct listeners {
	struct listener *all;
	size_t count, room;
	enum transport transport; /* while reading */
	struct socket_owners *owners;
	bool visible; /* whether the system shows its sockets at all */
	bool no_memory;
};

/* Every listening TCP socket, and every UDP socket that is not connected. */
static int add_listener(const struct socket_entry *entry, void *argument)
{
	struct listeners *listeners = argument;
	bool wanted = listeners->transport == TRANSPORT_TCP ? entry->state == TCP_STATE_LISTEN
	                                                    : endpoint_port(&entry->peer) == 0;

	if (!wanted || endpoint_port(&entry->local) == 0)
		return 0;
	if (listeners->count == listeners->room) {
		size_t room = listeners->room == 0 ? 64 : listeners->room * 2;
		struct listener *grown = realloc(listeners->all, room * sizeof *grown);
		if (grown == NULL) {
			listeners->no_memory = true;
			return 1;
		}
		listeners->all = grown;
		listeners->room = room;
	}
	listeners->all[listeners->count++] = (struct listener){*entry, listeners->transport};
	return 0;
}

/* Where they cannot be read, "nobody listens" would be wrong: said, and not visible. */
static void listeners_read(struct listeners *listeners)
{
	*listeners = (struct listeners){.visible = true};
	for (int i = TRANSPORT_TCP; i <= TRANSPORT_UDP; i++) {
		listeners->transport = (enum transport)i;
		if (socket_table_each(listeners->transport, add_listener, listeners) == 0 &&
		    !listeners->no_memory)
			continue;
		if (errno != ENOTSUP)
			complain("cannot read the socket table: %s", strerror(errno));
		listeners->visible = false;
	}
	listeners->owners = socket_owners_read();
	if (listeners->owners == NULL && errno != ENOTSUP)
		complain("cannot see which process has a socket: %s", strerror(errno));
}

static void listeners_free(struct listeners *listeners)
{
	free(listeners->all);
	socket_owners_free(listeners->owners);
}

/* "server, pid 4711 (student)", or only whose. */
static void describe_owner(const struct listeners *listeners, const struct socket_entry *entry,
                           char *text, size_t size)
{
	const struct socket_process *process = socket_owners_find(listeners->owners, entry->inode);
	const struct passwd *user = getpwuid((uid_t)entry->uid);
	char name[48], safe[64];

	if (user != NULL)
		(void)text_make_safe(user->pw_name, strlen(user->pw_name), name, sizeof name);
	else
		snprintf(name, sizeof name, "uid %lu", (unsigned long)entry->uid);
	if (process != NULL)
		snprintf(text, size, "%s, pid %ld (%s)",
		         text_escape(process->name, strlen(process->name), safe, sizeof safe),
		         process->pid, name);
	else
		snprintf(text, size, "of user %s", name);
}

/* ---- who may bind ---- */

static const char *describe_right(uint16_t port, char *text, size_t size)
{
	long start = machine_unprivileged_start();
	unsigned long uid = (unsigned long)geteuid();

	switch (machine_bind_right(port)) {
	case BIND_RIGHT_ANYBODY:
		if (port == 0)
			snprintf(text, size, "any user: the kernel then chooses a free port");
		else
			snprintf(text, size, "any user");
		break;
	case BIND_RIGHT_LOWERED:
		snprintf(text, size, "any user, here: ip_unprivileged_port_start = %ld", start);
		break;
	case BIND_RIGHT_ROOT:
		snprintf(text, size, "you (uid 0 has CAP_NET_BIND_SERVICE), not ordinary users");
		break;
	case BIND_RIGHT_SANDBOX:
		snprintf(text, size, "you (CAP_NET_BIND_SERVICE over this private network)");
		break;
	case BIND_RIGHT_CAPABILITY:
		snprintf(text, size, "you (uid %lu has CAP_NET_BIND_SERVICE)", uid);
		break;
	case BIND_RIGHT_FOREIGN:
		snprintf(text, size, "not you: root only of your own user namespace");
		break;
	case BIND_RIGHT_NONE:
		snprintf(text, size, "not you (uid %lu): it takes CAP_NET_BIND_SERVICE", uid);
		break;
	case BIND_RIGHT_UNKNOWN:
		snprintf(text, size, "probably not you (uid %lu): this system does not tell its rule",
		         uid);
		break;
	}
	return text;
}

static bool may_bind(uint16_t port)
{
	enum bind_right right = machine_bind_right(port);

	return right != BIND_RIGHT_FOREIGN && right != BIND_RIGHT_NONE &&
	       right != BIND_RIGHT_UNKNOWN;
}

/* ---- one port ---- */

/* The registry's entry for either transport, TCP first. */
static const struct registry_entry *entry_of(uint16_t port)
{
	const struct registry_entry *entry = registry_find(port, TRANSPORT_TCP);

	return entry != NULL ? entry : registry_find(port, TRANSPORT_UDP);
}

static const char *service_of(uint16_t port)
{
	const char *name = port_service_name(port, TRANSPORT_TCP);

	return name != NULL ? name : port_service_name(port, TRANSPORT_UDP);
}

static const char *iana_name_of(uint16_t port)
{
	const struct registry_entry *entry = entry_of(port);

	return entry != NULL && entry->name[0] != '-' ? entry->name : NULL;
}

/* The registry's name and purpose; for UDP too, where that is another service. */
static void print_iana(uint16_t port, const struct registry_entry *entry)
{
	const struct registry_entry *udp = registry_find(port, TRANSPORT_UDP);

	print("  IANA       %s%s%.50s\n", entry->name, entry->statement[0] != '\0' ? ": " : "",
	      entry->statement);
	if (udp != NULL && udp != entry && udp->name[0] != '-' &&
	    strcmp(udp->name, entry->name) != 0)
		print("             over UDP %s%s%.40s\n", udp->name,
		      udp->statement[0] != '\0' ? ": " : "", udp->statement);
	print("             (registry of %s)\n", registry_date());
}

static void print_names(uint16_t port)
{
	static const enum transport both[] = {TRANSPORT_TCP, TRANSPORT_UDP};
	const char *shown[2];
	char tcp[64] = "no name";
	const struct registry_entry *entry = entry_of(port);

	for (int i = 0; i < 2; i++) {
		shown[i] = port_service_name(port, both[i]);
		if (i == 0 && shown[i] != NULL) /* the next call overwrites it */
			snprintf(tcp, sizeof tcp, "%s", shown[i]);
	}
	if (shown[0] != NULL && shown[1] != NULL && strcmp(tcp, shown[1]) != 0)
		print("  here       %s (TCP), %s (UDP), in the services database\n", tcp, shown[1]);
	else
		print("  here       %s, in the services database\n",
		      shown[0] == NULL && shown[1] != NULL ? shown[1] : tcp);
	if (entry == NULL)
		print("  IANA       %s (registry of %s)\n",
		      port >= 49152 ? "cannot be registered" : "registered to nobody", registry_date());
	else if (entry->name[0] == '-')
		print("  IANA       reserved: %s (registry of %s)\n", entry->statement,
		      registry_date());
	else
		print_iana(port, entry);
}

static void print_listeners(uint16_t port, const struct listeners *listeners)
{
	char owner[160], local[ENDPOINT_TEXT_SIZE];
	int found = 0;

	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *listener = &listeners->all[i];
		if (endpoint_port(&listener->entry.local) != port)
			continue;
		describe_owner(listeners, &listener->entry, owner, sizeof owner);
		print("  %-10s %s %s  %s\n", found++ == 0 ? "open now" : "",
		      transport_name(listener->transport),
		      endpoint_format(&listener->entry.local, local), owner);
	}
	if (found == 0)
		print("  open now   %s\n", listeners->visible
		                               ? "no: nobody listens on it"
		                               : "this system does not show who listens");
}

static void print_port(uint16_t port, const struct listeners *listeners)
{
	const struct port_class *class = port_class_of(port);
	struct port_range range;
	char right[160];

	if (class->first == class->last)
		print("%u is %s\n", port, class->title);
	else
		print("%u is %s (%u-%u)%s%s\n", port, class->title, class->first, class->last,
		      class->alias != NULL ? ", also called " : "",
		      class->alias != NULL ? class->alias : "");
	if (machine_ephemeral_range(&range) == 0 && port >= range.first && port <= range.last)
		print("  kernel     may give it to a client: its ephemeral range is %u-%u\n",
		      range.first, range.last);
	print_names(port);
	print("  may bind   %s\n", describe_right(port, right, sizeof right));
	print_listeners(port, listeners);
}

/* One line of a table. */
static void print_row(uint16_t port, const struct listeners *listeners)
{
	const struct registry_entry *entry = entry_of(port);
	const char *service = service_of(port);
	char owner[160] = "";

	for (size_t i = 0; i < listeners->count && owner[0] == '\0'; i++)
		if (endpoint_port(&listeners->all[i].entry.local) == port)
			describe_owner(listeners, &listeners->all[i].entry, owner, sizeof owner);
	print("%5u  %-10s  %-15.15s  %-15.15s  %.26s\n", port, port_class_of(port)->name,
	      service != NULL ? service : "-",
	      entry == NULL           ? "-"
	      : entry->name[0] == '-' ? "(reserved)"
	                              : entry->name,
	      owner);
}

static void tell_port_json(uint16_t port, const struct listeners *listeners)
{
	const struct registry_entry *entry = entry_of(port);
	const char *service = service_of(port), *iana = iana_name_of(port);
	char right[160], owner[160];

	describe_right(port, right, sizeof right);
	narrate(&(struct event){
	    .name = "port",
	    .class = port_class_of(port),
	    .facts = FACTS({"port", NULL, port}, {"service", service != NULL ? service : "", 0},
	                   {"iana", iana != NULL ? iana : "", 0},
	                   {"purpose", entry != NULL ? entry->statement : "", 0},
	                   {"registry", registry_date(), 0}, {"may_bind", NULL, may_bind(port)},
	                   {"why", right, 0}),
	});
	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *listener = &listeners->all[i];
		if (endpoint_port(&listener->entry.local) != port)
			continue;
		describe_owner(listeners, &listener->entry, owner, sizeof owner);
		narrate(&(struct event){
		    .name = "listener",
		    .local = &listener->entry.local,
		    .state = listener->entry.state,
		    .facts = FACTS({"transport", transport_protocol(listener->transport), 0},
		                   {"uid", NULL, listener->entry.uid}, {"owner", owner, 0}),
		});
	}
}

/* ---- the map ---- */

/* How many numbers of a class the registry gives a name, for TCP or UDP. */
static unsigned registered_in(const struct port_class *class)
{
	unsigned count = 0;

	for (unsigned port = class->first; port <= class->last; port++)
		count += iana_name_of((uint16_t)port) != NULL;
	return count;
}

static unsigned listening_in(const struct port_class *class, const struct listeners *listeners)
{
	static unsigned char seen[65536];
	unsigned count = 0;

	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < listeners->count; i++) {
		uint16_t port = endpoint_port(&listeners->all[i].entry.local);
		count += port >= class->first && port <= class->last && !seen[port];
		seen[port] = 1;
	}
	return count;
}

static void print_line(const char *line)
{
	print("%s\n", line);
}

static void print_picture(const struct listeners *listeners)
{
	struct number_line registered = {{0}}, open = {{0}};
	char line[NUMBER_LINE_SIZE];
	bool utf8 = text_is_utf8();

	for (unsigned port = 0; port <= UINT16_MAX; port++)
		if (iana_name_of((uint16_t)port) != NULL)
			number_line_add(&registered, (uint16_t)port);
	for (size_t i = 0; i < listeners->count; i++)
		number_line_add(&open, endpoint_port(&listeners->all[i].entry.local));
	number_line_bars(&registered, 1, 2, utf8, "named", line);
	print_line(line);
	number_line_bars(&registered, 0, 2, utf8, "", line);
	print_line(line);
	if (listeners->count > 0) {
		number_line_bars(&open, 0, 1, utf8, "open now", line);
		print_line(line);
	}
	number_line_scale(line);
	print_line(line);
	number_line_iana(line);
	print_line(line);
	if (number_line_kernel(line))
		print_line(line);
}

static void print_rules(void)
{
	struct port_range range;
	char reserved[128], right[160];
	long start = machine_unprivileged_start();

	if (machine_ephemeral_range(&range) == 0)
		print("\nThis kernel gives clients %u-%u (net.ipv4.ip_local_port_range).\n",
		      range.first, range.last);
	else
		print("\nThis system does not show which ports it gives to clients.\n");
	if (machine_reserved_ports(reserved, sizeof reserved) == 0)
		print("It leaves out: %s (net.ipv4.ip_local_reserved_ports).\n",
		      reserved[0] != '\0' ? reserved : "none");
	if (start >= 0)
		print("Ports below %ld need privilege (net.ipv4.ip_unprivileged_port_start).\n", start);
	print("Port 80 here: %s.\n", describe_right(80, right, sizeof right));
}

static void print_map(const struct listeners *listeners)
{
	size_t count;
	const struct port_class *classes = port_classes(&count);

	print("all port numbers, in columns of 1024\n");
	print_picture(listeners);
	print("\nclass        numbers       how many    named  no name   open now\n");
	for (size_t i = 1; i < count; i++) {
		unsigned all = classes[i].last - classes[i].first + 1U;
		unsigned registered = registered_in(&classes[i]);
		char range[24], open[16] = "not shown";
		snprintf(range, sizeof range, "%u-%u", classes[i].first, classes[i].last);
		if (listeners->visible)
			snprintf(open, sizeof open, "%u", listening_in(&classes[i], listeners));
		print("%-11s  %-12s  %8u  %7u  %7u  %9s\n", classes[i].name, range, all, registered,
		      all - registered, open);
	}
	print("named by IANA (%s); open now for TCP or UDP; port 0 is reserved\n", registry_date());
	print_rules();
}

static void tell_map_json(const struct listeners *listeners)
{
	size_t count;
	const struct port_class *classes = port_classes(&count);
	struct port_range range;

	for (size_t i = 0; i < count; i++)
		narrate(&(struct event){
		    .name = "class",
		    .class = &classes[i],
		    .facts = FACTS({"first", NULL, classes[i].first}, {"last", NULL, classes[i].last},
		                   {"registered", NULL, registered_in(&classes[i])},
		                   {"listening", NULL, listening_in(&classes[i], listeners)}),
		});
	if (machine_ephemeral_range(&range) == 0)
		narrate(&(struct event){
		    .name = "ephemeral",
		    .facts = FACTS({"first", NULL, range.first}, {"last", NULL, range.last}),
		});
	narrate(&(struct event){
	    .name = "privilege",
	    .facts = FACTS({"unprivileged_start", NULL, machine_unprivileged_start()}),
	});
}

/* ---- search ---- */

static bool contains(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (; *text != '\0'; text++)
		if (strncasecmp(text, part, length) == 0)
			return true;
	return length == 0;
}

static void tell_match(unsigned first, unsigned last, const char *name, const char *where,
                       const char *purpose)
{
	char range[24];

	if (narrate_is_json()) {
		narrate(&(struct event){
		    .name = "service",
		    .facts = FACTS({"port", NULL, first}, {"last", NULL, last}, {"service", name, 0},
		                   {"source", where, 0}, {"purpose", purpose, 0}),
		});
		return;
	}
	snprintf(range, sizeof range, first == last ? "%u" : "%u-%u", first, last);
	print("%-11s  %-15s  %-8s  %.40s\n", range, name, where, purpose);
}

/* The services database's own names, those that the registry does not have. */
static int search_services(const char *text)
{
	const struct servent *service;
	int found = 0;

	setservent(0);
	while ((service = getservent()) != NULL) {
		enum transport transport =
		    strcmp(service->s_proto, "udp") == 0 ? TRANSPORT_UDP : TRANSPORT_TCP;
		uint16_t port = ntohs((uint16_t)service->s_port);
		if (!contains(service->s_name, text) ||
		    registry_find_name(service->s_name, transport) != NULL)
			continue;
		tell_match(port, port, service->s_name, "services", service->s_proto);
		found++;
	}
	endservent();
	return found;
}

static int search(const char *text)
{
	size_t count;
	const struct registry_entry *entries = registry_entries(&count);
	int found = 0;
	char quoted[80];

	for (size_t i = 0; i < count; i++) {
		if (entries[i].name[0] == '-' ||
		    (!contains(entries[i].name, text) && !contains(entries[i].statement, text)))
			continue;
		tell_match(entries[i].first, entries[i].last, entries[i].name, "IANA",
		           entries[i].statement);
		found++;
	}
	found += search_services(text);
	if (found > 0)
		return EXIT_SUCCESS;
	complain("no service has '%s' in its name or purpose (registry of %s)",
	         text_escape(text, strlen(text), quoted, sizeof quoted), registry_date());
	return EXIT_FAILURE;
}

/* ---- the command line ---- */

/* Marks what one word asks for: "80", "mysql" or "20-25". Returns false after complaining. */
static bool mark(const char *word, unsigned char wanted[65536])
{
	char copy[80], reason[PORT_REASON_SIZE], quoted[80];
	uint16_t first, last;
	char *dash;

	snprintf(copy, sizeof copy, "%s", word);
	dash = strchr(copy, '-');
	if (dash != NULL && dash != copy && strspn(copy, "0123456789-") == strlen(copy)) {
		*dash = '\0';
		if (port_number_parse(copy, &first, reason) == 0 &&
		    port_number_parse(dash + 1, &last, reason) == 0 && first <= last) {
			memset(wanted + first, 1, (size_t)(last - first) + 1);
			return true;
		}
		snprintf(reason, sizeof reason, "give a range from low to high, within 0-65535");
	} else if (port_parse(word, TRANSPORT_TCP, &first, reason) == 0 ||
	           port_parse(word, TRANSPORT_UDP, &first, reason) == 0) {
		wanted[first] = 1;
		return true;
	}
	complain("port '%s': %s", text_escape(word, strlen(word), quoted, sizeof quoted), reason);
	return false;
}

static void show_wanted(const unsigned char wanted[65536], const struct listeners *listeners)
{
	size_t count = 0;

	for (unsigned port = 0; port <= UINT16_MAX; port++)
		count += wanted[port];
	if (!narrate_is_json() && count > DETAILED)
		print(" port  class       here             IANA             open now\n");
	for (unsigned port = 0; port <= UINT16_MAX && !narrate_failed(); port++) {
		if (!wanted[port])
			continue;
		if (narrate_is_json())
			tell_port_json((uint16_t)port, listeners);
		else if (count > DETAILED)
			print_row((uint16_t)port, listeners);
		else
			print_port((uint16_t)port, listeners);
	}
}

static int show(int count, char **words)
{
	static unsigned char wanted[65536];
	struct listeners listeners;

	for (int i = 0; i < count; i++)
		if (!mark(words[i], wanted))
			return EXIT_USAGE;
	listeners_read(&listeners);
	if (count > 0)
		show_wanted(wanted, &listeners);
	else if (narrate_is_json())
		tell_map_json(&listeners);
	else
		print_map(&listeners);
	listeners_free(&listeners);
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	enum { OPTION_SEARCH = 256, OPTION_JSON, OPTION_COLOR };
	static const struct option long_options[] = {
	    {"color", required_argument, NULL, OPTION_COLOR},
	    {"help", no_argument, NULL, 'h'},
	    {"json", no_argument, NULL, OPTION_JSON},
	    {"search", required_argument, NULL, OPTION_SEARCH},
	    {NULL, 0, NULL, 0},
	};
	struct narrate_options narration = {.form = NARRATE_TEXT};
	const char *text = NULL;
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option == OPTION_SEARCH)
			text = optarg;
		else if (option == OPTION_JSON)
			narration.form = NARRATE_JSON;
		else if (option != OPTION_COLOR || !options_color(optarg, &narration.color))
			return EXIT_USAGE;
	}
	narrate_configure(&narration);
	narrate_in_blocks(true);
	if (text != NULL && optind < argc) {
		complain("--search looks through all services: it takes no port beside it");
		return EXIT_USAGE;
	}
	return text != NULL ? search(text) : show(argc - optind, argv + optind);
}

const struct subcommand subcommand_ports = {"ports", "[N|NAME|N-M ...]",
                                            "what a number is, who may bind it, who listens",
                                            help_text, run};
