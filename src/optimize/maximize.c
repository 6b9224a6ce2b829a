/* The maximum of the acquisition over the space.
 *
 * Method: Sobol points and points around the best trials are screened; from the best of them the real variables are
 * improved by NLopt (L-BFGS, or SLSQP under linear constraints) and the others by exchange, in turns.  Screening and
 * starts are dealt to the ranks. */
#include "acquisition.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <nlopt.h>
#include <string.h>

enum { STARTS = 8, NEAR_TRIALS = 4, NEAR_POINTS = 24, ROUNDS = 3, STEPS = 60 };

typedef struct {
  const MtAcquire *a;
  const MtSpace *space;
  int dim, nfree;
  int *free_coord, *free_var; /* [nfree] coordinate and number of each real variable */
  double *u;                  /* [dim] the point on its way */
  double *gradient;           /* [dim] */
  double best, *at;           /* largest value met, [dim] where */
} Climb;

static Climb climb_new(const MtAcquire *a, const MtSpace *space) {
  Climb c = {.a = a, .space = space, .dim = mt_space_dim(space)};
  const size_t dim = (size_t)c.dim;
  c.free_coord = mt_malloc(sizeof(int) * 2 * dim);
  c.free_var = c.free_coord + dim;
  c.u = mt_malloc(sizeof(double) * 3 * dim);
  c.gradient = c.u + dim;
  c.at = c.u + 2 * dim;
  for (int i = 0, k = 0; i < space->nvars; i++) {
    const MtVariable *v = &space->var[i];
    if (v->type == MT_VAR_REAL && v->max > v->min) {
      c.free_coord[c.nfree] = k;
      c.free_var[c.nfree++] = i;
    }
    k += v->type == MT_VAR_CATEGORICAL ? v->nvalues : 1;
  }
  return c;
}

static void climb_free(Climb *c) {
  free(c->free_coord);
  free(c->u);
}

static double objective(unsigned n, const double *v, double *gradient, void *data) {
  Climb *c = data;
  for (unsigned k = 0; k < n; k++) c->u[c->free_coord[k]] = v[k];
  double value = mt_acquire(c->a, c->dim, c->u, gradient ? c->gradient : NULL);
  for (unsigned k = 0; gradient && k < n; k++) gradient[k] = c->gradient[c->free_coord[k]];
  return value;
}

typedef struct {
  Climb *climb;
  const MtLinear *linear;
} Constraint;

/* sum coef x(u) - bound <= 0 */
static double constraint(unsigned n, const double *v, double *gradient, void *data) {
  const Constraint *q = data;
  Climb *c = q->climb;
  double sum = -q->linear->bound, *x = mt_malloc(sizeof *x * (size_t)c->space->nvars);
  for (unsigned k = 0; k < n; k++) c->u[c->free_coord[k]] = v[k];
  mt_space_decode(c->space, c->u, x);
  for (int i = 0; i < c->space->nvars; i++) sum += q->linear->coef[i] * x[i];
  for (unsigned k = 0; gradient && k < n; k++) {
    const MtVariable *var = &c->space->var[c->free_var[k]];
    double slope = var->log ? x[c->free_var[k]] * log(var->max / var->min) : var->max - var->min;
    gradient[k] = q->linear->coef[c->free_var[k]] * slope;
  }
  free(x);
  return sum;
}

/* Is from + t (to - from) in the space?  -> u */
static bool on_way(const MtSpace *space, int dim, const double *from, const double *to, double t, double *u) {
  double *x = mt_malloc(sizeof *x * (size_t)space->nvars);
  for (int k = 0; k < dim; k++) u[k] = from[k] + t * (to[k] - from[k]);
  mt_space_decode(space, u, x);
  bool in = mt_space_contains(space, x, NULL);
  free(x);
  return in;
}

/* The last point on the way from `from` to `to` (in place) that satisfies the constraints; `from` does. */
static void pull_back(const MtSpace *space, int dim, const double *from, double *to) {
  double *u = mt_malloc(sizeof *u * (size_t)dim), low = 0, high = 1;
  if (!on_way(space, dim, from, to, 1, u)) {
    for (int it = 0; it < 40; it++) {
      double t = 0.5 * (low + high);
      *(on_way(space, dim, from, to, t, u) ? &low : &high) = t;
    }
    on_way(space, dim, from, to, low, u);
    memcpy(to, u, sizeof *u * (size_t)dim);
  }
  free(u);
}

