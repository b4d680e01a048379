/* Answers of S3: see answer_xml.h. */
#include "answer_xml.h"

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"

/* Called at the end of an element at depth 2 or 3, with its text. */
struct reading {
	XML_Parser parser;
	const char *root; /* must have this name */
	bool bad, nomem;
	unsigned depth;
	char parent[64]; /* the element at depth 2 */
	char text[TF_S3_TEXT_MAX];
	size_t n;
	void (*field)(struct reading *x, const char *parent, const char *name);
	void (*closed)(struct reading *x, const char *name); /* depth 2 */
	/* Of errors and single texts. */
	const char *wanted[2];
	char *out[2];
	size_t room[2];
	bool found[2];
	/* Of a list of versions. */
	struct tf_s3_page *page;
	const char *key;
	struct tf_s3_version now;
	bool is_key, has_id;
};

static void
refuse(struct reading *x)
{
	x->bad = true;
	(void)XML_StopParser(x->parser, XML_FALSE);
}

static void
start(void *arg, const char *name, const char **attributes)
{
	struct reading *x = arg;

	(void)attributes;
	x->depth++;
	x->n = 0;
	if (x->depth == 1 && x->root != NULL && strcmp(name, x->root) != 0)
		refuse(x);
	if (x->depth == 2)
		(void)snprintf(x->parent, sizeof(x->parent), "%s", name);
}

static void
text(void *arg, const char *p, int n)
{
	struct reading *x = arg;

	if (x->depth < 2 || x->depth > 3)
		return;
	if ((size_t)n >= sizeof(x->text) - x->n) {
		refuse(x);
		return;
	}
	memcpy(x->text + x->n, p, (size_t)n);
	x->n += (size_t)n;
}

static void
end(void *arg, const char *name)
{
	struct reading *x = arg;

	x->text[x->n] = '\0';
	if (x->depth == 3)
		x->field(x, x->parent, name);
	else if (x->depth == 2 && x->closed != NULL)
		x->closed(x, name);
	if (x->depth == 2)
		x->field(x, "", name);
	x->depth--;
	x->n = 0;
}

/* Entities of a document type grow without bound, and S3 has none. */
static void
doctype(void *arg, const char *name, const char *sysid, const char *pubid,
    int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	refuse(arg);
}

static enum tf_code
parse(struct reading *x, struct tf_str xml, struct tf_error *err)
{
	enum XML_Status status;

	x->parser = XML_ParserCreate(NULL);
	if (x->parser == NULL)
		return tf_nomem(err);
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, start, end);
	XML_SetCharacterDataHandler(x->parser, text);
	XML_SetStartDoctypeDeclHandler(x->parser, doctype);
	status = xml.n > TF_S3_TEXT_MAX * 4096 ?
	    XML_STATUS_ERROR :
	    XML_Parse(x->parser, xml.p, (int)xml.n, 1);
	XML_ParserFree(x->parser);
	if (x->nomem)
		return tf_nomem(err);
	errno = 0;
	if (status != XML_STATUS_OK || x->bad)
		return tf_fail(err, TF_IO,
		    "the store's answer is not what S3 answers: %.60s",
		    xml.n == 0 ? "(nothing)" : xml.p);
	return TF_OK;
}

static void
single(struct reading *x, const char *parent, const char *name)
{
	if (parent[0] != '\0')
		return;
	for (size_t i = 0; i < 2; i++)
		if (x->wanted[i] != NULL && strcmp(name, x->wanted[i]) == 0 &&
		    !x->found[i]) {
			x->found[i] = x->n < x->room[i];
			(void)snprintf(x->out[i], x->room[i], "%s", x->text);
		}
}

void
tf_s3_xml_error(struct tf_str xml, char *code, size_t code_room, char *message,
    size_t message_room)
{
	struct reading x = { .root = "Error",
		.field = single,
		.wanted = { "Code", "Message" },
		.out = { code, message },
		.room = { code_room, message_room } };

	code[0] = message[0] = '\0';
	if (xml.n > 0 && parse(&x, xml, NULL) != TF_OK)
		code[0] = message[0] = '\0';
}

enum tf_code
tf_s3_xml_text(struct tf_str xml, const char *root, const char *name, char *out,
    size_t room, struct tf_error *err)
{
	struct reading x = { .root = root,
		.field = single,
		.wanted = { name },
		.out = { out },
		.room = { room } };
	enum tf_code rc;

	out[0] = '\0';
	rc = parse(&x, xml, err);
	if (rc == TF_OK && !x.found[0])
		rc = tf_fail(err, TF_IO, "the store's answer has no %s", name);
	return rc;
}

static bool
is_version(const char *name)
{
	return strcmp(name, "Version") == 0 ||
	    strcmp(name, "DeleteMarker") == 0;
}

static void
field(struct reading *x, const char *parent, const char *name)
{
	struct tf_s3_page *p = x->page;

	if (is_version(parent)) {
		if (strcmp(name, "Key") == 0) {
			x->is_key = strcmp(x->text, x->key) == 0;
		} else if (strcmp(name, "VersionId") == 0) {
			x->has_id = x->n > 0 && x->n < sizeof(x->now.id);
			(void)snprintf(x->now.id, sizeof(x->now.id), "%.*s",
			    (int)sizeof(x->now.id) - 1, x->text);
		} else if (strcmp(name, "Size") == 0) {
			if (!tf_decimal(x->text, x->n, INT64_MAX, &x->now.size))
				refuse(x);
		}
	} else if (parent[0] == '\0') {
		if (strcmp(name, "IsTruncated") == 0)
			p->has_more = strcmp(x->text, "true") == 0;
		else if (strcmp(name, "NextKeyMarker") == 0)
			(void)snprintf(p->next_key, sizeof(p->next_key), "%s",
			    x->text);
		else if (strcmp(name, "NextVersionIdMarker") == 0)
			(void)snprintf(p->next_version, sizeof(p->next_version),
			    "%.*s", (int)sizeof(p->next_version) - 1, x->text);
	}
}

static void
closed(struct reading *x, const char *name)
{
	struct tf_s3_page *p = x->page;

	if (!is_version(name))
		return;
	x->now.is_marker = strcmp(name, "DeleteMarker") == 0;
	if (x->is_key && x->has_id) {
		if (p->n == TF_S3_PAGE_MAX)
			refuse(x);
		else
			p->versions[p->n++] = x->now;
	}
	memset(&x->now, 0, sizeof(x->now));
	x->is_key = x->has_id = false;
}

enum tf_code
tf_s3_xml_versions(struct tf_str xml, const char *key, struct tf_s3_page *out,
    struct tf_error *err)
{
	struct reading *x = calloc(1, sizeof(*x));
	enum tf_code rc;

	memset(out, 0, sizeof(*out));
	out->versions = calloc(TF_S3_PAGE_MAX, sizeof(*out->versions));
	if (x == NULL || out->versions == NULL) {
		free(x);
		return tf_nomem(err);
	}
	x->root = "ListVersionsResult";
	x->field = field;
	x->closed = closed;
	x->page = out;
	x->key = key;
	rc = parse(x, xml, err);
	free(x);
	return rc;
}

void
tf_s3_page_free(struct tf_s3_page *p)
{
	free(p->versions);
	memset(p, 0, sizeof(*p));
}
