/* The next point: spread at first, then by a model of all trials (optimize.h). */
#include "acquisition.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

enum { FEATURES = 512, JOINT_DRAWS = 16, TRIES = 1000000, DRAWS = 1000 };

double mt_goal_loss(const MtProposer *p, int goal, double y) {
  return p->has_target[goal] ? fabs(y - p->target[goal]) : p->sign[goal] * y;
}

/* Independent streams of one campaign: one for each use and trial. */
static uint64_t stream(const MtProposer *p, uint64_t use, uint64_t number) {
  uint64_t state = p->seed;
  state = mt_splitmix64(&state) ^ (use << 32);
  state = mt_splitmix64(&state) ^ number;
  return mt_splitmix64(&state);
}

static void spread_point(const MtSpace *space, uint64_t seed, uint32_t index, double *u, double *x) {
  MtRandom random;
  mt_random_seed(&random, seed + index);
  if (space->npool) {
    int row = index < DRAWS ? (int)(mt_random_uniform(&random) * space->npool) : (int)index - DRAWS; /* then in order */
    memcpy(x, space->pool + (size_t)row * (size_t)space->nvars, sizeof *x * (size_t)space->nvars);
    return;
  }
  if (space->nvars <= MT_SOBOL_DIM)
    mt_sobol(space->nvars, seed, index, u);
  else
    for (int k = 0; k < space->nvars; k++) u[k] = mt_random_uniform(&random);
  mt_space_spread(space, u, x);
}

/* The first point of the spread that is allowed and not tried. */
static PetscErrorCode propose_spread(const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial, double *x,
                                     MtProposal *how) {
  double *u = mt_malloc(sizeof *u * (size_t)space->nvars);
  const uint64_t seed = stream(p, 1, 0);
  bool allowed = false, found = false;
  how->how = "spread";
  const uint32_t tries = space->npool ? (uint32_t)(DRAWS + space->npool) : TRIES;
  for (uint32_t i = 0; i < tries && !found && !(i == 100000 && !allowed); i++) {
    spread_point(space, seed, i, u, x);
    bool in = mt_space_contains(space, x, NULL);
    allowed = allowed || in;
    found = in && !mt_tried(space, n, trial, x);
  }
  free(u);
  how->exhausted = allowed && !found;
  if (allowed) return 0;
  return mt_error(MT_ERR_INPUT, "no point of 100000 satisfies the constraints (%s%s)",
                  space->nlinear ? space->linear[0].text : "none", space->nlinear > 1 ? ", ..." : "");
}

/* Trials of a status, encoded, with a value each; the caller frees u. */
typedef struct {
  int n;
  double *u; /* [n, dim] and y behind it */
  double *y; /* [n] */
} Rows;

static Rows rows_new(const MtSpace *space, int n) {
  Rows r = {0, mt_malloc(sizeof(double) * (size_t)n * (size_t)(mt_space_dim(space) + 1)), NULL};
  r.y = r.u + (size_t)n * (size_t)mt_space_dim(space);
  return r;
}

static void rows_add(Rows *r, const MtSpace *space, const MtTrial *t, double y) {
  mt_space_encode(space, t->x, r->u + (size_t)r->n * (size_t)mt_space_dim(space));
  r->y[r->n++] = y;
}

