/* Paths of C2SP tlog-tiles: tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>]. */
#ifndef TF_LEDGER_TILEPATH_H
#define TF_LEDGER_TILEPATH_H

#include <stddef.h>
#include <stdint.h>

#define TF_TILE_ENTRIES 255 /* the level of entry bundles */
#define TF_TILE_PATH_MAX 64 /* bytes with NUL */

/*
 * Write the path of tile n of a level (0..63, or TF_TILE_ENTRIES) and a NUL to
 * out.  width is its number of hashes or entries, 1..256; 256 is the full tile,
 * whose path has no ".p/<W>".  n is written in groups of three digits, all but
 * the last with an "x" before them (C2SP tlog-tiles).
 */
void tf_tile_path(unsigned level, uint64_t n, unsigned width,
    char out[TF_TILE_PATH_MAX]);

#endif
