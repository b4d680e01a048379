/*
 * The entries of the ledger as lines: see ledger_lines.h.
 *
 * A mount gives the lines as a control file that grows, a store as
 * tf_vault_events(); read_at() hides the difference, and everything above it
 * works on bytes. Each look fixes the size, so one walk sees one state of the
 * ledger while others append.
 *
 * Following survives a remount because a place is no open file and no offset,
 * but the number of the next entry and the digest of the line before. Between
 * two looks nothing of the mount is open. A place is found again by a binary
 * search over the lines, whose numbers grow, and the line before it must have
 * the digest that was kept. Only root is sure to see all lines; for other users
 * a missing line may only be hidden, and is then no sign of another ledger.
 *
 * Somebody who may not read the ledger of the whole vault gets the entries of
 * the trails that he may read, copied from theirs and put in order. The size of
 * the checkpoint, read before, bounds them: so the entries of all trails up to
 * there are in the copy, and following leaves none out. While the checkpoint
 * stays as it was, there is nothing to copy.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crypto.h"
#include "core/base/file.h"
#include "core/control.h"
#include "files.h"
#include "ledger_lines.h"
#include "report.h"

#define LINE_MAX_BYTES 65536	   /* no entry is longer */
#define HEAD_MAX ((size_t)1 << 16) /* bytes of a checkpoint */
#define WAIT_S 1

/* --- opening ------------------------------------------------------------------- */

bool
lines_are_all(const struct lines *l)
{
	return l->v != NULL || geteuid() == 0;
}

enum tf_code
lines_narrow(struct lines *l, const char *path, struct tf_error *err)
{
	char *dir = strdup(path), *end = dir;

	if (dir == NULL)
		return tf_nomem(err);
	/* Below an attestation nothing has an events.jsonl of its own. */
	for (int depth = 0; end != NULL && depth < TF_KIND_ATTESTATION; depth++)
		end = strchr(depth > 0 ? end + 1 : end, '/');
	if (end != NULL)
		*end = '\0';
	free(l->dir);
	l->dir = dir;
	return TF_OK;
}

/*
 * Open events.jsonl, of the whole vault for root and else of the directory that
 * was named.  The whole one is served by ranges, so following it costs root
 * little; for anybody else trailfs makes it from all entries of the vault, or
 * refuses it.
 */
static enum tf_code
open_events(struct lines *l, struct tf_error *err)
{
	return where_control_of(&l->w, lines_are_all(l) ? "." : l->dir,
	    TF_CONTROL_EVENTS, &l->fd, err);
}

/* The store is opened once and stays open, read only; the mount is opened by
 * each look, so that it can be unmounted in between. */
enum tf_code
lines_open(struct lines *l, const char *arg, struct tf_error *err)
{
	enum tf_code rc;

	*l = (struct lines){ .fd = -1 };
	rc = where_find(arg, &l->w, err);
	if (rc == TF_OK && l->w.store != NULL)
		rc = where_open(&l->w, false, &l->v, err);
	return rc == TF_OK ? lines_narrow(l, l->w.path, err) : rc;
}

void
lines_close(struct lines *l)
{
	lines_pause(l);
	where_close(l->v);
	l->v = NULL;
	where_free(&l->w);
	free(l->dir);
	l->dir = NULL;
}

void
lines_pause(struct lines *l)
{
	if (l->fd >= 0)
		(void)close(l->fd); /* read-only */
	l->fd = -1;
}

/* Read up to n bytes at off; none only at the end. */
static enum tf_code
read_at(struct lines *l, uint64_t off, char *p, size_t n, size_t *got,
    struct tf_error *err)
{
	ssize_t r;

	*got = 0;
	if (off >= l->size)
		return TF_OK;
	if (n > l->size - off)
		n = (size_t)(l->size - off);
	if (l->v != NULL)
		return tf_vault_events(l->v, l->entries, off, p, n, got, err);
	do
		r = pread(l->fd, p, n, (off_t)off);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return report_system(err, "read the ledger");
	*got = (size_t)r;
	return TF_OK;
}

