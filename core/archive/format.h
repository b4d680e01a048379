/*
 * The names of the files in a package, see trailfs-package(5).  To write a
 * package, select.c selects the entries, package.c makes the files, and
 * zip_write.c writes the archive.  To read one, open.c finds its members with
 * zip_scan.c, manifest.c compares them with the manifests, and reader.c reads
 * their bytes.  Only zip_write.c uses libzip; only reader.c uses zlib.
 */
#ifndef TF_ARCHIVE_FORMAT_H
#define TF_ARCHIVE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Files and directories below the topmost directory. */
#define TF_PACKAGE_BAGIT "bagit.txt"
#define TF_PACKAGE_INFO "bag-info.txt"
#define TF_PACKAGE_MANIFEST "manifest-sha256.txt"
#define TF_PACKAGE_TAGMANIFEST "tagmanifest-sha256.txt"
#define TF_PACKAGE_README "VERIFY.txt"
#define TF_PACKAGE_SCRIPT "verify.sh"
#define TF_PACKAGE_POWERSHELL "verify.ps1"
#define TF_PACKAGE_JSON "package.json"
#define TF_PACKAGE_JSON_MAX ((size_t)1 << 16) /* bytes */
#define TF_PACKAGE_COMPLETENESS "completeness.json"
#define TF_PACKAGE_HEALTH "health.json"
#define TF_PACKAGE_CERTIFICATE "certificate.html"
#define TF_PACKAGE_CHECKPOINT "checkpoint"
#define TF_PACKAGE_EVENTS "events.jsonl"
#define TF_PACKAGE_NAMES "names.jsonl"
#define TF_PACKAGE_VKEY "keys/log.vkey"
#define TF_PACKAGE_PEM "keys/log.pub.pem"
#define TF_PACKAGE_ATTESTER "keys/attester.pub.pem"
#define TF_PACKAGE_DATA "data/"
#define TF_PACKAGE_ATTESTATIONS "attestations/"
#define TF_PACKAGE_ENVELOPE "/attestation.intoto.json"
#define TF_PACKAGE_FILE_PROOFS "proofs/data/"
/* DEFINITIONS, in a package of the vault the trail and '/', and one of these. */
#define TF_PACKAGE_DEFINITIONS "definitions/"
#define TF_PACKAGE_TEMPLATE "template"
#define TF_PACKAGE_RECIPIENTS "recipients"
#define TF_PACKAGE_TYPES "types/"
#define TF_PACKAGE_REPORT "/evaluation.json"
#define TF_PACKAGE_USER_DATA "/user-data"
#define TF_PACKAGE_EVENT_PROOFS "proofs/events/"
#define TF_PACKAGE_PROOF ".tlog-proof"
/* Texts that stand apart from their entries: TEXTS + digest, as objects. */
#define TF_PACKAGE_APART "texts/"
/* What memories outside the machine have said: ANCHORS + entry + one of these. */
#define TF_PACKAGE_ANCHORS "anchors/"
#define TF_PACKAGE_ANCHOR_NOTE ".checkpoint"
#define TF_PACKAGE_ANCHOR_STAMP ".tsr"
#define TF_PACKAGE_ANCHOR_CHAIN ".pem"
#define TF_PACKAGE_ANCHOR_PATH ".consistency"

/* --- files for human readers ---------------------------------------------- */

#define TF_PACKAGE_WORKFLOWS "workflows/"
#define TF_PACKAGE_PAGE "index.html"
#define TF_PACKAGE_TRAIL_PAGE "trail-page.html"
#define TF_PACKAGE_STATUS "status.json"
#define TF_PACKAGE_CUSTODY "custody.jsonl"
#define TF_PACKAGE_ATTESTATION "/attestation.json"
#define TF_PACKAGE_SUMS "/SHA256SUMS"
/* Pages that replay recordings: REPLAYS + entry of the recording + PAGE. */
#define TF_PACKAGE_REPLAYS "replay/"
#define TF_PACKAGE_REPLAY_PAGE ".html"

#endif
