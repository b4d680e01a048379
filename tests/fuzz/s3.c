/*
 * What a store that speaks S3 answers, and the URI of one.  The first byte says
 * which.  A page of versions has no more than fit, and a URI that is accepted
 * leaves this machine by https only and locks only for a number of days.
 */
#include <stdlib.h>
#include <string.h>

#include "../../core/s3/answer_xml.h"
#include "../../core/s3/target.h"
#include "fuzz.h"

static void
read_versions(struct tf_str xml)
{
	struct tf_s3_page p;
	struct tf_error err;
	enum tf_code rc;

	rc = tf_s3_xml_versions(xml, "p/k", &p, &err);
	MUST(rc == TF_OK || rc == TF_IO);
	MUST(p.n <= TF_S3_PAGE_MAX);
	for (size_t i = 0; i < p.n; i++)
		MUST(p.versions[i].id[0] != '\0' &&
		    memchr(p.versions[i].id, 0, sizeof(p.versions[i].id)) !=
			NULL);
	MUST(memchr(p.next_key, 0, sizeof(p.next_key)) != NULL);
	MUST(memchr(p.next_version, 0, sizeof(p.next_version)) != NULL);
	tf_s3_page_free(&p);
}

static void
read_error(struct tf_str xml)
{
	char code[8], message[16];

	tf_s3_xml_error(xml, code, sizeof(code), message, sizeof(message));
	MUST(memchr(code, 0, sizeof(code)) != NULL);
	MUST(memchr(message, 0, sizeof(message)) != NULL);
}

static void
read_text(struct tf_str xml)
{
	char out[32];
	enum tf_code rc = tf_s3_xml_text(xml, "R", "Id", out, sizeof(out),
	    NULL);

	MUST(rc == TF_OK || rc == TF_IO);
	MUST(memchr(out, 0, sizeof(out)) != NULL);
}

static void
read_uri(const char *uri)
{
	struct tf_s3_target t;
	enum tf_code rc = tf_s3_target_parse(uri, &t, NULL);

	MUST(rc == TF_OK || rc == TF_INVALID);
	if (rc != TF_OK)
		return;
	MUST(strncmp(t.endpoint, "https://", 8) == 0 || t.is_loopback);
	MUST((t.retention_days > 0) == (t.mode != TF_BLOB_UNLOCKED));
	MUST(t.mode != TF_BLOB_COMPLIANCE || strstr(uri, "mode=compliance"));
	MUST(t.bucket[0] != '\0' && t.stall > 0 && t.part > 0);
	MUST(strstr(t.prefix, "..") == NULL);
	MUST(t.prefix[0] == '\0' || t.prefix[strlen(t.prefix) - 1] == '/');
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	char *text;

	if (n == 0)
		return 0;
	MUST((text = malloc(n)) != NULL);
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	if (data[0] == 'u')
		read_uri(text);
	else if (data[0] == 'e')
		read_error((struct tf_str){ text, n - 1 });
	else if (data[0] == 't')
		read_text((struct tf_str){ text, n - 1 });
	else
		read_versions((struct tf_str){ text, n - 1 });
	free(text);
	return 0;
}
