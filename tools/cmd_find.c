/*
 * trailctl find: names in the ledger, by what it says about them.
 *
 * Options and operands become one query (core/find.h). A file stands for its
 * digest: the question is then whether this content is in the vault, under any
 * name.
 *
 * Exit status 1 if nothing was found, so that a script can ask.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "copies.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/base/member.h"
#include "core/find.h"
#include "find_query.h"
#include "report.h"
#include "text.h"
#include "verdict.h"
#include "where.h"

#define NO_NUMBER UINT64_MAX

static struct {
	bool json, expired;
	const char *hold, *prefix, *name, *user, *behalf, *status, *type,
	    *attestation_type, *control, *at;
	struct args_list annotations;
	char since[TF_TIME_LEN + 1], until[TF_TIME_LEN + 1];
	uint64_t uid, limit;
	struct copies_wish copies;
} ask = { .uid = NO_NUMBER, .limit = TF_FIND_LIMIT };

static const struct args_option options[] = {
	ARGS_JSON(&ask.json),
	{ .name = "annotation",
	    .value = "KEY=VALUE",
	    .help = "with this annotation; may be repeated",
	    .list = &ask.annotations },
	{ .name = "at",
	    .value = "TIME|SIZE",
	    .help = "as the vault was at TIME (UTC) or with SIZE entries",
	    .moment = &ask.at },
	{ .name = "attestation-type",
	    .value = "TYPE",
	    .help = "attestations of this type",
	    .text = &ask.attestation_type },
	COPIES_OPTIONS(ask.copies),
	{ .name = "control",
	    .value = "ID",
	    .help = "attestations about this control",
	    .text = &ask.control },
	{ .name = "expired",
	    .help = "what is kept no longer, and not held",
	    .flag = &ask.expired },
	{ .name = "hold",
	    .value = "HOLD",
	    .help = "what this hold protects",
	    .text = &ask.hold },
	{ .name = "limit",
	    .letter = 'n',
	    .value = "NUMBER",
	    .help = "at most so many answers (100); 0: all",
	    .number = &ask.limit },
	{ .name = "name",
	    .value = "GLOB",
	    .help = "with this name, or with / in GLOB: this path",
	    .text = &ask.name },
	{ .name = "on-behalf-of",
	    .value = "TEXT",
	    .help = "recorded for TEXT, as its claims say",
	    .text = &ask.behalf },
	{ .name = "prefix",
	    .value = "HEX",
	    .help = "whose digest, commit or artifact begins so",
	    .text = &ask.prefix },
	{ .name = "since",
	    .letter = 'S',
	    .value = "TIME",
	    .help = "in the ledger at TIME (UTC) or later",
	    .time = ask.since },
	{ .name = "status",
	    .value = "WORD",
	    .word = tf_find_status,
	    .help = "compliant, non-compliant, open; COMPLIANT...",
	    .text = &ask.status },
	{ .name = "type",
	    .letter = 't',
	    .value = "TYPE",
	    .help = "the same as --attestation-type",
	    .text = &ask.type },
	{ .name = "uid",
	    .value = "NUMBER",
	    .help = "created or sealed by this user",
	    .number = &ask.uid },
	{ .name = "until",
	    .letter = 'U',
	    .value = "TIME",
	    .help = "in the ledger at TIME (UTC) or earlier",
	    .time = ask.until },
	{ .name = "user",
	    .value = "NAME",
	    .help = "the same by name, or made on behalf of NAME",
	    .text = &ask.user },
	{ 0 },
};

/* --- the query ----------------------------------------------------------------- */

/* The order of keys has no meaning. */
static void
add_filters(struct tf_buf *q)
{
	char uid[24];

	find_add(q, "name", ask.name);
	find_add(q, "prefix", ask.prefix);
	for (size_t i = 0; i < ask.annotations.n; i++)
		find_add(q, "annotation", ask.annotations.v[i]);
	if (ask.uid != NO_NUMBER) {
		(void)snprintf(uid, sizeof(uid), "%llu",
		    (unsigned long long)ask.uid);
		find_add(q, "uid", uid);
	}
	find_add(q, "user", ask.user);
	find_add(q, "on_behalf_of", ask.behalf);
	find_add(q, "since", ask.since);
	find_add(q, "until", ask.until);
	find_add(q, "status", ask.status);
	find_add(q, "type", ask.attestation_type);
	find_add(q, "type", ask.type);
	find_add(q, "control", ask.control);
	find_add(q, "at", ask.at);
	find_add(q, "hold", ask.hold);
	find_add(q, "expired", ask.expired ? "true" : NULL);
}

