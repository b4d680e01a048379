/*
 * Places, claims and command lines for the words of Kosli: see kosli.h.
 *
 * A flow is a trail and a trail is a workflow, so the path of an attestation is
 * VAULT/FLOW/TRAIL/NAME. The vault is --mount, or TRAILFS_MOUNT, or the one
 * that the current directory is in: in this order, since the nearer choice of
 * the user counts.
 *
 * Words become command lines of verbs and not calls of functions, so that
 * checks, messages and exit statuses are those of the verb.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kosli.h"
#include "program.h"
#include "report.h"

/* --- where the vault is ---------------------------------------------------------- */

/* *out: the root of the mount or the directory of the store. */
static enum tf_code
find_vault(char **out, struct tf_error *err)
{
	const char *place = kosli_ask.mount;
	struct where w = { 0 };
	enum tf_code rc;

	if (place == NULL)
		place = getenv("TRAILFS_MOUNT");
	if (place != NULL && *place == '\0')
		return tf_fail(err, TF_USAGE, "TRAILFS_MOUNT is empty");
	rc = where_find(place != NULL ? place : ".", &w, err);
	if (rc == TF_NOTFOUND && place == NULL)
		rc = tf_fail(err, TF_USAGE,
		    "name the vault with --mount DIR or TRAILFS_MOUNT, or "
		    "work in it");
	if (rc == TF_OK &&
	    (*out = strdup(w.mount != NULL ? w.mount : w.store)) == NULL)
		rc = tf_nomem(err);
	where_free(&w);
	return rc;
}

/* Replace *path by PATH/NAME. On failure *path stays for the caller to free. */
static enum tf_code
append(char **path, const char *name, struct tf_error *err)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s/%s", *path, name) < 0)
		return tf_nomem(err);
	free(*path);
	*path = longer;
	return TF_OK;
}

enum tf_code
kosli_path(char **out, struct tf_error *err, const char *flow,
    const char *trail, const char *name)
{
	enum tf_code rc;

	*out = NULL;
	if (flow != NULL && !kosli_is_name(flow))
		return tf_fail(err, TF_USAGE,
		    "\"%.60s\" is no name of a flow: letters, digits and "
		    ".-_~, and a letter or digit first",
		    flow);
	if (trail != NULL && !kosli_is_name(trail))
		return tf_fail(err, TF_USAGE,
		    "\"%.60s\" is no name of a trail: letters, digits and "
		    ".-_~, and a letter or digit first",
		    trail);
	rc = find_vault(out, err);
	if (rc == TF_OK && flow != NULL)
		rc = append(out, flow, err);
	if (rc == TF_OK && flow != NULL && trail != NULL)
		rc = append(out, trail, err);
	if (rc == TF_OK && flow != NULL && trail != NULL && name != NULL)
		rc = append(out, name, err);
	return rc;
}

char *
kosli_temporary(void)
{
	const char *tmp = program_variable("TMPDIR");
	char *name = NULL;

	if (tmp == NULL || tmp[0] != '/')
		tmp = "/tmp";
	return asprintf(&name, "%s/trailctl.XXXXXX", tmp) < 0 ? NULL : name;
}

/* --- command lines of trailctl -------------------------------------------------------- */

#define CALL_MAX (sizeof(((struct kosli_call *)0)->v) / sizeof(char *) - 1)

/* Takes word, also on failure. NULL is a failed allocation of the caller. */
static void
add(struct kosli_call *c, char *word)
{
	if (word == NULL || (size_t)c->n == CALL_MAX) {
		free(word);
		c->failed = true;
		return;
	}
	c->v[c->n++] = word;
}

void
kosli_call(struct kosli_call *c, const char *verb)
{
	*c = (struct kosli_call){ 0 };
	add(c, strdup(verb));
}

void
kosli_call_add(struct kosli_call *c, const char *name, const char *value)
{
	char *word = NULL;

	if (value == NULL)
		return;
	if (name == NULL)
		add(c, strdup(value));
	else
		add(c,
		    asprintf(&word, "--%s=%s", name, value) < 0 ? NULL : word);
}

void
kosli_call_list(struct kosli_call *c, const char *name,
    const struct args_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		kosli_call_add(c, name, l->v[i]);
}

