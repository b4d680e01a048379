/*
 * kosli create flow and begin trail.
 *
 * A flow becomes a trail and a trail a workflow. create flow calls trailctl
 * trail create. begin trail is more than one verb: set the template of the
 * flow, begin the workflow, which takes the newest template, and set its
 * claims. It may be run again: what is there already stays, and a workflow that
 * was begun with another template is an error, since it keeps the one it has.
 *
 * Whatever can be refused is refused before the first write. A dry run makes
 * the same checks and then prints what would be made; whether the caller may
 * write there is asked without writing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "claim_dir.h"
#include "core/base/member.h"
#include "core/control.h"
#include "define.h"
#include "files.h"
#include "kosli.h"
#include "recorder.h"
#include "report.h"
#include "text.h"

#define EMPTY_TEMPLATE "version: 1\n" /* as Kosli's --use-empty-template */

int
kosli_failed(const struct kosli_word *w, const struct tf_error *err)
{
	return err->code == TF_USAGE ? kosli_usage(w, "%s", err->text) :
				       report(err);
}

enum tf_code
kosli_check_writable(const char *path, struct tf_error *err)
{
	struct where w = { 0 };
	struct tf_vault *v = NULL;
	struct tf_attr a;
	char state[16] = "";
	enum tf_code rc = where_find(path, &w, err);

	if (rc == TF_OK && w.mount != NULL) {
		(void)getxattr(w.file, TF_XATTR_STATE, state,
		    sizeof(state) - 1);
		if (access(w.file, W_OK | X_OK) < 0)
			rc = errno == EACCES ?
			    where_denied_write(w.file, w.path, err) :
			    report_system(err, "%s", w.path);
	} else if (rc == TF_OK &&
	    (rc = where_open(&w, false, &v, err)) == TF_OK) {
		rc = tf_vault_walk(v, w.path, &a, err);
		if (rc == TF_OK && a.state == TF_STATE_SEALED)
			strcpy(state, "sealed");
		where_close(v);
	}
	if (rc == TF_OK && strcmp(state, "sealed") == 0)
		rc = tf_fail(err, TF_SEALED, "%s is sealed", w.path);
	where_free(&w);
	return rc;
}

/* --- create flow ------------------------------------------------------------------ */

/* Checks in the order of the real thing. */
static int
dry_flow(const char *vault, const char *name, const char *file,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct claims c = { 0 };
	enum tf_code rc = kosli_check_writable(vault, err);

	if (rc == TF_OK)
		rc = claims_take(&kosli_ask.claims, &c, err);
	if (rc == TF_OK)
		rc = claim_dir_check(TF_KIND_TRAIL, &c, err);
	claims_free(&c);
	if (rc == TF_OK && file != NULL)
		rc = define_read(TF_DEFINITION_TEMPLATE, "", file, &text, err);
	tf_buf_free(&text);
	if (rc != TF_OK)
		return kosli_failed(&kosli_create_flow, err);
	printf("%s  would be created%s\n", name,
	    file != NULL ? ", with its template" : "");
	return REPORT_OK;
}

/* The file of the empty template, for the caller to remove and free. */
static enum tf_code
make_empty(char **out, struct tf_error *err)
{
	int fd;
	enum tf_code rc;

	if ((*out = kosli_temporary()) == NULL)
		return tf_nomem(err);
	if ((fd = mkstemp(*out)) < 0) {
		rc = report_system(err, "%s", *out);
		free(*out);
		*out = NULL;
		return rc;
	}
	rc = files_put(fd, *out, EMPTY_TEMPLATE, strlen(EMPTY_TEMPLATE), err);
	if (close(fd) < 0 && rc == TF_OK)
		rc = report_system(err, "%s", *out);
	return rc;
}

static int
create_flow(const char *name, const char *file, struct tf_error *err)
{
	struct kosli_call c;
	char *path = NULL, *vault = NULL;
	int status;
	enum tf_code rc = kosli_path(&path, err, name, NULL, NULL);

	if (rc == TF_OK)
		rc = kosli_path(&vault, err, NULL, NULL, NULL);
	if (rc != TF_OK) {
		status = kosli_failed(&kosli_create_flow, err);
	} else if (kosli_ask.dry_run == ARGS_TRUE) {
		status = dry_flow(vault, name, file, err);
	} else {
		kosli_call(&c, "trail");
		kosli_call_add(&c, "template", file);
		kosli_call_add(&c, "description", kosli_ask.claims.description);
		kosli_call_add(&c, NULL, "--");
		kosli_call_add(&c, NULL, "create");
		kosli_call_add(&c, NULL, path);
		status = kosli_call_do(&c, &cmd_trail);
	}
	free(path);
	free(vault);
	return status;
}

