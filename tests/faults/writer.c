/*
 * The writers and their logs.  One kind of line announces an operation, which
 * may then have happened; the other records an acknowledgement, so that it must
 * have:
 *
 *	dir PATH                will make this attestation
 *	made PATH               mkdir succeeded
 *	file PATH FIRST SIZE SEED A B
 *	                        will write it, first under the name FIRST, and
 *	                        flush it after A and B bytes (0: not)
 *	there PATH              it exists, without bytes
 *	flushed PATH SIZE       so many bytes are durable
 *	more PATH               more bytes were written after that
 *	entered PATH SIZE       so many bytes are in the ledger, while it is open
 *	closed PATH             all of it is durable, under FIRST
 *	kept PATH SIZE SHA256   all of it is durable, under PATH
 *	sealed PATH INDEX       it has this ledger entry
 *	shut PATH               the attestation is closed and will be sealed
 *	failed WHAT PATH ERRNO  this call failed
 *
 * PATH identifies the file, also while it still has the name FIRST.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/control.h"
#include "faults.h"

#define SIZE_MOST 300000
#define ROOT "mnt/"

struct writer {
	int log;
	bool script; /* go on after errors */
	bool stop;
	struct chance chance;
	char name[32];	 /* of this writer, in names */
	char att[64];	 /* its attestation */
	char last[160];	 /* the last file kept there */
	unsigned number; /* counts names */
	unsigned files;	 /* kept in att */
	char *bytes;
};

/* --- content ---------------------------------------------------------- */

void
content_of(uint64_t seed, uint64_t off, void *p, size_t n)
{
	unsigned char *out = p;
	struct chance c = { 0 };
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++, off++) {
		if (i == 0 || off % 8 == 0) {
			c.s = seed + off / 8;
			word = draw(&c) | 0x0101010101010101; /* no zeros */
		}
		out[i] = (unsigned char)(word >> off % 8 * 8);
		if (off % MARK_EACH < sizeof MARK - 1)
			out[i] = (unsigned char)MARK[off % MARK_EACH];
	}
}

void
digest_of(const void *p, size_t n, char hex[65])
{
	unsigned char md[32];

	if (EVP_Q_digest(NULL, "SHA256", NULL, p, n, md, NULL) != 1)
		die("SHA-256");
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
}

/* --- the log ---------------------------------------------------------- */

static void
put_line(struct writer *w, bool sync, const char *fmt, va_list ap)
{
	char line[512];
	int n = vsnprintf(line, sizeof line, fmt, ap);

	line[n++] = '\n';
	if (write(w->log, line, (size_t)n) != n || (sync && fsync(w->log) < 0))
		die("the log of a writer");
}

/* Announce an operation.  No sync: only the process may be killed. */
static void
intend(struct writer *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(w, false, fmt, ap);
	va_end(ap);
}

/* Record an acknowledgement, durably. */
static void
acknowledge(struct writer *w, const char *fmt, ...)
{
	va_list ap;

	if (fault->dark) {
		w->stop = true;
		return;
	}
	va_start(ap, fmt);
	put_line(w, true, fmt, ap);
	va_end(ap);
}

/* True if the call succeeded; otherwise log the error and end the writer. */
static bool
fine(struct writer *w, long result, const char *what, const char *path)
{
	if (result >= 0)
		return true;
	w->stop = w->stop || !w->script || errno == ENOTCONN || fault->dark;
	if (!fault->dark)
		intend(w, "failed %s %s %d", what, path, errno);
	return false;
}

/* --- files ------------------------------------------------------------ */

/* A file to write: its name, its first name, and its bytes. */
struct plan {
	char path[160], first[160];
	size_t size, flush[2];
	bool early; /* a descriptor is closed before the first byte */
	bool grows; /* it is entered while it grows */
	uint64_t seed;
};

static void
at(char out[192], const char *path)
{
	snprintf(out, 192, ROOT "%s", path);
}

static struct plan
plan_file(struct writer *w, size_t size)
{
	struct plan p = { .size = size, .seed = draw(&w->chance) };

	snprintf(p.path, sizeof p.path, "%s/f%u", w->att, w->number++);
	strcpy(p.first, p.path);
	return p;
}

static size_t
small(struct writer *w)
{
	return 1 + below(&w->chance, 5000);
}

static size_t
large(struct writer *w)
{
	return 65537 + below(&w->chance, 150000);
}

/* Flush by fsync or by close of another descriptor: the same promise. */
static bool
flush(struct writer *w, const struct plan *p, int fd, size_t n)
{
	bool dup_it = below(&w->chance, 2) == 0;

	if (!fine(w, dup_it ? close(dup(fd)) : fsync(fd), "flush", p->path))
		return false;
	acknowledge(w, "flushed %s %zu", p->path, n);
	return true;
}