int
kosli_call_do(struct kosli_call *c, const struct verb *v)
{
	char *arg[CALL_MAX + 1];
	struct tf_error err = { 0 };
	int status;

	if (c->failed) {
		(void)tf_fail(&err, TF_USAGE,
		    "more than %zu arguments, or no memory", CALL_MAX);
		status = report(&err);
	} else {
		/* The verb sorts them. */
		memcpy(arg, c->v, sizeof(arg));
		status = cmd_do(v, c->n, arg);
	}
	for (int i = 0; i < c->n; i++)
		free(c->v[i]);
	*c = (struct kosli_call){ 0 };
	return status;
}

/* --- lists and claims -------------------------------------------------------------------- */

/* The list points into arguments, so only the array is allocated. */
static enum tf_code
push(struct args_list *l, const char *value, struct tf_error *err)
{
	const char **v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v == NULL)
		return tf_nomem(err);
	l->v = v;
	l->v[l->n++] = value;
	return TF_OK;
}

/* Split the values at their commas, in place: they are arguments. */
static enum tf_code
split(const char *option, struct args_list *l, bool pairs, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	const size_t n = l->n;

	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		char *p = (char *)l->v[i], *comma = strchr(p, ',');

		/* Kosli reads k=a,b as one pair, and k=a,l=b as two. */
		if (comma == NULL ||
		    (pairs && strchr(p, '=') == strrchr(p, '=')))
			continue;
		if (strchr(p, '"') != NULL)
			return tf_fail(err, TF_USAGE,
			    "--%s: quotes in a list: repeat the option instead",
			    option);
		for (; rc == TF_OK && comma != NULL;
		     comma = strchr(comma + 1, ',')) {
			*comma = '\0';
			rc = push(l, comma + 1, err);
		}
	}
	for (size_t i = 0; rc == TF_OK && i < l->n; i++)
		if (l->v[i][0] == '\0')
			rc = tf_fail(err, TF_USAGE,
			    "--%s: a value in the list is empty", option);
	return rc;
}

/* Only the digest of a commit is ever recorded, so each valid word is satisfied;
 * a wrong one is a mistake to report. */
static enum tf_code
check_redact(struct tf_error *err)
{
	const struct args_list *l = &kosli_ask.redact;

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], "author") != 0 &&
		    strcmp(l->v[i], "message") != 0 &&
		    strcmp(l->v[i], "branch") != 0)
			return tf_fail(err, TF_USAGE,
			    "--redact-commit-info takes author, message and "
			    "branch, not \"%.60s\"",
			    l->v[i]);
	return TF_OK;
}

/* Values of annotations that options of their own give. */
static char *annotation[6];

/* Slot i keeps the string for as long as the list points to it. */
static enum tf_code
annotate(size_t i, const char *key, const char *value, struct tf_error *err)
{
	free(annotation[i]);
	annotation[i] = NULL;
	if (value == NULL)
		return TF_OK;
	if (asprintf(&annotation[i], "%s=%s", key, value) < 0) {
		annotation[i] = NULL;
		return tf_nomem(err);
	}
	return push(&kosli_ask.claims.annotate, annotation[i], err);
}

enum tf_code
kosli_lists(struct tf_error *err)
{
	const struct {
		const char *option;
		struct args_list *list;
		bool pairs;
	} all[] = {
		{ "redact-commit-info", &kosli_ask.redact, false },
		{ "annotate", &kosli_ask.claims.annotate, true },
		{ "external-url", &kosli_ask.claims.url, true },
		{ "external-fingerprint", &kosli_ask.claims.fingerprint, true },
		{ "attachments", &kosli_ask.attachments, false },
		{ "exclude", &kosli_ask.exclude, false },
		{ "attestations", &kosli_ask.attestations, false },
	};
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < sizeof(all) / sizeof(*all); i++)
		rc = split(all[i].option, all[i].list, all[i].pairs, err);
	return rc == TF_OK ? check_redact(err) : rc;
}

/* The values of annotations, once --commit is a digest. */
static enum tf_code
annotate_all(struct tf_error *err)
{
	const struct {
		const char *key, *value;
	} from[] = {
		{ "git_commit", kosli_ask.commit },
		{ "repo_id", kosli_ask.repo_id },
		{ "repo_provider", kosli_ask.repo_provider },
		{ "repo_url", kosli_ask.repo_url },
		{ "repository", kosli_ask.repository },
		{ "artifact_fingerprint", kosli_ask.fingerprint },
	};
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < sizeof(from) / sizeof(*from); i++)
		rc = annotate(i, from[i].key, from[i].value, err);
	return rc;
}

enum tf_code
kosli_context(struct tf_error *err)
{
	enum tf_code rc = kosli_commit(err);

	return rc == TF_OK ? annotate_all(err) : rc;
}
