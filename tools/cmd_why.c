/*
 * trailctl why: the state of a path, the rule for that state, whether it has
 * reached the organisation, and the attempts of the caller that were refused there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cmd.h"
#include "core/base/member.h"
#include "core/control.h"
#include "files.h"
#include "modes.h"
#include "node.h"
#include "refusals.h"
#include "report.h"
#include "text.h"
#include "where.h"
#include "why_facts.h"
#include "why_forwarded.h"

#define LAST_ERROR_MAX 4096 /* bytes */

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

struct why {
	struct where w;
	bool exists;
	enum tf_kind kind;
	struct tf_buf state;	  /* "" for a name that does not exist */
	struct stat st;		  /* of a path that exists in a mount */
	struct tf_buf last_error; /* beside a control file; safe text */
	struct refusals refused;
	struct why_facts facts;	 /* if it exists */
	struct tf_buf proven;	 /* bytes of a file that grows, as text */
	struct tf_buf index;	 /* number of its entry, as text; empty: none */
	struct tf_buf forwarded; /* empty: nothing is known; safe text */
	struct tf_buf rule;
};

/* --- finding out ------------------------------------------------------ */

/* The end of the part .trailfs of the path, or NULL. */
static const char *
reserved_part(const char *path)
{
	const size_t n = strlen(TF_CONTROL_DIR);

	for (const char *p = path; (p = strstr(p, TF_CONTROL_DIR)) != NULL; p++)
		if ((p == path || p[-1] == '/') &&
		    (p[n] == '\0' || p[n] == '/'))
			return p + n;
	return NULL;
}

/* Read why the caller's last write of a control file there was refused, or the
 * warnings about what was written. */
static enum tf_code
read_last_error(struct why *y, struct tf_error *err)
{
	const char *end = reserved_part(y->w.file);
	struct tf_buf text = { 0 };
	char *path, *line, *rest;
	enum tf_code rc;

	if (end == NULL)
		return TF_OK;
	if (asprintf(&path, "%.*s/" TF_CONTROL_LAST_ERROR,
		(int)(end - y->w.file), y->w.file) < 0)
		return tf_nomem(err);
	rc = files_read(path, LAST_ERROR_MAX, &text, NULL);
	free(path);
	/* The root has none, and others may not read that of a directory. */
	if (rc == TF_OK && text.n > 0) {
		(void)text_of(&text);
		rest = text.p;
		while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
			tf_buf_str(&y->last_error,
			    y->last_error.n > 0 ? "; " : "");
			text_add_shown(&y->last_error, line, strlen(line));
		}
	}
	tf_buf_free(&text);
	return tf_buf_end(&y->last_error, err);
}

/* Number of the entry; how many bytes of a file that grows are entered. */
static void
look_at_entries(struct why *y)
{
	char number[24];
	ssize_t n;

	n = lgetxattr(y->w.file, TF_XATTR_INDEX, number, sizeof(number));
	if (n > 0)
		text_add(&y->index, number, (size_t)n);
	if (y->kind != TF_KIND_EVIDENCE ||
	    strcmp(text_of(&y->state), "open") != 0)
		return;
	n = lgetxattr(y->w.file, TF_XATTR_PROVEN, number, sizeof(number));
	if (n > 0)
		text_add(&y->proven, number, (size_t)n);
}

/* A name that does not exist has a rule too: what could be made there. */
static enum tf_code
look_at_mount(struct why *y, struct tf_error *err)
{
	char state[64];
	ssize_t n;

	if (reserved_part(y->w.path) != NULL) {
		tf_buf_str(&y->state, "reserved");
		y->kind = TF_KIND_EVIDENCE;
		y->exists = false; /* it is no node of the vault */
		return read_last_error(y, err);
	}
	if (!y->exists) {
		y->kind = node_kind_of_directory(y->w.path);
		if (y->kind == TF_KIND_DIRECTORY)
			y->kind = TF_KIND_EVIDENCE;
		return TF_OK;
	}
	if (lstat(y->w.file, &y->st) < 0)
		return report_system(err, "%s", y->w.path);
	y->kind = S_ISDIR(y->st.st_mode) ? node_kind_of_directory(y->w.path) :
					   TF_KIND_EVIDENCE;
	n = lgetxattr(y->w.file, TF_XATTR_STATE, state, sizeof(state));
	if (n < 0 && errno == EACCES)
		return where_denied(y->w.file, err);
	if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		return report_system(err, "state of %s", y->w.path);
	if (n > 0)
		tf_buf_add(&y->state, state, (size_t)n);
	else
		tf_buf_str(&y->state, "open");
	look_at_entries(y);
	return TF_OK;
}

/* Without a mount nobody keeps refusals, so the node must exist to have an
 * answer. */
