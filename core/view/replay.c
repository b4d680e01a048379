/*
 * Which evidence is a recording of a terminal session, and its page: see
 * core/page.h.
 *
 * A recording of script(1) is up to three files beside each other: the log, its
 * timing, and perhaps the log of the input.  The page shows bytes of all of
 * them, so its reader must be able to read each, and each is compared with the
 * digest of its entry before anything is shown.  Redacted evidence is not read,
 * nor is encrypted evidence, whose bytes are no recording.
 */
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../control.h"
#include "../ledger/entry.h"
#include "../node/absent.h"
#include "../node/paths.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../terminal/player.h"
#include "../terminal/recording.h"
#include "readable.h"
#include "view.h"

#define PIECE 65536 /* bytes hashed at a time */

/* --- one file ------------------------------------------------------------- */

/* Evidence that is part of a recording. */
struct part {
	struct tf_node_row row;
	struct tf_object_row object;
	struct tf_buf body; /* of a short object */
	int fd;		    /* of a long one, or -1 */
};

static enum tf_code
read_part(void *arg, uint64_t off, void *p, size_t n, size_t *got,
    struct tf_error *err)
{
	const struct part *x = arg;

	if (x->fd >= 0)
		return tf_file_pread(x->fd, p, n, off, got, err);
	*got = off >= x->body.n ? 0 :
	    x->body.n - off < n ? x->body.n - (size_t)off :
				  n;
	if (*got > 0)
		memcpy(p, x->body.p + off, *got);
	return TF_OK;
}

static void
close_part(struct part *x)
{
	if (x->fd >= 0)
		(void)close(x->fd); /* read-only */
	tf_buf_free(&x->body);
	x->fd = -1;
}

static enum tf_code
is_redacted(struct tf_view *w, uint64_t node, bool *yes, struct tf_error *err)
{
	struct tf_definition_row r = { .node = node,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 } };
	enum tf_code rc = tf_definitions_get(w->db, &r, err);

	*yes = rc == TF_OK && r.entry < w->entries;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Open the evidence of x->row, and find out whether it can be a part: *is. */
static enum tf_code
open_part(struct tf_view *w, struct part *x, bool *is, struct tf_error *err)
{
	bool may = true, gone = true;
	enum tf_code rc = TF_OK;

	x->fd = -1;
	*is = false;
	if (x->row.attr.kind != TF_KIND_EVIDENCE ||
	    x->row.attr.state != TF_STATE_SEALED)
		return TF_OK;
	if ((rc = tf_may_read_row(w, &x->row, &may, err)) != TF_OK || !may ||
	    (rc = is_redacted(w, x->row.attr.id, &gone, err)) != TF_OK || gone)
		return rc;
	rc = tf_object_get(w->db, x->row.object, &x->object, &x->body, err);
	if (rc == TF_OK && x->object.size > TF_RECORDING_FILE)
		return TF_OK;
	if (rc == TF_OK && !x->object.is_inline)
		rc = tf_vault_object_open(w->v, &x->object.sha256, &x->fd, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER,
		    "an object is missing from the store: run trailctl verify");
	*is = rc == TF_OK;
	return rc;
}

/* The same of the evidence `name` in directory dir. */
static enum tf_code
open_beside(struct tf_view *w, uint64_t dir, struct tf_str name, struct part *x,
    bool *is, struct tf_error *err)
{
	enum tf_code rc = tf_nodes_find(w->db, dir, name.p, name.n, &x->row,
	    err);

	*is = false;
	x->fd = -1;
	if (rc == TF_NOTFOUND)
		return TF_OK;
	return rc == TF_OK ? open_part(w, x, is, err) : rc;
}

/* The first bytes of a part. */
static enum tf_code
head_of(const struct part *x, char head[TF_RECORDING_HEAD], size_t *n,
    struct tf_error *err)
{
	return read_part((void *)x, 0, head, TF_RECORDING_HEAD, n, err);
}

