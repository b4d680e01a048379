/* STORE/config as lines: "key = value"; '#' begins a comment. */
#ifndef TF_STORE_CONFIG_FILE_H
#define TF_STORE_CONFIG_FILE_H

#include "../buffer.h"
#include "../json.h"
#include "../types.h"

/* Receives one setting, without white space around key and value. */
typedef enum tf_code (*tf_config_line)(void *arg, const char *key,
    const char *value, struct tf_error *err);

/*
 * Call one for each line of the config below dirfd, in the order of the file; no
 * file is an empty one.  The first error ends the reading.  Errors: TF_USAGE a
 * line without "="; those of one and of tf_file_read; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_config_each(int dirfd, tf_config_line one,
    void *arg, struct tf_error *err);

/* True if the setting names the guard: a file on another disk (guard_file.h). */
bool tf_config_is_guard(const char *key, const char *value);

/* How a store wants its newest checkpoint stamped with the time. */
enum tf_stamps {
	TF_STAMPS_OFF,
	TF_STAMPS_BEST_EFFORT, /* late stamps are shown */
	TF_STAMPS_REQUIRED,    /* and fail a verification */
};
struct tf_stamps_config {
	enum tf_stamps mode;
	/* The authorities whose stamps count, certificates in PEM; n 0: those of
	 * any authority count, or trouble is set. */
	struct tf_buf ca;
	bool trouble; /* err says why ca could not be read */
};
/* Stamps are late if the time of the newest one that counts is earlier than this
 * before the newest entry, or if there is none. */
#define TF_STAMPS_LATE_S ((int64_t)7 * 86400)
/* True if the setting is one of the time stamps: "stamp = WORD" or
 * "stamp_ca = /PATH". */
bool tf_config_is_stamp(const char *key, const char *value);
/*
 * Read what the config below dirfd says of time stamps.  Anybody can make a time
 * stamp, so stamps are required only of authorities that the operator names.
 * Errors: TF_USAGE the file stamp_ca cannot be read, or has no certificate, or
 * stamps are required without it, or a line of the config is malformed: the mode
 * is set as far as the config was read, and so is out->trouble unless it is off;
 * TF_NOMEM.  The caller frees out->ca, on failure too.
 */
TF_MUST_USE enum tf_code tf_stamps_config_read(int dirfd,
    struct tf_stamps_config *out, struct tf_error *err);
/*
 * The time by which a stamp is judged: the earliest of recorded, the time of its
 * entry; stated, by the authority; and next, the time of the first entry that the
 * stamped checkpoint lacks.  So neither an old stamp that is recorded again nor a
 * fresh stamp of an old checkpoint is new, and a log that was idle is in time.
 */
struct tf_time tf_stamps_time(struct tf_time recorded, struct tf_time stated,
    struct tf_time next);
/* Are the stamps late?  at: that time of the newest one, NULL: there is none. */
bool tf_stamps_late(const struct tf_time *at, struct tf_time newest);

#endif
