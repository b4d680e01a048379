/*
 * The vault: one store with its ledger, its tree of names and its objects.
 *
 * Every change of a store is a call of this header.  All functions are safe
 * from many threads at once unless they say otherwise.  Ids are inode numbers
 * (TF_ROOT_ID is the root).  Any call may fail with TF_NOMEM, with TF_IO and
 * its more precise forms (see tf_fail), and with TF_TAMPER if parts of the
 * store contradict each other.  After an error of the ledger's disk every
 * change fails with TF_READONLY until the store is opened again.  Arguments
 * stay the caller's; err may be NULL.
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
 * Create a store in the directory path, which must be absent or empty
 * (TF_EXISTS otherwise): database, key pairs, first ledger entry.  origin NULL:
 * "HOST/NAME" from host name and path.  The log's vkey (C2SP signed-note) is
 * appended to vkey.  On failure the files created are removed.
 */
TF_MUST_USE enum tf_code tf_vault_init(const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err);
/*
 * The same, where keys is the directory of the secret keys (NULL: in the store).
 * It must be absolute and outside the store; it is made if it is absent, and the
 * config names it.  owner: to whom root gives the store, and a key directory that
 * it made (NULL: they belong to the caller).  signer, or NULL: a command that is the
 * signer and has the keys, instead of new ones; the config names it, too.
 * of_root: keys in the store stay root's, and only a mount that root starts can use them.
 * TF_EXISTS: keys has keys already.
 */
struct tf_owner {
	uint32_t uid, gid;
};
TF_MUST_USE enum tf_code tf_vault_init_for(const char *path, const char *origin,
    const char *keys, const char *signer, const struct tf_owner *owner,
    bool of_root, const struct tf_actor *actor, struct tf_buf *vkey,
    struct tf_error *err);

/* Is the directory dirfd a store?  Has it a directory called name that is a copy of
 * one, which a mirror or tf_fetch makes?  Nothing is opened or read. */
bool tf_vault_is_store(int dirfd);
bool tf_vault_is_copy(int dirfd, const char *name);

/*
 * The owner of the store at path.  TF_USAGE: a part of it, but for keys/, belongs
 * to another user, and err names it and the command that mends that; TF_NOTFOUND
 * there is no such directory; TF_IO.
 */
TF_MUST_USE enum tf_code tf_vault_owner(const char *path, struct tf_owner *out,
    struct tf_error *err);

/*
 * Replace the key of the log, or of the attester, by a new one: entry key.rotated by
 * actor.  The new key signs from the next entry on; the old key of the log signs
 * beside it for 30 days.  Other callers wait for one commit.
 * Errors: TF_DENIED actor is neither root nor the owner of the store; those of a
 * commit and of the signer; after these the old key may be in force or the new one,
 * and the next start goes on with the one that the ledger names.
 */
TF_MUST_USE enum tf_code tf_vault_rotate(struct tf_vault *v, bool log,
    const struct tf_actor *actor, struct tf_error *err);

/*
 * Continue a store whose database is older than STORE/checkpoint (an old copy
 * was restored) or not consistent with it.  The ledger continues under a new
 * origin (NULL: the old one and "/2", "/3", ...), because signing a second
 * history under the old one would break I3.  The first entry under the new
 * origin records the old log.  The new vkey is appended to
 * vkey.  TF_USAGE if the store needs no recovery.
 */
TF_MUST_USE enum tf_code tf_vault_recover(const char *path, const char *origin,
    const struct tf_actor *actor, struct tf_buf *vkey, struct tf_error *err);

enum tf_durability {
	TF_DURABLE_CLOSE, /* close and fsync wait for the disk */
	TF_DURABLE_BATCH, /* only fsync and tf_vault_sync wait for the disk */
	/* As TF_DURABLE_CLOSE.  A flush of evidence also enters what it holds, and
	 * tf_vault_await_organisation() waits. */
	TF_DURABLE_ORG,
};

