/* Long lists on a terminal go through a pager. */
#ifndef TRAILCTL_PAGER_H
#define TRAILCTL_PAGER_H

/*
 * If stdout is a terminal, let what is printed from now on go through $PAGER,
 * or less(1) if PAGER is not set.  Nothing happens without a pager, and with
 * PAGER empty or "cat".
 */
void pager_begin(void);
/* Wait until the user has ended the pager; stdout is the terminal again. */
void pager_end(void);

#endif
