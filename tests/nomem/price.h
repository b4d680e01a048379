/* What a file costs in statements of SQL and in allocations. */
#ifndef TESTS_PRICE_H
#define TESTS_PRICE_H

#define PRICES 4
/* Write into the store and count.  How many of the PRICES are over the limit. */
unsigned price(const char *store);

#endif
