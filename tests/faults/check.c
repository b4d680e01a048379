/*
 * Compare a vault with the logs of its writers.  A file that was acknowledged
 * must be whole, under its name, and sealed with the entry that was reported.
 * A file that was not acknowledged may be whole, an interrupted draft with all
 * bytes that were flushed, or absent.  There must be no other file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/control.h"
#include "faults.h"

#define ROOT "mnt/"
#define INTERRUPTED ".interrupted.part"

enum where { NOWHERE, FINAL, FIRST, AS_DRAFT };

struct file {
	/* From the log. */
	char path[160], first[160];
	size_t size, flush[2];
	uint64_t seed;
	size_t durable; /* bytes that a flush acknowledged */
	bool more;	/* written after that */
	size_t entered; /* bytes that the writer saw entered */
	bool there;	/* its creation is durable */
	bool closed, kept;
	char digest[65];
	long index; /* of its entry, once seen; else -1 */
	/* From the mount. */
	enum where where;
	size_t found_size;
	size_t proven; /* by its entry; 0: that has no doubt */
	bool encrypted;
	char state[16];
	bool dropped; /* removed by check_sealed */
	bool hollow;  /* was a placeholder at the first check */
};

struct dir {
	char path[160];
	bool made, shut;
};

unsigned long acks, grown, doubts;
static struct file *files;
static size_t n_files, first_file; /* those from here on are new */
static struct dir *dirs;
static size_t n_dirs, first_dir;

void
check_forget(void)
{
	n_files = first_file = n_dirs = first_dir = 0;
}

/* --- the logs --------------------------------------------------------- */

static void *
one_more(void *array, size_t n, size_t size)
{
	/* The capacity grows in powers of two. */
	if ((n & (n - 1)) == 0)
		array = realloc(array, (n == 0 ? 1 : 2 * n) * size);
	if (array == NULL)
		die("no memory");
	memset((char *)array + n * size, 0, size);
	return array;
}

static struct file *
file_of(const char *path)
{
	for (size_t i = n_files; i > 0; i--)
		if (strcmp(files[i - 1].path, path) == 0)
			return &files[i - 1];
	die("the log of a writer: no file %s", path);
}

static struct dir *
dir_of(const char *path)
{
	for (size_t i = n_dirs; i > 0; i--)
		if (strcmp(dirs[i - 1].path, path) == 0)
			return &dirs[i - 1];
	return NULL;
}

static void
read_failure(const char *line, const int *errors)
{
	char what[16], path[160];
	int sys;

	if (sscanf(line, "failed %15s %159s %d", what, path, &sys) != 3)
		die("the log of a writer: %s", line);
	for (; errors != NULL && *errors != 0; errors++)
		if (*errors == sys)
			return;
	if (errors != NULL)
		red("%s %s: %s", what, path, strerror(sys));
}

static void
read_line(const char *line, const int *errors)
{
	char word[16], path[160], hex[65];
	struct file *f;
	struct dir *d;
	unsigned long long seed;
	size_t size;
	long index;

	if (sscanf(line, "%15s %159s", word, path) != 2)
		die("the log of a writer: %s", line);
	if (strcmp(word, "failed") == 0) {
		read_failure(line, errors);
	} else if (strcmp(word, "dir") == 0) {
		dirs = one_more(dirs, n_dirs, sizeof *dirs);
		snprintf(dirs[n_dirs++].path, sizeof dirs->path, "%s", path);
	} else if (strcmp(word, "file") == 0) {
		files = one_more(files, n_files, sizeof *files);
		f = &files[n_files++];
		if (sscanf(line, "file %159s %159s %zu %llu %zu %zu", f->path,
			f->first, &f->size, &seed, &f->flush[0],
			&f->flush[1]) != 6)
			die("the log of a writer: %s", line);
		f->seed = seed;
		f->index = -1;
	} else if ((d = dir_of(path)) != NULL) {
		d->made = d->made || strcmp(word, "made") == 0;
		d->shut = d->shut || strcmp(word, "shut") == 0;
		acks++;
	} else {
		f = file_of(path);
		acks++;
		if (sscanf(line, "flushed %*s %zu", &size) == 1) {
			f->durable = size;
			f->more = false;
		} else if (sscanf(line, "entered %*s %zu", &size) == 1) {
			f->entered = size;
			grown++;
		} else if (strcmp(word, "there") == 0) {
			f->there = true;
		} else if (strcmp(word, "more") == 0) {
			f->more = true;
		} else if (strcmp(word, "closed") == 0) {
			f->closed = true;
		} else if (sscanf(line, "kept %*s %*s %64s", hex) == 1) {
			f->kept = true;
			memcpy(f->digest, hex, sizeof f->digest);
		} else if (sscanf(line, "sealed %*s %ld", &index) == 1) {
			f->index = index;
		}
	}
}

