/*
 * The vault: one store with its ledger, its tree of names and its objects.
 *
 * Everything that changes a store goes through here.  All functions are safe
 * from many threads at once unless they say otherwise.  Ids are inode numbers
 * (TF_ROOT_ID is the root).  Errors that any call may return: TF_NOMEM, TF_IO
 * and its sharper forms, TF_TAMPER when the store contradicts itself, and
 * TF_READONLY after an error of the ledger's disk, which is final until the
 * store is opened again.  The pointers given stay the caller's; err may be
 * NULL.
 */
#ifndef TF_VAULT_H
#define TF_VAULT_H

#include "asker.h"
#include "error.h"
#include "json.h"
#include "types.h"

struct tf_vault;
struct tf_file;	  /* one open descriptor for writing */
struct tf_reader; /* one open descriptor for reading */

/* --- opening ---------------------------------------------------------- */

/*
 * Make a store in the directory path, which must not exist or be empty
 * (TF_EXISTS otherwise): database, key pairs, first ledger entry.  origin NULL:
 * "HOST/NAME" from host and path.  The vkey is appended to vkey.
 * On failure what was made is taken away again.
 */
TF_MUST_USE enum tf_code tf_vault_init(const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err);

/*
 * Go on with a store whose database is behind the checkpoint that was kept
 * beside it (an older copy was put back), or not consistent with it: the
 * ledger continues under a new origin (NULL: the old one and "/2", "/3", ...),
 * since the old one must never be signed again, and the first entry under it
 * says what happened.  The new vkey is appended to vkey.
 * TF_USAGE when nothing is wrong with the store.
 */
TF_MUST_USE enum tf_code tf_vault_recover(const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err);

enum tf_durability {
	TF_DURABLE_CLOSE, /* close and fsync wait for the disk */
	TF_DURABLE_BATCH, /* only fsync does, and tf_vault_sync */
};

/* Numbers that an option of the mount may set, and STORE/config otherwise. */
enum tf_setting {
	TF_SETTLE,	 /* seconds that frozen files settle */
	TF_IDLE,	 /* seconds after which attestations seal; 0: never */
	TF_PLACEHOLDER,	 /* seconds after which a placeholder seals, empty */
	TF_MAX_FILE,	 /* bytes of one file; 0: as many as there can be */
	TF_MAX_STAGED,	 /* bytes of one uid that are not sealed yet; 0: any */
	TF_MODE_FLOOR,	 /* reading bits that evidence gets at its seal */
	TF_MAX_UNSEALED, /* names of one uid that are not sealed yet; 0: any */
	TF_MAX_OPEN,	 /* files that one uid has open to write; 0: any */
	TF_MAX_STORE,	 /* bytes of evidence, entries and stage; 0: any */
	TF_MAX_DRAFT,	 /* names in one draft attestation; 0: any */
	TF_SETTINGS
};
struct tf_settings {
	uint64_t value[TF_SETTINGS];
	bool given[TF_SETTINGS];
};
/* Take "settle", "2" or "max_file", "10M".  False: no such, or it does not
 * fit. */
bool tf_settings_take(struct tf_settings *s, const char *key,
    const char *value);

