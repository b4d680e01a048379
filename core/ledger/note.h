/*
 * C2SP signed-note (v1.0.0): a text, an empty line, and signature lines; and
 * the keys ("vkeys") whose signatures stand there.  checkpoint.h and cosign.h
 * say what each kind of key signs.  All functions are pure and safe from many
 * threads at once.
 */
#ifndef TF_LEDGER_NOTE_H
#define TF_LEDGER_NOTE_H

#include "../base/crypto.h"
#include "../buffer.h"

#define TF_ORIGIN_MAX 128
#define TF_NOTE_MAX 65536     /* bytes accepted */
#define TF_NOTE_LINES_MAX 100 /* signature lines accepted */

/* The kinds of keys, with the number that stands in the key. */
enum tf_vkey_type {
	TF_VKEY_LOG = 0x01,	 /* Ed25519 over the text */
	TF_VKEY_COSIGNER = 0x04, /* Ed25519 over a time and the text */
};

struct tf_vkey {
	enum tf_vkey_type type;
	char name[TF_ORIGIN_MAX + 1];
	uint8_t id[4];
	struct tf_pubkey pub;
};

/* Fill k: type, name, public key and the key ID that follows from them. */
void tf_vkey_make(struct tf_vkey *k, const char *name,
    const struct tf_pubkey *pub);
void tf_cosign_vkey_make(struct tf_vkey *k, const char *name,
    const struct tf_pubkey *pub);
/* Append the text of k to out: NAME+HEXID+base64(type || key), no line end. */
void tf_vkey_text(const struct tf_vkey *k, struct tf_buf *out);
/*
 * Parse one vkey without a line end: that of a log, or that of a cosigner.
 * TF_INVALID: the form is wrong, the ID does not fit name and key, or the key
 * is not of that type.
 */
TF_MUST_USE enum tf_code tf_vkey_parse(const char *s, size_t n,
    struct tf_vkey *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_cosign_vkey_parse(const char *s, size_t n,
    struct tf_vkey *out, struct tf_error *err);

/* The parts of a note; the memory is that of the note. */
struct tf_note {
	struct tf_str body;  /* ends in LF, without the empty line */
	struct tf_str lines; /* each with its LF */
};

/*
 * Split a note at its last empty line and check the form of all of it.  False:
 * the note is longer than TF_NOTE_MAX, not UTF-8, has a control character, no
 * empty line, no text before it, or no signature line.  With *out->lines filled
 * the text is well-formed and a signature line is not.
 */
bool tf_note_split(const char *note, size_t n, struct tf_note *out);
/* True if lines are one or more signature lines, TF_NOTE_LINES_MAX at most. */
bool tf_note_lines_ok(struct tf_str lines);

/* One signature line without its LF. */
struct tf_note_line {
	struct tf_str whole, name;
	struct tf_str b64; /* of key ID and signature */
};

/* Take the next line of rest.  False when there is none, or it is malformed. */
bool tf_note_next(struct tf_str *rest, struct tf_note_line *out);
/* True if the line has name and ID of k; IDs alone can be made to collide. */
bool tf_note_by(const struct tf_note_line *line, const struct tf_vkey *k);
/* Append the signature line of k: n bytes of signature behind its ID. */
void tf_note_add_line(struct tf_buf *out, const struct tf_vkey *k,
    const uint8_t *sig, size_t n);

/* Check one line of k over body: TF_OK, TF_TAMPER or TF_NOMEM. */
typedef enum tf_code (*tf_note_verifier)(void *arg, struct tf_str body,
    const struct tf_note_line *line, const struct tf_vkey *k);
/*
 * Check every line of k in a split note.
 *   TF_OK        there is one, and all of them are right
 *   TF_TAMPER    one is wrong
 *   TF_NOTFOUND  there is none
 *   TF_NOMEM     one could not be checked, and none is wrong
 */
TF_MUST_USE enum tf_code tf_note_verify(const struct tf_note *note,
    const struct tf_vkey *k, tf_note_verifier verify, void *arg);

/* Take the next line of rest without its LF; false when no LF is left. */
bool tf_note_take(struct tf_str *rest, struct tf_str *line);

#endif
