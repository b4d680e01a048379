/* Evidence that trailctl records: the files that arguments name, and the list
 * of what was recorded, with digests. */
#ifndef TRAILCTL_EVIDENCE_H
#define TRAILCTL_EVIDENCE_H

#include <sys/types.h>

#include "core/json.h"

/* A file to read. */
struct source {
	char *name;  /* below the attestation */
	char *path;  /* of the file */
	bool nested; /* found in a directory: no link is followed */
	bool input;  /* it is standard input, which can be read once */
	mode_t mode;
};

/* In the order of the names as bytes, each once. */
struct sources {
	struct source *v;
	size_t n, cap;
};

/*
 * Find the regular files of the arguments.  A file has its own name, and the
 * files of a directory have their paths below it.  A link is followed only if
 * it is an argument.  The caller calls sources_free() in any case.
 * Errors: TF_USAGE something is neither a file nor a directory, or two files
 * have one name; TF_NOTFOUND, TF_ACCESS.
 */
TF_MUST_USE enum tf_code sources_find(int n, char **arg, struct sources *out,
    struct tf_error *err);
/*
 * Add standard input, as the file `name` below the attestation. out has what
 * sources_find() found. TF_USAGE: a file has that name, or it is no path below
 * an attestation.
 */
TF_MUST_USE enum tf_code sources_add_input(struct sources *out,
    const char *name, struct tf_error *err);
void sources_free(struct sources *s);

/* A recorded file. */
struct evidence_file {
	char *name;
	uint64_t size; /* bytes */
	struct tf_hash sha256;
};

struct evidence {
	struct evidence_file *v;
	size_t n, cap;
};

/*
 * Pass the bytes of a source to sink (NULL: nowhere) and add its name, size and
 * digest to out. On failure sink may have a part.
 * Of standard input any kind of file is read, to its end.
 * TF_USAGE: it is no regular file any more. TF_INTERRUPTED: a signal waits.
 * Other errors: those of reading and of sink.
 */
TF_MUST_USE enum tf_code evidence_read(const struct source *s,
    const struct tf_sink *sink, struct evidence *out, struct tf_error *err);
/* Add a file of n bytes, whose digest is made here. */
TF_MUST_USE enum tf_code evidence_add(struct evidence *e, const char *name,
    const void *p, size_t n, struct tf_error *err);
void evidence_free(struct evidence *e);

/* Sort the files by name, and append the text that SHA256SUMS of the
 * attestation has to out: the format of sha256sum(1). Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code evidence_sums(struct evidence *e, struct tf_buf *out,
    struct tf_error *err);

#endif
