/*
 * The page that replays a recording of a terminal session: one HTML file with
 * the recording, a player for it and its plain text.
 */
#ifndef TF_TERMINAL_PLAYER_H
#define TF_TERMINAL_PLAYER_H

#include "../json.h"
#include "recording.h"

/* Texts that each page has: player.js and player.css. */
extern const char tf_player_script[], tf_player_style[];

/* The evidence that a page is about. */
struct tf_player_about {
	struct tf_str name; /* as people know it */
	struct tf_str href; /* relative path from the page to it; plain */
	struct tf_hash sha256;
	uint64_t size; /* bytes */
};

/*
 * Write the page of recording r, which is read twice.  The same recording gives
 * the same bytes.  It is written in pieces; memory is needed for the plain text,
 * which has a limit.  A page has less than TF_REPLAY_PAGE_MAX bytes (page.h).
 * Errors: TF_NOMEM, those of the files and of out.
 */
TF_MUST_USE enum tf_code tf_player_page(const struct tf_recording *r,
    const struct tf_player_about *about, const struct tf_sink *out,
    struct tf_error *err);

#endif
