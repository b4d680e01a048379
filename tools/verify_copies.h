/* trailctl verify of an organisation: every origin, and one verdict for all. */
#ifndef TRAILCTL_VERIFY_COPIES_H
#define TRAILCTL_VERIFY_COPIES_H

#include "copies.h"

struct verify_copies {
	const struct copies_wish *wish;
	const char *vkey;     /* of keyring_read(), or NULL */
	const char *textfile; /* for metrics about all, or NULL */
	bool json, quiet;
};

/* Verify all that `what` names, for which copies_named() is true, and print the
 * verdicts.  Returns the exit status. */
int verify_copies(const char *what, const struct verify_copies *ask);

#endif