void
check_read(unsigned n, const int *errors)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	FILE *in;

	for (unsigned i = 0; i < WRITERS * THREADS; i++) {
		snprintf(path, sizeof path, "acks/%u.%u", n, i);
		if ((in = fopen(path, "re")) == NULL)
			continue;
		while (getline(&line, &cap, in) > 0)
			read_line(line, errors);
		fclose(in);
	}
	free(line);
}

/* --- the files in the mount ------------------------------------------- */

static void
fact(const char *path, const char *name, char *out, size_t size)
{
	ssize_t n = getxattr(path, name, out, size - 1);

	out[n < 0 ? 0 : n] = '\0';
}

/* True if found is path.<time>.interrupted.part. */
static bool
is_interrupted(const char *found, const char *path)
{
	size_t n = strlen(path), all = strlen(found);

	return all > n + strlen(INTERRUPTED) && strncmp(found, path, n) == 0 &&
	    found[n] == '.' &&
	    strcmp(found + all - strlen(INTERRUPTED), INTERRUPTED) == 0;
}

static struct file *
match(const char *found, enum where *where)
{
	for (size_t i = 0; i < n_files; i++) {
		struct file *f = &files[i];

		*where = strcmp(found, f->path) == 0 ? FINAL :
		    strcmp(found, f->first) == 0     ? FIRST :
		    is_interrupted(found, f->path) ||
			is_interrupted(found, f->first) ?
						   AS_DRAFT :
						   NOWHERE;
		if (*where != NOWHERE)
			return f;
	}
	return NULL;
}

/* The content as its writer wrote it: age files are decrypted to "opened". */
static int
open_content(struct file *f, const char *path)
{
	static const char line[] = "age-encryption.org/v1\n";
	char begins[sizeof line] = "";
	int fd = open(path, O_RDONLY);

	f->encrypted = fd >= 0 &&
	    pread(fd, begins, sizeof line - 1, 0) == sizeof line - 1 &&
	    strcmp(begins, line) == 0;
	if (!f->encrypted)
		return fd;
	close(fd);
	if (shell("age -d -i age.key '%s' >opened", path) != 0) {
		red("%s is not opened by its recipient", path);
		return -1;
	}
	return open("opened", O_RDONLY);
}

/* Check the bytes: flushed ones must be right, others right or zero. */
static void
check_content(struct file *f, const char *path, const char *name)
{
	char *got = NULL, *want = NULL;
	int fd = open_content(f, path);
	struct stat st;
	size_t exact;

	if (fd < 0 || fstat(fd, &st) < 0) {
		red("%s cannot be opened: %s", name, strerror(errno));
		goto out;
	}
	f->found_size = (size_t)st.st_size;
	if (f->found_size > f->size) {
		red("%s has %zu bytes, more than were written", name,
		    f->found_size);
		goto out;
	}
	got = malloc(f->found_size + 1);
	want = malloc(f->found_size + 1);
	if (got == NULL || want == NULL)
		die("no memory");
	if (read(fd, got, f->found_size + 1) != (ssize_t)f->found_size) {
		red("%s cannot be read: %s", name, strerror(errno));
		goto out;
	}
	content_of(f->seed, 0, want, f->found_size);
	/* An interrupted draft holds the bytes that survived, and is sealed
	 * with them when its attestation is. */
	exact = f->where != AS_DRAFT && strcmp(f->state, "sealed") == 0 &&
		f->proven == 0 ?
	    f->found_size :
	    f->durable;
	exact = f->proven > exact ? f->proven : exact;
	for (size_t i = 0; i < f->found_size; i++)
		if (got[i] != want[i] && (i < exact || got[i] != 0)) {
			red("%s: byte %zu is wrong", name, i);
			break;
		}
out:
	free(got);
	free(want);
	if (fd >= 0)
		close(fd);
}

