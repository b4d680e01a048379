/* Control files that people write: every way of writing them, refusals and
 * their reasons, two writers, other users. */
#include <check.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#define CTL "mnt/t/.trailfs/"
#define TEMPLATE CTL "template.yml"
#define LAST CTL "last-error"
#define TYPES CTL "types/"
#define ACTL A "/.trailfs/"
#define GOOD(name)             \
	"version: 1\n"         \
	"trail:\n"             \
	"  attestations:\n"    \
	"  - name: " name "\n" \
	"    type: generic\n"

static void
make_trail(void)
{
	allowed(mkdir("mnt/t", 0755));
	allowed(chmod("mnt/t", 0755));
	put("good.yml", GOOD("login"));
	put("other.yml", GOOD("logout"));
	put("bad.yml", "version: 1\ntrail: [\n");
}

/* Replace the text of a file. */
static void
set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	ck_assert_int_ge(fd, 0);
	add(fd, text);
	allowed(close(fd));
}

START_TEST(a_template_is_there_once_it_was_written)
{
	make_trail();
	ck_assert(!exists(TEMPLATE));
	says_not(run(0, "ls " CTL), "template.yml");
	run(0, "cp good.yml " TEMPLATE);
	holds(TEMPLATE, GOOD("login"));
	ck_assert_int_eq((long)strlen(GOOD("login")),
	    stat_of(TEMPLATE).st_size);
	ck_assert_uint_eq(S_IFREG | 0640, stat_of(TEMPLATE).st_mode);
	says(run(0, "ls " CTL), "template.yml");
	ck_assert_uint_eq(1, entries("template.set", "t"));
	holds(LAST, "");
	/* The same bytes are no new version. */
	run(0, "cp good.yml " TEMPLATE);
	ck_assert_uint_eq(1, entries("template.set", "t"));
}
END_TEST

/* The text of a type; different words give different texts. */
#define TYPE(word)                \
	"version: 1\n"            \
	"description: " word "\n" \
	"evidence: e.json\n"      \
	"schema: {type: object}\n"
#define OVERRIDE(word) "{\"compliant\":false,\"reason\":\"" word "\"}\n"

/* Every settable file, and two texts of it. */
static const struct {
	const char *path, *login, *logout;
	const char *entry; /* of which each new text makes one */
} files[] = {
	{ TEMPLATE, GOOD("login"), GOOD("logout"), "template.set" },
	{ TYPES "access.yml", TYPE("login"), TYPE("logout"), "type.set" },
	{ CTL "user-data", "login", "logout\n", "claims.set" },
	{ W "/.trailfs/user-data", "login\n", "logout\n", "claims.set" },
	{ ACTL "user-data", "login", "logout\n", NULL },
	{ A "@2/.trailfs/override", OVERRIDE("login"), OVERRIDE("logout"),
	    "attestation.overridden" },
};

START_TEST(programs_write_it_each_in_their_way)
{
	static const char *const ways[] = {
		"cp logout %s",
		"cp -p logout %s",
		"cat logout > %s",
		"tee %s < logout",
		"dd if=logout of=%s bs=7",
		"dd if=logout of=%s bs=7 conv=fsync",
		"rsync --inplace logout %s",
		"vim -u NONE -es -c '%%s/login/logout/' -c 'set noswapfile'"
		" -c wq %s",
		"printf ',s/login/logout/\\nw\\nq\\n' | ed -s %s",
		"python3 -c \"import shutil; shutil.copy2('logout', '%s')\"",
		"python3 -c \"open('%s', 'w').write(open('logout').read())\"",
		"truncate -s 0 logout.tmp; cat logout > %s",
	};
	const char *path = files[_i].path;
	char program[16];

	make_trail();
	allowed(mkdir(W, 0755));
	allowed(mkdir(A, 0755));
	put(A "/f", "x");
	if (strstr(path, "@2") != NULL) {
		run(0, "trailctl seal " A);
		allowed(mkdir(A "@2", 0755));
		put(A "@2/f", "x");
		run(0, "trailctl seal " A "@2");
	}
	put("login", files[_i].login);
	put("logout", files[_i].logout);
	for (size_t i = 0; i < LEN(ways); i++) {
		(void)sscanf(ways[i], "%15[a-z0-9]", program);
		if (!have(program))
			continue;
		run(0, "cp login %s", path);
		holds(path, files[_i].login);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		run(0, ways[i], path);
#pragma GCC diagnostic pop
		holds(path, files[_i].logout);
		ck_assert_int_eq((long)strlen(files[_i].logout),
		    stat_of(path).st_size);
	}
	/* What was closed is there after a crash. */
	crash_vault();
	mount_vault("");
	holds(path, files[_i].logout);
	if (files[_i].entry != NULL)
		ck_assert_uint_ge(entries(files[_i].entry, NULL), 2 * 5);
	unmount_vault();
	mount_vault("ro");
	holds(path, files[_i].logout);
	refused(EROFS, open(path, O_WRONLY));
	refused(EROFS, truncate(path, 1));
}
END_TEST