/* TF_TAMPER if the bytes of x are not those of its entry. */
static enum tf_code
check_part(struct tf_view *w, const struct part *x, struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	struct tf_sha256 *sha = tf_sha256_new();
	char piece[PIECE];
	struct tf_hash h;
	uint64_t size = 0;
	size_t got = PIECE;
	enum tf_code rc = sha == NULL ? tf_nomem(err) : TF_OK;

	while (rc == TF_OK && got == PIECE && size <= TF_RECORDING_FILE) {
		rc = read_part((void *)x, size, piece, PIECE, &got, err);
		if (rc == TF_OK)
			tf_sha256_add(sha, piece, got);
		size += rc == TF_OK ? got : 0;
	}
	if (rc == TF_OK)
		rc = tf_loaded_entry_read(w, x->row.entry, &t, err);
	if (rc == TF_OK)
		tf_sha256_peek(sha, &h);
	if (rc == TF_OK &&
	    (size != t.d.e.content.size ||
		memcmp(&h, &t.d.e.content.sha256, sizeof(h)) != 0)) {
		atomic_fetch_add(&w->v->counters.damaged_reads, 1);
		rc = tf_fail(err, TF_TAMPER,
		    "the recording differs from its entry: run trailctl "
		    "verify");
	}
	tf_sha256_free(sha);
	tf_loaded_entry_free(&t);
	return rc;
}

/* --- a recording ------------------------------------------------------------ */

enum { LOG, TIMING, INPUT, PARTS };

struct recording {
	enum tf_recording_kind kind; /* NONE: it is none */
	struct part part[PARTS];
	size_t n; /* of these */
};

static void
close_recording(struct recording *r)
{
	for (size_t i = 0; i < PARTS; i++)
		close_part(&r->part[i]);
}

/* Find the log of the input that the header of the timing names.  Without it,
 * the page has no input. */
static enum tf_code
find_input(struct tf_view *w, struct recording *r, const char *head, size_t n,
    struct tf_error *err)
{
	struct tf_buf name = { 0 };
	bool is = false;
	enum tf_code rc = TF_OK;

	if (tf_recording_input_name(head, n, &name))
		rc = open_beside(w, r->part[LOG].row.attr.parent,
		    tf_buf_bytes(&name), &r->part[INPUT], &is, err);
	if (rc == TF_OK && name.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && is)
		r->n = INPUT + 1;
	else
		close_part(&r->part[INPUT]);
	tf_buf_free(&name);
	return rc;
}

/* Find the timing of a log of script(1). */
static enum tf_code
find_timing(struct tf_view *w, struct recording *r, struct tf_error *err)
{
	const struct tf_node_row *log = &r->part[LOG].row;
	const struct tf_str name = { log->name, log->name_len };
	struct part *x = &r->part[TIMING];
	char head[TF_RECORDING_HEAD];
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;
	size_t n = 0;
	bool is = false;

	for (unsigned i = 0; rc == TF_OK && !is; i++, b.n = 0) {
		if (!tf_recording_timing_name(name, i, &b))
			break;
		if ((rc = tf_buf_end(&b, err)) == TF_OK)
			rc = open_beside(w, log->attr.parent, tf_buf_bytes(&b),
			    x, &is, err);
		if (rc == TF_OK && is)
			rc = head_of(x, head, &n, err);
		is = rc == TF_OK && is &&
		    tf_recording_begins(TF_RECORDING_SCRIPT, head, n);
		if (!is)
			close_part(x);
	}
	tf_buf_free(&b);
	if (rc != TF_OK || !is)
		return rc;
	r->kind = TF_RECORDING_SCRIPT;
	r->n = TIMING + 1;
	return find_input(w, r, head, n, err);
}

/* Is there any file with the name of a timing of this log?  Most logs and texts
 * have none, and are not even opened. */
static enum tf_code
has_timing(struct tf_view *w, const struct tf_node_row *log, bool *has,
    struct tf_error *err)
{
	const struct tf_str name = { log->name, log->name_len };
	struct tf_node_row row;
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	*has = false;
	for (unsigned i = 0; rc == TF_OK && !*has; i++, b.n = 0) {
		if (!tf_recording_timing_name(name, i, &b))
			break;
		if ((rc = tf_buf_end(&b, err)) == TF_OK)
			rc = tf_nodes_find(w->db, log->attr.parent, b.p, b.n,
			    &row, err);
		*has = rc == TF_OK;
		if (rc == TF_NOTFOUND)
			rc = TF_OK;
	}
	tf_buf_free(&b);
	return rc;
}

bool
tf_replay_has_name(struct tf_str name)
{
	/* The name of the page must not be too long. */
	return tf_recording_by_name(name) != TF_RECORDING_NONE &&
	    name.n + strlen(TF_CONTROL_REPLAY_SUFFIX) <= TF_CONTROL_NAME_MAX;
}

/* Open the recording that begins with evidence id.  If there is none, r->kind is
 * NONE.  The caller closes *r, also on failure. */