/* Numbers that a mount option sets, or else STORE/config. */
enum tf_setting {
	TF_SETTLE,	 /* seconds between freeze and seal */
	TF_IDLE,	 /* seconds until an idle attestation seals; 0: never */
	TF_PLACEHOLDER,	 /* seconds until a placeholder seals as empty */
	TF_MAX_FILE,	 /* bytes per file; 0: no limit */
	TF_MAX_STAGED,	 /* unsealed bytes per uid; 0: no limit */
	TF_MODE_FLOOR,	 /* read bits that evidence gets at its seal */
	TF_MAX_UNSEALED, /* unsealed names per uid; 0: no limit */
	TF_MAX_OPEN,	 /* files open for writing per uid; 0: no limit */
	TF_MAX_STORE,	 /* bytes of evidence, entries, stage; 0: no limit */
	TF_MAX_DRAFT,	 /* names per draft attestation; 0: no limit */
	TF_READS,	 /* 1: record who opens sealed evidence */
	TF_TEXTS,	 /* 1: texts of entries can be redacted */
	TF_ORG_TIMEOUT,	 /* seconds that a close waits for the organisation */
	TF_SETTINGS
};
/* Groups that a mount option names, or else STORE/config. */
enum tf_role {
	TF_TRAIL_GROUP, /* the group of new trails and of what is in them */
	TF_AUDITORS,	/* its members read everything */
	TF_ADMINS, /* and its members also administer (tf_may_administer) */
	TF_ROLES
};
struct tf_role_group {
	char name[257]; /* "": nobody has the role */
	uint32_t gid;	/* set by tf_vault_open */
};
struct tf_settings {
	uint64_t value[TF_SETTINGS];
	bool given[TF_SETTINGS];
	struct tf_role_group role[TF_ROLES];
};
/* Set the setting named key ("settle", "max_file", "auditors") from text ("2",
 * "10M", "audit").  False: the key is unknown or the value is out of range. */
bool tf_settings_take(struct tf_settings *s, const char *key,
    const char *value);

/* What the process that serves a mount has given up, for the status.  It never has
 * a capability. */
struct tf_sandbox {
	const char *user; /* as whom it runs */
	int landlock;	  /* the version of Landlock in force; 0: none */
	bool seccomp;	  /* system calls are filtered */
};

struct tf_vault_options {
	/* Change nothing and recover nothing.  A read-only mount also keeps
	 * writers out of the store, and shows only sealed files. */
	bool read_only;
	/* Of a sparse store, read-only: the socket of a process that has the bytes
	 * of evidence (core/node/absent.h); NULL: .follow beside the store. */
	const char *objects;
	const char *program;	      /* "trailfs", "trailctl" */
	const char *mount;	      /* the mount point, or NULL */
	const struct tf_actor *actor; /* trailctl's caller; NULL: a daemon */
	struct tf_settings settings;
	/* auditors and admins are those of settings, and those of the config have no
	 * effect: for a daemon whose mount is that of others, too. */
	bool roles_are_given;
	const char *libfuse; /* its version, or NULL */
	/* The caller says that the store was moved here, not copied: append
	 * also where the ledger was not opened before. */
	bool moved;
	/* The caller says that the guard is lost: append without what it knew.
	 * Refused if the guard of the last start is there. */
	bool guard_lost;
	/* The descriptor of tf_signer_start(), which the vault then owns; 0: this
	 * process uses the keys itself, unless the config names a command. */
	int signer;
	/* That signer is a fork of this program, not a command, unless the config
	 * names one: its signatures are not checked when they are made. */
	bool signer_is_ours;
	bool verify_open; /* hash an object at its first open */
	enum tf_durability durability;
	/* Called in the thread of a call that is about to wait for a disk or
	 * to read much, once or more often.  NULL: not called. */
	void (*slow)(void);
	/*
	 * The thread of a call could wait for the disk itself instead of waking
	 * another one for it and waiting for that.  Returns true if nobody needs
	 * the thread meanwhile; stayed is called when it has waited.  Between
	 * the two, the thread works for other calls as well: interrupted returns
	 * false then.  NULL: always true.
	 */
	bool (*may_stay)(void);
	void (*stayed)(void);
	/* Returns true if the requester has cancelled the call that this
	 * thread is in.  Long calls poll it.  NULL: never cancelled. */
	bool (*interrupted)(void);
	/* Report one line (recovery, failed seal).  From any thread. */
	void (*say)(void *arg, enum tf_code code, const char *line);
	/* The same for what happens to a key.  NULL: say is called. */
	void (*say_key)(void *arg, enum tf_code code, const char *line);
	/*
	 * The attributes of node id, a directory or a file that is not open,
	 * have changed without a call that named id: it was sealed, a node in
	 * it was sealed, or its attestation has a new owner.  From any thread, before the call that caused the change
	 * returns, and with locks of the vault held: it must not call the
	 * vault.  NULL: the caller caches no attributes.
	 */
	void (*changed)(void *arg, uint64_t id);
	/* Reading found file id altered: every cached byte of it is void.
	 * From a thread that holds no lock.  NULL: the caller caches no bytes.
	 */
	void (*altered)(void *arg, uint64_t id);
	void *arg; /* of say, say_key, changed and altered */
	/* Stays in place until tf_vault_close.  NULL: nothing to show. */
	const struct tf_sandbox *sandbox;
	/* How many requests the caller has read and not begun, or that wait for
	 * a disk, for the metrics; UINT64_MAX: unknown.  NULL: has none. */
	uint64_t (*waiting)(void);
	/* How many files may have writes that the kernel collects.  NULL: it
	 * collects none. */
	uint64_t (*collecting)(void);
};