/* For an entry that a fault may have prevented. */
#define LOOKS 100
#define LOOKS_OF_SCRIPT 1000

/* Look whether chunks of the file are entered by now.  Then nobody may change
 * them: if the vault lets us, the content shows it. */
static void
look_entered(struct writer *w, const struct plan *p, const char *path, int fd)
{
	char text[32];
	ssize_t n = -1;

	for (int i = 0; i < (w->script ? LOOKS_OF_SCRIPT : LOOKS); i++) {
		n = getxattr(path, TF_XATTR_PROVEN, text, sizeof text - 1);
		if (n != 1 || text[0] != '0')
			break;
		wait_us(2000);
	}
	if (n < 1 || text[0] == '0')
		return;
	text[n] = '\0';
	acknowledge(w, "entered %s %s", p->path, text);
	(void)!pwrite(fd, "\1", 1, 1);
}

/* Write the file under its first name and close it. */
static bool
write_file(struct writer *w, const struct plan *p)
{
	char path[192], dir[192];
	size_t done = 0, step;
	bool ok = true, more_logged = true, looks = false;
	ssize_t n;
	int fd, other;

	intend(w, "file %s %s %zu %llu %zu %zu", p->path, p->first, p->size,
	    (unsigned long long)p->seed, p->flush[0], p->flush[1]);
	content_of(p->seed, 0, w->bytes, p->size);
	at(path, p->first);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (!fine(w, fd, "create", p->path))
		return false;
	/* Not in a trail with recipients. */
	if (p->grows && fsetxattr(fd, TF_XATTR_STREAM, "1", 1, 0) < 0 &&
	    errno != EOPNOTSUPP)
		ok = fine(w, -1, "mark", p->path);
	if (p->early) {
		ok = fine(w, close(dup(fd)), "flush", p->path);
		if (ok)
			acknowledge(w, "there %s", p->path);
	}
	while (ok && done < p->size) {
		step = p->size - done < 100000 ? p->size - done : 100000;
		for (int i = 0; i < 2; i++)
			if (p->flush[i] > done && p->flush[i] < done + step)
				step = p->flush[i] - done;
		/* It may take less, before a page for which there is no memory. */
		n = write(fd, w->bytes + done, step);
		ok = fine(w, n, "write", p->path);
		if (ok && !more_logged)
			acknowledge(w, "more %s", p->path);
		more_logged = true;
		done += ok ? (size_t)n : 0;
		if (ok && looks)
			look_entered(w, p, path, fd);
		looks = false;
		if (!ok || (done != p->flush[0] && done != p->flush[1]))
			continue;
		ok = flush(w, p, fd, done);
		more_logged = !ok;
		looks = p->grows;
		/* fsync of the directory must not freeze this open file. */
		at(dir, w->att);
		if (ok && below(&w->chance, 2) == 0 &&
		    (other = open(dir, O_RDONLY | O_DIRECTORY)) >= 0) {
			(void)fsync(other);
			close(other);
		}
	}
	if (!fine(w, close(fd), "close", p->path) || !ok)
		return false;
	acknowledge(w, "closed %s", p->path);
	return true;
}

static void
acknowledge_content(struct writer *w, const struct plan *p)
{
	char hex[65];

	content_of(p->seed, 0, w->bytes, p->size);
	digest_of(w->bytes, p->size, hex);
	acknowledge(w, "kept %s %zu %s", p->path, p->size, hex);
}

static bool
rename_file(struct writer *w, const struct plan *p)
{
	char from[192], to[192];

	at(from, p->first);
	at(to, p->path);
	/* A frozen file may be sealed before it gets its new name. */
	if (rename(from, to) == 0)
		return true;
	return errno == EPERM && strstr(p->first, ".tmp") == NULL ?
	    false :
	    fine(w, -1, "rename", p->path);
}

/* Write the file, rename it, and count it. */
static void
make_file(struct writer *w, const struct plan *p)
{
	if (!write_file(w, p) ||
	    (strcmp(p->path, p->first) != 0 && !rename_file(w, p)))
		return;
	acknowledge_content(w, p);
	strcpy(w->last, p->path);
	w->files++;
}

/* --- the operations of writers ---------------------------------------- */

static void
begin_attestation(struct writer *w)
{
	char path[192];

	snprintf(w->att, sizeof w->att, "t/w/%s-%u", w->name, w->number++);
	w->files = 0;
	w->last[0] = '\0';
	intend(w, "dir %s", w->att);
	at(path, w->att);
	if (fine(w, mkdir(path, 0755), "mkdir", w->att))
		acknowledge(w, "made %s", w->att);
}

