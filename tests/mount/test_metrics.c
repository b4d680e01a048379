/* Metrics: the form of the text, and that each number moves with what it counts;
 * and evidence that reads find damaged, which status and page show, too. */
#include "core/control.h"
#include "harness.h"

#define METRICS "mnt/" TF_CONTROL_DIR "/" TF_CONTROL_METRICS
#define STATUS "mnt/" TF_CONTROL_DIR "/" TF_CONTROL_STATUS
#define PAGE "mnt/" TF_CONTROL_DIR "/" TF_CONTROL_PAGE

/* Metrics without the label origin, which every sample has. */
static const char *
numbers(const char *from)
{
	put("numbers", content(from, NULL));
	return run(0,
	    "sed -i -e 's/origin=\"[^\"]*\",*//' -e 's/{}//' numbers && "
	    "cat numbers && rm numbers");
}

/* The text of the sample in a text of metrics, or NULL. */
static const char *
sample(const char *text, const char *name)
{
	const size_t n = strlen(name);

	for (; text != NULL; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, name, n) == 0 && text[n] == ' ')
			return text + n + 1;
	}
	return NULL;
}

/* The value of a sample of the mount. */
static double
value(const char *name)
{
	const char *text = sample(numbers(METRICS), name);

	ck_assert_msg(text != NULL, "no sample %s", name);
	return strtod(text, NULL);
}

#define is(want, name) ck_assert_double_eq((want), value(name))

/* --- form -------------------------------------------------------------- */

/* The grammar of the format, and what OpenMetrics adds to it: every sample
 * belongs to the metric of the TYPE line before it, and none comes twice. */
static const char grammar[] =
    "import re, sys\n"
    "name = re.compile(r'trailfs_[a-z0-9_]+$')\n"
    "form = re.compile(r'([a-z0-9_]+)(\\{(?:[a-z0-9_]+=\"(?:[^\"\\\\\\n]|"
    "\\\\[\\\\\"n])*\",?)+\\})? ([0-9]+(?:\\.[0-9]+)?)$')\n"
    "seen, types, help, now = set(), {}, None, None\n"
    "text = sys.stdin.read()\n"
    "assert text.endswith('\\n')\n"
    "for line in text.splitlines():\n"
    "    if line.startswith('# HELP '):\n"
    "        help = line.split(' ', 3)[2]\n"
    "        assert len(line.split(' ', 3)[3]) > 9, line\n"
    "        assert name.match(help) and help not in types, line\n"
    "    elif line.startswith('# TYPE '):\n"
    "        now, kind = line.split(' ')[2:]\n"
    "        assert now == help, line\n"
    "        assert kind in ('gauge', 'counter', 'histogram'), line\n"
    "        assert (kind == 'counter') == now.endswith('_total'), line\n"
    "        types[now] = kind\n"
    "    else:\n"
    "        m = form.match(line)\n"
    "        assert m, line\n"
    "        assert (m[1], m[2]) not in seen, line\n"
    "        seen.add((m[1], m[2]))\n"
    "        assert m[2].startswith('{origin=\"'), line\n"
    "        of = m[1]\n"
    "        if types[now] == 'histogram':\n"
    "            of = re.sub('_(bucket|sum|count)$', '', of)\n"
    "        assert of == now, line\n"
    "assert len(types) > 30\n";

START_TEST(the_text_is_well_formed)
{
	make_attestation();
	put_sealed(A "/f", "text");
	run(0, "trailctl mirror mnt copy");
	put("grammar.py", grammar);
	run(0, "trailctl metrics mnt >m && python3 grammar.py <m");
	run(0, "trailctl metrics store >m && grep -q trailfs_mounted m");
	unmount_vault();
	run(0,
	    "trailctl metrics store >m && "
	    "sed -i 's/len(types) > 30/len(types) > 9/' grammar.py && "
	    "python3 grammar.py <m");
	mount_vault("settle=60");
}
END_TEST

