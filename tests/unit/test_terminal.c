/* Recordings of terminal sessions: what is one, what it holds, and its page. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/terminal/plain.h"
#include "../../core/terminal/player.h"
#include "../../core/terminal/reading.h"
#include "../../core/terminal/recording.h"

#define SAMPLES TF_VECTORS "/recordings/"

/* --- files in memory -------------------------------------------------------- */

static enum tf_code
read_text(void *arg, uint64_t off, void *p, size_t n, size_t *got,
    struct tf_error *err)
{
	const struct tf_str *s = arg;

	(void)err;
	*got = off >= s->n	   ? 0 :
	    s->n - (size_t)off < n ? s->n - (size_t)off :
				     n;
	if (*got > 0)
		memcpy(p, s->p + off, *got);
	return TF_OK;
}

static struct tf_recording_file
file_of(struct tf_str *s)
{
	return (struct tf_recording_file){ read_text, s };
}

/* The bytes of a sample, and a zero after them; the test ends before the memory
 * matters. */
static struct tf_str
sample(const char *name)
{
	char path[4096];
	struct tf_str s;
	FILE *f;
	char *p;

	(void)snprintf(path, sizeof(path), SAMPLES "%s", name);
	f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	p = calloc(1, 1 << 20);
	ck_assert_ptr_nonnull(p);
	s = (struct tf_str){ p, fread(p, 1, (1 << 20) - 1, f) };
	ck_assert_int_eq(0, fclose(f));
	return s;
}

/* --- reading ----------------------------------------------------------------- */

/* What a recording gave, as a line per event. */
static enum tf_code
note(void *arg, const struct tf_recorded *e, struct tf_error *err)
{
	struct tf_buf *out = arg;

	tf_buf_printf(out, "%llu ", (unsigned long long)e->at);
	if (e->kind == TF_RECORDED_SIZE)
		tf_buf_printf(out, "%ux%u", e->cols, e->rows);
	else
		tf_buf_printf(out, "%c %.*s", "oim"[e->kind], (int)e -> bytes.n,
		    e->bytes.p);
	tf_buf_str(out, "\n");
	return tf_buf_end(out, err);
}

static char *
events_of(struct tf_recording *r, struct tf_recording_facts *f)
{
	static struct tf_buf out;

	tf_buf_free(&out);
	tf_recording_facts_free(f);
	*f = (struct tf_recording_facts){ 0 };
	ck_assert_int_eq(TF_OK, tf_recording_read(r, f, note, &out, NULL));
	tf_buf_add(&out, "", 1);
	return out.p;
}

static char *
events_of_text(enum tf_recording_kind kind, const char *text,
    struct tf_recording_facts *f)
{
	static struct tf_str s;
	struct tf_recording r = { .kind = kind, .output = file_of(&s) };

	s = tf_str_of(text);
	return events_of(&r, f);
}

START_TEST(asciicasts_of_each_version_are_read)
{
	struct tf_recording_facts f = { 0 };

	ck_assert_str_eq("248000 o $ \n1249000 o ls\n1749000 m chapter one\n"
			 "1892000 o \r\nfile\r\n\n3942000 100x30\n",
	    events_of_text(TF_RECORDING_ASCIICAST, sample("three.cast").p, &f));
	ck_assert_str_eq("asciicast 3", f.format);
	ck_assert_uint_eq(90, f.cols);
	ck_assert_uint_eq(25, f.rows);
	ck_assert_uint_eq(TF_RECORDING_WHOLE, f.end);
	ck_assert(f.has_markers && !f.has_input);
	ck_assert_uint_eq(5, f.title.n);
	ck_assert_uint_eq(0, strncmp(f.begun.p, "2017-09-03 19:35:15 UTC", 23));
	ck_assert_str_eq("248848 o \x1b[1;31mHello\x1b[0m\r\n\n"
			 "1250224 o again\r\n\n",
	    events_of_text(TF_RECORDING_ASCIICAST, sample("one.cast").p, &f));
	ck_assert_str_eq("asciicast 1", f.format);
	ck_assert_ptr_nonnull(strstr(events_of_text(TF_RECORDING_ASCIICAST,
					 sample("keys.cast").p, &f),
	    "226816 i id -u\r\n"));
	ck_assert_str_eq("asciicast 2", f.format);
	ck_assert(f.has_input);
	tf_recording_facts_free(&f);
}
END_TEST

