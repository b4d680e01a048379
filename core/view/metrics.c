/*
 * The metrics of the vault.  What a daemon counts since its start is there only
 * for a vault that a daemon serves; the state is there for any vault.  No part
 * of this reads more of the ledger when there is more of it.
 */
#include <stdlib.h>

#include "../asker.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "../base/metric.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/policy.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/denied.h"
#include "../node/holder.h"
#include "../node/load_entry.h"
#include "../node/org_wait.h"
#include "../node/vault_i.h"
#include "../signer.h"
#include "../store/anchors.h"
#include "../store/connection.h"
#include "../store/refusals.h"
#include "../vault.h"
#include "machine.h"
#include "results.h"
#include "status_facts.h"

/* Names of anchors come from outside, and each makes four samples. */
#define ANCHORS_MAX 100

/* What is written, and from what. */
struct metrics {
	struct tf_vault *v;
	struct tf_db *db;
	struct tf_status_facts *f;
	bool all; /* the asker may read everything */
	struct tf_metrics to;
};

/* --- the vault ------------------------------------------------------------- */

static void
put_info(struct metrics *m)
{
	char format[16];
	const char *const labels[] = { "store", m->v->store, "version",
		TF_VERSION, "format", format, NULL };
	struct tf_holder who;
	bool mounted = m->v->mount != NULL;

	tf_db_format(m->db, format);
	tf_status_writer(m->v, &who);
	mounted = mounted || who.mount[0] != '\0';
	tf_metric(&m->to, "trailfs_info", "gauge",
	    "The vault: origin and id, version of trailfs, format of the store.");
	tf_sample(&m->to, "trailfs_info", labels, 1);
	tf_gauge(&m->to, "trailfs_mounted",
	    "1 if the store is mounted, else 0.", mounted);
	tf_gauge_seconds(&m->to, "trailfs_metrics_timestamp_seconds",
	    "When these metrics were made. An old time means that nobody could "
	    "make new ones.",
	    tf_clock_now());
}

static void
put_files(struct metrics *m)
{
	const char *name = "trailfs_files";

	tf_metric(&m->to, name, "gauge",
	    "Files by state. Of a store without a mount, sealed ones only.");
	for (unsigned i = 0; i < TF_STATES; i++) {
		const char *const labels[] = { "state",
			tf_state_name((enum tf_state)i), NULL };

		if (i == TF_STATE_SEALED)
			tf_sample(&m->to, name, labels, m->f->head.files);
		else if (!m->v->read_only)
			tf_sample(&m->to, name, labels, m->f->n[i]);
	}
}

/* What only the process that has the store open for writing knows. */
static void
put_unsealed(struct metrics *m)
{
	const struct tf_status_facts *f = m->f;

	tf_gauge(&m->to, "trailfs_failed_files",
	    "Unsealed files whose writing or flush failed.", f->failed);
	tf_gauge(&m->to, "trailfs_closing_directories",
	    "Directories that chmod closed and that are not sealed yet.",
	    f->all_closed);
	tf_gauge_seconds(&m->to, "trailfs_oldest_unsealed_seconds",
	    "How long the oldest closed file waits for its seal; 0: none does.",
	    tf_metric_time(f->frozen_ns));
	tf_gauge(&m->to, "trailfs_ledger_failed",
	    "1 if the disk of the ledger failed and nothing can be written.",
	    f->broken);
	tf_gauge(&m->to, "trailfs_signer_away",
	    "1 if the signer does not answer and writers wait.",
	    f->signer_away != 0);
	tf_gauge(&m->to, "trailfs_unplaced_rows",
	    "Unsealed files that damage of the database left without a place.",
	    m->v->n_unplaced);
}

/* The true space tells which bytes the store has already: see tf_vault_space. */
static void
put_true_space(struct metrics *m)
{
	const struct tf_status_facts *f = m->f;
	uint64_t bytes, files;

	if (tf_file_free(m->v->dirfd, &bytes, &files, NULL) == TF_OK)
		tf_gauge(&m->to, "trailfs_disk_free_bytes",
		    "Free space of the disk of the store.", bytes);
	if (m->v->read_only)
		return;
	tf_gauge(&m->to, "trailfs_stage_room_bytes",
	    "Bytes that can still be written, without the reserve for sealing.",
	    f->room);
	if (f->room_for < UINT64_MAX / 2)
		tf_gauge(&m->to, "trailfs_stage_room_files",
		    "Files that can still be created, by the inodes of the "
		    "disk.",
		    f->room_for);
}

