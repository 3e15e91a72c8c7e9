/* privilege.c - see privilege.h. */
#include "privilege.h"

#include "kit/explain.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/unix.h"
#include "last_resort.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

int privilege_find(const char *name, struct account *account)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL) {
		explain_report(&(struct failure){.call = "getpwnam", .name = name});
		return -1;
	}
	if (user->pw_uid == 0) {
		explain_report(&(struct failure){.call = "getpwnam", .error = EINVAL, .name = name});
		return -1;
	}
	*account = (struct account){name, user->pw_uid, user->pw_gid};
	return 0;
}

static int failed(const struct account *account, const char *call)
{
	explain_report(&(struct failure){
	    .call = call, .error = errno, .name = account->name, .program_path = "server"});
	return -1;
}

/* Whether this process could bind a system port although the limit forbids it to most. */
static int still_privileged(void)
{
	enum bind_right right = machine_bind_right(1);

	return right == BIND_RIGHT_ROOT || right == BIND_RIGHT_SANDBOX ||
	       right == BIND_RIGHT_CAPABILITY;
}

/* For good: every way back is tried and must be closed. */
static int verify(const struct account *account)
{
	if (getuid() == account->uid && geteuid() == account->uid && getgid() == account->gid &&
	    getegid() == account->gid && setuid(0) == -1 && seteuid(0) == -1 && !still_privileged())
		return 0;
	complain("cannot drop privilege to '%s' for good: this process could still take it back",
	         account->name);
	return -1;
}

static int become(const struct account *account)
{
	if (!machine_has_account(account->uid)) {
		if (become_in_user_namespace(account->uid, account->gid) == -1)
			return failed(account, "unshare");
		return verify(account);
	}
	if (drop_supplementary_groups() == -1)
		return failed(account, "setgroups");
	if (setgid(account->gid) == -1)
		return failed(account, "setgid");
	if (setuid(account->uid) == -1)
		return failed(account, "setuid");
	return verify(account);
}

int privilege_drop(const struct account *account)
{
	char text[80];
	unsigned long before = (unsigned long)geteuid();
	bool alone = !machine_has_account(account->uid);
	bool already = geteuid() == account->uid && getuid() == account->uid && !still_privileged();

	if (!already && become(account) == -1)
		return -1;
	snprintf(text, sizeof text, "%.20s, uid %lu", account->name, (unsigned long)getuid());
	narrate(&(struct event){
	    .name = "user",
	    .text = text,
	    .facts = FACTS({"user", account->name, 0}, {"uid", NULL, (long long)getuid()},
	                   {"uid_before", NULL, (long long)before}),
	});
	if (alone)
		narrate_detail("in a user namespace of its own: in this one there is only root");
	if (already)
		narrate_detail("it was so from the start: nothing to give up");
	else
		narrate_detail("uid %lu no more: setuid(0) is refused now, the bound port stays",
		               before);
	return 0;
}
