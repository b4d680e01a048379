/*
 * Programs that people use to write files.  Each program leaves the intended
 * file with one entry.  Run again, it gets an error or changes nothing.
 */
#include <time.h>

#include "harness.h"

#define F A "/f"
#define MTIME 1600000000 /* of src */

/* What has to come out the same. */
#define TIME 1
#define OWNER 2

#define PYTHON(code) "python3 -c '" code "'"

static const struct {
	const char *command; /* src into the attestation's f */
	mode_t mode;
	unsigned keeps;
	const char *needs; /* a program that may be missing */
	const char *settle;
} tools[] = {
	{ "cat src >" F, 0644, 0, NULL, "0" },
	{ "cat src >>" F, 0644, 0, NULL, "0" },
	{ "cat <src | cat >" F, 0644, 0, NULL, "0" },
	{ "(head -c 1000 src; tail -c +1001 src) >" F, 0644, 0, NULL, "0" },
	{ "exec 5>" F "; cat src >&5; exec 5>&-", 0644, 0, NULL, "0" },
	{ "exec >" F "; head -c 1000 src; (tail -c +1001 src)", 0644, 0, NULL,
	    "0" },
	{ "bash -c 'cat src >" F "'", 0644, 0, "bash", "0" },
	{ "touch " F "; cat src >" F, 0644, 0, NULL, "0" },
	{ "tee " F " <src >/dev/null", 0644, 0, NULL, "0" },
	{ "cp src " F, 0751, 0, NULL, "0" },
	{ "cp -f --reflink=auto --sparse=always src " F, 0751, 0, NULL, "0" },
	{ "cp -p src " F, 0751, TIME | OWNER, NULL, "0" },
	{ "cp -a src " F, 0751, TIME | OWNER, NULL, "0" },
	{ "cp -a src f && mv f " A "/", 0751, TIME | OWNER, NULL, "0" },
	{ "cp src " A "/f.tmp && mv " A "/f.tmp " F, 0751, 0, NULL, "0" },
	{ "install -m 640 src " F, 0640, 0, NULL, "60" },
	{ "install -p -m 604 src " F, 0604, TIME, NULL, "60" },
	{ "install -p -m 604 -o 1001 -g 1002 src " F, 0604, TIME | OWNER, NULL,
	    "60" },
	{ "dd if=src of=" F " bs=777 2>&1", 0644, 0, NULL, "0" },
	{ "dd if=src of=" F " bs=64k conv=fsync 2>&1", 0644, 0, NULL, "0" },
	{ "dd if=src of=" F " bs=4k conv=sparse 2>&1", 0644, 0, NULL, "0" },
	{ "dd if=src of=" F " bs=64k oflag=dsync 2>&1", 0644, 0, NULL, "0" },
	{ "cp -a src f; tar c f | tar x -C " A, 0751, TIME | OWNER, NULL, "0" },
	{ "cp -a src f; tar c f | tar xp -C " A, 0751, TIME | OWNER, NULL,
	    "0" },
	{ "gzip -9 <src | gzip -d >" F, 0644, 0, NULL, "0" },
	{ "split -n 1 -a 1 src " A "/ && mv " A "/a " F, 0644, 0, NULL, "60" },
	{ "perl -MFile::Copy -e 'copy(\"src\", \"" F "\") or die'", 0644, 0,
	    "perl", "0" },
	{ "rsync src " F, 0751, 0, "rsync", "60" },
	{ "rsync -a src " F, 0751, TIME | OWNER, "rsync", "60" },
	{ "rsync -aXA src " F, 0751, TIME | OWNER, "rsync", "60" },
	{ "rsync -a --inplace src " F, 0751, TIME | OWNER, "rsync", "60" },
	{ "cp -a src f; rsync -a --delay-updates f " A "/", 0751, TIME | OWNER,
	    "rsync", "60" },
	{ "mkdir " A "/tmp && rsync -a -T $PWD/" A "/tmp src " F " && rmdir " A
	  "/tmp",
	    0751, TIME | OWNER, "rsync", "60" },
	{ "rsync -a --preallocate src " F, 0751, TIME | OWNER, "rsync", "60" },
	{ "rsync -a --partial-dir=.rsync-partial src " F, 0751, TIME | OWNER,
	    "rsync", "60" },
	{ "rsync -a --fsync src " F, 0751, TIME | OWNER, "rsync", "60" },
	{ "curl -sS -o " F " file://$PWD/src", 0644, 0, "curl", "0" },
	{ "curl -sS -R -o " F " file://$PWD/src", 0644, TIME, "curl", "60" },
	{ PYTHON("open(\"" F "\", \"wb\").write("
		 "open(\"src\", \"rb\").read())"),
	    0644, 0, "python3", "0" },
	{ PYTHON("import shutil; shutil.copy2(\"src\", \"" F "\")"), 0751, TIME,
	    "python3", "60" },
	{ PYTHON("import os, tempfile as t\n"
		 "fd, p = t.mkstemp(dir=\"" A "\")\n"
		 "os.write(fd, open(\"src\", \"rb\").read())\n"
		 "os.fsync(fd); os.close(fd); os.replace(p, \"" F "\")"),
	    0600, 0, "python3", "60" },
	{ PYTHON("import subprocess as s\n"
		 "s.run([\"cat\", \"src\"], check=True,"
		 " stdout=open(\"" F "\", \"wb\"))"),
	    0644, 0, "python3", "0" },
};

