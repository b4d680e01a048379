/*
 * Recording one attestation: a draft attestation is filled and then renamed,
 * which publishes and seals it in one transaction. In a mount this is done as
 * any program could do it, in a store by the vault under the store's lock.
 *
 * Order of calls: recorder_open, recorder_workflow, recorder_begin, then files
 * and claims, recorder_publish, and recorder_close in any case.
 *
 * Atomic: a draft has no entry in the ledger. Before the rename there is no
 * attestation, after it the attestation is complete and sealed, and the rename
 * never replaces one. A retry is safe therefore: either the name is free, or it
 * is taken by a complete attestation, which the caller can compare with what it
 * wants to record (publish.h).
 *
 * All errors are in err; only recorder_drop prints, because it has no caller
 * who could. For one thread.
 */
#ifndef TRAILCTL_RECORDER_H
#define TRAILCTL_RECORDER_H

#include <sys/types.h>

#include "core/json.h"
#include "where.h"

/* These begin the names of drafts. */
#define RECORDER_ATTEST ".attest-"
#define RECORDER_RUN ".run-"
#define RECORDER_IMPORT ".import-"

struct recorder {
	struct where w; /* of the attestation */
	bool exists;	/* did the attestation exist when this was opened? */
	char *wf;	/* path of the workflow in the vault */
	char *name;	/* of the attestation */
	char draft[32]; /* name of the draft; "": there is none */
	const struct recorder_ops *ops;
	/* In a mount. */
	char *wf_file; /* the workflow's directory */
	/* A process that removes the draft if this one is killed. */
	pid_t guard; /* 0: there is none */
	int guard_fd;
	/* In a store. */
	struct tf_vault *v;
	struct tf_actor *self;
	const struct tf_imported *imported; /* NULL: it is no import */
	uint64_t wf_id, draft_id;
	/* The file that is being written. */
	int fd;
	struct tf_file *file;
	uint64_t off;
};

/*
 * Open the vault for the attestation arg: MOUNT/TRAIL/WORKFLOW/NAME or the same
 * in a store, which is then locked.  The caller calls recorder_close() in any
 * case.  Errors: TF_USAGE arg is no place of an attestation; those of
 * where_find() and where_open().
 */
TF_MUST_USE enum tf_code recorder_open(const char *arg, struct recorder *r,
    struct tf_error *err);
/*
 * Drop the draft if there is one, end its guard, close the store and free
 * everything; r is then as before recorder_open. Returns rc, or the error of
 * closing the store if rc is TF_OK; err keeps the message of the first failure.
 * May be called twice.
 */
TF_MUST_USE enum tf_code recorder_close(struct recorder *r, enum tf_code rc,
    struct tf_error *err);

/*
 * The workflow must exist; with begin, make it if it is missing (another
 * process may make it at the same time, that is success). Must be called before
 * the functions below: in a store it finds the workflow's node. TF_USAGE: the
 * workflow or its trail is missing, err says what to do. A trail is never made
 * here.
 */
TF_MUST_USE enum tf_code recorder_workflow(struct recorder *r, bool begin,
    struct tf_error *err);

/* Write the state of attestation `name` of the workflow to out, as in
 * user.trailfs.state; "" if there is none, which is TF_OK. */
TF_MUST_USE enum tf_code recorder_state(struct recorder *r, const char *name,
    char out[16], struct tf_error *err);
/* Append a claim about attestation `name` to out, as in user.trailfs.KEY.
 * TF_NODATA: it has no such claim. out stays the caller's to free. */
TF_MUST_USE enum tf_code recorder_claimed(struct recorder *r, const char *name,
    const char *key, struct tf_buf *out, struct tf_error *err);
/*
 * Append SHA256SUMS and attestation.json of attestation `name` to sums and
 * json, in the bytes that the control files of a mount have. Both stay the
 * caller's to free, also on failure.
 */
TF_MUST_USE enum tf_code recorder_recorded(struct recorder *r, const char *name,
    struct tf_buf *sums, struct tf_buf *json, struct tf_error *err);

/*
 * Make a draft, whose name begins with prefix and ends in a random number.
 * guard: in a mount, remove the draft also if this process is killed. In a
 * store there is no guard. A guard that cannot be started is no error.
 * TF_SEALED: the workflow is sealed.
 */
TF_MUST_USE enum tf_code recorder_begin(struct recorder *r, const char *prefix,
    bool guard, struct tf_error *err);
