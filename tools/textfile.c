/* Files for a node exporter: see textfile.h. */
#include <sys/stat.h>

#include "files.h"
#include "report.h"
#include "textfile.h"

enum tf_code
textfile_write(const char *path, const struct tf_buf *b, struct tf_error *err)
{
	struct files_new f;
	enum tf_code rc = files_begin(&f, path, err);

	if (rc != TF_OK)
		return rc;
	rc = files_put(f.fd, path, b->p, b->n, err);
	if (rc == TF_OK && f.into < 0 && fchmod(f.fd, 0644) < 0)
		rc = report_system(err, "%s", path);
	return files_end(&f, rc, err);
}
