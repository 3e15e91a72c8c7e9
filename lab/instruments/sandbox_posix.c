/* sandbox_posix.c - a system without namespaces. Twin: sandbox_linux.c. */
#include "instruments/sandbox.h"

#include <errno.h>

static int refused(struct sandbox_refusal *refusal)
{
	*refusal = (struct sandbox_refusal){"namespaces", ENOTSUP};
	errno = ENOTSUP;
	return -1;
}

int sandbox_create(struct sandbox *sandbox, struct sandbox_refusal *refusal)
{
	*sandbox = SANDBOX_NONE;
	return refused(refusal);
}

int sandbox_of_process(pid_t pid, struct sandbox *sandbox)
{
	(void)pid;
	*sandbox = SANDBOX_NONE;
	errno = ENOTSUP;
	return -1;
}

void sandbox_close(struct sandbox *sandbox)
{
	*sandbox = SANDBOX_NONE;
}

int sandbox_enter(const struct sandbox *sandbox, enum sandbox_part part,
                  struct sandbox_refusal *refusal)
{
	(void)sandbox;
	return part == SANDBOX_ORDINARY ? 0 : refused(refusal);
}

bool sandbox_by_root(void)
{
	return false;
}

uid_t sandbox_ordinary_uid(void)
{
	return 65534;
}

int sandbox_call(const struct sandbox *sandbox, enum sandbox_part part,
                 int (*function)(void *argument), void *argument,
                 struct sandbox_refusal *refusal)
{
	(void)sandbox;
	return part == SANDBOX_ORDINARY ? function(argument) : refused(refusal);
}

void sandbox_reason(const struct sandbox_refusal *refusal, const char **why,
                    const char **advice)
{
	(void)refusal;
	*why = "this build knows no way to have one; Linux has them";
	*advice = "server, client and lab scan work without";
}

int sandbox_watches_packets(void *unused)
{
	(void)unused;
	return 1;
}
