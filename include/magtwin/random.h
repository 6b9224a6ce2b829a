/* Random numbers that are the same on every machine and for every number of ranks.  Plain C. */
#ifndef MAGTWIN_RANDOM_H
#define MAGTWIN_RANDOM_H

#include <stdint.h>

typedef struct {
  uint64_t s[4];
} MtRandom;

/* One step of splitmix64: advances *state and returns 64 mixed bits; also a hash of its argument.
 * Source: S. Vigna, public domain, after G. Steele, D. Lea, C. Flood, OOPSLA (2014). */
uint64_t mt_splitmix64(uint64_t *state);
/* xoshiro256**, seeded through splitmix64.  Source: D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021). */
void mt_random_seed(MtRandom *r, uint64_t seed);
/* The next 64 bits. */
uint64_t mt_random_bits(MtRandom *r);
double mt_random_uniform(MtRandom *r); /* [0, 1), 53 bits */
double mt_random_normal(MtRandom *r);  /* mean 0, variance 1 (Box-Muller, one of the pair) */

#endif
