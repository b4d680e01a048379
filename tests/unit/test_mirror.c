/*
 * Both sides of a mirror, and between them somebody who changes one message.
 * The sums of the changed message are right, so this is a source, or a mirror,
 * that lies: the receiver must not sign what it has not checked, and the source
 * must not take a receipt that does not prove anything.
 */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/anchor/mirror_frames.h"
#include "../../core/mirror.h"
#include "../../core/verify.h"
#include "replicate.h"

#define GUARD_S 600 /* against a side that waits for ever */

enum change {
	NOTHING,
	FLIP_LIST,   /* a bit in the middle of entries, wants or bytes */
	FLIP_END,    /* a bit in the last byte of an entry but two */
	DROP_ENTRY,  /* the last entry */
	FLIP_NOTE,   /* a bit of the head */
	FLIP_HASH,   /* a bit of a root or digest */
	FLIP_PROOF,  /* a bit of a proof, or one hash where there is none */
	FLIP_KEY,    /* a bit of a key */
	FLIP_SIGN,   /* a bit of the signature */
	FLIP_STORE,  /* a bit of the store's id */
	ABSENT,	     /* the object is not there */
	MORE,	     /* the size is one more */
	LATER,	     /* the first entry or byte is one later */
	EARLY_END,   /* FINISH instead */
	SECOND_NOTE, /* the head of the offer instead */
	STRAY_STAMP, /* STAMPED instead, although no entry is a stamp */
	CHANGES
};

static const struct {
	enum tf_mirror_type type;
	unsigned nth; /* the first message of this type is 0 */
	enum change change;
	enum tf_code receiver; /* how it ends; TF_CODES: as it likes */
} cases[] = {
	{ TF_MIRROR_HELLO, 0, NOTHING, TF_OK },
	{ TF_MIRROR_HELLO, 0, FLIP_KEY, TF_CODES },
	{ TF_MIRROR_HELLO, 0, FLIP_STORE, TF_CODES },
	{ TF_MIRROR_HELLO, 0, FLIP_HASH, TF_CODES },
	{ TF_MIRROR_HEAD, 0, MORE, TF_CODES },
	{ TF_MIRROR_HEAD, 0, FLIP_HASH, TF_CODES },
	{ TF_MIRROR_HEAD, 0, FLIP_KEY, TF_CODES },
	{ TF_MIRROR_HEAD, 0, FLIP_SIGN, TF_CODES },
	{ TF_MIRROR_OFFER, 0, FLIP_NOTE, TF_TAMPER },
	{ TF_MIRROR_OFFER, 0, EARLY_END, TF_IO },
	{ TF_MIRROR_ENTRIES, 0, FLIP_LIST, TF_CODES },
	{ TF_MIRROR_ENTRIES, 0, FLIP_END, TF_TAMPER },
	{ TF_MIRROR_ENTRIES, 0, DROP_ENTRY, TF_IO },
	{ TF_MIRROR_ENTRIES, 0, LATER, TF_IO },
	{ TF_MIRROR_ENTRIES, 0, EARLY_END, TF_IO },
	{ TF_MIRROR_WANT, 0, FLIP_LIST, TF_CODES },
	{ TF_MIRROR_OBJECT, 0, FLIP_HASH, TF_IO },
	{ TF_MIRROR_OBJECT, 0, ABSENT, TF_CODES },
	{ TF_MIRROR_OBJECT, 0, MORE, TF_TAMPER },
	{ TF_MIRROR_OBJECT, 0, LATER, TF_IO },
	{ TF_MIRROR_OBJECT, 3, EARLY_END, TF_IO },
	{ TF_MIRROR_DATA, 0, FLIP_LIST, TF_TAMPER },
	{ TF_MIRROR_DATA, 2, FLIP_LIST, TF_TAMPER },
	{ TF_MIRROR_DATA, 4, FLIP_LIST, TF_TAMPER },
	{ TF_MIRROR_END, 0, FLIP_NOTE, TF_TAMPER },
	{ TF_MIRROR_END, 0, FLIP_PROOF, TF_TAMPER },
	{ TF_MIRROR_END, 0, EARLY_END, TF_CODES },
	{ TF_MIRROR_END, 0, STRAY_STAMP, TF_IO },
	{ TF_MIRROR_DONE, 0, MORE, TF_OK },
	{ TF_MIRROR_RECEIPT, 0, FLIP_NOTE, TF_OK },
	{ TF_MIRROR_RECEIPT, 0, FLIP_KEY, TF_OK },
	{ TF_MIRROR_RECEIPT, 0, SECOND_NOTE, TF_OK },
};
#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static char dir[256];
static struct tf_buf vkey;

