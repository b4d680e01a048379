/*
 * Checking.  Needs no private key and changes nothing; may run beside a pending
 * mount.  What is wrong is told through a callback, on the caller's thread, not
 * in order; an error is returned only when the check itself cannot be made:
 * then nothing was found out, and nobody is accused.
 */
#ifndef TF_VERIFY_H
#define TF_VERIFY_H

#include "error.h"
#include "json.h"
#include "types.h"

enum tf_verdict { TF_VERDICT_OK, TF_VERDICT_FAILED, TF_VERDICT_ABSENT };

enum tf_check {
	TF_CHECK_PACKAGE,   /* the archive holds its profile and manifests */
	TF_CHECK_CONTENTS,  /* every object hashes to what its entry says */
	TF_CHECK_ENTRIES,   /* canonical, dense, obeying the replay rules */
	TF_CHECK_NAMES,	    /* the database shows what the entries say */
	TF_CHECK_TREE,	    /* the entries give the checkpoint's root */
	TF_CHECK_TILES,	    /* the stored tiles are those of the entries */
	TF_CHECK_SIGNATURE, /* the checkpoint, by the log's key */
	TF_CHECK_EARLIER,   /* a checkpoint held from earlier is a prefix */
	TF_CHECK_WITNESS,   /* cosigned */
	TF_CHECK_TIMESTAMP, /* stamped by an outside clock */
	TF_CHECKS
};

/* "package", "contents", "entries", ..., "earlier checkpoint", "witness",
 * "timestamp". */
const char *tf_check_name(enum tf_check l);

struct tf_report {
	enum tf_verdict check[TF_CHECKS];
	uint64_t entries, files, bytes; /* looked at */
	uint64_t unknown;		/* entries of types that came later */
	uint64_t newer; /* entries of a later version: see exit 5 */
	/* What is wrong; what could not be read is told too, and not counted.
	 *  */
	uint64_t findings;
	uint64_t beside;   /* of the findings, those of grade TF_GRADE_BESIDE */
	uint64_t unproven; /* files of a package that nothing vouches for */
	bool pinned;	   /* the key was given, not the store's own */
	/* A package of another log than that of the key given: all that was
	 * found holds for that one, and by its own word. */
	bool foreign;
	/* Of a package, what it cannot show to be all: packaged directories
	 * whose seal it does not have; whether there may be later versions of
	 * its attestation; whether it was cut by time. */
	uint64_t unsealed;
	bool may_be_repeated, cut;
	bool unpacked; /* it was a package in a directory */
	char origin[129];
	uint64_t size; /* of the checkpoint that was checked */
	struct tf_hash root;
};

/* What a finding means for the evidence. */
enum tf_grade {
	TF_GRADE_WRONG,	 /* what was recorded is altered, missing or forged */
	TF_GRADE_BESIDE, /* something else is there, or in another form */
	TF_GRADE_UNREAD, /* could not be looked at: nothing is known; not counted */
	/* Of a package: there for people, and nothing vouches for what it says.
	 * Counted apart. */
	TF_GRADE_UNPROVEN,
};

/* One thing that is wrong.  seq UINT64_MAX: no entry; path and text are ready
 * to show. */
struct tf_finding {
	enum tf_check check;
	enum tf_grade grade;
	uint64_t seq;
	const char *path; /* of the vault, or of the store; may be "" */
	const char *text;
};

/* What a proof or a package speaks of.  It is proven only if the links are OK.
 * The strings live until the call returns. */
struct tf_about {
	struct tf_str path;
	struct tf_str since, until; /* of a package that was cut; or absent */
	/* Of a proof, from its entry: */
	uint64_t seq;	     /* UINT64_MAX: a package */
	struct tf_str type;  /* "evidence.sealed" */
	struct tf_str actor; /* canonical JSON; absent: the daemon itself */
	/* As entries write times; when: by the clock.  They differ if moved. */
	const char *at, *when;
	bool moved;
	struct tf_str origin; /* that it was recorded under */
	bool has_content;
	struct tf_hash sha256;
	uint64_t size; /* bytes */
};

struct tf_verify {
	const char *vkey;      /* the log's key, from elsewhere; NULL: none */
	struct tf_str earlier; /* a checkpoint note held from earlier */
	void (*found)(void *arg, const struct tf_finding *f);
	/* Once, of a proof or a package that could be read.  May be NULL. */
	void (*about)(void *arg, const struct tf_about *s);
	/* Now and then: entries done of all. */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;
	unsigned threads; /* for contents; 0: all cores */
	/* Of tf_verify_against of a trail: only workflows begun from since on
	 * and before until, times as entries write them; or NULL. */
	const char *since, *until;
};

/*
 * A store: each object, entry, tile and name, and the newest checkpoint.
 * Without vkey the store's own is used, and pinned stays false.
 * Errors: TF_NOTFOUND, TF_FOREIGN, TF_NEWER, TF_ACCESS, TF_INVALID (vkey or
 * earlier checkpoint malformed).
 */
TF_MUST_USE enum tf_code tf_verify_store(const char *path,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err);

/*
 * A log as files: DIR/checkpoint and DIR/tile/ (an exported log, or .trailfs
 * of a mount).  evidence: the directory that holds the evidence by its paths
 * (a mount, a copy of one), whose bytes are then checked too, or NULL.
 * vkey is needed.  Names are ABSENT, and contents without evidence.
 */
TF_MUST_USE enum tf_code tf_verify_log(const char *dir, const char *evidence,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err);

/*
 * A C2SP tlog-proof (n bytes at text), and the file it speaks of (its path,
 * or NULL: contents ABSENT).  vkey is needed.
 */
TF_MUST_USE enum tf_code tf_verify_proof(const char *text, size_t n,
    const char *file, const struct tf_verify *v, struct tf_report *report,
    struct tf_error *err);

/*
 * A package, as trailfs-package(5) has it, or unpacked below the directory
 * file; nothing is unpacked to disk.  vkey is needed; when the package is of
 * another origin, it is checked by its own key and report->foreign is set. 
 * Tiles are ABSENT.  A package that another program packed again is a finding
 * of grade TF_GRADE_BESIDE, and so is each file that its manifests do not list.
 * Errors: TF_NOTFOUND, TF_ACCESS, TF_INVALID (vkey), TF_NEWER.
 */
TF_MUST_USE enum tf_code tf_verify_package(const char *file,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err);

/*
 * Is file a zip archive, by its first bytes?
 */
bool tf_package_is(const char *file);

/*
 * A directory (a backup, an unpacked package, or what is below its data/)
 * against the evidence at or below path ("." for all) of a store: what is
 * missing and what differs is found in contents; what is there besides is found
 * in names, with grade TF_GRADE_BESIDE.  All other links are ABSENT: they are
 * the store's.  The store and the caller alone say which files there have to
 * be: no file of the directory is believed.  A directory that holds bagit.txt
 * is compared as an unpacked package (report->unpacked): its evidence is below
 * data/, and of its other files only the names are compared.
 * Errors: TF_USAGE path is a file, or since and until are not of a trail.
 */
TF_MUST_USE enum tf_code tf_verify_against(const char *store, const char *path,
    const char *dir, const struct tf_verify *v, struct tf_report *report,
    struct tf_error *err);

/*
 * Copy the log of v (checkpoint and tiles) to directory dir, which is
 * made; full tiles that are there already are left.  The checkpoint comes
 * last.  *tiles: how many files were written.
 */
struct tf_vault;
TF_MUST_USE enum tf_code tf_export_log(struct tf_vault *v, const char *dir,
    uint64_t *tiles, struct tf_error *err);

#endif