/* The digest of a file that is open. */
static enum tf_code
hash_file(int fd, const char *path, char hex[65], struct tf_error *err)
{
	struct tf_sha256 *h = tf_sha256_new();
	struct tf_hash digest;
	char part[65536];
	ssize_t n;

	if (h == NULL)
		return tf_nomem(err);
	while ((n = read(fd, part, sizeof(part))) > 0)
		tf_sha256_add(h, part, (size_t)n);
	tf_sha256_peek(h, &digest);
	tf_sha256_free(h);
	tf_hex(digest.b, sizeof(digest.b), hex);
	return n < 0 ? report_system(err, "%s", path) : TF_OK;
}

/*
 * What is arg?  A digest or a file becomes a filter; *place is then unchanged,
 * unless it is NULL and the file is in a mount.  Everything else is a place to
 * search.
 */
static enum tf_code
take_operand(const char *arg, struct tf_buf *q, const char **place,
    struct tf_error *err)
{
	char hex[65];
	struct stat st;
	enum tf_code rc;
	int fd;

	if (strlen(arg) == 64 && strspn(arg, "0123456789abcdefABCDEF") == 64) {
		find_add(q, "sha256", arg);
		return TF_OK;
	}
	if (stat(arg, &st) < 0 || S_ISDIR(st.st_mode)) {
		if (*place != NULL)
			return tf_fail(err, TF_USAGE,
			    "%s and %s: only one place can be searched; --name "
			    "finds a name",
			    *place, arg);
		*place = arg;
		return TF_OK;
	}
	if ((fd = open(arg, O_RDONLY | O_CLOEXEC)) < 0)
		return report_system(err, "%s", arg);
	rc = hash_file(fd, arg, hex, err);
	(void)close(fd); /* read-only */
	if (rc == TF_OK)
		find_add(q, "sha256", hex);
	return rc;
}

/* Find where to search: at place; else around the file that is asked about, if
 * it is in a mount; else here. */
static enum tf_code
find_place(const char *place, const char *file, struct where *w,
    struct tf_error *err)
{
	struct tf_error ignored;

	if (place != NULL)
		return where_find(place, w, err);
	if (file != NULL && where_find(file, w, &ignored) == TF_OK &&
	    w->mount != NULL) {
		strcpy(w->path, ".");
		return TF_OK;
	}
	where_free(w);
	return where_find(".", w, err);
}

/* --- the answer ---------------------------------------------------------------- */

/* What is behind a name goes on when it is one of many vaults. */
static const char *origin; /* or NULL */

/* A line for people; --json has all members. */
static void
print_name(const struct tf_json_doc *d)
{
	struct tf_buf path = { 0 }, who = { 0 }, status = { 0 }, when = { 0 };
	const int actor = tf_json_get(d, 0, "actor");
	int t = tf_json_get(d, 0, "status"), behalf;

	text_add_when(&when, d, 0);
	if (t < 0)
		t = tf_json_get(d, 0, "state");
	if (t >= 0)
		text_add_token(&status, d, t);
	if (actor >= 0)
		text_add_actor(&who, d, actor);
	if ((behalf = tf_json_get(d, 0, "on_behalf_of")) >= 0) {
		tf_buf_str(&who, " for ");
		text_add_token(&who, d, behalf);
	}
	if ((t = tf_json_get(d, 0, "path")) >= 0)
		text_add_token(&path, d, t);
	printf("%s %-13s  %-18s  ", text_of(&when), text_of(&status),
	    text_of(&who));
	if (origin != NULL) {
		text_put(stdout, origin, strlen(origin));
		printf("  ");
	}
	printf("%s\n", text_of(&path));
	tf_buf_free(&path);
	tf_buf_free(&who);
	tf_buf_free(&status);
	tf_buf_free(&when);
}

