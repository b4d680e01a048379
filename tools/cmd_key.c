/*
 * trailctl key: list and export the public keys of a vault, and replace a key.
 *
 * What the ledger says of its keys stands in the entries: the first opening names
 * the keys, key.rotated replaces one, and an opening under a new origin names both
 * again.  So the list is read from the entries, in a mount and in a store alike.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "actor.h"
#include "cmd.h"
#include "core/base/array.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"
#include "core/base/member.h"
#include "core/control.h"
#include "core/vault.h"
#include "ledger_lines.h"
#include "refusals.h"
#include "report.h"
#include "text.h"
#include "where.h"

#define SSH_LEN 51 /* bytes of a public key as OpenSSH writes it */

static struct {
	bool attester, history, json, log;
	const char *format; /* NULL: that of the key's use */
} ask;

static const struct args_option options[] = {
	{ .name = "attester",
	    .help = "export: the key that signs statements",
	    .flag = &ask.attester },
	{ .name = "format",
	    .value = "vkey|pem|spki",
	    .closed = true,
	    .help = "export: the form of the key",
	    .text = &ask.format },
	{ .name = "history",
	    .help = "export: the entries of rotations of the log's key, too",
	    .flag = &ask.history },
	ARGS_JSON(&ask.json),
	{ .name = "log",
	    .help = "export: the key that signs checkpoints (the default)",
	    .flag = &ask.log },
	{ 0 },
};

/* --- the keys in the entries ---------------------------------------------- */

struct key {
	bool log;
	char text[512]; /* vkey, or SPKI in base64 */
	uint64_t since, until;
	bool replaced; /* until is set */
};

struct keys {
	struct key *key;
	size_t n, cap;
	struct tf_buf rotations; /* entries of the log's key, a LF after each */
};

/* Append the string at token t to out, with a NUL that out->n does not count. */
static const char *
string_at(const struct tf_json_doc *d, int t, struct tf_buf *out)
{
	out->n = 0;
	if (t < 0 || tf_json_string(d, t, out, NULL) != TF_OK)
		out->n = 0;
	return text_of(out);
}

static struct key *
in_force(struct keys *k, bool log)
{
	for (size_t i = k->n; i-- > 0;)
		if (k->key[i].log == log)
			return &k->key[i];
	return NULL;
}

/* From entry seq on this key is in force, if it was not before. */
static enum tf_code
take(struct keys *k, bool log, const char *text, uint64_t seq,
    struct tf_error *err)
{
	struct key *last = in_force(k, log);

	if (text[0] == '\0' || (last != NULL && strcmp(last->text, text) == 0))
		return TF_OK;
	if (last != NULL) {
		last->replaced = true;
		last->until = seq;
	}
	if (!tf_array_room(&k->key, k->n, &k->cap, sizeof(*k->key)))
		return tf_nomem(err);
	k->key[k->n] = (struct key){ .log = log, .since = seq };
	(void)snprintf(k->key[k->n].text, sizeof(k->key[0].text), "%s", text);
	k->n++;
	return TF_OK;
}

