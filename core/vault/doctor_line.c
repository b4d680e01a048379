/* The lines of an examination: see core/doctor.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../doctor.h"

void
tf_doctor_say(const struct tf_doctor *d, const char *about,
    enum tf_doctor_grade grade, const char *cure, const char *fmt, ...)
{
	char text[1024];
	struct tf_doctor_line line = { about, grade, text, cure };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->say(d->arg, &line);
}

const char *
tf_doctor_word(const char *path, char out[TF_DOCTOR_WORD])
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789/._-+:@%,=";
	size_t n = 0;

	if (path[0] != '\0' && path[0] != '-' &&
	    strspn(path, plain) == strlen(path)) {
		(void)snprintf(out, TF_DOCTOR_WORD, "%s", path);
		return out;
	}
	out[n++] = '\'';
	for (; *path != '\0' && n + 6 < TF_DOCTOR_WORD; path++) {
		if (*path == '\'') {
			memcpy(out + n, "'\\''", 4);
			n += 4;
		} else {
			out[n++] = *path;
		}
	}
	out[n++] = '\'';
	out[n] = '\0';
	return out;
}
