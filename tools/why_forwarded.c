/*
 * What the organisation has of a path: see why_forwarded.h.  The status of the vault
 * says how many entries the forwarder has brought there.  They go in their order, so
 * an entry is there exactly if its number is less.
 */
#include "why_forwarded.h"

#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "core/control.h"
#include "core/vault.h"
#include "text.h"

#define YES "yes: the organisation has its entry %llu"

/* The number of the entry; 0: it has none. */
static unsigned long long
number_in(const struct tf_buf *index)
{
	return index->n == 0 ? 0 : strtoull(index->p, NULL, 10);
}

/* A number of object o, or 0. */
static uint64_t
number_of(const struct tf_json_doc *d, int o, const char *key)
{
	const int t = tf_json_get(d, o, key);

	return t >= 0 && d->tok[t].type == TF_JSON_INT && d->tok[t].num > 0 ?
	    (uint64_t)d->tok[t].num :
	    0;
}

static void
add_text(struct tf_buf *out, const struct tf_json_doc *d, int o,
    const char *key)
{
	const int t = tf_json_get(d, o, key);

	if (t >= 0)
		text_add_token(out, d, t);
}

/* The forwarder has failed since its last success. */
static void
add_failure(struct tf_buf *out, const struct tf_json_doc *d, int forwarded)
{
	const int f = tf_json_get(d, forwarded, "failed");

	if (f < 0)
		return;
	tf_buf_str(out, "; the forwarder failed at ");
	add_text(out, d, f, "at");
	if (tf_json_get(d, f, "why") >= 0) {
		tf_buf_str(out, ": ");
		add_text(out, d, f, "why");
	}
	tf_buf_str(out,
	    tf_json_get(d, f, "final") >= 0 ? "; it has ended" :
					      "; it tries again");
}

/* Entry number seq is not there: how far the forwarder was, and when. */
static void
add_lag(struct tf_buf *out, const struct tf_json_doc *d, int forwarded,
    uint64_t seq)
{
	const uint64_t oldest = number_of(d, forwarded, "oldest");

	tf_buf_printf(out,
	    "no: it is entry %llu, and the organisation had the first %llu "
	    "entries",
	    (unsigned long long)seq,
	    (unsigned long long)number_of(d, forwarded, "entries"));
	if (tf_json_get(d, forwarded, "at") >= 0) {
		tf_buf_str(out, " at ");
		add_text(out, d, forwarded, "at");
	}
	if (oldest > 0)
		tf_buf_printf(out, "; the oldest that it lacks is %llu s old",
		    (unsigned long long)oldest);
	add_failure(out, d, forwarded);
}

/* It has no entry, so nothing of it was forwarded but what a close brought there. */
static void
add_unsealed(struct tf_buf *out, const char *state, bool waits)
{
	tf_buf_str(out,
	    strcmp(state, "draft") == 0 ?
		"no: it has no entry before it has its final name" :
		"no: it has no entry before it is sealed");
	if (waits && strcmp(state, "draft") != 0)
		tf_buf_str(out,
		    "; a close or fsync that returned 0 has brought its bytes "
		    "there");
}

static void
judge(const struct tf_json_doc *d, const char *state,
    const struct tf_buf *index, struct tf_buf *out)
{
	const int forwarded = tf_json_get(d, 0, "forwarded");
	const bool waits = tf_json_get(d, 0, "organisation") >= 0;
	const unsigned long long seq = number_in(index);

	if (forwarded < 0 && !waits)
		return;
	if (index->n == 0) {
		add_unsealed(out, state, waits);
		return;
	}
	if (forwarded < 0)
		tf_buf_str(out, "no: no forwarder has run yet");
	else if (seq < number_of(d, forwarded, "entries"))
		tf_buf_printf(out, YES, seq);
	else
		add_lag(out, d, forwarded, seq);
}

/* Who may not read the status of the vault learns what is so of this path. */
static void
ask_path(const struct where *w, const char *state, const struct tf_buf *index,
    struct tf_buf *out)
{
	char word[8];
	ssize_t n = w->file == NULL ?
	    -1 :
	    lgetxattr(w->file, TF_XATTR_FORWARDED, word, sizeof(word));

	if (n <= 0)
		return;
	if (index->n == 0)
		add_unsealed(out, state, false);
	else if (n == 3 && memcmp(word, "yes", 3) == 0)
		tf_buf_printf(out, YES, number_in(index));
	else
		tf_buf_printf(out,
		    "no: it is entry %llu, and the organisation did not have "
		    "it; who may read the status of the vault sees why",
		    number_in(index));
}

void
why_forwarded(const struct where *w, const char *state,
    const struct tf_buf *index, struct tf_buf *out)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf json = { 0 };
	struct tf_error ignored; /* what cannot be read is left out */

	if (where_text(w, TF_CONTROL_STATUS, tf_vault_status, &json,
		&ignored) == TF_OK &&
	    json.n > 0)
		json.n -= json.p[json.n - 1] == '\n';
	else
		json.n = 0;
	if (json.n > 0 && tf_json_parse(&d, json.p, json.n, &ignored) == TF_OK)
		judge(&d, state, index, out);
	else
		ask_path(w, state, index, out);
	tf_json_doc_free(&d);
	tf_buf_free(&json);
}
