/*
 * Cosigned notes as the ledger keeps them.  The form has one text for one
 * cosignature, so its digest names it, and lines of several cosigners are joined
 * by appending the last line of each.
 */
#include "cosigned.h"

#include <string.h>

/* Append the first line of k in lines. */
static void
keep_line(struct tf_str lines, const struct tf_vkey *k, struct tf_buf *kept)
{
	struct tf_note_line line;

	while (tf_note_next(&lines, &line)) {
		if (!tf_note_by(&line, k))
			continue;
		tf_buf_add(kept, line.whole.p, line.whole.n);
		tf_buf_add(kept, "\n", 1);
		return;
	}
}

/* Every failure but that of memory is the note's fault. */
static enum tf_code
refuse(enum tf_code rc, const char *what, const struct tf_error *why,
    struct tf_error *err)
{
	return rc == TF_NOMEM ?
	    tf_nomem(err) :
	    tf_fail(err, TF_INVALID, "%s%.120s", what, why->text);
}

enum tf_code
tf_cosigned_check(const struct tf_vkey *log, struct tf_str key,
    const char *note, size_t n, struct tf_cosigned *out, struct tf_buf *kept,
    struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	struct tf_note parts;
	struct tf_vkey k;
	enum tf_code rc;

	rc = tf_cosign_vkey_parse(key.n > 0 ? key.p : "", key.n, &k, &e);
	if (rc != TF_OK)
		return refuse(rc, "the key of the cosigner: ", &e, err);
	if ((rc = tf_checkpoint_check(note, n, log, &out->head, &e)) != TF_OK ||
	    (rc = tf_cosign_check(&k, note, n, &out->time, &e)) != TF_OK)
		return refuse(rc, "", &e, err);
	if (kept == NULL || !tf_note_split(note, n, &parts))
		return TF_OK;
	tf_buf_add(kept, parts.body.p, parts.body.n);
	tf_buf_add(kept, "\n", 1);
	keep_line(parts.lines, log, kept);
	keep_line(parts.lines, &k, kept);
	return tf_buf_end(kept, err);
}

struct tf_str
tf_cosigned_line(struct tf_str kept)
{
	size_t at = kept.n > 0 ? kept.n - 1 : 0;

	while (at > 0 && kept.p[at - 1] != '\n')
		at--;
	return (struct tf_str){ kept.p + at, kept.n - at };
}
