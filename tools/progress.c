/* Progress with rate and time left: see progress.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "core/base/clock.h"
#include "core/progress.h"
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

/* part: of the work that is done; amount: bytes, or things of that unit. */
static void
draw_rate(const struct progress *p, double part, uint64_t amount, uint64_t ns)
{
	const double rate = (double)amount * 1e9 / (double)ns;
	char left[32];

	if (ns < RATE_AFTER_NS || part <= 0 || part >= 1)
		return;
	if (p->unit != NULL)
		fprintf(stderr, ", %.0f/s", rate);
	else
		fprintf(stderr, ", %.1f MiB/s", rate / 1048576);
	time_left((uint64_t)((double)ns / 1e9 * (1 - part) / part), left,
	    sizeof(left));
	fprintf(stderr, ", %s left", left);
}

/* The one place that decides. */
static bool
is_shown(const struct progress *p)
{
	const char *terminal = getenv("TERM");

	return !p->silent && isatty(STDERR_FILENO) &&
	    (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static void
draw(struct progress *p, double part, uint64_t amount)
{
	static const char full[] = "##############################";
	const uint64_t now = tf_clock_boot_ns();
	const int percent = (int)(part * 100);

	if (p->start_ns == 0)
		p->start_ns = now;
	if ((p->drawn && now - p->drawn_ns < EVERY_NS) || !is_shown(p))
		return;
	p->drawn = true;
	p->drawn_ns = now;
	fprintf(stderr, "\r%s  [%-*.*s] %3d %%, ", p->what, WIDTH,
	    percent * WIDTH / 100, full, percent);
	if (p->unit != NULL)
		fprintf(stderr, "%llu %s", (unsigned long long)amount, p->unit);
	else
		fprintf(stderr, "%llu MiB", (unsigned long long)(amount >> 20));
	draw_rate(p, part, amount, now - p->start_ns);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void
progress_draw_bytes(struct progress *p, uint64_t done, uint64_t of,
    uint64_t bytes)
{
	draw(p, done < of ? (double)done / (double)of : 1, bytes);
}

void
progress_draw(void *arg, uint64_t done, uint64_t of)
{
	progress_draw_bytes(arg, done, of, done);
}

void
progress_listen(struct progress *p)
{
	tf_progress_listen(progress_draw, p);
}

void
progress_end(struct progress *p)
{
	tf_progress_listen(NULL, NULL);
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
	if (p->drawn)
		fputs("\r\033[K", stderr);
	if (++p->findings > CHECK_KEPT)
		return;
	text_add(&path, f->path, strlen(f->path));
	text_add(&text, f->text, strlen(f->text));
	report_note("%s: %s%s%s", tf_check_name(f->check), text_of(&path),
	    f->path[0] == '\0' ? "" : ": ", text_of(&text));
	tf_buf_free(&path);
	tf_buf_free(&text);
}
