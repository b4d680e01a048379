/*
 * Numbers of RFC 8259 as text.  They are compared as decimals, so no value is
 * ever rounded.  The functions are pure and allocate nothing.
 */
#ifndef TF_BASE_NUMBER_H
#define TF_BASE_NUMBER_H

#include "../types.h"

#define TF_NUMBER_MAX 1024 /* bytes of a number */

/* The length of the number at the start of s, in bytes; 0 if there is none. */
size_t tf_number_length(struct tf_str s);
/* True if s is a number of RFC 8259 of at most TF_NUMBER_MAX bytes. */
bool tf_number_ok(struct tf_str s);
/*
 * Compare two such numbers exactly, as decimals; *order becomes negative, 0 or
 * positive.  False if the exponent of one has more than 15 digits: the numbers
 * then cannot be compared.
 */
bool tf_number_cmp(struct tf_str a, struct tf_str b, int *order);
/* True if the value of number s is an integer, as that of 1.0 and 10e-1 is.
 * False also for an exponent of more than 15 digits. */
bool tf_number_is_integer(struct tf_str s);

#endif
