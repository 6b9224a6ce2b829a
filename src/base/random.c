/* splitmix64 and xoshiro256**, from their published definitions (sources in the header). */
#include "magtwin/random.h"
#include "magtwin/units.h"
#include <math.h>

uint64_t mt_splitmix64(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void mt_random_seed(MtRandom *r, uint64_t seed) {
  for (int i = 0; i < 4; i++) r->s[i] = mt_splitmix64(&seed);
}

static uint64_t rotate_left(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

uint64_t mt_random_bits(MtRandom *r) {
  uint64_t *s = r->s, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left(s[3], 45);
  return result;
}

double mt_random_uniform(MtRandom *r) {
  return (double)(mt_random_bits(r) >> 11) * 0x1p-53;
}

double mt_random_normal(MtRandom *r) {
  double u = 1 - mt_random_uniform(r), v = mt_random_uniform(r); /* u > 0 */
  return sqrt(-2 * log(u)) * cos(2 * MT_PI * v);
}
