/* The parts that definitions of types are made of: memory, literals, paths and
 * patterns. */
#ifndef TF_LEDGER_TYPE_PARTS_H
#define TF_LEDGER_TYPE_PARTS_H

#include "../base/json_any.h"
#include "yaml.h"

/* Memory that is freed at once.  {0} is empty. */
struct tf_arena {
	struct tf_block *blocks;
};
/* n zeroed items of size bytes, or NULL: no memory. */
void *tf_arena_array(struct tf_arena *a, size_t n, size_t size);
/* Free all of it; nothing of it may be used afterwards.  *a is empty then. */
void tf_arena_free(struct tf_arena *a);

/* A definition while it is parsed. */
struct tf_defining {
	const struct tf_yaml *y;
	struct tf_arena *arena;
	unsigned patterns; /* patterns seen so far */
};

/* A scalar of JSON: null, false, true, a number or a string. */
struct tf_literal {
	enum tf_any_type type;
	struct tf_str text; /* of a string or number */
};

/*
 * Parse node i.  In quotes it is a string.  Without quotes it is null, true,
 * false, a number as JSON writes it, or a string.  Refused without quotes is
 * what YAML 1.1 or 1.2 reads as something else: `yes`, `~`, `0x1F`, `1.2.3`.
 */
TF_MUST_USE enum tf_code tf_literal_parse(struct tf_defining *d, int i,
    const char *what, struct tf_literal *out, struct tf_error *err);
/* Parse list i, which is not empty. */
TF_MUST_USE enum tf_code tf_literals_parse(struct tf_defining *d, int i,
    const char *what, const struct tf_literal **out, size_t *n,
    struct tf_error *err);
/* Parse a number. */
TF_MUST_USE enum tf_code tf_number_parse(struct tf_defining *d, int i,
    const char *what, struct tf_str *out, struct tf_error *err);
/* Append l as JSON. */
void tf_literal_put(struct tf_buf *out, const struct tf_literal *l);

/* One step of a path: into the member key, or, if n > 0, to the one value of an
 * array or object that has all these members. */
struct tf_where {
	struct tf_str key;
	struct tf_literal value;
};
struct tf_step {
	struct tf_str key;
	const struct tf_where *where;
	size_t n;
};

/* n == 0: the value itself. */
struct tf_path {
	struct tf_str text; /* as reports name it: a.b[type==junit].c */
	const struct tf_step *steps;
	size_t n;
};

/*
 * Parse node i: keys with dots between them, or a list of keys, in which one
 * may be {where: {KEY: LITERAL, ...}}.
 */
TF_MUST_USE enum tf_code tf_path_parse(struct tf_defining *d, int i,
    const char *what, struct tf_path *out, struct tf_error *err);

/* A regular expression as pattern.h allows. */
struct tf_regex {
	struct tf_str text;
	unsigned index; /* among the patterns of the type, from 0 on */
	unsigned size;
};
/* Parse node i and count it in d->patterns.  TF_INVALID: not allowed. */
TF_MUST_USE enum tf_code tf_regex_parse(struct tf_defining *d, int i,
    const char *what, struct tf_regex *out, struct tf_error *err);

/* Members of map i.  A text and an id may be missing: then *out stays as it
 * is. */
#define TF_TYPE_ID_MAX 64	/* bytes */
#define TF_DESCRIPTION_MAX 2048 /* bytes */
TF_MUST_USE enum tf_code tf_text_parse(struct tf_defining *d, int i,
    const char *key, size_t max /* bytes */, struct tf_str *out,
    struct tf_error *err);
/* An id: [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes. */
TF_MUST_USE enum tf_code tf_id_parse(struct tf_defining *d, int i,
    const char *key, struct tf_str *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_member_path_parse(struct tf_defining *d, int i,
    const char *key, struct tf_path *out, struct tf_error *err);
/* Fail unless map i has the member key. */
TF_MUST_USE enum tf_code tf_member_demand(struct tf_defining *d, int i,
    const char *key, struct tf_error *err);

#endif
