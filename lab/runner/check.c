/* check.c - see check.h. */
#include "runner/check.h"

#include "instruments/socket_list.h"
#include "kit/socket_table.h"
#include "kit/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *words;
} attributes[CHECK_ATTRIBUTES] = {
    [CHECK_STATE] = {"state", "state"},
    [CHECK_LOCAL_PORT] = {"local-port", "local port"},
    [CHECK_REMOTE_PORT] = {"remote-port", "remote port"},
    [CHECK_LOCAL_ADDRESS] = {"local-address", "local address"},
    [CHECK_REMOTE_ADDRESS] = {"remote-address", "remote address"},
    [CHECK_PROGRAM] = {"program", "program"},
    [CHECK_CAPABILITY] = {"capability", "the process's CAP_NET_BIND_SERVICE"},
    [CHECK_PROCESS] = {"process", "process"},
    [CHECK_THREADS] = {"threads", "the process's threads"},
};

/* ---- reading ---- */

static int wrong(char reason[CHECK_REASON_SIZE], const char *words, const char *what)
{
	snprintf(reason, CHECK_REASON_SIZE, "%s '%.60s'", words, what);
	return -1;
}

/* "local-port=3306" in its three parts. Returns 0, or -1. */
static int take_apart(const char *word, char name[64], enum comparison *comparison,
                      char value[64])
{
	size_t length = strcspn(word, "=!<>"), sign;

	*comparison = comparison_at(word + length, &sign);
	if (length == 0 || length > 63 || *comparison == NO_COMPARISON ||
	    word[length + sign] == '\0' || strlen(word + length + sign) > 63)
		return -1;
	memcpy(name, word, length);
	name[length] = '\0';
	strcpy(value, word + length + sign);
	return 0;
}

static enum check_attribute attribute_of(const char *name)
{
	int i = 0;

	while (i < CHECK_ATTRIBUTES && strcmp(attributes[i].name, name) != 0)
		i++;
	return (enum check_attribute)i;
}

static bool parse_address(const char *text, struct endpoint *address)
{
	char with_port[80];

	if (strchr(text, ':') != NULL)
		snprintf(with_port, sizeof with_port, "[%.60s]:0", text);
	else
		snprintf(with_port, sizeof with_port, "%.60s:0", text);
	return endpoint_parse(with_port, address) == 0;
}

static bool value_is_valid(const struct check_condition *condition)
{
	bool exact = condition->comparison == EQUAL || condition->comparison == NOT_EQUAL;
	const char *value = condition->value;
	struct endpoint address;
	long first, last, number;
	bool unknown;

	switch (condition->attribute) {
	case CHECK_STATE:
		return exact && tcp_state_find(value) != TCP_STATE_COUNT;
	case CHECK_LOCAL_PORT:
	case CHECK_REMOTE_PORT:
		return (ports_parse(value, &first, &last, &unknown) == 0 || unknown) &&
		       (exact || first == last);
	case CHECK_LOCAL_ADDRESS:
	case CHECK_REMOTE_ADDRESS:
		return exact && (strcmp(value, "any") == 0 || parse_address(value, &address));
	case CHECK_PROGRAM:
		return exact;
	case CHECK_CAPABILITY:
		return condition->comparison == EQUAL &&
		       (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0);
	case CHECK_THREADS:
		return number_parse(value, &number) == 0;
	case CHECK_PROCESS:
	case CHECK_ATTRIBUTES:
		break;
	}
	return false;
}

static int take_condition(const char *word, struct check *check, char reason[CHECK_REASON_SIZE])
{
	struct check_condition condition;
	char name[64];

	if (take_apart(word, name, &condition.comparison, condition.value) == -1)
		return wrong(reason, "a condition looks like local-port=3306, not like", word);
	if (strcmp(name, "count") == 0) {
		check->comparison = condition.comparison;
		return number_parse(condition.value, &check->number) == 0
		           ? 0
		           : wrong(reason, "count takes a number, not", condition.value);
	}
	condition.attribute = attribute_of(name);
	if (condition.attribute == CHECK_ATTRIBUTES)
		return wrong(reason, "there is no condition", name);
	if (!value_is_valid(&condition))
		return wrong(reason, "this comparison with this value makes no sense:", word);
	if (check->condition_count == CHECK_CONDITIONS_MOST)
		return wrong(reason, "too many conditions at", word);
	check->conditions[check->condition_count++] = condition;
	return 0;
}

