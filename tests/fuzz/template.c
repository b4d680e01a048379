/* Templates: what is accepted keeps its promises, and can be judged by. */
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/name.h"
#include "../../core/ledger/status.h"
#include "../../core/ledger/status_words.h"
#include "../../core/ledger/template_parse.h"
#include "../../core/ledger/yaml.h"
#include "fuzz.h"

static void
check_list(const struct tf_strs *l)
{
	MUST(l->p != NULL || l->n == 0);
	MUST(l->n <= TF_YAML_STRS);
	for (size_t i = 0; i < l->n; i++)
		MUST(l->p[i].n > 0);
}

static void
check_slot(const struct tf_template *t, const struct tf_slot *s)
{
	MUST(tf_name_check(TF_KIND_ATTESTATION, s->name.p, s->name.n, NULL) ==
	    TF_OK);
	MUST(memchr(s->name.p, '@', s->name.n) == NULL);
	MUST(tf_template_slot(t, s->name.p, s->name.n) == s);
	MUST(s->type.n > 0 && s->type.n <= 128);
	MUST(tf_slot_type_fits(s->type, s->type));
	MUST(s->count >= 1 && s->count <= TF_SLOT_COUNT_MAX);
	MUST(!s->different_users || s->count > 1);
	MUST(s->control.p == NULL || tf_control_ok(s->control.p, s->control.n));
	MUST(s->artifact.n < s->name.n && s->line > 0);
	check_list(&s->users);
	check_list(&s->groups);
	check_list(&s->after);
}

/* Judge one report per slot; the bytes of the text choose what it is. */
static void
judge(const struct tf_template *t, const uint8_t *data)
{
	struct tf_reported *r = calloc(t->n + 1, sizeof(*r));
	struct tf_case c = { .template = t, .reports = r, .n = t->n };
	bool lacking = false, spoiled = false;
	struct tf_status s;

	MUST(r != NULL);
	for (size_t i = 0; i < t->n; i++) {
		const uint8_t b = data[i];

		r[i] = (struct tf_reported){ .name = t->slots[i].name,
			.type = t->slots[i].type,
			.sealed = (b & 3) != 0,
			.has_evidence = (b & 4) != 0,
			.denied = (b & 24) == 0,
			.begun = { b, { b, 0 } },
			.evidence = { b + 1, { b, 0 } },
			.seal = { b + 2, { 1000 * b, 0 } },
			.who = { .uid = b } };
	}
	MUST(tf_status_judge(&c, &s, NULL) == TF_OK);
	MUST(s.n == t->n);
	for (size_t i = 0; i < s.n; i++) {
		const struct tf_status_item *m = &s.items[i];
		struct tf_buf why = { 0 };

		MUST(i == 0 || tf_str_cmp(s.items[i - 1].name, m->name) < 0);
		MUST(m->slot != NULL && !m->unexpected);
		MUST((m->cause == TF_CAUSE_NONE) ==
		    (!m->lacking && (m->compliant || !m->reported)));
		MUST(m->reported || !m->compliant);
		tf_status_why(m, &why);
		MUST((why.n > 0) == (m->cause != TF_CAUSE_NONE));
		tf_buf_free(&why);
		lacking = lacking || m->lacking;
		spoiled = spoiled || (m->reported && !m->compliant);
	}
	MUST((s.word == TF_NON_COMPLIANT) == spoiled);
	MUST(s.word != TF_COMPLIANT || !lacking);
	tf_status_free(&s);
	free(r);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_error err = { 0 };
	struct tf_template t;

	if (tf_template_parse(&t, (const char *)data, n, &err) != TF_OK) {
		MUST(err.code == TF_INVALID && t.memory == NULL);
		MUST(strncmp(err.text, "line ", 5) == 0);
		return 0;
	}
	for (size_t i = 0; i < t.n; i++)
		check_slot(&t, &t.slots[i]);
	for (size_t i = 0; i < t.n_warnings; i++)
		MUST(t.warnings[i].line > 0 && t.warnings[i].text[0] != '\0');
	judge(&t, data);
	tf_template_free(&t);
	return 0;
}