/*
 * Open a store.  A writer takes the store's lock exclusively, a read-only mount
 * shares it.  A writer also checks the store, completes the work that a crash
 * interrupted (Recovery in trailfs-service(8)) and appends ledger.opened.  On TF_OK
 * the caller closes *out with tf_vault_close.  This call starts threads: fork
 * before it, not after.  A writer has keys: see tf_environment_hide_memory().
 * Errors: TF_NOTFOUND no store at path; TF_FOREIGN not a trailfs store, or its
 * key files are unsafe; TF_LOCKED another process holds the lock, err names its
 * pid and mount point; TF_USAGE a line of STORE/config is not understood, or
 * there is no group of a role's name; TF_NEWER; TF_ACCESS; TF_TAMPER.
 */
TF_MUST_USE enum tf_code tf_vault_open(const char *path,
    const struct tf_vault_options *o, struct tf_vault **out,
    struct tf_error *err);

/* The files outside of a store that an open vault uses; NULL: there is none.  The
 * secret keys are not among them: only the signer, which is forked before, reads
 * them. */
struct tf_outside {
	char *guard;	  /* the file that the config names; it is replaced */
	char *last_guard; /* that of the last start; only read */
	char *stamp_ca;	  /* only read */
	char *index;	  /* of a mirror: a file in it that a reader writes */
};
/*
 * Read the names of these files, for a caller that must allow them before the
 * vault opens.  Starts no thread.  A store that cannot be opened has none:
 * tf_vault_open says why.  On TF_OK the caller frees *out with tf_outside_free.
 * Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_vault_outside(const char *path, bool read_only,
    struct tf_outside *out, struct tf_error *err);
void tf_outside_free(struct tf_outside *o);

/* The group that has role r; its name is "" if nobody has it.  Valid until
 * tf_vault_close. */
const struct tf_role_group *tf_vault_role(const struct tf_vault *v,
    enum tf_role r);

/*
 * Announce the end of the process.  From now on long calls, also those of other
 * threads, fail with TF_INTERRUPTED, and tf_vault_close leaves long work to the
 * next start.  Safe at any time from any thread.
 */
void tf_vault_stop(struct tf_vault *v);

/*
 * Seal all frozen files, append ledger.closed (reason "unmounted", "signal" or
 * "done") and free v in any case.  Files still open for writing stay as a crash
 * would leave them.  No other call may be running.  NULL: does nothing.
 */
TF_MUST_USE enum tf_code tf_vault_close(struct tf_vault *v, const char *reason,
    struct tf_error *err);

/* --- names ------------------------------------------------------------ */

/* The attributes of the child `name` of parent, or of id.  Errors: TF_NOTFOUND;
 * TF_NOTDIR parent is a file. */