START_TEST(promtool_takes_the_text)
{
	skip_unless(have("promtool"), "no promtool (package prometheus)");
	make_attestation();
	put_sealed(A "/f", "text");
	run(0, "trailctl mirror mnt copy");
	ck_assert_str_eq("", run(0, "promtool check metrics <" METRICS));
}
END_TEST

START_TEST(only_those_of_the_root_read_them)
{
	ck_assert_int_eq(0440, stat_of(METRICS).st_mode & 07777);
	/* The true space shows which bytes are in the store already. */
	says(content(METRICS, NULL), "trailfs_disk_free_bytes");
	allowed(chown("mnt", 0, BOB));
	as(BOB);
	says(content(METRICS, NULL), "trailfs_entries");
	says_not(content(METRICS, NULL), "trailfs_disk_free_bytes");
	says_not(content(METRICS, NULL), "trailfs_stage_room_bytes");
	as(0);
	as(ALICE);
	answers(EACCES, try_open(METRICS, O_RDONLY));
	says(run(3, "trailctl metrics mnt"), "trailctl: ");
}
END_TEST

/* --- what moves -------------------------------------------------------- */

START_TEST(closes_and_seals_are_counted)
{
	double closes, seals, sealed;

	make_attestation();
	closes = value("trailfs_close_duration_seconds_count");
	seals = value("trailfs_seal_duration_seconds_count");
	sealed = value("trailfs_files{state=\"sealed\"}");
	is(0, "trailfs_oldest_unsealed_seconds");
	put(A "/f", "text");
	is(closes + 1, "trailfs_close_duration_seconds_count");
	is(closes + 1, "trailfs_close_duration_seconds_bucket{le=\"+Inf\"}");
	is(1, "trailfs_files{state=\"frozen\"}");
	is(4, "trailfs_stage_bytes");
	ck_assert_double_gt(value("trailfs_oldest_unsealed_seconds"), 0);
	ck_assert_double_gt(value("trailfs_stage_room_bytes"), 0);
	ck_assert_double_gt(value("trailfs_disk_free_bytes"), 0);
	sync_dir("mnt");
	is(seals + 1, "trailfs_seal_duration_seconds_count");
	is(sealed + 1, "trailfs_files{state=\"sealed\"}");
	is(0, "trailfs_files{state=\"frozen\"}");
	is(0, "trailfs_stage_bytes");
	is(0, "trailfs_oldest_unsealed_seconds");
	seal(A, 0555);
	is(seals + 2, "trailfs_seal_duration_seconds_count");
	is(0, "trailfs_seal_failures_total");
	is(0, "trailfs_commit_queue_jobs");
}
END_TEST

START_TEST(refusals_are_counted_by_rule)
{
	make_attestation();
	put_sealed(A "/f", "text");
	refused(EPERM, unlink(A "/f"));
	refused(EPERM, unlink(A "/f"));
	is(2, "trailfs_denied_total{rule=\"sealed\"}");
	refused(EINVAL, mkdir("mnt/-x", 0755));
	is(1, "trailfs_denied_total{rule=\"bad name\"}");
	remount_vault();
	is(0, "trailfs_denied_total{rule=\"sealed\"}");
	is(0, "trailfs_close_duration_seconds_count");
}
END_TEST

START_TEST(open_files_are_counted)
{
	int reads, writes;

	make_attestation();
	put_sealed(A "/f", "text");
	is(0, "trailfs_open_handles{mode=\"read\"}");
	reads = open(A "/f", O_RDONLY);
	writes = begin(A "/g");
	is(1, "trailfs_open_handles{mode=\"read\"}");
	is(1, "trailfs_open_handles{mode=\"write\"}");
	allowed(close(reads));
	allowed(close(writes));
	/* RELEASE comes after close(2) has returned. */
	for (int i = 0; i < 1000 &&
	     value("trailfs_open_handles{mode=\"read\"}") +
		     value("trailfs_open_handles{mode=\"write\"}") >
		 0;
	     i++)
		usleep(10000);
	is(0, "trailfs_open_handles{mode=\"read\"}");
	is(0, "trailfs_open_handles{mode=\"write\"}");
}
END_TEST

