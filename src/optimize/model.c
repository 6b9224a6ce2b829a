/* Looking at the model of the trials: what it expects anywhere, and which variables matter (optimize.h). */
#include "acquisition.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>

struct MtModel {
  const MtSpace *space;
  MtAcquire a;
};

PetscErrorCode mt_model_create(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                               MtModel **out) {
  int done = 0;
  *out = NULL;
  for (int i = 0; i < n; i++) done += trial[i].status == MT_TRIAL_DONE;
  if (done < 2) return mt_error(MT_ERR_FAIL, "a model needs two evaluations that are done; there are %d", done);
  MtModel *m = mt_calloc(1, sizeof *m);
  m->space = space;
  PetscErrorCode rc = mt_acquire_build(comm, space, p, n, trial, &m->a);
  *out = m;
  if (rc) mt_model_destroy(out);
  return rc;
}

void mt_model_destroy(MtModel **m) {
  if (!*m) return;
  mt_acquire_free(&(*m)->a);
  free(*m);
  *m = NULL;
}

void mt_model_at(const MtModel *m, const double *x, MtProposal *expected, double *acquisition) {
  const int dim = mt_space_dim(m->space);
  double *u = mt_malloc(sizeof *u * (size_t)dim);
  *expected = (MtProposal){.feasible = 1};
  mt_acquire_describe(&m->a, m->space, x, expected);
  mt_space_encode(m->space, x, u);
  *acquisition = mt_acquire(&m->a, dim, u, NULL);
  free(u);
}

void mt_model_goal(const MtModel *m, int goal, const double *x, double *mean, double *sd) {
  double *u = mt_malloc(sizeof *u * (size_t)mt_space_dim(m->space));
  mt_space_encode(m->space, x, u);
  mt_gp_predict(m->a.gp[goal], u, mean, sd, NULL, NULL);
  *mean *= m->a.settings->sign[goal];
  free(u);
}

const MtSpace *mt_model_space(const MtModel *m) {
  return m->space;
}

const MtProposer *mt_model_proposer(const MtModel *m) {
  return m->a.settings;
}

double mt_model_mean(const MtModel *m, int goal, const double *x) {
  double mean, *u = mt_malloc(sizeof *u * (size_t)mt_space_dim(m->space));
  mt_space_encode(m->space, x, u);
  mt_gp_predict(m->a.gp[goal], u, &mean, NULL, NULL, NULL);
  free(u);
  return m->a.settings->sign[goal] * mean;
}

const MtGp *mt_model_gp(const MtModel *m, int goal) {
  return m->a.gp[goal];
}

/* Two independent points of the unit cube, [2, nvars]. */
static void pair_of_points(int nvars, uint64_t seed, uint32_t index, double *u) {
  MtRandom random;
  if (2 * nvars <= MT_SOBOL_DIM) {
    mt_sobol(2 * nvars, seed, index, u);
    return;
  }
  mt_random_seed(&random, seed + index);
  for (int k = 0; k < 2 * nvars; k++) u[k] = mt_random_uniform(&random);
}

/* Sums over the points; of variable i: squares of f(A) - f(A with b_i), and of f(B) - that. */
typedef struct {
  double sum, square;
  double *by_a, *by_b; /* [nvars] */
} Sums;

static void add_point(const MtModel *m, int goal, const double *u, double *x, double *v, Sums *s) {
  const int nvars = m->space->nvars;
  double f[2];
  for (int side = 0; side < 2; side++) {
    mt_space_spread(m->space, u + side * nvars, x);
    f[side] = mt_model_mean(m, goal, x);
    s->sum += f[side];
    s->square += f[side] * f[side];
  }
  for (int i = 0; i < nvars; i++) {
    for (int k = 0; k < nvars; k++) v[k] = u[k == i ? nvars + k : k];
    mt_space_spread(m->space, v, x);
    double mixed = mt_model_mean(m, goal, x);
    s->by_a[i] += (f[0] - mixed) * (f[0] - mixed);
    s->by_b[i] += (f[1] - mixed) * (f[1] - mixed);
  }
}

void mt_model_importance(const MtModel *m, int goal, int points, uint64_t seed, double *first, double *total) {
  const size_t nvars = (size_t)m->space->nvars;
  double *room = mt_calloc(6 * nvars, sizeof *room), *u = room, *x = room + 2 * nvars, *v = room + 3 * nvars;
  Sums s = {.by_a = room + 4 * nvars, .by_b = room + 5 * nvars};
  for (int i = 0; i < points; i++) {
    pair_of_points(m->space->nvars, seed, (uint32_t)i, u);
    add_point(m, goal, u, x, v, &s);
  }
  double mean = s.sum / (2 * points), variance = s.square / (2 * points) - mean * mean;
  for (size_t k = 0; k < nvars; k++) {
    const bool varies = variance > 1e-20 * (1 + mean * mean);
    total[k] = varies ? s.by_a[k] / (2 * points) / variance : 0;
    first[k] = varies ? fmax(1 - s.by_b[k] / (2 * points) / variance, 0) : 0;
  }
  free(room);
}
