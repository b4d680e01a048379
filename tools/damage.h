/* What a vault cannot read, for verbs that list the rest: said once each. */
#ifndef TRAILCTL_DAMAGE_H
#define TRAILCTL_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"

#define DAMAGE_NO_ENTRY UINT64_MAX

/* {0}: nothing is damaged. */
struct damage {
	bool any;
	uint64_t said[64]; /* entries */
	size_t n;
};

/* Say on stderr why something cannot be read, once per entry. */
void damage_say(struct damage *d, uint64_t entry, const char *why);
/* Say what the member "damaged" of the object `of` lists. */
void damage_read(struct damage *d, const struct tf_json_doc *doc, int of);
/* The exit status of a verb that would have ended with `status`: damage is
 * worse than any verdict. */
int damage_exit(const struct damage *d, int status);

#endif