struct tf_vault_options {
	/* No change, no recovery.  With a mount writers are kept out as well,
	 * and what is not sealed yet is not shown. */
	bool read_only;
	const char *program;	      /* "trailfs", "trailctl" */
	const char *mount;	      /* the mount point, or NULL */
	const struct tf_actor *actor; /* trailctl: who; NULL: a daemon */
	struct tf_settings settings;
	const char *libfuse; /* its version, or NULL */
	bool verify_open;    /* hash an object at its first open */
	enum tf_durability durability;
	/* Called in the caller's thread when a call is about to wait for a disk
	 * or to read much, once or oftener.  NULL: nobody minds. */
	void (*slow)(void);
	/* Was the call that this thread makes given up by who asked for it?
	 * Asked now and then by calls that take long.  NULL: never. */
	bool (*interrupted)(void);
	/* One line of news (recovery, failed seal), from any thread. */
	void (*say)(void *arg, enum tf_code code, const char *line);
	/*
	 * Directory id looks different to stat(2), and no call that named it
	 * made it so: it was sealed, something in it was, or its attestation
	 * has another owner.  From any thread, before whoever caused it is
	 * answered, with locks of the vault held: it must not call the vault.
	 * NULL: nobody remembers how directories look.
	 */
	void (*changed)(void *arg, uint64_t id);
	/* File id was found altered while it was read: what anybody cached of
	 * it is void.  From a thread that holds no lock.  NULL: nobody caches.
	 *  */
	void (*altered)(void *arg, uint64_t id);
	void *arg; /* of say, changed and altered */
};

/*
 * Open a store.  Writers take its lock (TF_LOCKED with the holder's pid and
 * mount point) for themselves, read-only mounts share it.  Writers check it,
 * finish what a crash left (see Recovery in trailfs(8)) and append
 * ledger.opened. Errors: TF_NOTFOUND no store there; TF_FOREIGN not a trailfs
 * store, or keys that are not fit; TF_NEWER; TF_LOCKED; TF_ACCESS; TF_TAMPER.
 * Threads are started here: fork before, not after.
 */
TF_MUST_USE enum tf_code tf_vault_open(const char *path,
    const struct tf_vault_options *o, struct tf_vault **out,
    struct tf_error *err);

/*
 * The end is near: what takes long is given up from now on, in other threads
 * too, with TF_INTERRUPTED, and tf_vault_close leaves to the next start what
 * would take long.  May be called at any time, from any thread.
 */
void tf_vault_stop(struct tf_vault *v);

/*
 * Seal what is frozen, append ledger.closed (reason "unmounted", "signal" or
 * "done") and let go.  Files still open for writing are left as a crash would
 * leave them.  No other call may be under way.  NULL is nothing.
 */
TF_MUST_USE enum tf_code tf_vault_close(struct tf_vault *v, const char *reason,
    struct tf_error *err);

/* --- names ------------------------------------------------------------ */

