/* The connection to a search index, for the files that open and use it. */
#ifndef TF_STORE_SEARCH_I_H
#define TF_STORE_SEARCH_I_H

#include <sys/types.h>

#include "../buffer.h"
#include "search_rows.h"
#include "sql.h"

struct tf_search_db {
	struct tf_db db;
	struct tf_buf paths; /* of the transaction: see tf_search_add_path */
	dev_t dev;	     /* of the file */
	ino_t ino;
	int next; /* TF_SEARCH_NEXT: the file, which is locked; or -1 */
};

/* Run statements that return no rows.  Errors: those of SQLite. */
TF_MUST_USE enum tf_code tf_search_exec(struct tf_search_db *s, const char *sql,
    struct tf_error *err);

#endif