static void
put_space(struct metrics *m)
{
	const struct tf_status_facts *f = m->f;

	if (m->all)
		put_true_space(m);
	if (m->v->read_only)
		return;
	tf_gauge(&m->to, "trailfs_stage_bytes",
	    "Bytes of files that are not sealed.", f->staged);
	tf_gauge(&m->to, "trailfs_store_used_bytes",
	    "Bytes of evidence, entries and unsealed files, as max_store counts "
	    "them.",
	    f->used);
	if (m->v->settings.value[TF_MAX_STORE] > 0)
		tf_gauge(&m->to, "trailfs_store_limit_bytes",
		    "The limit max_store.", m->v->settings.value[TF_MAX_STORE]);
}

/* --- the ledger ------------------------------------------------------------ */

/* When entry seq was made, or false if it cannot be read. */
static bool
when(struct tf_db *db, uint64_t seq, struct tf_time *at)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf text = { 0 };
	bool moved, is = tf_load_entry(db, seq, &text, &d, NULL) == TF_OK;

	if (is)
		*at = tf_entry_when(&d.e, &moved);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return is;
}

static void
put_ledger(struct metrics *m)
{
	const struct tf_head *h = &m->f->head;
	struct tf_time at = h->at;
	bool known = !m->v->read_only ||
	    (h->size > 0 && when(m->db, h->size - 1, &at));

	tf_gauge(&m->to, "trailfs_entries", "Entries of the ledger.", h->size);
	tf_gauge(&m->to, "trailfs_evidence_bytes", "Bytes of sealed evidence.",
	    h->content_bytes);
	tf_gauge(&m->to, "trailfs_checkpoint_entries",
	    "Entries that the newest checkpoint covers.", h->size);
	if (known)
		tf_gauge_seconds(&m->to, "trailfs_checkpoint_timestamp_seconds",
		    "Time of the last entry that the newest checkpoint covers.",
		    at);
}

/* Metrics of anchors; the samples of a metric follow each other, so each metric
 * has a buffer. */
enum { A_ENTRIES, A_BEHIND, A_AT, ANCHOR_METRICS };
static const struct {
	const char *name, *help;
} anchor_metrics[ANCHOR_METRICS] = {
	[A_ENTRIES] = { "trailfs_anchor_entries",
	    "Entries that the newest anchor of this kind and name covers." },
	[A_BEHIND] = { "trailfs_anchor_behind_entries",
	    "Entries of the ledger that this anchor does not cover." },
	[A_AT] = { "trailfs_anchor_timestamp_seconds",
	    "When this anchor was received." },
};

struct anchors {
	struct tf_db *db;
	uint64_t size, n;
	struct tf_buf out[ANCHOR_METRICS];
	struct tf_metrics to[ANCHOR_METRICS]; /* these buffers */
};

static enum tf_code
put_anchor(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct anchors *a = arg;
	const char *const labels[] = { "kind", r->kind, "name", r->name, NULL };
	struct tf_time at;

	(void)err;
	if (a->n++ == ANCHORS_MAX)
		return TF_NODATA; /* ends the walk */
	tf_sample(&a->to[A_ENTRIES], anchor_metrics[A_ENTRIES].name, labels,
	    r->size);
	tf_sample(&a->to[A_BEHIND], anchor_metrics[A_BEHIND].name, labels,
	    a->size > r->size ? a->size - r->size : 0);
	if (when(a->db, r->seq, &at))
		tf_sample_seconds(&a->to[A_AT], anchor_metrics[A_AT].name,
		    labels, at);
	return TF_OK;
}

static enum tf_code
put_anchors(struct metrics *m, struct tf_error *err)
{
	struct anchors a = { .db = m->db, .size = m->f->head.size };
	enum tf_code rc;

	for (unsigned i = 0; i < ANCHOR_METRICS; i++)
		a.to[i] = (struct tf_metrics){ &a.out[i], m->v->origin };
	rc = tf_anchors_newest(m->db, put_anchor, &a, err);

	tf_gauge(&m->to, "trailfs_anchored",
	    "1 if a mirror, a witness or a time stamping authority has seen "
	    "the ledger; 0: never anchored.",
	    a.n > 0);
	for (unsigned i = 0; i < ANCHOR_METRICS; i++) {
		struct tf_str samples = tf_buf_bytes(&a.out[i]);

		if (samples.n > 0) {
			tf_metric(&m->to, anchor_metrics[i].name, "gauge",
			    anchor_metrics[i].help);
			tf_buf_add(m->to.out, samples.p, samples.n);
		}
		m->to.out->failed = m->to.out->failed || a.out[i].failed;
		tf_buf_free(&a.out[i]);
	}
	return rc == TF_NODATA ? TF_OK : rc;
}

