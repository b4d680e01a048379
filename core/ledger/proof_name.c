/* Names of the proofs of files under .trailfs/proof. */
#include <stdio.h>
#include <string.h>

#include "../control.h"

#define SUFFIX_LEN (sizeof(TF_CONTROL_PROOF_SUFFIX) - 1)
#define KEPT_LEN 220 /* bytes of a cut name, before '~' and a number */

bool
tf_control_proof_is_cut(const char *name)
{
	return strlen(name) + SUFFIX_LEN > TF_CONTROL_NAME_MAX;
}

void
tf_control_proof_name(const char *name, uint64_t inode,
    char out[TF_CONTROL_NAME_MAX + 1])
{
	size_t n = KEPT_LEN;

	if (!tf_control_proof_is_cut(name)) {
		(void)snprintf(out, TF_CONTROL_NAME_MAX + 1,
		    "%s" TF_CONTROL_PROOF_SUFFIX, name);
		return;
	}
	while (((unsigned char)name[n] & 0xc0) == 0x80)
		n--; /* cut between two characters */
	(void)snprintf(out, TF_CONTROL_NAME_MAX + 1,
	    "%.*s~%llu" TF_CONTROL_PROOF_SUFFIX, (int)n, name,
	    (unsigned long long)inode);
}
