/* Keys in tokens, by OpenSSL: see token.h. */
#include <errno.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "token.h"

#define SCHEME "pkcs11:"
#define URI_MAX 2048

/* Apart from the library context of all other calls: a module such as SoftHSM uses
 * OpenSSL itself, and must not find its own provider there. */
static OSSL_LIB_CTX *tokens;
static OSSL_PROVIDER *standard;

/* The configuration chooses code that gets the keys. */
static enum tf_code
check_config(const char *config, struct tf_error *err)
{
	struct stat st;

	if (stat(config, &st) < 0)
		return tf_fail(err, errno == ENOENT ? TF_NOTFOUND : TF_ACCESS,
		    "%.100s: %s", config, strerror(errno));
	errno = 0;
	if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()))
		return tf_fail(err, TF_FOREIGN,
		    "%.100s must be a plain file of root or of uid %u", config,
		    (unsigned)geteuid());
	if ((st.st_mode & 022) != 0)
		return tf_fail(err, TF_FOREIGN,
		    "others may write %.100s: chmod go-w it", config);
	return TF_OK;
}

/* Why OpenSSL failed, or "". */
static const char *
reason(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());

	return why == NULL ? "" : why;
}

enum tf_code
tf_token_open(const char *config, struct tf_error *err)
{
	enum tf_code rc = check_config(config, err);

	if (rc != TF_OK)
		return rc;
	ERR_clear_error();
	if ((tokens = OSSL_LIB_CTX_new()) == NULL)
		return tf_nomem(err);
	if (OSSL_LIB_CTX_load_config(tokens, config) != 1)
		rc = tf_fail(err, TF_INVALID,
		    "%.80s is no configuration of OpenSSL: %.50s", config,
		    reason());
	/* The provider of the token relies on it. */
	else if ((standard = OSSL_PROVIDER_load(tokens, "default")) == NULL)
		rc = tf_fail(err, TF_NOMEM, "load the default provider");
	if (rc != TF_OK)
		tf_token_close();
	return rc;
}

void
tf_token_close(void)
{
	if (standard != NULL)
		(void)OSSL_PROVIDER_unload(standard);
	OSSL_LIB_CTX_free(tokens);
	standard = NULL;
	tokens = NULL;
}

bool
tf_token_names_key(const char *text, size_t n)
{
	return n >= strlen(SCHEME) && memcmp(text, SCHEME, strlen(SCHEME)) == 0;
}

/* The one line of the file; empty: it has more, or bytes that no URI has. */
static void
copy_uri(const char *text, size_t n, char uri[URI_MAX])
{
	size_t i;

	if (n > 0 && text[n - 1] == '\n')
		n--;
	for (i = 0; i < n && text[i] > ' ' && text[i] < 0x7f; i++)
		;
	n = i == n && n < URI_MAX ? n : 0;
	memcpy(uri, text, n);
	uri[n] = '\0';
}

/* The only private key at uri, or NULL. */
static EVP_PKEY *
find_key(const char *uri)
{
	/* A PIN comes from the URI or the configuration, never from a terminal. */
	OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, tokens, NULL, UI_null(),
	    NULL, NULL, NULL, NULL);
	EVP_PKEY *key = NULL, *more;
	OSSL_STORE_INFO *found;
	bool alone = true;

	if (store == NULL)
		return NULL;
	(void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
	while (OSSL_STORE_eof(store) == 0 && OSSL_STORE_error(store) == 0) {
		if ((found = OSSL_STORE_load(store)) == NULL)
			continue;
		more = OSSL_STORE_INFO_get1_PKEY(found);
		OSSL_STORE_INFO_free(found);
		if (more != NULL && key != NULL) {
			alone = false;
			EVP_PKEY_free(more);
		} else if (more != NULL) {
			key = more;
		}
	}
	(void)OSSL_STORE_close(store);
	if (alone)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

enum tf_code
tf_token_load(const char *text, size_t n, const char *name, EVP_PKEY **out,
    OSSL_LIB_CTX **ctx, struct tf_error *err)
{
	char uri[URI_MAX];

	errno = 0;
	if (tokens == NULL)
		return tf_fail(err, TF_ACCESS,
		    "key %s is in a token, which only trailfs-signer "
		    "--openssl FILE uses",
		    name);
	copy_uri(text, n, uri);
	if (*uri == '\0')
		return tf_fail(err, TF_ACCESS,
		    "key %s is not one line with a URI", name);
	ERR_clear_error();
	*out = find_key(uri);
	OPENSSL_cleanse(uri, sizeof(uri)); /* perhaps with a PIN */
	errno = 0;
	if (*out == NULL)
		return tf_fail(err, TF_ACCESS,
		    "key %s: no provider gives one private key for its URI "
		    "(%.60s)",
		    name, reason());
	*ctx = tokens;
	return TF_OK;
}
