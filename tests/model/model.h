/*
 * A model, in memory, of the tree of a vault as its manual describes it.
 *
 * The model was written from trailfs(8) and shares no code with the vault.  For
 * each operation it gives the correct answers (0 or errnos; several if two
 * rules are broken and the manual does not say which one is reported).  After a
 * successful operation it gives the resulting tree.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SLOTS 6	      /* open descriptors of a trace */
#define FILE_XATTRS 2 /* extended attributes of files: user.a, user.b */
#define XATTRS 6      /* these, and claims about directories: */
enum { X_DESCRIPTION = FILE_XATTRS, X_ANNOTATION, X_TYPE, X_COMPLIANT };

enum verb {
	OP_MKDIR,
	OP_OPEN,
	OP_WRITE,
	OP_READ_FD,
	OP_FTRUNCATE,
	OP_FALLOCATE,
	OP_FSYNC,
	OP_DUP,
	OP_MMAP,
	OP_CLOSE,
	OP_REOPEN,
	OP_READ,
	OP_LIST,
	OP_TRUNCATE,
	OP_RENAME,
	OP_UNLINK,
	OP_RMDIR,
	OP_LINK,
	OP_SYMLINK,
	OP_MKNOD,
	OP_CHMOD,
	OP_CHOWN,
	OP_UTIMENS,
	OP_SETXATTR,
	OP_REMOVEXATTR,
	OP_GETXATTR,
	OP_SYNCDIR,
	OP_KEEP,    /* copy the checkpoint out of the vault */
	OP_CRASH,   /* kill -9, then mount again */
	OP_REMOUNT, /* close all files, unmount, mount again */
	OP_COUNT
};

/* Flags of a verb. */
enum {
	F_READ = 1,
	F_WRITE = 2,
	F_APPEND = 4,
	F_TRUNC = 8,
	F_CREATE = 16,
	F_EXCL = 32,
	F_NOREPLACE = 64,
	F_EXCHANGE = 128,
	F_WHITEOUT = 256,
	F_FIFO = 512,
	F_DEVICE = 1024,
	F_NOW = 2048,
	F_KEEPSIZE = 4096,
	F_REPLACE = 8192,
};

/* One operation: p and q are paths below the mount, "." is its root. */
struct op {
	enum verb verb;
	uid_t who;
	char *p, *q;
	unsigned flags, mode, seed;
	int h, h2;  /* slots */
	long n, at; /* length and offset; seconds; uid and gid */
};

struct bytes {
	unsigned char *p;
	size_t n;
};

struct node {
	struct node *parent;
	char *name;
	int level; /* 0 root, 1 trail, 2 workflow, 3 attestation, 4 below */
	bool dir, sealed;
	bool closing; /* closed by chmod, not sealed yet */
	bool filling; /* below an attestation: write bit set again */
	unsigned mode;
	uid_t uid;
	gid_t gid;
	/* Only for files: */
	bool written; /* by a handle, at least once */
	struct bytes now, durable;
	bool flushed, dirty, doubt; /* doubt: may be dirty or not */
	bool durable_written; /* the flushed bytes were written by a handle */
	bool mtime_known;
	int64_t mtime_ns;
	unsigned writers; /* open file descriptions for writing */
	uid_t writer;	  /* the user who opened it so */
	unsigned handles; /* open file descriptions */
	bool unlinked;
	char *xattr[XATTRS];
	/* Only for directories below an attestation: an entry names it. */
	bool recorded;
	bool found; /* seen after a restart */
};

struct description {
	struct node *node;
	unsigned flags, refs;
};

struct model {
	struct node **nodes; /* [0] is the root */
	size_t n, cap;
	struct description *slot[SLOTS];
	bool settles; /* false: frozen files are sealed at once */
};

/* A set of answers: errnos, and 0 for success. */
typedef uint32_t answers;
answers answer_of(int sys);
const char *answer_names(answers, char text[256]);

void model_init(struct model *, bool settles, unsigned root_mode);
void model_free(struct model *);
/* True if the operation is meaningless now: its slot is in use, or empty. */
bool model_skips(const struct model *, const struct op *);
answers model_expect(struct model *, const struct op *);
/* Change the tree after the operation succeeded. */
void model_apply(struct model *, const struct op *);

/* Seal d if it waits for its seal, as the vault does after the settle time. */
void model_settle(struct model *, struct node *d);

/* The node that root finds at path, or NULL. */
struct node *model_find(struct model *, const char *path);
char *node_path(const struct node *, char path[4096]);
const char *node_state(const struct node *);
/* Is its name like one of rsync's, but may be a word?  It settles, whatever settle is. */
bool settles_always(const struct node *f);
void node_access(const struct node *, unsigned *mode, uid_t *, gid_t *);
const char *const *xattr_names(void);
/* The value of attribute x that a seed stands for. */
const char *xattr_value(int x, unsigned seed, char text[16]);
/* The status of a workflow, in a word.  Who looks it up seals what is closed. */
const char *model_status(struct model *, struct node *workflow);
/* Generate the n bytes of a seed. */
void fill(unsigned char *p, size_t n, unsigned seed);

/* A name that was seen in the vault after a restart. */
struct seen {
	char *path;
	bool dir;
	const char *state;
	struct bytes bytes;
	unsigned mode;
	uid_t uid;
	gid_t gid;
	char *xattr[XATTRS];
};
/* Continue with the names that a restart left, if the manual allows them;
 * otherwise false, with the reason in text. */
bool model_restart(struct model *, bool crash, const struct seen *, size_t n,
    char text[512]);

#endif
