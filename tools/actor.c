/* The actor of entries that trailctl appends itself. */
#include "actor.h"

#include <unistd.h>

#include "core/base/proc.h"

/* The real ids: who runs the program, and not what it may do. */
void
actor_self(struct tf_actor *out)
{
	*out = (struct tf_actor){
		.uid = getuid(),
		.gid = getgid(),
		.pid = (uint32_t)getpid(),
		.loginuid = tf_proc_number(TF_PROC_SELF, "loginuid"),
		.session = tf_proc_number(TF_PROC_SELF, "sessionid"),
	};
	tf_proc_comm(TF_PROC_SELF, out->comm, sizeof(out->comm));
	tf_proc_cgroup(TF_PROC_SELF, out->cgroup, sizeof(out->cgroup));
	tf_proc_link(TF_PROC_SELF, "exe", out->exe, sizeof(out->exe));
}
