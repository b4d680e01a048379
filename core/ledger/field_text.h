/*
 * The strings that fields of entries may have.  All functions are pure and safe
 * from many threads at once.
 */
#ifndef TF_LEDGER_FIELD_TEXT_H
#define TF_LEDGER_FIELD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True if the n bytes between the quotes of a canonical string have the form.
 * software, annotation and label are keys of objects.  trailfs-entries(5) states
 * the forms; the table of fields.c has the limits of length that are not part
 * of a form.  s need not end with a NUL.
 */
bool tf_text_anchor_name_ok(const char *s, size_t n);
bool tf_text_annotation_ok(const char *s, size_t n);
bool tf_text_base64_ok(const char *s, size_t n);
bool tf_text_boot_ok(const char *s, size_t n);
bool tf_text_claim_type_ok(const char *s, size_t n);
bool tf_text_definition_ok(const char *s, size_t n);
bool tf_text_digest_ok(const char *s, size_t n);
bool tf_text_digests_ok(const char *s, size_t n);
bool tf_text_hint_ok(const char *s, size_t n);
bool tf_text_hold_ok(const char *s, size_t n);
bool tf_text_period_ok(const char *s, size_t n);
bool tf_text_keyid_ok(const char *s, size_t n);
bool tf_text_label_ok(const char *s, size_t n);
bool tf_text_mode_ok(const char *s, size_t n);
bool tf_text_name_ok(const char *s, size_t n);
bool tf_text_note_ok(const char *s, size_t n);
bool tf_text_path_ok(const char *s, size_t n);
bool tf_text_signature_ok(const char *s, size_t n);
bool tf_text_software_ok(const char *s, size_t n);
bool tf_text_spki_ok(const char *s, size_t n);
bool tf_text_store_ok(const char *s, size_t n);
bool tf_text_time_ok(const char *s, size_t n);
bool tf_text_type_ok(const char *s, size_t n);
bool tf_text_vkey_ok(const char *s, size_t n);
bool tf_text_word_ok(const char *s, size_t n);

/*
 * Unescape the n bytes between the quotes of a canonical string into out.
 * Returns the number of bytes written, or -1 when the result is longer than
 * max bytes.
 */
long tf_text_unescape(const char *s, size_t n, char *out, size_t max);

/*
 * Count the names in path; 0 for ".".  -1 when a name is not legal at its level
 * (see name.h) or the part below an attestation is over TF_PATH_BELOW_MAX.
 */
int tf_path_depth(const char *path, size_t n);

#endif
