/*
 * YAML: the only reader, for the texts that people write (templates, types of
 * attestations).  libyaml scans the text; this file accepts less than YAML 1.1:
 *
 * - one document; no anchors, aliases or tags; no directives but %YAML 1.1 and
 *   1.2; keys are not empty and unique in their map;
 * - valid UTF-8 without NUL, control characters and bidi controls, also not as
 *   escapes in quotes; so each scalar is one line.  A byte order mark at the
 *   start is skipped;
 * - at most TF_YAML_BYTES bytes, TF_YAML_DEPTH levels (the outermost value is
 *   the first) and TF_YAML_NODES nodes.
 *
 * yaml_value.h reads the values.
 *
 * Every refusal is TF_INVALID with "line L, column C: reason" in err.  Lines
 * and columns count from 1, columns in characters.
 */
#ifndef TF_LEDGER_YAML_H
#define TF_LEDGER_YAML_H

#include "../json.h"

#define TF_YAML_BYTES 65536
#define TF_YAML_DEPTH 16
#define TF_YAML_NODES 8192
#define TF_YAML_STRS 256 /* texts in one list of texts */

enum tf_yaml_type { TF_YAML_SCALAR, TF_YAML_LIST, TF_YAML_MAP };

struct tf_yaml_node {
	enum tf_yaml_type type;
	bool plain;	       /* a scalar without quotes, not a block */
	uint32_t line, column; /* of its first character */
	uint32_t next;	       /* index of the first node after this value */
	struct tf_str text;    /* of a scalar; p is not NULL, n may be 0 */
};

/*
 * A flat array of nodes in text order; node 0 is the outermost value.  The
 * nodes of list i begin at i + 1.  The nodes of map i are pairs from i + 1 on:
 * a key, which is a scalar, and then its value.
 */
struct tf_yaml {
	struct tf_yaml_node *node;
	uint32_t n;
	struct tf_buf strings; /* memory of the texts */
};

/* Parse n bytes at text, which may be freed afterwards.  On TF_OK free y with
 * tf_yaml_free; on failure y holds nothing.  Errors: TF_INVALID, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_yaml_parse(struct tf_yaml *y, const char *text,
    size_t n, struct tf_error *err);
void tf_yaml_free(struct tf_yaml *y);

/* Fail with TF_INVALID and the place of node i in front of the reason. */
enum tf_code tf_yaml_fail(const struct tf_yaml *y, int i, struct tf_error *err,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The arguments of "%.*s" that show a text in such a reason, which has little
 * room: at most 40 bytes, whole characters. */
#define TF_SHOWN(s) tf_yaml_shown(s), (s).p
int tf_yaml_shown(struct tf_str s);

#endif
