/*
 * Which bytes of a staged file are there, while its writer writes nearly in order:
 * the kernel hands long pieces of a file over in several requests at a time, so a
 * piece may come before the one in front of it.
 */
#ifndef TF_COMMIT_ORDER_H
#define TF_COMMIT_ORDER_H

#include <stdbool.h>
#include <stdint.h>

struct tf_staged_hash;

/* The bytes from `from` up to `to` were written.  False: some of them were written
 * before, or too many pieces came too early; then s is as before.  io is held. */
bool tf_order_add(struct tf_staged_hash *s, uint64_t from, uint64_t to);

#endif