static void
do_small(struct writer *w)
{
	struct plan p = plan_file(w, small(w));

	make_file(w, &p);
}

static void
do_large(struct writer *w)
{
	struct plan p = plan_file(w, large(w));

	make_file(w, &p);
}

/* Flush twice while writing; by then the bytes may be in a staged file. */
static void
do_flushed(struct writer *w)
{
	struct plan p = plan_file(w,
	    below(&w->chance, 2) == 0 ? small(w) + 2 : large(w));

	p.flush[0] = 1 + below(&w->chance, (unsigned)p.size / 2);
	p.flush[1] = p.flush[0] + 1 +
	    below(&w->chance, (unsigned)(p.size - p.flush[0]) - 1);
	if (p.flush[1] >= p.size)
		p.flush[1] = 0;
	make_file(w, &p);
}

/* Write as a shell does. */
static void
do_early(struct writer *w)
{
	struct plan p = plan_file(w,
	    below(&w->chance, 2) == 0 ? small(w) : large(w));

	p.early = true;
	make_file(w, &p);
}

/* Write as a log grows.  The flush lets the vault enter what is there soon after,
 * with the write that follows: so bytes are entered that no flush has synced. */
static void
do_grown(struct writer *w)
{
	struct plan p = plan_file(w, 196609 + below(&w->chance, 100000));

	p.grows = true;
	p.flush[0] = 65536 + below(&w->chance, (unsigned)p.size - 131072);
	make_file(w, &p);
}

/* Make an empty file, sometimes as a draft first. */
static void
do_empty(struct writer *w)
{
	struct plan p = plan_file(w, 0);

	p.early = below(&w->chance, 2) == 0;
	if (below(&w->chance, 3) == 0)
		strcat(p.first, ".tmp");
	make_file(w, &p);
}

static void
do_draft(struct writer *w)
{
	struct plan p = plan_file(w,
	    below(&w->chance, 2) == 0 ? small(w) : large(w));

	strcat(p.first, ".tmp");
	make_file(w, &p);
}

/* Rename a file while it settles. */
static void
do_renamed(struct writer *w)
{
	struct plan p = plan_file(w, small(w));

	strcat(p.first, "-first");
	make_file(w, &p);
}

static void
do_below(struct writer *w)
{
	struct plan p = plan_file(w, small(w));
	char dir[160], path[192];

	snprintf(dir, sizeof dir, "%s/d%u", w->att, w->number++);
	at(path, dir);
	if (!fine(w, mkdir(path, 0755), "mkdir", dir))
		return;
	if (snprintf(p.path, sizeof p.path, "%s/f", dir) < 0)
		return;
	strcpy(p.first, p.path);
	make_file(w, &p);
}

/* Publish a draft attestation: all of it, or nothing. */
static void
do_publish(struct writer *w)
{
	struct plan p[3];
	char draft[64], final[64], from[192], to[192];
	unsigned n = 1 + below(&w->chance, LEN(p)), number = w->number++;
	bool ok = true;

	snprintf(draft, sizeof draft, "t/w/.%s-%u", w->name, number);
	snprintf(final, sizeof final, "t/w/%s-%u", w->name, number);
	at(from, draft);
	at(to, final);
	intend(w, "dir %s", draft);
	intend(w, "dir %s", final);
	if (!fine(w, mkdir(from, 0755), "mkdir", draft))
		return;
	for (unsigned i = 0; i < n; i++) {
		p[i] = plan_file(w, i == 0 ? small(w) : i == 1 ? large(w) : 0);
		snprintf(p[i].path, sizeof p[i].path, "%s/f%u", final, i);
		snprintf(p[i].first, sizeof p[i].first, "%s/f%u", draft, i);
		ok = ok && write_file(w, &p[i]);
	}
	if (!ok || !fine(w, rename(from, to), "rename", final))
		return;
	acknowledge(w, "made %s", final);
	acknowledge(w, "shut %s", final);
	for (unsigned i = 0; i < n; i++)
		acknowledge_content(w, &p[i]);
}

/* fsync of the directory seals the files in it. */
static void
do_sync(struct writer *w)
{
	char path[192], index[32];
	ssize_t n;
	int fd;

	at(path, w->att);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	if (!fine(w, fd, "open", w->att))
		return;
	if (fine(w, fsync(fd), "fsync", w->att) && w->last[0] != '\0') {
		at(path, w->last);
		n = getxattr(path, TF_XATTR_PREFIX "index", index,
		    sizeof index - 1);
		if (fine(w, n, "index", w->last)) {
			index[n] = '\0';
			acknowledge(w, "sealed %s %s", w->last, index);
		}
	}
	close(fd);
}

