/*
 * The files that describe a package.  The writer makes them here; the verifier
 * makes them again and compares.
 *
 * Nothing in them depends on the machine, the time of the call or a locale: the
 * same entries give the same bytes, which is what makes the comparison
 * possible.  BagIt (RFC 8493) wants a date, so bag-info.txt has the date of the
 * last entry.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/statement.h"
#include "../package.h"
#include "description.h"
#include "format.h"
#include "names.h"

const char tf_package_bagit[] = "BagIt-Version: 1.0\n"
				"Tag-File-Character-Encoding: UTF-8\n";

/* The texts are in files of their own, so that shellcheck reads the script. */
#define TEXT(symbol, file)                            \
	__asm__(".pushsection .rodata\n"              \
		".global " #symbol "\n" #symbol ":\n" \
		".incbin \"core/archive/" file "\"\n" \
		".byte 0\n"                           \
		".popsection\n")
TEXT(tf_package_readme, "package-VERIFY.txt");
TEXT(tf_package_script, "package-verify.sh");
TEXT(tf_package_powershell, "package-verify.ps1");

void
tf_package_bag_info(const struct tf_package_facts *f, struct tf_buf *out)
{
	char at[TF_TIME_LEN + 1];

	tf_time_text(f->last, at);
	tf_buf_printf(out, "Bag-Software-Agent: trailfs\n");
	tf_buf_printf(out, "Bagging-Date: %.10s\n", at);
	tf_buf_printf(out, "External-Identifier: %.*s\n", (int)f->p->path.n,
	    f->p->path.p);
	tf_buf_printf(out, "Payload-Oxum: %llu.%llu\n",
	    (unsigned long long)f->bytes, (unsigned long long)f->files);
	tf_buf_printf(out, "Trailfs-Origin: %s\n", f->head.origin);
	tf_buf_printf(out, "Trailfs-Package-Format: %u\n", f->format);
}

bool
tf_package_keys(const struct tf_vkey *log, struct tf_str attester,
    struct tf_package_keys *out)
{
	uint8_t der[TF_SPKI_LEN];
	struct tf_pubkey pub;

	tf_vkey_text(log, &out->vkey);
	tf_buf_str(&out->vkey, "\n");
	tf_pubkey_pem(&log->pub, &out->pem);
	if (!tf_unbase64_exact(attester.p, attester.n, der, sizeof(der)))
		return false;
	memcpy(pub.b, der + TF_SPKI_LEN - TF_PUBKEY_LEN, sizeof(pub.b));
	tf_pubkey_pem(&pub, &out->attester);
	return true;
}

void
tf_package_keys_free(struct tf_package_keys *k)
{
	tf_buf_free(&k->vkey);
	tf_buf_free(&k->pem);
	tf_buf_free(&k->attester);
}

static void
put_int(struct tf_json *j, const char *key, uint64_t v)
{
	tf_json_key(j, key);
	tf_json_int(j, (int64_t)v);
}

static void
put_time(struct tf_json *j, const char *key, struct tf_time t)
{
	char text[TF_TIME_LEN + 1];

	tf_time_text(t, text);
	tf_json_key(j, key);
	tf_json_cstr(j, text);
}

static void
put_text(struct tf_json *j, const char *key, struct tf_str s)
{
	if (s.p != NULL)
		tf_put_str(j, key, s);
}

enum tf_code
tf_package_json(const struct tf_package_facts *f, struct tf_buf *out,
    struct tf_error *err)
{
	char root[2 * sizeof(f->head.root.b) + 1];
	struct tf_json j;
	enum tf_code rc;

	tf_hex(f->head.root.b, sizeof(f->head.root.b), root);
	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_int(&j, "bytes", f->bytes);
	put_text(&j, "control", f->p->control);
	put_int(&j, "entries", f->entries);
	put_int(&j, "files", f->files);
	put_int(&j, "format", f->format);
	tf_json_key(&j, "origin");
	tf_json_cstr(&j, f->head.origin);
	tf_json_key(&j, "path");
	tf_json_str(&j, f->p->path.p, f->p->path.n);
	put_text(&j, "person", f->p->person);
	if (f->p->has_since)
		put_time(&j, "since", f->p->since);
	put_text(&j, "status", f->p->status);
	tf_json_key(&j, "tree");
	tf_json_object(&j);
	tf_json_key(&j, "root");
	tf_json_cstr(&j, root);
	put_int(&j, "size", f->head.size);
	tf_json_object_end(&j);
	if (f->p->has_until)
		put_time(&j, "until", f->p->until);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_str(out, "\n");
	return rc;
}

