/*
 * The queue of jobs for the committer.  Jobs run in the order in which they
 * were submitted.  Errors of a job: those of its run function, and those of
 * the commit: TF_NOSPACE, TF_LOCKED, TF_IO and its sharper forms, TF_READONLY.
 */
#ifndef TF_COMMIT_QUEUE_H
#define TF_COMMIT_QUEUE_H

#include "../error.h"

struct tf_committer;
struct tf_job;
struct tf_txn;

/* Queue j, which belongs to the committer until done is called, for the
 * committer's thread.  vault.mu may be held. */
void tf_commit_submit(struct tf_committer *c, struct tf_job *j);
/* The same for a caller that calls tf_commit_run afterwards. */
void tf_commit_queue(struct tf_committer *c, struct tf_job *j);
/*
 * The caller is about to submit many jobs for which nobody waits: until
 * tf_commit_gathered, the committer's thread waits up to 5 ms for more of them, so
 * that they share a transaction.  Any lock may be held.
 */
void tf_commit_gather(struct tf_committer *c);
void tf_commit_gathered(struct tf_committer *c);
/*
 * Run the queued jobs in this thread if nobody else commits and the thread may
 * stay for it (options.may_stay); otherwise the committer's thread runs them.
 * The caller holds neither vault.mu nor a lock that a run or done takes: those
 * of other jobs may be called here, too.
 */
void tf_commit_run(struct tf_committer *c);
/* Run a job and wait for its result.  On TF_OK its changes survive power loss.
 * The caller holds neither vault.mu nor a lock that run takes. */
TF_MUST_USE enum tf_code tf_commit_wait(struct tf_committer *c,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err);

/* The same in a transaction of its own. */
TF_MUST_USE enum tf_code tf_commit_wait_alone(struct tf_committer *c,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err);

/* The committer's thread: pass lists of up to 256 jobs, linked by next, to
 * c->process; those of a list share a transaction.  Returns when tf_commit_stop()
 * was called and the queue is empty. */
void tf_commit_serve(struct tf_committer *c);

#endif