static enum tf_code
count_refusal(void *arg, const struct tf_refusal_row *r, struct tf_error *err)
{
	uint64_t *n = arg;

	(void)r;
	(void)err;
	++*n;
	return TF_OK;
}

static enum tf_code
put_refusals(struct metrics *m, struct tf_error *err)
{
	uint64_t n = 0;
	enum tf_code rc = tf_refusals_each(m->v->dirfd, count_refusal, &n, err);

	tf_gauge(&m->to, "trailfs_anchor_refusals",
	    "Mirrors and witnesses that do not accept this log.", n);
	return rc;
}

static void
put_guard(struct metrics *m)
{
	const struct tf_guard_state *g = &m->f->guard;
	const uint64_t size = m->f->head.size;

	if (m->v->guard == NULL || m->v->read_only)
		return;
	tf_gauge(&m->to, "trailfs_guard_entries",
	    "Entries of the head in the guard file.", g->size);
	tf_gauge(&m->to, "trailfs_guard_behind_entries",
	    "Entries of the ledger that the guard file does not have.",
	    size > g->size ? size - g->size : 0);
	tf_gauge(&m->to, "trailfs_guard_failed",
	    "1 if the newest head could not be written to the guard file.",
	    g->trouble[0] != '\0');
	if (g->size > 0)
		tf_gauge_seconds(&m->to, "trailfs_guard_timestamp_seconds",
		    "When the guard file was written.", g->at);
}

static void
put_failed(struct metrics *m, const struct tf_results *r)
{
	tf_gauge(&m->to, "trailfs_verify_failed",
	    "1 if a recorded verification failed, and none that read "
	    "everything was good since.",
	    r->failed);
	if (!r->failed)
		return;
	tf_gauge_seconds(&m->to, "trailfs_verify_failed_timestamp_seconds",
	    "When that verification failed.", r->failure.at);
	tf_gauge(&m->to, "trailfs_verify_failed_findings",
	    "What it found; 0: something could not be checked.",
	    r->failure.findings);
}

static void
put_verified(struct metrics *m, const struct tf_results *r)
{
	tf_gauge(&m->to, "trailfs_verified",
	    "1 if the ledger records a verification that found the store "
	    "whole, else 0.",
	    r->verified);
	if (r->verified) {
		tf_gauge(&m->to, "trailfs_verify_entries",
		    "Entries that the last recorded verification covers.",
		    r->size);
		tf_gauge_seconds(&m->to, "trailfs_verify_timestamp_seconds",
		    "When the last verification that found the store whole was "
		    "recorded.",
		    r->at);
	}
	if (r->full_known)
		tf_gauge_seconds(&m->to,
		    "trailfs_verify_full_timestamp_seconds",
		    "When the last of them that read all contents was "
		    "recorded.",
		    r->full_at);
	put_failed(m, r);
}

static void
put_backup(struct metrics *m, const struct tf_results *r)
{
	const uint64_t size = m->f->head.size;

	tf_gauge(&m->to, "trailfs_backed_up",
	    "1 if trailctl backup has made a backup of this store, else 0.",
	    r->backed_up);
	if (!r->backed_up)
		return;
	tf_gauge(&m->to, "trailfs_backup_entries",
	    "Entries that the last backup has.", r->backup.entries);
	tf_gauge(&m->to, "trailfs_backup_behind_entries",
	    "Entries of the ledger that the last backup does not have.",
	    size > r->backup.entries ? size - r->backup.entries : 0);
	tf_gauge_seconds(&m->to, "trailfs_backup_timestamp_seconds",
	    "When the last backup was complete.", r->backup.at);
}

static void
put_forwarder(struct metrics *m, const struct tf_results *r)
{
	const struct tf_forward_state *f = &r->forward;

	if (!r->forwarded)
		return;
	tf_gauge(&m->to, "trailfs_forward_entries",
	    "Entries that the organisation has of this store.", f->entries);
	tf_gauge(&m->to, "trailfs_forward_behind_entries",
	    "Entries of the ledger that the organisation does not have.",
	    r->lacks);
	tf_gauge(&m->to, "trailfs_forward_oldest_seconds",
	    "How long the oldest of them waits; 0 if there is none.",
	    r->oldest_s);
	if (f->at.s != 0)
		tf_gauge_seconds(&m->to, "trailfs_forward_timestamp_seconds",
		    "When trailctl forward had its last success.", f->at);
	tf_gauge(&m->to, "trailfs_forward_refused",
	    "1 if trailctl forward has ended with a failure that does not "
	    "pass by itself, such as a fork.",
	    f->failed_at.s != 0 && f->final);
	if (f->failed_at.s != 0)
		tf_gauge_seconds(&m->to,
		    "trailfs_forward_failed_timestamp_seconds",
		    "When it failed; absent after a success.", f->failed_at);
}