static enum tf_code
look_at_store(struct why *y, struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_attr attr;
	enum tf_code rc;

	if ((rc = where_open(&y->w, false, &v, err)) != TF_OK)
		return rc;
	if ((rc = tf_vault_walk(v, y->w.path, &attr, err)) == TF_OK) {
		y->kind = attr.kind;
		rc = tf_vault_xattr_get(v, attr.id, TF_XATTR_STATE, &y->state,
		    err);
		if (rc == TF_NODATA || rc == TF_UNSUPPORTED) {
			tf_buf_str(&y->state, "open");
			rc = TF_OK;
		}
		if (rc == TF_OK &&
		    tf_vault_xattr_get(v, attr.id, TF_XATTR_INDEX, &y->index,
			NULL) != TF_OK)
			y->index.n = 0; /* it has none */
	}
	where_close(v);
	return rc;
}

/* --- the answer ------------------------------------------------------- */

static void
print_refusal(struct tf_str line, const char *label)
{
	static const char *const keys[] = { "at", "operation", "path", "errno",
		"reason" };
	struct tf_buf out[5] = { { 0 } };
	struct tf_json_doc d = { 0 };

	if (tf_json_parse(&d, line.p, line.n, NULL) != TF_OK)
		return; /* no memory: refusals_read() could parse it */
	for (int i = 0; i < 5; i++) {
		int t = tf_json_get(&d, 0, keys[i]);

		if (t >= 0)
			text_add_token(&out[i], &d, t);
	}
	printf("%-10s  %.19sZ  %s %s: %s: %s\n", label, text_of(&out[0]),
	    text_of(&out[1]), text_of(&out[2]), text_of(&out[3]),
	    text_of(&out[4]));
	for (int i = 0; i < 5; i++)
		tf_buf_free(&out[i]);
	tf_json_doc_free(&d);
}