START_TEST(entries_and_checkpoint_are_those_of_the_ledger)
{
	const char *note;

	make_attestation();
	put_sealed(A "/f", "text");
	note = content("mnt/.trailfs/checkpoint", NULL);
	is(strtod(strchr(note, '\n') + 1, NULL), "trailfs_entries");
	is(value("trailfs_entries"), "trailfs_checkpoint_entries");
	ck_assert_double_gt(value("trailfs_checkpoint_timestamp_seconds"),
	    1600000000);
	is(1, "trailfs_mounted");
}
END_TEST

START_TEST(a_mirror_ends_never_anchored)
{
	const char *text;
	double size;

	is(0, "trailfs_anchored");
	make_attestation();
	size = value("trailfs_entries");
	run(0, "trailctl mirror mnt copy");
	is(1, "trailfs_anchored");
	text = numbers(METRICS);
	text = strstr(text, "\ntrailfs_anchor_entries{kind=\"mirror\",name=\"");
	ck_assert_ptr_nonnull(text);
	text = strstr(text, "\"} ");
	ck_assert_ptr_nonnull(text);
	ck_assert_double_eq(size, strtod(text + 3, NULL));
	/* The receipt itself is an entry. */
	text = numbers(METRICS);
	text = strstr(text, "\ntrailfs_anchor_behind_entries{");
	ck_assert_ptr_nonnull(text);
	ck_assert_double_eq(1, strtod(strstr(text, "\"} ") + 3, NULL));
	says(numbers(METRICS), "\ntrailfs_anchor_timestamp_seconds{");
}
END_TEST

START_TEST(a_verification_that_is_recorded_is_shown)
{
	double size;

	make_attestation();
	is(0, "trailfs_verified");
	size = value("trailfs_entries");
	run(0, "trailctl verify --rebuild --record mnt");
	is(1, "trailfs_verified");
	is(size, "trailfs_verify_entries");
	ck_assert_double_ge(value("trailfs_verify_timestamp_seconds"),
	    value("trailfs_start_timestamp_seconds"));
	remount_vault();
	is(size, "trailfs_verify_entries");
	/* A mirror has the entry, too. */
	run(0, "trailctl mirror mnt copy && trailctl metrics copy >m");
	says(numbers("m"), "\ntrailfs_verified 1\n");
	says(numbers("m"), "\ntrailfs_mounted 0\n");
}
END_TEST

/* The ledger records success only, and a monitor must learn of the rest. */
START_TEST(the_result_of_a_verification_is_written_for_an_exporter)
{
	const char *const verify =
	    "trailctl verify --rebuild --textfile v.prom "
	    "mnt";
	const char *text;

	make_attestation();
	put_sealed(A "/f", "text");
	run(0, "umask 077; %s", verify);
	ck_assert_int_eq(0644, stat_of("v.prom").st_mode & 07777);
	says(content("v.prom", NULL), "trailfs_verify_run_status{origin=\"");
	text = numbers("v.prom");
	says(text, "\ntrailfs_verify_run_status 0\n");
	says(text, "\ntrailfs_verify_run_bytes 4\n");
	says(text, "\ntrailfs_verify_run_duration_seconds ");
	tamper("UPDATE object SET body = x'74657821' WHERE size = 4");
	expect_no_verify();
	run(4, "%s", verify);
	says(numbers("v.prom"), "\ntrailfs_verify_run_status 4\n");
	/* A finding is worse than a file that cannot be written. */
	run(4, "trailctl verify --rebuild --textfile /proc/none mnt");
	run(2, "trailctl verify --textfile x --against . store");
}
END_TEST

