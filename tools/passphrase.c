/*
 * Asking for passphrases: see passphrase.h.
 *
 * While the terminal shows nothing, a signal must not end the program, or the
 * terminal would stay so.  Signals wait until it is as before.
 */
#include "passphrase.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/cipher.h"
#include "files.h"
#include "interrupt.h"
#include "report.h"

/* Read one line, which the terminal gives as a whole. */
static enum tf_code
read_line(int tty, char out[PASSPHRASE_MAX], size_t *n, struct tf_error *err)
{
	ssize_t got;

	if (interrupt_wait(tty, err) != TF_OK)
		return err->code;
	if ((got = read(tty, out, PASSPHRASE_MAX)) < 0)
		return report_system(err, "terminal");
	*n = (size_t)got;
	if (*n == PASSPHRASE_MAX && out[*n - 1] != '\n')
		return tf_fail(err, TF_USAGE, "the passphrase is too long");
	if (*n > 0 && out[*n - 1] == '\n')
		--*n;
	if (*n == 0)
		return tf_fail(err, TF_USAGE, "the passphrase is empty");
	return TF_OK;
}

static enum tf_code
ask_once(int tty, const char *question, char out[PASSPHRASE_MAX], size_t *n,
    struct tf_error *err)
{
	enum tf_code rc;

	if ((rc = files_put(tty, "terminal", question, strlen(question),
		 err)) != TF_OK)
		return rc;
	rc = read_line(tty, out, n, err);
	(void)!write(tty, "\n", 1); /* the one that was typed is not shown */
	return rc;
}

static enum tf_code
ask(int tty, const char *question, bool confirm, char out[PASSPHRASE_MAX],
    size_t *n, struct tf_error *err)
{
	char again[PASSPHRASE_MAX];
	enum tf_code rc;
	size_t len = 0;

	rc = ask_once(tty, question, out, n, err);
	if (rc != TF_OK || !confirm)
		return rc;
	rc = ask_once(tty, "Again: ", again, &len, err);
	if (rc == TF_OK && (len != *n || !tf_same_secret(out, again, len)))
		rc = tf_fail(err, TF_USAGE, "the two passphrases differ");
	tf_wipe(again, sizeof(again));
	return rc;
}

enum tf_code
passphrase_ask(const char *question, bool confirm, char out[PASSPHRASE_MAX],
    size_t *n, struct tf_error *err)
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios before, silent;
	enum tf_code rc;

	if (tty < 0)
		return tf_fail(err, TF_USAGE,
		    "a passphrase is asked for on a terminal, and there is "
		    "none");
	interrupt_hold();
	if (tcgetattr(tty, &before) < 0) {
		rc = report_system(err, "terminal");
		close(tty);
		return rc;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	/* TCSAFLUSH: what was typed before the question is no answer. */
	if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
		rc = report_system(err, "terminal");
	else
		rc = ask(tty, question, confirm, out, n, err);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	close(tty);
	return rc;
}
