/* "What does not work" in trailfs-writing(7), row for row: it is refused, and what the
 * manual says to do instead does it. */
#include <sys/xattr.h>

#include "harness.h"

#define F A "/f"
#define DB "elsewhere.db"
#define MAKE_DB "sqlite3 " DB " 'create table t(a); insert into t values(1)'"
#define MAKE_GIT                                                   \
	"export HOME=$PWD; git init -q repo && echo a >repo/a && " \
	"git -C repo add a && git -C repo -c user.name=a "         \
	"-c user.email=a@example.org commit -qm a"
#define HALF "head -c 5000 src >"

static const struct {
	const char *before; /* must succeed, and what it made is sealed */
	const char *refused;
	const char *says; /* what is said then */
	const char *instead, *check;
	const char *needs;
} rows[] = {
	/* appending */
	{ "echo a >" F, "echo b >>" F, "Operation not permitted",
	    "{ echo a; echo b; } >" A "/g", "[ $(wc -l <" A "/g) = 2 ]", NULL },
	{ "echo a >" F, "echo b >>" F, "Operation not permitted",
	    "echo a >>" A "/g.part; echo b >>" A "/g.part; mv " A "/g.part " A
	    "/g",
	    "[ $(wc -l <" A "/g) = 2 ]", NULL },
	{ "truncate -s 1M " F, "dd if=src of=" F " conv=notrunc",
	    "Operation not permitted",
	    "truncate -s 10000 " A "/g.part && dd if=src of=" A
	    "/g.part conv=notrunc && mv " A "/g.part " A "/g",
	    "cmp src " A "/g", NULL },
	{ "fallocate -l 10000 " F, "dd if=src of=" F " conv=notrunc",
	    "Operation not permitted",
	    "fallocate -l 10000 " A "/g.part && dd if=src of=" A
	    "/g.part conv=notrunc && mv " A "/g.part " A "/g",
	    "cmp src " A "/g", NULL },
	/* going on with a transfer */
	{ HALF F, "curl -sS -C - -o " F " file://$PWD/src", "curl:",
	    HALF A "/g.part; curl -sS -C - -o " A "/g.part file://$PWD/src && "
		   "mv " A "/g.part " A "/g",
	    "cmp src " A "/g", "curl" },
	{ HALF F, "rsync --append src " F, "Operation not permitted",
	    "rsync -a --partial-dir=.rsync-partial src " A "/g",
	    "cmp src " A "/g", "rsync" },
	/* editing in place */
	{ "cp src " F, "sed -i s/a/b/ " F, "Operation not permitted",
	    "sed s/a/b/ " F " >" A "/g", "sed s/a/b/ src | cmp - " A "/g",
	    NULL },
	{ "echo a >" F, "vim -u NONE -es " F " -c 'normal ione' -c wq!", "",
	    "echo b >" A "/g", "grep -q b " A "/g", "vim" },
	{ "cp src " F, "gzip " F, "Operation not permitted",
	    "gzip -c " F " >" A "/g", "gzip -dc " A "/g | cmp - src", NULL },
	{ "cp src " F, "xz " F, "Operation not permitted",
	    "xz src && cp src.xz " A "/", "xz -dc " A "/src.xz | sha256sum",
	    "xz" },
	{ "cp src " F, "zip -q " F ".zip src; zip -q " F ".zip log",
	    "Operation not permitted", "zip -q " A "/g.zip src log",
	    "unzip -p " A "/g.zip src | cmp - src", "zip" },
	{ "cp src " F, "mv " F " " A "/f.1", "Operation not permitted",
	    "cp src " A "/f.2", "cmp src " A "/f.2", NULL },
	{ "cp src " F, "cp src " F, "Operation not permitted",
	    "cp -n src " F "; cp -u src " F, "cmp src " F, NULL },
	{ "tar c src | tar x -C " A, "tar c src | tar x -C " A, "File exists",
	    "tar c src | tar x --skip-old-files -C " A, "cmp src " A "/src",
	    NULL },
	/* databases and repositories */
	{ ":", "sqlite3 " A "/db 'create table t(a); insert into t values(1)'",
	    "disk I/O error", MAKE_DB " && cp " DB " " A "/g",
	    "[ $(sqlite3 'file:" A "/g?immutable=1' 'select a from t') = 1 ]",
	    "sqlite3" },
	{ ":", "HOME=$PWD git init " A "/repo", "could not",
	    MAKE_GIT " && git -C repo bundle create - --all >" A "/g",
	    "git -C repo bundle verify $PWD/" A "/g", "git" },
	{ ":", "HOME=$PWD git init " A "/repo", "could not",
	    MAKE_GIT " && git -C repo archive HEAD >" A "/g", "tar tf " A "/g",
	    "git" },
	{ ":", MAKE_GIT " && git clone repo " A "/repo", "not permitted",
	    "mkdir " A "/d && tar c repo | tar x -C " A "/d",
	    "git -c safe.directory='*' -C " A "/d/repo fsck", "git" },
	/* names */
	{ "cp src " F, "ln " F " " A "/g", "Operation not permitted",
	    "cp " F " " A "/g", "cmp src " A "/g", NULL },
	{ ":", "ln -s src " A "/g", "Operation not permitted", "cp src " A "/g",
	    "cmp src " A "/g", NULL },
	{ "mkdir tree && ln -s ../src tree/g", "cp -a tree/g " A "/",
	    "Operation not permitted", "cp -rL tree/g " A "/",
	    "cmp src " A "/g", NULL },
	{ "mkdir tree && ln -s ../src tree/g", "rsync -a tree/ " A "/",
	    "Operation not permitted", "rsync -aL tree/ " A "/",
	    "cmp src " A "/g", "rsync" },
	/* what rsync --delay-updates does, with one name in 180 */
	{ "mkdir " A "/.~tmp~",
	    "echo a >" A "/.f.abcdef && mv " A "/.f.abcdef " A "/.~tmp~/f",
	    "Operation not permitted", "rsync -a src " A "/g",
	    "cmp src " A "/g", "rsync" },
	/* temporary files */
	{ ":",
	    "python3 -c 'import tempfile as t\n"
	    "f = t.NamedTemporaryFile(dir=\"" A "\")\n"
	    "f.write(b\"x\"); f.close()'",
	    "Operation not permitted",
	    "python3 -c 'import tempfile as t\n"
	    "with t.NamedTemporaryFile(dir=\"" A "\", suffix=\".tmp\") as f:\n"
	    " f.write(b\"x\"); f.flush()'",
	    "[ -z \"$(ls " A "/*.tmp)\" ]", "python3" },
};