static void
put_waits(struct metrics *m)
{
	struct tf_org_state s;

	if (!tf_org_wait_state(m->v, &s))
		return;
	tf_gauge(&m->to, "trailfs_org_waiting",
	    "Calls that wait until the organisation has what they closed.",
	    s.waiting);
	tf_gauge_seconds(&m->to, "trailfs_org_oldest_wait_seconds",
	    "How long the oldest of them waits; 0 if none does.",
	    tf_metric_time(s.oldest_ns));
	tf_counter(&m->to, "trailfs_org_timeouts_total",
	    "Calls that the organisation did not answer in time.", s.timeouts);
	tf_metric_histogram(&m->to, "trailfs_org_wait_duration_seconds",
	    "How long calls waited until the organisation had what they "
	    "closed.",
	    s.answered);
	tf_gauge(&m->to, "trailfs_org_connected",
	    "1 if the mount is connected to a forwarder, else 0.", s.connected);
}

static enum tf_code
put_results(struct metrics *m, struct tf_error *err)
{
	struct tf_results r;
	enum tf_code rc = tf_results_read(m->v, m->db, m->f->head.size, &r,
	    err);

	if (rc == TF_OK) {
		put_verified(m, &r);
		put_backup(m, &r);
		put_forwarder(m, &r);
		put_waits(m);
	}
	return rc;
}

static void
put_clock(struct metrics *m)
{
	struct tf_clock_state c;

	tf_clock_state(&c);
	if (c.known)
		tf_gauge(&m->to, "trailfs_clock_synchronised",
		    "1 if a service synchronises the clock of the host, else 0.",
		    c.synchronised);
	if (!m->v->read_only)
		tf_gauge(&m->to, "trailfs_clock_behind_seconds",
		    "How far the clock is behind the time of the last entry.",
		    tf_clock_behind(m->f->head.at));
}

/* --- since the start ------------------------------------------------------- */

static void
put_denied(struct metrics *m)
{
	const char *name = "trailfs_denied_total";
	uint64_t by_code[TF_CODES];

	tf_denied_counts(m->v, by_code);
	tf_metric(&m->to, name, "counter", "Changes that a rule refused.");
	for (unsigned i = 0; i < TF_CODES; i++) {
		const char *const labels[] = { "rule",
			tf_code_name((enum tf_code)i), NULL };

		if (tf_code_is_rule((enum tf_code)i))
			tf_sample(&m->to, name, labels, by_code[i]);
	}
}

static void
put_handles(struct metrics *m)
{
	static const char *const reads[] = { "mode", "read", NULL };
	static const char *const writes[] = { "mode", "write", NULL };
	const struct tf_counters *c = &m->v->counters;
	const char *name = "trailfs_open_handles";

	tf_metric(&m->to, name, "gauge", "Files that programs have open.");
	tf_sample(&m->to, name, reads, atomic_load(&c->readers));
	tf_sample(&m->to, name, writes, atomic_load(&c->writers));
}

static void
put_damaged(struct metrics *m)
{
	tf_counter(&m->to, "trailfs_damaged_reads_total",
	    "Reads that met bytes that are not those of the entry.",
	    atomic_load(&m->v->counters.damaged_reads));
	tf_gauge(&m->to, "trailfs_damaged_files",
	    "Evidence that reads found damaged and that is not whole again.",
	    m->f->damaged);
}

/* Files whose bytes are here, or in the kernel, before they are sealed. */
static void
put_growing(struct metrics *m)
{
	const struct tf_counters *c = &m->v->counters;

	tf_gauge(&m->to, "trailfs_growing_files",
	    "Unsealed files that are entered while they grow.",
	    atomic_load(&c->growing));
	tf_counter(&m->to, "trailfs_grown_bytes_total",
	    "Bytes of such files that entries have.",
	    atomic_load(&c->grown_bytes));
	tf_counter(&m->to, "trailfs_grow_failures_total",
	    "Entries about such files that failed; each is tried again.",
	    atomic_load(&c->grow_failures));
	if (m->v->collecting != NULL)
		tf_gauge(&m->to, "trailfs_collecting_files",
		    "Files whose last writes the kernel may still collect "
		    "(streams=on).",
		    m->v->collecting());
}

