/* What others read: nothing that their permissions on the evidence itself do
 * not give them. */
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "attack.h"
#include "core/base/bytes.h"
#include "core/base/crypto.h"

#define READ_MAX ((size_t)4 << 20) /* of each file */
#define DEPTH_MAX 12

/* Bytes by which the secret would be recognised. */
static struct {
	char text[80];
	size_t n;
} needles[5];

static void
add_needle(size_t i, const void *p, size_t n)
{
	memcpy(needles[i].text, p, n);
	needles[i].n = n;
}

void
make_needles(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				       "mnopqrstuvwxyz0123456789+/";
	char hex[65], base64[41];
	struct tf_hash h;

	tf_sha256(SECRET_TEXT, strlen(SECRET_TEXT), &h);
	tf_hex(h.b, sizeof h.b, hex);
	/* Whole groups only. */
	for (size_t i = 0; i < 10; i++) {
		uint32_t v = (uint32_t)h.b[3 * i] << 16 |
		    (uint32_t)h.b[3 * i + 1] << 8 | h.b[3 * i + 2];

		for (size_t k = 0; k < 4; k++)
			base64[4 * i + k] = alphabet[v >> (18 - 6 * k) & 0x3f];
	}
	add_needle(0, SECRET_NAME, strlen(SECRET_NAME));
	add_needle(1, SECRET_TEXT, strlen(SECRET_TEXT));
	add_needle(2, hex, 64);
	add_needle(3, base64, 40);
	add_needle(4, h.b, sizeof h.b);
}

static void
search_file(const char *path)
{
	static char *all;
	int n;

	if (all == NULL && (all = malloc(READ_MAX)) == NULL)
		return;
	n = read_bytes(path, all, READ_MAX);
	atomic_fetch_add(&shared->tries, 1);
	for (size_t i = 0; n > 0 && i < LEN(needles); i++)
		if (memmem(all, (size_t)n, needles[i].text, needles[i].n) !=
		    NULL)
			gained("uid %u reads the secret (%zu) in %s", geteuid(),
			    i, path);
}

static void
search(const char *path, int depth)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return;
	if (S_ISREG(st.st_mode))
		search_file(path);
	else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
		search_dir(path, depth + 1);
}

/* All below dir, and the control directory, which is not listed. */
void
search_dir(const char *dir, int depth)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	char *path;

	if (strstr(dir, "/.trailfs") == NULL &&
	    asprintf(&path, "%s/.trailfs", dir) > 0) {
		search(path, depth);
		free(path);
	}
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    asprintf(&path, "%s/%s", dir, e->d_name) < 0)
			continue;
		search(path, depth);
		free(path);
	}
	if (d != NULL)
		closedir(d);
}

static void
read_all(void)
{
	static const char *const queries[] = { "name=kestrel*", "uid=54401",
		"status=open", "below=attack-0-secret", "name=*&limit=1000" };
	char path[PATH_LEN + 128];

	make_needles();
	search_dir(world.mnt, 0);
	snprintf(path, sizeof path, "%s/.trailfs/by-sha256/%.64s", world.mnt,
	    needles[2].text);
	search_dir(path, 1);
	search_file(path);
	for (size_t i = 0; i < LEN(queries); i++) {
		snprintf(path, sizeof path, "%s/.trailfs/find/%s", world.mnt,
		    queries[i]);
		search_file(path);
	}
	snprintf(path, sizeof path, "%s/.trailfs/find/sha256=%.64s", world.mnt,
	    needles[2].text);
	if (read_bytes(path, path, 1) > 0)
		gained("a digest that may not be read is found");
}

/* --- a directory that may not be entered ------------------------------------------------- */

