/* privilege.c - see privilege.h. */
#include "privilege.h"

#include "capabilities.h"
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

/* Whether it is that account and nobody else, by the kernel's word. */
static bool is_account(const struct account *account)
{
	return getuid() == account->uid && geteuid() == account->uid && getgid() == account->gid &&
	       getegid() == account->gid && !capabilities_held();
}

/* Whether this process is in group 0, root's, or (of `any`) in any but the account's own. */
static bool has_group_left(const struct account *account, bool any)
{
	enum { GROUPS_MOST = 65536 }; /* no system gives more */
	static gid_t groups[GROUPS_MOST];
	int count = getgroups(GROUPS_MOST, groups);

	for (int i = 0; i < count; i++)
		if (groups[i] != account->gid && (any || groups[i] == 0))
			return true;
	return count == -1;
}

/* For good: every way back is tried and must be closed. */
static int verify(const struct account *account)
{
	bool closed = setuid(0) == -1 && seteuid(0) == -1;

	/* An account whose own group is 0 does not give that one up. */
	if (account->gid != 0)
		closed = setgid(0) == -1 && setegid(0) == -1 && closed;
	if (closed && is_account(account) && !has_group_left(account, false))
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
	/* Root's end with its uid, but not those of a process that was not root. */
	if (capabilities_drop() == -1)
		return failed(account, "capset");
	if (!has_group_left(account, true))
		return verify(account);
	complain("cannot drop privilege to '%s' for good: a group is left", account->name);
	return -1;
}

int privilege_drop(const struct account *account)
{
	char text[80];
	unsigned long before = (unsigned long)geteuid();
	bool alone = !machine_has_account(account->uid);
	bool already = is_account(account);

	/* Also then: a set-user-ID program must not give it more. */
	if (already && capabilities_drop() == -1)
		return failed(account, "capset");
	if ((already ? verify(account) : become(account)) == -1)
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
	else if (before == (unsigned long)account->uid)
		narrate_detail("its capabilities are gone: setuid(0) is refused, the bound port stays");
	else
		narrate_detail("uid %lu no more: setuid(0) is refused now, the bound port stays",
		               before);
	return 0;
}