static void
put_counters(struct metrics *m)
{
	const struct tf_counters *c = &m->v->counters;
	const uint64_t waiting = m->v->waiting != NULL ? m->v->waiting() :
							 UINT64_MAX;

	tf_gauge_seconds(&m->to, "trailfs_start_timestamp_seconds",
	    "When the vault was opened; counters begin then.",
	    m->v->start.clock);
	put_damaged(m);
	put_handles(m);
	if (waiting != UINT64_MAX)
		tf_gauge(&m->to, "trailfs_requests_waiting",
		    "Requests of the kernel that wait for a disk or a thread.",
		    waiting);
	if (m->v->read_only)
		return;
	put_denied(m);
	put_growing(m);
	tf_gauge(&m->to, "trailfs_commit_queue_jobs",
	    "Changes that wait for the next commit of the ledger.",
	    atomic_load(&c->queued));
	tf_counter(&m->to, "trailfs_interrupted_total",
	    "Files whose writing was cut short; the ledger has an entry about "
	    "each.",
	    atomic_load(&c->interrupted));
	tf_counter(&m->to, "trailfs_close_failures_total",
	    "Closes of written files, and syncs of open ones, that failed.",
	    atomic_load(&c->close_failures));
	tf_counter(&m->to, "trailfs_seal_failures_total",
	    "Seals of closed files that failed; each is tried again.",
	    atomic_load(&c->seal_failures));
	tf_counter(&m->to, "trailfs_reads_recorded_total",
	    "Openings of evidence that entries evidence.read record.",
	    atomic_load(&c->reads_recorded));
	tf_metric_histogram(&m->to, "trailfs_close_duration_seconds",
	    "Time of a close, or of a sync of an open file, until written "
	    "bytes are durable.",
	    &c->closes);
	tf_metric_histogram(&m->to, "trailfs_seal_duration_seconds",
	    "Time of one seal: of closed files together, or of a directory.",
	    &c->seals);
}

static void
put_sandbox(struct metrics *m)
{
	const unsigned signer = atomic_load(&m->v->signer_fence);
	const struct tf_sandbox *s = m->v->sandbox;

	if (s == NULL)
		return;
	tf_gauge(&m->to, "trailfs_sandbox_landlock_version",
	    "Version of Landlock that keeps the daemon from files; 0: none.",
	    (uint64_t)s->landlock);
	tf_gauge(&m->to, "trailfs_sandbox_seccomp",
	    "1 if the system calls of the daemon are filtered.", s->seccomp);
	if ((signer & TF_FENCE_KNOWN) == 0)
		return;
	tf_gauge(&m->to, "trailfs_sandbox_signer_landlock_version",
	    "Version of Landlock that keeps the signer from files; 0: none.",
	    signer & TF_FENCE_LANDLOCK);
	tf_gauge(&m->to, "trailfs_sandbox_signer_seccomp",
	    "1 if the system calls of the signer are filtered.",
	    (signer & TF_FENCE_SECCOMP) != 0);
}

enum tf_code
tf_vault_metrics(struct tf_vault *v, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	struct metrics m = { .v = v,
		.to = { out, v->origin },
		.all = tf_asker_may_all(who) };
	enum tf_code rc;

	if ((m.f = malloc(sizeof(*m.f))) == NULL)
		return tf_nomem(err);
	if ((rc = tf_reader_db(v, &m.db, err)) != TF_OK) {
		free(m.f);
		return rc;
	}
	rc = tf_status_read(v, m.db, NULL, m.f, err);
	if (rc == TF_OK) {
		put_info(&m);
		put_ledger(&m);
		rc = put_anchors(&m, err);
	}
	if (rc == TF_OK)
		rc = put_refusals(&m, err);
	if (rc == TF_OK) {
		put_guard(&m);
		rc = put_results(&m, err);
	}
	if (rc == TF_OK) {
		put_clock(&m);
		put_files(&m);
		put_space(&m);
		put_sandbox(&m);
		if (!v->read_only)
			put_unsealed(&m);
		if (!v->read_only || v->mount != NULL)
			put_counters(&m);
		rc = tf_buf_end(out, err);
	}
	tf_reader_done(v, m.db);
	free(m.f);
	return rc;
}
