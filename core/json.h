/*
 * JSON, canonical: the one writer and the one reader.
 *
 * Canonical is RFC 8785 further restricted: one object or array, no white
 * space, keys in printable ASCII without '"' and '\', sorted by byte and never
 * twice; strings escape exactly \" \\ \n \t, hold no other C0, no DEL, no C1,
 * and are valid UTF-8; numbers are integers within +-(2^53-1); no null, no
 * empty string, object or array; at most 8 levels, the outermost being the
 * first.  The writer makes nothing else, the reader accepts nothing else.
 */
#ifndef TF_JSON_H
#define TF_JSON_H

#include "error.h"
#include "types.h"

#define TF_JSON_DEPTH 8
#define TF_JSON_MAX ((int64_t)9007199254740991) /* 2^53-1 */

/* A growing run of bytes.  {0} is empty and valid; see tf_buf_free. */
struct tf_buf {
	char *p;
	size_t n, cap;
	bool failed; /* an append ran out of memory; the rest is void */
};

void tf_buf_free(struct tf_buf *b);
void tf_buf_add(struct tf_buf *b, const void *p, size_t n);
void tf_buf_str(struct tf_buf *b, const char *s);
void tf_buf_printf(struct tf_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * The end of filling b: TF_OK, or TF_NOMEM when an append failed.  Every
 * function that fills a buffer of its caller and returns a code ends with it, so
 * that a caller who looks at the code need not look at the buffer.
 */
TF_MUST_USE enum tf_code tf_buf_end(const struct tf_buf *b,
    struct tf_error *err);

/* Where text that is too long for memory goes, piece by piece. */
struct tf_sink {
	enum tf_code (*put)(void *arg, const void *p, size_t n,
	    struct tf_error *err);
	void *arg;
};

/*
 * Writer.  Calls nest: open, key, value, close.  The caller gives keys in
 * sorted order; a key out of order, a bad string or a wrong nesting sets
 * failed, as does want of memory, and tf_json_end reports it.
 */
struct tf_json {
	struct tf_buf *out;
	int depth;
	bool failed;
	bool first[TF_JSON_DEPTH + 1];
	size_t last_key[TF_JSON_DEPTH + 1]; /* offset in out, 0: none */
	size_t last_len[TF_JSON_DEPTH + 1];
	size_t drained; /* bytes at the front of out that are not the text's */
};

void tf_json_begin(struct tf_json *j, struct tf_buf *out);
TF_MUST_USE enum tf_code tf_json_end(struct tf_json *j, struct tf_error *err);
/*
 * Give what was written so far to a sink and let go of it, at any place of a
 * text, and after tf_json_end.  out is the writer's alone from tf_json_begin on
 * and holds no text afterwards.
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
/* Only status files hold it; entries never do. */
void tf_json_null(struct tf_json *j);
void tf_json_str(struct tf_json *j, const char *p, size_t n);
void tf_json_cstr(struct tf_json *j, const char *s);
/* The text of a buffer; when that failed, so does j, for want of memory. */
void tf_json_buf(struct tf_json *j, const struct tf_buf *b);
/* Bytes that already are one canonical value. */
void tf_json_raw(struct tf_json *j, struct tf_str value);

/*
 * Reader: one pass over the whole text into a flat array of tokens, in text
 * order; token 0 is the outermost value.
 */
enum tf_json_type {
	TF_JSON_OBJECT,
	TF_JSON_ARRAY,
	TF_JSON_STRING,
	TF_JSON_INT,
	TF_JSON_BOOL,
	TF_JSON_NULL, /* tf_json_parse_status only */
};

struct tf_json_token {
	enum tf_json_type type;
	uint32_t off, len; /* of the value's text, quotes included */
	uint32_t next;	   /* index of the first token after this value */
	uint32_t key_off, key_len; /* of its key, when in an object */
	int64_t num;		   /* of an integer; 0 or 1 of a boolean */
};

struct tf_json_doc {
	const char *text;	   /* the caller's, must outlive the doc */
	struct tf_json_token *tok; /* owned; see tf_json_doc_free */
	uint32_t n;
};

/* Parse n bytes.  TF_INVALID with the reason when they are not canonical. */
TF_MUST_USE enum tf_code tf_json_parse(struct tf_json_doc *d, const char *text,
    size_t n, struct tf_error *err);
/* The same for status.json, in which a value may be null. */
TF_MUST_USE enum tf_code tf_json_parse_status(struct tf_json_doc *d,
    const char *text, size_t n, struct tf_error *err);
void tf_json_doc_free(struct tf_json_doc *d);
/* The member key of the object at token obj, or -1. */
int tf_json_get(const struct tf_json_doc *d, int obj, const char *key);
/* The raw text of token t. */
struct tf_str tf_json_text(const struct tf_json_doc *d, int t);
/*
 * Unescape string token t into out (cleared first, NUL added but not counted).
 * TF_INVALID when t is not a string, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_json_string(const struct tf_json_doc *d, int t,
    struct tf_buf *out, struct tf_error *err);

#endif
