/* The signer of a mount: see signer.h. */
#include "signer.h"

#include "core/signer.h"

enum tf_code
fs_signer_start(struct fs_options *o, struct tf_error *err)
{
	o->signer_fd = 0;
	return o->read_only ? TF_OK :
			      tf_signer_start(o->store, o->signer,
				  !o->foreground, &o->signer_fd, err);
}
