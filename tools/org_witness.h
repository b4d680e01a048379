/* Witnesses of the log of an organisation, for `trailctl org publish`. */
#ifndef TOOLS_ORG_WITNESS_H
#define TOOLS_ORG_WITNESS_H

/*
 * Ask the witnesses of the policy that have not cosigned the newest checkpoint, by
 * the command via, and publish the checkpoint with what they answered.  Prints what
 * became of each, and returns the exit status: REPORT_OK if the quorum is met,
 * REPORT_TAMPERED if a witness has seen another history.
 */
int org_witness(const char *ledger, const char *blobs, const char *keys,
    const char *policy, const char *via);

#endif
