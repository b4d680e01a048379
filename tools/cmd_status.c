/*
 * trailctl status: print the status of a vault, a trail or a workflow.
 *
 * The answer is the control file of a mount, or what the vault renders for it
 * from a store; --json prints its bytes as they are. The table for people shows
 * members that this version does not know as well, behind the known ones, so
 * that a newer daemon hides nothing from an older trailctl. The exit status
 * says only whether the status could be read; trailctl assert judges.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "compliance.h"
#include "core/anchor.h"
#include "core/control.h"
#include "define.h"
#include "protect.h"
#include "report.h"
#include "text.h"
#include "where.h"

static bool as_json;

static const struct args_option options[] = {
	ARGS_JSON(&as_json),
	{ 0 },
};

/* Print the members of an object on one line: "open 1, sealed 9"; those of an
 * object in it stand in brackets. */
static void
add_members(struct tf_buf *out, const struct tf_json_doc *d, uint32_t obj)
{
	for (uint32_t t = obj + 1; t < d->tok[obj].next; t = d->tok[t].next) {
		if (t > obj + 1)
			tf_buf_str(out, ", ");
		if (d->tok[obj].type == TF_JSON_OBJECT) {
			text_add(out, d->text + d->tok[t].key_off,
			    d->tok[t].key_len);
			tf_buf_str(out, " ");
		}
		if (d->tok[t].type == TF_JSON_OBJECT) {
			tf_buf_str(out, "(");
			add_members(out, d, t);
			tf_buf_str(out, ")");
		} else {
			text_add_token(out, d, (int)t);
		}
	}
}

/* One value; an object or a list becomes one line. */
static void
print_line(const char *label, const struct tf_json_doc *d, uint32_t t)
{
	struct tf_buf value = { 0 };

	if (d->tok[t].type == TF_JSON_OBJECT || d->tok[t].type == TF_JSON_ARRAY)
		add_members(&value, d, t);
	else
		text_add_token(&value, d, (int)t);
	printf("%-10s  %s\n", label, text_of(&value));
	tf_buf_free(&value);
}

/* Print a field; an array has one line per element. */
static void
print_field(const struct tf_json_doc *d, uint32_t t)
{
	const struct tf_json_token *tok = &d->tok[t];
	struct tf_buf key = { 0 };
	const char *label;

	text_add(&key, d->text + tok->key_off, tok->key_len);
	label = text_of(&key);
	if (tok->type != TF_JSON_ARRAY) {
		print_line(label, d, t);
	} else {
		for (uint32_t e = t + 1; e < tok->next; e = d->tok[e].next) {
			print_line(label, d, e);
			label = "";
		}
	}
	tf_buf_free(&key);
}

/* The text of member key of object t; "" if it has none. */
static struct tf_str
member_text(const struct tf_json_doc *d, uint32_t t, const char *key)
{
	int m = tf_json_get(d, (int)t, key);
	struct tf_str s = { "", 0 };

	if (m >= 0 && d->tok[m].type == TF_JSON_STRING) {
		s = tf_json_text(d, m);
		s = (struct tf_str){ s.p + 1, s.n - 2 };
	}
	return s;
}

static int64_t
member_number(const struct tf_json_doc *d, uint32_t t, const char *key,
    int64_t none)
{
	int m = tf_json_get(d, (int)t, key);

	return m >= 0 && d->tok[m].type == TF_JSON_INT ? d->tok[m].num : none;
}

/* Print one anchor as words. */
static void
print_anchor(const char *label, struct tf_str kind, struct tf_str name,
    int64_t size, int64_t age)
{
	struct tf_buf words = { 0 }, shown = { 0 };

	tf_anchor_words(kind, name, (uint64_t)size, age, &words);
	text_add(&shown, words.p, words.n);
	printf("%-10s  %s\n", label, text_of(&shown));
	tf_buf_free(&words);
	tf_buf_free(&shown);
}

/* Print who outside of this machine has seen the ledger: a line for each. */
static void
print_anchors(const struct tf_json_doc *d)
{
	const int list = tf_json_get(d, 0, "anchors"),
		  guard = tf_json_get(d, 0, "guard");
	const char *label = "anchored";
	int64_t guarded = guard < 0 ?
	    0 :
	    member_number(d, (uint32_t)guard, "entries", 0);

	if (guarded > 0) {
		print_anchor(label, tf_str_of(TF_ANCHOR_GUARD), tf_str_of(""),
		    guarded, member_number(d, (uint32_t)guard, "age", -1));
		label = "";
	}
	if (list < 0 || d->tok[list].type != TF_JSON_ARRAY) {
		if (guarded == 0)
			printf("%-10s  %s\n", label, TF_ANCHOR_NONE);
		return;
	}
	for (uint32_t t = (uint32_t)list + 1; t < d->tok[list].next;
	     t = d->tok[t].next) {
		print_anchor(label, member_text(d, t, "kind"),
		    member_text(d, t, "name"), member_number(d, t, "size", 0),
		    member_number(d, t, "age", -1));
		label = "";
	}
}