START_TEST(failures_are_counted)
{
	char *text = noise(2 << 20, 2);
	int fd;

	unmount_vault();
	mount_vault("settle=60,max_file=1M");
	make_attestation();
	fd = begin(A "/f");
	refused(EFBIG, pwrite(fd, text, 1, 2 << 20));
	refused(EFBIG, close(fd));
	ck_assert_double_ge(value("trailfs_close_failures_total"), 1);
	for (int i = 0; exists(A "/f") && i < 1500; i++)
		usleep(10000);
	sync_dir("mnt");
	ck_assert_uint_eq(1, entries("evidence.interrupted", NULL));
	is(1, "trailfs_interrupted_total");
	is(1, "trailfs_files{state=\"draft\"}");
}
END_TEST

START_TEST(a_seal_that_fails_is_counted)
{
	make_attestation();
	put_bytes(A "/f", noise(200000, 1), 200000);
	skip_unless(strcmp(run_any("chattr +i store/objects"), "0") == 0,
	    "no chattr here");
	run(3, "trailctl sync mnt");
	ck_assert_double_ge(value("trailfs_seal_failures_total"), 1);
	is(1, "trailfs_files{state=\"frozen\"}");
	run(0, "chattr -i store/objects");
	run(0, "trailctl sync mnt");
	is(0, "trailfs_files{state=\"frozen\"}");
}
END_TEST

START_TEST(recorded_reads_are_counted)
{
	unmount_vault();
	mount_vault("settle=60,reads=log");
	make_attestation();
	put_sealed(A "/f", "text");
	is(0, "trailfs_reads_recorded_total");
	holds(A "/f", "text");
	holds(A "/f", "text");
	run(0, "trailctl sync mnt");
	is(2, "trailfs_reads_recorded_total");
}
END_TEST

/* --- unmounted --------------------------------------------------------- */

START_TEST(a_store_without_a_mount_has_its_state_only)
{
	const char *text;

	make_attestation();
	put_sealed(A "/f", "text");
	unmount_vault();
	run(0, "trailctl metrics store >m");
	text = numbers("m");
	says(text, "\ntrailfs_mounted 0\n");
	says(text, "\ntrailfs_files{state=\"sealed\"} 1\n");
	says_not(text, "_total");
	says_not(text, "state=\"open\"");
	mount_vault("settle=60");
}
END_TEST

/* Another user reads the file, whatever the umask of root is. */
START_TEST(a_text_file_is_replaced_whole)
{
	run(0, "umask 077; trailctl metrics --textfile t.prom mnt");
	ck_assert_int_eq(0644, stat_of("t.prom").st_mode & 07777);
	says(numbers("t.prom"), "trailfs_mounted 1\n");
	run(0, "echo old >t.prom");
	crash_vault();
	says(run(3, "trailctl metrics --textfile t.prom mnt"), "trailctl: ");
	holds("t.prom", "old\n");
	run(0, "test \"$(ls -A | grep -c t.prom)\" = 1");
	run(0, "umount -l mnt");
	run(3, "trailctl metrics --textfile t.prom mnt");
	holds("t.prom", "old\n");
	mount_vault("settle=60");
}
END_TEST

/* --- damage ------------------------------------------------------------ */

#define LONG 200000 /* bytes: an object with a file of its own */

/* A sealed file of ALICE that is damaged, and one that is not. */
static void
damage_one(void)
{
	make_attestation();
	put_bytes(A "/f", noise(LONG, 1), LONG);
	put_sealed(A "/whole", "text");
	allowed(chmod(A, 0700));
	expect_no_verify();
	unmount_vault();
	run(0,
	    "o=$(find store/objects -type f) && cp -p $o kept && "
	    "chmod u+w $o && printf x | dd of=$o bs=1 seek=7 conv=notrunc");
	mount_vault("settle=60");
}