static enum tf_code
open_recording(struct tf_view *w, uint64_t id, struct recording *r,
    struct tf_error *err)
{
	struct part *log = &r->part[LOG];
	enum tf_recording_kind kind;
	char head[TF_RECORDING_HEAD];
	struct tf_str name;
	size_t n = 0;
	bool is = false;
	enum tf_code rc;

	*r = (struct recording){ .kind = TF_RECORDING_NONE, .n = 1 };
	for (size_t i = 0; i < PARTS; i++)
		r->part[i].fd = -1;
	if ((rc = tf_nodes_get(w->db, id, &log->row, err)) != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	name = (struct tf_str){ log->row.name, log->row.name_len };
	if (!tf_replay_has_name(name))
		return TF_OK;
	kind = tf_recording_by_name(name);
	if (kind == TF_RECORDING_SCRIPT &&
	    ((rc = has_timing(w, &log->row, &is, err)) != TF_OK || !is))
		return rc;
	if ((rc = open_part(w, log, &is, err)) != TF_OK || !is ||
	    (rc = head_of(log, head, &n, err)) != TF_OK)
		return rc;
	if (kind == TF_RECORDING_SCRIPT)
		return tf_recording_is_log(head, n) ? find_timing(w, r, err) :
						      TF_OK;
	if (tf_recording_begins(kind, head, n))
		r->kind = kind;
	return TF_OK;
}

enum tf_code
tf_view_replay_parts(struct tf_view *w, uint64_t id,
    uint64_t parts[TF_REPLAY_PARTS], size_t *n, struct tf_error *err)
{
	struct recording r;
	enum tf_code rc = open_recording(w, id, &r, err);

	*n = rc == TF_OK && r.kind != TF_RECORDING_NONE ? r.n : 0;
	for (size_t i = 0; i < *n; i++)
		parts[i] = r.part[i].row.attr.id;
	close_recording(&r);
	return rc;
}

/* --- its page --------------------------------------------------------------- */

/* The path of the evidence below its attestation. */
static struct tf_str
below_attestation(const struct tf_buf *path)
{
	struct tf_str s = tf_buf_bytes(path);

	for (int i = 0; i < 3; i++) {
		const char *slash = memchr(s.p, '/', s.n);

		if (slash == NULL)
			break;
		s.n -= (size_t)(slash + 1 - s.p);
		s.p = slash + 1;
	}
	return s;
}

/* The relative path from a page in .trailfs/replay to the evidence. */
static void
add_way(struct tf_buf *out, struct tf_str rel)
{
	tf_buf_str(out, "../../");
	for (size_t i = 0; i < rel.n; i++)
		if (rel.p[i] == '/')
			tf_buf_str(out, "../");
	tf_buf_add(out, rel.p, rel.n);
}

static enum tf_code
write_page(struct tf_view *w, struct recording *r, const struct tf_str *href,
    const struct tf_sink *out, struct tf_error *err)
{
	struct part *log = &r->part[LOG];
	struct tf_recording recording = { .kind = r->kind,
		.output = { read_part, log } };
	struct tf_player_about about = { .sha256 = log->object.sha256,
		.size = log->object.size };
	struct tf_buf path = { 0 }, way = { 0 };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < r->n; i++)
		rc = check_part(w, &r->part[i], err);
	if (rc == TF_OK)
		rc = tf_path_of(w->v, w->db, log->row.attr.id, &path, err);
	if (rc == TF_OK) {
		about.name = below_attestation(&path);
		add_way(&way, about.name);
		rc = tf_buf_end(&way, err);
	}
	about.href = href != NULL ? *href : tf_buf_bytes(&way);
	if (r->n > TIMING)
		recording.timing = (struct tf_recording_file){ read_part,
			&r->part[TIMING] };
	if (r->n > INPUT)
		recording.input = (struct tf_recording_file){ read_part,
			&r->part[INPUT] };
	if (rc == TF_OK)
		rc = tf_player_page(&recording, &about, out, err);
	tf_buf_free(&path);
	tf_buf_free(&way);
	return rc;
}

enum tf_code
tf_view_replay(struct tf_view *w, uint64_t id, const struct tf_str *href,
    const struct tf_sink *out, struct tf_error *err)
{
	struct recording r;
	enum tf_code rc = open_recording(w, id, &r, err);

	if (rc == TF_OK && r.kind == TF_RECORDING_NONE)
		rc = tf_fail(err, TF_NOTFOUND, "it is no recording");
	if (rc == TF_OK)
		rc = write_page(w, &r, href, out, err);
	close_recording(&r);
	return rc;
}
