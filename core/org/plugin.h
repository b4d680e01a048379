/* Find and load the engines that are plug-ins. */
#ifndef TF_ORG_PLUGIN_H
#define TF_ORG_PLUGIN_H

#include "engine.h"

/*
 * Load trailfs-NAME.so; it stays loaded as long as the process.  *out is then
 * valid for ever.  The memory of the process is hidden from here on, because engines
 * read credentials (tf_environment_hide_memory).  Not safe from many threads at once.
 * Errors: TF_UNSUPPORTED it is not installed, or cannot be loaded; TF_NEWER it is
 * of another version of trailfs.
 */
TF_MUST_USE enum tf_code tf_plugin_load(const char *name,
    const struct tf_engine **out, struct tf_error *err);

#endif