/* Real variables, by NLopt; what it returns does not matter, the point counts.  c->at, c->best -> better ones. */
static void climb_reals(Climb *c) {
  const unsigned n = (unsigned)c->nfree;
  const int nlinear = c->space->nlinear;
  if (!n) return;
  double *v = mt_malloc(sizeof *v * (n + (size_t)c->dim)), *to = v + n, value;
  Constraint *q = mt_malloc(sizeof *q * (size_t)nlinear);
  nlopt_opt opt = nlopt_create(nlinear ? NLOPT_LD_SLSQP : NLOPT_LD_LBFGS, n);
  memcpy(c->u, c->at, sizeof(double) * (size_t)c->dim);
  for (unsigned k = 0; k < n; k++) v[k] = c->u[c->free_coord[k]];
  nlopt_set_max_objective(opt, objective, c);
  nlopt_set_lower_bounds1(opt, 0);
  nlopt_set_upper_bounds1(opt, 1);
  for (int i = 0; i < nlinear; i++) {
    q[i] = (Constraint){c, &c->space->linear[i]};
    nlopt_add_inequality_constraint(opt, constraint, &q[i], 0);
  }
  nlopt_set_xtol_abs1(opt, 1e-7);
  nlopt_set_ftol_abs(opt, 1e-9);
  nlopt_set_maxeval(opt, STEPS);
  nlopt_optimize(opt, v, &value);
  nlopt_destroy(opt);
  memcpy(to, c->at, sizeof(double) * (size_t)c->dim);
  for (unsigned k = 0; k < n; k++) to[c->free_coord[k]] = fmin(fmax(v[k], 0), 1);
  pull_back(c->space, c->dim, c->at, to);
  value = mt_acquire(c->a, c->dim, to, NULL);
  if (value > c->best) {
    c->best = value;
    memcpy(c->at, to, sizeof(double) * (size_t)c->dim);
  }
  free(v);
  free(q);
}

/* Takes x with value `to` of variable i if that is better. */
static bool try_value(Climb *c, double *x, int i, double to) {
  const MtVariable *v = &c->space->var[i];
  double old = x[i];
  if (to < v->min || to > v->max || to == old) return false;
  x[i] = to;
  mt_space_encode(c->space, x, c->u);
  double value = mt_space_contains(c->space, x, NULL) ? mt_acquire(c->a, c->dim, c->u, NULL) : -INFINITY;
  if (value > c->best) {
    c->best = value;
    memcpy(c->at, c->u, sizeof(double) * (size_t)c->dim);
    return true;
  }
  x[i] = old;
  return false;
}

/* Integers by steps of one and of a tenth of their range, categories by each other value. */
static bool exchange(Climb *c) {
  bool better = false;
  double *x = mt_malloc(sizeof *x * (size_t)c->space->nvars);
  mt_space_decode(c->space, c->at, x);
  for (int i = 0; i < c->space->nvars; i++) {
    const MtVariable *v = &c->space->var[i];
    double far = fmax(2, floor((v->max - v->min) / 10)), here = x[i];
    const double steps[] = {1, -1, far, -far};
    for (int k = 0; v->type == MT_VAR_INTEGER && k < 4; k++) better = try_value(c, x, i, here + steps[k]) || better;
    for (int k = 0; v->type == MT_VAR_CATEGORICAL && k < v->nvalues; k++) better = try_value(c, x, i, k) || better;
  }
  free(x);
  return better;
}

static void climb(Climb *c, const double *start) {
  memcpy(c->at, start, sizeof(double) * (size_t)c->dim);
  c->best = mt_acquire(c->a, c->dim, start, NULL);
  climb_reals(c);
  for (int round = 1; round < ROUNDS && exchange(c); round++) climb_reals(c);
}