static void
found_file(const char *name)
{
	char path[PATH_MAX], text[72];
	enum where where;
	struct file *f = match(name, &where);

	if (f == NULL) {
		red("%s was written by nobody", name);
		return;
	}
	if (f->where != NOWHERE)
		red("%s is there twice", name);
	f->where = where;
	snprintf(path, sizeof path, ROOT "%s", name);
	fact(path, TF_XATTR_PREFIX "state", f->state, sizeof f->state);
	f->proven = 0;
	if (strcmp(f->state, "sealed") == 0) {
		fact(path, TF_XATTR_PROVEN, text, sizeof text);
		f->proven = strtoul(text, NULL, 10);
	}
	check_content(f, path, name);
	if (world_encrypts && !f->encrypted && strcmp(f->state, "sealed") == 0)
		red("%s is sealed and not encrypted", name);
	if (strcmp(f->state, "sealed") == 0) {
		long index;

		fact(path, TF_XATTR_PREFIX "index", text, sizeof text);
		index = strtol(text, NULL, 10);
		if (f->index >= 0 && f->index != index)
			red("%s: entry %ld is entry %ld now", name, f->index,
			    index);
		f->index = index;
		fact(path, TF_XATTR_PREFIX "sha256", text, sizeof text);
		if (f->kept && !f->encrypted && strcmp(text, f->digest) != 0)
			red("%s: not the digest of what was written", name);
	} else if (f->index >= 0) {
		red("%s was sealed, and is %s", name, f->state);
	}
}

/* Check all files below a directory of the mount. */
static void
check_below(const char *name)
{
	char path[PATH_MAX], child[PATH_MAX - 256];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof path, ROOT "%s", name);
	if ((d = opendir(path)) == NULL) {
		red("%s cannot be read: %s", name, strerror(errno));
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (snprintf(child, sizeof child, "%s/%s", name, e->d_name) >=
		    (int)sizeof child)
			red("%s holds a very long name", name);
		else if (e->d_type == DT_DIR)
			check_below(child);
		else
			found_file(child);
	}
	closedir(d);
}

static void
check_dirs(size_t from)
{
	char path[PATH_MAX], state[16];

	for (size_t i = from; i < n_dirs; i++) {
		struct dir *d = &dirs[i];

		snprintf(path, sizeof path, ROOT "%s", d->path);
		if (access(path, F_OK) < 0) {
			if (d->made)
				red("%s is gone", d->path);
			continue;
		}
		fact(path, TF_XATTR_PREFIX "state", state, sizeof state);
		if (d->shut && strcmp(state, "sealed") != 0)
			red("%s was sealed, and is %s", d->path, state);
		check_below(d->path);
	}
}

static void
no_strangers(void)
{
	DIR *d = opendir(ROOT "t/w");
	char path[300];
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "t/w/%s", e->d_name);
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 && dir_of(path) == NULL)
			red("%s was made by nobody", path);
	}
	if (d == NULL)
		red("t/w cannot be read: %s", strerror(errno));
	else
		closedir(d);
}

/* --- comparison ------------------------------------------------------- */

static bool
is_ordinary(const struct file *f)
{
	return f->where == FINAL ||
	    (f->where == FIRST && strstr(f->first, ".tmp") == NULL &&
		strstr(f->first, "/.") == NULL);
}

static bool
is_placeholder(const struct file *f)
{
	return f->found_size == 0 && strcmp(f->state, "placeholder") == 0;
}

