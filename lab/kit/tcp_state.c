/* tcp_state.c - see tcp_state.h. What asks the descriptor is in tcp_state_linux.c. */
#include "kit/tcp_state.h"

#include "kit/socket_table.h"

const char *tcp_state_name(enum tcp_state state)
{
	static const char *const names[TCP_STATE_COUNT] = {
	    [TCP_STATE_NONE] = "",
	    [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
	    [TCP_STATE_SYN_SENT] = "SYN_SENT",
	    [TCP_STATE_SYN_RECV] = "SYN_RECV",
	    [TCP_STATE_FIN_WAIT1] = "FIN_WAIT1",
	    [TCP_STATE_FIN_WAIT2] = "FIN_WAIT2",
	    [TCP_STATE_TIME_WAIT] = "TIME_WAIT",
	    [TCP_STATE_CLOSED] = "CLOSED",
	    [TCP_STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	    [TCP_STATE_LAST_ACK] = "LAST_ACK",
	    [TCP_STATE_LISTEN] = "LISTEN",
	    [TCP_STATE_CLOSING] = "CLOSING",
	    [TCP_STATE_UNSEEN] = "not visible",
	};
	return state < TCP_STATE_COUNT ? names[state] : "";
}

enum tcp_state tcp_state_of_tuple(const struct endpoint *local, const struct endpoint *peer,
                                  int *seconds_left)
{
	struct socket_entry entry = {.state = TCP_STATE_NONE};
	int found = socket_table_find(local, peer, &entry);

	if (seconds_left != NULL)
		*seconds_left = -1;
	if (found == -1)
		return TCP_STATE_UNSEEN;
	if (found == 0)
		return TCP_STATE_CLOSED;
	if (seconds_left != NULL && entry.state == TCP_STATE_TIME_WAIT && entry.expires_ms >= 0)
		*seconds_left = (int)((entry.expires_ms + 999) / 1000);
	return entry.state;
}

enum tcp_state tcp_state_of_connection(int fd, const struct endpoint *local,
                                       const struct endpoint *peer)
{
	enum tcp_state state = tcp_state_of_fd(fd);

	return state == TCP_STATE_CLOSED ? tcp_state_of_tuple(local, peer, NULL) : state;
}
