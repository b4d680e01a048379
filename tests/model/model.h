/*
 * The tree of a vault as its manual says it behaves, in memory.
 *
 * Written from trailfs(8), not from the program: it shares no code with it.
 * For one operation it says which answers are right (0 or an errno; several
 * where the manual does not say which of two broken rules is named) and, when
 * the operation succeeded, how the tree is afterwards.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SLOTS 6	 /* descriptors that a trace holds open at once */
#define XATTRS 2 /* extended attributes that it knows: user.a, user.b */

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
	OP_KEEP,    /* a copy of the checkpoint is taken out of the vault */
	OP_CRASH,   /* kill -9, and mounted again */
	OP_REMOUNT, /* in order; what is open is closed before */
	OP_COUNT
};

/* Words that change a verb. */
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
	long n, at; /* length, and where; seconds; uid and gid */
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
	bool closing; /* a chmod closed it: not sealed yet */
	bool filling; /* below an attestation: its write bit came back */
	unsigned mode;
	uid_t uid;
	gid_t gid;
	/* Of a file: */
	bool written; /* by a handle, once */
	struct bytes now, durable;
	bool flushed, dirty, doubt; /* doubt: dirty or not, nobody promised */
	bool durable_written;	    /* and by a handle: of what was flushed */
	bool mtime_known;
	int64_t mtime_ns;
	unsigned writers; /* descriptions open for writing */
	uid_t writer;	  /* whose */
	unsigned handles; /* descriptions */
	bool unlinked;
	char *xattr[XATTRS];
	/* Of a directory below an attestation: an entry names it. */
	bool recorded;
	bool found; /* after a restart */
};

struct description {
	struct node *node;
	unsigned flags, refs;
};

struct model {
	struct node **nodes; /* [0] is the root */
	size_t n, cap;
	struct description *slot[SLOTS];
	bool settles; /* false: what freezes is sealed at once */
};

/* A set of answers; 0 is in it where success is one of them. */
typedef uint32_t answers;
answers answer_of(int sys);
const char *answer_names(answers, char text[256]);

void model_init(struct model *, bool settles, unsigned root_mode);
void model_free(struct model *);
/* The operation means nothing now: a slot in use, or none. */
bool model_skips(const struct model *, const struct op *);
answers model_expect(struct model *, const struct op *);
/* It succeeded. */
void model_apply(struct model *, const struct op *);

/* What root finds there, or NULL. */
struct node *model_find(struct model *, const char *path);
char *node_path(const struct node *, char path[4096]);
const char *node_state(const struct node *);
void node_access(const struct node *, unsigned *mode, uid_t *, gid_t *);
const char *const *xattr_names(void);
/* The bytes that a seed means. */
void fill(unsigned char *p, size_t n, unsigned seed);

/* What was seen after a restart. */
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
/* Go on with what the restart left, if that is what it had to leave; else why
 * not, in text, and false. */
bool model_restart(struct model *, bool crash, const struct seen *, size_t n,
    char text[512]);

#endif