/* In a store: make a draft of exactly this name. One that an earlier call left
 * there, because its program was killed, is removed before. */
TF_MUST_USE enum tf_code recorder_begin_as(struct recorder *r,
    const char *draft, struct tf_error *err);
/* *out: the path of the draft's directory in the mount, for the caller to free;
 * NULL in a store, where no program can read the draft. */
TF_MUST_USE enum tf_code recorder_directory(const struct recorder *r,
    char **out, struct tf_error *err);
/*
 * Begin, write and end one file of the draft; its directories are made. `name`
 * is relative to the draft, mode has permission bits only and is reduced by the
 * umask. One file at a time. A file is not complete until recorder_end returned
 * TF_OK: the mount reports there what it could not store. TF_BADNAME: no such
 * name can be here. TF_EXISTS, TF_QUOTA.
 */
TF_MUST_USE enum tf_code recorder_create(struct recorder *r, const char *name,
    unsigned mode, struct tf_error *err);
TF_MUST_USE enum tf_code recorder_write(struct recorder *r, const void *p,
    size_t n, struct tf_error *err);
TF_MUST_USE enum tf_code recorder_end(struct recorder *r, struct tf_error *err);
/* Pass the bytes of a file of the draft, which was ended, to sink. Errors: those
 * of sink. */
TF_MUST_USE enum tf_code recorder_read(struct recorder *r, const char *name,
    const struct tf_sink *sink, struct tf_error *err);
/*
 * Set a claim of the draft, n bytes under user.trailfs.KEY. In a mount, user
 * data that is too long for an attribute is written to the control file for it.
 * TF_INVALID: the value is malformed or too long, or the claims are too long
 * together.
 */
TF_MUST_USE enum tf_code recorder_claim(struct recorder *r, const char *key,
    const void *value, size_t n, struct tf_error *err);
/*
 * Publish and seal the draft as attestation `name`. On TF_OK it is in the
 * ledger, and there is no draft any more. TF_EXISTS: the name is taken, and the
 * draft is still there, so that the caller may try another name.
 */
TF_MUST_USE enum tf_code recorder_publish(struct recorder *r, const char *name,
    struct tf_error *err);
/* Forget the draft: it stays in the vault, and recorder_close does not remove
 * it. trailctl run uses this for output that exists nowhere else. */
void recorder_keep(struct recorder *r);
/*
 * End an open file and remove the draft with everything in it. A failure is
 * printed to stderr: the caller is on its way out, and has an error of its own.
 * Without a draft nothing happens.
 */
void recorder_drop(struct recorder *r);

/* The two ways; the meaning of each is that of the functions above. */
struct recorder_ops {
	enum tf_code (*find)(struct recorder *r, bool begin, bool *no_trail,
	    struct tf_error *err);
	enum tf_code (*state)(struct recorder *r, const char *name, char *out,
	    struct tf_error *err);
	enum tf_code (*claimed)(struct recorder *r, const char *name,
	    const char *key, struct tf_buf *out, struct tf_error *err);
	enum tf_code (*recorded)(struct recorder *r, const char *name,
	    struct tf_buf *sums, struct tf_buf *json, struct tf_error *err);
	enum tf_code (*begin)(struct recorder *r, struct tf_error *err);
	/* A directory of the draft, which may exist. */
	enum tf_code (*mkdir)(struct recorder *r, const char *name,
	    struct tf_error *err);
	enum tf_code (*create)(struct recorder *r, const char *name,
	    unsigned mode, struct tf_error *err);
	enum tf_code (*write)(struct recorder *r, const void *p, size_t n,
	    struct tf_error *err);
	enum tf_code (*end)(struct recorder *r, struct tf_error *err);
	enum tf_code (*read)(struct recorder *r, const char *name,
	    const struct tf_sink *sink, struct tf_error *err);
	enum tf_code (*claim)(struct recorder *r, const char *key,
	    const void *value, size_t n, struct tf_error *err);
	enum tf_code (*publish)(struct recorder *r, const char *name,
	    struct tf_error *err);
	enum tf_code (*drop)(struct recorder *r, struct tf_error *err);
	/* Begin and end the guard; NULL: there is none. */
	void (*guard)(struct recorder *r);
	void (*unguard)(struct recorder *r);
};
extern const struct recorder_ops recorder_mount, recorder_store;

#endif
