/*
 * Flip one bit anywhere in a store: either the verifier finds it, or the store
 * shows the same as before.  Flip one bit of a package: the verifier finds it.
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

/* The files that are flushed but not sealed, and their bytes. */
#define FLUSHED "t/w/open/flushed"
#define FLUSHED_LONG "t/w/open/long"
#define FLUSHED_LONG_SIZE 70000
#define FLUSHED_BYTES "acknowledged, and then came the crash\n"

/* --- store.c: a small store with something of everything --- */
/* Make the store at path and append its key to vkey. */
void make_store(const char *path, struct tf_buf *vkey);
/* Create a directory, or a flushed file with these bytes, in an open vault.
 * The caller releases or abandons the file. */
uint64_t make_dir(struct tf_vault *v, uint64_t up, const char *name);
struct tf_file *make_file(struct tf_vault *v, uint64_t dir, const char *name,
    const char *bytes, size_t n);
/*
 * Append to out all that the store at path shows to a reader: entries,
 * checkpoint, key, tiles, names, attributes, contents, and the error of each
 * part that cannot be read.  False: the store cannot be opened.
 */
bool show_store(const char *path, struct tf_buf *out);
/*
 * Open the store at path for writing, which recovers it, and close it.  False:
 * it was refused.  *wrong becomes true if FLUSHED then holds other bytes;
 * recovery may only move such bytes to a draft.
 */
bool write_store(const char *path, bool *wrong);
/* Copy the log of the store at path to dir, as trailctl export-log does. */
TF_MUST_USE enum tf_code export_log(const char *path, const char *dir,
    uint64_t *tiles, struct tf_error *err);

/* --- package.c --- */
/*
 * Make a package of the store in the directory dir and flip bits of it, as many as
 * count says (package.c).  Adds their number to *flips, and the number of those that
 * verify did not notice to *bad.
 */
void flip_package(const char *store, const char *dir, const char *vkey,
    const char *count, unsigned *flips, unsigned *bad);

/* --- main.c --- */
/* The next number of a sequence that the variable SEED begins. */
uint64_t any_number(void);

/* --- pages.c: the purpose of each byte of an SQLite file --- */
struct pages;
struct pages *pages_of(const char *path, const uint8_t *file, size_t n);
void pages_free(struct pages *p);
/* "row of entry", "unallocated space", "header: change counter". */
const char *pages_what(const struct pages *p, size_t off);

#endif
