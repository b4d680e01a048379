/*
 * Verification (I6).  It needs no private key, changes nothing, and may run
 * while the store is mounted.  Each finding goes to a callback, on the caller's
 * thread and in no particular order.  An error code means that the check could
 * not be made: the report is then void, and nothing counts as tampered with.
 */
#ifndef TF_VERIFY_H
#define TF_VERIFY_H

#include "error.h"
#include "json.h"
#include "types.h"

enum tf_verdict { TF_VERDICT_OK, TF_VERDICT_FAILED, TF_VERDICT_ABSENT };

enum tf_check {
	TF_CHECK_PACKAGE,  /* the archive holds its profile and manifests */
	TF_CHECK_CONTENTS, /* every object hashes to what its entry says */
	/* Evidence that checks judged: judged again, it gives the report. */
	TF_CHECK_EVALUATION,
	TF_CHECK_ENTRIES,   /* canonical, dense, obeying the replay rules */
	TF_CHECK_NAMES,	    /* the database's tree follows from the entries */
	TF_CHECK_TREE,	    /* the entries give the checkpoint's root */
	TF_CHECK_TILES,	    /* the stored tiles are those of the entries */
	TF_CHECK_SIGNATURE, /* the checkpoint, by the log's key */
	TF_CHECK_EARLIER,   /* a checkpoint held from earlier is a prefix */
	TF_CHECK_WITNESS,   /* a witness has cosigned the checkpoint */
	TF_CHECK_TIMESTAMP, /* an external clock has stamped it */
	TF_CHECKS
};

/* The name of check l, as reports print it: "package", "contents", "evaluation",
 * "entries", ..., "earlier checkpoint", "witness", "timestamp". */
const char *tf_check_name(enum tf_check l);

struct tf_report {
	enum tf_verdict check[TF_CHECKS];
	uint64_t entries, files, bytes; /* the number examined */
	uint64_t members; /* of an organisation, whose log this is */
	uint64_t unknown; /* entries of types unknown to us */
	uint64_t newer;	  /* entries of a later format version: see exit 5 */
	/* Findings of the grades WRONG and BESIDE.  Those of grade UNREAD are
	 * reported, but not counted. */
	uint64_t findings;
	uint64_t beside; /* of the findings, those of grade TF_GRADE_BESIDE */
	uint64_t unread; /* files that the scope left out: only their names,
			  * sizes and places were checked */
	/* Files of a sparse copy whose bytes it does not have: the check of
	 * contents is then ABSENT at best. */
	uint64_t absent;
	uint64_t judged; /* attestations whose evidence was judged again */
	uint64_t
	    redacted; /* files whose bytes were deleted by two people, which
			      are not among files */
	/* Of those, the files of a mirror that still has the bytes, which were
	 * hashed as others. */
	uint64_t held;
	uint64_t texts; /* that stand apart from their entries, and are there */
	uint64_t redacted_texts; /* that two people have removed */
	uint64_t absent_texts;	 /* of a package: that it does not have */
	uint64_t unproven;	 /* files of a package that no proof covers */
	uint64_t harmless;	 /* findings of grade TF_GRADE_HARMLESS */
	uint64_t survived;	 /* the same of TF_GRADE_SURVIVED */
	bool pinned;		 /* the caller gave the key, not the store */
	/* With a policy: how many entries a quorum has cosigned, or else, all
	 * the witnesses that have cosigned any; and how many have, of how many
	 * in the policy. */
	struct tf_quorum_report {
		bool met;
		uint64_t size;
		size_t cosigned, of;
	} quorum;
	/* The package belongs to another log than the given key.  The report
	 * is about that log and was checked with the package's own key, so
	 * TF_CHECK_SIGNATURE has failed at best, without a finding. */
	bool foreign;
	/* Limits of what a package can prove: the number of its directories
	 * without a seal; whether later versions of its attestation may exist;
	 * whether it covers only a span of time. */
	uint64_t unsealed;
	bool may_be_repeated, cut;
	bool selected; /* cut by control, status or person */
	bool unpacked; /* the package was an unpacked directory */
	/* Time stamps: how many there are, and what those prove that the
	 * caller's certificates vouch for: the first `stamped` entries existed
	 * at stamped_at.  0: nothing. */
	uint64_t stamps, stamped;
	struct tf_time stamped_at;
	/* Anchors of a store or a log: the number that its entries record;
	 * receipts of mirrors and witnesses that fit, and the most entries that
	 * one covers; receipts whose bytes were not at hand. */
	uint64_t anchors, cosigned, cosigned_size, uncosigned;
	char origin[129];
	char vkey[192];	  /* the key that it was checked with */
	char signer[192]; /* the key that signed the newest checkpoint: vkey, or
			   * one that it was replaced by; "" if none did */
	uint64_t size;	  /* of the checkpoint that was checked */
	struct tf_hash root;
};