START_TEST(a_new_one_is_made_by_install_and_mv_too)
{
	make_trail();
	allowed(mkdir("mnt/u", 0755));
	run(0, "install -m 600 good.yml " TEMPLATE);
	holds(TEMPLATE, GOOD("login"));
	run(0, "cp good.yml x.yml && mv x.yml mnt/u/.trailfs/template.yml");
	holds("mnt/u/.trailfs/template.yml", GOOD("login"));
	/* A template is never removed, so they cannot replace one. */
	says(run(1, "install other.yml " TEMPLATE), "Operation not permitted");
	refused(EPERM, unlink(TEMPLATE));
	holds(TEMPLATE, GOOD("login"));
}
END_TEST

START_TEST(bytes_are_written_at_any_place)
{
	int fd;

	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	fd = open(TEMPLATE, O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(1, pwrite(fd, "2", 1, (off_t)strlen("version: ")));
	ck_assert_int_eq(1, pwrite(fd, "1", 1, (off_t)strlen("version: ")));
	ck_assert_int_eq((long)strlen(GOOD("login")), lseek(fd, 0, SEEK_END));
	add(fd, "# a comment\n");
	ck_assert_int_eq((long)strlen(GOOD("login") "# a comment\n"),
	    lseek(fd, 0, SEEK_END));
	allowed(close(fd));
	holds(TEMPLATE, GOOD("login") "# a comment\n");
	fd = open(TEMPLATE, O_WRONLY | O_APPEND);
	add(fd, "# more\n");
	allowed(close(fd));
	holds(TEMPLATE, GOOD("login") "# a comment\n# more\n");
	/* A change of size by path is recorded at once, or refused. */
	allowed(truncate(TEMPLATE, (off_t)strlen(GOOD("login"))));
	holds(TEMPLATE, GOOD("login"));
	refused(EINVAL, truncate(TEMPLATE, 12));
	holds(TEMPLATE, GOOD("login"));
	ck_assert_uint_eq(4, entries("template.set", "t"));
}
END_TEST

START_TEST(a_refusal_is_heard_at_close_and_at_fsync)
{
	int fd;

	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	says(run(1, "cp bad.yml " TEMPLATE), "Invalid argument");
	holds(TEMPLATE, GOOD("login"));
	ck_assert_msg(strncmp(content(LAST, NULL),
			  "template.yml: line 3, column ", 29) == 0,
	    "%s", content(LAST, NULL));
	fd = open(TEMPLATE, O_WRONLY | O_TRUNC);
	add(fd, "nonsense: true\n");
	refused(EINVAL, fsync(fd));
	refused(EINVAL, close(dup(fd))); /* nothing else was written */
	refused(EINVAL, close(fd));
	says(content(LAST, NULL), "line 1, column 1: ");
	says(run(0, "trailctl why " TEMPLATE),
	    "last error  template.yml: line 1, column 1: ");
	says(run(0, "trailctl why --json " TEMPLATE),
	    "\"last_error\":\"template.yml: line 1, column 1: ");
	ck_assert_uint_eq(1, entries("template.set", "t"));
	/* A success has no error. */
	run(0, "cp other.yml " TEMPLATE);
	holds(LAST, "");
}
END_TEST

/* A template that no workflow can satisfy is recorded, and last-error warns the
 * user. */
START_TEST(a_template_that_can_never_be_satisfied_warns)
{
	make_trail();
	put("never.yml",
	    GOOD("a") "    x-trailfs: {after: [b]}\n"
		      "  - name: b\n"
		      "    type: generic\n"
		      "    x-trailfs: {after: [a]}\n");
	run(0, "cp never.yml " TEMPLATE);
	ck_assert_uint_eq(1, entries("template.set", "t"));
	holds(LAST,
	    "warning: template.yml: line 4: a: its `after` leads back to it\n"
	    "warning: template.yml: line 7: b: its `after` leads back to it\n");
	/* The same bytes again: no version, but still a warning. */
	run(0, "cp never.yml " TEMPLATE);
	says(content(LAST, NULL), "warning: template.yml: line 4: ");
	says(run(0, "trailctl status mnt/t"),
	    "template: warning: line 4: a: its `after` leads back to it");
	says(run(0, "trailctl template show mnt/t"), "warning: line 4: a: ");
	says(run(0, "trailctl why " TEMPLATE),
	    "last error  warning: template.yml: line 4: ");
	says(content(CTL "index.html", NULL),
	    "<dt>Template</dt><dd>version 1</dd>");
	says(content(CTL "index.html", NULL),
	    "line 4: a: its `after` leads back to it");
	/* Its workflows say so too, also after a better version. */
	allowed(mkdir("mnt/t/w", 0755));
	run(0, "cp good.yml " TEMPLATE);
	holds(LAST, "");
	says_not(content(CTL "index.html", NULL), "leads back");
	says_not(run(0, "trailctl status mnt/t"), "leads back");
	says(content(CTL "status.json", NULL), "\"template_warnings\":2");
	says(content(W "/.trailfs/status.json", NULL),
	    "\"warnings\":[\"line 4: a: its `after` leads back to it\",");
	says(content(W "/.trailfs/status.md", NULL),
	    "- warning: line 4: a: its \\`after\\` leads back to it\n");
	says(content(W "/.trailfs/index.html", NULL),
	    "line 7: b: its `after` leads back to it");
}
END_TEST

/* last-error says how many warnings it leaves out. */
START_TEST(many_warnings_are_counted)
{
	char text[4096] = GOOD("z");

	make_trail();
	for (char c = 'a'; c <= 'y'; c++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "  - {name: %c, type: generic, x-trailfs: {users: []}}\n",
		    c);
	put("never.yml", text);
	run(0, "cp never.yml " TEMPLATE);
	says(content(LAST, NULL), "warning: template.yml: line 6: a: nobody ");
	says(content(LAST, NULL),
	    "more; trailctl template check prints all of them\n");
}
END_TEST

START_TEST(a_file_that_is_too_long_is_not_cut_off)
{
	char *p = malloc(70000);
	int fd;

	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	memset(p, '#', 70000);
	p[0] = '\n';
	fd = open(TEMPLATE, O_WRONLY | O_TRUNC);
	add(fd, GOOD("logout"));
	refused(EFBIG, write(fd, p, 70000));
	refused(EFBIG, close(fd));
	holds(TEMPLATE, GOOD("login"));
	says(content(LAST, NULL), "at most 65536 bytes");
	/* As many bytes as are allowed. */
	fd = open(TEMPLATE, O_WRONLY | O_TRUNC);
	add(fd, GOOD("logout"));
	ck_assert_int_eq(65536 - (long)strlen(GOOD("logout")),
	    write(fd, p, 65536 - strlen(GOOD("logout"))));
	allowed(close(fd));
	ck_assert_int_eq(65536, stat_of(TEMPLATE).st_size);
	free(p);
}
END_TEST

/* An empty file cannot be told from the begin of a shell's redirection. */
START_TEST(nothing_written_changes_nothing_and_says_so)
{
	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	run(0, "cp /dev/null " TEMPLATE);
	holds(TEMPLATE, GOOD("login"));
	ck_assert_str_eq("template.yml: nothing was written, so nothing was "
			 "changed\n",
	    content(LAST, NULL));
}
END_TEST

START_TEST(of_two_writers_the_last_to_close_decides)
{
	int one, two;

	make_trail();
	one = open(TEMPLATE, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	two = open(TEMPLATE, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	add(one, GOOD("first"));
	add(two, GOOD("second"));
	ck_assert(!exists(TEMPLATE));
	allowed(close(two));
	holds(TEMPLATE, GOOD("second"));
	allowed(close(one));
	holds(TEMPLATE, GOOD("first"));
	ck_assert_uint_eq(2, entries("template.set", "t"));
}
END_TEST

START_TEST(other_names_are_refused_with_a_reason)
{
	make_trail();
	refused(EPERM, open(CTL ".template.yml.swp", O_WRONLY | O_CREAT, 0600));
	refused(EPERM, open(CTL "status.json", O_WRONLY | O_TRUNC));
	refused(EPERM, open(LAST, O_WRONLY | O_TRUNC));
	refused(EPERM, mkdir(CTL "d", 0755));
	says(content("mnt/.trailfs/denied.jsonl", NULL),
	    "write the file itself, not another one to rename");
	says(run(0, "trailctl why " CTL), "write the file itself");
}
END_TEST

START_TEST(users_write_it_by_the_mode_of_the_trail)
{
	make_trail();
	run(0, "chown %d:%d mnt/t && chmod 755 good.yml .", ALICE, ALICE);
	as(BOB);
	refused(EACCES, open(TEMPLATE, O_WRONLY | O_CREAT, 0644));
	as(ALICE);
	put(TEMPLATE, GOOD("login"));
	says(run_any("cp bad.yml " TEMPLATE " 2>&1"), "1");
	says(content(LAST, NULL), "template.yml: line");
	as(BOB);
	refused(EACCES, open(TEMPLATE, O_RDONLY));
	refused(EACCES, open(TEMPLATE, O_WRONLY));
	refused(EACCES, truncate(TEMPLATE, 0));
	holds(LAST, ""); /* that of another user */
	as(0);
	says(content(LAST, NULL), "template.yml: line");
	says(entry("template.set", "t"), "\"uid\":1001");
	run(0, "chmod 775 mnt/t");
	ck_assert_uint_eq(S_IFREG | 0660, stat_of(TEMPLATE).st_mode);
}
END_TEST

START_TEST(a_sealed_or_closed_trail_takes_none)
{
	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	allowed(mkdir("mnt/u", 0755));
	run(0, "trailctl seal mnt/t && trailctl seal mnt/u");
	refused(EPERM, open(TEMPLATE, O_WRONLY));
	refused(EPERM,
	    open("mnt/u/.trailfs/template.yml", O_WRONLY | O_CREAT, 0644));
	holds(TEMPLATE, GOOD("login"));
	says(content(LAST, NULL), "it is sealed");
}
END_TEST

START_TEST(what_was_closed_survives_a_crash)
{
	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	crash_vault();
	mount_vault("");
	holds(TEMPLATE, GOOD("login"));
	holds(LAST, "");
}
END_TEST

START_TEST(a_mount_for_reading_shows_it)
{
	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	unmount_vault();
	mount_vault("ro");
	holds(TEMPLATE, GOOD("login"));
	refused(EROFS, open(TEMPLATE, O_WRONLY));
	refused(EROFS, truncate(TEMPLATE, 0));
}
END_TEST

START_TEST(a_user_can_hold_only_so_many_open)
{
	int fd[300], n = 0;

	make_trail();
	run(0, "cp good.yml " TEMPLATE);
	while (n < 300 && (fd[n] = open(TEMPLATE, O_WRONLY)) >= 0)
		n++;
	ck_assert_int_eq(EMFILE, errno);
	ck_assert_int_eq(256, n);
	holds(TEMPLATE, GOOD("login"));
	while (n > 0)
		allowed(close(fd[--n]));
	run(0, "cp other.yml " TEMPLATE);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory */
static long
daemon_pages(void)
{
	return atol(run(0, "cut -d' ' -f2 /proc/%d/statm", (int)vault_pid()));
}

START_TEST(bytes_that_were_cut_off_cost_no_memory)
{
	enum { HANDLES = 120, MIB = 1 << 20 };
	char *mib = calloc(1, MIB);
	int fd[HANDLES];
	long before;

	make_attestation();
	before = daemon_pages();
	for (int i = 0; i < HANDLES; i++) {
		fd[i] = open(A "/.trailfs/user-data", O_WRONLY | O_CREAT, 0600);
		ck_assert_int_ge(fd[i], 0);
		ck_assert_int_eq(MIB, pwrite(fd[i], mib, MIB, 0));
		allowed(ftruncate(fd[i], 1));
	}
	ck_assert_int_lt(daemon_pages() - before,
	    HANDLES / 2 * MIB / sysconf(_SC_PAGESIZE));
	for (int i = 0; i < HANDLES; i++)
		allowed(close(fd[i]));
	free(mib);
}
END_TEST
#endif

START_TEST(each_version_of_a_template_stays)
{
	make_trail();
	refused(ENOENT, open(CTL "template@1.yml", O_RDONLY));
	run(0, "cp good.yml " TEMPLATE);
	run(0, "cp other.yml " TEMPLATE);
	holds(CTL "template@1.yml", GOOD("login"));
	holds(CTL "template@2.yml", GOOD("logout"));
	refused(ENOENT, open(CTL "template@3.yml", O_RDONLY));
	refused(ENOENT, open(CTL "template@01.yml", O_RDONLY));
	refused(EPERM, open(CTL "template@1.yml", O_WRONLY));
	refused(EPERM, open(CTL "template@3.yml", O_WRONLY | O_CREAT, 0644));
	ck_assert_uint_eq(S_IFREG | 0440,
	    stat_of(CTL "template@1.yml").st_mode);
	ck_assert_str_eq("template.yml\ntemplate@1.yml\ntemplate@2.yml\n",
	    run(0, "ls " CTL " | grep template"));
	remount_vault();
	holds(CTL "template@1.yml", GOOD("login"));
}
END_TEST

START_TEST(a_type_is_a_file_in_types)
{
	int fd;

	make_trail();
	ck_assert_str_eq("", run(0, "ls " TYPES));
	refused(ENOENT, open(TYPES "access.yml", O_RDONLY));
	put("type.yml", TYPE("first"));
	put("type2.yml", TYPE("second"));
	run(0, "cp type.yml " TYPES "access.yml");
	run(0, "cp type2.yml " TYPES "access.yml");
	run(0, "cp type.yml " TYPES "review.yml");
	holds(TYPES "access.yml", TYPE("second"));
	holds(TYPES "access@1.yml", TYPE("first"));
	holds(TYPES "access@2.yml", TYPE("second"));
	ck_assert_str_eq("access.yml\naccess@1.yml\naccess@2.yml\n"
			 "review.yml\nreview@1.yml\n",
	    run(0, "ls " TYPES " | LC_ALL=C sort -V"));
	ck_assert_uint_eq(3, entries("type.set", "t"));
	/* Not created yet: stat(2) of the descriptor works. */
	fd = open(TYPES "new.yml", O_RDWR | O_CREAT | O_EXCL, 0644);
	ck_assert_int_ge(fd, 0);
	add(fd, "name");
	ck_assert_int_eq(4, lseek(fd, 0, SEEK_END));
	ck_assert(!exists(TYPES "new.yml"));
	allowed(ftruncate(fd, 0));
	ck_assert_int_eq((long)strlen(TYPE("x")),
	    pwrite(fd, TYPE("x"), strlen(TYPE("x")), 0));
	allowed(close(fd));
	holds(TYPES "new.yml", TYPE("x"));
}
END_TEST

START_TEST(a_directory_of_types_is_copied)
{
	make_trail();
	run(0, "mkdir d d2");
	put("d/access.yml", TYPE("one"));
	put("d/review.yml", TYPE("two"));
	run(0, "cp -a d/. " TYPES);
	run(0, "rsync -a --inplace d/ " TYPES);
	run(0, "cp " TYPES "*.yml d2 && cmp d/access.yml d2/access.yml");
	holds(TYPES "review.yml", TYPE("two"));
	ck_assert_uint_eq(2, entries("type.set", "t"));
}
END_TEST

START_TEST(the_bytes_that_a_user_writes_are_limited)
{
	const size_t n = 1048576;
	char *p = noise(n, 1);
	int fd[5];

	make_attestation();
	for (size_t i = 0; i < LEN(fd); i++) {
		fd[i] = open(ACTL "user-data", O_WRONLY | O_CREAT, 0644);
		ck_assert_int_ge(fd[i], 0);
		if (i < 4)
			ck_assert_int_eq((long)n, write(fd[i], p, n));
		else
			refused(EDQUOT, write(fd[i], p, n));
	}
	says(content(ACTL "last-error", NULL), "too large control files");
	for (size_t i = 0; i < LEN(fd); i++)
		answers(i < 4 ? 0 : EDQUOT, close(fd[i]));
	ck_assert_uint_eq(n, (size_t)stat_of(ACTL "user-data").st_size);
}
END_TEST

START_TEST(names_that_are_no_types_are_refused)
{
	static const char *const names[] = { "access", "access.yml.tmp",
		"access@1.yml", "access@3.yml", ".yml", "4913",
		".access.yml.swp" };
	char path[64];

	make_trail();
	for (size_t i = 0; i < LEN(names); i++) {
		(void)snprintf(path, sizeof(path), TYPES "%s", names[i]);
		refused(EPERM, open(path, O_WRONLY | O_CREAT, 0644));
	}
	says(run(1, "echo x | dd of=" TYPES "-x.yml"), "Invalid argument");
	says(content(LAST, NULL), "types/-x.yml: the name of a type");
	put("type.yml", TYPE("login"));
	says(run(1, "cp type.yml " TYPES "junit.yml"), "Invalid argument");
	says(content(LAST, NULL),
	    "types/junit.yml: the type junit is built in");
	ck_assert(!exists(TYPES "junit.yml"));
	refused(EPERM, mkdir(TYPES "d", 0755));
}
END_TEST

START_TEST(user_data_are_any_bytes_until_the_seal)
{
	const size_t n = 1048576;
	char *p = noise(n, 1);
	size_t got;

	make_attestation();
	refused(ENOENT, open(ACTL "user-data", O_RDONLY));
	put_bytes("data", p, n);
	run(0, "cp data " ACTL "user-data && cmp data " ACTL "user-data");
	set(ACTL "user-data", "small");
	holds(ACTL "user-data", "small");
	run(0, "cp data " ACTL "user-data");
	run(0, "echo >> data");
	says(run(1, "cp data " ACTL "user-data"), "File too large");
	ck_assert_int_eq(0, memcmp(content(ACTL "user-data", &got), p, n));
	ck_assert_uint_eq(n, got);
	put(A "/f", "x");
	run(0, "trailctl seal " A);
	refused(EPERM, open(ACTL "user-data", O_WRONLY));
	says(content(ACTL "last-error", NULL), "user-data: it is sealed");
	run(0, "head -c 1048576 data | cmp - " ACTL "user-data");
	/* Those of a trail and a workflow are entries at once. */
	put("mnt/t/.trailfs/user-data", "of the trail");
	put(W "/.trailfs/user-data", "of the workflow");
	holds("mnt/t/.trailfs/user-data", "of the trail");
	holds(W "/.trailfs/user-data", "of the workflow");
	ck_assert_uint_eq(1, entries("claims.set", "t/w"));
}
END_TEST

START_TEST(an_override_is_written_by_the_owner_of_the_workflow)
{
	make_attestation();
	put(A "/f", "x");
	refused(ENOENT, open(ACTL "override", O_RDONLY));
	run(0, "trailctl seal " A);
	run(0, "chown %d mnt/t/w && chmod 755 mnt/t mnt/t/w " A, ALICE);
	holds(ACTL "override", "");
	as(BOB);
	refused(EACCES, open(ACTL "override", O_WRONLY));
	refused(EACCES, open(ACTL "override", O_RDONLY));
	as(ALICE);
	set(ACTL "override",
	    "{ \"reason\": \"seen\",\n \"compliant\": false }\n");
	holds(ACTL "override", "{\"compliant\":false,\"reason\":\"seen\"}\n");
	run(1,
	    "echo '{\"compliant\":1,\"reason\":\"x\"}' | tee " ACTL "override");
	says(content(ACTL "last-error", NULL), "override: an override is ");
	run(1, "echo '{\"compliant\":true,' | tee " ACTL "override");
	says(content(ACTL "last-error", NULL), "override: line ");
	run(1,
	    "echo '{\"compliant\":true,\"reason\":\"\"}' | tee " ACTL
	    "override");
	as(0);
	says(run(1, "trailctl assert " W), "NON-COMPLIANT");
	ck_assert_uint_eq(1, entries("attestation.overridden", "t/w/a"));
	says(entry("attestation.overridden", "t/w/a"), "\"uid\":1001");
}
END_TEST

START_TEST(an_evaluation_is_there_once_there_is_a_report)
{
	make_attestation();
	run(0, "setfattr -n user.trailfs.type -v junit " A);
	put(A "/junit.xml",
	    "<testsuite><testcase name='a'/><testcase name='b'>"
	    "<failure/></testcase></testsuite>");
	refused(ENOENT, open(ACTL "evaluation.json", O_RDONLY));
	run(0, "trailctl seal " A);
	says(content(ACTL "evaluation.json", NULL), "\"compliant\":false");
	refused(EPERM, open(ACTL "evaluation.json", O_WRONLY));
	allowed(mkdir(W "/b", 0755));
	put(W "/b/f", "x");
	run(0, "trailctl seal " W "/b");
	ck_assert(!exists(W "/b/.trailfs/evaluation.json"));
}
END_TEST

#define MISSING W "/.trailfs/missing"

START_TEST(what_is_missing_is_an_empty_directory)
{
	make_attestation();
	ck_assert_str_eq("INCOMPLETE", fact(W, "status"));
	allowed(mkdir(W "/b", 0755));
	ck_assert_str_eq("a\nb\n", run(0, "ls " MISSING));
	ck_assert(S_ISDIR(stat_of(MISSING "/a").st_mode));
	ck_assert_str_eq("", run(0, "ls -A " MISSING "/a"));
	ck_assert(!exists(MISSING "/c"));
	ck_assert(!exists(MISSING "/a/a"));
	refused(EPERM, mkdir(MISSING "/c", 0755));
	refused(EPERM, rmdir(MISSING "/a"));
	put_sealed(A "/f", "x");
	ck_assert_str_eq("b\n", run(0, "ls " MISSING));
	ck_assert(!exists(MISSING "/a"));
	put_sealed(W "/b/f", "x");
	ck_assert_str_eq("", run(0, "ls " MISSING));
	ck_assert_str_eq("COMPLIANT", fact(W, "status"));
	ck_assert_str_eq("(ENODATA)", fact("mnt/t", "status"));
	ck_assert_str_eq("(ENODATA)", fact(A, "status"));
	says_not(run(0, "getfattr -m - " W), "status");
	run(1, "setfattr -n user.trailfs.status -v x " W);
}
END_TEST

#define BY_SHA256 "mnt/.trailfs/by-sha256/"
/* Of "x" and of "y". */
#define SHA256_X \
	"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define SHA256_Y \
	"a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa"

START_TEST(a_digest_leads_to_the_paths_that_the_asker_may_read)
{
	make_attestation();
	run(0, "chmod 755 mnt mnt/t " W " " A);
	ck_assert(!exists(BY_SHA256 SHA256_X));
	put_sealed(A "/f", "x");
	holds(BY_SHA256 SHA256_X, "t/w/a/f\n");
	allowed(mkdir(W "/private", 0700));
	put_sealed(W "/private/f", "x");
	put_sealed(W "/private/g", "y");
	run(0, "chmod 644 " A "/f");
	holds(BY_SHA256 SHA256_X, "t/w/private/f\nt/w/a/f\n");
	holds(BY_SHA256 SHA256_Y, "t/w/private/g\n");
	ck_assert_int_eq(8 + 14, stat_of(BY_SHA256 SHA256_X).st_size);
	/* What exists and what does not look the same. */
	as(BOB);
	holds(BY_SHA256 SHA256_X, "t/w/a/f\n");
	refused(ENOENT, open(BY_SHA256 SHA256_Y, O_RDONLY));
	as(0);
	ck_assert_str_eq("", run(0, "ls -A " BY_SHA256));
	ck_assert(!exists(BY_SHA256 "x"));
	refused(EPERM, open(BY_SHA256 SHA256_X, O_WRONLY));
	refused(EPERM, open(BY_SHA256 "x", O_WRONLY | O_CREAT, 0644));
	refused(EPERM, mkdir(BY_SHA256 "x", 0755));
}
END_TEST

START_TEST(what_a_template_asks_for_is_missing_until_it_counts)
{
	make_trail();
	put(TEMPLATE,
	    "version: 1\n"
	    "trail:\n"
	    "  attestations:\n"
	    "  - {name: login, type: generic}\n"
	    "  - {name: tests, type: junit}\n"
	    "  - {name: note, type: generic, x-trailfs: {optional: true}}\n"
	    "  artifacts:\n"
	    "  - name: app\n"
	    "    attestations:\n"
	    "    - {name: scan, type: generic}\n");
	allowed(mkdir(W, 0755));
	ck_assert_str_eq("app.scan\nlogin\ntests\n", run(0, "ls " MISSING));
	ck_assert_str_eq("3\n", run(0, "find " MISSING "/* | wc -l"));
	allowed(mkdir(W "/login", 0755));
	put_sealed(W "/login/f", "x");
	allowed(mkdir(W "/app.scan", 0755));
	put_sealed(W "/app.scan/f", "x");
	allowed(mkdir(W "/extra", 0755));
	ck_assert_str_eq("extra\ntests\n", run(0, "ls " MISSING));
	ck_assert(exists(MISSING "/tests"));
	ck_assert(!exists(MISSING "/note"));
	/* A later version does not change what a workflow needs. */
	run(0, "cp good.yml " TEMPLATE);
	ck_assert_str_eq("extra\ntests\n", run(0, "ls " MISSING));
	allowed(mkdir("mnt/t/w2", 0755));
	ck_assert_str_eq("login\n", run(0, "ls mnt/t/w2/.trailfs/missing"));
}
END_TEST

/* In a child: say what failed. */
static int
failed_at(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

/* One of the writers below: two handles at a time, one of them refused. */
static int
write_often(void)
{
	char text[200];

	for (int i = 0; i < 20; i++) {
		int good = open(TEMPLATE, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		int bad = open(TEMPLATE, O_WRONLY | O_TRUNC);

		(void)snprintf(text, sizeof(text), GOOD("w%d-%d"),
		    (int)getpid(), i);
		if (good < 0)
			return failed_at("open");
		if (write(good, text, strlen(text)) != (long)strlen(text))
			return failed_at("write");
		if (bad >= 0 && write(bad, "x", 1) != 1)
			return failed_at("write of bad text");
		if (bad >= 0 && (close(bad) == 0 || errno != EINVAL))
			return failed_at("close of bad text");
		if (close(good) != 0)
			return failed_at("close");
	}
	return 0;
}

/* A reader sees whole versions only. */
static int
read_often(void)
{
	char text[4096];
	ssize_t n;

	for (int i = 0; i < 100; i++) {
		int fd = open(TEMPLATE, O_RDONLY);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return failed_at("open for reading");
		if ((n = read(fd, text, sizeof(text) - 1)) <= 0)
			return failed_at("read");
		if (close(fd) != 0)
			return failed_at("close of a reader");
		text[n] = '\0';
		if (strncmp(text, "version: 1\n", 11) != 0 ||
		    strstr(text, "type: generic\n") == NULL)
			return failed_at(text);
	}
	return 0;
}

START_TEST(many_writers_and_readers_see_whole_versions)
{
	pid_t child[6];

	make_trail();
	for (size_t i = 0; i < LEN(child); i++)
		child[i] = in_child(i < 4 ? write_often : read_often);
	for (size_t i = 0; i < LEN(child); i++)
		ck_assert_int_eq(0, child_ended(child[i]));
	ck_assert_uint_eq(80, entries("template.set", "t"));
	ck_assert(exists(CTL "template@80.yml"));
	ck_assert(!exists(CTL "template@81.yml"));
	ck_assert_str_eq("80\n",
	    run(0, "ls " CTL " | grep -c 'template@[0-9]*.yml'"));
}
END_TEST

Suite *
suite_settable(void)
{
	Suite *s = suite_create("settable");
	TCase *t = mounted_case(s, "settable");

	tcase_add_test(t, a_template_is_there_once_it_was_written);
	tcase_add_loop_test(t, programs_write_it_each_in_their_way, 0,
	    LEN(files));
	tcase_add_test(t, a_new_one_is_made_by_install_and_mv_too);
	tcase_add_test(t, bytes_are_written_at_any_place);
	tcase_add_test(t, a_refusal_is_heard_at_close_and_at_fsync);
	tcase_add_test(t, a_template_that_can_never_be_satisfied_warns);
	tcase_add_test(t, many_warnings_are_counted);
	tcase_add_test(t, a_file_that_is_too_long_is_not_cut_off);
	tcase_add_test(t, nothing_written_changes_nothing_and_says_so);
	tcase_add_test(t, of_two_writers_the_last_to_close_decides);
	tcase_add_test(t, other_names_are_refused_with_a_reason);
	tcase_add_test(t, users_write_it_by_the_mode_of_the_trail);
	tcase_add_test(t, a_sealed_or_closed_trail_takes_none);
	tcase_add_test(t, what_was_closed_survives_a_crash);
	tcase_add_test(t, a_mount_for_reading_shows_it);
	tcase_add_test(t, each_version_of_a_template_stays);
	tcase_add_test(t, a_type_is_a_file_in_types);
	tcase_add_test(t, a_directory_of_types_is_copied);
	tcase_add_test(t, the_bytes_that_a_user_writes_are_limited);
	tcase_add_test(t, names_that_are_no_types_are_refused);
	tcase_add_test(t, user_data_are_any_bytes_until_the_seal);
	tcase_add_test(t, an_override_is_written_by_the_owner_of_the_workflow);
	tcase_add_test(t, an_evaluation_is_there_once_there_is_a_report);
	tcase_add_test(t, what_is_missing_is_an_empty_directory);
	tcase_add_test(t, a_digest_leads_to_the_paths_that_the_asker_may_read);
	tcase_add_test(t, what_a_template_asks_for_is_missing_until_it_counts);
	tcase_add_test(t, many_writers_and_readers_see_whole_versions);
	tcase_add_test(t, a_user_can_hold_only_so_many_open);
#ifndef __SANITIZE_ADDRESS__
	tcase_add_test(t, bytes_that_were_cut_off_cost_no_memory);
#endif
	return s;
}
