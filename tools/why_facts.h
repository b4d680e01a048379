/* What bears on a path besides its state: holds, a redaction, encryption. */
#ifndef TRAILCTL_WHY_FACTS_H
#define TRAILCTL_WHY_FACTS_H

#include "core/json.h"
#include "where.h"

struct why_facts {
	bool encrypted; /* sealed evidence whose bytes are an age file */
	bool redacted;	/* its bytes were deleted */
	struct tf_buf redaction; /* "proposed: REASON"; empty: none */
	struct tf_buf holds;	 /* "NAME of PATH: REASON; ..."; empty: none */
};

/*
 * Find out what is known about the evidence (file) or directory at w, which exists.
 * What the caller may not read is left out.  The texts are safe on a terminal.
 * Freed by why_facts_free().
 */
void why_facts_read(const struct where *w, bool file, struct why_facts *out);
void why_facts_free(struct why_facts *f);

/* Is the path in a draft attestation? */
bool why_facts_in_draft(const char *path);

#endif
