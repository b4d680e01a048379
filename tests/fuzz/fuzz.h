/*
 * Fuzz targets: each file here is one target.  It defines fuzz_one, which reads
 * n bytes from outside and ends the process if a promise does not hold.
 * libFuzzer makes the bytes (make fuzz); driver.c replays the files of
 * corpus/NAME (make check).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define fuzz_one LLVMFuzzerTestOneInput
int fuzz_one(const uint8_t *data, size_t n);

/* Ends the process, which both libFuzzer and the driver report. */
#define MUST(cond)                                                       \
	do {                                                             \
		if (!(cond)) {                                           \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #cond);                            \
			abort();                                         \
		}                                                        \
	} while (0)

/* The log key of the published vectors: RFC 8032 7.1, test 1. */
#define FUZZ_SEED_LOG \
	"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define FUZZ_SEED_ATTESTER \
	"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
#define FUZZ_ORIGIN "example.org/vault"
#define FUZZ_VKEY \
	FUZZ_ORIGIN "+2b4a15b0+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"

#endif