/* --- in both directions --------------------------------------------------------- */

static enum tf_code
too_long(struct tf_error *err)
{
	return tf_fail(err, TF_TAMPER,
	    "a line of the ledger is longer than any entry, or has no end");
}

/* Two halves: the rest of the last part, shorter than a line, and the next
 * part. */
enum tf_code
lines_forward(struct lines *l, uint64_t off, lines_fn fn, void *arg,
    struct tf_error *err)
{
	char *part = malloc(2 * LINE_MAX_BYTES), *start, *end;
	size_t kept = 0, got;
	enum tf_code rc = part == NULL ? tf_nomem(err) : TF_OK;

	while (rc == TF_OK) {
		rc = read_at(l, off, part + kept, LINE_MAX_BYTES, &got, err);
		if (rc != TF_OK || got == 0)
			break;
		off += got;
		kept += got;
		start = part;
		while (rc == TF_OK &&
		    (end = memchr(start, '\n',
			 kept - (size_t)(start - part))) != NULL) {
			rc = fn(arg, start, (size_t)(end - start), err);
			start = end + 1;
		}
		kept -= (size_t)(start - part);
		memmove(part, start, kept);
		if (rc == TF_OK && kept > LINE_MAX_BYTES)
			rc = too_long(err);
	}
	if (rc == TF_OK && kept > 0)
		rc = too_long(err);
	free(part);
	return rc == TF_NODATA ? TF_OK : rc;
}

/* Call fn for the lines of part, from the last to the second; *n becomes the
 * length of the first, which may not be whole. */
static enum tf_code
take_backward(const char *part, size_t *n, lines_fn fn, void *arg,
    struct tf_error *err)
{
	const char *lf;
	enum tf_code rc = TF_OK;

	/* part ends in a LF, that of the last line. */
	while (rc == TF_OK && *n > 0 &&
	    (lf = memrchr(part, '\n', *n - 1)) != NULL) {
		rc = fn(arg, lf + 1, (size_t)(part + *n - 1 - (lf + 1)), err);
		*n = (size_t)(lf + 1 - part);
	}
	return rc;
}

/* Read parts from the end. The first line of a part may not be whole, and is
 * kept for the part before it. */
enum tf_code
lines_backward(struct lines *l, lines_fn fn, void *arg, struct tf_error *err)
{
	char *part = malloc(3 * LINE_MAX_BYTES);
	uint64_t off = l->size;
	size_t kept = 0, step, got = 0, done;
	enum tf_code rc = part == NULL ? tf_nomem(err) : TF_OK;

	while (rc == TF_OK && off > 0) {
		step = off < LINE_MAX_BYTES ? (size_t)off : LINE_MAX_BYTES;
		memmove(part + step, part, kept);
		off -= step;
		for (done = 0; rc == TF_OK && done < step; done += got) {
			rc = read_at(l, off + done, part + done, step - done,
			    &got, err);
			if (rc == TF_OK && got == 0)
				rc = tf_fail(err, TF_TAMPER,
				    "the ledger became shorter");
		}
		if (rc != TF_OK)
			break;
		kept += step;
		if (part[kept - 1] != '\n')
			rc = too_long(err);
		else
			rc = take_backward(part, &kept, fn, arg, err);
		if (rc == TF_OK && kept > LINE_MAX_BYTES)
			rc = too_long(err);
	}
	if (rc == TF_OK && kept > 0)
		rc = fn(arg, part, kept - 1, err);
	free(part);
	return rc == TF_NODATA ? TF_OK : rc;
}

/* --- places --------------------------------------------------------------------- */