/* The line with the member "origin", among the others by its name. */
static enum tf_code
print_with_origin(const char *line, size_t n, const struct tf_json_doc *d,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_json j;
	size_t at = n - 1; /* the last brace */
	bool last = true;
	enum tf_code rc;

	for (uint32_t t = 1; last && t < d->n; t = d->tok[t].next) {
		const struct tf_json_token *k = &d->tok[t];

		if (tf_str_cmp((struct tf_str){ line + k->key_off, k->key_len },
			tf_str_of("origin")) > 0) {
			at = k->key_off - 1; /* its quote */
			last = false;
		}
	}
	tf_json_begin(&j, &b);
	tf_json_object(&j);
	tf_put_str(&j, "origin", tf_str_of(origin));
	tf_json_object_end(&j);
	if ((rc = tf_json_end(&j, err)) == TF_OK) {
		fwrite(line, 1, at, stdout);
		printf("%s%.*s%s", last ? "," : "", (int)b.n - 2, b.p + 1,
		    last ? "" : ",");
		fwrite(line + at, 1, n - at, stdout);
		putchar('\n');
	}
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
print_answer(void *arg, const char *line, size_t n, const struct tf_json_doc *d,
    struct tf_error *err)
{
	(void)arg;
	if (ask.json && origin != NULL)
		return print_with_origin(line, n, d, err);
	if (ask.json) {
		fwrite(line, 1, n, stdout);
		putchar('\n');
	} else {
		print_name(d);
	}
	return TF_OK;
}

/* --- one vault, and all of an organisation ----------------------------------------- */

/* Search w for the query, which is not changed, and add the answers to *all. */
static enum tf_code
search(const struct where *w, const struct tf_buf *query, uint64_t limit,
    uint64_t *all, struct tf_error *err)
{
	struct find f = { 0 };
	struct tf_buf q = { 0 };
	uint64_t found = 0;
	enum tf_code rc;

	tf_buf_add(&q, query->p, query->n);
	if (strcmp(w->path, ".") != 0)
		find_add(&q, "below", w->path);
	rc = tf_buf_end(&q, err);
	if (rc == TF_OK)
		rc = find_open(&f, w, NULL, err);
	if (rc == TF_OK)
		rc = find_each(&f, &q, limit, print_answer, NULL, &found, err);
	*all += found;
	errno = 0;
	if (rc == TF_NOTFOUND && ask.at != NULL)
		rc = tf_fail(err, rc, "%.40s: the ledger has no such moment",
		    ask.at);
	if (rc == TF_OK && found == 0)
		rc = find_check_known(&f,
		    ask.type != NULL ? ask.type : ask.attestation_type,
		    ask.control, err);
	find_close(&f);
	tf_buf_free(&q);
	return rc;
}

/*
 * Search one vault after the other.  What is wrong with one does not hide what the
 * others have, and the limit is that of each;
 * a name that one does not know is a mistake only if none knows it.
 */
static int
search_copies(const struct copies *c, const struct tf_buf *query)
{
	struct tf_error err, unknown = { 0 };
	uint64_t all = 0;
	bool known = false;
	int status = copies_status(c);

	for (size_t i = 0; i < c->n; i++) {
		const struct where w = { .store = c->v[i].path, .path = "." };
		enum tf_code rc;

		if (w.store == NULL)
			continue;
		origin = c->v[i].origin;
		rc = search(&w, query, ask.limit, &all, &err);
		known = known || rc != TF_USAGE;
		if (rc == TF_USAGE)
			unknown = err;
		else if (rc != TF_OK)
			status = verdict_graver(status,
			    copies_problem(origin, &err));
	}
	if (!known && unknown.code != TF_OK)
		return report(&unknown);
	return all > 0 || status != REPORT_OK ? status : REPORT_FINDING;
}

static int
run(int n, char **arg)
{
	struct where w = { 0 };
	struct copies copies = { 0 };
	struct tf_buf q = { 0 };
	struct tf_error err = { 0 };
	const char *place = NULL, *file = NULL;
	uint64_t all = 0;
	int status = REPORT_OK;
	enum tf_code rc = TF_OK;

	add_filters(&q);
	for (int i = 0; rc == TF_OK && i < n; i++) {
		rc = take_operand(arg[i], &q, &place, &err);
		if (place != arg[i])
			file = arg[i];
	}
	if (rc == TF_OK && q.n == 0) {
		tf_buf_free(&q);
		return cmd_usage(&cmd_find,
		    "give a file, a digest or a filter");
	}
	if (rc == TF_OK && place != NULL && copies_named(place)) {
		ask.copies.quiet = ask.json;
		ask.copies.names = true;
		rc = copies_open(&copies, place, &ask.copies, &err);
		if (rc == TF_OK)
			status = search_copies(&copies, &q);
	} else if (rc == TF_OK) {
		rc = copies_unwanted(&ask.copies, place != NULL ? place : ".",
		    &err);
		if (rc == TF_OK)
			rc = find_place(place, file, &w, &err);
		if (rc == TF_OK)
			rc = search(&w, &q, ask.limit, &all, &err);
		status = all > 0 ? REPORT_OK : REPORT_FINDING;
	}
	copies_free(&copies);
	where_free(&w);
	tf_buf_free(&q);
	return rc == TF_OK ? status : report(&err);
}

const struct verb cmd_find = {
	.name = "find",
	.summary = "find names in the ledger by digest, name, user or status",
	.usage = "[OPTION...] [FILE|SHA256] [STORE|PATH]\n"
		 "[OPTION...] [--origin NAME] [FILE|SHA256] COPIES|LEDGER",
	.options = options,
	.min = 0,
	.max = 2,
	.run = run,
};
