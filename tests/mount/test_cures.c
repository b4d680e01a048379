/*
 * Cures of "What does not work" in trailfs-writing(7) that are a draft attestation, and
 * those of hard links; test_instead.c has the other lines.
 */
#include "harness.h"

#define DRAFT W "/.d"
#define DONE W "/d"

/* What the commands find in the working directory: "big" and "other" are texts,
 * "rnd" is large, "disk.raw" an image, "db" a database, "hl" holds hard links, "sl"
 * a symbolic one. */
static void
make_sources(void)
{
	run(0,
	    "seq 30000 >big && seq 2 30001 >other &&"
	    " head -c 9000000 /dev/urandom >rnd &&"
	    " head -c 300000 rnd >disk.raw && truncate -s 1M disk.raw &&"
	    " mkdir hl sl && cp big hl/1 && ln hl/1 hl/2 && cp other hl/3 &&"
	    " cp big sl/1 && ln -s 1 sl/2");
	if (have("sqlite3"))
		run(0,
		    "sqlite3 db 'CREATE TABLE t(x);"
		    " INSERT INTO t VALUES(1), (2)'");
}

/* --- programs that write a file more than once --------------------------- */

/* The command gets its directory as $D; afterwards, check succeeds with it. */
static const struct {
	const char *needs, *command, *check;
} writers[] = {
	{ "sh", "cat big >>$D/f; cat other >>$D/f",
	    "cat big other | cmp - $D/f" },
	{ "curl",
	    "head -c 1000 big >$D/f; curl -s -C - -o $D/f file://$PWD/big",
	    "cmp big $D/f" },
	{ "rsync", "head -c 1000 big >$D/big; rsync --append big $D/",
	    "cmp big $D/big" },
	/* -P keeps what came so far under the final name. */
	{ "rsync",
	    "rsync -P --bwlimit=200 rnd $D/ >/dev/null 2>&1 & p=$!;"
	    " until [ -n \"$(find $D -name '.rnd.*' -size +0)\" ];"
	    " do sleep 0.1; done; kill $p; wait $p;"
	    " while [ -n \"$(find $D -name '.rnd.*')\" ]; do sleep 0.1; done;"
	    " test -s $D/rnd &&"
	    " rsync -P --inplace rnd $D/",
	    "cmp rnd $D/rnd" },
	{ "restic",
	    "export RESTIC_PASSWORD=x && restic init -q -r repo.$$ &&"
	    " restic backup -q -r repo.$$ rnd &&"
	    " restic restore -q -r repo.$$ latest --target $D",
	    "cmp rnd \"$(find $D -name rnd)\"" },
	{ "qemu-img", "qemu-img convert -O qcow2 disk.raw $D/disk.qcow2",
	    "qemu-img compare -f raw -F qcow2 disk.raw $D/disk.qcow2" },
	{ "qemu-img", "qemu-img convert -O raw disk.raw $D/disk.raw",
	    "cmp disk.raw $D/disk.raw" },
	{ "ewfacquire", "ewfacquire -u -q -c none -t $D/img disk.raw",
	    "ewfverify -q $D/img.E01" },
	{ "sqlite3", "sqlite3 db \".backup $D/db\"",
	    "test \"$(sqlite3 -readonly $D/db 'SELECT sum(x) FROM t')\" = 3" },
	{ "sqlite3", "sqlite3 db \"VACUUM INTO '$D/db'\"",
	    "test \"$(sqlite3 -readonly $D/db 'SELECT sum(x) FROM t')\" = 3" },
	{ "git", "git init -q $D/r", "test -f $D/r/.git/config" },
	{ "git", "git init -q bare.$$ && git clone -q bare.$$ $D/r",
	    "test -f $D/r/.git/config" },
	{ "ar", "ar rc $D/x.a big other", "ar p $D/x.a other | cmp - other" },
	{ "rrdtool",
	    "rrdtool create $D/x.rrd DS:a:GAUGE:600:0:U"
	    " RRA:AVERAGE:0.5:1:10 && rrdtool update $D/x.rrd N:1",
	    "rrdtool info $D/x.rrd" },
	{ "gzip", "cp big $D/big && gzip $D/big",
	    "test ! -e $D/big && zcat $D/big.gz | cmp - big" },
	{ "sed", "cp big $D/big && sed -i 's/^1/x/' $D/big",
	    "sed 's/^1/x/' big | cmp - $D/big" },
	{ "zip", "zip -q $D/x.zip big && zip -q $D/x.zip other",
	    "unzip -p $D/x.zip other | cmp - other" },
	{ "tar", "tar cf $D/x.tar big && tar rf $D/x.tar other",
	    "tar xOf $D/x.tar other | cmp - other" },
	{ "truncate", "truncate -s 100 $D/f && dd if=big of=$D/f conv=notrunc",
	    "cmp big $D/f" },
};