/* What programs make of it, or without it: that is looked at by a command. */
static const struct {
	const char *command;
	const char *check;
	const char *needs;
} makers[] = {
	{ "gzip -c src >" F, "gzip -dc " F " | cmp - src", NULL },
	{ "tar cf " F " src", "tar xOf " F " | cmp - src", NULL },
	{ "tar czf " F " src", "tar xzOf " F " | cmp - src", NULL },
	{ "zip -q " A "/x.zip src && mv " A "/x.zip " F,
	    "unzip -p " F " | cmp - src", "zip" },
	{ PYTHON("import zipfile as z\n"
		 "with z.ZipFile(\"" F "\", \"w\") as f:"
		 " f.write(\"src\")"),
	    "unzip -p " F " | cmp - src", "python3" },
	{ "script -q -c 'echo a; echo b' " F " >/dev/null",
	    "grep -q ^a " F " && grep -q ^b " F, "script" },
	{ "vim -u NONE -es " F " -c 'normal ione' -c wq", "grep -qx one " F,
	    "vim" },
	{ "cd " A " && vim -u NONE -es -c 'normal ione' -c 'w f' -c q!",
	    "grep -qx one " F, "vim" },
	{ "printf 'a\none\n.\nw\nq\n' | ex -s " F, "grep -qx one " F, "ex" },
	{ "printf 'a\none\n.\nw\nq\n' | ed -s " F, "grep -qx one " F, "ed" },
	{ PYTHON("import tempfile as t\n" /* without O_TMPFILE */
		 "f = t.TemporaryFile(dir=\"" A "\")\n"
		 "f.write(b\"two\"); f.seek(0)\n"
		 "open(\"" F "\", \"wb\").write(f.read())"),
	    "grep -qx two " F, "python3" },
	{ "truncate -s 10M holes && cp --sparse=always holes " F,
	    "cmp holes " F, NULL },
	{ "truncate -s 10M holes && dd if=holes of=" F
	  " bs=1M conv=sparse 2>&1",
	    "cmp holes " F, NULL },
};

/* Larger than an inline object; three write requests. */
static void
make_src(size_t n)
{
	struct timespec t[2] = { { MTIME, 0 }, { MTIME, 123456789 } };

	put_bytes("src", noise(n, 42), n);
	allowed(chmod("src", 0751));
	allowed(chown("src", ALICE, BOB));
	allowed(utimensat(AT_FDCWD, "src", t, 0));
}

/*
 * One in 180 of rsync's temporary names has neither digit nor capital, and is
 * as little a draft as .env.sample.  Mostly that does not matter; to rename one
 * into a directory of drafts is refused.
 */
#define UNLUCKY ".~tmp~/"

/* Another store. */
static void
begin_anew(void)
{
	unmount_vault();
	verify(0);
	run(0,
	    "rm -rf store src f && "
	    "trailctl init --origin example.org/test store");
}

