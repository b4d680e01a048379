/*
 * The forms of the values in entries: one table with the rules that
 * trailfs-entries(5) states, checked on parsed JSON.  Used by entry_read.c and its
 * tests.  All functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_FIELDS_H
#define TF_LEDGER_FIELDS_H

#include "../json.h"

/* Names in tables of rules; the numbers are stored nowhere. */
enum tf_form {
	TF_FORM_UINT,	  /* 0 .. 2^53-1 */
	TF_FORM_POSITIVE, /* 1 .. 2^53-1 */
	TF_FORM_NODE,	  /* 2 .. 2^53-1 */
	TF_FORM_ID,	  /* uid, gid: 0 .. 4294967294 */
	TF_FORM_PID,
	TF_FORM_MIB, /* 0 .. 2^20 */
	TF_FORM_BOOL,
	TF_FORM_TIME,
	TF_FORM_DIGEST,
	TF_FORM_SIGNATURE, /* base64 of 64 bytes */
	TF_FORM_BASE64,
	TF_FORM_MODE, /* "0640" */
	TF_FORM_WORD, /* a word of a list that later versions may extend */
	TF_FORM_TYPE,
	TF_FORM_ORIGIN,
	TF_FORM_PATH,
	TF_FORM_NAME,  /* of evidence */
	TF_FORM_BOOT,  /* UUID */
	TF_FORM_STORE, /* 32 hex digits */
	TF_FORM_VKEY,
	TF_FORM_SPKI,
	TF_FORM_KEY,   /* text of a key; later versions may add uses */
	TF_FORM_KEYID, /* "SHA256:" and 43 characters */
	TF_FORM_ANCHOR_NAME,
	TF_FORM_HOLD,
	TF_FORM_HOME,
	TF_FORM_HOST_CLOCK,
	TF_FORM_PERIOD,
	TF_FORM_CHUNKS,
	TF_FORM_CHUNK_DIGESTS,
	TF_FORM_CLAIM_TYPE,
	TF_FORM_CONTROL,
	TF_FORM_DEFINITION_NAME,
	TF_FORM_NOTE, /* a whole checkpoint */
	TF_FORM_HINT48,
	TF_FORM_HINT256,
	TF_FORM_HINT512,
	TF_FORM_VERSION, /* of software: 64 bytes */
	TF_FORM_TEXT256, /* each text may be withheld instead */
	TF_FORM_TEXT512,
	TF_FORM_TEXT1024,
	TF_FORM_TEXT2048,
	TF_FORM_UIDS, /* 1..32 uids in rising order */
	TF_FORM_ACCESS,
	TF_FORM_ACTOR,
	TF_FORM_ACTOR_HINTS,
	TF_FORM_BATCH,
	TF_FORM_CONTENT,
	TF_FORM_IMPORTED,
	TF_FORM_KEYS,
	TF_FORM_SOFTWARE,
	TF_FORM_OPTIONS,
	TF_FORM_PREVIOUS,
	TF_FORM_XATTRS,
	TF_FORM_EVIDENCE,
	TF_FORM_STATEMENT,
	TF_FORM_CLAIMS,
	TF_FORM_ANNOTATIONS,
	TF_FORM_URLS,
	TF_FORM_URL,
	TF_FORM_USER_DATA,
	TF_FORM_EVALUATED,
	TF_FORM_EVALUATED_BY,
	TF_FORM_COUNTS,
	TF_FORM_CHILDREN,
	TF_FORM_TEMPLATE,
	TF_FORM_DEFINITION,
	TF_FORM_RETENTION,
	TF_FORM_RULE,
	TF_FORM_READS,
	TF_FORM_TREE,
	TF_FORM_SOURCE,
	TF_FORM_VERIFY_RUN,
	TF_FORM_ENCRYPTION,
	TF_FORMS
};

/* True if the value at token t has this form. */
bool tf_form_ok(const struct tf_json_doc *d, int t, enum tf_form form);

/* True if the value at token t is {"withheld":DIGEST}. */
bool tf_form_withheld(const struct tf_json_doc *d, int t);

/*
 * Call fn with the token of each text in the value at token t, in the order of
 * the bytes, until it fails.  t has this form; max is the limit of the text in
 * bytes between the quotes.
 */
typedef enum tf_code (*tf_form_text_fn)(void *arg, const struct tf_json_doc *d,
    int t, size_t max, struct tf_error *err);
TF_MUST_USE enum tf_code tf_form_texts(const struct tf_json_doc *d, int t,
    enum tf_form form, tf_form_text_fn fn, void *arg, struct tf_error *err);

#endif
