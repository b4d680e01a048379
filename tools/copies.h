/*
 * The copies of an organisation that an argument names: a directory of copies, or
 * the organisation itself by its URI.  Then its copies in a cache are brought up to
 * date first, so that no verb shows an old state as the one of now.
 */
#ifndef TRAILCTL_COPIES_H
#define TRAILCTL_COPIES_H

#include "core/error.h"
#include "core/json.h"
#include "keyring.h"

struct copies_wish {
	const char *origin; /* this one only; or NULL */
	/* Of a URI: that of the blobs, or NULL if it names both; the directory of
	 * the copies, or NULL for $XDG_CACHE_HOME/trailfs/DIGEST. */
	const char *blobs, *cache;
	bool names; /* evidence that is not there yet is not needed */
	bool quiet; /* no progress */
	/* That of the organisation may be in it; or NULL. */
	const struct keyring *keys;
};

/* The options that fill it. */
#define COPIES_OPTIONS(w)                                                 \
	{ .name = "blobs",                                                \
		.value = "URI",                                           \
		.help = "of an organisation whose URI is a ledger alone", \
		.text = &(w).blobs },                                     \
	    { .name = "cache",                                            \
		    .value = "DIRECTORY",                                 \
		    .help = "where copies of an organisation are kept",   \
		    .text = &(w).cache },                                 \
	{                                                                 \
		.name = "origin", .value = "NAME",                        \
		.help = "of an organisation: this origin only",           \
		.text = &(w).origin                                       \
	}

struct copies {
	char *dir;
	bool fetched; /* from the organisation, now */
	struct copies_one {
		char *origin; /* in the order of these */
		char *vkey;   /* "" if it cannot be read */
		/* Of the copy, in dir and with dir; NULL: it has none. */
		char *name, *path;
		struct tf_error why; /* TF_OK, or what did not fit now */
		uint64_t waiting;    /* entries without a checkpoint */
		uint64_t covered;    /* that the organisation has signed */
	} * v;
	size_t n, cap;
	/* What the organisation has signed, if all of it was fetched. */
	struct copies_order {
		char *origin; /* NULL: not known */
		char *vkey;   /* that signed; "": none has */
		bool given;   /* the caller vouches for the key */
		uint64_t size, entries;
		struct tf_error why; /* TF_OK, or what did not fit */
	} order;
};

/* Does arg name copies: a URI, or a directory of copies? */
bool copies_named(const char *arg);

/*
 * Find, and fetch if it is a URI, the copies that arg names; w->origin: that one
 * alone.  What did not fit is in the copies, and was printed.  The caller frees *out
 * in any case.
 * Errors: TF_NOTFOUND there is no such origin, or no copy; TF_USAGE the blobs are not
 * named; those of tf_fetch, with which nothing is known of the organisation.
 */
TF_MUST_USE enum tf_code copies_open(struct copies *out, const char *arg,
    const struct copies_wish *w, struct tf_error *err);
void copies_free(struct copies *c);
/* Add one store, as a list of its own with dir NULL; out begins as {0}. */
struct tf_copy;
TF_MUST_USE enum tf_code copies_single(struct copies *out,
    const struct tf_copy *one, struct tf_error *err);

/* The exit status for what did not fit. */
int copies_status(const struct copies *c);

/* Say on standard error what is wrong with an origin, whose name comes from the
 * ledger.  Returns the exit status. */
int copies_problem(const char *origin, const struct tf_error *why);

/* None of the options of a wish goes with something else.  TF_USAGE. */
TF_MUST_USE enum tf_code copies_unwanted(const struct copies_wish *w,
    const char *arg, struct tf_error *err);

#endif
