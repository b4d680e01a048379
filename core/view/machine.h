/* The clock and the guard of the machine that writes, in the status of the vault
 * and on its page. */
#ifndef TF_VIEW_MACHINE_H
#define TF_VIEW_MACHINE_H

#include "../json.h"
#include "../types.h"

struct tf_guard_state;
struct tf_page;
struct tf_vault;

/* How many whole seconds the clock is behind last, the time of the last entry;
 * 0: less than one. */
uint64_t tf_clock_behind(struct tf_time last);
/* The members "clock" and "guard", for a vault that is open for writing.  last:
 * the time of the last entry. */
void tf_put_machine_clock(const struct tf_vault *v, struct tf_json *j,
    struct tf_time last);
void tf_put_guard(const struct tf_vault *v, struct tf_json *j,
    const struct tf_guard_state *g);
/* The member "sandbox", for a vault that a mount serves: what its process has
 * given up. */
void tf_put_sandbox(const struct tf_vault *v, struct tf_json *j);
/* Rows of the page's list: damaged evidence, the guard, and a clock that is behind
 * the ledger. */
void tf_page_machine(struct tf_page *p);

#endif