START_TEST(every_tool_leaves_one_entry_per_file)
{
	static const size_t sizes[] = { 5000, 300000 };
	char options[32];
	const char *said;
	struct stat st;

	skip_unless(tools[_i].needs == NULL || have(tools[_i].needs),
	    tools[_i].command);
	snprintf(options, sizeof options, "settle=%s", tools[_i].settle);
	for (size_t i = 0; i < LEN(sizes); i++) {
		make_src(sizes[i]);
		mount_vault(options);
		make_attestation();
		said = run(0, "(%s) 2>&1; echo \"status $?\"",
		    tools[_i].command);
		if (strstr(said, UNLUCKY) != NULL) {
			begin_anew();
			i--;
			continue;
		}
		says(said, "status 0\n");
		run(0, "cmp src " F);
		st = stat_of(F);
		ck_assert_int_eq((off_t)sizes[i], st.st_size);
		ck_assert_uint_eq(tools[_i].mode, st.st_mode & 07777);
		if ((tools[_i].keeps & TIME) != 0)
			ck_assert_int_eq(MTIME, st.st_mtim.tv_sec);
		if ((tools[_i].keeps & OWNER) != 0)
			ck_assert_uint_eq(ALICE, st.st_uid);
		sync_dir("mnt");
		has_state(F, "sealed");
		ck_assert_int_eq(st.st_mtim.tv_sec, stat_of(F).st_mtim.tv_sec);
		ck_assert_int_eq(st.st_ctim.tv_sec, stat_of(F).st_ctim.tv_sec);
		ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
		ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
		ck_assert_str_eq("f\n", run(0, "ls -A " A));
		run(0, "cmp src " F);
		run(0, "[ $(sha256sum <src | cut -c 1-64) = %s ]",
		    fact(F, "sha256"));
		begin_anew();
	}
}
END_TEST

START_TEST(a_file_that_a_program_makes_is_one_entry)
{
	skip_unless(makers[_i].needs == NULL || have(makers[_i].needs),
	    makers[_i].command);
	make_src(70000);
	make_attestation();
	run(0, "%s", makers[_i].command);
	run(0, "%s", makers[_i].check);
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	sync_dir("mnt");
	has_state(F, "sealed");
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	ck_assert_str_eq("f\n", run(0, "ls -A " A));
	run(0, "%s", makers[_i].check);
}
END_TEST

START_TEST(the_shell_writes_in_parts)
{
	make_attestation();
	run(0, "echo one >" A "/1");
	holds(A "/1", "one\n");
	run(0, "(echo a; echo b) >" A "/2");
	holds(A "/2", "a\nb\n");
	run(0, "{ echo a; /bin/echo b; (echo c); } >" A "/3");
	holds(A "/3", "a\nb\nc\n");
	run(0, "exec >" A "/4; /bin/echo a; echo b; /bin/echo c");
	holds(A "/4", "a\nb\nc\n");
	run(0, "echo a | (read x; echo $x; echo b) >" A "/5 2>&1");
	holds(A "/5", "a\nb\n");
	for (int i = 1; i <= 5; i++) {
		char path[32];

		snprintf(path, sizeof path, A "/%d", i);
		has_state(path, "frozen");
	}
	sync_dir("mnt");
	ck_assert_uint_eq(5, entries("evidence.sealed", NULL));
	run(2, "echo more >>" A "/1");
	run(2, "echo more >" A "/1");
	run(2, ": >" A "/1");
	holds(A "/1", "one\n");
}
END_TEST

/* An empty file has no last write to freeze it; its attestation seals it. */
START_TEST(an_empty_file_is_copied_like_any_other)
{
	make_attestation();
	put("empty", "");
	run(0, "cp empty " A "/1 && cp -a empty " A "/2 && : >" A "/3");
	run(0, "cp empty " A "/x.tmp && mv " A "/x.tmp " A "/4");
	if (have("rsync"))
		run(0, "rsync -a empty " A "/");
	put(A "/f", "text");
	run(0, "trailctl seal " A);
	ck_assert_uint_eq(have("rsync") ? 6 : 5,
	    entries("evidence.sealed", NULL));
	has_state(A "/1", "sealed");
	has_state(A "/4", "sealed");
}
END_TEST

