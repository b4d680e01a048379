/* Misspelled words and what they were meant to be. */
#include <check.h>
#include <stddef.h>
#include <string.h>

#include "core/guess.h"

static const char *const words[] = { "status", "stamp", "sync", "seal", "show",
	"restore", "revoke", "verify", "key", "type", "export-log", "max_file",
	"ls" };

static const char *
guess(const char *typed)
{
	struct tf_guess g = { .typed = typed };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		tf_guess_add(&g, words[i]);
	return g.best != NULL ? g.best : "";
}

/* One letter too much, too few, another or two swapped, and a beginning. */
START_TEST(a_similar_word_is_found)
{
	static const char *const pairs[][2] = { { "stauts", "status" },
		{ "statuss", "status" }, { "satus", "status" },
		{ "stamq", "stamp" }, { "verfy", "verify" },
		{ "vreify", "verify" }, { "Verify", "verify" },
		{ "veri", "verify" }, { "export", "export-log" },
		{ "export_log", "export-log" }, { "max-file", "max_file" },
		{ "tpye", "type" }, { "kye", "key" }, { "sl", "ls" },
		{ "exprot-lgo", "export-log" } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ck_assert_str_eq(pairs[i][1], guess(pairs[i][0]));
}
END_TEST

/* A wrong guess is worse than none. */
START_TEST(another_word_has_no_guess)
{
	static const char *const others[] = { "", "x", "frobnicate", "zz",
		"backup", "q",
		"statusstatusstatusstatusstatusstatusstatusstatusstatus" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_str_eq("", guess(others[i]));
}
END_TEST

START_TEST(the_text_has_the_word)
{
	struct tf_guess g = { .typed = "jsno" };
	char text[TF_GUESS_TEXT];

	ck_assert_str_eq("", tf_guess_text(&g, "--", text));
	tf_guess_add(&g, "json");
	ck_assert_str_eq(": did you mean --json?",
	    tf_guess_text(&g, "--", text));
}
END_TEST

Suite *
suite_guess(void)
{
	Suite *s = suite_create("guess");
	TCase *t = tcase_create("guess");

	tcase_add_test(t, a_similar_word_is_found);
	tcase_add_test(t, another_word_has_no_guess);
	tcase_add_test(t, the_text_has_the_word);
	suite_add_tcase(s, t);
	return s;
}
