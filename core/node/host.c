/* The boot and the attester in entries: see host.h. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "host.h"
#include "vault_i.h"

/* The first line of a small file, read without allocating memory; "" if it
 * cannot be read. */
static void
read_word(const char *path, char *out, size_t size)
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
	read_word("/proc/sys/kernel/random/boot_id", out, 64);
	out[36] = '\0'; /* 8-4-4-4-12 */
}

void
tf_attester_text(const struct tf_vault *v, struct tf_buf *out)
{
	uint8_t der[TF_SPKI_LEN];
	struct tf_pubkey pub;

	tf_key_public(v->attester, &pub);
	tf_pubkey_spki(&pub, der);
	tf_base64(out, der, sizeof(der));
}