static int take_distinct(const char *word, struct check *check, char reason[CHECK_REASON_SIZE])
{
	char name[64], value[64];

	if (word == NULL || take_apart(word, name, &check->distinct_comparison, value) == -1 ||
	    number_parse(value, &check->distinct_number) == -1)
		return wrong(reason, "after distinct comes something like remote-port>=2, not",
		             word != NULL ? word : "");
	check->distinct = attribute_of(name);
	return check->distinct != CHECK_ATTRIBUTES ? 0
	                                           : wrong(reason, "there is no condition", name);
}

static int take_setting(const char *word, struct check *check, char reason[CHECK_REASON_SIZE])
{
	char value[64];

	if (word == NULL || take_apart(word, check->setting, &check->comparison, value) == -1 ||
	    number_parse(value, &check->number) == -1 ||
	    strspn(check->setting, "abcdefghijklmnopqrstuvwxyz0123456789._") !=
	        strlen(check->setting) ||
	    strstr(check->setting, "..") != NULL)
		return wrong(reason, "after sysctl comes something like net.ipv4.name<=80, not",
		             word != NULL ? word : "");
	return 0;
}

/* Words of the lines after the first, with single blanks between. */
static void take_next_step(const char *text, struct check *check)
{
	size_t used = 0;

	for (; *text != '\0' && used + 1 < sizeof check->next_step; text++) {
		bool blank = strchr(" \t\n", *text) != NULL;
		if (blank && (used == 0 || check->next_step[used - 1] == ' '))
			continue;
		check->next_step[used++] = blank ? ' ' : *text;
	}
	while (used > 0 && check->next_step[used - 1] == ' ')
		used--;
	check->next_step[used] = '\0';
}

int check_parse(const char *text, struct check *check, char reason[CHECK_REASON_SIZE])
{
	char line[256], *rest = NULL;

	text += strspn(text, " \t\n");
	size_t length = strcspn(text, "\n");
	if (length >= sizeof line)
		return wrong(reason, "this condition is too long:", text);
	memcpy(line, text, length);
	line[length] = '\0';
	memset(check, 0, sizeof *check);
	check->comparison = GREATER_EQUAL;
	check->number = 1;
	check->distinct = CHECK_ATTRIBUTES;
	take_next_step(text + length, check);

	const char *kind = strtok_r(line, " \t", &rest);
	check->secret = kind != NULL && strcmp(kind, "secret") == 0;
	if (check->secret)
		kind = strtok_r(NULL, " \t", &rest);
	if (kind != NULL && strcmp(kind, "sysctl") == 0) {
		if (take_setting(strtok_r(NULL, " \t", &rest), check, reason) == -1)
			return -1;
		const char *more = strtok_r(NULL, " \t", &rest);
		return more == NULL
		           ? 0
		           : wrong(reason, "nothing may follow the setting, but there is", more);
	}
	if (kind == NULL || (strcmp(kind, "tcp") != 0 && strcmp(kind, "udp") != 0))
		return wrong(reason, "a check begins with tcp, udp or sysctl, not with",
		             kind != NULL ? kind : "");
	check->transport = kind[0] == 't' ? TRANSPORT_TCP : TRANSPORT_UDP;
	for (const char *word; (word = strtok_r(NULL, " \t", &rest)) != NULL;) {
		int taken = strcmp(word, "distinct") == 0
		                ? take_distinct(strtok_r(NULL, " \t", &rest), check, reason)
		                : take_condition(word, check, reason);
		if (taken == -1)
			return -1;
	}
	return 0;
}

/* ---- looking ---- */

