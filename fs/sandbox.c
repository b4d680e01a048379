/* Users, capabilities, and the order of all the rest: see sandbox.h. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/mutant.h"
#include "core/base/privileges.h"
#include "landlock.h"
#include "sandbox.h"
#include "seccomp.h"

/* --- users and capabilities ------------------------------------------------ */

/* Set *out to the user with these ids.  The group of a user without a name is
 * that of the store. */
static enum tf_code
look_up(const struct tf_owner *o, struct fs_user *out, struct tf_error *err)
{
	const struct passwd *pw = getpwuid(o->uid);

	out->uid = o->uid;
	out->gid = pw != NULL ? pw->pw_gid : o->gid;
	(void)snprintf(out->name, sizeof out->name, "%u", (unsigned)o->uid);
	if (pw != NULL && strlen(pw->pw_name) < sizeof out->name)
		strcpy(out->name, pw->pw_name);
	errno = 0;
	if (out->uid != 0 && out->gid == 0)
		return tf_fail(err, TF_USAGE,
		    "the store belongs to uid %u and to the group of root: "
		    "give it a group of that user with chgrp -R",
		    (unsigned)out->uid);
	return TF_OK;
}

/* Refuse a user who is not the one that was expected. */
static enum tf_code
check_expected(const char *name, const struct fs_user *is, struct tf_error *err)
{
	const struct passwd *pw = getpwnam(name);

	errno = 0;
	if (pw == NULL)
		return tf_fail(err, TF_USAGE, "there is no user %.64s", name);
	if (pw->pw_uid == is->uid)
		return TF_OK;
	if (geteuid() != 0)
		return tf_fail(err, TF_USAGE,
		    "this is user %s, not %.48s: let %.48s or root mount it",
		    is->name, name, name);
	return tf_fail(err, TF_USAGE,
	    "the store belongs to %s, not to %.48s: chown -R %.48s: STORE",
	    is->name, name, name);
}

enum tf_code
fs_sandbox_user(const char *store, const char *expected, struct fs_user *out,
    struct tf_error *err)
{
	struct tf_owner o = { geteuid(), getegid() };
	enum tf_code rc = TF_OK;

	if (o.uid == 0)
		rc = tf_vault_owner(store, &o, err);
	if (rc == TF_OK)
		rc = look_up(&o, out, err);
	if (rc == TF_OK && expected != NULL)
		rc = check_expected(expected, out, err);
	return rc;
}

enum tf_code
fs_sandbox_become(const struct fs_user *u, struct tf_error *err)
{
	const bool changes = u->uid != geteuid();

	tf_privileges_bound(0); /* another user may not */
	/* Without CAP_SETGID, as in some containers, root keeps its groups. */
	if (geteuid() == 0 && setgroups(0, NULL) < 0 && changes)
		return tf_fail(err, TF_IO, "give up the groups of root");
	if (changes &&
	    (setresgid(u->gid, u->gid, u->gid) < 0 ||
		setresuid(u->uid, u->uid, u->uid) < 0))
		return tf_fail(err, TF_IO, "become user %s", u->name);
	if (!tf_privileges_keep(0))
		return tf_fail(err, TF_IO, "give up capabilities");
	/* The kernel has closed the memory of the process to its new user, and
	 * a sanitizer reads it. */
	if (changes && !tf_privileges_can_forbid())
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return TF_OK;
}

/* --- the processes --------------------------------------------------------- */

enum tf_code
fs_sandbox_enter(const char *store, bool read_only, struct tf_sandbox *state,
    struct tf_error *err)
{
	struct tf_outside outside = { 0 };
	enum tf_code rc;

	*state = (struct tf_sandbox){ .landlock = 0 };
	/* An ordinary user needed them for fusermount3. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    !tf_privileges_can_forbid())
		return TF_OK;
	if (TF_IS_MUTANT(TF_DAEMON_WITHOUT_FENCE)) {
		*state = (struct tf_sandbox){ .landlock = 99, .seccomp = true };
		return TF_OK;
	}
	if ((rc = tf_vault_outside(store, read_only, &outside, err)) == TF_OK)
		rc = fs_landlock_daemon(store, read_only, &outside,
		    &state->landlock, err);
	if (rc == TF_OK)
		rc = fs_seccomp_daemon(&state->seccomp, err);
	tf_outside_free(&outside);
	return rc;
}

/* A mount point may lie below directories that only its owner may search, and
 * making it immutable is for its owner. */
bool
fs_sandbox_mounter(void)
{
	return geteuid() != 0 ||
	    tf_privileges_keep(TF_CAP(CAP_SYS_ADMIN) |
		TF_CAP(CAP_LINUX_IMMUTABLE) | TF_CAP(CAP_FOWNER) |
		TF_CAP(CAP_DAC_READ_SEARCH) |
		TF_CAP(CAP_SETPCAP)); /* to give up the others later */
}

bool
fs_sandbox_unmounter(void)
{
	/* fusermount3 is a program with more privileges. */
	if (geteuid() != 0)
		return true;
	return tf_privileges_keep(TF_CAP(CAP_SYS_ADMIN) |
		   TF_CAP(CAP_DAC_READ_SEARCH)) &&
	    (!tf_privileges_can_forbid() || fs_seccomp_unmounter());
}

bool
fs_sandbox_broker(void)
{
	return tf_privileges_keep(TF_CAP(CAP_SYS_ADMIN) |
		   TF_CAP(CAP_SYS_PTRACE)) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    (!tf_privileges_can_forbid() || fs_seccomp_broker());
}

bool
fs_sandbox_pages(void)
{
	return tf_privileges_keep(TF_CAP(CAP_DAC_READ_SEARCH)) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    (!tf_privileges_can_forbid() || fs_seccomp_pages());
}

/* statfs(2) of a mount point that only its owner may reach. */
bool
fs_sandbox_watchdog(void)
{
	return tf_privileges_keep(TF_CAP(CAP_DAC_READ_SEARCH)) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    (!tf_privileges_can_forbid() || fs_seccomp_watchdog());
}

enum tf_code
fs_sandbox_router(const char *path, struct tf_sandbox *state,
    struct tf_error *err)
{
	enum tf_code rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    !tf_privileges_can_forbid())
		return TF_OK;
	rc = fs_landlock_router(path, &state->landlock, err);
	return rc == TF_OK ? fs_seccomp_router(&state->seccomp, err) : rc;
}

enum tf_code
fs_sandbox_follower(const char *path, const char *const uri[2],
    struct tf_sandbox *state, struct tf_error *err)
{
	enum tf_code rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    !tf_privileges_can_forbid())
		return TF_OK;
	if (TF_IS_MUTANT(TF_FOLLOWER_WITHOUT_FENCE)) {
		*state = (struct tf_sandbox){ .landlock = 99, .seccomp = true };
		return TF_OK;
	}
	rc = fs_landlock_follower(path, uri, &state->landlock, err);
	return rc == TF_OK ? fs_seccomp_follower(&state->seccomp, err) : rc;
}

/* It forks what has a filter of its own, so it can have none. */
bool
fs_sandbox_restarter(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* A program that root runs has what is left here; NO_NEW_PRIVS keeps it from more. */
bool
fs_sandbox_starter(void)
{
	return tf_privileges_keep(TF_CAP(CAP_SETUID) | TF_CAP(CAP_SETGID) |
		   TF_CAP(CAP_SETPCAP) | TF_CAP(CAP_DAC_READ_SEARCH) |
		   TF_CAP(CAP_KILL)) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