static enum tf_code
take_entry(struct keys *k, const struct tf_json_doc *d, const char *line,
    size_t n, uint64_t seq, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	int keys = tf_json_get(d, 0, "keys");
	bool log;
	enum tf_code rc = TF_OK;

	if (strcmp(string_at(d, tf_json_get(d, 0, "type"), &b),
		"ledger.opened") == 0) {
		rc = take(k, true,
		    string_at(d, tf_json_get(d, keys, "log"), &b), seq, err);
		if (rc == TF_OK)
			rc = take(k, false,
			    string_at(d, tf_json_get(d, keys, "attester"), &b),
			    seq, err);
	} else {
		log = strcmp(string_at(d, tf_json_get(d, 0, "use"), &b),
			  "log") == 0;
		/* The old key signs up to the entry, the new one after it. */
		if (log || strcmp(text_of(&b), "attester") == 0)
			rc = take(k, log,
			    string_at(d, tf_json_get(d, 0, "new"), &b), seq + 1,
			    err);
		if (log) {
			tf_buf_add(&k->rotations, line, n);
			tf_buf_str(&k->rotations, "\n");
		}
	}
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
take_line(void *arg, const char *line, size_t n, struct tf_error *err)
{
	static const char opened[] = "\"type\":\"ledger.opened\"",
			  rotated[] = "\"type\":\"key.rotated\"";
	struct keys *k = arg;
	struct tf_json_doc d = { 0 };
	uint64_t seq;
	enum tf_code rc;

	if (memmem(line, n, opened, sizeof(opened) - 1) == NULL &&
	    memmem(line, n, rotated, sizeof(rotated) - 1) == NULL)
		return TF_OK;
	rc = tf_json_parse(&d, line, n, err);
	if (rc == TF_OK && lines_seq(line, n, &seq))
		rc = take_entry(k, &d, line, n, seq, err);
	tf_json_doc_free(&d);
	return rc == TF_INVALID ? TF_OK : rc;
}

static enum tf_code
read_keys(const char *arg, struct keys *k, struct tf_error *err)
{
	struct lines l = { 0 };
	enum tf_code rc = lines_open(&l, arg, err);

	if (rc == TF_OK && !lines_are_all(&l) && strcmp(l.dir, ".") != 0)
		rc = tf_fail(err, TF_USAGE,
		    "%.100s is in a vault: name the vault", arg);
	if (rc == TF_OK)
		rc = where_ends(&l.w, arg, err);
	if (rc == TF_OK)
		rc = lines_look(&l, err);
	if (rc == TF_OK)
		rc = lines_forward(&l, 0, take_line, k, err);
	lines_close(&l);
	return rc;
}

static void
free_keys(struct keys *k)
{
	free(k->key);
	tf_buf_free(&k->rotations);
}

/* --- forms of a key ------------------------------------------------------- */

/* The public key: behind the second + of a vkey and one byte, or the end of an
 * SPKI. */
static bool
public_of(bool log, const char *text, struct tf_pubkey *out)
{
	uint8_t der[TF_SPKI_LEN], raw[1 + TF_PUBKEY_LEN];
	const char *at = text;

	if (!log) {
		if (!tf_unbase64_exact(text, strlen(text), der, sizeof(der)))
			return false;
		memcpy(out->b, der + TF_SPKI_LEN - TF_PUBKEY_LEN,
		    TF_PUBKEY_LEN);
		return true;
	}
	for (int i = 0; i < 2 && at != NULL; i++) {
		at = strchr(at, '+');
		at = at == NULL ? NULL : at + 1;
	}
	if (at == NULL || !tf_unbase64_exact(at, strlen(at), raw, sizeof(raw)))
		return false;
	memcpy(out->b, raw + 1, TF_PUBKEY_LEN);
	return true;
}

/* Append the name that signatures give the key: the eight digits of a vkey; of an
 * attester "SHA256:...", as ssh-keygen -l prints it. */
static void
add_id(struct tf_buf *out, const struct key *k)
{
	static const char head[] = "\0\0\0\013ssh-ed25519\0\0\0 ";
	uint8_t blob[SSH_LEN];
	struct tf_pubkey pub;
	struct tf_hash h;
	const char *plus = strchr(k->text, '+');

	if (k->log) {
		if (plus != NULL)
			tf_buf_add(out, plus + 1, strcspn(plus + 1, "+"));
		return;
	}
	if (!public_of(false, k->text, &pub))
		return;
	memcpy(blob, head, sizeof(head) - 1);
	memcpy(blob + sizeof(head) - 1, pub.b, TF_PUBKEY_LEN);
	tf_sha256(blob, sizeof(blob), &h);
	tf_buf_str(out, "SHA256:");
	tf_base64(out, h.b, sizeof(h.b));
	while (!out->failed && out->n > 0 && out->p[out->n - 1] == '=')
		out->n--;
}

/* --- list ----------------------------------------------------------------- */

static const char *
use_of(const struct key *k)
{
	return k->log ? "log" : "attester";
}

static enum tf_code
print_json(const struct keys *k, struct tf_error *err)
{
	struct tf_buf b = { 0 }, id = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &b);
	tf_json_array(&j);
	for (size_t i = 0; i < k->n; i++) {
		const struct key *x = &k->key[i];

		id.n = 0;
		add_id(&id, x);
		tf_json_object(&j);
		tf_put_cstr(&j, "id", text_of(&id));
		tf_put_cstr(&j, "key", x->text);
		tf_put_bool(&j, "signs", !x->replaced);
		tf_put_uint(&j, "since", x->since);
		if (x->replaced)
			tf_put_uint(&j, "until", x->until);
		tf_put_cstr(&j, "use", use_of(x));
		tf_json_object_end(&j);
	}
	tf_json_array_end(&j);
	rc = tf_json_end(&j, err);
	if (rc == TF_OK)
		printf("%s\n", text_of(&b));
	tf_buf_free(&b);
	tf_buf_free(&id);
	return rc;
}