static const char *
wrong_with(const struct file *f)
{
	bool flushed = f->found_size > 0 &&
	    (f->found_size == f->flush[0] || f->found_size == f->flush[1]);

	if (f->where == NOWHERE)
		return f->kept || f->closed    ? "it was closed and is gone" :
		    f->durable > 0 || f->there ? "it was flushed and is gone" :
						 NULL;
	if (f->kept && f->where != FINAL)
		return "it is not under its name";
	if (f->entered > 0 && f->where != FINAL)
		return "parts were entered, and it is not under that name";
	if (f->found_size < f->entered)
		return "entered bytes are gone";
	if (f->found_size < f->durable)
		return "flushed bytes are gone";
	if (f->kept || f->closed)
		return f->proven > 0	 ? "it was closed and is in doubt" :
		    f->where == AS_DRAFT ? "it was closed and is a draft" :
		    f->found_size != f->size ?
					   "it was closed and is short" :
		    is_ordinary(f) && strcmp(f->state, "sealed") != 0 &&
			!is_placeholder(f) ?
					   "it was closed and is not sealed" :
					   NULL;
	if (!is_ordinary(f))
		return NULL;
	doubts += f->proven > 0;
	if (f->proven > 0)
		return f->proven < f->entered ? "less is proven" :
		    f->proven > f->found_size ? "more is proven" :
						NULL;
	/* No more of it was acknowledged. */
	if (is_placeholder(f) || (f->hollow && f->found_size == 0))
		return NULL;
	if (strcmp(f->state, "sealed") != 0)
		return "it is neither sealed nor a draft";
	/* A write for which libfuse found no memory never reached the vault, so
	 * the file stays empty. */
	if (f->found_size == 0 && f->durable == 0 &&
	    fault->calls == CALL_MEMORY)
		return NULL;
	if (f->found_size != f->size && !flushed)
		return "a part is sealed that nobody flushed";
	if (f->found_size == f->durable && f->more)
		return "it is sealed without what was written later";
	return NULL;
}

static void
judge(size_t from)
{
	for (size_t i = from; i < n_files; i++) {
		const char *wrong = wrong_with(&files[i]);

		files[i].hollow = files[i].hollow || is_placeholder(&files[i]);

		if (wrong != NULL && !files[i].dropped)
			red("%s (first %s): %s; size %zu of %zu, %s",
			    files[i].path, files[i].first, wrong,
			    files[i].found_size, files[i].size, files[i].state);
	}
}

static void
verify(void)
{
	if (shell("trailctl verify store --vkey vkey"
		  " $([ -e seen ] && echo --checkpoint seen)") == 0)
		return;
	red("verify says:");
	show_daemon_log();
}

static void
check_from(size_t file, size_t dir)
{
	for (size_t i = file; i < n_files; i++) {
		files[i].where = NOWHERE;
		files[i].found_size = 0;
		files[i].state[0] = '\0';
	}
	check_dirs(dir);
	no_strangers();
	judge(file);
	verify();
}

void
check_mounted(void)
{
	if (!vault_runs())
		return; /* already reported */
	check_from(first_file, first_dir);
	first_file = n_files;
	first_dir = n_dirs;
}

/* An age file is made anew after each crash, so each crash may leave an object
 * that no entry names. */
static void
no_orphans(void)
{
	if (shell("find -H store/objects -type f -printf '%%P\\n' |"
		  " tr -d / | tr a-f A-F | sort >objects.are;"
		  " sqlite3 store/ledger.db 'SELECT hex(sha256) FROM digest' |"
		  " sort >objects.named; comm -23 objects.are objects.named |"
		  " grep .") == 0) {
		red("objects that nothing names:");
		show_daemon_log();
	}
}

void
check_sealed(void)
{
	if (!vault_runs())
		return;
	/* Unpublished drafts would make the seal fail. */
	for (size_t i = 0; i < n_files; i++)
		files[i].dropped = files[i].dropped ||
		    (files[i].where == FIRST &&
			strstr(files[i].first, "/.") != NULL);
	if (shell("rm -rf mnt/t/w/.[a-z]* && trailctl seal mnt/t/w") != 0) {
		red("sealing everything:");
		show_daemon_log();
	}
	check_from(0, 0);
	for (size_t i = 0; i < n_files; i++)
		if (files[i].where != NOWHERE &&
		    strcmp(files[i].state, "sealed") != 0)
			red("%s is %s after all was sealed", files[i].path,
			    files[i].state);
	if (vault_unmount() != 0)
		red("the daemon did not end well");
	if (shell("[ -z \"$(ls -A store/stage/)\" ] && "
		  "[ \"$(sqlite3 store/ledger.db 'SELECT count(*) FROM "
		  "stage')\" = 0 ]") != 0)
		red("the stage is not empty after all was sealed");
	if (world_encrypts)
		no_orphans();
}
