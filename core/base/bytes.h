/*
 * Conversions of bytes: hex, base64 (RFC 4648), big-endian integers, UTF-8
 * (RFC 3629) and decimal numbers.  Each parser accepts exactly one text per
 * value and is safe with any input.  Texts are given by pointer and length and
 * need no NUL.  All functions are pure and safe from many threads at once, if
 * each thread has its own buffers.
 */
#ifndef TF_BASE_BYTES_H
#define TF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../types.h"

struct tf_buf;

/* Compare as memcmp does; a prefix sorts first.  Two empty strings are equal,
 * whatever p is. */
int tf_str_cmp(struct tf_str a, struct tf_str b);
bool tf_str_same(struct tf_str a, struct tf_str b);
/* Write 2n lower-case hex digits and a NUL to out. */
void tf_hex(const void *p, size_t n, char *out);
/* Decode exactly 2n lower-case hex digits to n bytes; false otherwise. */
bool tf_unhex(const char *s, size_t len, void *out, size_t n);
/* Append n bytes as padded standard base64 (RFC 4648 section 4) to b. */
void tf_base64(struct tf_buf *b, const void *p, size_t n);
/* Write the same text and a NUL to out, which has room for them: for
 * (n + 2) / 3 * 4 + 1 bytes. */
void tf_base64_text(const void *p, size_t n, char *out);
/* Append the decoded bytes to out.  False if the text is not padded base64, has
 * unused bits set, or memory runs out (out->failed). */
bool tf_unbase64(const char *s, size_t len, struct tf_buf *out);
/* Decode to exactly n bytes at out.  This needs no memory, so false always
 * means that the text is not the base64 of n bytes. */
bool tf_unbase64_exact(const char *s, size_t len, void *out, size_t n);
/* The number of bytes that the text decodes to, or -1: not base64. */
long tf_base64_bytes(const char *s, size_t len);

/* Write or read an integer, the most significant byte first. */
void tf_put_be16(uint8_t *p, uint16_t v);
void tf_put_be32(uint8_t *p, uint32_t v);
void tf_put_be64(uint8_t *p, uint64_t v);
uint16_t tf_get_be16(const uint8_t *p);
uint32_t tf_get_be32(const uint8_t *p);

/*
 * The length (1..4) of the UTF-8 character at p, with its code point in *cp.
 * 0 if the n bytes at p do not begin with a valid character: an overlong form,
 * a surrogate, a code point above U+10FFFF, or a cut character.
 */
unsigned tf_utf8(const char *p, size_t n, uint32_t *cp);

/* True for characters that must be escaped before they are shown: control
 * characters and bidi controls. */
bool tf_hidden_char(uint32_t cp);

/* Parse a decimal number without sign and leading zeros.  False if it is
 * malformed or above max; *out is then unchanged. */
bool tf_decimal(const char *s, size_t len, uint64_t max, uint64_t *out);
/* The same of a number of bytes, which may end in K, M, G or T. */
bool tf_decimal_bytes(const char *s, size_t len, uint64_t max, uint64_t *out);

/* The string at s without its NUL; NULL gives an absent string (p NULL).  The
 * memory stays the caller's. */
struct tf_str tf_str_of(const char *s);

#endif
