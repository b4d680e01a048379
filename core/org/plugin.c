/*
 * Plug-ins: see plugin.h.
 *
 * RTLD_LOCAL, and a plug-in hides its own copy of core/base: no symbol of a
 * plug-in replaces one of the program or of another plug-in.
 */
#include "plugin.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../environment.h"

/* Where the plug-ins are from the directory of the running program: in a build,
 * and where `make install` puts them. */
static const char *const from_program[] = { "", "../lib/trailfs/" };

/* The path of file; false if it is not there, and path is then where it would be
 * installed. */
static bool
locate(const char *file, char path[PATH_MAX])
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	exe[n < 0 ? 0 : n] = '\0';
	*path = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return false; /* no /proc */
	slash[1] = '\0';
	for (size_t i = 0; i < 2; i++)
		if ((size_t)snprintf(path, PATH_MAX, "%s%s%s", exe,
			from_program[i], file) < PATH_MAX &&
		    access(path, F_OK) == 0)
			return true;
	return false;
}

enum tf_code
tf_plugin_load(const char *name, const struct tf_engine **out,
    struct tf_error *err)
{
	const struct tf_engine *engine;
	char file[64], path[PATH_MAX];
	void *so;

	(void)snprintf(file, sizeof(file), "trailfs-%s.so", name);
	if (!locate(file, path))
		return tf_fail(err, TF_UNSUPPORTED,
		    "install the package trailfs-%s: there is no %s", name,
		    path);
	/* It reads credentials. */
	tf_environment_hide_memory();
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (so == NULL)
		return tf_fail(err, TF_UNSUPPORTED, "%s cannot be loaded: %s",
		    file, dlerror());
	engine = dlsym(so, "tf_engine");
	if (engine == NULL || engine->abi != TF_ENGINE_ABI) {
		/* Not closed: its libraries (OpenSSL) have registered what runs
		 * when the process ends, and would be gone then. */
		return tf_fail(err, TF_NEWER,
		    "%s is of another version of trailfs", path);
	}
	*out = engine;
	return TF_OK;
}
