/* The last verifications, the last backup and the last forwarding, in status, metrics
 * and the page. */
#ifndef TF_VIEW_RESULTS_H
#define TF_VIEW_RESULTS_H

#include <stdbool.h>

#include "../store/forwarded.h"
#include "../store/results.h"

struct tf_db;
struct tf_page;
struct tf_vault;

struct tf_results {
	/* The last verify.done: its number, the entries that it covers, its time;
	 * and that of the last one that read everything. */
	bool verified;
	uint64_t seq, size;
	struct tf_time at;
	bool full_known;
	struct tf_time full_at;
	/* One failed, and none that read everything was good since. */
	bool failed;
	struct tf_result failure;
	bool backed_up;
	struct tf_result backup;
	/* A forwarder has run. */
	bool forwarded;
	struct tf_forward_state forward;
	uint64_t lacks; /* entries that the organisation did not have then, */
	uint64_t oldest_s; /* and the age of the oldest of them */
};

/* Read them; size: entries of the ledger.  What cannot be read is as what is not there, but for the errors of
 * the database and of the disk. */
TF_MUST_USE enum tf_code tf_results_read(struct tf_vault *v, struct tf_db *db,
    uint64_t size, struct tf_results *out, struct tf_error *err);

/* The members "backup", "forwarded", "verified" and "verify_failed", as far as there is
 * anything to say. */
void tf_put_backup(const struct tf_results *r, struct tf_json *j);
void tf_put_forwarded(const struct tf_results *r, struct tf_json *j);
void tf_put_verified(const struct tf_results *r, struct tf_json *j);
/* A row of the page's list, if a verification failed. */
TF_MUST_USE enum tf_code tf_page_results(struct tf_page *p,
    struct tf_error *err);

#endif
