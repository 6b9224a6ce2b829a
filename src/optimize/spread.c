/* Points spread over a cube: Sobol's sequence and Latin hypercubes. */
#include "magtwin/memory.h"
#include "magtwin/space.h"
#include <math.h>

/* Degree, coefficients and first direction numbers of dimensions 2 to 21 (new-joe-kuo-6). */
static const struct {
  unsigned char degree, a, m[7];
} joe_kuo[MT_SOBOL_DIM - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
};

/* The 32 direction numbers of dimension d, from 0. */
static void directions(int d, uint32_t v[32]) {
  if (d == 0) {
    for (int k = 0; k < 32; k++) v[k] = UINT32_C(1) << (31 - k);
    return;
  }
  const int s = joe_kuo[d - 1].degree;
  const unsigned a = joe_kuo[d - 1].a;
  for (int k = 0; k < 32; k++) {
    if (k < s) {
      v[k] = (uint32_t)joe_kuo[d - 1].m[k] << (31 - k);
      continue;
    }
    v[k] = v[k - s] ^ (v[k - s] >> s);
    for (int i = 1; i < s; i++)
      if ((a >> (s - 1 - i)) & 1) v[k] ^= v[k - i];
  }
}

void mt_sobol(int dim, uint64_t seed, uint32_t index, double *u) {
  const uint32_t gray = index ^ (index >> 1);
  MtRandom random;
  mt_random_seed(&random, seed);
  for (int d = 0; d < dim; d++) {
    uint32_t v[32], x = (uint32_t)(mt_random_bits(&random) >> 32);
    directions(d, v);
    for (int k = 0; k < 32; k++)
      if ((gray >> k) & 1) x ^= v[k];
    u[d] = ((double)x + 0.5) * 0x1p-32;
  }
}

void mt_latin(int dim, int n, uint64_t seed, double *u) {
  MtRandom random;
  int *order = mt_malloc(sizeof *order * (size_t)n);
  mt_random_seed(&random, seed);
  for (int d = 0; d < dim; d++) {
    for (int i = 0; i < n; i++) { /* a random order, made as it grows */
      int j = (int)(mt_random_uniform(&random) * (i + 1));
      order[i] = order[j];
      order[j] = i;
    }
    for (int i = 0; i < n; i++) u[(size_t)i * (size_t)dim + (size_t)d] = (order[i] + mt_random_uniform(&random)) / n;
  }
  free(order);
}

static double between(const MtVariable *v, double u) {
  if (v->type != MT_VAR_REAL) return fmin(floor(v->min + u * (v->max - v->min + 1)), v->max);
  return v->log ? v->min * pow(v->max / v->min, u) : v->min + u * (v->max - v->min);
}

void mt_space_spread(const MtSpace *s, const double *u, double *x) {
  for (int i = 0; i < s->nvars; i++) x[i] = fmax(fmin(between(&s->var[i], u[i]), s->var[i].max), s->var[i].min);
}
