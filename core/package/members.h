/* A package that is being made, and its members. */
#ifndef TF_PACKAGE_MEMBERS_H
#define TF_PACKAGE_MEMBERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../archive/completeness.h"
#include "../archive/description.h"
#include "../archive/health.h"
#include "../archive/select.h"
#include "../archive/texts.h"
#include "../archive/zip_write.h"
#include "../error.h"
#include "../json.h"
#include "scratch.h"

/* Bytes; a shorter file does not shrink. */
#define TF_DEFLATE_MIN 128

struct tf_asker;
struct tf_db;
struct tf_package_names;
struct tf_sha256;
struct tf_vault;
struct tf_view;

struct tf_package_member {
	struct tf_zip_member zip;
	struct tf_hash sha256;
	enum { TF_FROM_TEXTS, TF_FROM_EVENTS, TF_FROM_OBJECT } from;
	uint64_t at;   /* offset in the scratch file, or number of the object */
	uint64_t node; /* of evidence; else 0 */
};

struct tf_package_maker {
	struct tf_vault *v;
	uint64_t done, of; /* bytes of members, for the progress */
	struct tf_view *w;
	struct tf_db *db;	     /* of w */
	struct tf_package_dirs dirs; /* that get pages */
	struct tf_package_place p;
	struct tf_package_facts f;
	struct tf_completeness complete;
	struct tf_health health;
	struct tf_buf note;
	struct tf_package_names *names;
	struct tf_scratch texts, events;
	struct tf_sha256 *events_sha;
	struct tf_buf renamed; /* names.jsonl */
	struct tf_vkey log_key;
	struct tf_buf attester; /* the key in force: SPKI in base64 */
	struct tf_buf top;	/* the topmost directory and '/' */
	struct tf_package_member *m;
	size_t n, cap;
	/* Evidence that can be a recording, by its name. */
	struct tf_package_recording {
		uint64_t node, entry;
		char *data; /* name of its bytes */
	} * recordings;
	size_t n_recordings, cap_recordings;
	struct tf_hash *apart; /* texts that were added, sorted */
	size_t n_apart, cap_apart;
	uint64_t
	    parent; /* the trail or the root, of whose workflows some are here */
	uint64_t sealed; /* attestation of the seal being added, or 0 */
	/* Set for a package that is read through a mount, else NULL. */
	const atomic_bool *stop;    /* true: give up */
	const struct tf_asker *who; /* must have read access to all of it */
	/* The member being written. */
	size_t open;
	int open_fd;
	struct tf_buf open_body;
	struct tf_sha256 *open_sha;
};

/* The parts of the name of a member. */
#define TF_PACKAGE_NAME(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Add a member below the topmost directory; its name is the parts joined.  *out
 * is valid until the next member is added. */
TF_MUST_USE enum tf_code tf_package_new_member(struct tf_package_maker *k,
    const char *const *parts, struct tf_package_member **out,
    struct tf_error *err);

/* Add a member with these bytes, which are copied to the scratch file. */
TF_MUST_USE enum tf_code tf_package_add_text(struct tf_package_maker *k,
    const char *const *parts, const void *p, size_t n, struct tf_error *err);

/* The same with the bytes of b, which is freed, also on failure.  A buffer that
 * failed is TF_NOMEM. */
TF_MUST_USE enum tf_code tf_package_add_buf(struct tf_package_maker *k,
    const char *const *parts, struct tf_buf *b, struct tf_error *err);

/* Add the inclusion proof of entry seq under the checkpoint of the package, as
 * the member where + name + ".tlog-proof".  body is the text of the entry; the
 * proof carries it.  Errors: TF_NOMEM, TF_IO, those of the tiles. */
TF_MUST_USE enum tf_code tf_package_add_proof(struct tf_package_maker *k,
    uint64_t seq, struct tf_str body, const char *where, const char *name,
    struct tf_error *err);

/* Add the manifest of the members below data/, or of all other members.  Sorts
 * the members; the manifest itself comes last until they are sorted again. */
TF_MUST_USE enum tf_code tf_package_add_manifest(struct tf_package_maker *k,
    const char *name, bool payload, struct tf_error *err);

/* Sort the members by name, as the archive has them. */
void tf_package_sort_members(struct tf_package_maker *k);

/* TF_BUSY if the maker must give up. */
TF_MUST_USE enum tf_code tf_package_check_stop(const struct tf_package_maker *k,
    struct tf_error *err);

#endif