START_TEST(a_read_of_damaged_bytes_shows_everywhere)
{
	const char *text;

	damage_one();
	is(0, "trailfs_damaged_files");
	says_not(content(STATUS, NULL), "damaged");
	answers(EIO, try_open(A "/f", O_RDONLY));
	is(1, "trailfs_damaged_files");
	is(1, "trailfs_damaged_reads_total");
	answers(EIO, try_open(A "/f", O_RDONLY));
	is(2, "trailfs_damaged_reads_total");
	is(1, "trailfs_damaged_files");
	says(content(STATUS, NULL),
	    "\"damaged\":{\"files\":1,\"paths\":[\"t/w/a/f\"],\"reads\":2}");
	says(content("log", NULL), "t/w/a/f (node ");
	says(content(PAGE, NULL), "reads found 1 file whose bytes are not");
	text = run(4, "trailctl status mnt");
	says(text, "t/w/a/f: its bytes are not those of its entry");
	says(text, "files 1, ");
	run(4, "trailctl status --json mnt");
	run(4, "trailctl verify --rebuild mnt");
}
END_TEST

/* Packages are made of the same bytes. */
START_TEST(a_package_that_meets_damage_names_the_file)
{
	damage_one();
	answers(EIO, try_open("mnt/t/w/.trailfs/package.zip", O_RDONLY));
	is(1, "trailfs_damaged_files");
	says(content(STATUS, NULL), "\"paths\":[\"t/w/a/f\"]");
	says(content("log", NULL), "t/w/a/f (node ");
}
END_TEST

START_TEST(paths_of_damaged_files_are_not_for_everybody)
{
	const char *text;

	damage_one();
	answers(EIO, try_open(A "/f", O_RDONLY));
	allowed(chown("mnt", 0, ALICE));
	as(ALICE);
	text = content(STATUS, NULL);
	says(text, "\"damaged\":{\"files\":1,\"reads\":1}");
	says_not(text, "t/w/a/f");
}
END_TEST

START_TEST(a_file_that_is_whole_again_is_not_damaged)
{
	damage_one();
	answers(EIO, try_open(A "/f", O_RDONLY));
	is(1, "trailfs_damaged_files");
	run(0, "cp -p kept $(find store/objects -type f)");
	allowed(try_open(A "/f", O_RDONLY));
	is(0, "trailfs_damaged_files");
	is(1, "trailfs_damaged_reads_total");
	says_not(content(STATUS, NULL), "damaged");
	run(0, "trailctl status mnt");
}
END_TEST

Suite *suite_metrics(void);
Suite *
suite_metrics(void)
{
	Suite *s = suite_create("metrics");
	TCase *t = mounted_case(s, "numbers");

	tcase_add_test(t, the_text_is_well_formed);
	tcase_add_test(t, promtool_takes_the_text);
	tcase_add_test(t, only_those_of_the_root_read_them);
	tcase_add_test(t, closes_and_seals_are_counted);
	tcase_add_test(t, refusals_are_counted_by_rule);
	tcase_add_test(t, open_files_are_counted);
	tcase_add_test(t, entries_and_checkpoint_are_those_of_the_ledger);
	tcase_add_test(t, a_mirror_ends_never_anchored);
	tcase_add_test(t, a_verification_that_is_recorded_is_shown);
	tcase_add_test(t,
	    the_result_of_a_verification_is_written_for_an_exporter);
	tcase_add_test(t, failures_are_counted);
	tcase_add_test(t, a_seal_that_fails_is_counted);
	tcase_add_test(t, recorded_reads_are_counted);
	tcase_add_test(t, a_store_without_a_mount_has_its_state_only);
	tcase_add_test(t, a_text_file_is_replaced_whole);
	tcase_add_test(t, a_read_of_damaged_bytes_shows_everywhere);
	tcase_add_test(t, a_package_that_meets_damage_names_the_file);
	tcase_add_test(t, paths_of_damaged_files_are_not_for_everybody);
	tcase_add_test(t, a_file_that_is_whole_again_is_not_damaged);
	return s;
}