static bool address_is(const struct endpoint *address, const char *value)
{
	struct endpoint wanted;

	if (strcmp(value, "any") == 0)
		return endpoint_is_wildcard(address);
	return parse_address(value, &wanted) && endpoint_same_address(address, &wanted);
}

static bool port_is(uint16_t port, const struct check_condition *condition)
{
	long first, last;
	bool unknown;

	if (ports_parse(condition->value, &first, &last, &unknown) == -1)
		return false;
	if (condition->comparison == EQUAL || condition->comparison == NOT_EQUAL)
		return (port >= first && port <= last) == (condition->comparison == EQUAL);
	return comparison_holds(port, condition->comparison, first);
}

/*
 * The number behind that name in proc(5)'s status of the process that holds the socket.
 * Returns -1 where there is none to be seen: another account's, or just ended.
 */
static int process_status(const struct socket_process *process, const char *name, int base,
                          unsigned long long *number)
{
	char path[64], line[128];
	size_t length = strlen(name);
	int result = -1;

	if (process == NULL)
		return -1;
	snprintf(path, sizeof path, "/proc/%ld/status", process->pid);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return -1;
	while (result == -1 && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, name, length) == 0 && line[length] == ':') {
			*number = strtoull(line + length + 1, NULL, base);
			result = 0;
		}
	(void)fclose(file);
	return result;
}

/* Whether the process that holds the socket could bind any port of this network. */
static bool holds_capability(const struct socket_process *process)
{
	unsigned long long set;

	if (process_status(process, "CapEff", 16, &set) == -1)
		return true;             /* another account's, in a lab: root's */
	return (set >> 10 & 1) != 0; /* CAP_NET_BIND_SERVICE, capabilities(7) */
}

/* How many threads that process has; 0 where it cannot be seen. */
static long threads_of(const struct socket_process *process)
{
	unsigned long long threads;

	return process_status(process, "Threads", 10, &threads) == 0 ? (long)threads : 0;
}

static bool meets(const struct check_condition *condition, const struct listed *listed,
                  const struct socket_owners *owners)
{
	const struct socket_entry *entry = &listed->entry;
	const struct socket_process *process;
	long number;
	bool same;

	switch (condition->attribute) {
	case CHECK_STATE:
		same = !entry->bound_only && entry->state == tcp_state_find(condition->value);
		return same == (condition->comparison == EQUAL);
	case CHECK_LOCAL_PORT:
		return port_is(endpoint_port(&entry->local), condition);
	case CHECK_REMOTE_PORT:
		return port_is(endpoint_port(&entry->peer), condition);
	case CHECK_LOCAL_ADDRESS:
		same = address_is(&entry->local, condition->value);
		return same == (condition->comparison == EQUAL);
	case CHECK_REMOTE_ADDRESS:
		same = address_is(&entry->peer, condition->value);
		return same == (condition->comparison == EQUAL);
	case CHECK_PROGRAM:
		process = socket_owners_find(owners, entry->inode);
		same = process != NULL && strcmp(process->name, condition->value) == 0;
		return same == (condition->comparison == EQUAL);
	case CHECK_CAPABILITY:
		process = socket_owners_find(owners, entry->inode);
		return holds_capability(process) == (strcmp(condition->value, "yes") == 0);
	case CHECK_THREADS:
		number = threads_of(socket_owners_find(owners, entry->inode));
		return number > 0 && comparison_holds(number, condition->comparison,
		                                      strtol(condition->value, NULL, 10));
	case CHECK_PROCESS:
	case CHECK_ATTRIBUTES:
		break;
	}
	return false;
}

/* The number of conditions that it does not meet; *first_unmet is one of them. */
static size_t unmet(const struct check *check, const struct listed *listed,
                    const struct socket_owners *owners,
                    const struct check_condition **first_unmet)
{
	size_t count = 0;

	for (size_t i = 0; i < check->condition_count; i++)
		if (!meets(&check->conditions[i], listed, owners)) {
			*first_unmet = &check->conditions[i];
			count++;
		}
	return count;
}

