/*
 * STORE/config: which settings there are, and their values.
 *
 * A line that is not understood is an error: a store must not run without the
 * limit that its operator meant to set.  When a key stands twice, the last
 * line counts.  open_writer() puts the options of the mount on top.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../guess.h"
#include "../node/freeze.h"
#include "../node/roles.h"
#include "../node/vault_i.h"
#include "../store/config_file.h"
#include "../store/key_dir.h"
#include "../vault.h"
#include "config.h"
#include "signer.h"

static const struct {
	const char *key;
	uint64_t max;
	bool bytes; /* the value may end in K, M, G or T */
	bool octal;
	const char *words[2]; /* for 0 and 1, instead of a number */
} settings[TF_SETTINGS] = {
	[TF_SETTLE] = { "settle", TF_SETTLE_MAX_S, .bytes = false },
	[TF_IDLE] = { "quiet", TF_IDLE_MAX_S, .bytes = false },
	[TF_PLACEHOLDER] = { "placeholder", TF_IDLE_MAX_S, .bytes = false },
	[TF_MAX_FILE] = { "max_file", TF_JSON_MAX, .bytes = true },
	[TF_MAX_STAGED] = { "max_staged", TF_JSON_MAX, .bytes = true },
	[TF_MODE_FLOOR] = { "mode_floor", TF_READ_BITS, .octal = true },
	[TF_MAX_UNSEALED] = { "max_unsealed", TF_JSON_MAX, .bytes = false },
	[TF_MAX_STORE] = { "max_store", TF_JSON_MAX, .bytes = true },
	[TF_MAX_OPEN] = { "max_open", TF_JSON_MAX, .bytes = false },
	[TF_MAX_DRAFT] = { "max_draft", TF_JSON_MAX, .bytes = false },
	[TF_READS] = { "reads", 1, .words = { "off", "log" } },
	[TF_ORG_TIMEOUT] = { "org_timeout", TF_ORG_TIMEOUT_MAX_S,
	    .bytes = false },
	[TF_TEXTS] = { "texts", 1, .words = { "clear", "redactable" } },
};

/* Is it a role?  Then *ok: its group has a possible name. */
static bool
take_role(struct tf_settings *s, const char *key, const char *value, bool *ok)
{
	for (int r = 0; r < TF_ROLES; r++) {
		if (strcmp(key, tf_role_name(r)) != 0)
			continue;
		*ok = value[0] != '\0' &&
		    strlen(value) < sizeof(s->role[r].name);
		if (*ok)
			strcpy(s->role[r].name, value);
		return true;
	}
	return false;
}

bool
tf_settings_take(struct tf_settings *s, const char *key, const char *value)
{
	size_t n = strlen(value);
	bool ok;
	int i;

	if (take_role(s, key, value, &ok))
		return ok;
	for (i = 0; i < TF_SETTINGS; i++)
		if (strcmp(key, settings[i].key) == 0)
			break;
	if (i == TF_SETTINGS || n == 0)
		return false;
	if (settings[i].words[0] != NULL) {
		s->value[i] = strcmp(value, settings[i].words[1]) == 0;
		s->given[i] = s->value[i] == 1 ||
		    strcmp(value, settings[i].words[0]) == 0;
		return s->given[i];
	}
	if (settings[i].octal) {
		s->value[i] = strtoul(value, NULL, 8);
		s->given[i] = n <= 4 && strspn(value, "01234567") == n &&
		    (s->value[i] & ~settings[i].max) == 0;
		return s->given[i];
	}
	if (!(settings[i].bytes ? tf_decimal_bytes : tf_decimal)(value, n,
		settings[i].max, &s->value[i]))
		return false;
	s->given[i] = true;
	return true;
}

/* Name the key that was meant, or the value that a known key cannot have. */
static enum tf_code
not_understood(const char *key, const char *value, struct tf_error *err)
{
	static const char *const others[] = { "guard", "approvers", "stamp",
		"stamp_ca", "keys", "signer" };
	struct tf_guess g = { .typed = key };
	char text[TF_GUESS_TEXT];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		tf_guess_add(&g, others[i]);
	for (int i = 0; i < TF_SETTINGS; i++)
		tf_guess_add(&g, settings[i].key);
	for (int r = 0; r < TF_ROLES; r++)
		tf_guess_add(&g, tf_role_name((enum tf_role)r));
	if (g.best != NULL && strcmp(g.best, key) == 0)
		return tf_fail(err, TF_USAGE,
		    "config: \"%s\" is not understood: its value cannot be "
		    "\"%.60s\"",
		    key, value);
	return tf_fail(err, TF_USAGE, "config: \"%.60s\" is not understood%s",
	    key, tf_guess_text(&g, "", text));
}

#define GROUP_MAX 256 /* bytes of the name of a group */

/* guard, keys and stamp_ca are paths, signer is a command, approvers the name of a group, and stamp a word;
 * all others are numbers. */
static enum tf_code
set(void *vault, const char *key, const char *value, struct tf_error *err)
{
	struct tf_vault *v = vault;

	if (tf_config_is_guard(key, value)) {
		free(v->guard);
		v->guard = strdup(value);
		return v->guard == NULL ? tf_nomem(err) : TF_OK;
	}
	if (strcmp(key, "approvers") == 0 && value[0] != '\0' &&
	    strlen(value) <= GROUP_MAX) {
		free(v->approvers);
		v->approvers = strdup(value);
		return v->approvers == NULL ? tf_nomem(err) : TF_OK;
	}
	/* They are read where they are needed. */
	if (tf_config_is_stamp(key, value) || tf_config_is_keys(key, value) ||
	    tf_config_is_signer(key, value) ||
	    tf_settings_take(&v->settings, key, value))
		return TF_OK;
	return not_understood(key, value, err);
}

enum tf_code
tf_config_read(struct tf_vault *v, struct tf_error *err)
{
	struct tf_stamps_config stamps;
	enum tf_code rc = tf_config_each(v->dirfd, set, v, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_stamps_config_read(v->dirfd, &stamps, err);
	tf_buf_free(&stamps.ca);
	return rc;
}
