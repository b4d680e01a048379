/*
 * What a vault cannot read: see damage.h.
 *
 * A list shows all that is readable, so its rows do not say that something is
 * wrong loudly enough: stderr names the entry and the cause, and the exit
 * status is that of damaged evidence.
 */
#include "damage.h"

#include "core/base/bytes.h"
#include "report.h"

void
damage_say(struct damage *d, uint64_t entry, const char *why)
{
	const size_t max = sizeof(d->said) / sizeof(d->said[0]);

	d->any = true;
	for (size_t i = 0; i < d->n; i++)
		if (entry != DAMAGE_NO_ENTRY && d->said[i] == entry)
			return;
	if (d->n < max)
		d->said[d->n++] = entry;
	report_note("%s", why);
}

void
damage_read(struct damage *d, const struct tf_json_doc *doc, int of)
{
	const int list = tf_json_get(doc, of, "damaged");

	if (list < 0 || doc->tok[list].type != TF_JSON_ARRAY)
		return;
	for (uint32_t t = (uint32_t)list + 1; t < doc->tok[list].next;
	     t = doc->tok[t].next) {
		const int index = tf_json_get(doc, (int)t, "index");
		const int reason = tf_json_get(doc, (int)t, "reason");
		struct tf_buf why = { 0 };

		if (reason < 0 ||
		    tf_json_string(doc, reason, &why, NULL) != TF_OK)
			tf_buf_str(&why, "a record cannot be read");
		if (tf_buf_end(&why, NULL) == TF_OK)
			damage_say(d,
			    index >= 0 ? (uint64_t)doc->tok[index].num :
					 DAMAGE_NO_ENTRY,
			    why.p);
		d->any = true;
		tf_buf_free(&why);
	}
}

int
damage_exit(const struct damage *d, int status)
{
	return d->any ? REPORT_TAMPERED : status;
}