/* Real files of script(1) of util-linux 2.38 and of ttyrec 1.0.8. */
START_TEST(typescripts_and_ttyrecs_are_read)
{
	struct tf_str log = sample("typescript"), in;
	struct tf_str timing = sample("typescript.timing");
	struct tf_recording r = { .kind = TF_RECORDING_SCRIPT,
		.output = file_of(&log),
		.timing = file_of(&timing) };
	struct tf_recording_facts f = { 0 };
	struct tf_buf name = { 0 };
	char *got = events_of(&r, &f);

	ck_assert_ptr_null(strstr(got, "Script started"));
	ck_assert_ptr_nonnull(strstr(got, "op@host:~$ "));
	ck_assert_ptr_nonnull(strstr(got, "workers = 8"));
	ck_assert_ptr_null(strstr(got, "Script done"));
	ck_assert_uint_eq(80, f.cols);
	ck_assert_uint_eq(TF_RECORDING_WHOLE, f.end);
	ck_assert_uint_eq(0, strncmp(f.begun.p, "2026-11-30 01:20:40", 19));

	/* Output and input in one log, in the order in which they came. */
	log = sample("both.log");
	timing = sample("both.timing");
	got = events_of(&r, &f);
	ck_assert_ptr_nonnull(strstr(got, " i whoami\r\n"));
	ck_assert_ptr_nonnull(strstr(got, " i secret\r\n"));
	ck_assert_ptr_null(strstr(got, " o secret"));
	ck_assert(f.has_input);
	ck_assert_uint_eq(TF_RECORDING_WHOLE, f.end);
	ck_assert(!tf_recording_input_name(timing.p, timing.n, &name));

	/* Each in its own. */
	log = sample("apart.log");
	timing = sample("apart.tm");
	in = sample("in.log");
	/* Without that of the input, only the output is read. */
	ck_assert_ptr_nonnull(strstr(events_of(&r, &f), "app.conf"));
	ck_assert(!f.has_input);
	ck_assert_uint_eq(TF_RECORDING_WHOLE, f.end);
	ck_assert(tf_recording_input_name(timing.p, timing.n, &name));
	ck_assert(tf_str_same(tf_buf_bytes(&name), tf_str_of("in.log")));
	r.input = file_of(&in);
	got = events_of(&r, &f);
	ck_assert_ptr_nonnull(strstr(got, " i seq 3\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "app.conf"));
	ck_assert_uint_eq(100, f.cols);
	ck_assert_uint_eq(30, f.rows);
	ck_assert_uint_eq(TF_RECORDING_WHOLE, f.end);

	log = sample("login.ttyrec");
	r.kind = TF_RECORDING_TTYREC;
	got = events_of(&r, &f);
	ck_assert_int_eq(0, strncmp(got, "0 o ", 4));
	ck_assert_ptr_nonnull(strstr(got, "echo ok"));
	ck_assert_uint_eq(TF_RECORDING_WHOLE, f.end);
	ck_assert_uint_eq(0, f.cols);
	tf_recording_facts_free(&f);
	tf_buf_free(&name);
}
END_TEST

/* A malformed recording is read up to there. */
START_TEST(what_is_malformed_ends_a_recording)
{
	static const struct {
		enum tf_recording_kind kind;
		const char *text, *events;
	} row[] = {
		{ TF_RECORDING_ASCIICAST,
		    "{\"version\":2}\n[1,\"o\",\"a\"]\nx\n", "1000000 o a\n" },
		{ TF_RECORDING_ASCIICAST,
		    "{\"version\":2}\n[1,\"o\",\"a\"]\n[2]\n",
		    "1000000 o a\n" },
		{ TF_RECORDING_ASCIICAST, "{\"version\":2}\n[1,\"o\"", "" },
		{ TF_RECORDING_ASCIICAST,
		    "{\"version\":2}\n[1,\"o\",\"\xff\"]\n", "" },
		{ TF_RECORDING_ASCIICAST,
		    "{\"version\":1,\"stdout\":[[1,\"a\"],[2]]}",
		    "1000000 o a\n" },
		{ TF_RECORDING_ASCIICAST, "{\"version\":1}", "" },
		{ TF_RECORDING_TTYREC, "\x01\x02", "" },
	};
	struct tf_recording_facts f = { 0 };

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		ck_assert_str_eq(row[i].events,
		    events_of_text(row[i].kind, row[i].text, &f));
		ck_assert_uint_eq(TF_RECORDING_BROKEN, f.end);
	}
	/* A log that is shorter than its timing. */
	struct tf_str log = tf_str_of("Script started on x\nabc");
	struct tf_str timing = tf_str_of("0.5 2\n0.5 2\n0.5 2\n");
	struct tf_recording r = { .kind = TF_RECORDING_SCRIPT,
		.output = file_of(&log),
		.timing = file_of(&timing) };

	ck_assert_str_eq("500000 o ab\n1000000 o c\n", events_of(&r, &f));
	ck_assert_uint_eq(TF_RECORDING_BROKEN, f.end);
	tf_recording_facts_free(&f);
}
END_TEST

START_TEST(times_never_go_back_and_have_an_end)
{
	static const struct {
		const char *text;
		uint64_t us;
	} good[] = { { "0", 0 }, { "1", 1000000 }, { "1.5", 1500000 },
		{ "0.0000019", 1 }, { "-3", 0 }, { "1e-3", 1000 },
		{ "1.5E2", 150000000 }, { "12.3456789012345", 12345678 },
		{ "1e99", 31556952000000000 }, { "0e99", 0 }, { "1e-99", 0 },
		{ "1e300", 31556952000000000 }, { "1e-99999999999", 0 },
		{ "99999999999999999999999999", 31556952000000000 },
		{ "100000000000000000000e-20", 1000000 },
		{ "0.000000000000000000000001", 0 } };
	static const char *const bad[] = { "", ".", "-", "x", "1x", "1e",
		"1ee2", "nan", "inf", "0x1", " 1", "1e-" };
	struct tf_recording_facts f = { 0 };
	uint64_t us;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(tf_reading_time(tf_str_of(good[i].text), &us),
		    "%s", good[i].text);
		ck_assert_msg(us == good[i].us, "%s: %llu", good[i].text,
		    (unsigned long long)us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!tf_reading_time(tf_str_of(bad[i]), &us), "%s",
		    bad[i]);
	ck_assert_str_eq("2000000 o a\n2000000 o b\n2000000 o c\n"
			 "31556952000000000 o d\n",
	    events_of_text(TF_RECORDING_ASCIICAST,
		"{\"version\":2}\n[2,\"o\",\"a\"]\n[1,\"o\",\"b\"]\n"
		"[-5,\"o\",\"c\"]\n[1e60,\"o\",\"d\"]\n",
		&f));
	tf_recording_facts_free(&f);
}
END_TEST

START_TEST(sizes_have_limits)
{
	struct tf_recording_facts f = { 0 };

	ck_assert_str_eq("0 500x200\n",
	    events_of_text(TF_RECORDING_ASCIICAST,
		"{\"version\":2,\"width\":99999,\"height\":99999}\n"
		"[0,\"r\",\"99999x99999\"]\n[0,\"r\",\"0x0\"]\n[0,\"r\",\"-1x5\"]\n"
		"[0,\"r\",\"99999999999999999999x1\"]\n[0,\"r\",\"80\"]\n",
		&f));
	ck_assert_uint_eq(TF_RECORDING_COLS_MAX, f.cols);
	ck_assert_uint_eq(TF_RECORDING_ROWS_MAX, f.rows);
	tf_recording_facts_free(&f);
}
END_TEST

static enum tf_code
count(void *arg, const struct tf_recorded *e, struct tf_error *err)
{
	(void)err;
	*(uint64_t *)arg += e->bytes.n;
	return TF_OK;
}

/* A recording that is too long is cut, to the byte, and says so. */
START_TEST(a_long_recording_is_cut)
{
	struct tf_str log = { NULL, (size_t)9 << 20 };
	struct tf_str timing = tf_str_of("0 8388607\n1 1048577\n1 1\n");
	struct tf_recording r = { .kind = TF_RECORDING_SCRIPT,
		.output = file_of(&log),
		.timing = file_of(&timing) };
	struct tf_recording_facts f = { 0 };
	struct tf_buf lines = { 0 };
	uint64_t n = 0;
	char *p = malloc(log.n);

	ck_assert_ptr_nonnull(p);
	memset(p, 'x', log.n);
	p[0] = '\n';
	log.p = p;
	ck_assert_int_eq(TF_OK, tf_recording_read(&r, &f, count, &n, NULL));
	ck_assert_uint_eq(TF_RECORDING_BYTES, n);
	ck_assert_uint_eq(TF_RECORDING_BYTES, f.bytes);
	ck_assert_uint_eq(TF_RECORDING_CUT, f.end);
	ck_assert_uint_eq(1000000, f.length);
	for (size_t i = 0; i <= TF_RECORDING_EVENTS; i++)
		tf_buf_str(&lines, "0 1\n");
	timing = tf_buf_bytes(&lines);
	tf_recording_facts_free(&f);
	f = (struct tf_recording_facts){ 0 };
	ck_assert_int_eq(TF_OK, tf_recording_read(&r, &f, count, &n, NULL));
	ck_assert_uint_eq(TF_RECORDING_EVENTS, f.events);
	ck_assert_uint_eq(TF_RECORDING_CUT, f.end);
	tf_recording_facts_free(&f);
	tf_buf_free(&lines);
	free(p);
}
END_TEST

START_TEST(names_and_first_bytes_tell_a_recording)
{
	static const struct {
		const char *name;
		enum tf_recording_kind kind;
	} names[] = { { "a.cast", TF_RECORDING_ASCIICAST },
		{ ".cast", TF_RECORDING_NONE }, { "a.json", TF_RECORDING_NONE },
		{ "a.ttyrec", TF_RECORDING_TTYREC },
		{ "ttyrecord", TF_RECORDING_TTYREC },
		{ "a.ttyrec.gz", TF_RECORDING_NONE },
		{ "typescript", TF_RECORDING_SCRIPT },
		{ "session.log", TF_RECORDING_SCRIPT },
		{ "", TF_RECORDING_NONE } };
	static const char *const timings[] = { "s.log.timing", "s.log.tm",
		"s.timing", "s.tm" };
	static const char *const plain[] = { "typescript.timing",
		"typescript.tm", "timing", "timing.log" };
	static const char *const tty[] = { "tty.log.timing", "tty.log.tm",
		"tty.timing", "tty.tm", "timing", "timing.log" };
	struct tf_buf b = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(names[i].kind,
		    tf_recording_by_name(tf_str_of(names[i].name)));
	for (unsigned i = 0; i < 5; i++, b.n = 0) {
		ck_assert(tf_recording_timing_name(tf_str_of("s.log"), i, &b) ==
		    (i < 4));
		ck_assert(tf_str_same(tf_buf_bytes(&b),
		    tf_str_of(i < 4 ? timings[i] : "")));
	}
	for (unsigned i = 0; i < 5; i++, b.n = 0) {
		bool is = tf_recording_timing_name(tf_str_of("typescript"), i,
		    &b);

		ck_assert(is == (i < 4));
		if (is)
			ck_assert(tf_str_same(tf_buf_bytes(&b),
			    tf_str_of(plain[i])));
	}
	for (unsigned i = 0; i < 7; i++, b.n = 0) {
		ck_assert(tf_recording_timing_name(tf_str_of("tty.log"), i,
			      &b) == (i < 6));
		ck_assert(tf_str_same(tf_buf_bytes(&b),
		    tf_str_of(i < 6 ? tty[i] : "")));
	}
	tf_buf_free(&b);
#define BEGINS(kind, text) tf_recording_begins(kind, text, sizeof(text) - 1)
	ck_assert(BEGINS(TF_RECORDING_ASCIICAST,
	    "{\"version\": 2, \"w\":1}\n[0"));
	ck_assert(BEGINS(TF_RECORDING_ASCIICAST, "{\n  \"version\": 1,\n"));
	ck_assert(BEGINS(TF_RECORDING_ASCIICAST,
	    "{\"title\":\"..\",\"version\":3"));
	ck_assert(!BEGINS(TF_RECORDING_ASCIICAST, "{\"version\": 4}\n"));
	ck_assert(!BEGINS(TF_RECORDING_ASCIICAST, "{\"a\":2}\n"));
	ck_assert(!BEGINS(TF_RECORDING_ASCIICAST, "age-encryption.org/v1\n"));
	ck_assert(!BEGINS(TF_RECORDING_ASCIICAST, ""));
	ck_assert(!BEGINS(TF_RECORDING_TTYREC, "age-encryption.org/v1\n"));
	ck_assert(BEGINS(TF_RECORDING_TTYREC, "\1\0\0\0\0\0\0\0\5\0\0\0hello"));
	ck_assert(!BEGINS(TF_RECORDING_TTYREC,
	    "\1\0\0\0\0\0\0\1\5\1\1\1hello"));
	ck_assert(BEGINS(TF_RECORDING_SCRIPT, "0.5 12\n"));
	ck_assert(BEGINS(TF_RECORDING_SCRIPT, "H 0.000000 START_TIME x\n"));
	ck_assert(!BEGINS(TF_RECORDING_SCRIPT, "0.5 12"));
	ck_assert(!BEGINS(TF_RECORDING_SCRIPT, "started 12\n"));
}
END_TEST

/* --- plain text ---------------------------------------------------------------- */

static void
add_line(void *arg, const struct tf_plain_line *l)
{
	struct tf_buf *out = arg;

	tf_buf_add(out, l->text.p, l->text.n);
	tf_buf_str(out, l->feed ? "$" : "|");
}

START_TEST(plain_text_has_no_control_sequences)
{
	static const struct {
		const char *bytes, *lines;
	} row[] = {
		{ "a\r\nb\r\n", "a$b$" },
		{ "\033[1;31mred\033[0m", "red|" },
		{ "10%\r100%", "100%|" },
		{ "lx\b \bs\r\n", "ls$" },
		{ "abc\r\033[C\033[K", "a|" },
		{ "abc\r\033[P", "bc|" },
		{ "abc\r\033[2@", "  abc|" },
		{ "a\tb", "a       b|" },
		{ "\033]0;title\aa", "a|" },
		{ "\033]8;;javascript:alert(1)\033\\link\033]8;;\033\\",
		    "link|" },
		{ "\033]52;c;aGk=\ab\033Pq#0\033\\c", "bc|" },
		{ "a\033[5;5Hb\033[Hc", "a|b|c|" },
		{ "\033(0lqk\033(B", "lqk|" },
		{ "\033[99999999999999999999Cx", "x|" },
		{ "\033[;;;;;;;;;;;;;;mx", "x|" },
		{ "\xe6\xbc\xa2", "\xe6\xbc\xa2|" },
		{ "\xff\xc3(\xf0\x9f",
		    "\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd|" },
		{ "\xc2\x9b"
		  "31mx",
		    "31mx|" },
		{ "a\033[\030b", "ab|" },
		{ "\033\033[1mx", "x|" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		/* At once, and byte by byte. */
		for (int at_once = 0; at_once < 2; at_once++) {
			struct tf_buf b = { 0 };
			struct tf_plain *p = calloc(1, sizeof(*p));
			size_t n = strlen(row[i].bytes);
			size_t step = at_once ? n : 1;

			ck_assert_ptr_nonnull(p);
			p->line = add_line;
			p->arg = &b;
			for (size_t at = 0; at < n; at += step)
				tf_plain_add(p, at, row[i].bytes + at, step);
			tf_plain_end(p, n);
			tf_buf_add(&b, "", 1);
			if (strcmp(row[i].bytes,
				"\033[99999999999999999999Cx") == 0)
				ck_assert_str_eq("x|", b.p + b.n - 3);
			else
				ck_assert_str_eq(row[i].lines, b.p);
			tf_buf_free(&b);
			free(p);
		}
	}
}
END_TEST

/* --- the page -------------------------------------------------------------------- */

static char *
page_of(struct tf_recording *r, struct tf_buf *out)
{
	const struct tf_player_about a = { .name = tf_str_of("x<y>.cast"),
		.href = tf_str_of("../../x<y>.cast") };
	struct tf_sink sink = tf_buf_sink(out);

	out->n = 0;
	ck_assert_int_eq(TF_OK, tf_player_page(r, &a, &sink, NULL));
	tf_buf_add(out, "", 1);
	return out->p;
}

static size_t
times(const char *in, const char *what)
{
	size_t n = 0;

	for (; (in = strstr(in, what)) != NULL; in++)
		n++;
	return n;
}

/* No byte of a recording or of its name becomes markup or ends a block. */
START_TEST(nothing_in_a_recording_becomes_markup)
{
	static const char hostile[] =
	    "{\"version\":2,\"title\":\"</script><img src=x>\","
	    "\"command\":\"<!--<script>\"}\n"
	    "[0,\"m\",\"</script><script>alert(1)</script>\"]\n"
	    "[0,\"i\",\"</script>\\r\"]\n"
	    "[0,\"o\",\"$ <img src=x onerror=alert(1)></pre><script>\\r\\n\"]\n"
	    "[0,\"o\",\"\\u001b]8;;javascript:alert(1)\\u0007x\\u2028\\u202e\"]\n";
	struct tf_str s = tf_str_of(hostile);
	struct tf_recording r = { .kind = TF_RECORDING_ASCIICAST,
		.output = file_of(&s) };
	struct tf_buf b = { 0 };
	char *page = page_of(&r, &b);

	ck_assert_uint_eq(2, times(page, "<script"));
	ck_assert_uint_eq(2, times(page, "</script"));
	ck_assert_uint_eq(1, times(page, "</pre>\n<")); /* of the text */
	ck_assert_uint_eq(0, times(page, "<img"));
	ck_assert_uint_eq(0, times(page, "<!--"));
	ck_assert_uint_eq(0, times(page, "javascript:"));
	ck_assert_uint_eq(0, times(page, "\xe2\x80\xa8"));
	ck_assert_uint_eq(0, times(page, "\xe2\x80\xae"));
	ck_assert_uint_eq(0, times(page, "x<y>"));
	ck_assert_uint_eq(1, times(page, "href="));
	ck_assert_ptr_nonnull(strstr(page, "href=\"../../x%3Cy%3E.cast\""));
	ck_assert_ptr_nonnull(strstr(page,
	    "\"\\u003c/script\\u003e\\u003cscript\\u003ealert(1)"));
	tf_buf_free(&b);
}
END_TEST

/* The label of a command is what the terminal showed, so a password that was
 * typed without an echo is not among the commands. */
START_TEST(commands_are_what_was_entered)
{
	struct tf_str log = sample("both.log"), timing = sample("both.timing");
	struct tf_recording r = { .kind = TF_RECORDING_SCRIPT,
		.output = file_of(&log),
		.timing = file_of(&timing) };
	struct tf_buf b = { 0 };
	char *page = page_of(&r, &b), *steps = strstr(page, "\"steps\":[");

	ck_assert_ptr_nonnull(steps);
	ck_assert_ptr_nonnull(strstr(steps, ",\"whoami\"]"));
	ck_assert_ptr_nonnull(strstr(steps, ",\"echo done\"]"));
	ck_assert_ptr_null(strstr(page, "secret"));
	ck_assert_ptr_nonnull(strstr(page, ">all of it<"));
	ck_assert_ptr_nonnull(strstr(page, "From the keys in the recording"));

	/* Without the keys they are guessed, and the page says so. */
	log = sample("typescript");
	timing = sample("typescript.timing");
	page = page_of(&r, &b);
	steps = strstr(page, "\"steps\":[");
	ck_assert_ptr_nonnull(strstr(steps, ",\"cat app.conf\"]"));
	ck_assert_ptr_nonnull(strstr(steps, ",\"sed -i s/4/8/ app.conf\"]"));
	ck_assert_ptr_null(strstr(steps, "limits of the service"));
	ck_assert_ptr_nonnull(strstr(page, "Guessed: "));
	ck_assert_ptr_nonnull(strstr(page, "  workers = 8\n"));
	tf_buf_free(&b);
}
END_TEST

/* The same recording gives the same page, and the page allows only its own
 * script and style. */
START_TEST(a_page_is_the_same_each_time)
{
	struct tf_str s = sample("editor.cast");
	struct tf_recording r = { .kind = TF_RECORDING_ASCIICAST,
		.output = file_of(&s) };
	struct tf_buf a = { 0 }, b = { 0 };
	char *page = page_of(&r, &a);

	ck_assert_str_eq(page, page_of(&r, &b));
	ck_assert_ptr_nonnull(strstr(page,
	    "content=\"default-src &#39;none&#39;; script-src &#39;sha256-"));
	ck_assert_uint_eq(0, times(page, "unsafe"));
	ck_assert_uint_eq(0, times(page, "http:"));
	ck_assert_uint_eq(0, times(page, "https:"));
	ck_assert_uint_eq(0, times(page, "innerHTML"));
	ck_assert_uint_eq(0, times(page, "document.title"));
	tf_buf_free(&a);
	tf_buf_free(&b);
}
END_TEST

Suite *
suite_terminal(void)
{
	Suite *s = suite_create("terminal");
	TCase *t = tcase_create("recordings");

	tcase_add_test(t, asciicasts_of_each_version_are_read);
	tcase_add_test(t, typescripts_and_ttyrecs_are_read);
	tcase_add_test(t, what_is_malformed_ends_a_recording);
	tcase_add_test(t, times_never_go_back_and_have_an_end);
	tcase_add_test(t, sizes_have_limits);
	tcase_add_test(t, a_long_recording_is_cut);
	tcase_add_test(t, names_and_first_bytes_tell_a_recording);
	suite_add_tcase(s, t);
	t = tcase_create("pages");
	tcase_add_test(t, plain_text_has_no_control_sequences);
	tcase_add_test(t, nothing_in_a_recording_becomes_markup);
	tcase_add_test(t, commands_are_what_was_entered);
	tcase_add_test(t, a_page_is_the_same_each_time);
	suite_add_tcase(s, t);
	return s;
}