START_TEST(a_second_copy_is_refused_and_changes_nothing)
{
	static const char *const commands[] = { "cp src " F, "cp -f src " F,
		"cp -a src " F, "cp --remove-destination src " F,
		"mv -f src " F, "install src " F, "dd if=src of=" F,
		"tee " F " <src", "sed -i s/./x/ " F, "truncate -s 0 " F,
		"truncate -s +1 " F, "rm -f " F, "rm -rf " A, "mv " F " gone",
		"ln " F " " A "/g", "ln -sf x " F, "shred " F,
		"touch -d 2001-01-01 " F, "chmod 700 " F, "chown 1001 " F,
		"setfattr -n user.x -v y " F, "gzip " F, "perl -i -pe 1 " F };
	const char *said;
	struct stat before;

	make_src(1000);
	make_attestation();
	run(0, "cp src " F);
	sync_dir("mnt");
	before = stat_of(F);
	run(0, "tail -c 500 src >x && cat x x >src");
	for (size_t i = 0; i < LEN(commands); i++) {
		said = run(0, "%s; echo \"status $?\"", commands[i]);
		ck_assert_msg(strstr(said, "status 0") == NULL,
		    "%s: was allowed", commands[i]);
		if (strstr(said, "not found") == NULL) /* the program */
			says(said, "Operation not permitted");
	}
	ck_assert_int_eq(before.st_mtim.tv_nsec, stat_of(F).st_mtim.tv_nsec);
	ck_assert_int_eq(before.st_ctim.tv_nsec, stat_of(F).st_ctim.tv_nsec);
	ck_assert_uint_eq(before.st_mode, stat_of(F).st_mode);
	run(0, "rm -f src; [ $(sha256sum <" F " | cut -c 1-64) = %s ]",
	    fact(F, "sha256"));
}
END_TEST

/* Backups and mirrors run again and again. */
START_TEST(existing_files_are_not_changed)
{
	static const char *const commands[] = { "cp -n tree/* " A "/ || :",
		"cp -u tree/* " A "/",
		"tar c -C tree . | tar x "
		"--skip-old-files -C " A,
		"touch -a " A "/1", "chmod 640 " A "/1",
		"rsync -a tree/ " A "/",
		"rsync -aX --ignore-existing tree/ " A "/" };
	const char *before;
	char *log;

	make_attestation();
	run(0,
	    "mkdir tree && seq 1000 >tree/1 && seq 30000 >tree/2 && "
	    "chmod 640 tree/1 && cp -a tree/* " A "/");
	sync_dir("mnt");
	before = run(0,
	    "find " A " -type f -printf '%%p %%i %%T@ %%C@ %%m\\n'");
	log = strcpy(malloc(strlen(before) + 1), before);
	for (size_t i = 0; i < LEN(commands); i++) {
		if (strncmp(commands[i], "rsync", 5) == 0 && !have("rsync"))
			continue;
		run(0, "%s", commands[i]);
	}
	if (tests_streams()) /* the kernel keeps the time of its chmod(2) */
		remount_vault();
	ck_assert_str_eq(log,
	    run(0, "find " A " -type f -printf '%%p %%i %%T@ %%C@ %%m\\n'"));
	free(log);
	says(run(2, "tar c -C tree . | tar x -C " A), "File exists");
	ck_assert_uint_eq(2, entries("evidence.sealed", NULL));
	ck_assert_str_eq("1\n2\n", run(0, "ls -A " A));
}
END_TEST

/* cp -a and tar set a directory's mode last: so they seal, if it says so.
 * Not root's tar, whose mkdir(2) gives no write bit that could be taken. */
