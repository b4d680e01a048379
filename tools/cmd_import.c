/*
 * trailctl import: records of another system, from its files.
 *
 * All files are read and checked before the store is opened (import.h), so most
 * wrong input changes nothing. A refusal of the store in the middle, a signal or
 * a crash leaves whole attestations only, and the same command does the rest.
 *
 * Exit status: 0 imported, or it was imported before; 1 the vault has something
 * else under a name, or evidence is missing or not that of its record; 2 wrong
 * arguments, or files that are not what they should be; 3 store or file cannot
 * be read or written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "core/base/member.h"
#include "import.h"
#include "interrupt.h"
#include "kosli.h"
#include "progress.h"
#include "report.h"
#include "text.h"

static struct {
	bool json, without_evidence;
	enum args_truth compliant;
	const char *flow, *trail;
} ask;

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	KOSLI_TEXT("mount", 0, "STORE", "the vault, which is not mounted",
	    &kosli_ask.mount),
	KOSLI_TEXT("flow", 0, "NAME", "the trail of what does not say it",
	    &ask.flow),
	KOSLI_TEXT("trail", 0, "NAME", "the workflow of what does not say it",
	    &ask.trail),
	{ .name = "compliant",
	    .letter = 'C',
	    .help = "the verdict of what does not say it",
	    .truth = &ask.compliant },
	{ .name = "missing-evidence",
	    .help = "import records whose evidence is not given",
	    .flag = &ask.without_evidence },
	{ 0 },
};

/* After the store is closed: the answer promises what is durable. */
static enum tf_code
print(const struct import_plan *p, const struct import_result *x,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	enum tf_code rc;

	if (!ask.json) {
		if (x->workflows + x->attestations == 0 && !x->completed)
			printf("already imported: nothing was added\n");
		else
			printf("imported: workflows %llu, attestations %llu, "
			       "files %llu; imported before: attestations "
			       "%llu\n",
			    (unsigned long long)x->workflows,
			    (unsigned long long)x->attestations,
			    (unsigned long long)x->files,
			    (unsigned long long)x->found);
		return TF_OK;
	}
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_uint(&j, "attestations", x->attestations);
	tf_put_uint(&j, "attestations_before", x->found);
	tf_put_uint(&j, "files", x->files);
	tf_put_bool(&j, "recorded",
	    x->workflows + x->attestations > 0 || x->completed);
	tf_put_uint(&j, "sources", p->n_files);
	tf_put_uint(&j, "workflows", x->workflows);
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
write_shown(struct import_plan *p, const char *store, struct import_result *x,
    struct tf_error *err)
{
	struct progress progress = { .what = "import",
		.unit = "attestations",
		.silent = ask.json };
	enum tf_code rc;

	progress_listen(&progress);
	rc = import_write(p, store, x, err);
	progress_end(&progress);
	return rc;
}

static enum tf_code
import(struct import_plan *p, struct import_result *x, struct tf_error *err)
{
	char *store = NULL;
	enum tf_code rc = kosli_path(&store, err, NULL, NULL, NULL);

	if (rc == TF_OK)
		rc = import_read(p, err);
	if (rc == TF_OK && p->n == 0)
		rc = tf_fail(err, TF_INVALID,
		    "the files have no trails and no attestations");
	/* Until now a signal may end the program: nothing has a name. */
	interrupt_hold();
	if (rc == TF_OK)
		rc = write_shown(p, store, x, err);
	free(store);
	return rc;
}

static int
run(int n, char **arg)
{
	struct import_plan p = { .spool = -1 };
	struct import_result x;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if ((p.file = calloc((size_t)n, sizeof(*p.file))) == NULL) {
		(void)tf_nomem(&err);
		return report(&err);
	}
	p.n_files = (size_t)n - 1;
	for (size_t i = 0; i < p.n_files; i++)
		p.file[i].path = arg[i + 1];
	p.flow = ask.flow;
	p.name = ask.trail;
	p.without_evidence = ask.without_evidence;
	if (ask.compliant != ARGS_NOT_GIVEN)
		p.compliant = ask.compliant == ARGS_TRUE ? "true" : "false";
	rc = import(&p, &x, &err);
	if (rc == TF_OK)
		rc = print(&p, &x, &err);
	import_free(&p);
	interrupt_release();
	return rc == TF_OK ? REPORT_OK : report(&err);
}

const struct verb cmd_import = {
	.name = "import",
	.summary = "record what another system says, marked as imported",
	.usage = "[OPTION...] kosli FILE...",
	.options = options,
	.actions = "kosli",
	.min = 2,
	.max = VERB_ANY_NUMBER,
	.run = run,
};