bool
lines_seq(const char *line, size_t n, uint64_t *seq)
{
	struct tf_json_doc d = { 0 };
	bool is = false;
	int t;

	if (tf_json_parse(&d, line, n, NULL) == TF_OK) {
		t = tf_json_get(&d, 0, "seq");
		is = t >= 0 && d.tok[t].type == TF_JSON_INT &&
		    d.tok[t].num >= 0;
		if (is)
			*seq = (uint64_t)d.tok[t].num;
	}
	tf_json_doc_free(&d);
	return is;
}

bool
lines_is_stand_in(const struct tf_json_doc *d, uint64_t *seq)
{
	const int t = tf_json_get(d, 0, "damaged");

	if (t < 0 || d->tok[t].type != TF_JSON_INT || d->tok[t].num < 0)
		return false;
	*seq = (uint64_t)d->tok[t].num;
	return true;
}

/* The first entry among some lines, or the end of those before `next`. */
struct first {
	uint64_t next; /* 0: any entry */
	bool skip;     /* the first line, which may not be whole */
	uint64_t at;   /* offset of the line */
	uint64_t off;  /* behind the lines before it */
	bool found;
	uint64_t seq;
};

/* A line that cannot be parsed is passed over: the search goes on behind it. */
static enum tf_code
find_first(void *arg, const char *line, size_t n, struct tf_error *err)
{
	struct first *f = arg;

	(void)err;
	f->at = f->off;
	f->off += n + 1;
	if (f->skip)
		f->skip = false;
	else
		f->found = lines_seq(line, n, &f->seq) && f->seq >= f->next;
	return f->found ? TF_NODATA : TF_OK;
}

/* *off becomes the offset of the first line whose entry is `next` or later. */
static enum tf_code
seek(struct lines *l, uint64_t next, uint64_t *off, struct tf_error *err)
{
	uint64_t low = 0, high = l->size;
	struct first f;
	enum tf_code rc;

	/* A line begins at low; the one looked for begins in low..high. */
	while (high - low > 2 * LINE_MAX_BYTES) {
		uint64_t mid = low + (high - low) / 2;

		f = (struct first){ .skip = true, .off = mid };
		if ((rc = lines_forward(l, mid, find_first, &f, err)) != TF_OK)
			return rc;
		if (f.found && f.seq < next)
			low = f.at;
		else
			high = f.found && f.at < high ? f.at : mid;
	}
	f = (struct first){ .next = next, .off = low };
	rc = lines_forward(l, low, find_first, &f, err);
	*off = f.found ? f.at : l->size;
	return rc;
}

/* Over the bytes as shown: for every user who may read the entry they are the
 * same. */
static void
hash_line(const char *line, size_t n, struct tf_hash *out)
{
	tf_sha256(line, n, out);
}

void
lines_move(struct lines_place *p, const char *line, size_t n)
{
	uint64_t seq;

	/* What is no entry stands for the one that should be there. */
	p->has_last = lines_seq(line, n, &seq);
	p->next = p->has_last ? seq + 1 : p->next + 1;
	hash_line(line, n, &p->last);
}

/* The first line of a walk backward is the last of the ledger. */
static enum tf_code
take_last(void *arg, const char *line, size_t n, struct tf_error *err)
{
	(void)err;
	lines_move(arg, line, n);
	return TF_NODATA;
}

enum tf_code
lines_end(struct lines *l, struct lines_place *p, struct tf_error *err)
{
	*p = (struct lines_place){ 0 };
	return lines_backward(l, take_last, p, err);
}

struct walk {
	struct lines_place *p;
	struct lines_place before; /* where the walk began */
	bool all;		   /* all lines can be read, none is hidden */
	bool checked;
	bool stopped; /* by fn, before the end */
	lines_fn fn;
	void *arg;
};

static enum tf_code
another_ledger(struct tf_error *err)
{
	return tf_fail(err, TF_FOREIGN,
	    "this is another ledger than before: an earlier entry differs or "
	    "is missing");
}

/* The line before the place is compared and not passed on. Then each line is
 * passed on, and the place follows the lines that fn has taken. */