static enum tf_code
print_lines(const struct keys *k, struct tf_error *err)
{
	struct tf_buf b = { 0 };

	printf("%-8s  %-50s  %10s  %10s  %s\n", "USE", "ID", "FROM", "UNTIL",
	    "KEY");
	for (size_t i = 0; i < k->n; i++) {
		const struct key *x = &k->key[i];
		char until[24] = "signs";

		b.n = 0;
		add_id(&b, x);
		if (x->replaced)
			(void)snprintf(until, sizeof(until), "%llu",
			    (unsigned long long)x->until);
		printf("%-8s  %-50s  %10llu  %10s  ", use_of(x), text_of(&b),
		    (unsigned long long)x->since, until);
		text_put(stdout, x->text, strlen(x->text));
		printf("\n");
	}
	tf_buf_free(&b);
	(void)err;
	return TF_OK;
}

static enum tf_code
list(const char *arg, struct tf_error *err)
{
	struct keys k = { .n = 0 };
	enum tf_code rc = read_keys(arg, &k, err);

	if (rc == TF_OK)
		rc = ask.json ? print_json(&k, err) : print_lines(&k, err);
	free_keys(&k);
	return rc;
}

/* --- export --------------------------------------------------------------- */

/* As where_text() wants it. */
static enum tf_code
make_vkey(struct tf_vault *v, const struct tf_asker *who, struct tf_buf *out,
    struct tf_error *err)
{
	(void)who;
	return tf_vault_vkey(v, out, err);
}

/* The key of the log: it needs no right to read the ledger. */
static enum tf_code
read_vkey(const char *arg, struct tf_buf *out, struct tf_error *err)
{
	struct where w;
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK && (rc = where_ends(&w, arg, err)) == TF_OK)
		rc = where_text(&w, TF_CONTROL_VKEY, make_vkey, out, err);
	while (out->n > 0 && out->p[out->n - 1] == '\n')
		out->n--;
	where_free(&w);
	return rc;
}

static enum tf_code
print_key(bool log, const char *text, struct tf_error *err)
{
	const char *format = ask.format != NULL ? ask.format :
	    log					? "vkey" :
						  "pem";
	uint8_t der[TF_SPKI_LEN];
	struct tf_pubkey pub;
	struct tf_buf b = { 0 };

	if (!public_of(log, text, &pub))
		return tf_fail(err, TF_TAMPER, "the key is malformed");
	if (strcmp(format, "vkey") == 0) {
		tf_buf_str(&b, text);
		tf_buf_str(&b, "\n");
	} else if (strcmp(format, "pem") == 0) {
		tf_pubkey_pem(&pub, &b);
	} else {
		tf_pubkey_spki(&pub, der);
		tf_base64(&b, der, sizeof(der));
		tf_buf_str(&b, "\n");
	}
	if (!b.failed)
		fwrite(b.p, 1, b.n, stdout);
	tf_buf_free(&b);
	return TF_OK;
}

static enum tf_code
export_key(const char *arg, struct tf_error *err)
{
	struct keys k = { .n = 0 };
	struct tf_buf vkey = { 0 };
	struct key *now;
	enum tf_code rc = TF_OK;

	if (ask.attester || ask.history)
		rc = read_keys(arg, &k, err);
	if (rc == TF_OK && !ask.attester) {
		if ((rc = read_vkey(arg, &vkey, err)) == TF_OK)
			rc = print_key(true, text_of(&vkey), err);
		if (rc == TF_OK && k.rotations.n > 0)
			fwrite(k.rotations.p, 1, k.rotations.n, stdout);
	} else if (rc == TF_OK) {
		now = in_force(&k, false);
		rc = now == NULL ?
		    tf_fail(err, TF_NODATA, "no entry names the attester") :
		    print_key(false, now->text, err);
	}
	tf_buf_free(&vkey);
	free_keys(&k);
	return rc;
}

/* --- rotate --------------------------------------------------------------- */

