/* Refusals in status and page: see refusals.h. */
#include "refusals.h"

#include <stdio.h>

#include "../anchor.h"
#include "../base/html.h"
#include "../base/member.h"
#include "../node/vault_i.h"
#include "../store/refusals.h"
#include "page.h"
#include "view.h"

struct newest {
	char *out;
	size_t n;
};

static enum tf_code
take_newest(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	const struct newest *l = arg;
	struct tf_buf words = { 0 };
	enum tf_code rc;

	tf_refusal_words(r->kind, r->name, r->text, &words);
	if ((rc = tf_buf_end(&words, err)) == TF_OK)
		(void)snprintf(l->out, l->n, "%.*s", (int)words.n, words.p);
	tf_buf_free(&words);
	return rc;
}

enum tf_code
tf_refusal_newest(struct tf_vault *v, char *out, size_t n, struct tf_error *err)
{
	struct newest l = { out, n };

	*out = '\0';
	return tf_refusals_each(v->dirfd, take_newest, &l, err);
}

struct listing {
	struct tf_json *j;
	bool any;
};

static enum tf_code
put_one(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	struct listing *l = arg;

	(void)err;
	if (!l->any) {
		tf_json_key(l->j, "refusals");
		tf_json_array(l->j);
		l->any = true;
	}
	tf_json_object(l->j);
	tf_put_time(l->j, "at", r->at);
	tf_put_str(l->j, "kind", r->kind);
	tf_put_str(l->j, "name", r->name);
	tf_put_str(l->j, "text", r->text);
	tf_json_object_end(l->j);
	return TF_OK;
}

enum tf_code
tf_put_refusals(struct tf_vault *v, struct tf_json *j, struct tf_error *err)
{
	struct listing l = { .j = j };
	enum tf_code rc = tf_refusals_each(v->dirfd, put_one, &l, err);

	if (l.any)
		tf_json_array_end(j);
	return rc;
}

static enum tf_code
page_one(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	struct tf_page *p = arg;
	struct tf_buf words = { 0 };
	enum tf_code rc;

	tf_refusal_words(r->kind, r->name, r->text, &words);
	tf_buf_add(&words, "", 1);
	if ((rc = tf_buf_end(&words, err)) == TF_OK)
		tf_html(&p->b, "<dd class=\"bad\">%s</dd>\n", words.p);
	tf_buf_free(&words);
	return rc;
}

enum tf_code
tf_page_refusals(struct tf_page *p, struct tf_error *err)
{
	return tf_refusals_each(p->w->v->dirfd, page_one, p, err);
}
