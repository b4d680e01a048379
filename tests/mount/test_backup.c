/*
 * Programs that read the whole tree: backups find nothing new in what is
 * sealed, copies taken while others write are complete, and a second, read-only
 * way in shows the same.
 */
#include <sys/mount.h>

#include "harness.h"

#define FILES 1000

/* Nothing from outside, everything below the working directory. */
#define RESTIC                                                          \
	"HOME=$PWD RESTIC_PASSWORD=x restic -r $PWD/restic --cache-dir" \
	" $PWD/cache "
#define BORG                                              \
	"BORG_BASE_DIR=$PWD/borg-base"                    \
	" BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes" \
	" BORG_RELOCATED_REPO_ACCESS_IS_OK=yes borg "

static const struct {
	const char *needs;
	const char *first;
	const char *second;
	const char *says; /* the second; "": nothing at all */
} backups[] = {
	{ "restic", RESTIC "init && " RESTIC "backup mnt", RESTIC "backup mnt",
	    "Files:           0 new,     0 changed,  1000 unmodified" },
	{ "borg", BORG "init -e none borg && " BORG "create borg::1 mnt",
	    /* It never remembers the newest file. */
	    BORG "create --list --filter=AMCE borg::2 mnt >said 2>&1 && "
		 "! grep -v /999$ said",
	    "" },
	{ "rsync", "rsync -aX mnt/ copy", "rsync -aXi mnt/ copy", "" },
	{ "tar", "tar -g snar --no-check-device -cf 1.tar mnt",
	    "tar -g snar --no-check-device -cf 2.tar mnt; "
	    "tar tf 2.tar | grep -v /$ || :",
	    "" },
};

/* In several attestations. */
static void
make_files(void)
{
	char path[64];

	make_attestation();
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof path, W "/b%d", i / 100);
		if (i % 100 == 0)
			allowed(mkdir(path, 0755));
		snprintf(path, sizeof path, W "/b%d/%d", i / 100, i);
		put_bytes(path, noise(100 + (size_t)i, (unsigned)i),
		    100 + (size_t)i);
	}
	sync_dir("mnt");
}

/* Another number for the device, as after a restart.  The system gives the
 * numbers, to others as well, so it takes what it takes. */
static void
remount_elsewhere(void)
{
	dev_t dev = stat_of("mnt").st_dev;
	int held = 0;

	allowed(mkdir("held", 0755));
	while (stat_of("mnt").st_dev == dev) {
		unmount_vault();
		ck_assert_int_lt(held, 20);
		allowed(mount("none", "held", "tmpfs", 0, NULL));
		held++;
		mount_vault("settle=60");
	}
	while (held-- > 0)
		allowed(umount("held"));
}

START_TEST(a_second_backup_copies_nothing)
{
	const char *said;

	skip_unless(have(backups[_i].needs), backups[_i].needs);
	make_files();
	run(0, "%s", backups[_i].first);
	remount_elsewhere();
	said = run(0, "%s", backups[_i].second);
	if (backups[_i].says[0] == '\0')
		ck_assert_str_eq("", said);
	else
		says(said, backups[_i].says);
}
END_TEST

/* --- while others write ----------------------------------------------- */

static unsigned writer; /* number of the child that in_child makes next */

/* Until it is killed. */
static int
write_on(void)
{
	char path[64];
	int fd;

	for (unsigned i = 0;; i++) {
		snprintf(path, sizeof path, "%s/w%u-%u",
		    i % 2 == 0 ? A : W "/b0", writer, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			return 1;
		for (int part = 0; part < 3; part++)
			if (write(fd, path, sizeof path) < 0)
				return 2;
		if (close(fd) < 0)
			return 3;
	}
}

/* What tar says of a file that is not in the list of those sealed before. */
#define TAR_SAYS_NO_OTHER                                                      \
	"sed -n 's/^tar: \\(.*\\): file changed as we read it$/\\1/p' said | " \
	"sort >changed; [ -z \"$(comm -12 changed names)\" ] && "              \
	"[ -z \"$(grep -v 'file changed as we read it$' said)\" ]"

static const struct {
	const char *copy; /* mnt/t to copy/mnt/t */
	const char *needs;
} copies[] = {
	{ "tar c mnt/t 2>said | tar x -C copy; " TAR_SAYS_NO_OTHER, NULL },
	{ "mkdir copy/mnt && cp -a mnt/t copy/mnt/", NULL },
	{ "zip -qr t.zip mnt && unzip -q t.zip -d copy", "zip" },
	{ "mkdir copy/mnt && rsync -a mnt/t copy/mnt/", "rsync" },
};

/* Complete as to what was sealed when it began. */
START_TEST(a_copy_of_a_mounted_tree_has_all_sealed_files)
{
	pid_t pid[3];

	skip_unless(copies[_i].needs == NULL || have(copies[_i].needs),
	    copies[_i].needs);
	make_files();
	run(0,
	    "find mnt -type f | sort >names && xargs sha256sum <names >sums");
	run(0, "[ $(wc -l <names) = 1000 ] && mkdir copy");
	for (writer = 0; writer < LEN(pid); writer++)
		pid[writer] = in_child(write_on);
	while (!exists(A "/w0-10"))
		;
	run(0, "%s", copies[_i].copy);
	for (size_t i = 0; i < LEN(pid); i++) {
		kill(pid[i], SIGKILL);
		ck_assert_int_eq(-SIGKILL, child_ended(pid[i]));
	}
	run(0, "cd copy && sha256sum --quiet -c ../sums");
	ck_assert_str_eq("", run(0, "find copy -name .trailfs"));
}
END_TEST

/* --- a second way in -------------------------------------------------- */

START_TEST(a_read_only_bind_mount_shows_new_seals_at_once)
{
	char path[64], here[64];

	make_attestation();
	put_sealed(A "/before", "x");
	allowed(mkdir("ro", 0755));
	allowed(mount("mnt", "ro", NULL, MS_BIND, NULL));
	allowed(mount(NULL, "ro", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
	    NULL));
	holds("ro/t/w/a/before", "x");
	refused(EROFS, try_open("ro/t/w/a/new", O_WRONLY | O_CREAT));
	refused(EROFS, try_open("ro/t/w/a/before", O_WRONLY));
	refused(EROFS, mkdir("ro/t/w/b", 0755));
	refused(EROFS, unlink("ro/t/w/a/before"));
	refused(EROFS, rename("ro/t/w/a/before", "ro/t/w/a/x.tmp"));
	refused(EROFS, chmod("ro/t/w/a", 0555));
	refused(EROFS, truncate("ro/t/w/a/before", 0));
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		snprintf(here, sizeof here, "ro/t/w/a/%d", i);
		ck_assert(!exists(here));
		put(path, path);
		holds(here, path);
		has_state(here, "frozen");
		if (i % 10 != 0)
			continue;
		sync_dir("mnt");
		has_state(here, "sealed");
		ck_assert_str_eq(fact(path, "sha256"), fact(here, "sha256"));
	}
	ck_assert_str_eq("101\n", run(0, "ls ro/t/w/a | wc -l"));
	allowed(umount("ro"));
}
END_TEST

Suite *
suite_backup(void)
{
	Suite *s = suite_create("backup");
	TCase *t = mounted_case(s, "backup");

	tcase_add_loop_test(t, a_second_backup_copies_nothing, 0,
	    (int)LEN(backups));
	tcase_add_loop_test(t, a_copy_of_a_mounted_tree_has_all_sealed_files, 0,
	    (int)LEN(copies));
	tcase_add_test(t, a_read_only_bind_mount_shows_new_seals_at_once);
	return s;
}