/* Known fields first, in the order of their use; then all others. */
static void
print_table(const struct tf_json_doc *d)
{
	static const char *const first[] = { "origin", "store", "mount", "host",
		"pid", "version", "entries", "root", "anchored", "anchors",
		"bytes", "states" };
	const size_t n = sizeof(first) / sizeof(first[0]);
	size_t i;
	int t;

	for (i = 0; i < n; i++) {
		if (strcmp(first[i], "anchors") == 0)
			continue;
		if (strcmp(first[i], "anchored") == 0)
			print_anchors(d);
		else if ((t = tf_json_get(d, 0, first[i])) >= 0)
			print_field(d, (uint32_t)t);
		else if (strcmp(first[i], "mount") == 0)
			printf("%-10s  %s\n", "mount", "not mounted");
	}
	for (uint32_t u = 1; u < d->tok[0].next; u = d->tok[u].next) {
		for (i = 0; i < n; i++) {
			if (strlen(first[i]) == d->tok[u].key_len &&
			    memcmp(first[i], d->text + d->tok[u].key_off,
				d->tok[u].key_len) == 0)
				break;
		}
		if (i == n)
			print_field(d, u);
	}
}

/* A line for each redacted file of a workflow. */
static void
print_redactions(const struct tf_json_doc *d)
{
	int list = tf_json_get(d, 0, "redactions");

	for (uint32_t i = (uint32_t)list + 1;
	     list >= 0 && i < d->tok[list].next; i = d->tok[i].next)
		protect_print_redaction(d, (int)i);
}

/* Warn of a template that no workflow can satisfy, also before one begins.  The
 * caller may not be allowed to read the template: then there is no warning. */
static void
warn_of_template(const struct where *w)
{
	const struct define d = { w, TF_DEFINITION_TEMPLATE, "" };
	struct tf_buf text = { 0 };
	uint64_t version = 0;

	if (define_get(&d, &text, &version, NULL) == TF_OK)
		define_warn(w, &text);
	tf_buf_free(&text);
}

/* Print the lines of a trail, each with the name of the trail at its end: names
 * need no escapes, and no other member comes after "trail". */
static void
print_lines_of(const char *trail, const struct tf_buf *b)
{
	const char *line = b->p, *end = b->p + b->n, *lf;

	for (; line < end; line = lf + 1) {
		lf = memchr(line, '\n', (size_t)(end - line));
		if (lf == NULL || lf == line || lf[-1] != '}')
			return;
		fwrite(line, 1, (size_t)(lf - line) - 1, stdout);
		printf(",\"trail\":\"%s\"}\n", trail);
	}
}

/* Print the status of a trail or workflow.  among: it is one of several trails. */
static enum tf_code
print_compliance(const struct where *w, bool among, struct damage *damage,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_buf b = { 0 };
	enum tf_code rc = compliance_read(w, &b, err);

	if (rc == TF_OK && as_json && among)
		print_lines_of(w->path, &b);
	else if (rc == TF_OK && as_json)
		fwrite(b.p, 1, b.n, stdout);
	else if (rc == TF_OK && among)
		printf("%s\n", w->path);
	if (rc == TF_OK && compliance_of_trail(w))
		rc = as_json ? compliance_read_damage(&b, damage, err) :
			       compliance_print_trail(&b, damage, err);
	else if (rc == TF_OK && b.n > 0 &&
	    (rc = tf_json_parse_status(&d, b.p, b.n - 1, err)) == TF_OK) {
		if (!as_json) {
			compliance_print(w->path,
			    compliance_word(&d,
				tf_json_get(&d, 0, "compliance_status"),
				"status"),
			    &d, false);
			compliance_print_protection(&d);
			print_redactions(&d);
		}
		damage_read(damage, &d, 0);
	}
	if (rc == TF_OK && compliance_of_trail(w))
		warn_of_template(w);
	tf_json_doc_free(&d);
	tf_buf_free(&b);
	return rc;
}

/* Say which evidence reads have found damaged. */
static void
say_damaged(struct damage *damage, const struct tf_json_doc *d)
{
	const int of = tf_json_get(d, 0, "damaged");
	const int list = of < 0 ? -1 : tf_json_get(d, of, "paths");
	struct tf_buf why = { 0 };

	for (uint32_t t = (uint32_t)list + 1;
	     list >= 0 && t < d->tok[list].next; t = d->tok[t].next) {
		why.n = 0;
		text_add_token(&why, d, (int)t);
		tf_buf_str(&why,
		    ": its bytes are not those of its entry: run trailctl "
		    "verify");
		damage_say(damage, DAMAGE_NO_ENTRY, text_of(&why));
	}
	if (of >= 0 && list < 0)
		damage_say(damage, DAMAGE_NO_ENTRY,
		    "evidence is damaged: run trailctl verify");
	tf_buf_free(&why);
}

/* Say that a verification failed.  Only damage is damage: another verdict is a
 * note. */
