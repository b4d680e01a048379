/*
 * Recording one attestation: a draft attestation is filled and then renamed,
 * which publishes and seals it in one transaction.  In a mount this is done as
 * any program could do it, in a store by the vault under the store's lock.
 */
#ifndef TRAILCTL_RECORDER_H
#define TRAILCTL_RECORDER_H

#include <sys/types.h>

#include "core/json.h"
#include "where.h"

/* These begin the names of drafts. */
#define RECORDER_ATTEST ".attest-"
#define RECORDER_RUN ".run-"

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
/* Drop the draft if there is one, and close.  Returns rc, or the error of
 * closing the store. */
TF_MUST_USE enum tf_code recorder_close(struct recorder *r, enum tf_code rc,
    struct tf_error *err);

/* The workflow must exist; with begin, make it if it is missing.  TF_USAGE: it
 * or its trail is missing, err says what to do. */
TF_MUST_USE enum tf_code recorder_workflow(struct recorder *r, bool begin,
    struct tf_error *err);

/* Write the state of attestation `name` of the workflow to out, "" if there is
 * none. */
TF_MUST_USE enum tf_code recorder_state(struct recorder *r, const char *name,
    char out[16], struct tf_error *err);
/* Append a claim about it, as in user.trailfs.KEY.  TF_NODATA. */
TF_MUST_USE enum tf_code recorder_claimed(struct recorder *r, const char *name,
    const char *key, struct tf_buf *out, struct tf_error *err);
/* Append its SHA256SUMS and its attestation.json. */
TF_MUST_USE enum tf_code recorder_recorded(struct recorder *r, const char *name,
    struct tf_buf *sums, struct tf_buf *json, struct tf_error *err);

/*
 * Make a draft, whose name begins with prefix.  guard: in a mount, remove the
 * draft also if this process is killed.
 */
TF_MUST_USE enum tf_code recorder_begin(struct recorder *r, const char *prefix,
    bool guard, struct tf_error *err);
/* The directory of the draft, for the caller to free; NULL in a store. */
TF_MUST_USE enum tf_code recorder_directory(const struct recorder *r,
    char **out, struct tf_error *err);
/* Begin, write and end one file of the draft; its directories are made. */
TF_MUST_USE enum tf_code recorder_create(struct recorder *r, const char *name,
    unsigned mode, struct tf_error *err);
TF_MUST_USE enum tf_code recorder_write(struct recorder *r, const void *p,
    size_t n, struct tf_error *err);
TF_MUST_USE enum tf_code recorder_end(struct recorder *r, struct tf_error *err);
/* Set a claim of the draft.  TF_INVALID: the value is malformed or too long. */
TF_MUST_USE enum tf_code recorder_claim(struct recorder *r, const char *key,
    const void *value, size_t n, struct tf_error *err);
/* Publish and seal the draft as attestation `name`.  TF_EXISTS: the name is
 * taken, and the draft is still there. */
TF_MUST_USE enum tf_code recorder_publish(struct recorder *r, const char *name,
    struct tf_error *err);
/* Forget the draft: it stays in the vault. */
void recorder_keep(struct recorder *r);
/* Remove the draft with everything in it; a failure is printed. */
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