static void value_of(enum check_attribute attribute, const struct listed *listed,
                     const struct socket_owners *owners, char text[ENDPOINT_TEXT_SIZE])
{
	const struct socket_entry *entry = &listed->entry;
	const struct socket_process *process = socket_owners_find(owners, entry->inode);

	switch (attribute) {
	case CHECK_STATE:
		snprintf(text, ENDPOINT_TEXT_SIZE, "%s",
		         entry->bound_only ? "CLOSED" : tcp_state_name(entry->state));
		return;
	case CHECK_LOCAL_PORT:
		snprintf(text, ENDPOINT_TEXT_SIZE, "%u", endpoint_port(&entry->local));
		return;
	case CHECK_REMOTE_PORT:
		snprintf(text, ENDPOINT_TEXT_SIZE, "%u", endpoint_port(&entry->peer));
		return;
	case CHECK_LOCAL_ADDRESS:
		(void)endpoint_format_address(&entry->local, text);
		return;
	case CHECK_REMOTE_ADDRESS:
		(void)endpoint_format_address(&entry->peer, text);
		return;
	case CHECK_PROGRAM:
		text_escape(process != NULL ? process->name : "not visible",
		            process != NULL ? strlen(process->name) : 11, text, ENDPOINT_TEXT_SIZE);
		return;
	case CHECK_CAPABILITY:
		snprintf(text, ENDPOINT_TEXT_SIZE, "%s", holds_capability(process) ? "yes" : "no");
		return;
	case CHECK_PROCESS:
		snprintf(text, ENDPOINT_TEXT_SIZE, "%ld", process != NULL ? process->pid : 0);
		return;
	case CHECK_THREADS:
		snprintf(text, ENDPOINT_TEXT_SIZE, "%ld", threads_of(process));
		return;
	case CHECK_ATTRIBUTES:
		break;
	}
	text[0] = '\0';
}

static long count_distinct(const struct check *check, const struct socket_list *list,
                           const struct socket_owners *owners)
{
	const struct check_condition *ignored;
	long count = 0;

	for (size_t i = 0; i < list->count; i++) {
		char one[ENDPOINT_TEXT_SIZE], other[ENDPOINT_TEXT_SIZE];
		bool again = unmet(check, &list->sockets[i], owners, &ignored) > 0;
		value_of(check->distinct, &list->sockets[i], owners, one);
		for (size_t j = 0; j < i && !again; j++) {
			value_of(check->distinct, &list->sockets[j], owners, other);
			again = unmet(check, &list->sockets[j], owners, &ignored) == 0 &&
			        strcmp(one, other) == 0;
		}
		count += !again;
	}
	return count;
}

/* "127.0.0.1:41234 -> 127.0.0.1:3306 ESTABLISHED" */
static void describe_socket(const struct listed *listed, char *text, size_t size)
{
	const struct socket_entry *entry = &listed->entry;
	char local[ENDPOINT_TEXT_SIZE], peer[ENDPOINT_TEXT_SIZE];

	text_add(text, size, "%s %s", transport_protocol(listed->transport),
	         endpoint_format(&entry->local, local));
	if (endpoint_port(&entry->peer) != 0)
		text_add(text, size, " -> %s", endpoint_format(&entry->peer, peer));
	if (listed->transport == TRANSPORT_TCP)
		text_add(text, size, " %s",
		         entry->bound_only ? "CLOSED" : tcp_state_name(entry->state));
}

void check_describe(const struct check *check, char *text, size_t size)
{
	const char *transport = transport_name(check->transport);

	if (check->setting[0] != '\0') {
		text_add(text, size, "the setting %s to be %s %ld", check->setting,
		         comparison_words(check->comparison), check->number);
		return;
	}
	text_add(text, size, "%s %ld %s socket%s", comparison_words(check->comparison),
	         check->number, transport, check->number == 1 ? "" : "s");
	for (size_t i = 0; i < check->condition_count; i++) {
		const struct check_condition *condition = &check->conditions[i];
		static const char *const signs[] = {"",         "not ",   "below ",
		                                    "at most ", "above ", "at least "};
		text_add(text, size, "%s %s %s%s", i == 0 ? " with" : ",",
		         attributes[condition->attribute].words, signs[condition->comparison],
		         condition->value);
	}
	if (check->distinct != CHECK_ATTRIBUTES)
		text_add(text, size, ", and among them %s %ld different value%s of the %s",
		         comparison_words(check->distinct_comparison), check->distinct_number,
		         check->distinct_number == 1 ? "" : "s", attributes[check->distinct].words);
}

