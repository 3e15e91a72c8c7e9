/* socket_list.c - see socket_list.h. */
#include "instruments/socket_list.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct socket_filter socket_filter_all(void)
{
	return (struct socket_filter){
	    .tcp = true, .udp = true, .port = -1, .local_port = -1, .remote_port = -1};
}

struct reading {
	struct socket_list *list;
	const struct socket_filter *filter;
	enum transport transport;
	uint32_t uid;
	bool no_memory;
};

static bool passes(const struct socket_entry *entry, const struct reading *reading)
{
	const struct socket_filter *filter = reading->filter;
	int local = endpoint_port(&entry->local), remote = endpoint_port(&entry->peer);

	return (filter->port == -1 || filter->port == local || filter->port == remote) &&
	       (filter->local_port == -1 || filter->local_port == local) &&
	       (filter->remote_port == -1 || filter->remote_port == remote) &&
	       (filter->states == 0 || (filter->states >> entry->state & 1)) &&
	       (!filter->mine || (entry->uid == reading->uid && entry->inode != 0));
}

static int add(const struct socket_entry *entry, void *argument)
{
	struct reading *reading = argument;
	struct socket_list *list = reading->list;

	if (!passes(entry, reading))
		return 0;
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 256 : list->room * 2;
		struct listed *grown = realloc(list->sockets, room * sizeof *grown);
		if (grown == NULL) {
			reading->no_memory = true;
			return 1;
		}
		list->sockets = grown;
		list->room = room;
	}
	list->sockets[list->count++] = (struct listed){*entry, reading->transport};
	return 0;
}

static int compare_addresses(const struct endpoint *one, const struct endpoint *other)
{
	int families = endpoint_family(one) - endpoint_family(other);

	return families != 0 ? families : memcmp(&one->address, &other->address, one->length);
}

int listed_compare(const struct listed *first, const struct listed *second)
{
	int order = (int)first->transport - (int)second->transport;

	if (order == 0)
		order = endpoint_port(&first->entry.local) - endpoint_port(&second->entry.local);
	if (order == 0)
		order = endpoint_port(&first->entry.peer) - endpoint_port(&second->entry.peer);
	if (order == 0)
		order = compare_addresses(&first->entry.local, &second->entry.local);
	if (order == 0)
		order = compare_addresses(&first->entry.peer, &second->entry.peer);
	return order;
}

static int compare(const void *one, const void *other)
{
	return listed_compare(one, other);
}

int socket_list_read(struct socket_list *list, const struct socket_filter *filter)
{
	struct reading reading = {list, filter, TRANSPORT_TCP, (uint32_t)getuid(), false};

	*list = (struct socket_list){NULL, 0, 0};
	if (filter->tcp && socket_table_each(TRANSPORT_TCP, add, &reading) == -1)
		return -1;
	reading.transport = TRANSPORT_UDP;
	if (filter->udp && socket_table_each(TRANSPORT_UDP, add, &reading) == -1)
		return -1;
	if (reading.no_memory) {
		errno = ENOMEM;
		return -1;
	}
	if (list->count > 0)
		qsort(list->sockets, list->count, sizeof *list->sockets, compare);
	return 0;
}

void socket_list_free(struct socket_list *list)
{
	free(list->sockets);
	*list = (struct socket_list){NULL, 0, 0};
}

const char *tcp_state_meaning(enum tcp_state state)
{
	static const char *const meanings[TCP_STATE_COUNT] = {
	    [TCP_STATE_NONE] = "",
	    [TCP_STATE_LISTEN] = "waits for clients; ends when its program closes it",
	    [TCP_STATE_SYN_SENT] = "has asked for a connection; ends with an answer, or gives up",
	    [TCP_STATE_SYN_RECV] = "has answered a client; ends with the client's confirmation",
	    [TCP_STATE_ESTABLISHED] = "open both ways; ends when one side closes",
	    [TCP_STATE_FIN_WAIT1] = "has closed its side; ends when the other has received that",
	    [TCP_STATE_FIN_WAIT2] = "has closed its side, and the other knows; ends when it closes",
	    [TCP_STATE_CLOSING] = "both closed at once; ends when the other has received it",
	    [TCP_STATE_TIME_WAIT] = "over; its pair of endpoints rests for a minute, by itself",
	    [TCP_STATE_CLOSE_WAIT] = "the other has closed; ends when its own program closes too",
	    [TCP_STATE_LAST_ACK] = "closed last; ends when the other has received that",
	    [TCP_STATE_CLOSED] = "not connected; ends when its program uses or closes it",
	    [TCP_STATE_UNSEEN] = "",
	};
	return state < TCP_STATE_COUNT ? meanings[state] : "";
}

static bool same_name(const char *one, const char *other)
{
	for (; *one != '\0' && *other != '\0'; one++, other++) {
		char first = *one == '-' ? '_' : (char)toupper((unsigned char)*one);
		if (first != *other)
			return false;
	}
	return *one == *other;
}

enum tcp_state tcp_state_find(const char *name)
{
	for (int i = TCP_STATE_ESTABLISHED; i < TCP_STATE_UNSEEN; i++)
		if (same_name(name, tcp_state_name((enum tcp_state)i)))
			return (enum tcp_state)i;
	return TCP_STATE_COUNT;
}