START_TEST(refused_programs_have_a_working_alternative)
{
	const char *said;

	skip_unless(rows[_i].needs == NULL || have(rows[_i].needs),
	    rows[_i].needs);
	put_bytes("src", noise(10000, 8), 10000);
	make_attestation();
	run(0, "%s", rows[_i].before);
	sync_dir("mnt");
	said = run(0, "%s\n echo \"status $?\"", rows[_i].refused);
	says(said, rows[_i].says);
	ck_assert_ptr_null(strstr(said, "status 0\n"));
	run(0, "%s", rows[_i].instead);
	run(0, "%s", rows[_i].check);
	sync_dir("mnt");
	run(0, "%s", rows[_i].check);
}
END_TEST

/* Without time to settle, what is set after closing comes too late, or just in
 * time: once in so many is enough to advise against it. */
START_TEST(programs_that_change_a_closed_file_need_the_settle_time)
{
	static const struct {
		const char *command; /* fails sooner or later */
		const char *needs;
	} late[] = {
		{ "install -m 750 src " A "/1-$i 2>said", NULL },
		{ "rsync -a --inplace src " A "/2-$i 2>said", "rsync" },
		{ "python3 -c 'import shutil\n"
		  "shutil.copy2(\"src\", \"" A "/3-'$i'\")' 2>said",
		    "python3" },
		/* This one does not even say so. */
		{ "curl -sS -R -o " A "/4-$i file://$PWD/src && "
		  "! [ " A "/4-$i -nt src ]; s=$?; "
		  "echo Operation not permitted >said; [ $s = 0 ]",
		    "curl" },
	};

	put_bytes("src", noise(10000, 8), 10000);
	run(0, "chmod 751 src && touch -d 2001-01-01 src");
	mount_vault("settle=0");
	make_attestation();
	for (size_t i = 0; i < LEN(late); i++) {
		if (late[i].needs != NULL && !have(late[i].needs))
			continue;
		run(0,
		    "set -e; i=0; while %s; do i=$((i+1)); [ $i -lt 500 ]; done; "
		    "grep -q 'Operation not permitted' said",
		    late[i].command);
	}
	run(0, "for f in " A "/*; do cmp src $f || exit 1; done");
}
END_TEST

Suite *
suite_instead(void)
{
	Suite *s = suite_create("instead");
	TCase *t = mounted_case(s, "instead");

	tcase_add_loop_test(t, refused_programs_have_a_working_alternative, 0,
	    (int)LEN(rows));
	t = stored_case(s, "at once");
	tcase_add_test(t,
	    programs_that_change_a_closed_file_need_the_settle_time);
	return s;
}
