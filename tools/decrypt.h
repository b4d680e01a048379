/* Decrypting age files, for the verbs that have --identity and --passphrase. */
#ifndef TRAILCTL_DECRYPT_H
#define TRAILCTL_DECRYPT_H

#include <stdbool.h>

#include "args.h"
#include "core/age.h"

/* The two options: `struct args_list` and `bool`. */
#define ARGS_IDENTITY(to)                                                      \
	{                                                                      \
		.name = "identity", .letter = 'i', .value = "FILE",            \
		.help = "decrypt with the age identities in FILE", .list = to, \
	}
#define ARGS_PASSPHRASE(to)                                            \
	{                                                              \
		.name = "passphrase",                                  \
		.help = "decrypt with a passphrase, asked for on the " \
			"terminal",                                    \
		.flag = to,                                            \
	}

/*
 * Read the files of identities, and ask for the passphrase if asked to.  On
 * TF_OK the caller frees *out with tf_identities_free.
 * Errors: TF_USAGE the options name none; those of tf_identities_add, with the
 * name of the file; those of passphrase_ask.
 */
TF_MUST_USE enum tf_code decrypt_identities(const struct args_list *files,
    bool passphrase, struct tf_identities **out, struct tf_error *err);

/*
 * Decrypt what get gives, and write it to the open file `to`, as it comes.
 * Every byte that is written is authentic; on failure they are not all.  Both
 * names are for messages.
 * Errors: those of tf_age_reader_new and tf_age_reader_next, with name; those of
 * files_put.
 */
TF_MUST_USE enum tf_code decrypt_to(const struct tf_identities *ids,
    tf_age_get *get, void *arg, const char *name, int to, const char *to_name,
    struct tf_error *err);

/* Is the file at path encrypted with age?  No if it cannot be read. */
bool decrypt_is_age(const char *path);

#endif
