/*
 * Canonical JSON: the only writer and the only reader.
 *
 * The form is RFC 8785 with further limits: one object or array, no white
 * space; keys are printable ASCII without '"' and '\', sorted by byte and
 * unique; strings are valid UTF-8, escape exactly \" \\ \n \t, and hold no
 * other C0 control, no DEL and no C1 control; numbers are integers within
 * +-(2^53-1); no null, no empty string, object or array; at most 8 levels,
 * counting the outermost as the first.  The writer produces only this form
 * and the reader accepts only this form.
 */
#ifndef TF_JSON_H
#define TF_JSON_H

#include "buffer.h"
#include "error.h"
#include "types.h"

#define TF_JSON_DEPTH 8
#define TF_JSON_MAX ((int64_t)9007199254740991) /* 2^53-1 */

/* A receiver of text that is too long for memory: put is called once per
 * piece, in order, and its error ends the call that produces the text. */
struct tf_sink {
	enum tf_code (*put)(void *arg, const void *p, size_t n,
	    struct tf_error *err);
	void *arg;
};

/* A sink that appends to out.  Its error is TF_NOMEM. */
struct tf_sink tf_buf_sink(struct tf_buf *out);

/*
 * Writer.  Calls nest: open, key, value, close.  The caller passes keys in
 * sorted order.  A key out of order, a string that the form forbids, a wrong
 * nesting or a lack of memory sets failed; tf_json_end reports it.
 */
struct tf_json {
	struct tf_buf *out;
	int depth;
	bool failed;
	bool first[TF_JSON_DEPTH + 1];
	size_t last_key[TF_JSON_DEPTH + 1]; /* offset in out, 0: none */
	size_t last_len[TF_JSON_DEPTH + 1];
	size_t drained; /* leading bytes of out that were drained already */
};

/* Start to append one JSON text to out, which must outlive the writer. */
void tf_json_begin(struct tf_json *j, struct tf_buf *out);
/* TF_INVALID if the text is not complete and canonical; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_json_end(struct tf_json *j, struct tf_error *err);
/*
 * Pass the text written so far to sink and free its memory.  Allowed at any
 * place in the text and after tf_json_end.  The writer then uses out as its
 * own memory: out holds no text afterwards, not even what preceded
 * tf_json_begin.  On failure the sink's text is void.
 */
TF_MUST_USE enum tf_code tf_json_drain(struct tf_json *j,
    const struct tf_sink *sink, struct tf_error *err);
void tf_json_object(struct tf_json *j);
void tf_json_object_end(struct tf_json *j);
void tf_json_array(struct tf_json *j);
void tf_json_array_end(struct tf_json *j);
void tf_json_key(struct tf_json *j, const char *key);
void tf_json_int(struct tf_json *j, int64_t v);
void tf_json_bool(struct tf_json *j, bool v);
/* Only status files may hold null; entries never do. */
void tf_json_null(struct tf_json *j);
void tf_json_str(struct tf_json *j, const char *p, size_t n);
void tf_json_cstr(struct tf_json *j, const char *s);
/* The content of b as a string.  If b has failed, j fails with TF_NOMEM. */
void tf_json_buf(struct tf_json *j, const struct tf_buf *b);
/* Append value unchanged; it must be one canonical JSON value. */
void tf_json_raw(struct tf_json *j, struct tf_str value);
/* Append value unchanged: one JSON value of any form, which the
 * caller has checked.  Only status files may hold it; entries never do. */
void tf_json_any(struct tf_json *j, struct tf_str value);

/*
 * Reader: one pass over the whole text, into a flat array of tokens in text
 * order.  Token 0 is the outermost value.
 */
enum tf_json_type {
	TF_JSON_OBJECT,
	TF_JSON_ARRAY,
	TF_JSON_STRING,
	TF_JSON_INT,
	TF_JSON_BOOL,
	/* tf_json_parse_status only: */
	TF_JSON_NULL,
	TF_JSON_DECIMAL, /* a number with a fraction; num is its integer */
	TF_JSON_ANY,	 /* a value of any form: see json_any.h */
};

struct tf_json_token {
	enum tf_json_type type;
	uint32_t off, len; /* bytes of the value's text, quotes included */
	uint32_t next;	   /* index of the first token after this value */
	uint32_t key_off, key_len; /* the member's key; 0 outside an object */
	int64_t num;		   /* the integer; a boolean as 0 or 1 */
};

struct tf_json_doc {
	const char *text;	   /* the caller's, must outlive the doc */
	struct tf_json_token *tok; /* owned; see tf_json_doc_free */
	uint32_t n;
};

/*
 * Parse n bytes at text.  On TF_OK free d with tf_json_doc_free.  On failure d
 * holds nothing: TF_INVALID, with the reason in err, if the text is not
 * canonical; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_json_parse(struct tf_json_doc *d, const char *text,
    size_t n, struct tf_error *err);
/* The same for status.json and attestation.json, where a value may be null, a
 * number may have a fraction, and the members user_data and attestation_data of
 * the outermost object may have any form: only their ends are found. */
TF_MUST_USE enum tf_code tf_json_parse_status(struct tf_json_doc *d,
    const char *text, size_t n, struct tf_error *err);
void tf_json_doc_free(struct tf_json_doc *d);
/* The token of member key in the object at token obj, or -1. */
int tf_json_get(const struct tf_json_doc *d, int obj, const char *key);
/* The raw text of token t, quotes and escapes included. */
struct tf_str tf_json_text(const struct tf_json_doc *d, int t);
/*
 * Replace the content of out by the unescaped string of token t.  A NUL
 * follows that out->n does not count.  TF_INVALID if t is not a string.
 */
TF_MUST_USE enum tf_code tf_json_string(const struct tf_json_doc *d, int t,
    struct tf_buf *out, struct tf_error *err);

#endif
