/*
 * One flipped bit anywhere in a store: the verifier finds it, or nothing that
 * the store shows has changed.
 */
#ifndef TESTS_BITFLIP_H
#define TESTS_BITFLIP_H

#include <stdio.h>
#include <stdlib.h>

#include "../../core/vault.h"

#define MUST(cond)                                                       \
	do {                                                             \
		if (!(cond)) {                                           \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #cond);                            \
			exit(EXIT_FAILURE);                              \
		}                                                        \
	} while (0)

/* The files that were flushed and not sealed, and what they hold. */
#define FLUSHED "t/w/open/flushed"
#define FLUSHED_LONG "t/w/open/long"
#define FLUSHED_LONG_SIZE 70000
#define FLUSHED_BYTES "acknowledged, and then came the crash\n"

/* --- store.c: a small store with something of everything --- */
/* Make it at path; its key onto vkey. */
void make_store(const char *path, struct tf_buf *vkey);
/* In an open vault: a directory, and a file with these bytes, flushed, which the
 * caller releases or abandons. */
uint64_t make_dir(struct tf_vault *v, uint64_t up, const char *name);
struct tf_file *make_file(struct tf_vault *v, uint64_t dir, const char *name,
    const char *bytes, size_t n);
/*
 * All that a reader of the store at path is shown: entries, checkpoint, key,
 * tiles, names, attributes, contents.  False when it cannot be opened; what
 * cannot be read is said in out.
 */
bool show_store(const char *path, struct tf_buf *out);
/*
 * Open path for writing, let it recover, close it.  False: refused.  *wrong: it
 * took other bytes for FLUSHED, which may become a draft but nothing else.
 */
bool write_store(const char *path, bool *wrong);
/* Copy the log of the store at path to dir, as trailctl export-log does. */
TF_MUST_USE enum tf_code export_log(const char *path, const char *dir,
    uint64_t *tiles, struct tf_error *err);

/* --- pages.c: what a byte of an SQLite file is for --- */
struct pages;
struct pages *pages_of(const char *path, const uint8_t *file, size_t n);
void pages_free(struct pages *p);
/* "row of entry", "unallocated space", "header: change counter". */
const char *pages_what(const struct pages *p, size_t off);

#endif
