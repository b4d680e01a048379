/* The members of a ZIP archive, as all readers see them or not at all. */
#ifndef TF_ARCHIVE_ZIP_SCAN_H
#define TF_ARCHIVE_ZIP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

/* One member, as local header and central directory agree. */
struct tf_zip_entry {
	const char *name; /* NUL-terminated */
	size_t name_len;
	uint64_t at;	       /* of its bytes in the file */
	uint64_t packed, size; /* bytes there, and unpacked */
	uint32_t crc;
	bool deflate, executable;
};

/* --- taking one apart ------------------------------------------------------------- */
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

#endif
