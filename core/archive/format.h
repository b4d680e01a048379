/*
 * Inside of packages: select.c chooses entries, package.c makes files
 * of them, zip_write.c the archive; zip_scan.c and reader.c take
 * one apart.  Only zip_write.c knows libzip, and reader.c zlib.
 */
#ifndef TF_ARCHIVE_FORMAT_H
#define TF_ARCHIVE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/checkpoint.h"

struct tf_db;
struct tf_entry;
struct tf_package_names;
struct tf_package_request;
struct tf_view;

/* Where a package is about. */
struct tf_package_place {
	enum tf_kind kind;
	struct tf_str path, name; /* the whole; its last part */
	struct tf_str base;	  /* names in the package are below it */
	struct tf_str part[3];	  /* trail, workflow, attestation */
	bool has_since, has_until;
	struct tf_time since, until;
};
/* What is asked for, taken apart; p points into r's path.  TF_UNSUPPORTED no
 * such place; TF_USAGE times are wrong. */
TF_MUST_USE enum tf_code tf_package_place(const struct tf_package_request *r,
    struct tf_package_place *p, struct tf_error *err);
/* The rest of path below the base; absent when it is not there. */
struct tf_str tf_package_below(const struct tf_package_place *p,
    struct tf_str path);

/* Call fn for each entry of a package, in order, until it fails. */
typedef enum tf_code (*tf_selected)(void *arg, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err);
TF_MUST_USE enum tf_code tf_package_select(struct tf_db *db, uint64_t size,
    const struct tf_package_place *p, tf_selected fn, void *arg,
    struct tf_error *err);

/* --- what stands in the files ------------------------------------------------ */

/* All that the descriptions of a package say; p's strings are the caller's. */
struct tf_package_facts {
	const struct tf_package_place *p;
	struct tf_checkpoint head;
	struct tf_time last; /* of the last entry in it */
	uint64_t entries, files, bytes;
	unsigned format;
};
void tf_package_bag_info(const struct tf_package_facts *f, struct tf_buf *out);
/* package.json */
TF_MUST_USE enum tf_code tf_package_json(const struct tf_package_facts *f,
    struct tf_buf *out, struct tf_error *err);
/* What package.json asks for, and its format, which is 1 or 2; the strings are
 * kept in text.  TF_NEWER, TF_TAMPER. */
TF_MUST_USE enum tf_code tf_package_json_read(const struct tf_buf *json,
    struct tf_package_request *r, unsigned *format, struct tf_buf *text,
    struct tf_error *err);
extern const char tf_package_bagit[];
extern const char tf_package_readme[], tf_package_script[];
/* A line of names.jsonl: that path stands as stored, onto out. */
TF_MUST_USE enum tf_code tf_package_name_line(struct tf_str path,
    struct tf_str stored, struct tf_buf *out, struct tf_error *err);
/* The envelope of an attestation.sealed entry, from its payload. */
TF_MUST_USE enum tf_code tf_package_envelope(const struct tf_entry *e,
    const struct tf_buf *payload, struct tf_buf *out, struct tf_error *err);

/* Where things stand below the topmost directory. */
#define TF_PACKAGE_BAGIT "bagit.txt"
#define TF_PACKAGE_INFO "bag-info.txt"
#define TF_PACKAGE_MANIFEST "manifest-sha256.txt"
#define TF_PACKAGE_TAGMANIFEST "tagmanifest-sha256.txt"
#define TF_PACKAGE_README "VERIFY.txt"
#define TF_PACKAGE_SCRIPT "verify.sh"
#define TF_PACKAGE_JSON "package.json"
#define TF_PACKAGE_JSON_MAX ((size_t)1 << 16) /* bytes */
#define TF_PACKAGE_CHECKPOINT "checkpoint"
#define TF_PACKAGE_EVENTS "events.jsonl"
#define TF_PACKAGE_NAMES "names.jsonl"
#define TF_PACKAGE_VKEY "keys/log.vkey"
#define TF_PACKAGE_PEM "keys/log.pub.pem"
#define TF_PACKAGE_ATTESTER "keys/attester.pub.pem"
#define TF_PACKAGE_DATA "data/"
#define TF_PACKAGE_ATTESTATIONS "attestations/"
#define TF_PACKAGE_ENVELOPE "/attestation.intoto.json"
#define TF_PACKAGE_FILE_PROOFS "proofs/data/"
#define TF_PACKAGE_EVENT_PROOFS "proofs/events/"
#define TF_PACKAGE_PROOF ".tlog-proof"

/* --- what people read ---------------------------------------------------------- */

#define TF_PACKAGE_WORKFLOWS "workflows/"
#define TF_PACKAGE_PAGE "index.html"
#define TF_PACKAGE_STATUS "status.json"
#define TF_PACKAGE_ATTESTATION "/attestation.json"
#define TF_PACKAGE_SUMS "/SHA256SUMS"

/* A trail, workflow or attestation in the package. */
struct tf_package_dir {
	enum tf_kind kind;
	uint64_t id;
	struct tf_str path;
	bool sealed; /* of an attestation */
};
/* Does entry e begin one that has pages in the package?  Then it is *d, not
 * sealed yet; its path points into e. */
bool tf_package_dir_of(const struct tf_package_place *p,
    const struct tf_entry *e, struct tf_package_dir *d);
/* Does the package lack workflows of its trail, because of their time? */
bool tf_package_is_cut(const struct tf_package_place *p);
/* The files that describe a directory to a reader. */
enum tf_package_text {
	TF_PACKAGE_TEXT_PAGE,
	TF_PACKAGE_TEXT_STATUS,
	TF_PACKAGE_TEXT_ATTESTATION,
	TF_PACKAGE_TEXT_SUMS,
	TF_PACKAGE_TEXT_ENVELOPE,
};
typedef enum tf_code (*tf_package_text_found)(void *arg,
    enum tf_package_text text, const char *name, struct tf_error *err);
