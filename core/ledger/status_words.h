/* The words of compliance, in status.json and for people. */
#ifndef TF_LEDGER_STATUS_WORDS_H
#define TF_LEDGER_STATUS_WORDS_H

#include "status.h"

/* Return "COMPLIANT", "NON-COMPLIANT", "INCOMPLETE" or "DAMAGED". */
const char *tf_compliance_word(enum tf_compliance c);
/* Return "COMPLETE", "MISSING" or "DAMAGED". */
const char *tf_item_word(enum tf_item_state s);
/* "denied", "late" and so on: the words of status.json; "" for NONE. */
const char *tf_cause_word(enum tf_cause c);

/*
 * Append why item m is lacking or not compliant: one line of plain English
 * without the name, a line feed or a full stop, for example "1 of 2 reports".
 * Nothing if the cause is NONE.
 */
void tf_status_why(const struct tf_status_item *m, struct tf_buf *out);

#endif
