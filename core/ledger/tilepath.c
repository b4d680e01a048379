/* Paths of C2SP tlog-tiles. */
#include <stdio.h>
#include <string.h>

#include "merkle.h"
#include "tilepath.h"

void
tf_tile_path(unsigned level, uint64_t n, unsigned width,
    char out[TF_TILE_PATH_MAX])
{
	char groups[40], *at = groups + sizeof(groups);
	int len;

	/* Built from the right: every group except the last has an x. */
	*--at = '\0';
	at -= 3;
	(void)snprintf(at, 4, "%03u", (unsigned)(n % 1000));
	for (n /= 1000; n > 0; n /= 1000) {
		char group[6];

		(void)snprintf(group, sizeof(group), "x%03u/",
		    (unsigned)(n % 1000));
		at -= 5;
		memcpy(at, group, 5);
	}
	if (level == TF_TILE_ENTRIES)
		len = snprintf(out, TF_TILE_PATH_MAX, "tile/entries/%s", at);
	else
		len = snprintf(out, TF_TILE_PATH_MAX, "tile/%u/%s", level, at);
	if (width < TF_TILE_WIDTH && len > 0 && len < TF_TILE_PATH_MAX)
		(void)snprintf(out + len, (size_t)(TF_TILE_PATH_MAX - len),
		    ".p/%u", width);
}