/* The surrogate of one goal (minimized), with waiting trials at their expected values. */
static PetscErrorCode fit_goal(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int goal, int n,
                               const MtTrial *trial, const MtGp *base, MtGp **gp) {
  const int dim = mt_space_dim(space);
  Rows done = rows_new(space, n), waiting = rows_new(space, n);
  MtGpFit fit = mt_gp_fit_default;
  double sd;
  fit.noisy = p->noisy;
  fit.seed = stream(p, goal < 3 ? 2 + (uint64_t)goal : 20 + (uint64_t)goal, (uint64_t)n);
  for (int i = 0; i < n; i++)
    if (trial[i].status == MT_TRIAL_DONE) rows_add(&done, space, &trial[i], p->sign[goal] * trial[i].y[goal]);
  *gp = base ? mt_gp_create_over(base, p->kernel, dim, done.n, done.u, done.y)
             : mt_gp_create(p->kernel, dim, done.n, done.u, done.y);
  PetscErrorCode rc = mt_gp_fit(comm, *gp, &fit);
  for (int i = 0; i < n && !rc; i++) {
    if (trial[i].status != MT_TRIAL_WAITING) continue;
    rows_add(&waiting, space, &trial[i], 0);
    mt_gp_predict(*gp, waiting.u + (size_t)(waiting.n - 1) * (size_t)dim, &waiting.y[waiting.n - 1], &sd, NULL, NULL);
  }
  if (!rc && waiting.n) {
    MtGp *more = NULL;
    rc = mt_gp_extend(*gp, waiting.n, waiting.u, waiting.y, &more);
    mt_gp_destroy(gp);
    *gp = more;
  }
  free(done.u);
  free(waiting.u);
  return rc;
}

/* The surrogate of the related task, as it was left; NULL without one. */
static PetscErrorCode fit_base(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int goal, MtGp **gp) {
  int done = 0;
  for (int i = 0; i < p->nprior; i++) done += p->prior[i].status == MT_TRIAL_DONE;
  if (done < 2) return 0;
  Rows rows = rows_new(space, done);
  MtGpFit fit = mt_gp_fit_default;
  fit.noisy = p->noisy;
  fit.seed = stream(p, 9 + (uint64_t)goal, 0);
  for (int i = 0; i < p->nprior; i++)
    if (p->prior[i].status == MT_TRIAL_DONE) rows_add(&rows, space, &p->prior[i], p->sign[goal] * p->prior[i].y[goal]);
  *gp = mt_gp_create(p->kernel, mt_space_dim(space), rows.n, rows.u, rows.y);
  free(rows.u);
  return mt_gp_fit(comm, *gp, &fit);
}

static PetscErrorCode fit_cost(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                               MtGp **gp) {
  Rows known = rows_new(space, n);
  MtGpFit fit = mt_gp_fit_default;
  PetscErrorCode rc = 0;
  fit.noisy = true;
  fit.seed = stream(p, 5, (uint64_t)n);
  for (int i = 0; i < n; i++)
    if (trial[i].status == MT_TRIAL_DONE && trial[i].cost > 0) rows_add(&known, space, &trial[i], log(trial[i].cost));
  if (known.n >= 2) {
    *gp = mt_gp_create(p->kernel, mt_space_dim(space), known.n, known.u, known.y);
    rc = mt_gp_fit(comm, *gp, &fit);
  }
  free(known.u);
  return rc;
}

static PetscErrorCode fit_feasible(const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                                   MtFeasible **f) {
  Rows known = rows_new(space, n);
  bool *good = mt_malloc(sizeof *good * (size_t)n);
  int failed = 0;
  for (int i = 0; i < n; i++) {
    if (trial[i].status == MT_TRIAL_WAITING) continue;
    good[known.n] = trial[i].status == MT_TRIAL_DONE;
    failed += trial[i].status == MT_TRIAL_FAILED;
    rows_add(&known, space, &trial[i], 0);
  }
  PetscErrorCode rc = failed ? mt_feasible_create(p->kernel, mt_space_dim(space), known.n, known.u, good, f) : 0;
  free(known.u);
  free(good);
  return rc;
}

