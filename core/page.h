/*
 * What people and tools read of a directory: the files that .trailfs shows,
 * and that a package holds too.  trailfs(8) lists them, trailfs-format(5) has
 * their fields.
 *
 * All that one view writes is about the same state of the ledger, and the same
 * state gives the same bytes.  Nothing is built in memory as a whole: it goes
 * to a sink, piece by piece; when a call fails, what the sink has is void.  A
 * view belongs to one thread at a time.
 * Errors: those of vault.h, what the sink returns, and TF_NOTFOUND where the
 * directory has no such file (yet).
 */
#ifndef TF_PAGE_H
#define TF_PAGE_H

#include "asker.h"
#include "vault.h"

struct tf_view;

/*
 * The ledger as it is now; close it soon, it holds back the database's log.
 * What is made from it does not show who what he may not read; NULL: all is
 * shown.  His groups stay the caller's and must outlive the view.
 */
TF_MUST_USE enum tf_code tf_view_open(struct tf_vault *v,
    const struct tf_asker *who, struct tf_view **out, struct tf_error *err);
void tf_view_close(struct tf_view *w); /* NULL is nothing */
/* TF_ACCESS when there is anything in the ledger at or below directory id that
 * the asker may not read. */
TF_MUST_USE enum tf_code tf_view_check_whole(struct tf_view *w, uint64_t id,
    struct tf_error *err);
/* How many entries the ledger has in this view. */
uint64_t tf_view_entries(const struct tf_view *w);

/* --- a trail, workflow or attestation --------------------------------- */

/* events.jsonl: the exact bytes of each entry about the directory id or
 * something below it, in order, a LF after each; of the root: of each entry.
 * Lines about what the asker may not read are left out. */
TF_MUST_USE enum tf_code tf_view_events(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* --- an attestation --------------------------------------------------- */

/* attestation.json: who, when, state and evidence, canonical JSON and a LF. */
TF_MUST_USE enum tf_code tf_view_attestation(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* SHA256SUMS: its sealed evidence, names relative to it; of a sealed one the
 * bytes that evidence.sums of its entry digests. */
TF_MUST_USE enum tf_code tf_view_sums(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* The exact bytes of the signed statement; attestation.intoto.json, the DSSE
 * envelope of it; attestation.sigstore.json, the same as a Sigstore bundle.
 * TF_NOTFOUND until the attestation is sealed. */
TF_MUST_USE enum tf_code tf_view_statement(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_view_intoto(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_view_sigstore(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* --- a workflow, or a trail ------------------------------------------- */

/* status: COMPLIANT, NON-COMPLIANT or INCOMPLETE, and a LF.  A workflow. */
TF_MUST_USE enum tf_code tf_view_status_word(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* status.json: canonical JSON and a LF; of a trail a line for each workflow. */
TF_MUST_USE enum tf_code tf_view_status(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);
/* status.md: the same as a page of Markdown.  A workflow. */
TF_MUST_USE enum tf_code tf_view_status_md(struct tf_view *w, uint64_t id,
    const struct tf_sink *out, struct tf_error *err);

/* --- pages ------------------------------------------------------------ */

/* What a page may lead to. */
enum tf_page_link {
	TF_PAGE_UP,	     /* the page of the directory above */
	TF_PAGE_VAULT,	     /* the page of the root */
	TF_PAGE_BELOW,	     /* of trail or workflow `name` in this directory */
	TF_PAGE_STATUS,	     /* this directory's status.json */
	TF_PAGE_EVENTS,	     /* its events.jsonl */
	TF_PAGE_PACKAGE,     /* its package.zip */
	TF_PAGE_CHECKPOINT,  /* the signed head of the ledger */
	TF_PAGE_KEY,	     /* the key that it is signed with */
	TF_PAGE_ATTESTATION, /* attestation.json of attestation `name` */
	TF_PAGE_SUMS,	     /* its SHA256SUMS */
	TF_PAGE_INTOTO,	     /* its attestation.intoto.json */
	TF_PAGE_SEAL_PROOF,  /* the proof of its seal */
	TF_PAGE_EVIDENCE,    /* its evidence file `path` */
	TF_PAGE_PROOF,	     /* the proof of that */
};

struct tf_page_target {
	enum tf_page_link link;
	enum tf_kind page; /* which page asks */
	/* Of the child, as its directory is called; of one further below, the
	 * path from the page's directory. */
	struct tf_str name;
	struct tf_str path; /* below the attestation */
};

/*
 * Append where target is, as a relative path from the page, to out: names as
 * they are, '/' between, "../" for upwards (the page percent-encodes).  False:
 * there is no such file, so there is no link.
 */
struct tf_page_links {
	bool (*find)(void *arg, const struct tf_page_target *target,
	    struct tf_buf *out);
	void *arg;
};

/*
 * index.html of the root, a trail or a workflow: one HTML page without
 * scripts or outside resources.  links NULL: as the page stands under .trailfs
 * of its directory.
 */
TF_MUST_USE enum tf_code tf_view_page(struct tf_view *w, uint64_t id,
    const struct tf_page_links *links, const struct tf_sink *out,
    struct tf_error *err);

/* --- text of any length ----------------------------------------------- */

/*
 * What a sink was given, to be read from any place: in memory while it is
 * short, then in a file without a name on the store's disk (of a read-only
 * store: below /tmp).
 */
struct tf_spool;
TF_MUST_USE enum tf_code tf_spool_new(struct tf_vault *v, struct tf_spool **out,
    struct tf_error *err);
/* All was written: from now on it is only read, and holds no descriptor unless
 * the vault is open for reading only. */
void tf_spool_done(struct tf_spool *s);
void tf_spool_free(struct tf_spool *s); /* NULL is nothing */
/* Where to put it; lives as long as s. */
const struct tf_sink *tf_spool_sink(struct tf_spool *s);
uint64_t tf_spool_size(const struct tf_spool *s);    /* bytes */
size_t tf_spool_in_memory(const struct tf_spool *s); /* of these */
/* *got is less than n only at the end.  Safe from many threads at once. */
TF_MUST_USE enum tf_code tf_spool_read(const struct tf_spool *s, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err);

#endif