/* TF_NOTFOUND; TF_NOTDIR. */
TF_MUST_USE enum tf_code tf_vault_lookup(struct tf_vault *v, uint64_t parent,
    const char *name, struct tf_attr *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_getattr(struct tf_vault *v, uint64_t id,
    struct tf_attr *out, struct tf_error *err);
/*
 * Somebody opens directory id, and closes it.  While it is open it has
 * attributes though it was removed: those of before, and unlinked.
 */
TF_MUST_USE enum tf_code tf_vault_opendir(struct tf_vault *v, uint64_t id,
    struct tf_attr *out, struct tf_error *err);
void tf_vault_closedir(struct tf_vault *v, uint64_t id);
/* Walk "a/b/c" from the root; "" and "." are the root. */
TF_MUST_USE enum tf_code tf_vault_walk(struct tf_vault *v, const char *path,
    struct tf_attr *out, struct tf_error *err);
/* The path of id from the root ("." for the root), onto out. */
TF_MUST_USE enum tf_code tf_vault_path(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

struct tf_dirent {
	struct tf_attr attr;
	char name[256];
};
/*
 * Up to max names of directory dir whose id is greater than after, in order of
 * id, into out; *n tells how many, 0 at the end.  An id never repeats while
 * the directory changes and none that stays is missed.
 */
TF_MUST_USE enum tf_code tf_vault_list(struct tf_vault *v, uint64_t dir,
    uint64_t after, struct tf_dirent *out, size_t max, size_t *n,
    struct tf_error *err);

/*
 * Make a directory; what kind, its parent decides.  Trails, workflows and
 * attestations are ledger entries when this returns; a draft attestation and a
 * directory below an attestation are not yet.  mode has the umask taken off.
 */
TF_MUST_USE enum tf_code tf_vault_mkdir(struct tf_vault *v, uint64_t parent,
    const char *name, uint32_t mode, const struct tf_actor *who,
    struct tf_attr *out, struct tf_error *err);
/* Refuse a node that trailfs never holds (link, symlink, device, FIFO): always
 * an error, the one that fits the parent and name. */
TF_MUST_USE enum tf_code tf_vault_refuse(struct tf_vault *v, uint64_t parent,
    const char *name, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_unlink(struct tf_vault *v, uint64_t parent,
    const char *name, const struct tf_actor *who, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_rmdir(struct tf_vault *v, uint64_t parent,
    const char *name, const struct tf_actor *who, struct tf_error *err);
/* noreplace: TF_EXISTS when the new name is taken. */
TF_MUST_USE enum tf_code tf_vault_rename(struct tf_vault *v, uint64_t parent,
    const char *name, uint64_t new_parent, const char *new_name, bool noreplace,
    const struct tf_actor *who, struct tf_error *err);

/* --- metadata --------------------------------------------------------- */

#define TF_SET_MODE 1u
#define TF_SET_UID 2u
#define TF_SET_GID 4u
#define TF_SET_MTIME 8u
#define TF_SET_SIZE 16u
/*
 * Change what is set in mask.  Values equal to the present ones succeed in any
 * state.  On a trail, workflow or attestation that is worth a seal, taking away
 * the last write bit closes it: nothing is born in it, and it is sealed when it
 * has settled, unless a write bit comes back before.  file: the handle of
 * ftruncate, or NULL. *out is the result.  Who may do it was checked by the
 * kernel.
 */
TF_MUST_USE enum tf_code tf_vault_setattr(struct tf_vault *v, uint64_t id,
    struct tf_file *file, unsigned mask, const struct tf_attr *want,
    const struct tf_actor *who, struct tf_attr *out, struct tf_error *err);

/*
 * Extended attributes, full names ("user.x").  get appends the value; the
 * names of control.h are answered too.  list appends NUL-terminated names.
 * set with flags of setxattr(2).
 * Errors: TF_NODATA, TF_EXISTS, TF_UNSUPPORTED, TF_NOSPACE, TF_SEALED.
 */
TF_MUST_USE enum tf_code tf_vault_xattr_get(struct tf_vault *v, uint64_t id,
    const char *name, struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_xattr_list(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_xattr_set(struct tf_vault *v, uint64_t id,
    const char *name, const void *value, size_t n, int flags,
    const struct tf_actor *who, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_xattr_remove(struct tf_vault *v, uint64_t id,
    const char *name, const struct tf_actor *who, struct tf_error *err);

/* --- writing ---------------------------------------------------------- */

/* Create a file and open it for writing.  TF_EXISTS. */
TF_MUST_USE enum tf_code tf_vault_create(struct tf_vault *v, uint64_t parent,
    const char *name, uint32_t mode, const struct tf_actor *who,
    struct tf_attr *out, struct tf_file **file, struct tf_error *err);
/* Open an existing file for writing; truncate: O_TRUNC. */
TF_MUST_USE enum tf_code tf_vault_open_write(struct tf_vault *v, uint64_t id,
    bool truncate, const struct tf_actor *who, struct tf_file **file,
    struct tf_error *err);
/* append: at the end of the file, whatever off says. */
TF_MUST_USE enum tf_code tf_file_write_at(struct tf_file *f, const void *p,
    size_t n, uint64_t off, bool append, struct tf_error *err);
/* Read through a handle that also writes. */
TF_MUST_USE enum tf_code tf_file_read_at(struct tf_file *f, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);
/* fallocate(2) with mode 0 (grow true) or KEEP_SIZE. */
TF_MUST_USE enum tf_code tf_file_allocate(struct tf_file *f, uint64_t off,
    uint64_t len, bool grow, struct tf_error *err);

/*
 * close(2) of a descriptor, and fsync(2) (sync): done is called exactly once,
 * from this or another thread, when bytes, name and writer are on stable
 * storage, or with the error, which is final for the file.  sync makes a file
 * without bytes one that was written, empty.  Nothing dirty and
 * nothing under way: at once.  With TF_DURABLE_BATCH a close does not wait,
 * unless much waits already; then the error is one that came before.  f is not
 * touched after done was called, so it may be released there.
 */
typedef void (*tf_done)(void *arg, enum tf_code code,
    const struct tf_error *err);
void tf_file_flush(struct tf_file *f, bool sync, tf_done done, void *arg);
/* The last close: frees f.  The last of a file freezes it.  Never fails; what
 * goes wrong is said and shows in status. */
void tf_file_release(struct tf_file *f);
/* Both at once, waiting for the disk as close(2) does: frees f in any case. */
TF_MUST_USE enum tf_code tf_file_close(struct tf_vault *v, struct tf_file *f,
    struct tf_error *err);
/* At the end of the process: frees f and leaves its file as a crash would. */
void tf_file_abandon(struct tf_file *f);

/* --- reading ---------------------------------------------------------- */

/*
 * Open for reading, in any state.  A sealed object is hashed at its first open
 * since the vault was opened (verify_open): TF_TAMPER when it is not what its
 * entry says.  At later opens it is not looked at until it is read: that it is
 * missing or cannot be read then shows there.  *fresh: what anybody cached of
 * this node before is not to be kept: it is not sealed, or this is its first
 * open since it was.  An object above 64 MiB is not waited for: it is hashed
 * while it is read, and if it is altered, reads fail from then on with
 * TF_TAMPER. uid: who opens it; each user's objects are hashed in turn.
 */
TF_MUST_USE enum tf_code tf_vault_open_read(struct tf_vault *v, uint64_t id,
    uint32_t uid, struct tf_reader **out, bool *fresh, struct tf_error *err);
TF_MUST_USE enum tf_code tf_reader_read(struct tf_reader *r, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);
/* A descriptor of the sealed object's file, for splicing; good until it is let
 * go.  False: there is none, or what is sealed was not read yet. */
struct tf_open_object {
	int fd;
	int place; /* core's */
};
bool tf_reader_hold(struct tf_reader *r, struct tf_open_object *out);
void tf_vault_let_go(struct tf_vault *v, const struct tf_open_object *held);
/* Is it a sealed object of TF_LONG_OBJECT_BYTES bytes or more, for which it
 * pays to open its file before anything is read? */
#define TF_LONG_OBJECT_BYTES (4u << 20)
bool tf_reader_is_long(const struct tf_reader *r);
/* Read what is sealed from its object from now on, though nothing was read
 * yet: then it can be held. */
TF_MUST_USE enum tf_code tf_reader_object(struct tf_reader *r,
    struct tf_error *err);
void tf_reader_close(struct tf_reader *r);

/* --- sealing ---------------------------------------------------------- */

/* Seal a trail, workflow or attestation, with all that is in it; its owner or
 * root: TF_DENIED for others. */
TF_MUST_USE enum tf_code tf_vault_seal(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);
/* Seal what is closed at or below id: somebody is about to read what only a
 * seal makes. */
TF_MUST_USE enum tf_code tf_vault_finish(struct tf_vault *v, uint64_t id,
    struct tf_error *err);
/* Seal what is frozen, a closed placeholder or a closed directory, at or below
 * id and owned by the caller (uid 0: all); returns when it is in the ledger. */
TF_MUST_USE enum tf_code tf_vault_sync(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);

/* fsync(2) through a descriptor for reading: the same for file id alone, and
 * only if it is a placeholder. */
TF_MUST_USE enum tf_code tf_vault_sync_file(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);

/* --- the ledger, and news --------------------------------------------- */

/* Entries so far; bytes of all of them with a LF after each. */
TF_MUST_USE enum tf_code tf_vault_size(struct tf_vault *v, uint64_t *entries,
    uint64_t *bytes, struct tf_error *err);
/*
 * events.jsonl as a file: up to n bytes at off, of the first `entries` entries
 * (a size that tf_vault_size told).
 */
TF_MUST_USE enum tf_code tf_vault_events(struct tf_vault *v, uint64_t entries,
    uint64_t off, void *p, size_t n, size_t *got, struct tf_error *err);
/* The bytes of one entry, onto out.  TF_NOTFOUND beyond the end. */
TF_MUST_USE enum tf_code tf_vault_entry(struct tf_vault *v, uint64_t seq,
    struct tf_buf *out, struct tf_error *err);
/* Does this version know entries of the type ("evidence.sealed")? */
bool tf_vault_knows_type(const char *type);
/* The newest signed note; the log's vkey and a LF; its key as PEM. */
TF_MUST_USE enum tf_code tf_vault_checkpoint(struct tf_vault *v,
    struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_vkey(struct tf_vault *v, struct tf_buf *out,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_pem(struct tf_vault *v, struct tf_buf *out,
    struct tf_error *err);
/*
 * C2SP tlog-tiles of the present checkpoint, onto out: a tile's first width
 * hashes (32 bytes each), or the bundle of its entries (a big-endian uint16
 * length before each).  TF_NOTFOUND beyond what the log has.
 */
TF_MUST_USE enum tf_code tf_vault_tile(struct tf_vault *v, unsigned level,
    uint64_t n, unsigned width, struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_bundle(struct tf_vault *v, uint64_t n,
    unsigned width, struct tf_buf *out, struct tf_error *err);
/* Hashes in tile n of a level for a log of that many entries: 0 to 256. */
unsigned tf_log_width(uint64_t entries, unsigned level, uint64_t n);
/*
 * A C2SP tlog-proof onto out, the entry's bytes as its extra line: of entry
 * seq, or of the entry that sealed (else made) node id.  TF_NOTFOUND when no
 * checkpoint covers it yet.
 */
TF_MUST_USE enum tf_code tf_vault_prove_entry(struct tf_vault *v, uint64_t seq,
    struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_prove(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);
/* status.json as who may see it: canonical JSON and a LF; trailctl(1) lists the
 * fields. */
TF_MUST_USE enum tf_code tf_vault_status(struct tf_vault *v,
    const struct tf_asker *who, struct tf_buf *out, struct tf_error *err);

struct tf_space {
	uint64_t block_size, blocks, free, available; /* in blocks */
	uint64_t files, files_free;
};
/* As uid may see it: only root (0) sees what equal bytes save. */
TF_MUST_USE enum tf_code tf_vault_space(struct tf_vault *v, uint32_t uid,
    struct tf_space *out, struct tf_error *err);

/* A change that was refused: of node id, or of the child that is called name,
 * whatever bytes that are. */
struct tf_attempt {
	const char *operation; /* "unlink", for people */
	uint64_t id;
	const char *name; /* or NULL */
	uint64_t to;	  /* directory of a new name, or 0 */
	const char *to_name;
	const char *sys;    /* "EPERM" */
	const char *reason; /* the rule, for people; or NULL */
	const struct tf_actor *actor;
};
/*
 * Count it for ledger.closed and status, and keep it if it is one of the last
 * 1,000; one uid's do not push out those of others.  The strings are copied.
 */
void tf_vault_denied(struct tf_vault *v, const struct tf_attempt *a);
/*
 * The attempts of who (NULL or uid 0: of everybody), the oldest first, each a
 * line of canonical JSON.
 */
TF_MUST_USE enum tf_code tf_vault_denials(struct tf_vault *v,
    const struct tf_asker *who, struct tf_buf *out, struct tf_error *err);

#endif