static void
set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.200s/mirror.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	vkey = (struct tf_buf){ 0 };
	make_rich("store", &vkey);
	(void)signal(SIGPIPE, SIG_IGN);
	alarm(GUARD_S);
}

static void
tear_down(void)
{
	alarm(0);
	tf_buf_free(&vkey);
	ck_assert_int_eq(0, system("rm -rf ./*"));
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

/* --- the two sides ------------------------------------------------------------ */

struct side {
	pid_t pid;
	int in, out; /* from and to it; -1: closed */
};

static int
send_side(int in, int out)
{
	const struct tf_mirror_send o = { .store = "store",
		.in = in,
		.out = out };
	struct tf_mirrored m;
	enum tf_code rc = tf_mirror_send(&o, &m, NULL);

	tf_mirrored_free(&m);
	return rc;
}

static int
receive_side(int in, int out)
{
	const struct tf_mirror_receive o = { .dir = "copy",
		.in = in,
		.out = out };
	bool told;

	return tf_mirror_receive(&o, &told, NULL);
}

static struct side
start(int (*side)(int in, int out), const struct side *other)
{
	struct side s;
	int to[2], from[2];

	ck_assert_int_eq(0, pipe(to));
	ck_assert_int_eq(0, pipe(from));
	s.pid = fork();
	ck_assert_int_ge(s.pid, 0);
	if (s.pid == 0) {
		(void)close(to[1]);
		(void)close(from[0]);
		if (other != NULL) {
			(void)close(other->in);
			(void)close(other->out);
		}
		_exit(side(to[0], from[1]));
	}
	(void)close(to[0]);
	(void)close(from[1]);
	s.in = from[0];
	s.out = to[1];
	return s;
}

static enum tf_code
end(struct side *s)
{
	int status;

	if (s->in >= 0)
		(void)close(s->in);
	if (s->out >= 0)
		(void)close(s->out);
	ck_assert_int_eq(s->pid, waitpid(s->pid, &status, 0));
	ck_assert(WIFEXITED(status));
	return (enum tf_code)WEXITSTATUS(status);
}

/* --- between them ---------------------------------------------------------------- */

static unsigned seen[TF_MIRROR_TYPES];
static bool changed;
static struct tf_buf offered, text;

static struct tf_str
flipped(struct tf_str s, size_t at)
{
	text.n = 0;
	tf_buf_add(&text, s.p, s.n);
	ck_assert(!text.failed && at < s.n);
	text.p[at] ^= 1;
	return tf_buf_bytes(&text);
}

/* All entries of the list but the last. */
static struct tf_str
without_last(struct tf_str list)
{
	struct tf_str rest = list, e, before = { list.p, 0 };

	while (tf_mirror_next_entry(&rest, &e))
		if (rest.n > 0)
			before.n = (size_t)(rest.p - list.p);
	return before;
}

static void
change(struct tf_mirror_msg *m, enum change what)
{
	switch (what) {
	case FLIP_LIST:
		m->list = flipped(m->list, m->list.n / 2);
		break;
	case FLIP_END:
		m->list = flipped(m->list, m->list.n - 3);
		break;
	case DROP_ENTRY:
		m->list = without_last(m->list);
		break;
	case FLIP_NOTE:
		m->note = flipped(m->note, m->note.n / 2);
		break;
	case FLIP_HASH:
		m->hash.b[5] ^= 1;
		break;
	case FLIP_PROOF:
		m->proof.n = m->proof.n > 0 ? m->proof.n : 1;
		m->proof.h[0].b[5] ^= 1;
		break;
	case FLIP_KEY:
		m->key = flipped(m->key, m->key.n - 5);
		break;
	case FLIP_SIGN:
		m->signature[7] ^= 1;
		break;
	case FLIP_STORE:
		m->store = flipped(m->store, 5);
		break;
	case ABSENT:
		m->present = false;
		break;
	case MORE:
		m->size++;
		break;
	case LATER:
		m->first++;
		break;
	case EARLY_END:
		*m = (struct tf_mirror_msg){ .type = TF_MIRROR_FINISH };
		break;
	case SECOND_NOTE:
		m->note = tf_buf_bytes(&offered);
		break;
	case STRAY_STAMP:
		m->type = TF_MIRROR_STAMPED;
		break;
	case NOTHING:
	case CHANGES:
		break;
	}
}

/* Read n bytes, or fewer at the end. */
static size_t
take(int fd, char *p, size_t n)
{
	size_t got = 0;
	ssize_t did;

	while (got < n && (did = read(fd, p + got, n - got)) > 0)
		got += (size_t)did;
	return got;
}

/* Carry one message, changed if it is the one.  False at the end. */
static bool
carry(int from, int to, int i)
{
	static char
	    frame[TF_MIRROR_HEADER + TF_MIRROR_PAYLOAD_MAX + TF_MIRROR_SUM];
	struct tf_buf out = { 0 };
	struct tf_mirror_msg m;
	size_t length;

	if (take(from, frame, TF_MIRROR_HEADER) < TF_MIRROR_HEADER)
		return false;
	ck_assert_int_eq(TF_OK,
	    tf_mirror_length((const uint8_t *)frame, &length, NULL));
	length += TF_MIRROR_SUM;
	if (take(from, frame + TF_MIRROR_HEADER, length) < length)
		return false;
	ck_assert_int_eq(TF_OK,
	    tf_mirror_parse(frame, TF_MIRROR_HEADER + length, &m, NULL));
	if (m.type == TF_MIRROR_OFFER) {
		offered.n = 0;
		tf_buf_add(&offered, m.note.p, m.note.n);
	}
	if (seen[m.type]++ == cases[i].nth && m.type == cases[i].type) {
		change(&m, cases[i].change);
		changed = true;
	}
	tf_mirror_put(&out, &m);
	(void)!write(to, out.p, out.n); /* it may have ended */
	tf_buf_free(&out);
	return true;
}

static void
converse(struct side *s, struct side *r, int i)
{
	struct pollfd p[2];

	memset(seen, 0, sizeof(seen));
	changed = false;
	while (s->in >= 0 || r->in >= 0) {
		p[0] = (struct pollfd){ s->in, POLLIN, 0 };
		p[1] = (struct pollfd){ r->in, POLLIN, 0 };
		(void)poll(p, 2, -1);
		if (s->in >= 0 && p[0].revents != 0 &&
		    !carry(s->in, r->out, i)) {
			(void)close(s->in);
			(void)close(r->out);
			s->in = r->out = -1;
		}
		if (r->in >= 0 && p[1].revents != 0 &&
		    !carry(r->in, s->out, i)) {
			(void)close(r->in);
			(void)close(s->out);
			r->in = s->out = -1;
		}
	}
}

/* Whatever happened: nothing that is at the mirror is wrong.  Returns the number
 * of its entries. */
static uint64_t
entries_in_order(void)
{
	struct tf_verify v = { .vkey = vkey.p, .threads = 1 };
	struct tf_report r = { 0 };

	if (access("copy/ledger.db", F_OK) < 0)
		return 0;
	ck_assert_int_eq(TF_OK, tf_verify_store("copy", &v, &r, NULL));
	if (r.size > 0)
		ck_assert_uint_eq(0, r.findings);
	return r.size;
}

START_TEST(a_changed_message_gives_no_wrong_receipt)
{
	struct side s = start(send_side, NULL);
	struct side r = start(receive_side, &s);
	enum tf_code sender, receiver;
	uint64_t size;

	converse(&s, &r, _i);
	sender = end(&s);
	receiver = end(&r);
	size = entries_in_order();
	ck_assert(changed);
	if (cases[_i].receiver != TF_CODES)
		ck_assert_int_eq(cases[_i].receiver, receiver);
	/* A receipt reached the source: it is about what the mirror has. */
	if (sender == TF_OK) {
		ck_assert_int_eq(TF_OK, receiver);
		ck_assert_uint_gt(size, 0);
	}
	if (cases[_i].change != NOTHING && cases[_i].type != TF_MIRROR_WANT &&
	    cases[_i].type != TF_MIRROR_DONE && cases[_i].change != FLIP_STORE)
		ck_assert_int_ne(TF_OK, sender);
	/* M5: nothing was sent to who did not show the key. */
	if (cases[_i].type == TF_MIRROR_HEAD) {
		ck_assert_int_eq(TF_TAMPER, sender);
		ck_assert_uint_eq(0, seen[TF_MIRROR_OFFER]);
	}
	if (cases[_i].change == NOTHING)
		ck_assert_int_eq(TF_OK, sender);
	tf_buf_free(&offered);
	tf_buf_free(&text);
	/* And a run without lies succeeds, unless the mirror was made with
	 * another id of the store. */
	if (cases[_i].change == FLIP_STORE || cases[_i].change == FLIP_KEY)
		return;
	s = start(send_side, NULL);
	r = start(receive_side, &s);
	converse(&s, &r, 0);
	ck_assert_int_eq(TF_OK, end(&s));
	ck_assert_int_eq(TF_OK, end(&r));
	ck_assert_uint_gt(entries_in_order(), 0);
	tf_buf_free(&offered);
	tf_buf_free(&text);
}
END_TEST

Suite *suite_mirror(void);
Suite *
suite_mirror(void)
{
	Suite *s = suite_create("mirror");
	TCase *t = tcase_create("mirror");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, GUARD_S);
	tcase_add_loop_test(t, a_changed_message_gives_no_wrong_receipt, 0,
	    CASES);
	suite_add_tcase(s, t);
	return s;
}
