/*
 * Recipients files, headers of encrypted files, and encrypted files.  What is
 * accepted has one spelling, and nothing is given out that was not encrypted.
 */
#include <string.h>
#include <unistd.h>

#include "../../core/age.h"
#include "../../core/base/bytes.h"
#include "../../core/crypt/age_write.h"
#include "../../core/crypt/header_read.h"
#include "fuzz.h"

/* From the specification, "The X25519 recipient type". */
#define RECIPIENT \
	"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define IDENTITY                                                                 \
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4E" \
	"GAEX"

static struct tf_recipients to;
static struct tf_identities *ids;

static void
set_up(void)
{
	static const char text[] = IDENTITY "\n";
	int fd[2];

	MUST(tf_recipients_parse(RECIPIENT, strlen(RECIPIENT), &to, NULL) ==
	    TF_OK);
	MUST(pipe(fd) == 0);
	MUST(write(fd[1], text, strlen(text)) == (ssize_t)strlen(text));
	MUST(close(fd[1]) == 0);
	MUST(tf_identities_new(&ids, NULL) == TF_OK);
	MUST(tf_identities_add(ids, fd[0], NULL) == TF_OK);
	MUST(close(fd[0]) == 0);
}

/* The canonical text of a list is a file with that list. */
static void
check_recipients(const char *text, size_t n)
{
	struct tf_buf b = { 0 }, c = { 0 };
	struct tf_recipients r, again;

	if (tf_recipients_parse(text, n, &r, NULL) != TF_OK) {
		MUST(r.n == 0 && r.v == NULL);
		return;
	}
	tf_recipients_text(&r, &b);
	MUST(tf_recipients_parse(b.p, b.n, &again, NULL) == TF_OK);
	tf_recipients_text(&again, &c);
	MUST(r.n > 0 && r.n == again.n && b.n == c.n);
	MUST(memcmp(b.p, c.p, b.n) == 0);
	tf_recipients_free(&r);
	tf_recipients_free(&again);
	tf_buf_free(&b);
	tf_buf_free(&c);
}

/* Append base64 without padding, and a line end behind each 64 characters and
 * behind the last. */
static void
put_base64(struct tf_buf *out, const void *p, size_t n)
{
	struct tf_buf b = { 0 };
	size_t at = 0;

	tf_base64(&b, p, n);
	while (b.n > 0 && b.p[b.n - 1] == '=')
		b.n--;
	for (; b.n - at >= 64; at += 64) {
		tf_buf_add(out, b.p + at, 64);
		tf_buf_str(out, "\n");
	}
	if (b.n > at)
		tf_buf_add(out, b.p + at, b.n - at);
	tf_buf_str(out, "\n");
	tf_buf_free(&b);
}

/* An accepted header is what its parts are written as. */
static void
check_header(const char *text, size_t n)
{
	size_t end = tf_header_end(text, n);
	struct tf_buf b = { 0 };
	struct tf_header h;

	MUST(end <= n);
	if (tf_header_parse(text, end > 0 ? end : n, &h, NULL) == TF_OK) {
		MUST(end > 0 && h.n > 0);
		tf_buf_str(&b, "age-encryption.org/v1\n");
		for (size_t i = 0; i < h.n; i++) {
			struct tf_stanza *s = &h.stanza[i];

			tf_buf_str(&b, "->");
			for (size_t k = 0; k < s->n_args; k++) {
				struct tf_str a = tf_stanza_arg(s, k);

				tf_buf_str(&b, " ");
				tf_buf_add(&b, a.p, a.n);
			}
			tf_buf_str(&b, "\n");
			put_base64(&b,
			    s->body_n > 0 ? h.bodies.p + s->body_at : "",
			    s->body_n);
		}
		tf_buf_str(&b, "---");
		MUST(h.mac_of == b.n);
		tf_buf_str(&b, " ");
		put_base64(&b, h.mac, sizeof(h.mac));
		MUST(b.n == end && memcmp(b.p, text, end) == 0);
	}
	tf_header_free(&h);
	tf_buf_free(&b);
}

static enum tf_code
append(void *arg, const void *p, size_t n, struct tf_error *err)
{
	tf_buf_add(arg, p, n);
	return tf_buf_end(arg, err);
}

static enum tf_code
take(void *arg, void *p, size_t n, size_t *got, struct tf_error *err)
{
	struct tf_str *rest = arg;

	(void)err;
	*got = n < rest->n ? n : rest->n;
	memcpy(p, rest->p, *got);
	rest->p += *got;
	rest->n -= *got;
	return TF_OK;
}

/* Open a file.  What it gives out is the beginning of text. */
static enum tf_code
open_file(struct tf_str file, struct tf_str text)
{
	struct tf_age_reader *r;
	const uint8_t *p;
	enum tf_code rc;
	size_t n;

	if ((rc = tf_age_reader_new(ids, take, &file, &r, NULL)) != TF_OK)
		return rc;
	while ((rc = tf_age_reader_next(r, &p, &n, NULL)) == TF_OK && n > 0) {
		MUST(n <= text.n && memcmp(p, text.p, n) == 0);
		text.p += n;
		text.n -= n;
	}
	MUST(rc != TF_OK || text.n == 0);
	tf_age_reader_free(r);
	return rc;
}

/* The bytes encrypted are opened as they were; altered, they are not. */
static void
check_file(const char *text, size_t n)
{
	struct tf_str all = { text, n };
	struct tf_age_writer *w;
	struct tf_buf b = { 0 };
	size_t at;

	MUST(tf_age_writer_new(&to, append, &b, &w, NULL) == TF_OK);
	MUST(tf_age_writer_add(w, text, n / 2, NULL) == TF_OK);
	MUST(tf_age_writer_add(w, text + n / 2, n - n / 2, NULL) == TF_OK);
	MUST(tf_age_writer_end(w, NULL) == TF_OK);
	tf_age_writer_free(w);
	MUST(b.n == tf_age_size(&to, n));
	MUST(open_file(tf_buf_bytes(&b), all) == TF_OK);
	at = n < 3 ? 0 : (size_t)((uint8_t)text[0] << 8 | (uint8_t)text[1]);
	at %= b.n;
	b.p[at] ^= (char)(n < 3 || text[2] == 0 ? 1 : text[2]);
	MUST(open_file(tf_buf_bytes(&b), all) != TF_OK);
	MUST(open_file((struct tf_str){ b.p, at }, all) != TF_OK);
	tf_buf_free(&b);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;

	if (ids == NULL)
		set_up();
	check_recipients(text, n);
	check_header(text, n);
	/* No input is encrypted to our recipient. */
	MUST(open_file((struct tf_str){ text, n }, (struct tf_str){ "", 0 }) !=
	    TF_OK);
	check_file(text, n);
	return 0;
}
