/* Redaction: two people delete bytes of evidence, and nothing else. */
#include "harness.h"

#define ACTL A "/.trailfs/"
#define SECRET "a-word-that-should-not-be-here"

/* Write the whole text to the control file; returns what close(2) returns. */
static int
ask(const char *text)
{
	int fd = open(ACTL "redactions", O_WRONLY | O_TRUNC);

	if (fd < 0)
		return -1;
	add(fd, text);
	return close(fd);
}

static const char *
why(void)
{
	return run(0, "cat " ACTL "last-error");
}

/* Alice owns the trail; three files with the secret, one without. */
static void
make_secrets(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	put_sealed(A "/small", SECRET);
	run(0, "for i in $(seq 1500); do echo " SECRET " $i; done >" A "/mid");
	run(0, "for i in $(seq 9000); do echo " SECRET " $i; done >" A "/big");
	put_sealed(A "/other", "x");
	seal(A, 0555);
}

/* The seq of the newest proposal. */
static unsigned long
newest(void)
{
	return strtoul(run(0,
			   "grep -h '\"redaction.proposed\"' "
			   "mnt/.trailfs/events.jsonl | tail -n 1 | "
			   "sed 's/.*\"seq\":\\([0-9]*\\).*/\\1/'"),
	    NULL, 10);
}

static int
approve(unsigned long seq)
{
	char text[64];

	snprintf(text, sizeof(text), "{\"approve\":%lu}", seq);
	return ask(text);
}

static void
redact(const char *name)
{
	char text[200];
	unsigned long seq;

	snprintf(text, sizeof(text),
	    "{\"propose\":\"%s\",\"reason\":\"request 7\"}", name);
	allowed(ask(text));
	seq = newest();
	as(ALICE);
	allowed(approve(seq));
	as(0);
}

/* A file of the daemon may end while the store is searched. */
static void
store_lacks(const char *text)
{
	run(1, "grep -ras '%s' store | grep ''", text);
}

START_TEST(two_people_delete_bytes_and_nothing_else)
{
	int fd;
	char c;

	make_secrets();
	fd = open(A "/small", O_RDONLY);
	ck_assert_int_eq(1, pread(fd, &c, 1, 0));
	run(0, "trailctl package " W " -o before.zip");
	redact("small");
	redact("mid");
	redact("big");
	/* Whoever had it open reads no more. */
	refused(ENODATA, (int)pread(fd, &c, 1, 0));
	close(fd);
	refused(ENODATA, open(A "/small", O_RDONLY));
	refused(ENODATA, open(A "/mid", O_RDONLY));
	refused(ENODATA, open(A "/big", O_RDONLY));
	ck_assert_int_eq(30, stat_of(A "/small").st_size);
	says(run(0, "getfattr --only-values -n user.trailfs.state " A "/mid"),
	    "redacted");
	says(run(0, "cat " A "/other"), "x");
	says(run(0, "cat " ACTL "redactions"), "\"state\":\"redacted\"");
	says(run(0, "cat " ACTL "redactions"), "\"reason\":\"request 7\"");
	/* Everybody who may read it sees the stone on its grave. */
	says(run(0, "cat " ACTL "attestation.json"), "\"redactions\":[{");
	says(run(0, "cat " W "/.trailfs/status.json"), "\"redactions\":[{");
	says(run(0,
		 "grep -o '<strong>redacted[^<]*' " W "/.trailfs/index.html"),
	    ": request 7");
	says(run(0, "cat " ACTL "SHA256SUMS"), "big");
	/* Nowhere in the store, while it is mounted and after. */
	store_lacks(SECRET);
	run(0, "trailctl verify store | grep 'OK .*; 3 redacted'");
	run(0, "trailctl verify --json store | grep '\"redacted\":3'");
	run(0,
	    "trailctl verify before.zip --vkey mnt/.trailfs/log.vkey && "
	    "trailctl package " W " -o after.zip && "
	    "trailctl verify after.zip --vkey mnt/.trailfs/log.vkey | "
	    "grep 'OK .*; 3 redacted' && "
	    "mkdir x && unzip -q after.zip -d x && cd x/* && "
	    "sh verify.sh \"$(cat ../../mnt/.trailfs/log.vkey)\" | "
	    "grep 'redacted.*/big'");
	remount_vault();
	refused(ENODATA, open(A "/small", O_RDONLY));
	store_lacks(SECRET);
	/* The same may be recorded again, and is another file. */
	run(0, "mkdir mnt/t/w/b && echo again >mnt/t/w/b/f");
	run(0,
	    "for i in $(seq 9000); do echo " SECRET " $i; done >mnt/t/w/b/g");
	run(0, "trailctl sync mnt && trailctl verify store");
	refused(ENODATA, open(A "/big", O_RDONLY));
	run(0, "head -c 9 mnt/t/w/b/g");
}
END_TEST

