/*
 * The control files of a directory that people and tools read: .trailfs shows
 * them and a package holds them.  trailfs-control(5) lists them, trailfs-json(5)
 * defines their fields.
 *
 * A view is one state of the ledger, and the time at which it was opened, which
 * decides whether a deadline has passed.  Every file written from one view
 * describes that state, and the same state and time give the same bytes.  A
 * file is written to a sink in pieces and is never in memory as a whole; if a
 * call fails, the bytes that the sink has received are void.  A view belongs to
 * one thread at a time.  Errors: those of vault.h, those of the sink, and
 * TF_NOTFOUND if the directory does not have the file (yet).
 */
#ifndef TF_PAGE_H
#define TF_PAGE_H

#include "asker.h"
#include "vault.h"

struct tf_view;

/*
 * Open a view of the present ledger.  On TF_OK the caller closes *out, and
 * soon: while a view is open, SQLite's WAL file cannot shrink.  Files made from
 * the view show only what who may read; NULL shows everything.  who->groups
 * stays the caller's and must outlive the view.
 */
TF_MUST_USE enum tf_code tf_view_open(struct tf_vault *v,
    const struct tf_asker *who, struct tf_view **out, struct tf_error *err);
/*
 * The same for the ledger as it was when it had `size` entries: nothing that came
 * later is there, and deadlines are judged at the time of its last entry.  What
 * who may read, and what was redacted, is as today.  TF_NOTFOUND: the ledger was
 * never of that size (past.h).
 */
TF_MUST_USE enum tf_code tf_view_open_at(struct tf_vault *v,
    const struct tf_asker *who, uint64_t size, struct tf_view **out,
    struct tf_error *err);
void tf_view_close(struct tf_view *w); /* NULL is nothing */
/* TF_ACCESS if the ledger has a file at or below directory id that the asker
 * may not read. */
TF_MUST_USE enum tf_code tf_view_check_whole(struct tf_view *w, uint64_t id,
    struct tf_error *err);
/* The vault that the view is of. */
struct tf_vault *tf_view_vault(const struct tf_view *w);
/* The number of ledger entries in this view. */
uint64_t tf_view_entries(const struct tf_view *w);

/* --- a trail, workflow or attestation --------------------------------- */

/* events.jsonl: the exact bytes of every entry about directory id or a node
 * below it, in ledger order, with a LF after each; for the root, every entry.
 * Entries about nodes that the asker may not read are omitted. */
