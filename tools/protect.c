/*
 * Retention, holds and redactions of a place: see protect.h.
 *
 * Both ways take the same text: in a mount it is written to the control file,
 * which records it at close(2); in a store the vault gets it under its lock.
 */
#include "protect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "core/control.h"
#include "core/page.h"
#include "core/protection.h"
#include "define.h"
#include "files.h"
#include "report.h"
#include "text.h"

/* By depth: the root, for holds, down to TRAIL/WORKFLOW/ATTESTATION. */
static enum tf_code
check_place(const struct where *w, enum protect_what what, struct tf_error *err)
{
	bool holds = what != PROTECT_RETENTION;
	bool root = strcmp(w->path, ".") == 0;
	unsigned slashes = 0;

	for (const char *p = w->path; *p != '\0'; p++)
		slashes += *p == '/';
	if (slashes > 2 || strstr(w->path, TF_CONTROL_DIR) != NULL ||
	    (root && !holds))
		return tf_fail(err, TF_USAGE, "%s is no trail, workflow or %s",
		    root ? "the vault" : w->path,
		    holds ? "attestation, and not the vault" : "attestation");
	return TF_OK;
}

static enum tf_code
control_file(const struct where *w, enum protect_what what, char **path,
    struct tf_error *err)
{
	static const char *const names[] = {
		[PROTECT_RETENTION] = TF_CONTROL_RETENTION,
		[PROTECT_HOLDS] = TF_CONTROL_HOLDS,
		[PROTECT_REDACTIONS] = TF_CONTROL_REDACTIONS,
	};

	if (asprintf(path, "%s/%s/%s", w->file, TF_CONTROL_DIR, names[what]) >=
	    0)
		return TF_OK;
	*path = NULL;
	return tf_nomem(err);
}

/* The errno of the mount says what the vault had refused. */
static enum tf_code
refused(const struct where *w, struct tf_error *err)
{
	int sys = errno;
	struct tf_error reason;

	(void)report_system(err, "%s", w->path);
	if (define_explain(w->file, err) != TF_OK && err->sys == 0) {
		reason = *err;
		(void)tf_fail(err, reason.code, "%s: %s", w->path, reason.text);
	}
	if (sys == EPERM || sys == EACCES)
		err->code = TF_DENIED;
	else if (sys == EEXIST)
		err->code = TF_EXISTS;
	else if (sys == ENODATA)
		err->code = TF_NODATA;
	return err->code;
}

static enum tf_code
set_mounted(const struct where *w, enum protect_what what,
    const struct tf_buf *request, struct tf_error *err)
{
	char *path;
	enum tf_code rc = control_file(w, what, &path, err);
	int fd = -1;

	if (rc == TF_OK &&
	    (fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)) <
		0) {
		rc = errno == EACCES || errno == EPERM ?
		    tf_fail(err, TF_DENIED,
			"%s: only the owner of the %s, members of admins= and "
			"root may",
			w->path,
			strcmp(w->path, ".") == 0 ? "vault's root" : "trail") :
		    report_system(err, "%s", path);
	}
	if (rc == TF_OK)
		rc = files_put(fd, path, request->p, request->n, err);
	if (fd >= 0 && close(fd) < 0 && rc == TF_OK)
		rc = refused(w, err);
	free(path);
	return rc;
}

static enum tf_code
set_stored(const struct where *w, enum protect_what what,
    const struct tf_buf *request, struct tf_error *err)
{
	static enum tf_code (*const requests[])(struct tf_vault * v,
	    uint64_t id, const void *p, size_t n, const struct tf_actor *who,
	    struct tf_error *err) = {
		[PROTECT_RETENTION] = tf_vault_retain_json,
		[PROTECT_HOLDS] = tf_vault_hold_json,
		[PROTECT_REDACTIONS] = tf_vault_redact_json,
	};
	struct tf_vault *v = NULL;
	struct tf_actor self;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = where_open(w, true, &v, err)) != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_walk(v, w->path, &a, err);
	if (rc == TF_OK)
		rc = requests[what](v, a.id, request->p, request->n, &self,
		    err);
	if (rc == TF_TOOBIG)
		rc = err->code = TF_INVALID;
	if (rc != TF_OK)
		report_about(err, w->path);
	return where_done(v, rc, err);
}

enum tf_code
protect_set(const struct where *w, enum protect_what what,
    const struct tf_buf *request, struct tf_error *err)
{
	enum tf_code rc = check_place(w, what, err);

	if (rc != TF_OK)
		return rc;
	return w->mount != NULL ? set_mounted(w, what, request, err) :
				  set_stored(w, what, request, err);
}

enum tf_code
protect_get(const struct where *w, enum protect_what what, struct tf_buf *out,
    struct tf_error *err)
{
	char *path = NULL;
	enum tf_code rc = check_place(w, what, err);

	if (rc != TF_OK)
		return rc;
	if (w->mount == NULL)
		return where_render(w,
		    what == PROTECT_HOLDS	   ? tf_view_holds :
			what == PROTECT_REDACTIONS ? tf_view_redactions :
						     tf_view_retention,
		    out, err);
	rc = control_file(w, what, &path, err);
	if (rc == TF_OK)
		rc = files_read(path, SIZE_MAX, out, err);
	free(path);
	return rc;
}

/* --- for people ----------------------------------------------------------- */

/* "  proposed 2026-11-29T10:00:00Z by alice (1001), 17" */
static void
add_person(struct tf_buf *line, const struct tf_json_doc *d, int r,
    const char *key)
{
	char when[TF_TIME_LEN + 1];
	int p = tf_json_get(d, r, key), by;
	bool moved;

	if (p < 0)
		return;
	moved = text_when(d, p, when);
	by = tf_json_get(d, p, "by");
	tf_buf_printf(line, "  %s %.19sZ%s by ", key, when, moved ? "!" : "");
	if (by >= 0)
		text_add_actor(line, d, by);
	tf_buf_printf(line, " (entry %lld)",
	    (long long)d->tok[tf_json_get(d, p, "index")].num);
}

void
protect_print_redaction(const struct tf_json_doc *d, int r)
{
	struct tf_buf line = { 0 };
	int others = tf_json_get(d, r, "others");
	int reason = tf_json_get(d, r, "reason");
	int text = tf_json_get(d, r, "text");

	text_add_token(&line, d, tf_json_get(d, r, "path"));
	tf_buf_str(&line, "  ");
	if (text >= 0) {
		tf_buf_str(&line, "text ");
		text_add_token(&line, d, text);
		tf_buf_printf(&line, " of entry %lld  ",
		    (long long)d->tok[tf_json_get(d, r, "entry")].num);
	}
	text_add_token(&line, d, tf_json_get(d, r, "state"));
	add_person(&line, d, r, "proposed");
	add_person(&line, d, r, "approved");
	if (others >= 0 && d->tok[others].num > 0)
		tf_buf_printf(&line,
		    "  the bytes are kept: %lld other entries name the same",
		    (long long)d->tok[others].num);
	if (reason >= 0) {
		tf_buf_str(&line, "  ");
		text_add_token(&line, d, reason);
	}
	puts(text_of(&line));
	tf_buf_free(&line);
}
