/* The actor of an entry as JSON, and the encoding of hints. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "actor_json.h"

size_t
tf_hint(char *out, size_t max, const char *bytes, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		unsigned len = tf_utf8(bytes + i, n - i, &c);
		bool plain = len > 0 && c >= 0x20 && c != '%' && c != '"' &&
		    c != '\\' && !(c >= 0x7f && c < 0xa0);

		if (len == 0)
			len = 1;
		if (max - at < (plain ? len : 3 * len)) {
			at = 0;
			break;
		}
		for (unsigned k = 0; k < len; k++) {
			if (plain) {
				out[at++] = bytes[i + k];
				continue;
			}
			(void)snprintf(out + at, 4, "%%%02X",
			    (uint8_t)bytes[i + k]);
			at += 3;
		}
		i += len;
	}
	out[at] = '\0';
	return at;
}

void
tf_put_hint(struct tf_json *j, const char *key, const char *bytes, size_t size,
    size_t max)
{
	char hint[TF_HINT_MAX + 1];
	size_t n = bytes == NULL ?
	    0 :
	    tf_hint(hint, max, bytes, strnlen(bytes, size));

	if (n > 0)
		tf_put_str(j, key, (struct tf_str){ hint, n });
}

/* The kernel's audit uses the largest number for "unset". */
static bool
audit_id_set(int64_t id)
{
	return id >= 0 && id < UINT32_MAX;
}

static void
put_actor_hints(struct tf_json *j, const struct tf_actor *a)
{
	struct tf_buf b = { 0 };
	struct tf_json h;

	tf_json_begin(&h, &b);
	tf_json_object(&h);
	tf_put_hint(&h, "cgroup", a->cgroup, sizeof(a->cgroup), 512);
	tf_put_hint(&h, "comm", a->comm, sizeof(a->comm), 48);
	tf_put_hint(&h, "exe", a->exe, sizeof(a->exe), 512);
	if (audit_id_set(a->loginuid))
		tf_put_uint(&h, "loginuid", (uint64_t)a->loginuid);
	if (audit_id_set(a->session))
		tf_put_uint(&h, "session", (uint64_t)a->session);
	tf_json_object_end(&h);
	/* tf_json_end refuses an object without members: leave hints out. */
	if (tf_json_end(&h, NULL) == TF_OK) {
		tf_json_key(j, "hints");
		tf_json_raw(j, (struct tf_str){ b.p, b.n });
	}
	if (b.failed)
		j->out->failed = true;
	tf_buf_free(&b);
}

void
tf_actor_json(struct tf_buf *out, const struct tf_actor *a, const char *user,
    const char *group)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_uint(&j, "gid", a->gid);
	tf_put_hint(&j, "group", group, strlen(group), 256);
	put_actor_hints(&j, a);
	if (a->pid != 0)
		tf_put_uint(&j, "pid", a->pid);
	tf_put_uint(&j, "uid", a->uid);
	tf_put_hint(&j, "user", user, strlen(user), 256);
	tf_json_object_end(&j);
	if (tf_json_end(&j, NULL) != TF_OK)
		out->failed = true;
}
