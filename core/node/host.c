/* Boot, clock and attester in entries: see host.h. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/member.h"
#include "host.h"
#include "key_state.h"
#include "vault_i.h"

void
tf_host_word(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

void
tf_boot_id(char out[64])
{
	tf_host_word("/proc/sys/kernel/random/boot_id", out, 64);
	out[36] = '\0'; /* 8-4-4-4-12 */
}

enum tf_code
tf_host_clock_text(struct tf_buf *out, struct tf_error *err)
{
	const char *source = tf_clock_source("/run");
	struct tf_clock_state c;
	struct tf_json j;

	tf_clock_state(&c);
	if (!c.known)
		return TF_OK;
	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_uint(&j, "estimatedErrorUs", c.estimated_error_us);
	tf_put_uint(&j, "maximumErrorUs", c.maximum_error_us);
	if (*source != '\0')
		tf_put_cstr(&j, "source", source);
	tf_put_bool(&j, "synchronised", c.synchronised);
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

void
tf_attester_text(const struct tf_vault *v, struct tf_buf *out)
{
	uint8_t der[TF_SPKI_LEN];

	tf_pubkey_spki(tf_attester_key(v), der);
	tf_base64(out, der, sizeof(der));
}