/* The meaning of a finding for the evidence. */
enum tf_grade {
	TF_GRADE_WRONG,	 /* a recorded fact is altered, missing or forged */
	TF_GRADE_BESIDE, /* an extra file, or an unusual form */
	TF_GRADE_UNREAD, /* could not be read, so unchecked; not counted */
	/* A file of a package that is meant for people and that no proof
	 * covers.  Counted separately. */
	TF_GRADE_UNPROVEN,
	/* A file that a desktop leaves, or in a copy a draft.  It fails nothing,
	 * and is counted separately. */
	TF_GRADE_HARMLESS,
	/* Evidence whose last bytes survived a failure, and no flush says that
	 * they are what was written.  It fails nothing, and is counted
	 * separately. */
	TF_GRADE_SURVIVED,
};

/* One finding.  seq UINT64_MAX: it belongs to no entry.  path and text are
 * safe to print; they are valid until the callback returns. */
struct tf_finding {
	enum tf_check check;
	enum tf_grade grade;
	uint64_t seq;
	const char *path; /* of the vault, or of the store; may be "" */
	const char *text;
	/* Of bytes: what the entry names, and what is there instead; NULL: it
	 * is no finding about bytes, or none are there.  Of `have` the digest
	 * is zero and the size UINT64_MAX where that is not known.  Both are
	 * valid until the callback returns. */
	const struct tf_content *want, *have;
};

/* The claims of a proof or a package.  They are proven only if all checks are
 * OK.  The strings are valid until the callback returns. */
struct tf_about {
	struct tf_str path;
	struct tf_str since, until; /* the package's span of time, or absent */
	/* By which the package's workflows were selected; or absent. */
	struct tf_str control, status, person;
	/* Of a proof, from its entry: */
	uint64_t seq;	     /* UINT64_MAX: a package */
	struct tf_str type;  /* "evidence.sealed" */
	struct tf_str actor; /* canonical JSON; absent: the daemon itself */
	/* Times as entries write them: the entry's time, and the clock's
	 * reading at that moment.  moved: the two differ. */
	const char *at, *when;
	bool moved;
	struct tf_str origin; /* of the log at the time of the entry */
	bool has_content;
	struct tf_hash sha256;
	uint64_t size; /* bytes */
};

struct tf_witness_policy;
/*
 * Which contents a verification of a store reads: parts 0: all.  Otherwise those
 * of the entries from `from` on, and of older ones the objects of one part.  full:
 * the number of the verify.done that has read everything before.
 */
struct tf_verify_scope {
	uint64_t from, full, part, parts;
};
struct tf_verify {
	/* The log's key, from a trusted source, or NULL: a line, and behind it any
	 * entries of rotations (ledger/rotation.h) that the caller knows. */
	const char *vkey;
	struct tf_str earlier; /* a checkpoint that was saved earlier */
	/* Certificates (PEM) of time stamp authorities that the caller trusts;
	 * p NULL: none, and TF_CHECK_TIMESTAMP is ABSENT at best. */
	struct tf_str tsa_ca;
	/* The witnesses of whom a quorum must have cosigned a checkpoint; NULL:
	 * TF_CHECK_WITNESS asks for none. */
	const struct tf_witness_policy *policy;
	void (*found)(void *arg, const struct tf_finding *f);
	/* Called once for a proof or a package that could be read, or NULL. */
	void (*about)(void *arg, const struct tf_about *s);
	/* Called from time to time with the number of entries checked. */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	/* Called with the bytes of each entry, before it is checked, or NULL.
	 * A code other than TF_OK ends the verification and is its result. */
	enum tf_code (*entry)(void *arg, uint64_t seq, const void *body,
	    size_t n, struct tf_error *err);
	void *arg;
	/* If not NULL, the key that was used is set there: a line, and behind it
	 * the entries of rotations that were found, as vkey takes them. */
	struct tf_buf *keys;
	unsigned threads; /* that hash contents; 0: one per core */
	/* Of a store: of objects in files only the size is checked, and their
	 * bytes are not read. */
	bool sizes;
	/* For tf_verify_store.  What is not read is counted in report->unread. */
	struct tf_verify_scope scope;
	/* For tf_verify_against of a trail: take only workflows begun at or
	 * after since and before until, or NULL: no limit. */
	const char *since, *until;
};