START_TEST(programs_that_rewrite_files_work_in_a_draft_attestation)
{
	skip_unless(have(writers[_i].needs), writers[_i].command);
	make_sources();
	make_attestation();
	run(0, "cat >command <<'END'\n%s\nEND\n", writers[_i].command);
	run(0, "! D=$PWD/" A " sh ./command");
	allowed(mkdir(DRAFT, 0755));
	run(0, "D=$PWD/" DRAFT " sh ./command");
	allowed(rename(DRAFT, DONE));
	has_state(DONE, "sealed");
	run(0, "D=$PWD/" DONE "; %s", writers[_i].check);
}
END_TEST

/* --- what the manual names instead --------------------------------------- */

static const struct {
	const char *needs, *command, *check;
} instead[] = {
	{ "restic",
	    "export RESTIC_PASSWORD=x && restic init -q -r repo.$$ &&"
	    " restic backup -q -r repo.$$ rnd &&"
	    " restic dump -q -r repo.$$ -a tar latest / | tar x -C $D",
	    "cmp rnd \"$(find $D -name rnd)\"" },
	{ "sqlite3", "sqlite3 db .dump >$D/db.sql",
	    "sqlite3 new <$D/db.sql && test \"$(sqlite3 new"
	    " 'SELECT sum(x) FROM t')\" = 3" },
	/* Hard links. */
	{ "cp", "cp -r hl $D/", "diff -r hl $D/hl" },
	{ "cp", "cp -a --no-preserve=links hl $D/", "diff -r hl $D/hl" },
	{ "tar", "tar c --hard-dereference hl | tar x -C $D",
	    "diff -r hl $D/hl" },
	{ "rsync", "rsync -a hl $D/", "diff -r hl $D/hl" },
	/* Symbolic links. */
	{ "cp", "cp -rL sl $D/", "diff -r sl $D/sl" },
	{ "rsync", "rsync -aL sl $D/", "diff -r sl $D/sl" },
	{ "tar", "tar ch --hard-dereference sl | tar x -C $D",
	    "diff -r sl $D/sl" },
};

START_TEST(programs_that_the_manual_names_work_on_evidence)
{
	skip_unless(have(instead[_i].needs), instead[_i].command);
	make_sources();
	make_attestation();
	run(0, "D=$PWD/" A "; %s", instead[_i].command);
	run(0, "trailctl seal " A);
	run(0, "D=$PWD/" A "; %s", instead[_i].check);
}
END_TEST

/* --- links ---------------------------------------------------------------- */

/* These make links: each says so and leaves only the second name out. */
static const struct {
	const char *needs, *command, *there;
} links[] = {
	{ "cp", "cp -a hl $D/", "hl" },
	{ "cp", "cp -aL hl $D/", "hl" },
	{ "mv", "cp -a hl gone && mv gone $D/", "gone" },
	{ "tar", "tar c hl | tar x -C $D", "hl" },
	{ "bsdtar", "bsdtar cf - hl | bsdtar xf - -C $D", "hl" },
	{ "7z", "tar cf hl.$$ hl && 7z x -ttar -bd -y -o$D hl.$$", "hl" },
	{ "rsync", "rsync -aH hl $D/", "hl" },
	{ "rsync", "rsync -aHL hl $D/", "hl" },
	{ "cp", "cp -a sl $D/", "sl" },
	{ "cp", "cp -aL sl $D/", "sl" },
	{ "rsync", "rsync -a sl $D/", "sl" },
	{ "tar", "tar c sl | tar x -C $D", "sl" },
};

START_TEST(programs_that_make_links_report_the_refusal)
{
	bool draft = _i % 2 == 1;

	skip_unless(have(links[_i / 2].needs), links[_i / 2].command);
	make_sources();
	make_attestation();
	allowed(mkdir(DRAFT, 0755));
	run(0, "cat >command <<'END'\n%s\nEND\n", links[_i / 2].command);
	run(0, "! D=$PWD/%s sh ./command", draft ? DRAFT : A);
	run(0, "cd %s/%s && test -e 1 -o -e 2 && ! test -e 1 -a -e 2",
	    draft ? DRAFT : A, links[_i / 2].there);
}
END_TEST

Suite *
suite_cures(void)
{
	Suite *s = suite_create("cures");
	TCase *t = mounted_case(s, "written again");

	tcase_add_loop_test(t,
	    programs_that_rewrite_files_work_in_a_draft_attestation, 0,
	    LEN(writers));
	t = mounted_case(s, "instead");
	tcase_add_loop_test(t, programs_that_the_manual_names_work_on_evidence,
	    0, LEN(instead));
	t = mounted_case(s, "links");
	tcase_add_loop_test(t, programs_that_make_links_report_the_refusal, 0,
	    2 * LEN(links));
	return s;
}