/*
 * Append the string of key to text, with a NUL, and set *at to its offset.
 * False: it is absent or no string, or, with *failed set, memory is short.
 */
static bool
get_text(const struct tf_json_doc *d, const char *key, size_t *at,
    struct tf_buf *text, bool *failed)
{
	int t = tf_json_get(d, 0, key);
	struct tf_buf b = { 0 };
	bool ok = tf_json_string(d, t, &b, NULL) == TF_OK;

	*at = text->n;
	if (ok) {
		tf_buf_add(text, b.p, b.n);
		tf_buf_add(text, "", 1);
	}
	*failed = *failed || b.failed || text->failed;
	tf_buf_free(&b);
	return ok;
}

enum tf_code
tf_package_json_read(const struct tf_buf *json, struct tf_package_request *r,
    unsigned *out, struct tf_buf *text, struct tf_error *err)
{
	/* The order of the members of *r below. */
	static const char *const keys[] = { "control", "person", "since",
		"status", "until" };
	const char **const to[] = { &r->control, &r->person, &r->since,
		&r->status, &r->until };
	size_t path, at[sizeof(keys) / sizeof(*keys)];
	bool has[sizeof(keys) / sizeof(*keys)] = { false };
	struct tf_json_doc d = { 0 };
	struct tf_error e = { .code = TF_OK };
	bool ok = false, failed = false;
	int format = -1;

	memset(r, 0, sizeof(*r));
	if (json->n > 1 && json->p[json->n - 1] == '\n' &&
	    tf_json_parse(&d, json->p, json->n - 1, &e) == TF_OK) {
		format = tf_json_get(&d, 0, "format");
		ok = format >= 0 && d.tok[format].type == TF_JSON_INT &&
		    d.tok[format].num > 0 &&
		    get_text(&d, "path", &path, text, &failed);
		for (size_t i = 0; ok && i < sizeof(keys) / sizeof(*keys); i++)
			has[i] = get_text(&d, keys[i], &at[i], text, &failed);
	}
	if (failed || e.code == TF_NOMEM) {
		tf_json_doc_free(&d);
		return tf_nomem(err);
	}
	if (ok && d.tok[format].num > TF_PACKAGE_FORMAT) {
		tf_json_doc_free(&d);
		return tf_fail(err, TF_NEWER,
		    "a later version made the package");
	}
	if (ok)
		*out = (unsigned)d.tok[format].num;
	tf_json_doc_free(&d);
	if (ok) {
		r->path = text->p + path;
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			*to[i] = has[i] ? text->p + at[i] : NULL;
	}
	return ok ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER, TF_PACKAGE_JSON " is malformed%s%.80s",
		e.text[0] != '\0' ? ": " : "", e.text);
}

enum tf_code
tf_package_name_line(struct tf_str path, struct tf_str stored,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_json_key(&j, "path");
	tf_json_str(&j, path.p, path.n);
	tf_json_key(&j, "stored");
	tf_json_str(&j, stored.p, stored.n);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_str(out, "\n");
	return rc;
}

enum tf_code
tf_package_envelope(const struct tf_entry *e, const struct tf_buf *payload,
    struct tf_buf *out, struct tf_error *err)
{
	const struct tf_statement_ref *s = &e->statement;
	uint8_t sig[TF_SIG_LEN];
	char keyid[TF_KEYID_LEN + 1];

	if (!tf_unbase64_exact(s->sig.p, s->sig.n, sig, sizeof(sig)))
		return tf_fail(err, TF_TAMPER,
		    "the signature of a statement is malformed");
	(void)snprintf(keyid, sizeof(keyid), "%.*s", (int)s->keyid.n,
	    s->keyid.p);
	tf_dsse_envelope(payload->p, payload->n, keyid, sig, out);
	return tf_buf_end(out, err);
}