TF_MUST_USE enum tf_code tf_view_events(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* custody.jsonl: the life of directory id and of what is below it, as lines of
 * canonical JSON in ledger order; trailfs-json(5) defines them. */
TF_MUST_USE enum tf_code tf_view_custody(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* --- an attestation --------------------------------------------------- */

/* attestation.json: who, when, state and evidence, canonical JSON and a LF. */
TF_MUST_USE enum tf_code tf_view_attestation(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* SHA256SUMS: the digests of the sealed evidence, with names relative to the
 * attestation.  Once the attestation is sealed these bytes never change: their
 * digest is evidence.sums of its entry. */
TF_MUST_USE enum tf_code tf_view_sums(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* The exact bytes of the in-toto statement that is signed; its DSSE envelope
 * (attestation.intoto.json); the same as a Sigstore bundle
 * (attestation.sigstore.json).  TF_NOTFOUND until the attestation is sealed. */
TF_MUST_USE enum tf_code tf_view_statement(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_view_intoto(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_view_sigstore(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* evaluation.json: the report of the checks that judged the evidence, whose
 * digest is evaluated.report of the seal.  TF_NOTFOUND if nothing judged it;
 * TF_ACCESS if the asker may not read all of the evidence, which it quotes. */
TF_MUST_USE enum tf_code tf_view_report(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/*
 * replay/PATH.html: the page that replays the recording of a terminal session
 * which evidence id is; trailfs-control(5) says which evidence is one.  href:
 * the relative path from the page to the evidence, NULL for a page in
 * .trailfs/replay.  A page has at most TF_REPLAY_PAGE_MAX bytes.  TF_NOTFOUND if
 * the asker has no such page: it is no recording, it was redacted, or the asker
 * may not read all of its files.  TF_TAMPER if a file is not that of its entry.
 */
#define TF_REPLAY_PAGE_MAX ((uint64_t)32 << 20)
TF_MUST_USE enum tf_code tf_view_replay(struct tf_view *w, uint64_t id,
    const struct tf_str *href, const struct tf_sink *out, struct tf_error *err);
/* The files that the page shows bytes of: *n is 0 if the asker has no page. */
#define TF_REPLAY_PARTS 3
/* Cheap: false if no evidence with this name, the last part of its path, is a
 * recording. */
bool tf_replay_has_name(struct tf_str name);
TF_MUST_USE enum tf_code tf_view_replay_parts(struct tf_view *w, uint64_t id,
    uint64_t parts[TF_REPLAY_PARTS], size_t *n, struct tf_error *err);
/* user-data: the bytes that a claim names, of an attestation, trail or
 * workflow.  TF_NOTFOUND if there are none. */
TF_MUST_USE enum tf_code tf_view_user_data(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* Append override: the last override of a sealed attestation, as canonical JSON
 * with the members compliant and reason, and a LF; nothing if there is none. */
TF_MUST_USE enum tf_code tf_view_override(struct tf_view *w, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

/* --- a workflow, or a trail ------------------------------------------- */

/* status of a workflow: COMPLIANT, NON-COMPLIANT or INCOMPLETE, and a LF. */
TF_MUST_USE enum tf_code tf_view_status_word(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* status.json: canonical JSON and a LF; for a trail, one line per workflow. */
TF_MUST_USE enum tf_code tf_view_status(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* Call fn for each name of a workflow that is missing, sorted by name, until it
 * returns false.  place is that of the name among all names of status.json. */
typedef bool (*tf_missing_fn)(void *arg, uint64_t place, struct tf_str name);
TF_MUST_USE enum tf_code tf_view_missing(struct tf_view *w, uint64_t workflow,
    tf_missing_fn fn, void *arg, struct tf_error *err);
/* status.md of a workflow: the facts of status.json as Markdown. */
TF_MUST_USE enum tf_code tf_view_status_md(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* --- pages ------------------------------------------------------------ */

/* The files that a page may link to. */
enum tf_page_link {
	TF_PAGE_UP,	     /* the page of the directory above */
	TF_PAGE_VAULT,	     /* the page of the root */
	TF_PAGE_BELOW,	     /* of trail or workflow `name` in this directory */
	TF_PAGE_STATUS,	     /* this directory's status.json */
	TF_PAGE_EVENTS,	     /* its events.jsonl */
	TF_PAGE_PACKAGE,     /* its package.zip */
	TF_PAGE_CHECKPOINT,  /* the signed head of the ledger */
	TF_PAGE_KEY,	     /* the public key of the checkpoint */
	TF_PAGE_ATTESTATION, /* attestation.json of attestation `name` */
	TF_PAGE_SUMS,	     /* its SHA256SUMS */
	TF_PAGE_INTOTO,	     /* its attestation.intoto.json */
	TF_PAGE_REPORT,	     /* its evaluation.json */
	TF_PAGE_USER_DATA,   /* its user-data */
	TF_PAGE_SEAL_PROOF,  /* the proof of its seal */
	TF_PAGE_EVIDENCE,    /* its evidence file `path` */
	TF_PAGE_PROOF,	     /* the proof of evidence file `path` */
	TF_PAGE_REPLAY,	     /* the page that replays evidence file `path` */
};

struct tf_page_target {
	enum tf_page_link link;
	enum tf_kind page; /* the kind of directory whose page has the link */
	/* The path from the page's directory to the trail, workflow or
	 * attestation that the link is about. */
	struct tf_str name;
	struct tf_str path; /* below the attestation */
	uint64_t entry;	    /* of TF_PAGE_REPLAY: that sealed the file */
};

/*
 * A caller's rule for the places of the files.  find appends to out the
 * relative path from the page to target, with plain names (the page
 * percent-encodes them), '/' between them and "../" for a step up.  If it
 * returns false, the file does not exist and the page has no link to it.
 */
struct tf_page_links {
	bool (*find)(void *arg, const struct tf_page_target *target,
	    struct tf_buf *out);
	void *arg;
};

/*
 * index.html of the root, a trail or a workflow: one HTML page without external
 * resources, which needs no script and has one that searches its tables.  links
 * NULL: links for a page that lies under .trailfs of its directory.
 */
TF_MUST_USE enum tf_code tf_view_page(struct tf_view *w, uint64_t id,
    const struct tf_page_links *links, const struct tf_sink *out,
    struct tf_error *err);

/*
 * trail-page.html of a trail or a workflow: the facts of index.html on one page
 * without links and scripts, to print on A4 or Letter; each sheet has its number,
 * the checkpoint and the verdict at its foot.
 */
TF_MUST_USE enum tf_code tf_view_trail_page(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* --- text of any length ----------------------------------------------- */

/*
 * A spool stores the text written to its sink, for reads at any offset.  A
 * short text stays in memory; a longer one goes to a file without a name on the
 * store's disk (of a read-only store: below /tmp).  One thread writes; after
 * tf_spool_done any number may read.
 */
struct tf_spool;
TF_MUST_USE enum tf_code tf_spool_new(struct tf_vault *v, struct tf_spool **out,
    struct tf_error *err);
/* End writing.  From now on the spool is only read, and holds no descriptor
 * unless the vault is open read-only. */
void tf_spool_done(struct tf_spool *s);
void tf_spool_free(struct tf_spool *s); /* NULL is nothing */
/* The sink that fills s; valid as long as s. */
const struct tf_sink *tf_spool_sink(struct tf_spool *s);
uint64_t tf_spool_size(const struct tf_spool *s);    /* bytes */
size_t tf_spool_in_memory(const struct tf_spool *s); /* of these bytes */
/* Read up to n bytes at off; *got is less than n only at the end.  Safe from
 * many threads at once. */
TF_MUST_USE enum tf_code tf_spool_read(const struct tf_spool *s, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err);

#endif
