/* Records of another system, and the copies of them in a trail: see
 * trailctl push. */
#ifndef TRAILCTL_COMPARE_RECORDS_H
#define TRAILCTL_COMPARE_RECORDS_H

#include <stdbool.h>

/* The annotation in which an attestation has the identifier of its record. */
#define RECORD_ID "record_id"
#define RECORD_SYSTEM "record_system"

/*
 * Compare each file or directory of dir, whose name is the identifier of a
 * record (%2F stands for a slash, %25 for %), with the newest attestation below
 * trail that has this identifier, and print which differ, are not recorded, or
 * are in the trail only.  Returns an exit status.
 */
int compare_records(const char *dir, const char *trail, bool json, bool quiet);

#endif
