/*
 * explain_name.c - why a host or a user cannot be found, or a user not become.
 */
#include "kit/explain_parts.h"

#include <string.h>
#include <unistd.h>

void explain_no_host(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "Before a connection there must be an address, and the resolver of "
	                     "this machine (the hosts file, then DNS) gave none for this name.");
	ADD_TRY(explanation, "asks the same resolver", "getent hosts NAME");
	ADD_TRY(explanation, "this machine itself, always", "127.0.0.1");
}

void explain_no_user(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "The user database of this machine has no such name.");
	ADD_TRY(explanation, "lists the names", "getent passwd | cut -d: -f1");
	ADD_TRY(explanation, "has no rights at all, and is nearly everywhere", "... --user nobody");
}

void explain_root_user(const struct failure *failure, struct explanation *explanation)
{
	(void)failure;
	ADD_WHY(explanation, "Uid 0 is the privilege that --user is there to give up.");
	ADD_TRY(explanation, "an ordinary user without any rights", "... --user nobody");
}

void explain_no_change(const struct failure *failure, struct explanation *explanation)
{
	if (geteuid() != 0)
		ADD_WHY(explanation,
		        "Only a privileged process may become another user, and this one "
		        "runs as uid %lu.",
		        (unsigned long)geteuid());
	else
		ADD_WHY(explanation, "This process is root of a user namespace that does not know that "
		                     "user, or lacks the capabilities CAP_SETUID and CAP_SETGID.");
	char name[64];
	text_make_safe(failure->name, strlen(failure->name), name, sizeof name);
	if (failure->program_path != NULL)
		ADD_TRY(explanation, "started by root, it can", "sudo %.60s --user %.40s ...",
		        failure->program_path, name);
}
