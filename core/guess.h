/* Which known word a misspelled one was meant to be. */
#ifndef TF_GUESS_H
#define TF_GUESS_H

#define TF_GUESS_MAX 40 /* bytes of a word; a longer one is like no other */

/* Zero but for typed; no memory is allocated. */
struct tf_guess {
	const char *typed;
	const char *best; /* the answer: the most similar word, or NULL */
	unsigned distance;
};

/*
 * Compare typed with one more known word, which becomes the answer if it is
 * more similar than those before it.  A word is similar if typed is its
 * beginning (two bytes or more), or becomes the word by few changes: one, or a
 * third of its length.  A change is a letter too much, too few, another one, or
 * two letters in the wrong order (the restricted Damerau-Levenshtein distance).
 * Capitals and small letters of ASCII are equal, and so are '-' and '_'.
 */
void tf_guess_add(struct tf_guess *g, const char *word);

/* ": did you mean WORD?" for a message, or "" without an answer.  before stands
 * in front of the word, as "--".  Returns out. */
#define TF_GUESS_TEXT (TF_GUESS_MAX + 32)
const char *tf_guess_text(const struct tf_guess *g, const char *before,
    char out[TF_GUESS_TEXT]);

#endif