/* The reference of several goals, minimized: as given, or beyond the worst of the front by a tenth of its extent. */
static void reference_point(const MtProposer *p, int n, const double *y, double *reference) {
  bool *front = mt_malloc(sizeof *front * (size_t)n);
  mt_front(p->ngoals, n, y, front);
  for (int g = 0; g < p->ngoals; g++) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
      if (!front[i]) continue;
      low = fmin(low, y[p->ngoals * i + g]);
      high = fmax(high, y[p->ngoals * i + g]);
    }
    reference[g] = high + 0.1 * fmax(high - low, 1e-6 * (1 + fabs(high)));
    if (p->has_reference) reference[g] = mt_goal_loss(p, g, p->reference[g]);
  }
  free(front);
}

/* The loss at an expected value, which has its sign already. */
static double expected_loss(const MtProposer *p, int goal, double mean) {
  return p->has_target[goal] ? fabs(mean - p->target[goal]) : mean;
}

/* Of one goal: the best expected loss at the trials done, and the scatter of what is expected there. */
static void best_of_trials(MtAcquire *a, const MtSpace *space, int n, const MtTrial *trial) {
  double *u = mt_malloc(sizeof *u * (size_t)mt_space_dim(space)), mean, sd, sum = 0, square = 0;
  int m = 0;
  a->best = INFINITY;
  for (int i = 0; i < n; i++) {
    if (trial[i].status != MT_TRIAL_DONE) continue;
    mt_space_encode(space, trial[i].x, u);
    mt_gp_predict(a->gp[0], u, &mean, &sd, NULL, NULL);
    sum += mean;
    square += mean * mean;
    m++;
    a->best = fmin(a->best, expected_loss(a->settings, 0, mean));
  }
  free(u);
  a->unit = sqrt(fmax(square / m - sum / m * (sum / m), 0));
  if (!(a->unit > 0)) a->unit = 1;
  if (a->settings->has_target[0]) a->best = fmax(a->best, 1e-9 * a->unit); /* nothing improves on 0 */
}

/* Of several: what the expected losses leave undominated, those of points under way included. */
static void boxes_of_trials(MtAcquire *a, const MtSpace *space, int n, const MtTrial *trial) {
  const MtProposer *p = a->settings;
  double *u = mt_malloc(sizeof *u * (size_t)mt_space_dim(space)), sd, reference[MT_GOALS_MAX];
  double *y = mt_malloc(sizeof *y * (size_t)p->ngoals * (size_t)n);
  int m = 0;
  for (int i = 0; i < n; i++) {
    if (trial[i].status == MT_TRIAL_FAILED) continue;
    mt_space_encode(space, trial[i].x, u);
    for (int g = 0; g < p->ngoals; g++) {
      double *at = &y[p->ngoals * m + g];
      mt_gp_predict(a->gp[g], u, at, &sd, NULL, NULL);
      *at = expected_loss(p, g, *at);
    }
    m++;
  }
  reference_point(p, m, y, reference);
  a->boxes = mt_boxes(p->ngoals, m, y, reference);
  for (int g = 0; g < p->ngoals; g++)
    if (p->has_target[g]) a->boxes.target[g] = p->target[g];
  free(u);
  free(y);
}

void mt_acquire_free(MtAcquire *a) {
  for (int g = 0; g < MT_GOALS_MAX; g++) {
    mt_gp_destroy(&a->gp[g]);
    mt_gp_destroy(&a->base[g]);
  }
  mt_gp_sample_destroy(&a->sample);
  mt_gp_draws_destroy(&a->draws);
  mt_feasible_destroy(&a->feasible);
  mt_gp_destroy(&a->cost);
  mt_boxes_free(&a->boxes);
}

/* What may come out at the points under way. */
static PetscErrorCode draw_waiting(MtAcquire *a, const MtProposer *p, int n, const MtTrial *trial) {
  MtGp *copy = NULL;
  int waiting = 0;
  for (int i = 0; i < n; i++) waiting += trial[i].status == MT_TRIAL_WAITING;
  if (!waiting) return 0;
  PetscCall(mt_gp_extend(a->gp[0], 0, NULL, NULL, &copy));
  a->draws = mt_gp_draws_create(copy, waiting, JOINT_DRAWS, stream(p, 8, (uint64_t)n));
  return 0;
}

