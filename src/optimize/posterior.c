/* Which points explain the data: draws from the posterior of the variables (optimize.h).
 *
 * Method: many points of the prior are weighed and a few of them drawn as starts, in all modes; from each a short chain
 * of Metropolis steps of several widths, in the unit cube in which the prior is uniform. */
#include "acquisition.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

enum { CHAINS = 64, STEPS = 200, KEEP_EVERY = 10, BURN = 100 };

typedef struct {
  const MtModel *m;
  const MtSpace *space;
  const MtProposer *p;
  const double *scatter; /* [ngoals] */
  double *x;             /* [nvars] room */
} Target;

/* log of the likelihood of u [nvars], the uncertainty of the model averaged over: y ~ N(mean, sd) gives E exp(-(y -
 * t)^2 / 2 c^2) = exp(-(mean - t)^2 / 2 (c^2 + sd^2)) / sqrt(1 + sd^2/c^2).  -inf outside the constraints.  sd counts
 * up to `most` c: where the model knows nothing it excludes nothing, which says nothing of the data.  *unsure: sd > c.
 */
static double log_likelihood(const Target *t, const double *u, double most, bool *unsure) {
  double sum = 0;
  *unsure = false;
  mt_space_spread(t->space, u, t->x);
  if (!mt_space_contains(t->space, t->x, NULL)) return -INFINITY;
  for (int g = 0; g < t->p->ngoals; g++) {
    const double c = t->scatter[g], wanted = t->p->has_target[g] ? t->p->target[g] : 0;
    double mean, sd;
    if (!(c > 0)) continue;
    mt_model_goal(t->m, g, t->x, &mean, &sd);
    *unsure = *unsure || sd > c;
    sd = fmin(sd, most * c);
    sum -= 0.5 * (mean - wanted) * (mean - wanted) / (c * c + sd * sd) + 0.5 * log1p(sd * sd / (c * c));
  }
  return sum;
}

/* Points of the prior that are weighed: fewer where a prediction, of n^2 steps, is dear. */
static int prior_points(const MtModel *m) {
  const double n = mt_gp_points(mt_model_gp(m, 0), NULL);
  return (int)fmin(fmax(4e9 / (n * n), 2048), 16384);
}

static void prior_point(int nvars, uint64_t seed, uint32_t index, MtRandom *random, double *u) {
  if (nvars <= MT_SOBOL_DIM)
    mt_sobol(nvars, seed, index, u);
  else
    for (int k = 0; k < nvars; k++) u[k] = mt_random_uniform(random);
}

double mt_model_open(const MtModel *m, const double *scatter, uint64_t seed) {
  const MtSpace *space = mt_model_space(m);
  const size_t nvars = (size_t)space->nvars;
  const int points = prior_points(m);
  double *u = mt_malloc(sizeof *u * 2 * nvars), sum[2] = {0};
  const Target t = {m, space, mt_model_proposer(m), scatter, u + nvars};
  MtRandom random;
  mt_random_seed(&random, seed);
  for (int i = 0; i < points; i++) {
    bool unsure;
    prior_point(space->nvars, seed, (uint32_t)i, &random, u);
    const double weight = exp(log_likelihood(&t, u, INFINITY, &unsure));
    sum[unsure] += weight;
  }
  free(u);
  return sum[0] + sum[1] > 0 ? sum[1] / (sum[0] + sum[1]) : 1;
}

/* Starts [CHAINS, nvars] with their likelihoods: every (sum/CHAINS)-th of the weights added up.  False: no point of the
 * prior is possible. */
static bool draw_starts(const Target *t, uint64_t seed, MtRandom *random, double *start, double *value) {
  const int nvars = t->space->nvars, points = prior_points(t->m);
  double *u = mt_malloc(sizeof *u * (size_t)points * (size_t)(nvars + 1)), *w = u + (size_t)points * (size_t)nvars,
         top = -INFINITY;
  bool unsure;
  for (int i = 0; i < points; i++) {
    prior_point(nvars, seed, (uint32_t)i, random, u + (size_t)i * (size_t)nvars);
    w[i] = log_likelihood(t, u + (size_t)i * (size_t)nvars, 1, &unsure);
    top = fmax(top, w[i]);
  }
  double sum = 0, behind = 0;
  for (int i = 0; i < points && top > -INFINITY; i++) sum += exp(w[i] - top);
  const double first = mt_random_uniform(random);
  for (int i = 0, k = 0; i < points && sum > 0 && k < CHAINS; i++) {
    behind += exp(w[i] - top);
    for (; k < CHAINS && (k + first) * sum / CHAINS <= behind; k++) {
      memcpy(start + k * nvars, u + (size_t)i * (size_t)nvars, sizeof *u * (size_t)nvars);
      value[k] = w[i];
    }
  }
  free(u);
  return sum > 0;
}

/* A step of one coordinate or of all, reflected at the walls. */
static void step(int nvars, MtRandom *random, const double *u, double *to) {
  static const double widths[] = {0.5, 0.15, 0.05, 0.015, 0.005};
  const double width = widths[(int)(5 * mt_random_uniform(random))];
  const int one = mt_random_uniform(random) < 0.5 ? (int)(nvars * mt_random_uniform(random)) : -1;
  for (int k = 0; k < nvars; k++) {
    double v = u[k] + (one < 0 || one == k ? width * mt_random_normal(random) : 0);
    v = fabs(fmod(v, 2));
    v = v > 1 ? 2 - v : v;
    to[k] = fmin(v, nextafter(1, 0));
  }
}

int mt_model_posterior(const MtModel *m, const double *scatter, uint64_t seed, double **draws) {
  const MtSpace *space = mt_model_space(m);
  const int nvars = space->nvars;
  const size_t size = sizeof(double) * (size_t)nvars;
  Target t = {m, space, mt_model_proposer(m), scatter, mt_malloc(size)};
  double *start = mt_calloc(CHAINS, size), value[CHAINS] = {0}, *to = mt_malloc(size);
  MtRandom random;
  int n = 0;
  mt_random_seed(&random, seed);
  *draws = mt_malloc(size * CHAINS * ((STEPS - BURN) / KEEP_EVERY));
  const bool possible = draw_starts(&t, seed, &random, start, value);
  for (int c = 0; c < CHAINS && possible; c++) {
    double *u = start + c * nvars;
    for (int k = 0; k < STEPS; k++) {
      step(nvars, &random, u, to);
      bool unsure;
      const double there = log_likelihood(&t, to, 1, &unsure);
      if (log(mt_random_uniform(&random)) < there - value[c]) {
        memcpy(u, to, size);
        value[c] = there;
      }
      if (k >= BURN && k % KEEP_EVERY == 0) memcpy(*draws + (size_t)n++ * (size_t)nvars, u, size);
    }
  }
  free(to);
  free(start);
  free(t.x);
  return n;
}