bool mt_tried(const MtSpace *space, int n, const MtTrial *trial, const double *x) {
  const int dim = mt_space_dim(space);
  double *u = mt_malloc(sizeof *u * 2 * (size_t)dim), *w = u + dim;
  bool tried = false;
  mt_space_encode(space, x, u);
  for (int i = 0; i < n && !tried; i++) {
    mt_space_encode(space, trial[i].x, w);
    tried = true;
    for (int k = 0; k < dim && tried; k++) tried = fabs(u[k] - w[k]) < 1e-7;
  }
  free(u);
  return tried;
}

/* Points to screen -> [*count, dim], all in the space and not tried. */
typedef struct {
  int count, room;
  double *u; /* [room, dim] */
  double *x; /* [room, nvars] the same points, as they are */
} Points;

static Points points_new(const MtSpace *space, int room) {
  const size_t n = (size_t)room;
  return (Points){0, room, mt_malloc(sizeof(double) * n * (size_t)mt_space_dim(space)),
                  mt_malloc(sizeof(double) * n * (size_t)space->nvars)};
}

static void points_add(Points *p, const MtSpace *space, int n, const MtTrial *trial, const double *x) {
  const size_t dim = (size_t)mt_space_dim(space), nvars = (size_t)space->nvars;
  if (p->count == p->room || !mt_space_contains(space, x, NULL) || mt_tried(space, n, trial, x)) return;
  mt_space_encode(space, x, p->u + (size_t)p->count * dim);
  memcpy(p->x + (size_t)p->count++ * nvars, x, sizeof *x * nvars);
}

/* One normal step of every coordinate around x; a category changes one time in five. */
static void perturb(const MtSpace *space, MtRandom *random, double width, const double *from, double *x) {
  const int dim = mt_space_dim(space);
  double *u = mt_malloc(sizeof *u * (size_t)dim);
  mt_space_encode(space, from, u);
  for (int i = 0, k = 0; i < space->nvars; i++) {
    const MtVariable *v = &space->var[i];
    if (v->type != MT_VAR_CATEGORICAL) {
      u[k] = fmin(fmax(u[k] + width * mt_random_normal(random), 0), 1);
      k++;
      continue;
    }
    int other = (int)(mt_random_uniform(random) * v->nvalues);
    if (mt_random_uniform(random) < 0.2)
      for (int j = 0; j < v->nvalues; j++) u[k + j] = j == other;
    k += v->nvalues;
  }
  mt_space_decode(space, u, x);
  free(u);
}

/* The trials with the smallest expected values, numbers -> best [NEAR_TRIALS]; how many. */
static int best_trials(const MtAcquire *a, const MtSpace *space, int n, const MtTrial *trial, int *best) {
  const int dim = mt_space_dim(space);
  double *u = mt_malloc(sizeof *u * (size_t)dim), value[NEAR_TRIALS];
  int count = 0;
  for (int i = 0; i < n; i++) {
    if (trial[i].status != MT_TRIAL_DONE) continue;
    mt_space_encode(space, trial[i].x, u);
    double v = -mt_acquire(a, dim, u, NULL), sd;
    if (a->settings->ngoals == 1) mt_gp_predict(a->gp[0], u, &v, &sd, NULL, NULL);
    if (a->settings->ngoals == 1 && a->settings->has_target[0]) v = fabs(v - a->settings->target[0]);
    int at = count < NEAR_TRIALS ? count++ : v < value[NEAR_TRIALS - 1] ? NEAR_TRIALS - 1 : -1;
    if (at < 0) continue;
    for (; at > 0 && value[at - 1] > v; at--) {
      value[at] = value[at - 1];
      best[at] = best[at - 1];
    }
    value[at] = v;
    best[at] = i;
  }
  free(u);
  return count;
}

