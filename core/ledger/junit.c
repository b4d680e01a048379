/*
 * Judge JUnit reports: see junit.h.  The reports are evidence and may be
 * hostile: no document type, so no entities that grow, and limits for depth,
 * tags and bytes.  A file with a fault is not looked at any further, but its
 * bytes are still hashed, because the report names the digest of the whole
 * file.
 */
#include "junit.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "junit_results.h"

/* Expat 2.9 has these, and deprecates those with the size of a long. */
#if XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION < 9
#define XML_GetCurrentLineNumber64 XML_GetCurrentLineNumber
#define XML_GetCurrentColumnNumber64 XML_GetCurrentColumnNumber
#define XML_GetCurrentByteIndex64 XML_GetCurrentByteIndex
#define XML_GetCurrentByteCount64 XML_GetCurrentByteCount
#endif

/* expat gets blocks of this size, however the bytes come in: what it does then
 * depends on the bytes alone. */
#define BLOCK 65536
#define NAME_BYTES 256
#define TOO_LONG "more than 256 MiB in all files"
#define NUMBER_BYTES 32
#define TIME_BYTES 64
enum kind { SUITES, SUITE, CASE, OTHER };

struct level {
	enum kind kind;
	struct tf_junit_counts found, stated; /* of a suite */
	bool failure, error, skipped;	      /* of a case */
	struct tf_str name;		      /* in names */
	char duration[NUMBER_BYTES + 1], time[TIME_BYTES + 1];
};

struct tf_junit {
	XML_Parser parser;
	struct tf_sha256 *hash;
	struct tf_hash sha256; /* of a file that is not read */
	bool read;
	struct tf_buf file;  /* name of the file */
	struct tf_buf names; /* of all open levels, each with a NUL */
	bool bad;	     /* the rest of the file is not looked at */
	bool nomem;
	uint64_t bytes, size;  /* of all files, of this file */
	uint64_t parsed, seen; /* bytes given to expat, to its last event */
	size_t filled;	       /* of block */
	unsigned depth;
	struct level level[TF_JUNIT_DEPTH];
	struct tf_junit_results results;
	char block[BLOCK];
};

/* --- faults ------------------------------------------------------------- */

/* Note what is wrong with the file, and look at nothing more of it. */
static void
refuse(struct tf_junit *j, const char *why)
{
	char text[TF_JUNIT_DEPTH + 160];
	struct tf_buf b = { 0 };

	if (j->bad)
		return;
	j->bad = true;
	(void)XML_StopParser(j->parser, XML_FALSE);
	(void)snprintf(text, sizeof(text), ": line %llu, column %llu: %s",
	    (unsigned long long)XML_GetCurrentLineNumber64(j->parser),
	    (unsigned long long)XML_GetCurrentColumnNumber64(j->parser) + 1,
	    why);
	tf_buf_add(&b, j->file.p, j->file.n);
	tf_buf_str(&b, text);
	tf_junit_add_cause(&j->results, tf_buf_bytes(&b));
	j->nomem = j->nomem || b.failed;
	tf_buf_free(&b);
}

/* --- elements ----------------------------------------------------------- */

/* expat gives the attributes as pairs that end with NULL. */
static const char *
attribute(const char **attributes, const char *name)
{
	for (; attributes[0] != NULL; attributes += 2) {
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	}
	return NULL;
}

/* Read a count, 0 if it is missing. */
static uint64_t
count_of(struct tf_junit *j, const char **attributes, const char *name)
{
	const char *text = attribute(attributes, name);
	uint64_t v = 0;
	size_t n;

	if (text == NULL)
		return 0;
	for (n = 0; text[n] >= '0' && text[n] <= '9' && v <= TF_JUNIT_COUNT_MAX;
	     n++)
		v = v * 10 + (uint64_t)(text[n] - '0');
	if (n == 0 || text[n] != '\0' || v > TF_JUNIT_COUNT_MAX) {
		refuse(j, "a count of tests is not a number");
		return 0;
	}
	return v;
}

