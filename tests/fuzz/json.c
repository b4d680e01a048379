/* Canonical JSON, and that of status files: what the reader accepts, the writer
 * makes, byte for byte. */
#include <string.h>

#include "../../core/json.h"
#include "fuzz.h"

/* Write token t and what is in it; the token after it. */
static uint32_t
copy(struct tf_json *j, const struct tf_json_doc *d, uint32_t t)
{
	const struct tf_json_token *v = &d->tok[t];
	struct tf_buf s = { 0 };
	char key[1024];
	uint32_t i = t + 1;

	MUST(v->next > t && v->next <= d->n);
	switch (v->type) {
	case TF_JSON_INT:
		tf_json_int(j, v->num);
		return i;
	case TF_JSON_BOOL:
		tf_json_bool(j, v->num != 0);
		return i;
	case TF_JSON_NULL:
		tf_json_null(j);
		return i;
	case TF_JSON_DECIMAL:
	case TF_JSON_ANY:
		MUST(v->len > 0);
		tf_json_any(j, tf_json_text(d, (int)t));
		return i;
	case TF_JSON_STRING:
		MUST(tf_json_string(d, (int)t, &s, NULL) == TF_OK);
		tf_json_str(j, s.p, s.n);
		tf_buf_free(&s);
		return i;
	case TF_JSON_ARRAY:
		tf_json_array(j);
		while (i < v->next)
			i = copy(j, d, i);
		tf_json_array_end(j);
		return i;
	case TF_JSON_OBJECT:
		tf_json_object(j);
		while (i < v->next) {
			(void)snprintf(key, sizeof(key), "%.*s",
			    (int)d->tok[i].key_len,
			    d->text + d->tok[i].key_off);
			if (strlen(key) == d->tok[i].key_len)
				MUST(tf_json_get(d, (int)t, key) == (int)i);
			/* A key can be as long as the text. */
			if (d->tok[i].key_len >= sizeof(key)) {
				j->failed = true;
				return d->n;
			}
			tf_json_key(j, key);
			i = copy(j, d, i);
		}
		tf_json_object_end(j);
		return i;
	}
	return d->n;
}

typedef enum tf_code (*reader)(struct tf_json_doc *d, const char *text,
    size_t n, struct tf_error *err);

static void
read_and_write(reader parse, const uint8_t *data, size_t n)
{
	struct tf_json_doc d = { 0 };
	struct tf_json j;
	struct tf_buf b = { 0 };

	if (parse(&d, (const char *)data, n, NULL) == TF_OK) {
		tf_json_begin(&j, &b);
		MUST(copy(&j, &d, 0) == d.n);
		if (!j.failed) {
			MUST(tf_json_end(&j, NULL) == TF_OK);
			MUST(b.n == n && memcmp(b.p, data, n) == 0);
		} else {
			/* Only a key too long for this test. */
			MUST(n > 1024);
		}
	}
	tf_buf_free(&b);
	tf_json_doc_free(&d);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	read_and_write(tf_json_parse, data, n);
	read_and_write(tf_json_parse_status, data, n);
	return 0;
}