/*
 * Verify a store: every object, entry, tile and name, and the newest
 * checkpoint.  Without vkey the store's own key is used, and pinned is false.
 * Errors: TF_NOTFOUND, TF_FOREIGN, TF_NEWER, TF_ACCESS, TF_INVALID (vkey or
 * earlier checkpoint malformed).
 */
TF_MUST_USE enum tf_code tf_verify_store(const char *path,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err);

/*
 * Choose what an incremental verification of the store reads, by what the ledger
 * records: everything, if nothing is recorded, the last verification that read
 * everything is a week old, or one has failed since.  Errors: those of opening the
 * database.
 */
TF_MUST_USE enum tf_code tf_verify_plan(const char *store,
    struct tf_verify_scope *out, struct tf_error *err);

/*
 * Verify a log in files: DIR/checkpoint and DIR/tile/ (C2SP tlog-tiles; an
 * exported log, or .trailfs of a mount).  evidence: a directory that holds the
 * evidence under its paths (a mount, or a copy of one), whose bytes are checked
 * too, or NULL.  vkey is required.  If entry 0 opens an organisation, its own entries
 * and those of each member are judged by their rules.  The verdict of names is ABSENT; without
 * evidence that of contents too.
 */
TF_MUST_USE enum tf_code tf_verify_log(const char *dir, const char *evidence,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err);

/*
 * Verify a C2SP tlog-proof (n bytes at text) and the evidence at the path file
 * (NULL: contents are ABSENT).  vkey is required.
 */
TF_MUST_USE enum tf_code tf_verify_proof(const char *text, size_t n,
    const char *file, const struct tf_verify *v, struct tf_report *report,
    struct tf_error *err);

/*
 * Verify the package file (see trailfs-package(5)), or the unpacked package in
 * the directory file.  Nothing is unpacked to disk.  vkey is required; a
 * package of another origin is checked with its own key and sets
 * report->foreign.  Tiles are ABSENT.  A package that another program has
 * repacked gives a finding of grade TF_GRADE_BESIDE, and so does each file that
 * its manifests do not list, unless a desktop leaves such files.
 * Errors: TF_NOTFOUND, TF_ACCESS, TF_INVALID (vkey), TF_NEWER.
 */
TF_MUST_USE enum tf_code tf_verify_package(const char *file,
    const struct tf_verify *v, struct tf_report *report, struct tf_error *err);

/* True if the first bytes of file are those of a zip archive. */
bool tf_package_is(const char *file);

/*
 * Compare a directory (a backup, an unpacked package, or its data/) with the
 * evidence at or below path ("." for all) of a store.  Missing and different
 * files are findings in contents.  Extra files are findings in names, of grade
 * TF_GRADE_BESIDE, or TF_GRADE_HARMLESS for what a desktop leaves and for the
 * drafts in a copy of a mount.  All other checks concern the store and are ABSENT.  Only
 * the store and the caller decide which files must exist: no file of the
 * directory is trusted.  A directory that holds bagit.txt is compared as an
 * unpacked package (report->unpacked): its evidence is below data/, and of its
 * other files only the names are compared.
 * Errors: TF_USAGE path is a file, or since or until is given and path is not
 * a trail.
 */
TF_MUST_USE enum tf_code tf_verify_against(const char *store, const char *path,
    const char *dir, const struct tf_verify *v, struct tf_report *report,
    struct tf_error *err);

/*
 * Copy the log of v (checkpoint and tiles) to the directory dir, which is
 * created if absent.  Full tiles that exist already are left.  The checkpoint
 * is written last, so every tile that it needs is there.  *tiles becomes the
 * number of files written.
 */
struct tf_vault;
TF_MUST_USE enum tf_code tf_export_log(struct tf_vault *v, const char *dir,
    uint64_t *tiles, struct tf_error *err);

#endif
