/*
 * The answers of S3 that are XML.  They come from outside: a document type, broken
 * XML, another root, a text of more than 2 KiB in a field that is read, and more
 * fields than there are versions of one page are refused.
 */
#ifndef TF_S3_ANSWER_XML_H
#define TF_S3_ANSWER_XML_H

#include "../buffer.h"

#define TF_S3_TEXT_MAX 2048
#define TF_S3_PAGE_MAX 100 /* versions of one answer */

struct tf_s3_version {
	char id[TF_S3_TEXT_MAX / 2]; /* as the store wrote it */
	uint64_t size;
	bool is_marker; /* it says that the object was deleted */
};

struct tf_s3_page {
	struct tf_s3_version *versions; /* of the key that was asked for */
	size_t n;
	bool has_more;
	char next_key[TF_S3_TEXT_MAX], next_version[TF_S3_TEXT_MAX / 2];
};

/* Code and Message of an error; both "" if xml is something else. */
void tf_s3_xml_error(struct tf_str xml, char *code, size_t code_room,
    char *message, size_t message_room);

/* The page of a list of versions; free it with tf_s3_page_free, on failure too.
 * Errors: TF_IO it is none; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_s3_xml_versions(struct tf_str xml, const char *key,
    struct tf_s3_page *out, struct tf_error *err);
void tf_s3_page_free(struct tf_s3_page *p);

/* The text of the element name directly below root.  TF_IO: xml has no such
 * root, as an error that came with status 200; or not that element. */
TF_MUST_USE enum tf_code tf_s3_xml_text(struct tf_str xml, const char *root,
    const char *name, char *out, size_t room, struct tf_error *err);

#endif