static Points screen_points(const MtAcquire *a, const MtSpace *space, int n, const MtTrial *trial, uint64_t seed) {
  const int dim = mt_space_dim(space), nvars = space->nvars, spread = 200 + 60 * (dim < 10 ? dim : 10);
  Points p = points_new(space, spread + NEAR_TRIALS * NEAR_POINTS);
  int best[NEAR_TRIALS], near = best_trials(a, space, n, trial, best);
  double *x = mt_malloc(sizeof *x * 2 * (size_t)nvars), *u = x + nvars;
  MtRandom random;
  mt_random_seed(&random, seed);
  for (int i = 0; i < near; i++)
    for (int k = 0; k < NEAR_POINTS; k++) {
      static const double widths[] = {0.1, 0.02, 0.004};
      perturb(space, &random, widths[k % 3], trial[best[i]].x, x);
      points_add(&p, space, n, trial, x);
    }
  for (uint32_t i = 0; p.count < p.room && i < 200u * (uint32_t)spread; i++) {
    if (nvars <= MT_SOBOL_DIM)
      mt_sobol(nvars, seed, i, u);
    else
      for (int k = 0; k < nvars; k++) u[k] = mt_random_uniform(&random);
    mt_space_spread(space, u, x);
    points_add(&p, space, n, trial, x);
  }
  free(x);
  return p;
}

static Points pool_points(const MtSpace *space, int n, const MtTrial *trial) {
  Points p = points_new(space, space->npool);
  for (int i = 0; i < space->npool; i++)
    points_add(&p, space, n, trial, space->pool + (size_t)i * (size_t)space->nvars);
  return p;
}

/* Values of all points, on every rank; the caller frees. */
static PetscErrorCode screen(MPI_Comm comm, const MtAcquire *a, int dim, const Points *p, double **value) {
  int rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  *value = mt_calloc((size_t)p->count, sizeof **value);
  for (int i = rank; i < p->count; i += size) (*value)[i] = mt_acquire(a, dim, p->u + (size_t)i * (size_t)dim, NULL);
  return mt_share_rows(comm, p->count, 1, *value);
}

static int best_left(int n, double *value) {
  int best = 0;
  for (int i = 1; i < n; i++)
    if (value[i] > value[best]) best = i;
  value[best] = -INFINITY;
  return best;
}

/* From the best screened points uphill; the best end that has not been tried, else the best screened point. */
static PetscErrorCode climb_all(MPI_Comm comm, const MtAcquire *a, const MtSpace *space, int n, const MtTrial *trial,
                                const Points *p, double *value, double *x) {
  const int dim = mt_space_dim(space), width = dim + 1, starts = p->count < STARTS ? p->count : STARTS;
  int rank, size, best = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  double *table = mt_calloc((size_t)(starts * width), sizeof *table);
  Climb c = climb_new(a, space);
  for (int k = 0; k < starts; k++) {
    const int from = best_left(p->count, value);
    if (k == 0) memcpy(x, p->x + (size_t)from * (size_t)space->nvars, sizeof *x * (size_t)space->nvars);
    if (k % size != rank) continue;
    climb(&c, p->u + (size_t)from * (size_t)dim);
    table[k * width] = c.best;
    memcpy(table + k * width + 1, c.at, sizeof(double) * (size_t)dim);
  }
  climb_free(&c);
  PetscErrorCode rc = mt_share_rows(comm, starts, width, table);
  double *end = mt_malloc(sizeof *end * (size_t)space->nvars);
  for (int k = 0; k < starts && !rc; k++) {
    if (best >= 0 && table[k * width] <= table[best * width]) continue;
    mt_space_decode(space, table + k * width + 1, end);
    if (mt_tried(space, n, trial, end)) continue;
    best = k;
    memcpy(x, end, sizeof *x * (size_t)space->nvars);
  }
  free(end);
  free(table);
  return rc;
}

PetscErrorCode mt_acquire_maximize(MPI_Comm comm, const MtAcquire *a, const MtSpace *space, int n, const MtTrial *trial,
                                   uint64_t seed, double *x, bool *found) {
  const int dim = mt_space_dim(space);
  double *value = NULL;
  Points p = space->npool ? pool_points(space, n, trial) : screen_points(a, space, n, trial, seed);
  PetscErrorCode rc = 0;
  *found = p.count > 0;
  if (*found) rc = screen(comm, a, dim, &p, &value);
  if (*found && !rc && space->npool)
    memcpy(x, p.x + (size_t)best_left(p.count, value) * (size_t)space->nvars, sizeof *x * (size_t)space->nvars);
  else if (*found && !rc)
    rc = climb_all(comm, a, space, n, trial, &p, value, x);
  free(value);
  free(p.u);
  free(p.x);
  return rc;
}
