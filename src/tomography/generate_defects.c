/* What a microscope adds: the beam's width, streaks of the milling, uneven and changing brightness, noise.  Everything
 * is drawn from numbers that belong to the slice, so that ranks do not matter. */
#include "generate.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>

enum { MEMORY = 6 }; /* slices over which streaks keep their shape */

static void seed_for(const MtPainter *p, int k, int purpose, MtRandom *r) {
  mt_random_seed(r, p->seed + 0x9e3779b97f4a7c15ULL * (uint64_t)(8 * (int64_t)k + purpose + 1000));
}

/* One line of n pixels, `step` apart, with weights [2r+1]; ends repeat their pixel. */
static void blur_line(int n, size_t step, int r, const double *weight, float *gray, float *work) {
  for (int i = 0; i < n; i++) work[i] = gray[(size_t)i * step];
  for (int i = 0; i < n; i++) {
    double v = 0;
    for (int m = -r; m <= r; m++) {
      const int at = i + m < 0 ? 0 : i + m >= n ? n - 1 : i + m;
      v += weight[m + r] * work[at];
    }
    gray[(size_t)i * step] = (float)v;
  }
}

static void blur(const MtPainter *p, float *gray) {
  if (!(p->blur > 0)) return;
  const int r = (int)ceil(4 * p->blur);
  double sum = 0, *weight = mt_calloc((size_t)(2 * r + 1), sizeof *weight);
  float *work = mt_malloc((size_t)(p->mx > p->my ? p->mx : p->my) * sizeof *work);
  for (int m = -r; m <= r; m++) sum += weight[m + r] = exp(-.5 * m * m / (p->blur * p->blur));
  for (int m = 0; m <= 2 * r; m++) weight[m] /= sum;
  for (int j = 0; j < p->my; j++) blur_line(p->mx, 1, r, weight, gray + (size_t)j * (size_t)p->mx, work);
  for (int i = 0; i < p->mx; i++) blur_line(p->my, (size_t)p->mx, r, weight, gray + i, work);
  free(weight);
  free(work);
}

/* Streaks: one number a column, a mean over the last slices' numbers, of unit variance; two such lines, at the top and
 * at the bottom, and straight between them, so that a streak fades along y. */
static void streaks(const MtPainter *p, int k, double *line) {
  double norm = 0;
  for (int i = 0; i < 2 * p->mx; i++) line[i] = 0;
  for (int m = 0; m < MEMORY; m++) {
    const double weight = pow(.75, m);
    MtRandom r;
    seed_for(p, k - m, 0, &r);
    norm += weight * weight;
    for (int i = 0; i < 2 * p->mx; i++) line[i] += weight * mt_random_normal(&r);
  }
  for (int i = 0; i < 2 * p->mx; i++) line[i] *= p->curtains / sqrt(norm);
}

static void illuminate(const MtPainter *p, int k, float *gray) {
  MtRandom r;
  double *line = mt_malloc(2 * (size_t)p->mx * sizeof *line);
  seed_for(p, k, 1, &r);
  const double level = 1 + p->flicker * mt_random_normal(&r);
  streaks(p, k, line);
  for (int j = 0; j < p->my; j++)
    for (int i = 0; i < p->mx; i++) {
      const double x = 2. * i / p->mx - 1, y = 2. * j / p->my - 1, t = .5 + .5 * y;
      const double shade = 1 - p->shading * (.35 * (x * x + y * y) + .2 * x - .1 * y);
      const double streak = (1 - t) * line[i] + t * line[p->mx + i];
      gray[(size_t)j * (size_t)p->mx + (size_t)i] *= (float)(level * shade * (1 + streak));
    }
  free(line);
}

/* Poisson number of the given mean: Knuth's product for few, the nearest whole number to a normal one from 30 on. */
static double poisson(MtRandom *r, double mean) {
  if (mean >= 30) return fmax(0, floor(mean + sqrt(mean) * mt_random_normal(r) + .5));
  const double end = exp(-mean);
  double product = mt_random_uniform(r);
  int n = 0;
  while (product > end) {
    product *= mt_random_uniform(r);
    n++;
  }
  return n;
}

static void add_noise(const MtPainter *p, int k, float *gray) {
  MtRandom r;
  seed_for(p, k, 2, &r);
  for (size_t i = 0; i < (size_t)p->mx * (size_t)p->my; i++) {
    double v = fmax(0, gray[i]);
    if (p->dose > 0) v = poisson(&r, v * p->dose) / p->dose;
    gray[i] = (float)(v + p->noise * mt_random_normal(&r));
  }
}

void mt_paint_defects(const MtPainter *p, int k, float *gray) {
  blur(p, gray);
  illuminate(p, k, gray);
  add_noise(p, k, gray);
}