/* Call fn with the name of each such file of d; names has all names given. */
TF_MUST_USE enum tf_code tf_package_texts(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_package_dir *d,
    tf_package_text_found fn, void *arg, struct tf_error *err);

/* --- writing those files --------------------------------------------------------- */

typedef enum tf_code (*tf_package_writer)(void *self, const struct tf_sink *out,
    struct tf_error *err);
struct tf_package_pages {
	struct tf_view *w;
	const struct tf_package_place *p;
	struct tf_package_names *names; /* all are given */
	/* Make a file of that name of what write gives. */
	enum tf_code (*text)(void *arg, const char *name,
	    tf_package_writer write, void *self, struct tf_error *err);
	void *arg;
};
/* The files that describe d. */
TF_MUST_USE enum tf_code tf_package_pages_add(struct tf_package_pages *g,
    const struct tf_package_dir *d, struct tf_error *err);

/* --- writing an archive --------------------------------------------------------- */

struct tf_zip_member {
	char *name;
	uint64_t size;
	bool deflate, executable;
};
/* Up to n bytes of member i at off; called in order, one member at a time. */
typedef enum tf_code (*tf_zip_read)(void *arg, size_t i, void *p, size_t n,
    uint64_t off, size_t *got, struct tf_error *err);
/* Members in the order given, to fd.  member(arg, i) lives until the end. */
TF_MUST_USE enum tf_code tf_zip_write(int fd,
    const struct tf_zip_member *(*member)(void *arg, size_t i), size_t n,
    tf_zip_read read, void *arg, struct tf_error *err);

/* --- taking one apart ------------------------------------------------------------- */

/* One member, as local header and central directory agree. */
struct tf_zip_entry {
	const char *name; /* NUL-terminated */
	size_t name_len;
	uint64_t at;	       /* of its bytes in the file */
	uint64_t packed, size; /* bytes there, and unpacked */
	uint32_t crc;
	bool deflate, executable;
};
/*
 * What archives may look like.  Either can be read in one way only: its members
 * follow one another without gap, overlap or rest, headers and directory agree,
 * no name is two.
 */
enum tf_zip_profile {
	TF_ZIP_STRICT, /* as we write them: trailfs-package(5) */
	/* As other programs pack the same files: with times, modes, other
	 * fields, sizes behind the bytes, directories, in any order.  Two names
	 * may still be one, and may have more than one topmost directory. */
	TF_ZIP_ANY
};
/*
 * Call fn for each file of the archive in its order.  TF_OK when all of it is in
 * the profile; until then what fn heard may be wrong.  TF_TAMPER with what is.
 */
typedef enum tf_code (*tf_zip_found)(void *arg, const struct tf_zip_entry *e,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_zip_scan(int fd, enum tf_zip_profile profile,
    tf_zip_found fn, void *arg, struct tf_error *err);

/* A package open for reading: its members by name and number. */
struct tf_archive;
/* Scans it too, and checks that its manifests list all of it and nothing else:
 * TF_TAMPER.  TF_NOTFOUND, TF_ACCESS. */
TF_MUST_USE enum tf_code tf_archive_open(const char *file,
    struct tf_archive **out, struct tf_error *err);
/*
 * The same of a package in another form: unpacked below a directory, or packed
 * again by another program (tf_archive_form).  Then its manifests must be whole,
 * but there may be files that they do not list, and some may not be there.
 */
TF_MUST_USE enum tf_code tf_archive_open_any(const char *path,
    struct tf_archive **out, struct tf_error *err);
void tf_archive_close(struct tf_archive *a);
enum tf_archive_form { TF_ARCHIVE_OURS, TF_ARCHIVE_REPACKED, TF_ARCHIVE_FILES };
/* *why: of a repacked one, where it differs from ours. */
enum tf_archive_form tf_archive_form(const struct tf_archive *a,
    const char **why);
size_t tf_archive_count(const struct tf_archive *a);
/* A member's name below the topmost directory, and what the manifests say. */
struct tf_archive_member {
	const char *name;
	struct tf_hash sha256; /* void for what is not listed */
	uint64_t size;
	/* listed: or tagmanifest-sha256.txt.  missing: only listed.  Of other
	 * forms than ours. */
	bool executable, listed, missing;
	bool plain; /* false: a link, a device: it has no bytes */
};
void tf_archive_member(const struct tf_archive *a, size_t i,
    struct tf_archive_member *out);
/* Of files in a directory: "". */
const char *tf_archive_top(const struct tf_archive *a);
/* Its number by that name; false: there is none. */
bool tf_archive_find(const struct tf_archive *a, const char *name, size_t *i);

/* One thread's way to the bytes. */
struct tf_archive_reader;
TF_MUST_USE enum tf_code tf_archive_reader_new(const struct tf_archive *a,
    struct tf_archive_reader **out, struct tf_error *err);
void tf_archive_reader_free(struct tf_archive_reader *r);
/* All bytes of member i, part by part; stops at the first byte that is more
 * than its size.  Digest of what there was; TF_TAMPER when it cannot be
 * unpacked or has another length. */
typedef enum tf_code (*tf_archive_part)(void *arg, const void *p, size_t n,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_archive_read(struct tf_archive_reader *r, size_t i,
    tf_archive_part fn, void *arg, struct tf_hash *sha256,
    struct tf_error *err);
/* The same into memory, where its digest is that of the manifest and it has at
 * most max bytes: TF_TAMPER otherwise. */
TF_MUST_USE enum tf_code tf_archive_load(struct tf_archive_reader *r, size_t i,
    size_t max, struct tf_buf *out, struct tf_error *err);

#endif