/* What a suite states about itself; tools have three words for skipped. */
static void
read_stated(struct tf_junit *j, struct level *l, const char **attributes)
{
	static const char *const skipped[] = { "skipped", "skips", "disabled" };
	uint64_t n;

	l->stated.tests = count_of(j, attributes, "tests");
	l->stated.failures = count_of(j, attributes, "failures");
	l->stated.errors = count_of(j, attributes, "errors");
	for (size_t k = 0; k < sizeof(skipped) / sizeof(skipped[0]); k++) {
		n = count_of(j, attributes, skipped[k]);
		l->stated.skipped = n > l->stated.skipped ? n :
							    l->stated.skipped;
	}
}

/*
 * A text that is too long is left out: half of a number would be another
 * number.
 */
static void
copy_short(char *out, size_t size, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (n < size)
		memcpy(out, text != NULL ? text : "", n + 1);
}

/* Keep a name of at most NAME_BYTES, whole characters, behind the others. */
static void
keep_name(struct tf_junit *j, struct level *l, const char *a, const char *b)
{
	struct tf_buf *names = &j->names;
	size_t start = names->n;

	tf_buf_str(names, a != NULL ? a : "");
	if (a != NULL && b != NULL && *a != '\0' && *b != '\0')
		tf_buf_str(names, ".");
	tf_buf_str(names, b != NULL ? b : "");
	if (names->failed) {
		j->nomem = true;
		return;
	}
	if (names->n - start > NAME_BYTES) {
		names->n = start + NAME_BYTES;
		while (names->n > start &&
		    ((uint8_t)names->p[names->n] & 0xc0) == 0x80)
			names->n--;
	}
	/* The offset, for the buffer moves. */
	l->name = (struct tf_str){ NULL, names->n - start };
}

/*
 * Names of open levels lie one behind the other, so their lengths give the
 * place.
 */
static struct tf_str
name_of(const struct tf_junit *j, unsigned depth)
{
	size_t start = 0;

	for (unsigned k = 0; k < depth; k++)
		start += j->level[k].name.n;
	return (struct tf_str){ j->names.n > 0 ? j->names.p + start : "",
		j->level[depth].name.n };
}

/* The innermost level of suites, or of testsuites, that is open. */
static struct level *
suite_of(struct tf_junit *j, unsigned depth)
{
	while (depth-- > 0) {
		if (j->level[depth].kind <= SUITE)
			return &j->level[depth];
	}
	return NULL;
}

/*
 * An element within a test case says how the case ended; within a suite it
 * counts for the suite.
 */
static void
mark(struct level *l, const char *name)
{
	bool failure = strcmp(name, "failure") == 0;
	bool error = strcmp(name, "error") == 0;

	if (l->kind == CASE) {
		l->failure = l->failure || failure;
		l->error = l->error || error;
		l->skipped = l->skipped || strcmp(name, "skipped") == 0;
	} else if (l->kind <= SUITE) {
		l->found.failures += failure;
		l->found.errors += error;
	}
}

static enum kind
kind_of(const char *name)
{
	return strcmp(name, "testsuites") == 0 ? SUITES :
	    strcmp(name, "testsuite") == 0     ? SUITE :
	    strcmp(name, "testcase") == 0      ? CASE :
						 OTHER;
}

/*
 * Remembers how far expat has read: what lies between that and the bytes given
 * is one unfinished tag.
 */
static void
note_seen(struct tf_junit *j)
{
	j->seen = (uint64_t)XML_GetCurrentByteIndex64(j->parser) +
	    (uint64_t)XML_GetCurrentByteCount64(j->parser);
}

/*
 * A level is filled before its children come; its name stays in names until it
 * ends.
 */