PetscErrorCode mt_acquire_build(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                                MtAcquire *a) {
  a->settings = p;
  for (int g = 0; g < p->ngoals; g++) {
    PetscCall(fit_base(comm, space, p, g, &a->base[g]));
    PetscCall(fit_goal(comm, space, p, g, n, trial, a->base[g], &a->gp[g]));
  }
  PetscCall(fit_feasible(space, p, n, trial, &a->feasible));
  if (p->cost_aware) PetscCall(fit_cost(comm, space, p, n, trial, &a->cost));
  best_of_trials(a, space, n, trial);
  if (p->ngoals > 1) boxes_of_trials(a, space, n, trial);
  if (p->ngoals == 1 && p->acquisition == MT_ACQUIRE_LOG_EI) PetscCall(draw_waiting(a, p, n, trial));
  if (p->ngoals == 1 && p->acquisition == MT_ACQUIRE_THOMPSON)
    a->sample = mt_gp_sample(a->gp[0], FEATURES, stream(p, 6, (uint64_t)n));
  return 0;
}

void mt_acquire_describe(const MtAcquire *a, const MtSpace *space, const double *x, MtProposal *how) {
  static const char *const names[] = {"log_ei", "ucb", "pi", "thompson"};
  double *u = mt_malloc(sizeof *u * (size_t)mt_space_dim(space));
  mt_space_encode(space, x, u);
  const bool mean = a->settings->acquisition == MT_ACQUIRE_UCB && a->settings->kappa == 0;
  how->how = a->settings->ngoals > 1 ? "log_ehvi" : (mean ? "mean" : names[a->settings->acquisition]);
  for (int g = 0; g < a->settings->ngoals; g++) {
    mt_gp_predict(a->gp[g], u, &how->mean[g], &how->sd[g], NULL, NULL);
    how->mean[g] *= a->settings->sign[g];
  }
  if (a->feasible) how->feasible = exp(mt_feasible_log(a->feasible, u, NULL));
  free(u);
}

/* With the end in sight nothing more is learnt for later: the last tenth goes where the least is expected. */
static MtProposer settings_at(const MtProposer *p, int n, const MtTrial *trial) {
  MtProposer now = *p;
  bool last = p->budget > 0 && n >= p->budget - p->budget / 10 && p->ngoals == 1 && !p->has_target[0] && !p->noisy &&
              !p->cost_aware && p->acquisition == MT_ACQUIRE_LOG_EI;
  for (int i = 0; i < n; i++) last = last && trial[i].status != MT_TRIAL_WAITING;
  if (!last) return now;
  now.acquisition = MT_ACQUIRE_UCB;
  now.kappa = 0;
  return now;
}

static PetscErrorCode propose_by_model(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n,
                                       const MtTrial *trial, double *x, MtProposal *how) {
  const MtProposer now = settings_at(p, n, trial);
  MtAcquire a = {0};
  bool found = false;
  PetscErrorCode rc = mt_acquire_build(comm, space, &now, n, trial, &a);
  if (!rc) rc = mt_acquire_maximize(comm, &a, space, n, trial, stream(p, 7, (uint64_t)n), x, &found);
  how->exhausted = !found;
  if (!rc && found) mt_acquire_describe(&a, space, x, how);
  mt_acquire_free(&a);
  return rc;
}

PetscErrorCode mt_propose(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                          double *x, MtProposal *how) {
  int done = 0;
  for (int i = 0; i < n; i++) done += trial[i].status == MT_TRIAL_DONE;
  *how = (MtProposal){.feasible = 1};
  for (int g = 0; g < MT_GOALS_MAX; g++) how->mean[g] = how->sd[g] = NAN;
  if (n < p->initial || done < 2) return propose_spread(space, p, n, trial, x, how);
  return propose_by_model(comm, space, p, n, trial, x, how);
}
