/*
 * Messages between a vault and its signer.  Each side reads what the other one
 * sends, and either may have been taken over: what is accepted is exactly what this
 * code would have sent, and a signer answers each request, whatever it is.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/sign/message.h"
#include "../../core/sign/serve.h"
#include "fuzz.h"

static void
check_request(const char *text, size_t n)
{
	struct tf_checkpoint c;
	struct tf_sign_message m = { .c = &c };
	struct tf_buf b = { 0 };

	if (tf_sign_take_request(&m, text, n, NULL) != TF_OK)
		return;
	tf_sign_put_request(&b, &m);
	MUST(!b.failed && b.n == n + TF_SIGN_LENGTH);
	MUST(tf_get_be32((const uint8_t *)b.p) == n);
	MUST(memcmp(b.p + TF_SIGN_LENGTH, text, n) == 0);
	tf_buf_free(&b);
}

static void
check_answer(const char *text, size_t n)
{
	struct tf_error e = { .code = TF_OK }, again = { .code = TF_OK };
	struct tf_str fields = { "", 0 }, same = { "", 0 };
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_sign_take_answer(text, n, &fields, &e);

	if (rc != TF_OK) {
		MUST(e.code == rc && strlen(e.text) < sizeof(e.text));
		MUST(strchr(e.text, '\n') == NULL);
	}
	tf_sign_put_answer(&b, rc, &e, fields);
	MUST(!b.failed && b.n >= TF_SIGN_LENGTH);
	MUST(tf_sign_take_answer(b.p + TF_SIGN_LENGTH, b.n - TF_SIGN_LENGTH,
		 &same, &again) == rc);
	MUST(strcmp(e.text, again.text) == 0);
	if (rc == TF_OK)
		MUST(b.n == n + TF_SIGN_LENGTH && fields.n == same.n &&
		    memcmp(b.p + TF_SIGN_LENGTH, text, n) == 0);
	tf_buf_free(&b);
}

/* The fields of an answer, in each way in which a vault takes them. */
static void
check_fields(const char *text, size_t n)
{
	struct tf_str rest = { text, n }, line;
	struct tf_pubkey k;
	struct tf_buf b = { 0 };

	while (tf_sign_take_line(&rest, &line))
		MUST(memchr(line.p, '\n', line.n) == NULL);
	MUST(memchr(rest.p, '\n', rest.n) == NULL);
	rest = (struct tf_str){ text, n };
	if (tf_sign_take_key(&rest, &k)) {
		tf_sign_put_key(&b, &k);
		MUST(!b.failed && b.n == n - rest.n &&
		    memcmp(b.p, text, b.n) == 0);
	}
	tf_buf_free(&b);
}

/* The bytes of a whole connection: lengths, too.  The signer has no keys. */
static void
check_connection(const uint8_t *data, size_t n)
{
	const struct tf_error unable = { .code = TF_IO, .text = "no keys" };
	int in = memfd_create("in", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	off_t answered;
	size_t whole = 0;

	MUST(in >= 0 && out >= 0);
	MUST(write(in, data, n) == (ssize_t)n && lseek(in, 0, SEEK_SET) == 0);
	tf_signer_serve(NULL, &unable, in, out);
	answered = lseek(out, 0, SEEK_END);
	for (size_t at = 0, len; n - at >= TF_SIGN_LENGTH;
	     at += TF_SIGN_LENGTH + len, whole++) {
		len = tf_get_be32(data + at);
		if (len > n - at - TF_SIGN_LENGTH)
			break;
	}
	/* Length, "failed" and the text: 4 + 7 + 8 bytes each. */
	MUST(answered == (off_t)(whole * 19));
	(void)close(in);
	(void)close(out);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	const char *text = n == 0 ? "" : (const char *)data;

	check_request(text, n);
	check_answer(text, n);
	check_fields(text, n);
	check_connection(data, n);
	return 0;
}