static void XMLCALL
start(void *arg, const char *name, const char **attributes)
{
	struct tf_junit *j = arg;
	struct level *l = &j->level[j->depth];
	const char *status;

	note_seen(j);
	if (j->bad)
		return;
	if (j->depth == TF_JUNIT_DEPTH) {
		refuse(j, "nested too deeply");
		return;
	}
	*l = (struct level){ .kind = kind_of(name) };
	if (j->depth == 0 && l->kind > SUITE) {
		refuse(j, "the root is neither testsuites nor testsuite");
		return;
	}
	if (j->depth > 0)
		mark(&j->level[j->depth - 1], name);
	j->depth++;
	if (l->kind <= SUITE) {
		read_stated(j, l, attributes);
		keep_name(j, l, attribute(attributes, "name"), NULL);
		copy_short(l->duration, sizeof(l->duration),
		    attribute(attributes, "time"));
		copy_short(l->time, sizeof(l->time),
		    attribute(attributes, "timestamp"));
	} else if (l->kind == CASE) {
		keep_name(j, l, attribute(attributes, "classname"),
		    attribute(attributes, "name"));
		status = attribute(attributes, "status");
		l->skipped = status != NULL && strcmp(status, "notrun") == 0;
	}
}

/* A case that failed is not counted as skipped as well. */
static void
end_case(struct tf_junit *j)
{
	const struct level *l = &j->level[j->depth];
	struct level *suite = suite_of(j, j->depth);
	struct tf_junit_counts c = { 1, l->failure, l->error,
		l->skipped && !l->failure && !l->error };

	tf_junit_counts_add(&suite->found, &c);
	tf_junit_counts_add(&j->results.found, &c);
	if (l->failure || l->error)
		tf_junit_add_failed(&j->results,
		    l->failure ? "failure" : "error", name_of(j, j->depth),
		    name_of(j, (unsigned)(suite - j->level)));
}

/*
 * The larger of what a suite states and what was found in it counts, so that
 * cases that a tool left out are not lost.
 */
static void
end_suite(struct tf_junit *j)
{
	struct level *l = &j->level[j->depth], *outer = suite_of(j, j->depth);

	tf_junit_counts_raise(&l->found, &l->stated);
	tf_junit_counts_add(outer != NULL ? &outer->found : &j->results.total,
	    &l->found);
	if (l->kind == SUITE && (outer == NULL || outer->kind == SUITES))
		tf_junit_add_suite(&j->results,
		    &(struct tf_junit_suite){ .counts = l->found,
			.file = tf_buf_bytes(&j->file),
			.name = name_of(j, (unsigned)(l - j->level)),
			.duration = tf_str_of(l->duration),
			.time = tf_str_of(l->time) });
}

static void XMLCALL
end(void *arg, const char *name)
{
	struct tf_junit *j = arg;
	const struct level *l;

	(void)name;
	note_seen(j);
	if (j->bad)
		return;
	l = &j->level[--j->depth];
	if (l->kind == CASE)
		end_case(j);
	else if (l->kind <= SUITE)
		end_suite(j);
	j->names.n -= l->name.n;
}

/* Text and comments matter only as bytes that were read. */
static void XMLCALL
other(void *arg, const char *s, int n)
{
	(void)s;
	(void)n;
	note_seen(arg);
}

/* A document type can define entities that expand without limit. */
static void XMLCALL
doctype(void *arg, const char *name, const char *system, const char *public,
    int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	refuse(arg, "a document type is not allowed");
}

/* --- files -------------------------------------------------------------- */

enum tf_code
tf_junit_new(struct tf_junit **out, struct tf_error *err)
{
	struct tf_junit *j = calloc(1, sizeof(*j));

	*out = NULL;
	if (j == NULL)
		return tf_nomem(err);
	j->hash = tf_sha256_new();
	j->parser = XML_ParserCreate(NULL);
	if (j->hash == NULL || j->parser == NULL) {
		tf_junit_free(j);
		return tf_nomem(err);
	}
	*out = j;
	return TF_OK;
}

void
tf_junit_free(struct tf_junit *j)
{
	if (j == NULL)
		return;
	if (j->parser != NULL)
		XML_ParserFree(j->parser);
	tf_sha256_free(j->hash);
	tf_buf_free(&j->file);
	tf_buf_free(&j->names);
	tf_junit_results_free(&j->results);
	free(j);
}