static bool
has_suffix(const char *s, const char *suffix)
{
	const size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* Below a sealed directory nothing is made; if the name does not exist, its
 * directory may not exist either. */
static bool
is_in_sealed(struct why *y)
{
	char *dir = strdup(y->w.file), *slash;
	bool sealed = false;

	while (dir != NULL && !sealed && (slash = strrchr(dir, '/')) != NULL &&
	    strlen(dir) > strlen(y->w.mount)) {
		*slash = '\0';
		sealed = where_is_sealed(dir);
	}
	if (sealed && strlen(dir) > strlen(y->w.mount))
		tf_buf_printf(&y->rule,
		    "%s is sealed: nothing can be made in it",
		    dir + strlen(y->w.mount) + 1);
	free(dir);
	return sealed;
}

/* The rule for the state, and for what is not in the state. */
static void
find_rule(struct why *y)
{
	const char *state = text_of(&y->state);
	const bool file = y->kind == TF_KIND_EVIDENCE;
	struct tf_buf parent = { 0 };

	if (!y->exists && y->w.mount != NULL && *state == '\0' &&
	    is_in_sealed(y)) {
		text_add(&parent, y->rule.p, y->rule.n);
		tf_buf_free(&y->rule);
		y->rule = parent;
		return;
	}
	if (file && y->facts.redacted)
		state = "redacted";
	else if (file && strcmp(state, "draft") == 0 &&
	    has_suffix(y->w.path, ".interrupted.part"))
		state = "interrupted";
	else if (file && strcmp(state, "draft") == 0 &&
	    why_facts_in_draft(y->w.path))
		state = "draft attestation";
	tf_buf_str(&y->rule, node_rule(y->kind, state));
}

/* May anybody still write to it? */
static bool
is_final(const char *state)
{
	return strcmp(state, "sealed") == 0 || strcmp(state, "frozen") == 0 ||
	    strcmp(state, "closing") == 0;
}

/* "read", "write": the rights of the caller by the mode, if the state leaves it
 * to the mode. */
static const char *
may(struct why *y)
{
	bool r = faccessat(AT_FDCWD, y->w.file, R_OK, AT_EACCESS) == 0;
	bool w = faccessat(AT_FDCWD, y->w.file, W_OK, AT_EACCESS) == 0;

	if (is_final(text_of(&y->state)))
		return r ? "read; nobody can write" :
			   "not read; nobody can write";

	return r && w ? "read and write" :
	    r	      ? "read" :
	    w	      ? "write" :
			"neither read nor write";
}

static void
print_table(struct why *y)
{
	const char *state = text_of(&y->state);
	struct tf_buf path = { 0 };

	text_add(&path, y->w.path, strlen(y->w.path));
	printf("%-10s  %s\n", "path", text_of(&path));
	tf_buf_free(&path);
	printf("%-10s  %s\n", "kind", node_kind_name(y->kind));
	printf("%-10s  %s\n", "state", *state != '\0' ? state : "no such name");
	printf("%-10s  %s\n", "rule", text_of(&y->rule));
	if (y->proven.n > 0)
		printf("%-10s  it grows, and its first %s bytes are entered in "
		       "the ledger: they and its name stay\n",
		    "proven", text_of(&y->proven));
	if (y->facts.redaction.n > 0)
		printf("%-10s  %s\n", "redaction",
		    text_of(&y->facts.redaction));
	if (y->facts.encrypted)
		printf("%-10s  trailctl cat --identity FILE prints it "
		       "decrypted\n",
		    "encrypted");
	if (y->facts.holds.n > 0)
		printf("%-10s  %s: nothing of it can be deleted\n", "held by",
		    text_of(&y->facts.holds));
	if (y->forwarded.n > 0)
		printf("%-10s  %s\n", "forwarded", text_of(&y->forwarded));
	if (y->w.mount != NULL && y->exists)
		printf("%-10s  mode %04o of uid %u, gid %u lets you %s\n",
		    "access", modes_of(&y->st), y->st.st_uid, y->st.st_gid,
		    may(y));
	if (y->last_error.n > 0)
		printf("%-10s  %s\n", "last error", text_of(&y->last_error));
	/* The last one first: the others led to it. */
	for (size_t i = y->refused.n; i-- > 0;)
		print_refusal(y->refused.line[i],
		    i + 1 == y->refused.n     ? "refused" :
			i + 2 == y->refused.n ? "earlier" :
						"");
	if (y->w.mount == NULL)
		printf("%-10s  unknown: the daemon keeps refusals while the "
		       "store is mounted\n",
		    "refused");
	else if (y->refused.n == 0)
		printf("%-10s  nothing of yours since the mount\n", "refused");
}

/* Members in the order of their names; refusals are the lines of the mount. */
static enum tf_code
print_json(struct why *y, struct tf_error *err)
{
	const char *state = text_of(&y->state);
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_object(&j);
	if (y->facts.encrypted)
		tf_put_bool(&j, "encrypted", true);
	if (y->forwarded.n > 0)
		tf_put_str(&j, "forwarded", tf_buf_bytes(&y->forwarded));
	if (y->facts.holds.n > 0)
		tf_put_str(&j, "holds", tf_buf_bytes(&y->facts.holds));
	tf_put_cstr(&j, "kind", node_kind_name(y->kind));
	if (y->last_error.n > 0)
		tf_put_str(&j, "last_error", tf_buf_bytes(&y->last_error));
	tf_put_cstr(&j, "path", y->w.path);
	if (y->proven.n > 0)
		tf_put_str(&j, "proven", tf_buf_bytes(&y->proven));
	if (y->facts.redaction.n > 0)
		tf_put_str(&j, "redaction", tf_buf_bytes(&y->facts.redaction));
	if (y->refused.n > 0) {
		tf_json_key(&j, "refused");
		tf_json_array(&j);
		for (size_t i = 0; i < y->refused.n; i++)
			tf_json_raw(&j, y->refused.line[i]);
		tf_json_array_end(&j);
	}
	tf_put_cstr(&j, "rule", text_of(&y->rule));
	if (*state != '\0') {
		tf_put_cstr(&j, "state", state);
	}
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static int
run(int n, char **arg)
{
	struct why y = { .exists = true };
	struct tf_error err = { 0 };
	enum tf_code rc = where_find_name(arg[0], &y.w, &y.exists, &err);

	(void)n;
	if (rc == TF_OK && y.w.mount != NULL) {
		rc = look_at_mount(&y, &err);
		if (rc == TF_OK)
			rc = refusals_read(&y.w, &y.refused, &err);
	} else if (rc == TF_OK) {
		rc = look_at_store(&y, &err);
	}
	if (rc == TF_OK && y.exists) {
		why_facts_read(&y.w, y.kind == TF_KIND_EVIDENCE, &y.facts);
		why_forwarded(&y.w, text_of(&y.state), &y.index, &y.forwarded);
	}
	if (rc == TF_OK)
		find_rule(&y);
	if (rc == TF_OK && as_json)
		rc = print_json(&y, &err);
	else if (rc == TF_OK)
		print_table(&y);
	tf_buf_free(&y.state);
	tf_buf_free(&y.last_error);
	tf_buf_free(&y.proven);
	tf_buf_free(&y.index);
	tf_buf_free(&y.forwarded);
	refusals_free(&y.refused);
	why_facts_free(&y.facts);
	tf_buf_free(&y.rule);
	where_free(&y.w);
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_why = {
	.name = "why",
	.summary = "print the state of a path and why a rule refused something",
	.usage = "[OPTION...] PATH",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};
