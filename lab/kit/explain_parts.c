/*
 * explain_parts.c - see explain_parts.h: who has a port, and which addresses this machine has.
 */
#include "kit/explain_parts.h"

#include "kit/unix.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

/* ---- who has the port ---- */

/* Two sockets cannot have a port each to itself where their addresses overlap. */
static bool overlap(const struct endpoint *one, const struct endpoint *other)
{
	bool same_family = endpoint_family(one) == endpoint_family(other);

	if (endpoint_same_address(one, other))
		return true;
	/* The IPv6 wildcard may stand for IPv4 too; the IPv4 one never for IPv6. */
	return (endpoint_is_wildcard(one) && (same_family || endpoint_family(one) == AF_INET6)) ||
	       (endpoint_is_wildcard(other) && (same_family || endpoint_family(other) == AF_INET6));
}

/* Whether this kernel gives the number out; every number, where it does not tell its range. */
static bool is_given_out(const struct holders *holders, uint16_t port)
{
	return !holders->range_known ||
	       (port >= holders->range.first && port <= holders->range.last);
}

static int count_holder(const struct socket_entry *entry, void *argument)
{
	struct holders *holders = argument;
	bool here = overlap(&entry->local, holders->wanted);

	if (holders->peer != NULL && endpoint_equal(&entry->peer, holders->peer) &&
	    is_given_out(holders, endpoint_port(&entry->local)))
		holders->to_peer++;
	if (endpoint_port(&entry->local) != endpoint_port(holders->wanted))
		return 0;
	if (entry->state == TCP_STATE_LISTEN || entry->state == TCP_STATE_NONE) {
		*(here ? &holders->listener : &holders->elsewhere) = *entry;
		holders->listeners += here;
		holders->listeners_elsewhere += !here;
	} else if (!here) {
		return 0;
	} else if (entry->state == TCP_STATE_TIME_WAIT) {
		holders->time_wait++;
		if (entry->expires_ms > holders->longest_ms)
			holders->longest_ms = entry->expires_ms;
	} else if (entry->bound_only) {
		holders->bound = *entry;
		holders->bound_only++;
	} else {
		holders->other_state = entry->state;
		holders->others++;
	}
	return 0;
}

int holders_find(const struct endpoint *wanted, const struct endpoint *peer,
                 enum transport transport, struct holders *holders)
{
	memset(holders, 0, sizeof *holders);
	holders->wanted = wanted;
	holders->peer = peer;
	holders->range_known = machine_ephemeral_range(&holders->range) == 0;
	return socket_table_each(transport, count_holder, holders);
}

static const char *user_name(uint32_t uid, char text[48])
{
	const struct passwd *user = getpwuid((uid_t)uid);

	if (user != NULL) {
		strcpy(text, "user ");
		(void)text_make_safe(user->pw_name, strlen(user->pw_name), text + 5, 43);
	} else
		snprintf(text, 48, "uid %lu", (unsigned long)uid);
	return text;
}

void explanation_add_owner(struct explanation *explanation, const struct socket_entry *entry)
{
	struct socket_owners *owners = socket_owners_read();
	const struct socket_process *process = socket_owners_find(owners, entry->inode);
	char user[48], safe[48];

	user_name(entry->uid, user);
	/* To the root of a private network everybody in it looks like root. */
	if (process != NULL && entry->uid == 0 && machine_in_lab_network())
		ADD_WHY(explanation, "%s, pid %ld",
		        text_escape(process->name, strlen(process->name), safe, sizeof safe),
		        process->pid);
	else if (process != NULL)
		ADD_WHY(explanation, "%s, pid %ld (%s)",
		        text_escape(process->name, strlen(process->name), safe, sizeof safe),
		        process->pid, user);
	else if (entry->uid != (uint32_t)geteuid())
		ADD_WHY(explanation, "a process of %s, which the system does not let uid %lu see", user,
		        (unsigned long)geteuid());
	else
		ADD_WHY(explanation, "a process of %s that is not visible from here", user);
	socket_owners_free(owners);
}

/* ---- addresses ---- */

void explanation_add_own_addresses(struct explanation *explanation, int family)
{
	struct endpoint own[8];
	char text[ENDPOINT_TEXT_SIZE];
	int count = machine_addresses(family, own, 8);

	if (count <= 0) {
		ADD_WHY(explanation, "This machine has no %s address at all.",
		        family == AF_INET6 ? "IPv6" : "IPv4");
		return;
	}
	ADD_WHY(explanation, "Its %s addresses are ", family == AF_INET6 ? "IPv6" : "IPv4");
	for (int i = 0; i < count; i++)
		ADD_WHY(explanation, "%s%s", i > 0 ? ", " : "", endpoint_format_address(&own[i], text));
	ADD_WHY(explanation, count == 8 ? ", and perhaps more." : ".");
}