TF_MUST_USE enum tf_code tf_vault_lookup(struct tf_vault *v, uint64_t parent,
    const char *name, struct tf_attr *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_getattr(struct tf_vault *v, uint64_t id,
    struct tf_attr *out, struct tf_error *err);
/*
 * Open and close directory id.  A directory that is removed while it is open
 * keeps its attributes until the last close, with unlinked set.
 */
TF_MUST_USE enum tf_code tf_vault_opendir(struct tf_vault *v, uint64_t id,
    struct tf_attr *out, struct tf_error *err);
void tf_vault_closedir(struct tf_vault *v, uint64_t id);
/* Walk "a/b/c" from the root; "" and "." are the root. */
TF_MUST_USE enum tf_code tf_vault_walk(struct tf_vault *v, const char *path,
    struct tf_attr *out, struct tf_error *err);
/* Append the path of id from the root ("." for the root) to out. */
TF_MUST_USE enum tf_code tf_vault_path(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

struct tf_dirent {
	struct tf_attr attr;
	char name[256];
};
/*
 * Write up to max children of dir with an id greater than after to out, in
 * order of id; *n becomes their number, 0 at the end.  While the directory
 * changes, no child is listed twice and no child that stays is missed.
 */
TF_MUST_USE enum tf_code tf_vault_list(struct tf_vault *v, uint64_t dir,
    uint64_t after, struct tf_dirent *out, size_t max, size_t *n,
    struct tf_error *err);

/*
 * Create a directory, whose kind follows from its parent.  On TF_OK the entry
 * of a trail, workflow or attestation is in the ledger; a draft attestation or
 * a directory below an attestation has no entry yet.  The umask is already
 * applied to mode.
 */
TF_MUST_USE enum tf_code tf_vault_mkdir(struct tf_vault *v, uint64_t parent,
    const char *name, uint32_t mode, const struct tf_actor *who,
    struct tf_attr *out, struct tf_error *err);
/* Refuse to create a link, symlink, device or FIFO: always fails, with the
 * error that fits the parent and name. */
TF_MUST_USE enum tf_code tf_vault_refuse(struct tf_vault *v, uint64_t parent,
    const char *name, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_unlink(struct tf_vault *v, uint64_t parent,
    const char *name, const struct tf_actor *who, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_rmdir(struct tf_vault *v, uint64_t parent,
    const char *name, const struct tf_actor *who, struct tf_error *err);
/* noreplace: TF_EXISTS if the new name exists (RENAME_NOREPLACE). */
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
 * Change the attributes named in mask to those of want; *out becomes the
 * result.  Values equal to the present ones succeed in any state.  Removing the
 * last write bit of a trail, workflow or attestation that can be sealed closes
 * it: no node can be created in it, and after its settle time it is sealed,
 * unless a write bit is set before that.  file: the handle of ftruncate(2), or
 * NULL.  The kernel has checked that who may make the change.
 */
TF_MUST_USE enum tf_code tf_vault_setattr(struct tf_vault *v, uint64_t id,
    struct tf_file *file, unsigned mask, const struct tf_attr *want,
    const struct tf_actor *who, struct tf_attr *out, struct tf_error *err);

/*
 * Extended attributes, with full names ("user.x").  get appends the value to
 * out; it also answers the TF_XATTR_ names of control.h.  list appends names
 * that each end in a NUL.  set takes the flags of setxattr(2).
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

/* Create a file and open it for writing.  On TF_OK the caller ends *file with
 * tf_file_release, tf_file_close or tf_file_abandon.  Errors: TF_EXISTS. */
TF_MUST_USE enum tf_code tf_vault_create(struct tf_vault *v, uint64_t parent,
    const char *name, uint32_t mode, const struct tf_actor *who,
    struct tf_attr *out, struct tf_file **file, struct tf_error *err);
/* Open an existing file for writing, with O_TRUNC if truncate.  Errors:
 * TF_SEALED the file is frozen or sealed; TF_BUSY another uid writes it. */
TF_MUST_USE enum tf_code tf_vault_open_write(struct tf_vault *v, uint64_t id,
    bool truncate, const struct tf_actor *who, struct tf_file **file,
    struct tf_error *err);
/* Write all n bytes at off, or with append at the end of the file. */
TF_MUST_USE enum tf_code tf_file_write_at(struct tf_file *f, const void *p,
    size_t n, uint64_t off, bool append, struct tf_error *err);
/*
 * The kernel may collect writes through f from now on, before it hands their
 * bytes over: mark the file as one that changes (F4 of pending.h), as a write
 * would.  What was collected through f is what tf_file_write_collected gets until
 * another handle expects writes.  *room is how many bytes it can grow at least,
 * until some limit is near; *alone: nobody else has it open for writing.  Errors:
 * those of a write.
 */
TF_MUST_USE enum tf_code tf_file_expect(struct tf_file *f, bool *alone,
    uint64_t *room, struct tf_error *err);
/* May the kernel have collected writes through another handle of the file? */
bool tf_file_follows_another(struct tf_file *f);
/* How many bytes can the file of f grow at least?  0: perhaps none, or the kernel
 * shall not collect writes to it, because its trail is encrypted. */
uint64_t tf_file_room(struct tf_file *f);
/* Write pages of a mapping.  Where they have the entered bytes of a file that grows
 * unchanged, nothing is written; where they have others, the file fails. */
TF_MUST_USE enum tf_code tf_file_write_mapped(struct tf_file *f, const void *p,
    size_t n, uint64_t off, struct tf_error *err);
/* The same for bytes that the kernel collected: tf_file_expect said who wrote them. */
TF_MUST_USE enum tf_code tf_file_write_collected(struct tf_file *f,
    const void *p, size_t n, uint64_t off, struct tf_error *err);
/* The last collected write was at this time, as the kernel says.  The row of the
 * file gets it with the next flush. */
void tf_file_written_at(struct tf_file *f, const struct tf_time *at);
/* Read through a writing handle (O_RDWR); *got is less than n only at the end
 * of the file. */
TF_MUST_USE enum tf_code tf_file_read_at(struct tf_file *f, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);
/* fallocate(2) with mode 0 (grow true) or KEEP_SIZE. */
TF_MUST_USE enum tf_code tf_file_allocate(struct tf_file *f, uint64_t off,
    uint64_t len, bool grow, struct tf_error *err);

/*
 * Flush a descriptor, for close(2) or with sync for fsync(2).  done is called
 * exactly once, from this or another thread: with TF_OK once bytes, name and
 * writer are on stable storage (I4), or with an error, which is final for the
 * file.  sync makes an unwritten file one that was written as empty.  If the
 * file has no unflushed bytes and no flush is running, done is called at once.
 * With TF_DURABLE_BATCH a close waits only if 64 MiB or more are in memory, and
 * the error is that of an earlier flush.  f is not used after done is called, so
 * done may release it.
 */
typedef void (*tf_done)(void *arg, enum tf_code code,
    const struct tf_error *err);
void tf_file_flush(struct tf_file *f, bool sync, tf_done done, void *arg);

/* --- the organisation: TF_DURABLE_ORG -------------------------------------- */

bool tf_vault_awaits_organisation(const struct tf_vault *v);
/* Does a close of f, which was flushed, promise that the organisation has its bytes?
 * Not that of a draft. */
bool tf_file_awaits_organisation(struct tf_file *f);
/* Counts the changes, through any handle, of what a flush has entered.  If one
 * came between the beginning of a flush and the answer of the organisation, that
 * may lack the bytes: flush again. */
uint64_t tf_file_rewrites(struct tf_file *f);
/* The entries of the ledger. */
uint64_t tf_vault_entries(struct tf_vault *v);
/*
 * Call done exactly once, from this or another thread, with TF_OK once the
 * organisation has all entries that the ledger has now, and the bytes that they
 * are about.  TF_TIMEDOUT: it did not get them within org_timeout; TF_INTERRUPTED:
 * the vault stops, or gives_up, which is asked some times a second, said true.  Then
 * they are recorded here and forwarded later; other errors: TF_NOMEM.  With another
 * durability done is called at once.
 */
void tf_vault_await_organisation(struct tf_vault *v,
    bool (*gives_up)(void *arg), tf_done done, void *arg);
/* End all waits, and those that come, with TF_INTERRUPTED. */
void tf_vault_end_waits(struct tf_vault *v);
/* Free f.  The release of a file's last writing handle freezes the file.  It
 * has no result: a failure is reported through say and shown in status. */
void tf_file_release(struct tf_file *f);
/* Flush f, wait as close(2) does, and release f, which is freed in any case. */
TF_MUST_USE enum tf_code tf_file_close(struct tf_vault *v, struct tf_file *f,
    struct tf_error *err);
/* Free f at the end of the process.  Its file stays as after a crash. */
void tf_file_abandon(struct tf_file *f);

/* --- reading ---------------------------------------------------------- */

/*
 * Open file id for reading, in any state.  On TF_OK the caller closes *out.
 * With verify_open, the first open of a sealed object since tf_vault_open
 * hashes it: TF_TAMPER if it differs from its entry.  Later opens do not touch
 * the object, so a missing or unreadable object fails at the first read.  An
 * object above 64 MiB is hashed in the background from its first open; once it
 * is found altered, every read fails with TF_TAMPER.  The hashers serve the
 * users (uid) in turn.
 * *fresh becomes true if cached bytes of the file must be dropped: it is not
 * sealed, or this is the first open since its seal.
 */
TF_MUST_USE enum tf_code tf_vault_open_read(struct tf_vault *v, uint64_t id,
    uint32_t uid, struct tf_reader **out, bool *fresh, struct tf_error *err);
TF_MUST_USE enum tf_code tf_reader_read(struct tf_reader *r, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);
/* The descriptor of a sealed object's file, for splice(2); valid until
 * tf_vault_let_go.  tf_reader_hold returns false if the object has no file or
 * nothing was read from it yet. */
struct tf_open_object {
	int fd;
	int place; /* for core only */
};
bool tf_reader_hold(struct tf_reader *r, struct tf_open_object *out);
void tf_vault_let_go(struct tf_vault *v, const struct tf_open_object *held);
/* True for a sealed object of TF_LONG_OBJECT_BYTES or more, whose file is worth
 * opening before the first read (tf_reader_object). */
#define TF_LONG_OBJECT_BYTES (4u << 20)
bool tf_reader_is_long(const struct tf_reader *r);
/* Open the file of a sealed object before the first read, so that
 * tf_reader_hold can succeed. */
TF_MUST_USE enum tf_code tf_reader_object(struct tf_reader *r,
    struct tf_error *err);
void tf_reader_close(struct tf_reader *r);

/*
 * Who read what.  A caller asks tf_vault_notes_reads first, because the actor
 * takes time to find out.  tf_vault_note_read counts an opening of evidence id,
 * or of the package of directory id, in memory; that of the root is one of the
 * package of each trail.  The counts are recorded as
 * evidence.read entries each minute, sooner when they are many, by
 * tf_vault_sync of the root by its owner or uid 0, and by tf_vault_close; only
 * those of trails that ask for it, unless TF_READS is set.  What could not be
 * recorded is tried again, and never an error of the reader.
 */
bool tf_vault_notes_reads(struct tf_vault *v);
void tf_vault_note_read(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who);
/* True if the file was sealed when it was opened. */
bool tf_reader_is_sealed(const struct tf_reader *r);
/* True if its seal may change its bytes: it may be encrypted. */
bool tf_reader_may_grow(const struct tf_reader *r);

/* --- sealing ---------------------------------------------------------- */

/* Seal a trail, workflow or attestation and every node in it.  On TF_OK their
 * entries are in the ledger.  Errors: TF_DENIED who is neither its owner nor
 * root; TF_BUSY a file in it is open for writing. */
TF_MUST_USE enum tf_code tf_vault_seal(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);
/* Seal every closed directory at or below id.  Call this before reading a
 * control file that exists only after the seal. */
TF_MUST_USE enum tf_code tf_vault_finish(struct tf_vault *v, uint64_t id,
    struct tf_error *err);
/* Seal every frozen file, closed placeholder and closed directory at or below
 * id that belongs to who (uid 0: to anyone).  On TF_OK their entries are in the
 * ledger. */
TF_MUST_USE enum tf_code tf_vault_sync(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);

/* fsync(2) through a reading descriptor: seal file id if it is a placeholder,
 * by the rules of tf_vault_sync. */
TF_MUST_USE enum tf_code tf_vault_sync_file(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);

/* --- the ledger and the status ---------------------------------------- */

/* The number of entries, and the bytes of all entries with a LF after each. */
TF_MUST_USE enum tf_code tf_vault_size(struct tf_vault *v, uint64_t *entries,
    uint64_t *bytes, struct tf_error *err);
/*
 * Read events.jsonl: up to n bytes at offset off of the first `entries`
 * entries, a number that tf_vault_size has returned.  *got is less than n only
 * at the end.
 */
TF_MUST_USE enum tf_code tf_vault_events(struct tf_vault *v, uint64_t entries,
    uint64_t off, void *p, size_t n, size_t *got, struct tf_error *err);
/* Append the exact bytes of entry seq to out.  TF_NOTFOUND beyond the end. */
TF_MUST_USE enum tf_code tf_vault_entry(struct tf_vault *v, uint64_t seq,
    struct tf_buf *out, struct tf_error *err);
/* The i-th of the entry types that this version knows ("evidence.sealed"), or
 * NULL: there are no more. */
const char *tf_vault_type(size_t i);
/* Check that the bytes of a line of events.jsonl are an entry: TF_INVALID with
 * the reason if not, TF_NEWER of a later format.  A type that this version does
 * not know is no reason. */
TF_MUST_USE enum tf_code tf_vault_check_entry(const char *bytes, size_t n,
    struct tf_error *err);
/* Append to out: the newest checkpoint (C2SP tlog-checkpoint); the log's vkey
 * and a LF; the log's public key as PEM. */
TF_MUST_USE enum tf_code tf_vault_checkpoint(struct tf_vault *v,
    struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_vkey(struct tf_vault *v, struct tf_buf *out,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_pem(struct tf_vault *v, struct tf_buf *out,
    struct tf_error *err);
/*
 * Append to out, as C2SP tlog-tiles defines, the first width hashes of tile n
 * of a level (32 bytes each), or the first width entries of bundle n (each
 * after its length as a big-endian uint16).  TF_NOTFOUND beyond the newest
 * checkpoint.
 */
TF_MUST_USE enum tf_code tf_vault_tile(struct tf_vault *v, unsigned level,
    uint64_t n, unsigned width, struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_bundle(struct tf_vault *v, uint64_t n,
    unsigned width, struct tf_buf *out, struct tf_error *err);
/* The number of hashes, 0 to 256, in tile n of a level in a log of so many
 * entries. */
unsigned tf_log_width(uint64_t entries, unsigned level, uint64_t n);
/*
 * Append a C2SP tlog-proof to out, with the entry's bytes as its extra line:
 * the proof of entry seq, or of the entry that sealed node id, or else created
 * it.  TF_NOTFOUND until a checkpoint covers the entry.
 */
TF_MUST_USE enum tf_code tf_vault_prove_entry(struct tf_vault *v, uint64_t seq,
    struct tf_buf *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_vault_prove(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);
/* Append status.json to out, with the parts that who may see: canonical JSON
 * and a LF.  trailctl(1) lists the fields. */
TF_MUST_USE enum tf_code tf_vault_status(struct tf_vault *v,
    const struct tf_asker *who, struct tf_buf *out, struct tf_error *err);

/*
 * Append the metrics of the vault to out, with the parts that who may see: the text format of Prometheus, version
 * 0.0.4 (trailfs-monitor(8) lists them).  The time that this takes does not depend on
 * the size of the ledger.
 */
TF_MUST_USE enum tf_code tf_vault_metrics(struct tf_vault *v,
    const struct tf_asker *who, struct tf_buf *out, struct tf_error *err);

struct tf_space {
	uint64_t block_size;		  /* bytes */
	uint64_t blocks, free, available; /* in blocks */
	uint64_t files, files_free;
};
/* The space for statfs(2).  Only root (uid 0) sees the space saved by storing
 * equal files once: others could learn from it which bytes are in the store. */
TF_MUST_USE enum tf_code tf_vault_space(struct tf_vault *v, uint32_t uid,
    struct tf_space *out, struct tf_error *err);

/* A refused change of node id, or of its child `name` (any bytes but NUL). */
struct tf_attempt {
	const char *operation; /* "unlink", for people */
	uint64_t id;
	const char *name; /* or NULL */
	uint64_t to;	  /* a rename's target directory, or 0 */
	const char *to_name;
	enum tf_code code;  /* of the rule */
	const char *sys;    /* "EPERM" */
	const char *reason; /* the rule, for people; or NULL */
	const struct tf_actor *actor;
};
/*
 * Count a refused change for ledger.closed and status, and keep it among the
 * last 1,000.  The attempts of one uid do not displace those of another.  The
 * strings are copied.
 */
void tf_vault_denied(struct tf_vault *v, const struct tf_attempt *a);
/*
 * Append the kept attempts of who (NULL or uid 0: of all users) to out, oldest
 * first, each as one line of canonical JSON.
 */
TF_MUST_USE enum tf_code tf_vault_denials(struct tf_vault *v,
    const struct tf_asker *who, struct tf_buf *out, struct tf_error *err);

#endif
