/* Numbers by chance that are the same on any number of ranks. */
#ifndef TEST_NOISE_H
#define TEST_NOISE_H

#include <stdint.h>

/* Hash of a file id and a component in [-1, 1). */
static inline double noise(int64_t id, int component, uint64_t seed) {
  uint64_t z = (uint64_t)id * 3 + (uint64_t)component + seed * 0x9e3779b97f4a7c15u + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / 4503599627370496. - 1;
}

#endif