START_TEST(a_tree_copied_with_read_only_modes_is_sealed)
{
	static const struct {
		uid_t who;
		const char *command;
	} copies[] = {
		{ 0, "cp -a one/tree/att " W "/att" },
		{ 0,
		    "cp -a one/tree/att one/tree/gone && "
		    "mv one/tree/gone " W "/att" },
		{ ALICE, "cp -a one/tree/att " W "/att" },
		{ ALICE, "tar c -C one/tree att | tar x -C " W },
		{ ALICE, "tar c -C one/tree att | tar xp -C " W },
	};

	run(0,
	    "mkdir -p one/tree/att/d && seq 10 >one/tree/att/1 && "
	    "seq 20000 >one/tree/att/d/2 && chmod 555 one/tree/att");
	make_attestation();
	allowed(chown("mnt/t", copies[_i].who, copies[_i].who));
	allowed(chown(W, copies[_i].who, copies[_i].who));
	as(copies[_i].who);
	run(0, "%s", copies[_i].command);
	sync_dir(W "/att");
	has_state(W "/att", "sealed");
	has_state(W "/att/1", "sealed");
	has_state(W "/att/d/2", "sealed");
	ck_assert_uint_eq(0555, stat_of(W "/att").st_mode & 07777);
	ck_assert_uint_eq(1, entries("attestation.sealed", "t/w/att"));
	says(entry("attestation.sealed", "t/w/att"), "\"count\":2,");
	run(0, "cmp one/tree/att/d/2 " W "/att/d/2");
	as(0); /* whom no mode keeps out */
	refused(EROFS, try_open(W "/att/3", O_WRONLY | O_CREAT));
}
END_TEST

/* A tree into an attestation, and the same again: nothing to do. */
#define MODES 4
static const struct {
	const char *command, *again; /* NULL: the same */
	unsigned keeps;
	const char *needs;
} trees[] = {
	{ "cp -r tree " A "/", "cp -rn tree " A "/", MODES, NULL },
	{ "cp -a tree " A "/", "cp -au tree " A "/", MODES | TIME, NULL },
	{ "cp -a tree " A "/", "cp -an tree " A "/", MODES | TIME, NULL },
	{ "cp -a tree gone && mv gone " A "/tree", "cp -ru tree " A "/",
	    MODES | TIME, NULL },
	{ "tar c tree | tar x -C " A,
	    "tar c tree | tar x --skip-old-files -C " A, MODES, NULL },
	{ "tar c tree | tar xp -C " A,
	    "tar c tree | tar xp --skip-old-files -C " A, MODES, NULL },
	{ "tar c --format=posix tree | tar xp -C " A,
	    "tar c tree | tar xp --keep-newer-files -C " A, MODES | TIME,
	    NULL },
	{ "zip -qr t.zip tree && unzip -q t.zip -d " A, "unzip -qn t.zip -d " A,
	    MODES, "zip" },
	{ PYTHON("import shutil; shutil.copytree(\"tree\", \"" A "/tree\")"),
	    "cp -ru tree " A "/", MODES | TIME, "python3" },
	{ "rsync -a tree " A "/", NULL, MODES | TIME, "rsync" },
	{ "rsync -aXA tree " A "/", NULL, MODES | TIME, "rsync" },
	{ "rsync -a --inplace tree " A "/", NULL, MODES | TIME, "rsync" },
	{ "rsync -a --delay-updates tree " A "/", NULL, MODES | TIME, "rsync" },
	{ "rsync -a tree " A "/", "rsync -aXc tree " A "/", MODES | TIME,
	    "rsync" },
	{ "rsync -a tree " A "/", "rsync -a --delete tree " A "/", MODES | TIME,
	    "rsync" },
	{ "rsync -a tree " A "/", "rsync -a --ignore-existing tree " A "/",
	    MODES | TIME, "rsync" },
	{ "mkdir " A "/tmp && rsync -a -T $PWD/" A "/tmp tree " A
	  "/ && rmdir " A "/tmp",
	    "rsync -a tree " A "/", MODES | TIME, "rsync" },
};

/* Times to the nanosecond, and an empty file. */
static void
make_tree(void)
{
	run(0,
	    "mkdir -p tree/d/e && seq 100 >tree/1 && seq 30000 >tree/d/2 && "
	    "seq 7 >tree/d/e/x.y && : >tree/empty && chmod 640 tree/1");
}