static void
say_verify_failed(struct damage *damage, const struct tf_json_doc *d)
{
	const int of = tf_json_get(d, 0, "verify_failed");
	struct tf_str verdict, at;
	struct tf_buf why = { 0 };
	int64_t n;

	if (of < 0 || d->tok[of].type != TF_JSON_OBJECT)
		return;
	verdict = member_text(d, (uint32_t)of, "verdict");
	at = member_text(d, (uint32_t)of, "at");
	tf_buf_str(&why, "the verification of ");
	text_add(&why, at.p, at.n);
	tf_buf_str(&why, " ended with the verdict ");
	text_add(&why, verdict.p, verdict.n);
	n = member_number(d, (uint32_t)of, "findings", 0);
	tf_buf_printf(&why,
	    " and %lld finding%s, and none that read everything was good "
	    "since: run trailctl verify",
	    (long long)n, n == 1 ? "" : "s");
	if (tf_str_same(verdict, tf_str_of("undecided")) ||
	    tf_str_same(verdict, tf_str_of("unusual")))
		report_note("%s", text_of(&why));
	else
		damage_say(damage, DAMAGE_NO_ENTRY, text_of(&why));
	tf_buf_free(&why);
}

/* Print the status of one trail, unless the caller may not read it. */
static enum tf_code
print_trail(const struct where *w, const char *name, struct damage *damage,
    bool *any, size_t *refused, struct tf_error *err)
{
	struct where trail = { .mount = w->mount };
	struct tf_error why = { 0 };
	enum tf_code rc;

	if (asprintf(&trail.file, "%s/%s", w->mount, name) < 0)
		return tf_nomem(err);
	trail.path = trail.file + strlen(w->mount) + 1;
	rc = print_compliance(&trail, true, damage, &why);
	*any = *any || rc == TF_OK;
	*refused += rc == TF_ACCESS;
	free(trail.file);
	if (rc == TF_OK || rc == TF_ACCESS)
		return TF_OK;
	*err = why;
	return rc;
}

/*
 * For a user who may not read the status of the vault: print that of the
 * workflow that the path is in, or of all trails that this user may read.  err
 * holds the refusal, which stays the answer if there is none.
 */
static enum tf_code
print_readable(struct where *w, struct damage *damage, struct tf_error *err)
{
	char *end = w->path;
	bool any = false;
	size_t refused = 0;
	enum tf_code rc = TF_OK;
	const struct dirent *d;
	DIR *names;

	if (strcmp(w->path, ".") != 0) {
		for (int slashes = 0; *end != '\0'; end++)
			if (*end == '/' && ++slashes == TF_KIND_WORKFLOW)
				break;
		*end = '\0';
		return print_compliance(w, false, damage, err);
	}
	if ((names = opendir(w->mount)) == NULL)
		return TF_ACCESS;
	while (rc == TF_OK && (d = readdir(names)) != NULL)
		if (d->d_name[0] != '.')
			rc = print_trail(w, d->d_name, damage, &any, &refused,
			    err);
	(void)closedir(names);
	if (rc == TF_OK && !any)
		return TF_ACCESS;
	if (rc == TF_OK)
		report_note("these are the trails that you may read, not the "
			    "whole vault: %zu trail%s and the status of the "
			    "vault itself are left out",
		    refused, refused == 1 ? "" : "s");
	return rc;
}

/* The depth of the path chooses: a trail, a workflow, or the whole vault. */
static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct tf_buf b = { 0 };
	struct tf_json_doc d = { 0 };
	struct damage damage = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	if ((rc = where_find(n > 0 ? arg[0] : ".", &w, &err)) != TF_OK)
		goto out;
	if (compliance_of_trail(&w) || compliance_of_workflow(&w)) {
		rc = print_compliance(&w, false, &damage, &err);
		goto out;
	}
	rc = where_text(&w, TF_CONTROL_STATUS, tf_vault_status, &b, &err);
	if (rc == TF_ACCESS && w.mount != NULL) {
		rc = print_readable(&w, &damage, &err);
		goto out;
	}
	if (rc != TF_OK)
		goto out;
	while (b.n > 0 && b.p[b.n - 1] == '\n')
		b.n--;
	if (tf_json_parse(&d, b.p, b.n, &err) != TF_OK) {
		rc = tf_fail(&err, TF_INDOUBT, "the status is not JSON");
		goto out;
	}
	say_damaged(&damage, &d);
	say_verify_failed(&damage, &d);
	if (as_json) {
		fwrite(b.p, 1, b.n, stdout);
		putchar('\n');
	} else if (d.tok[0].type == TF_JSON_OBJECT) {
		print_table(&d);
	}
out:
	tf_json_doc_free(&d);
	tf_buf_free(&b);
	where_free(&w);
	return rc == TF_OK ? damage_exit(&damage, REPORT_OK) : report(&err);
}

const struct verb cmd_status = {
	.name = "status",
	.summary = "print the status of a vault, a trail or a workflow",
	.usage = "[OPTION...] [STORE|PATH]",
	.options = options,
	.min = 0,
	.max = 1,
	.run = run,
};