/* A mount has the lock of its store, so its daemon rotates, as sync does. */
static enum tf_code
rotate_in_mount(const struct where *w, bool log, struct tf_buf *key,
    struct tf_error *err)
{
	struct tf_ioc_rotate p = { .log = log };
	int fd = open(w->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum tf_code rc = TF_OK;

	if (fd < 0)
		return report_system(err, "%s", w->mount);
	if (ioctl(fd, TF_IOC_ROTATE, &p) < 0)
		rc = report_system(err, "key rotate");
	(void)close(fd);
	if (rc != TF_OK)
		return refusals_explain(w, "key rotate", err);
	return log ? where_text(w, TF_CONTROL_VKEY, make_vkey, key, err) :
		     TF_OK;
}

static enum tf_code
rotate_in_store(const struct where *w, bool log, struct tf_buf *key,
    struct tf_error *err)
{
	struct tf_vault *v = NULL;
	struct tf_actor self;
	enum tf_code rc = where_open(w, true, &v, err);

	if (rc != TF_OK)
		return rc;
	actor_self(&self);
	rc = tf_vault_rotate(v, log, &self, err);
	if (rc == TF_OK && log)
		rc = tf_vault_vkey(v, key, err);
	return where_done(v, rc, err);
}

static enum tf_code
rotate(bool log, const char *arg, struct tf_error *err)
{
	struct tf_buf key = { 0 };
	struct where w;
	enum tf_code rc = where_find(arg, &w, err);

	if (rc == TF_OK && strcmp(w.path, ".") != 0)
		rc = tf_fail(err, TF_USAGE,
		    "%.100s is in a vault: name the vault", arg);
	if (rc == TF_OK)
		rc = w.mount != NULL ? rotate_in_mount(&w, log, &key, err) :
				       rotate_in_store(&w, log, &key, err);
	if (rc == TF_OK && log) {
		report_note(
		    "Keep this key somewhere else, and give it to those "
		    "who verify.  The old key is still followed to it, "
		    "and signs beside it for 30 days.");
		fwrite(key.p, 1, key.n, stdout);
	}
	tf_buf_free(&key);
	where_free(&w);
	return rc;
}

/* --- the command line ----------------------------------------------------- */

/* What a table of options cannot say; NULL: nothing is wrong. */
static const char *
wrong_options(bool exports)
{
	if (!exports &&
	    (ask.attester || ask.log || ask.history || ask.format != NULL))
		return "--attester, --format, --history and --log are for "
		       "export";
	if (exports && ask.json)
		return "--json is for list";
	if (ask.attester && (ask.log || ask.history))
		return "--attester excludes --log and --history";
	if (ask.attester && ask.format != NULL &&
	    strcmp(ask.format, "vkey") == 0)
		return "the attester has no vkey";
	if (ask.history && ask.format != NULL &&
	    strcmp(ask.format, "vkey") != 0)
		return "--history stands behind a vkey";
	return NULL;
}

static int
run(int n, char **arg)
{
	const bool exports = strcmp(arg[0], "export") == 0;
	const bool rotates = strcmp(arg[0], "rotate") == 0;
	struct tf_error err = { 0 };
	const char *why = wrong_options(exports);
	enum tf_code rc;

	if (rotates) {
		if (ask.json || wrong_options(false) != NULL)
			return cmd_usage(&cmd_key, "rotate has no options");
		if (n != 3 ||
		    (strcmp(arg[1], "log") != 0 &&
			strcmp(arg[1], "attester") != 0))
			return cmd_usage(&cmd_key,
			    "rotate takes log or attester, and a vault");
		rc = rotate(strcmp(arg[1], "log") == 0, arg[2], &err);
		return report_end(rc == TF_OK ? REPORT_OK : report(&err));
	}
	if (n != 2)
		return cmd_usage(&cmd_key, "name one vault");
	if (why != NULL)
		return cmd_usage(&cmd_key, why);
	rc = exports ? export_key(arg[1], &err) : list(arg[1], &err);
	return report_end(rc == TF_OK ? REPORT_OK : report(&err));
}

const struct verb cmd_key = {
	.name = "key",
	.summary = "list, export and replace the keys of a vault",
	.usage = "list [--json] STORE|PATH\n"
		 "export [OPTION...] STORE|PATH\n"
		 "rotate log|attester STORE|PATH",
	.options = options,
	.actions = "list|export|rotate",
	.min = 2,
	.max = 3,
	.run = run,
};
