/* Leftovers in a database, as SQLite leaves them without our VFS. */
#ifndef TESTS_UNIT_SPOIL_H
#define TESTS_UNIT_SPOIL_H

/* Put the word into the unused part of each page with rows of a closed database,
 * if it has room there.  Returns the number of such pages. */
unsigned spoil_pages(const char *name, const char *word);

#endif
