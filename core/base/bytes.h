/* Runs of bytes, hex, base64 (RFC 4648, strict), big-endian numbers, UTF-8, file
 * times. */
#ifndef TF_BASE_BYTES_H
#define TF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../types.h"

struct tf_buf;

/* Order by bytes, what is shorter first: <0, 0 or >0.  Nothing is equal to
 * nothing, wherever it lies. */
int tf_str_cmp(struct tf_str a, struct tf_str b);
bool tf_str_same(struct tf_str a, struct tf_str b);
/* What b holds; p is never NULL. */
struct tf_str tf_buf_bytes(const struct tf_buf *b);

/* 2n lower-case digits and a NUL. */
void tf_hex(const void *p, size_t n, char *out);
/* Exactly 2n lower-case digits into n bytes; false otherwise. */
bool tf_unhex(const char *s, size_t len, void *out, size_t n);
/* Padded standard base64 onto b. */
void tf_base64(struct tf_buf *b, const void *p, size_t n);
/* The same text and a NUL into out, which has room for them. */
void tf_base64_text(const void *p, size_t n, char *out);
/* Append the decoded bytes to out; false unless padded, without spare bits. */
bool tf_unbase64(const char *s, size_t len, struct tf_buf *out);
/* The same of exactly n bytes; needs no memory, so that false says it all. */
bool tf_unbase64_exact(const char *s, size_t len, void *out, size_t n);
/* How many bytes that stands for; -1: it is no base64. */
long tf_base64_bytes(const char *s, size_t len);

void tf_put_be16(uint8_t *p, uint16_t v);
void tf_put_be32(uint8_t *p, uint32_t v);
void tf_put_be64(uint8_t *p, uint64_t v);
uint16_t tf_get_be16(const uint8_t *p);
uint32_t tf_get_be32(const uint8_t *p);

/*
 * Length (1..4) of the valid UTF-8 character at p, with its code point in *cp;
 * 0 when the n bytes there do not begin with one (overlong, surrogate, beyond
 * U+10FFFF, cut).
 */
unsigned tf_utf8(const char *p, size_t n, uint32_t *cp);

/* What no one should see as itself: controls and bidi controls. */
bool tf_hidden_char(uint32_t cp);

/* Decimal without leading zeros, at most max; false otherwise. */
bool tf_decimal(const char *s, size_t len, uint64_t max, uint64_t *out);

/* "2026-11-23T07:50:00.123456789Z": 30 characters and a NUL. */
#define TF_TIME_LEN 30
void tf_time_text(struct tf_time t, char out[TF_TIME_LEN + 1]);
/* That form exactly, years 0001..9999, a day that exists; false otherwise. */
bool tf_time_parse(const char *s, size_t len, struct tf_time *out);
/* Nearest time that tf_time_text can write (years 0001..9999). */
struct tf_time tf_time_clamp(struct tf_time t);
struct tf_time tf_time_add_ns(struct tf_time t, uint64_t ns);

struct tf_str tf_str_of(const char *s); /* NULL: absent */

#endif
