/* Where this vault is now, in the form of ledger/home.h. */
#ifndef TF_NODE_HOME_H
#define TF_NODE_HOME_H

#include "../ledger/home.h"

struct tf_vault;

/* The home of a vault, with the memory of its texts. */
struct tf_home_now {
	struct tf_home home;
	char path[TF_HOME_PATH_MAX + 1], device[32];
};

/* What cannot be read is absent.  out must not be moved afterwards. */
void tf_home_find(const struct tf_vault *v, struct tf_home_now *out);

/* The digest of a machine id for one store.  False if the text, which may end
 * with a LF, is no machine id: empty, "uninitialized". */
bool tf_home_machine(const char *id, const char *store, struct tf_hash *out);

#endif