static void
same_tree(unsigned keeps)
{
	const char *fmt = (keeps & TIME) != 0 ? "%p %m %T@" : "%p %m";

	run(0, "diff -r tree " A "/tree");
	run(0, "find tree -type f -printf '%s\\n' | sort >want", fmt);
	run(0,
	    "(cd " A " && find tree -type f -printf '%s\\n') | sort | "
	    "diff want -",
	    fmt);
	ck_assert_str_eq("tree\n", run(0, "ls -A " A));
	ck_assert_str_eq("", run(0, "find " A " -name '.*'"));
}

START_TEST(a_tree_comes_whole_and_the_second_time_is_idle)
{
	const char *again = trees[_i].again, *said;

	skip_unless(trees[_i].needs == NULL || have(trees[_i].needs),
	    trees[_i].command);
	make_tree();
	do {
		mount_vault("settle=60");
		make_attestation();
		said = run(0, "(%s) 2>&1; echo \"status $?\"",
		    trees[_i].command);
		if (strstr(said, UNLUCKY) != NULL)
			begin_anew();
	} while (strstr(said, UNLUCKY) != NULL);
	says(said, "status 0\n");
	same_tree(trees[_i].keeps);
	sync_dir("mnt");
	ck_assert_uint_eq(4, entries("evidence.sealed", NULL));
	run(0, "%s", again != NULL ? again : trees[_i].command);
	same_tree(trees[_i].keeps);
	run(0, "trailctl seal " A);
	ck_assert_uint_eq(4, entries("evidence.sealed", NULL));
	says(entry("attestation.sealed", NULL), "\"count\":4,");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(the_tree_is_looked_at_with_the_usual_tools)
{
	const char *said;

	make_attestation();
	put(A "/one", "1\n");
	allowed(mkdir(A "/d", 0755));
	put_bytes(A "/d/big", noise(1000000, 5), 1000000);
	sync_dir("mnt");
	ck_assert_str_eq("mnt\nmnt/t\n" W "\n" A "\n" A "/d\n" A "/d/big\n" A
			 "/one\n",
	    run(0, "find mnt | sort"));
	ck_assert_str_eq("d\none\n", run(0, "ls -A " A));
	says(run(0, "ls -laR mnt"), "1000000");
	ck_assert_str_eq("977\n",
	    run(0, "du -k --apparent-size " A "/d/big | cut -f 1"));
	ck_assert_str_eq("977\n", run(0, "du -sk " A "/d | cut -f 1"));
	said = run(0, "df --output=fstype,target mnt");
	says(said, "fuse.trailfs");
	ck_assert_str_eq(run(0, "stat -f -c %%b store"),
	    run(0, "stat -f -c %%b mnt"));
	ck_assert_str_eq("255\n", run(0, "stat -f -c %%l mnt"));
	ck_assert_str_eq("1\n", run(0, "cat " A "/one"));
	ck_assert_str_eq(A "/one\n", run(0, "grep -rl '^1$' mnt"));
	run(0, "tar c mnt | tar t >/dev/null");
	run(0, "mkdir away && cp -a mnt/t away/ && diff -r mnt/t away/t");
	if (have("rsync"))
		run(0, "rsync -aX mnt/t/ away2 && diff -r mnt/t away2");
}
END_TEST

Suite *
suite_tools(void)
{
	Suite *s = suite_create("tools");
	TCase *t = stored_case(s, "each tool");

	tcase_add_loop_test(t, every_tool_leaves_one_entry_per_file, 0,
	    (int)LEN(tools));
	tcase_add_loop_test(t, a_tree_comes_whole_and_the_second_time_is_idle,
	    0, (int)LEN(trees));
	t = mounted_case(s, "tools");
	tcase_add_loop_test(t, a_file_that_a_program_makes_is_one_entry, 0,
	    (int)LEN(makers));
	tcase_add_test(t, the_shell_writes_in_parts);
	tcase_add_test(t, an_empty_file_is_copied_like_any_other);
	tcase_add_test(t, a_second_copy_is_refused_and_changes_nothing);
	tcase_add_test(t, existing_files_are_not_changed);
	tcase_add_loop_test(t, a_tree_copied_with_read_only_modes_is_sealed, 0,
	    5);
	tcase_add_test(t, the_tree_is_looked_at_with_the_usual_tools);
	return s;
}
