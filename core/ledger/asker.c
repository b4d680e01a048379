/* Access checks on owner, group and mode, by the rule of the kernel. */
#include "../base/mutant.h"
#include "../asker.h"

#include <string.h>

bool
tf_asker_may_all(const struct tf_asker *who)
{
	return who == NULL || who->uid == 0 || who->reads_all ||
	    TF_IS_MUTANT(TF_SHOW_ALL);
}

bool
tf_asker_is_in(const struct tf_asker *who, uint32_t gid)
{
	size_t low = 0, high = who->n_groups, mid;

	if (who->gid == gid)
		return true;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (who->groups[mid] == gid)
			return true;
		if (who->groups[mid] < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool
tf_asker_may(const struct tf_asker *who, const struct tf_attr *a, unsigned want)
{
	unsigned shift;

	if (who == NULL || who->uid == 0 || TF_IS_MUTANT(TF_SHOW_ALL) ||
	    (who->reads_all && (want & TF_MAY_WRITE) == 0))
		return true;
	/* The first class that matches decides, even if a later one allows. */
	shift = who->uid == a->uid ? 6 : tf_asker_is_in(who, a->gid) ? 3 : 0;
	return (a->mode >> shift & want) == want;
}

bool
tf_may_administer(const struct tf_actor *who, uint32_t owner)
{
	return who->uid == 0 || who->uid == owner || who->administers;
}

bool
tf_asker_same(const struct tf_asker *a, const struct tf_asker *b)
{
	if (tf_asker_may_all(a) || tf_asker_may_all(b))
		return tf_asker_may_all(a) && tf_asker_may_all(b);
	return a->uid == b->uid && a->gid == b->gid &&
	    a->n_groups == b->n_groups &&
	    (a->n_groups == 0 ||
		memcmp(a->groups, b->groups,
		    a->n_groups * sizeof(a->groups[0])) == 0);
}