static void
read_secret(void)
{
	static const char *const names[] = { "", "/" SECRET_NAME, "/.trailfs",
		"/.trailfs/SHA256SUMS", "/.trailfs/attestation.json",
		"/.trailfs/events.jsonl", "/.trailfs/custody.jsonl",
		"/.trailfs/package.zip", "/.trailfs/proof",
		"/.trailfs/proof/" SECRET_NAME ".tlog-proof",
		"/.trailfs/replay", "/.trailfs/replay/" SECRET_NAME ".html",
		"/.trailfs/find/name=" SECRET_NAME, "/../.trailfs/status.json",
		"/../.trailfs/index.html", "/../../.trailfs/status.md",
		"/../../.trailfs/package.zip" };
	char path[PATH_LEN + 128], value[64];
	struct stat st;
	const char *p = path;

	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, "%s%s", world.secret, names[i]);
		REFUSED(try_open(p, O_RDONLY));
		REFUSED(stat(p, &st));
		REFUSED(getxattr(p, "user.trailfs.sha256", value,
		    sizeof value));
		REFUSED(access(p, R_OK));
	}
}

/* --- the past, and the whole vault ----------------------------------------------------- */

/* The tree as it was has the rights of today: nothing of the private trail, from the
 * root, from the trail or from what is in it.  The package of the vault has it. */
static void
read_past(void)
{
	static const char *const names[] = { "", "/" SECRET_NAME, "/.trailfs",
		"/.trailfs/SHA256SUMS", "/.trailfs/events.jsonl",
		"/.trailfs/attestation.json", "/../.trailfs/index.html",
		"/../.trailfs/trail-page.html", "/../.trailfs/status.json",
		"/../../.trailfs/index.html",
		"/../../.trailfs/trail-page.html" };
	char path[2 * PATH_LEN + 128], at[64];
	struct stat st;
	const char *p = path;

	make_needles();
	find_moment(at);
	snprintf(path, sizeof path, "%s/%s", world.mnt, at);
	search_dir(path, 1);
	snprintf(path, sizeof path, "%s/%s/.trailfs", world.mnt, at);
	search_dir(path, 1);
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, "%s/%s%s%s", world.mnt, at,
		    world.secret + strlen(world.mnt), names[i]);
		REFUSED(try_open(p, O_RDONLY));
		REFUSED(stat(p, &st));
		snprintf(path, sizeof path, "%s/%s%s", world.secret, at,
		    names[i]);
		REFUSED(try_open(p, O_RDONLY));
		snprintf(path, sizeof path, "%s%s", world.secret, names[i]);
		REFUSED(try_open(p, O_RDONLY));
	}
	snprintf(path, sizeof path, "%s/.trailfs/package.zip", world.mnt);
	REFUSED(try_open(p, O_RDONLY));
}

/* --- the store -------------------------------------------------------------------------------- */

static void
read_store(void)
{
	static const char *const names[] = { "", "/ledger.db", "/ledger.db-wal",
		"/ledger.db-shm", "/keys", "/keys/log.pem",
		"/keys/attester.pem", "/objects", "/stage", "/config", "/lock",
		"/checkpoint", "/keys/signer.state", "/index.db", "/stage.key",
		"/forward.sock", "/forwarded.json" };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char path[PATH_LEN + 64];
	const char *p = path;

	if (world.store[0] == '\0') {
		skipped("the store is not known");
		return;
	}
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, "%s%s", world.store, names[i]);
		REFUSED(try_open(p, O_RDONLY));
		REFUSED(try_open(p, O_RDWR));
	}
	/* The forwarder of a mount that waits for its organisation. */
	if (snprintf(to.sun_path, sizeof to.sun_path, "%s/forward.sock",
		world.store) < (int)sizeof to.sun_path) {
		int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

		REFUSED(connect(s, (void *)&to, sizeof to));
		REFUSED(bind(s, (void *)&to, sizeof to));
		close(s);
	}
	REFUSED(rename(world.store, "/tmp/trailfs-attack-store"));
	snprintf(path, sizeof path, "%s/new", world.store);
	REFUSED(try_open(p, O_WRONLY | O_CREAT));
}

const struct row reader_rows[] = {
	{ "R1", "secrets in all that others may read", read_all,
	    STRANGERS | 1u << BY_MEMBER, NULL },
	{ "R2", "proofs, pages and packages of a private trail", read_secret,
	    STRANGERS | 1u << BY_MEMBER | USERNS, NULL },
	{ "R3", "the store and its keys", read_store, USERS, NULL },
	{ "R4",
	    "the past of a private trail, its pages to print, the whole vault",
	    read_past, STRANGERS | 1u << BY_MEMBER | USERNS, NULL },
	{ 0 },
};
