/* Paths of C2SP tlog-tiles: tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>]. */
#ifndef TF_LEDGER_TILEPATH_H
#define TF_LEDGER_TILEPATH_H

#include <stddef.h>
#include <stdint.h>

#define TF_TILE_ENTRIES 255 /* the level of entry bundles */
#define TF_TILE_PATH_MAX 64 /* bytes with NUL */

/* Write the path of tile n; width 256 is the full tile. */
void tf_tile_path(unsigned level, uint64_t n, unsigned width,
    char out[TF_TILE_PATH_MAX]);

#endif
