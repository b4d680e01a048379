/*
 * What the processes of a mount give up before they serve anybody.
 *
 * The daemon gives up, in this order: its user (fs_sandbox_become), and then
 * files, network and system calls (fs_sandbox_enter).  It does both before the
 * vault opens, because opening it starts threads, and capabilities and Landlock
 * are properties of one thread each; and so whatever it reads from the store, it
 * reads in the sandbox.
 *
 * What the kernel lacks is left out, and the state says so.  The whole sandbox
 * but the user is left out in builds with a sanitizer or for coverage
 * (TF_NO_SANDBOX) and under valgrind, which need other files and system calls.
 */
#ifndef FS_SANDBOX_H
#define FS_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/vault.h"

struct fs_user {
	uid_t uid;
	gid_t gid;
	char name[64]; /* or the number */
};

/*
 * The user as whom a daemon serves the store: its owner.  expected: the user
 * that the operator named, or NULL.  Only root can become another user; for
 * others *out is who they are.
 * TF_USAGE: there is no such user, or the store belongs to another one, with the
 * command that changes that; and the errors of tf_vault_owner.
 */
TF_MUST_USE enum tf_code fs_sandbox_user(const char *store,
    const char *expected, struct fs_user *out, struct tf_error *err);

/* Become that user, for ever: no supplementary group, no capability.  There is
 * one thread.  TF_IO. */
TF_MUST_USE enum tf_code fs_sandbox_become(const struct fs_user *u,
    struct tf_error *err);

/*
 * Refuse this process, and all threads that it starts, what the daemon does not
 * need: files outside of store, of the guard and of what the name service and
 * /proc need; the network; programs; other processes.  *state becomes what is
 * in force.  There is one thread.  Errors: those of reading the config of the
 * store; TF_IO: the kernel has these means, and they cannot be used.
 */
TF_MUST_USE enum tf_code fs_sandbox_enter(const char *store, bool read_only,
    struct tf_sandbox *state, struct tf_error *err);

/*
 * For the helpers (broker.h, pages.h, watchdog.h): keep the capabilities that mounting
 * needs; those that unmounting needs; those of the broker; those of the helper that
 * drops pages; those of the watchdog.  All but the first also leave only the system
 * calls that are needed.  False: that cannot be done.
 */
bool fs_sandbox_mounter(void);
bool fs_sandbox_unmounter(void);
bool fs_sandbox_broker(void);
bool fs_sandbox_pages(void);
bool fs_sandbox_watchdog(void);

/*
 * The same for a router (router.h), whose copies are in path: it reads names there,
 * and no files; and for its starter, whose children become the owners of their copies.
 */
TF_MUST_USE enum tf_code fs_sandbox_router(const char *path,
    struct tf_sandbox *state, struct tf_error *err);
bool fs_sandbox_starter(void);
/* And for the process that starts the follower again, as its user. */
bool fs_sandbox_restarter(void);

/*
 * The same for a follower (follower.h), which uses the network and reads what members
 * of the organisation have written: it writes its copies, in path, and runs no program.
 * uri: the organisation's ledger and blobs.
 */
TF_MUST_USE enum tf_code fs_sandbox_follower(const char *path,
    const char *const uri[2], struct tf_sandbox *state, struct tf_error *err);

#endif