static int
run_flow(int n, char **arg)
{
	const bool empty = kosli_ask.empty_template == ARGS_TRUE;
	struct tf_error err = { 0 };
	char *file = NULL;
	int status;

	(void)n;
	if (empty && kosli_ask.template_file != NULL)
		return kosli_usage(&kosli_create_flow,
		    "--template-file and --use-empty-template exclude each "
		    "other");
	if (empty && make_empty(&file, &err) != TF_OK)
		status = report(&err);
	else
		status = create_flow(arg[0],
		    empty ? file : kosli_ask.template_file, &err);
	if (file != NULL)
		(void)unlink(file);
	free(file);
	return status;
}

static const struct args_option flow_options[] = {
	KOSLI_TEXT("template-file", 'f', "FILE", "its template",
	    &kosli_ask.template_file),
	KOSLI_TRUTH("use-empty-template", 0, "a template that needs nothing",
	    &kosli_ask.empty_template),
	KOSLI_DESCRIPTION(0),
	KOSLI_NO("template", 't', "write a template file"),
	KOSLI_NO("visibility", 0, "use chmod and chgrp"),
	KOSLI_DRY_RUN,
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_create_flow = {
	.verb = "create",
	.object = "flow",
	.operand = "FLOW",
	.is = "trail create",
	.options = flow_options,
	.min = 1,
	.max = 1,
	.run = run_flow,
};

/* --- begin trail ------------------------------------------------------------------------ */

/* A workflow that is begun, or was. */
struct begin {
	char *flow, *path; /* of the trail and of the workflow */
	struct tf_buf template;
	struct claims claims;
	bool existed, changed;
};

/* Fail unless the workflow is judged by a template of these bytes. */
static enum tf_code
check_template(const struct begin *b, struct tf_error *err)
{
	struct where w = { 0 };
	struct define d = { &w, TF_DEFINITION_TEMPLATE, "" };
	struct tf_buf text = { 0 };
	uint64_t version = 0;
	enum tf_code rc = where_find(b->path, &w, err);

	if (b->template.n == 0) {
		where_free(&w);
		return rc;
	}
	if (rc == TF_OK)
		rc = define_of_workflow(&w, &version, err);
	if (rc == TF_OK)
		rc = define_get(&d, &text, &version, err);
	if (rc == TF_NODATA)
		rc = tf_fail(err, TF_EXISTS,
		    "trail %s was begun without a template, and keeps none",
		    kosli_ask.name);
	else if (rc == TF_OK &&
	    (text.n != b->template.n ||
		memcmp(text.p, b->template.p, text.n) != 0))
		rc = tf_fail(err, TF_EXISTS,
		    "trail %s was begun with another template, version %llu, "
		    "and keeps it",
		    kosli_ask.name, (unsigned long long)version);
	tf_buf_free(&text);
	where_free(&w);
	return rc;
}

/* Nothing is written if the flow has this template already. */
static enum tf_code
set_template(const struct begin *b, struct tf_error *err)
{
	struct where w = { 0 };
	struct define d = { &w, TF_DEFINITION_TEMPLATE, "" };
	uint64_t version = 0;
	bool changed = false;
	enum tf_code rc = where_find(b->flow, &w, err);

	if (rc == TF_OK)
		rc = define_set(&d, &b->template, &changed, &version, err);
	where_free(&w);
	return rc;
}

/* Make the workflow, as trailctl attest --begin does. */
static enum tf_code
make(const struct begin *b, struct tf_error *err)
{
	struct recorder r = { .fd = -1 };
	char *below = NULL;
	enum tf_code rc;

	if (asprintf(&below, "%s/begin", b->path) < 0)
		return tf_nomem(err);
	rc = recorder_open(below, &r, err);
	if (rc == TF_OK)
		rc = recorder_workflow(&r, true, err);
	rc = recorder_close(&r, rc, err);
	free(below);
	return rc;
}

/* Claims that are there already are not set again. */
static enum tf_code
claim(struct begin *b, struct tf_error *err)
{
	struct where w = { 0 };
	enum tf_code rc = where_find(b->path, &w, err);

	if (rc == TF_OK)
		rc = claim_dir(&w, &b->claims, &b->changed, err);
	where_free(&w);
	return rc;
}

/* A store finds every path, so the node itself is looked up. */
static enum tf_code
exists(const char *path, bool *is, struct tf_error *err)
{
	struct where w = { 0 };
	struct tf_vault *v = NULL;
	struct tf_attr a;
	enum tf_code rc = where_find_name(path, &w, is, err);

	if (rc == TF_OK && w.store != NULL &&
	    (rc = where_open(&w, false, &v, err)) == TF_OK) {
		rc = tf_vault_walk(v, w.path, &a, err);
		*is = rc == TF_OK;
		where_close(v);
	}
	where_free(&w);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Print the entries that would be made. */
static enum tf_code
print_dry(const struct begin *b, struct tf_error *err)
{
	struct tf_buf text = { 0 }, claims = { 0 };
	struct tf_json j;
	char *path = NULL;
	enum tf_code rc = kosli_check_writable(b->existed ? b->path : b->flow,
	    err);

	if (rc == TF_OK)
		rc = claims_json(&b->claims, &claims, err);
	if (rc == TF_OK &&
	    asprintf(&path, "%s/%s", kosli_ask.flow, kosli_ask.name) < 0) {
		path = NULL;
		rc = tf_nomem(err);
	}
	if (rc == TF_OK) {
		tf_json_begin(&j, &text);
		tf_json_object(&j);
		if (claims.n > 0)
			tf_put_raw(&j, "claims", tf_buf_bytes(&claims));
		tf_put_cstr(&j, "path", path);
		tf_put_cstr(&j, "type",
		    b->existed ? "claims.set" : "workflow.begun");
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
	}
	if (rc == TF_OK)
		printf("%s\n", text_of(&text));
	free(path);
	tf_buf_free(&text);
	tf_buf_free(&claims);
	return rc;
}

/* The steps in the order that the head of this file gives. */
static enum tf_code
begin(struct begin *b, struct tf_error *err)
{
	bool flow;
	enum tf_code rc = claim_dir_check(TF_KIND_WORKFLOW, &b->claims, err);

	if (rc == TF_OK)
		rc = exists(b->flow, &flow, err);
	if (rc == TF_OK && !flow)
		return tf_fail(err, TF_USAGE,
		    "there is no flow %.80s: see create flow", kosli_ask.flow);
	if (rc == TF_OK)
		rc = exists(b->path, &b->existed, err);
	/* What cannot be is refused before a template is set. */
	if (rc == TF_OK && b->existed)
		rc = check_template(b, err);
	if (rc == TF_OK && kosli_ask.dry_run == ARGS_TRUE)
		return print_dry(b, err);
	if (rc == TF_OK && !b->existed && b->template.n > 0)
		rc = set_template(b, err);
	if (rc == TF_OK && !b->existed)
		rc = make(b, err);
	/* Another one may have set another template, or begun it. */
	if (rc == TF_OK && !b->existed)
		rc = check_template(b, err);
	if (rc == TF_OK)
		rc = claim(b, err);
	if (rc == TF_OK)
		printf("%s/%s  %s\n", kosli_ask.flow, kosli_ask.name,
		    !b->existed	   ? "begun" :
			b->changed ? "updated" :
				     "exists already");
	return rc;
}

static int
run_trail(int n, char **arg)
{
	struct begin b = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)n;
	kosli_ask.name = arg[0];
	if (kosli_ask.flow == NULL)
		return kosli_usage(&kosli_begin_trail, "--flow is missing");
	rc = kosli_lists(&err);
	if (rc == TF_OK)
		rc = kosli_context(&err);
	if (rc == TF_OK)
		rc = kosli_user_data(&err);
	if (rc == TF_OK)
		rc = claims_take(&kosli_ask.claims, &b.claims, &err);
	if (rc == TF_OK)
		rc = kosli_path(&b.flow, &err, kosli_ask.flow, NULL, NULL);
	if (rc == TF_OK)
		rc = kosli_path(&b.path, &err, kosli_ask.flow, arg[0], NULL);
	if (rc == TF_OK && kosli_ask.template_file != NULL)
		rc = define_read(TF_DEFINITION_TEMPLATE, "",
		    kosli_ask.template_file, &b.template, &err);
	if (rc == TF_OK)
		rc = begin(&b, &err);
	claims_free(&b.claims);
	tf_buf_free(&b.template);
	free(b.flow);
	free(b.path);
	return rc == TF_OK ? REPORT_OK : kosli_failed(&kosli_begin_trail, &err);
}

static const struct args_option trail_options[] = {
	KOSLI_TEXT("flow", 0, "FLOW", "the trail of the vault",
	    &kosli_ask.flow),
	KOSLI_TEXT("template-file", 'f', "FILE",
	    "becomes the newest template of the flow",
	    &kosli_ask.template_file),
	KOSLI_DESCRIPTION(0),
	KOSLI_CONTEXT,
	KOSLI_GLOBAL,
};
const struct kosli_word kosli_begin_trail = {
	.verb = "begin",
	.object = "trail",
	.operand = "TRAIL",
	.is = "template set, mkdir of the workflow, setfattr",
	.options = trail_options,
	.min = 1,
	.max = 1,
	.run = run_trail,
};
