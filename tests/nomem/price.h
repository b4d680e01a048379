/* The cost of a file: statements of SQL and allocations. */
#ifndef TESTS_PRICE_H
#define TESTS_PRICE_H

#define PRICES 4
/* Write files into the store and count.  Returns how many of the PRICES counts
 * exceed their limit. */
unsigned price(const char *store);

#endif
