/*
 * explain_parts.h - what the files of the explanations share, and nobody else includes:
 * explain.c chooses the function and prints, the others ask the machine and write.
 */
#ifndef PORTLAB_EXPLAIN_PARTS_H
#define PORTLAB_EXPLAIN_PARTS_H

#include "kit/explain.h"
#include "kit/machine.h"
#include "kit/socket_table.h"
#include "kit/text.h"

#include <stdio.h>

/* One more piece of a sentence, printf-like. */
#define ADD_WHY(explanation, ...) \
	text_add((explanation)->why, sizeof(explanation)->why, __VA_ARGS__)

/* One more thing to try: what it does, then the command, printf-like. */
#define ADD_TRY(explanation, does, ...)                                           \
	do {                                                                          \
		if ((explanation)->try_count < EXPLANATION_TRIES) {                       \
			struct try *try_ = &(explanation)->tries[(explanation)->try_count++]; \
			snprintf(try_->command, sizeof try_->command, __VA_ARGS__);           \
			snprintf(try_->what, sizeof try_->what, "%s", does);                  \
		}                                                                         \
	} while (0)

/* ---- who has the port: explain_parts.c ---- */

struct holders {
	const struct endpoint *wanted;
	struct socket_entry listener, elsewhere, bound;
	int listeners, listeners_elsewhere, bound_only, time_wait, others, to_peer;
	struct port_range range; /* of this kernel, to count only those in to_peer */
	bool range_known;
	long longest_ms; /* the last TIME_WAIT to end */
	const struct endpoint *peer;
	enum tcp_state other_state;
};

/*
 * Who has the port of `wanted`, and how many connections go to `peer` (may be NULL).
 * Returns 0, or -1 where the table cannot be read.
 */
int holders_find(const struct endpoint *wanted, const struct endpoint *peer,
                 enum transport transport, struct holders *holders);

/* "server, pid 4711 (user student)", as much of it as this account may see. */
void explanation_add_owner(struct explanation *explanation, const struct socket_entry *entry);

/* "Its IPv4 addresses are 127.0.0.1, 10.0.0.7." */
void explanation_add_own_addresses(struct explanation *explanation, int family);

/* ---- socket, bind, listen: explain_bind.c ---- */

void explain_no_family(const struct failure *failure, struct explanation *explanation);
void explain_descriptors(const struct failure *failure, struct explanation *explanation);
void explain_bind_denied(const struct failure *failure, struct explanation *explanation);
void explain_in_use(const struct failure *failure, struct explanation *explanation);
void explain_not_ours(const struct failure *failure, struct explanation *explanation);
void explain_scope(const struct failure *failure, struct explanation *explanation);
void explain_second_listen(const struct failure *failure, struct explanation *explanation);

/* ---- connect, send, receive: explain_connect.c ---- */

void explain_refused(const struct failure *failure, struct explanation *explanation);
void explain_silence(const struct failure *failure, struct explanation *explanation);
void explain_no_route(const struct failure *failure, struct explanation *explanation);
void explain_forbidden(const struct failure *failure, struct explanation *explanation);
void explain_out_of_ports(const struct failure *failure, struct explanation *explanation);
void explain_self(const struct failure *failure, struct explanation *explanation);
void explain_no_answer(const struct failure *failure, struct explanation *explanation);
void explain_reset(const struct failure *failure, struct explanation *explanation);
void explain_too_big(const struct failure *failure, struct explanation *explanation);

/* ---- hosts and users: explain_name.c ---- */

void explain_no_host(const struct failure *failure, struct explanation *explanation);
void explain_no_user(const struct failure *failure, struct explanation *explanation);
void explain_root_user(const struct failure *failure, struct explanation *explanation);
void explain_no_change(const struct failure *failure, struct explanation *explanation);

#endif