static void
do_seal(struct writer *w)
{
	char path[192];

	at(path, w->att);
	if (w->files == 0 || !fine(w, chmod(path, 0555), "chmod", w->att))
		return;
	acknowledge(w, "shut %s", w->att);
	begin_attestation(w);
}

static const struct {
	void (*run)(struct writer *w);
	unsigned weight;
} works[] = { { do_small, 6 }, { do_large, 2 }, { do_flushed, 3 },
	{ do_draft, 2 }, { do_renamed, 1 }, { do_below, 1 }, { do_publish, 1 },
	{ do_sync, 2 }, { do_seal, 1 }, { do_early, 1 }, { do_empty, 2 },
	{ do_grown, 2 } };

static void
work_at_random(struct writer *w)
{
	unsigned all = 0, n;
	size_t i;

	for (i = 0; i < LEN(works); i++)
		all += works[i].weight;
	n = below(&w->chance, all);
	for (i = 0; n >= works[i].weight; i++)
		n -= works[i].weight;
	works[i].run(w);
}

static void
work_each_once(struct writer *w)
{
	for (size_t i = 0; i < LEN(works) && !w->stop; i++)
		works[i].run(w);
}

/* --- processes -------------------------------------------------------- */

static pid_t pids[WRITERS + 1];

static void
begin_writer(struct writer *w, unsigned n, unsigned who, uint64_t seed)
{
	char path[64];

	memset(w, 0, sizeof *w);
	w->chance.s = seed ^ (uint64_t)who << 56;
	snprintf(w->name, sizeof w->name, "c%uw%u", n, who);
	snprintf(path, sizeof path, "acks/%u.%u", n, who);
	w->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	w->bytes = malloc(SIZE_MOST);
	if (w->log < 0 || w->bytes == NULL)
		die("a writer");
	begin_attestation(w);
}

static void *
write_on(void *arg)
{
	struct writer *w = arg;

	while (!w->stop)
		work_at_random(w);
	return NULL;
}

static void
writer_process(unsigned n, unsigned process, uint64_t seed)
{
	static struct writer w[THREADS];
	pthread_t thread[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		begin_writer(&w[i], n, process * THREADS + i, seed);
		if (pthread_create(&thread[i], NULL, write_on, &w[i]) != 0)
			die("a thread");
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(thread[i], NULL);
}

/* Keep the newest checkpoint that the vault has shown: the ledger must always
 * contain it. */
static void
watcher_process(void)
{
	char note[4096];
	ssize_t n = 1;
	int fd;

	while (n > 0 && !fault->dark) {
		fd = open(ROOT TF_CONTROL_DIR "/checkpoint", O_RDONLY);
		n = fd < 0 ? -1 : read(fd, note, sizeof note);
		if (fd >= 0)
			close(fd);
		fd = open("seen.new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (n > 0 && fd >= 0 && write(fd, note, (size_t)n) == n &&
		    !fault->dark)
			(void)rename("seen.new", "seen");
		if (fd >= 0)
			close(fd);
	}
}

static pid_t
start(void)
{
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) < 0)
		die("fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void
start_watcher(void)
{
	if ((pids[WRITERS] = start()) == 0) {
		watcher_process();
		_exit(0);
	}
}

void
writers_start(unsigned n, uint64_t seed)
{
	start_watcher();
	for (unsigned i = 0; i < WRITERS; i++)
		if ((pids[i] = start()) == 0) {
			writer_process(n, i, seed);
			_exit(0);
		}
}

void
writers_script(unsigned n, uint64_t seed)
{
	struct writer w;
	int status;

	start_watcher();
	if ((pids[0] = start()) == 0) {
		begin_writer(&w, n, 0, seed);
		w.script = true;
		work_each_once(&w);
		_exit(0);
	}
	if (!ended(pids[0], 60000, &status)) {
		red("a writer does not end");
		return;
	}
	pids[0] = 0;
	(void)kill(pids[WRITERS], SIGKILL);
	(void)waitpid(pids[WRITERS], &status, 0);
	pids[WRITERS] = 0;
}

void
writers_end(void)
{
	int status;

	for (unsigned i = 0; i <= WRITERS; i++) {
		if (pids[i] == 0)
			continue;
		if (!ended(pids[i], 60000, &status)) {
			red("a writer does not end");
			(void)kill(pids[i], SIGKILL);
			(void)waitpid(pids[i], &status, 0);
		} else if (status != 0) {
			red("a writer ended with %x", status);
		}
		pids[i] = 0;
	}
}