static enum tf_code
take_next(void *arg, const char *line, size_t n, struct tf_error *err)
{
	struct walk *w = arg;
	struct tf_hash h;
	uint64_t seq;
	enum tf_code rc;

	if (!w->checked && lines_seq(line, n, &seq) &&
	    seq + 1 == w->before.next) {
		w->checked = true;
		hash_line(line, n, &h);
		if (w->before.has_last &&
		    memcmp(&h, &w->before.last, sizeof(h)) != 0)
			return another_ledger(err);
		return TF_OK;
	}
	if (!w->checked && w->all)
		return another_ledger(err);
	w->checked = true;
	if ((rc = w->fn(w->arg, line, n, err)) == TF_OK)
		lines_move(w->p, line, n);
	w->stopped = rc != TF_OK;
	return rc;
}

enum tf_code
lines_continue(struct lines *l, struct lines_place *p, lines_fn fn, void *arg,
    struct tf_error *err)
{
	struct walk w = { .p = p,
		.before = *p,
		.all = p->has_last && geteuid() == 0,
		.checked = !p->has_last,
		.fn = fn,
		.arg = arg };
	uint64_t off;
	enum tf_code rc;

	/* The entry before shows whether it is the same ledger. */
	rc = seek(l, p->has_last ? p->next - 1 : p->next, &off, err);
	if (rc == TF_OK)
		rc = lines_forward(l, off, take_next, &w, err);
	if (rc == TF_OK && !w.checked && w.all)
		rc = another_ledger(err);
	if (rc == TF_OK && !w.stopped && l->fd >= 0)
		l->done = l->head;
	return rc;
}

/* --- the entries of some trails ------------------------------------------------ */

/* One line of the file that all trails were copied to. */
struct copied {
	uint64_t seq, off;
	size_t n;
};

struct gathering {
	FILE *f;
	uint64_t first, end; /* only entries from first on, and before end */
	struct copied *line;
	size_t n, cap;
	size_t trails, refused;
};

/* The number of the entry, or of the one that the line stands for. */
static bool
number_of(const char *line, size_t n, uint64_t *seq)
{
	struct tf_json_doc d = { 0 };
	bool is = lines_seq(line, n, seq);

	if (!is && tf_json_parse(&d, line, n, NULL) == TF_OK)
		is = lines_is_stand_in(&d, seq);
	tf_json_doc_free(&d);
	return is;
}

/* An entry that came after the look began is taken by the next look: another
 * trail may have been copied before an entry of its own that is older. */
static enum tf_code
copy_line(void *arg, const char *line, size_t n, struct tf_error *err)
{
	struct gathering *g = arg;
	struct copied *more;
	uint64_t seq;

	if (!number_of(line, n, &seq))
		return tf_fail(err, TF_TAMPER,
		    "a line of the ledger is no entry");
	if (seq < g->first || seq >= g->end)
		return TF_OK;
	if (g->n == g->cap) {
		g->cap = g->cap == 0 ? 1024 : 2 * g->cap;
		more = reallocarray(g->line, g->cap, sizeof(*more));
		if (more == NULL)
			return tf_nomem(err);
		g->line = more;
	}
	g->line[g->n++] = (struct copied){ seq, (uint64_t)ftello(g->f), n };
	if (fwrite(line, 1, n, g->f) != n)
		return report_system(err, "a temporary file");
	return TF_OK;
}

/* Copy the lines of one trail, if the caller may read them. */
static enum tf_code
copy_trail(struct lines *l, struct gathering *g, const char *name,
    struct tf_error *err)
{
	struct lines trail = { .fd = -1 };
	struct tf_error why;
	struct stat st;
	uint64_t off;
	enum tf_code rc = where_control_of(&l->w, name, TF_CONTROL_EVENTS,
	    &trail.fd, &why);

