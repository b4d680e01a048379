/* The freeze of a file after its last writer has closed it. */
#ifndef TF_NODE_FREEZE_H
#define TF_NODE_FREEZE_H

struct tf_pending;

struct tf_pending;
#define TF_SETTLE_MAX_S 60 /* after the freeze a file seals at the latest */

/*
 * Freeze l, or restart the settle time of a frozen l: the seal is due `settle`
 * seconds from now (TF_SETTLE_MAX_S if the name may be that of a draft), at most
 * TF_SETTLE_MAX_S after the freeze, or up to half a second later, together with
 * others.  No handle writes l.  mu is held.
 */
void tf_pending_freeze(struct tf_pending *l);

#endif
