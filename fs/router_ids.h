/*
 * The node ids of a router (router.h) and those of its origins.
 *
 * Each origin numbers its nodes by itself.  For a node of the vault, whose id has 40
 * bits, the id of the router is the number of the origin and that id: nothing has to
 * be remembered.  The ids of control files need all bits.  Theirs is a hash with the
 * highest bit set, and a table has the ones that the kernel knows, until it forgets
 * them.  A number that no LOOKUP gave, as in READDIR, is the same hash, so that it is
 * what stat(2) will say.
 *
 * One thread uses it.
 */
#ifndef FS_ROUTER_IDS_H
#define FS_ROUTER_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_IDS_NODE_BITS 40
#define FS_IDS_ORIGINS (1u << 23) /* numbers 1 to this, less one */

struct fs_ids;

struct fs_ids *fs_ids_new(void); /* NULL: no memory */
void fs_ids_free(struct fs_ids *t);

/* The id of the root of an origin. */
static inline uint64_t
fs_ids_root(unsigned origin)
{
	return (uint64_t)origin << FS_IDS_NODE_BITS | 1;
}

/* The number of node ino of that origin; 0 for 0. */
uint64_t fs_ids_show(const struct fs_ids *t, unsigned origin, uint64_t ino);
/* The same for a node that the kernel gets to know; it counts.  0: no memory. */
uint64_t fs_ids_count(struct fs_ids *t, unsigned origin, uint64_t ino);
/* The kernel forgets n of the times that it was told of id. */
void fs_ids_forget(struct fs_ids *t, uint64_t id, uint64_t n);
/* Which node is id?  False: the kernel has forgotten it. */
bool fs_ids_find(const struct fs_ids *t, uint64_t id, unsigned *origin,
    uint64_t *ino);
/* How many ids the table has. */
size_t fs_ids_number(const struct fs_ids *t);

#endif
