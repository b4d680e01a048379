/* Progress with rate and time left: see progress.h. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "core/base/clock.h"
#include "core/verify.h"
#include "progress.h"
#include "report.h"
#include "text.h"

#define WIDTH 30		      /* of the bar */
#define EVERY_NS (TF_SECOND / 10)     /* between two drawings */
#define RATE_AFTER_NS (TF_SECOND / 2) /* before that a rate says nothing */

/* "1:02:03", or "2:03". */
static void
time_left(uint64_t s, char *out, size_t room)
{
	if (s >= 3600)
		(void)snprintf(out, room, "%llu:%02u:%02u",
		    (unsigned long long)(s / 3600), (unsigned)(s / 60 % 60),
		    (unsigned)(s % 60));
	else
		(void)snprintf(out, room, "%u:%02u", (unsigned)(s / 60),
		    (unsigned)(s % 60));
}

static void
draw_rate(uint64_t done, uint64_t of, uint64_t ns)
{
	const double rate = (double)done * 1e9 / (double)ns; /* bytes/s */
	char left[32];

	if (ns < RATE_AFTER_NS || rate < 1)
		return;
	fprintf(stderr, ", %.1f MiB/s", rate / 1048576);
	if (of <= done)
		return;
	time_left((uint64_t)((double)(of - done) / rate), left, sizeof(left));
	fprintf(stderr, ", %s left", left);
}

void
progress_draw(void *arg, uint64_t done, uint64_t of)
{
	static const char full[] = "##############################";
	struct progress *p = arg;
	const uint64_t now = tf_clock_boot_ns();
	const int percent = done < of ? (int)((double)done / (double)of * 100) :
					100;

	if (p->start_ns == 0)
		p->start_ns = now;
	if (!p->on || (p->drawn && now - p->drawn_ns < EVERY_NS))
		return;
	p->drawn = true;
	p->drawn_ns = now;
	fprintf(stderr, "\r%s  [%-*.*s] %3d %%, %llu MiB", p->what, WIDTH,
	    percent * WIDTH / 100, full, percent,
	    (unsigned long long)(done >> 20));
	draw_rate(done, of, now - p->start_ns);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

void
progress_finding(void *arg, const struct tf_finding *f)
{
	struct tf_buf path = { 0 }, text = { 0 };
	struct progress *p = arg;

	if (f->grade == TF_GRADE_UNREAD || f->grade == TF_GRADE_UNPROVEN)
		return;
	progress_end(p);
	if (++p->findings > CHECK_KEPT)
		return;
	text_add(&path, f->path, strlen(f->path));
	text_add(&text, f->text, strlen(f->text));
	report_note("%s: %s%s%s", tf_check_name(f->check), text_of(&path),
	    f->path[0] == '\0' ? "" : ": ", text_of(&text));
	tf_buf_free(&path);
	tf_buf_free(&text);
}