/* Count n bytes; more than the limit are all the same. */
static void
count_bytes(struct tf_junit *j, uint64_t n)
{
	uint64_t most = TF_JUNIT_BYTES + 1;

	j->bytes = n < most - j->bytes ? j->bytes + n : most;
}

enum tf_code
tf_junit_begin(struct tf_junit *j, const struct tf_judged_file *f, bool *read,
    struct tf_error *err)
{
	if (!XML_ParserReset(j->parser, NULL))
		return tf_nomem(err);
	XML_SetUserData(j->parser, j);
	XML_SetElementHandler(j->parser, start, end);
	XML_SetDefaultHandler(j->parser, other);
	XML_SetStartDoctypeDeclHandler(j->parser, doctype);
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 6
	/* Whether a long tag is refused must not depend on when it is read. */
	(void)XML_SetReparseDeferralEnabled(j->parser, XML_FALSE);
#endif
	tf_sha256_reset(j->hash);
	j->file.n = j->names.n = j->filled = 0;
	j->depth = 0;
	j->size = j->parsed = j->seen = 0;
	j->bad = false;
	tf_buf_add(&j->file, f->path.p, f->path.n);
	/* By the size, and not after so many bytes: what a part of the file
	 * says must not depend on the pieces in which it is read. */
	if (j->bytes > TF_JUNIT_BYTES || f->size > TF_JUNIT_BYTES - j->bytes)
		refuse(j, TOO_LONG);
	*read = j->read = !j->bad || f->sha256 == NULL;
	if (!*read) {
		j->sha256 = *f->sha256;
		j->size = f->size;
		count_bytes(j, f->size);
	}
	return tf_buf_end(&j->file, err);
}

/* Give the block to expat. */
static enum tf_code
parse_block(struct tf_junit *j, bool last, struct tf_error *err)
{
	enum XML_Status status;

	if (!j->bad) {
		j->parsed += j->filled;
		status = XML_Parse(j->parser, j->block, (int)j->filled, last);
		if (status != XML_STATUS_OK &&
		    XML_GetErrorCode(j->parser) == XML_ERROR_NO_MEMORY)
			return tf_nomem(err);
		if (status != XML_STATUS_OK)
			refuse(j, "not well-formed XML");
		else if (j->parsed > j->seen + TF_JUNIT_TAG)
			refuse(j, "a tag or comment of more than 1 MiB");
	}
	j->filled = 0;
	return j->nomem ? tf_nomem(err) : TF_OK;
}

enum tf_code
tf_junit_feed(struct tf_junit *j, const void *p, size_t n, struct tf_error *err)
{
	const char *from = p;
	enum tf_code rc;

	tf_sha256_add(j->hash, p, n);
	j->size += n;
	count_bytes(j, n);
	if (j->bytes > TF_JUNIT_BYTES)
		refuse(j, TOO_LONG); /* the file has grown */
	while (n > 0 && !j->bad) {
		size_t part = BLOCK - j->filled < n ? BLOCK - j->filled : n;

		memcpy(j->block + j->filled, from, part);
		j->filled += part;
		from += part;
		n -= part;
		if (j->filled == BLOCK &&
		    (rc = parse_block(j, false, err)) != TF_OK)
			return rc;
	}
	return TF_OK;
}

enum tf_code
tf_junit_end(struct tf_junit *j, struct tf_error *err)
{
	enum tf_code rc = parse_block(j, true, err);

	if (rc != TF_OK)
		return rc;
	/* Of suites that did not end, what was found in them counts. */
	for (unsigned k = 0; k < j->depth; k++)
		tf_junit_counts_add(&j->results.total, &j->level[k].found);
	if (j->read)
		tf_sha256_peek(j->hash, &j->sha256);
	tf_junit_add_file(&j->results, tf_buf_bytes(&j->file), &j->sha256,
	    j->size);
	return tf_junit_results_end(&j->results, err);
}

enum tf_code
tf_junit_report(struct tf_junit *j, struct tf_evaluation *out,
    struct tf_error *err)
{
	return tf_junit_results_report(&j->results, out, err);
}