START_TEST(one_person_deletes_nothing)
{
	unsigned long seq;

	make_secrets();
	refused(ENODATA, approve(3));
	refused(EINVAL, ask("{\"propose\":\"small\"}"));
	refused(EINVAL, ask("{\"approve\":1,\"reason\":\"r\"}"));
	refused(EINVAL,
	    ask("{\"propose\":\"small\",\"reason\":\"r\",\"x\":1}"));
	refused(ENOENT, ask("{\"propose\":\"none\",\"reason\":\"r\"}"));
	as(BOB); /* owns nothing here */
	refused(EPERM, ask("{\"propose\":\"small\",\"reason\":\"r\"}"));
	as(ALICE);
	allowed(ask("{\"propose\":\"small\",\"reason\":\"r\"}"));
	as(0);
	seq = newest();
	as(ALICE);
	refused(EPERM, approve(seq));
	says(why(), "who proposed a redaction cannot approve it");
	as(BOB);
	refused(EPERM, approve(seq));
	as(0);
	/* A proposal to dispose of what has no retention. */
	refused(EPERM,
	    ask("{\"propose\":\"small\",\"reason\":\"r\",\"what\":\"expired\"}"));
	/* A hold, placed after the proposal. */
	run(0, "trailctl hold place --reason r " W " case-1");
	refused(EPERM, approve(seq));
	says(why(), "the hold case-1 protects it");
	run(0, "trailctl hold release --reason r " W " case-1");
	run(0, "trailctl retain --for 7y mnt/t");
	refused(EPERM, approve(seq));
	says(why(), "it is kept until");
	ck_assert_uint_eq(0, entries("redaction.done", "t/w/a/small"));
	says(run(0, "cat " A "/small"), SECRET);
}
END_TEST

START_TEST(bytes_that_others_have_stay)
{
	make_attestation();
	allowed(chown("mnt/t", ALICE, ALICE));
	put_sealed(A "/f", "the same");
	put_sealed(A "/g", "the same");
	seal(A, 0555);
	redact("f");
	says(entry("redaction.done", "t/w/a/f"), "\"count\":1");
	refused(ENODATA, open(A "/f", O_RDONLY));
	says(run(0, "cat " A "/g"), "the same");
	run(0, "trailctl verify store | grep 'OK .*; 1 redacted'");
	redact("g");
	says(entry("redaction.done", "t/w/a/g"), "\"count\":0");
	store_lacks("the same");
	run(0, "trailctl verify store | grep 'OK .*; 2 redacted'");
}
END_TEST

Suite *
suite_redact(void)
{
	Suite *s = suite_create("redact");
	TCase *t = mounted_case(s, "redact");

	tcase_add_test(t, two_people_delete_bytes_and_nothing_else);
	tcase_add_test(t, one_person_deletes_nothing);
	tcase_add_test(t, bytes_that_others_have_stay);
	return s;
}