enum { SHOWN_MOST = 4 };

/*
 * Those that meet every condition, with what must be distinct; else those that fail in one
 * only, with that one.
 */
static void say_found(const struct check *check, const struct socket_list *list,
                      const struct socket_owners *owners, long count, char *text, size_t size)
{
	const struct check_condition *why = NULL;
	int shown = 0;

	if (count > 0)
		text_add(text, size, "%ld:", count);
	else
		text_add(text, size, "none");
	for (size_t i = 0; i < list->count && shown < SHOWN_MOST; i++) {
		const struct listed *listed = &list->sockets[i];
		char value[ENDPOINT_TEXT_SIZE];
		size_t missing = unmet(check, listed, owners, &why);
		if (count > 0 ? missing > 0 : missing != 1)
			continue;
		text_add(text, size, "\n%s", count > 0 ? "" : "nearly: ");
		describe_socket(listed, text, size);
		enum check_attribute told = missing == 1 ? why->attribute : check->distinct;
		if (told > CHECK_STATE && told < CHECK_ATTRIBUTES) {
			value_of(told, listed, owners, value);
			text_add(text, size, " (%s: %s)", attributes[told].words, value);
		}
		shown++;
	}
	if (count > shown)
		text_add(text, size, "\nand %ld more", count - shown);
}

static void look_at_setting(const struct check *check, struct check_result *result)
{
	char path[128];
	long value;

	snprintf(path, sizeof path, "/proc/sys/%s", check->setting);
	for (char *c = path + 10; *c != '\0'; c++)
		if (*c == '.')
			*c = '/';
	FILE *file = fopen(path, "r");
	if (file == NULL || fscanf(file, "%ld", &value) != 1) {
		result->unseen = true;
		text_add(result->found, sizeof result->found, "this system does not tell it");
	} else {
		result->passed = comparison_holds(value, check->comparison, check->number);
		text_add(result->found, sizeof result->found, "%ld", value);
	}
	if (file != NULL)
		(void)fclose(file);
}

static void look_at_sockets(const struct check *check, struct check_result *result)
{
	struct socket_list list = {NULL, 0, 0};
	struct socket_filter filter = socket_filter_all();
	const struct check_condition *ignored;
	long count = 0;

	filter.tcp = check->transport == TRANSPORT_TCP;
	filter.udp = !filter.tcp;
	if (socket_list_read(&list, &filter) == -1) {
		result->unseen = true;
		text_add(result->found, sizeof result->found, "the socket table cannot be read: %s",
		         strerror(errno));
	} else {
		struct socket_owners *owners = socket_owners_read();
		for (size_t i = 0; i < list.count; i++)
			count += unmet(check, &list.sockets[i], owners, &ignored) == 0;
		result->passed = comparison_holds(count, check->comparison, check->number);
		if (check->distinct != CHECK_ATTRIBUTES)
			result->passed =
			    result->passed &&
			    comparison_holds(count_distinct(check, &list, owners),
			                     check->distinct_comparison, check->distinct_number);
		say_found(check, &list, owners, count, result->found, sizeof result->found);
		socket_owners_free(owners);
	}
	socket_list_free(&list);
}

void check_look(const struct check *check, struct check_result *result)
{
	memset(result, 0, sizeof *result);
	check_describe(check, result->looked_for, sizeof result->looked_for);
	if (check->setting[0] != '\0')
		look_at_setting(check, result);
	else
		look_at_sockets(check, result);
}
