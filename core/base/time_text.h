/*
 * Times as text: RFC 3339 in UTC with nine digits of the second, the form that
 * entries and statements have.  Years 0001..9999 of the Gregorian calendar, no
 * leap seconds.  All functions are pure and safe from many threads at once.
 */
#ifndef TF_BASE_TIME_TEXT_H
#define TF_BASE_TIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "../types.h"

/* "2026-11-23T07:50:00.123456789Z": 30 characters and a NUL. */
#define TF_TIME_LEN 30
/* Write t, clamped as by tf_time_clamp, and a NUL to out. */
void tf_time_text(struct tf_time t, char out[TF_TIME_LEN + 1]);
/*
 * Parse exactly that form, with a year 0001..9999, an existing day and seconds
 * 00..59.  False otherwise; *out is then unchanged.
 */
bool tf_time_parse(const char *s, size_t len, struct tf_time *out);
/*
 * Complete a time that a person wrote: a date, a date and hours and minutes, the
 * same with seconds, and with up to nine digits of the second.  A space may stand
 * for the T, and the Z may be left out; what is left out is zero.  False if it is
 * no such time.
 */
bool tf_time_complete(const char *s, char out[TF_TIME_LEN + 1]);
/* The nearest time that tf_time_text can write (years 0001..9999). */
struct tf_time tf_time_clamp(struct tf_time t);
/* True if the clock's reading differs from the time at which the ledger has the
 * entry by one second or more: then people see the reading, and a mark that the
 * place in the ledger is another one. */
bool tf_time_moved(struct tf_time at, struct tf_time clock);
/* A span of seconds, at least 0, in one unit: "90 s", "14 min", "3 h" or
 * "12 days", and a NUL. */
#define TF_SPAN_LEN 31
void tf_span_text(int64_t s, char out[TF_SPAN_LEN + 1]);
/* t + ns nanoseconds; the last time of an int64_t in seconds if beyond. */
struct tf_time tf_time_add_ns(struct tf_time t, uint64_t ns);

#endif
