/*
 * The entries of the ledger as lines, from a mount or a store: in either
 * direction, and followed as they are appended, also past an unmount.
 */
#ifndef TRAILCTL_LEDGER_LINES_H
#define TRAILCTL_LEDGER_LINES_H

#include "core/json.h"
#include "where.h"

struct lines {
	struct where w;
	char *dir; /* of the mount, whose events.jsonl ordinary users read */
	struct tf_vault *v; /* of a store; NULL in a mount */
	int fd;		    /* of a mount, between lines_look and lines_pause */
	uint64_t entries, size; /* of the store; bytes of all lines */
	bool gathers;		/* see lines_gather */
	bool gathered;	/* the lines are those of some trails; said on stderr */
	size_t refused; /* trails that were left out */
	/* Of a mount, for ordinary users: the checkpoint before the last look,
	 * and that up to which all lines were walked. */
	struct lines_head {
		bool known;
		uint64_t size;
		struct tf_hash note;
	} head, done;
};

/*
 * Open the ledger of the vault that arg names.  In a mount, an ordinary user who
 * names a path gets the entries about the trail, workflow or attestation that it
 * is in, as the ledger of the whole vault is not for everybody.  The caller
 * calls lines_close() in any case.  A store is opened for reading and stays
 * open; in a mount nothing stays open.  Errors: those of where_find() and
 * where_open().
 */
TF_MUST_USE enum tf_code lines_open(struct lines *l, const char *arg,
    struct tf_error *err);
void lines_close(struct lines *l);
/* From now on, who names the vault and may not read its ledger gets the entries of
 * all trails that he may read, in their order.  What is left out is said on
 * stderr, and again when it becomes more. */
void lines_gather(struct lines *l);
/* Look only for entries about this path of the vault from now on.  Errors:
 * TF_NOMEM. */
TF_MUST_USE enum tf_code lines_narrow(struct lines *l, const char *path,
    struct tf_error *err);
/* True if every entry of the ledger is a line. */
bool lines_are_all(const struct lines *l);

/*
 * Look at the present ledger: until the next look, walks see the lines that it
 * has now. lines_pause() lets go of the mount, which could not be unmounted
 * meanwhile; walks need a look before them. In a store lines_pause() does
 * nothing.
 */
TF_MUST_USE enum tf_code lines_look(struct lines *l, struct tf_error *err);
void lines_pause(struct lines *l);

/* The number of the entry in the place of which a control file has this line,
 * {"damaged":N}: an entry whose bytes nobody but root may see. */
bool lines_is_stand_in(const struct tf_json_doc *d, uint64_t *seq);

/*
 * Take one line, without its LF; it is valid during the call only. TF_NODATA
 * ends the walk, which then returns TF_OK. Any other code but TF_OK ends the
 * walk and is what the walk returns.
 */
typedef enum tf_code (*lines_fn)(void *arg, const char *line, size_t n,
    struct tf_error *err);
/* Call fn for every line from byte off on, or for every line from the last to
 * the first.  A line longer than any entry, or without an end, is TF_TAMPER. */
TF_MUST_USE enum tf_code lines_forward(struct lines *l, uint64_t off,
    lines_fn fn, void *arg, struct tf_error *err);
TF_MUST_USE enum tf_code lines_backward(struct lines *l, lines_fn fn, void *arg,
    struct tf_error *err);

/* The number of the entry in the line.  False: it is no entry. */
bool lines_seq(const char *line, size_t n, uint64_t *seq);

/* A place in the ledger: all entries before `next` are done.  A user who may
 * not read all entries sees other lines as rights change, so a place is no
 * offset. */
struct lines_place {
	uint64_t next;
	bool has_last; /* of entry next - 1, if that was readable */
	struct tf_hash last;
};
/* Move *p behind a line that begins there. */
void lines_move(struct lines_place *p, const char *line, size_t n);
/* Set *p behind the last line of the last look; the start if there is none. */
TF_MUST_USE enum tf_code lines_end(struct lines *l, struct lines_place *p,
    struct tf_error *err);
/* Look for a walk from *p on, by lines_continue(): earlier lines may be missing,
 * and all of them if nothing was appended since such a walk came to the end. */
TF_MUST_USE enum tf_code lines_look_from(struct lines *l,
    const struct lines_place *p, struct tf_error *err);
/* Look, set *p behind the last line, and let go of the mount. */
TF_MUST_USE enum tf_code lines_now(struct lines *l, struct lines_place *p,
    struct tf_error *err);
/*
 * Call fn for every line from *p on; *p moves behind each line for which fn
 * returned TF_OK. After TF_NODATA of fn, *p is before that line.
 *
 * TF_FOREIGN: it is another ledger than that in which *p was: the entry before
 * *p differs or, for root, is missing.
 */
TF_MUST_USE enum tf_code lines_continue(struct lines *l, struct lines_place *p,
    lines_fn fn, void *arg, struct tf_error *err);

/*
 * Wait a second, or less if a signal comes that is not blocked. *gone says
 * whether the mount was gone before this call, and afterwards whether it is
 * gone now; both changes are reported on stderr, once each. rc is the code of
 * the last look. Returns TF_OK where another look may succeed (all is well, or
 * the mount is gone), and otherwise rc with err unchanged.
 */
TF_MUST_USE enum tf_code lines_wait(struct lines *l, enum tf_code rc,
    bool *gone, struct tf_error *err);

#endif
