/*
 * A connection to PostgreSQL for the ledger engine: questions with a limit of
 * time, and answers as codes.
 *
 * What an append needs from it: the outcome is unknown (TF_INDOUBT) if the
 * connection ended or the limit passed after the question was sent, and also if
 * the server answers with a warning.  PostgreSQL reports a wait for a standby that
 * was cut as success with a warning, whose text depends on the language of the
 * server; trailfs's own functions give no warnings.  This file never cancels a
 * question, because a cancelled wait is such a success.
 */
#ifndef TF_POSTGRESQL_CONNECTION_H
#define TF_POSTGRESQL_CONNECTION_H

#include "../buffer.h"

struct tf_pg;
typedef struct pg_result PGresult; /* as in libpq-fe.h */

/* Parameters of a question, in binary.  The bytes stay the caller's. */
#define TF_PG_ARGS 8
struct tf_pg_args {
	int n;
	unsigned type[TF_PG_ARGS]; /* Oid */
	const char *p[TF_PG_ARGS]; /* NULL: the SQL NULL */
	int len[TF_PG_ARGS];
	uint8_t number[TF_PG_ARGS][8];
};
void tf_pg_arg_text(struct tf_pg_args *a, const char *s);
void tf_pg_arg_bytes(struct tf_pg_args *a, struct tf_str bytes);
void tf_pg_arg_number(struct tf_pg_args *a, uint64_t v);
void tf_pg_arg_null_number(struct tf_pg_args *a);

/* Arrays: begin, one call for each element, and the buffer is the argument. */
void tf_pg_array_begin(struct tf_buf *b, bool of_numbers, size_t n);
void tf_pg_array_bytes(struct tf_buf *b, const void *p, size_t n);
void tf_pg_array_number(struct tf_buf *b, uint64_t v);
void tf_pg_arg_array(struct tf_pg_args *a, bool of_numbers,
    const struct tf_buf *b);

/*
 * Connect.  uri is libpq's, with parameters of our own, which are taken out:
 * answer_timeout=SECONDS (60) and replicas=required|none, returned by
 * tf_pg_replicas.  On TF_OK free *out with tf_pg_free.
 * Errors: TF_INVALID a malformed URI; it has a password; or a host that is not
 * this machine, and not sslmode=verify-full.  TF_NOTFOUND no such database;
 * TF_ACCESS; TF_IO; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_pg_open(const char *uri, struct tf_pg **out,
    struct tf_error *err);
void tf_pg_free(struct tf_pg *c);
const char *tf_pg_replicas(const struct tf_pg *c);

/* TF_PG_WRITES: an unknown outcome is TF_INDOUBT.  Otherwise the question is
 * asked once more over a new connection, and then fails with TF_IO. */
enum tf_pg_kind { TF_PG_READS, TF_PG_WRITES };

/*
 * Ask sql.  args NULL: the text may have several statements.  On TF_OK PQclear
 * *out, which has rows in binary.  Text of the server goes to err.
 * Errors: TF_INDOUBT see above; TF_ACCESS the role lacks a right; TF_NOTFOUND a
 * table or function of ours is not there; TF_EXISTS it is there already; TF_BUSY
 * locks; TF_TAMPER; TF_NOSPACE; TF_IO.
 */
TF_MUST_USE enum tf_code tf_pg_ask(struct tf_pg *c, enum tf_pg_kind kind,
    const char *sql, const struct tf_pg_args *args, PGresult **out,
    struct tf_error *err);

/* Values of a row.  A number that is NULL or negative is 0. */
uint64_t tf_pg_number(const PGresult *r, int row, int column);
bool tf_pg_bool(const PGresult *r, int row, int column);
/* p is NULL for the SQL NULL. */
struct tf_str tf_pg_bytes(const PGresult *r, int row, int column);
bool tf_pg_is(const PGresult *r, int row, int column, const char *word);

#endif