	if (rc == TF_ACCESS) {
		g->refused++;
		return TF_OK;
	}
	if (rc != TF_OK) {
		*err = why;
		return rc;
	}
	g->trails++;
	if (fstat(trail.fd, &st) < 0)
		rc = report_system(err, "%s: the ledger", name);
	else
		trail.size = (uint64_t)st.st_size;
	if (rc == TF_OK && g->first < g->end)
		rc = seek(&trail, g->first, &off, err);
	if (rc == TF_OK && g->first < g->end)
		rc = lines_forward(&trail, off, copy_line, g, err);
	lines_pause(&trail);
	return rc;
}

static int
by_seq(const void *a, const void *b)
{
	const struct copied *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Write the lines in their order to a file without a name, which l has then. */
static enum tf_code
put_in_order(struct lines *l, struct gathering *g, struct tf_error *err)
{
	char *line = malloc(LINE_MAX_BYTES);
	FILE *out;
	enum tf_code rc = tf_file_scratch_stream(&out, err);

	if (rc == TF_OK && line == NULL)
		rc = tf_nomem(err);
	if (g->n > 0)
		qsort(g->line, g->n, sizeof(*g->line), by_seq);
	for (size_t i = 0; rc == TF_OK && i < g->n; i++)
		if (g->line[i].n > LINE_MAX_BYTES)
			rc = tf_fail(err, TF_TAMPER,
			    "a line of the ledger is longer than any entry");
		else if (fseeko(g->f, (off_t)g->line[i].off, SEEK_SET) < 0 ||
		    fread(line, 1, g->line[i].n, g->f) != g->line[i].n ||
		    fwrite(line, 1, g->line[i].n, out) != g->line[i].n ||
		    putc('\n', out) == EOF)
			rc = report_system(err, "a temporary file");
	if (rc == TF_OK && (fflush(out) != 0 || (l->fd = dup(fileno(out))) < 0))
		rc = report_system(err, "a temporary file");
	free(line);
	if (out != NULL)
		(void)fclose(out); /* flushed above */
	return rc;
}

/* Say what is left out, and again when it becomes more. */
static void
say_what_is_missing(struct lines *l, size_t refused)
{
	if (!l->gathered && refused == 0)
		report_note("these are the entries of all trails, not the "
			    "whole ledger: those of the vault itself are left "
			    "out");
	else if (!l->gathered || refused > l->refused)
		report_note("these are the entries of the trails that you may "
			    "read, not the whole ledger: %zu trail%s and the "
			    "entries of the vault itself are left out",
		    refused, refused == 1 ? "" : "s");
	l->gathered = true;
	l->refused = refused;
}

/* Take the entries from `first` on of all trails that the caller may read.  err
 * holds why the ledger of the whole vault is refused; that stays the answer if
 * no trail can be read. */
static enum tf_code
gather(struct lines *l, uint64_t first, struct tf_error *err)
{
	struct gathering g = { .first = first, .end = l->head.size };
	DIR *names = opendir(l->w.mount);
	enum tf_code rc = TF_ACCESS;
	const struct dirent *d;

	if (names != NULL)
		rc = tf_file_scratch_stream(&g.f, err);
	while (rc == TF_OK && (d = readdir(names)) != NULL)
		if (d->d_name[0] != '.')
			rc = copy_trail(l, &g, d->d_name, err);
	if (rc == TF_OK && g.trails == 0)
		rc = TF_ACCESS;
	if (rc == TF_OK)
		rc = put_in_order(l, &g, err);
	if (rc == TF_OK)
		say_what_is_missing(l, g.refused);
	if (names != NULL)
		(void)closedir(names);
	if (g.f != NULL)
		(void)fclose(g.f);
	free(g.line);
	return rc;
}

/* --- looking --------------------------------------------------------------------- */

/* Read the newest checkpoint, which everybody may read; its second line is the
 * number of entries. */
static enum tf_code
read_head(struct lines *l, struct lines_head *out, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	const char *line;
	char *end;
	int fd;
	enum tf_code rc = where_control(&l->w, TF_CONTROL_CHECKPOINT, &fd, err);

	*out = (struct lines_head){ 0 };
	if (rc != TF_OK)
		return rc;
	rc = files_read_fd(fd, TF_CONTROL_CHECKPOINT, HEAD_MAX, &note, err);
	(void)close(fd); /* read-only */
	if (rc == TF_OK) {
		tf_sha256(note.p, note.n, &out->note);
		tf_buf_add(&note, "", 1);
		rc = tf_buf_end(&note, err);
	}
	if (rc == TF_OK) {
		line = strchr(note.p, '\n');
		out->size = line == NULL ? 0 : strtoull(line + 1, &end, 10);
		out->known = line != NULL && *end == '\n';
		if (!out->known)
			rc = tf_fail(err, TF_TAMPER,
			    "the checkpoint of the vault is none");
	}
	tf_buf_free(&note);
	return rc;
}

/* Look for entries from `first` on.  An ordinary user of a mount reads what
 * trailfs makes for him, so he reads the checkpoint before. */
static enum tf_code
look(struct lines *l, uint64_t first, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc = TF_OK;

	if (l->v != NULL)
		return tf_vault_size(l->v, &l->entries, &l->size, err);
	lines_pause(l);
	if (!lines_are_all(l))
		rc = read_head(l, &l->head, err);
	if (rc == TF_OK)
		rc = open_events(l, err);
	if (rc == TF_ACCESS && l->gathers && strcmp(l->dir, ".") == 0)
		rc = gather(l, first, err);
	if (rc != TF_OK)
		return rc;
	if (fstat(l->fd, &st) < 0)
		return report_system(err, "%s", l->w.mount);
	l->size = (uint64_t)st.st_size;
	return TF_OK;
}

void
lines_gather(struct lines *l)
{
	l->gathers = true;
}

enum tf_code
lines_look(struct lines *l, struct tf_error *err)
{
	return look(l, 0, err);
}

static bool
is_same_head(const struct lines_head *a, const struct lines_head *b)
{
	return a->known && b->known && a->size == b->size &&
	    memcmp(&a->note, &b->note, sizeof(a->note)) == 0;
}

enum tf_code
lines_look_from(struct lines *l, const struct lines_place *p,
    struct tf_error *err)
{
	struct lines_head now;
	enum tf_code rc;

	if (l->v == NULL && !lines_are_all(l)) {
		if ((rc = read_head(l, &now, err)) != TF_OK) {
			l->done.known = false;
			return rc;
		}
		if (is_same_head(&now, &l->done)) {
			lines_pause(l);
			l->size = 0;
			return TF_OK;
		}
	}
	/* The entry before the place shows whether it is the same ledger. */
	return look(l, p->next > 0 ? p->next - 1 : 0, err);
}

enum tf_code
lines_now(struct lines *l, struct lines_place *p, struct tf_error *err)
{
	enum tf_code rc = look(l, UINT64_MAX, err);

	if (rc == TF_OK && l->gathered)
		*p = (struct lines_place){ .next = l->head.size };
	else if (rc == TF_OK)
		rc = lines_end(l, p, err);
	lines_pause(l);
	return rc;
}

/* --- waiting --------------------------------------------------------------------- */

/* Only a mount can come back: these codes are what its control file answers
 * while nothing is mounted there or its process has ended. */
enum tf_code
lines_wait(struct lines *l, enum tf_code rc, bool *gone, struct tf_error *err)
{
	const bool away = l->v == NULL &&
	    (rc == TF_NOTFOUND || rc == TF_IO || rc == TF_NOTDIR);

	(void)err;
	lines_pause(l);
	if (rc != TF_OK && !away)
		return rc;
	if (away && !*gone)
		report_note("%s is not mounted; waiting for it", l->w.mount);
	else if (!away && *gone)
		report_note("%s is mounted again", l->w.mount);
	*gone = away;
	(void)sleep(WAIT_S); /* ends early when a signal comes */
	return TF_OK;
}
