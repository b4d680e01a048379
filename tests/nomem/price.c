/*
 * The cost of a file: statements of SQL and allocations.  These counts do not
 * depend on the speed of the machine.
 */
#include <stdio.h>
#include <string.h>

#include "../../core/vault.h"
#include "../bitflip/bitflip.h"
#include "price.h"
#include "strike.h"

#define FILES 100
#define NO_END 100000000L

static struct tf_vault *vault;
static uint64_t dir;
static const struct tf_actor nobody = { .loginuid = -1, .session = -1 };

/* 4 KiB each, closed one after the other. */
static void
close_all(void)
{
	static char body[4096];
	static int serial;
	char name[16];

	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "%d", serial++);
		memcpy(body, name, sizeof(name));
		tf_file_release(make_file(vault, dir, name, body,
		    sizeof(body)));
	}
}

static void
seal_all(void)
{
	MUST(tf_vault_sync(vault, TF_ROOT_ID, &nobody, NULL) == TF_OK);
}

/* Check that work makes at most so many calls of that kind per file. */
static bool
costs(const char *what, void (*work)(void), enum strike kind, long most)
{
	long used;

	strike_after(kind, NO_END);
	work();
	used = strike_used();
	(void)strike_end();
	printf("  %s of a file: %.2f (limit %ld)\n", what, (double)used / FILES,
	    most);
	return used <= most * FILES;
}

unsigned
price(const char *store)
{
	struct tf_vault_options o = { .program = "price" };
	unsigned over = 0;
	uint64_t t;

	MUST(tf_settings_take(&o.settings, "settle", "60"));
	MUST(tf_vault_open(store, &o, &vault, NULL) == TF_OK);
	t = make_dir(vault, make_dir(vault, TF_ROOT_ID, "price"), "w");
	dir = make_dir(vault, t, "a");
	close_all(); /* do not count the work of the first files */
	seal_all();
	/* What was counted when this was set, and about a fifth: 6, 9.1, 16,
	 * 11. */
	over += !costs("statements of SQL for the close", close_all,
	    STRIKE_STEP, 7);
	over += !costs("statements of SQL for the seal", seal_all, STRIKE_STEP,
	    11);
	over += !costs("allocations for the close", close_all, STRIKE_MEMORY,
	    20);
	over += !costs("allocations for the seal", seal_all, STRIKE_MEMORY, 14);
	MUST(tf_vault_close(vault, "done", NULL) == TF_OK);
	return over;
}
