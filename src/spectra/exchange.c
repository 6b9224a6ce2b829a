/* Replicas walk at their temperatures and exchange these, not their places: a rank keeps its replicas, and all ranks
 * draw the same decisions from the energies of all. */
#include "magtwin/exchange.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>
#include <string.h>

enum { TUNE = 25, BATCHES = 10 }; /* sweeps between changes of the step widths; parts of the samples, for errors */
static const double wanted = .4;  /* share of steps that are taken */

typedef struct {
  double u[MT_EXCHANGE_DIMS], energy;
  MtRandom random;
} Replica;

typedef struct {
  MPI_Comm comm;
  const MtTarget *t;
  const MtExchangeOptions *o;
  MtExchange *e;
  int64_t start, n;      /* replicas of this rank */
  int *count, *from;     /* [ranks] of every rank */
  Replica *replica;      /* [n] */
  double *all;           /* [replicas] energies by replica */
  int *at, *who;         /* temperature of a replica, replica at a temperature */
  double *step;          /* [replicas, dims] widths by temperature */
  double *tried, *taken; /* [replicas, dims] since the last change */
  double *sum, *square;  /* [replica, temperature, facts]: added up in one order on any number of ranks */
  double *moves;         /* [2 replicas] tried and taken in all */
  double *swaps;         /* [2 replicas] */
  double *series;        /* [replicas, sweeps] energies by temperature */
  MtRandom shared;       /* the same on all ranks */
} Work;

/* Back into the unit interval, as between mirrors. */
static double reflect(double x) {
  x = fabs(x);
  x -= 2 * floor(x / 2);
  return x > 1 ? 2 - x : x;
}

static void try_value(const Work *w, Replica *r, int t, int d, double value) {
  const double old = r->u[d], b = w->e->b[t];
  r->u[d] = value;
  const double energy = w->t->energy(w->t->model, r->u);
  const bool take = energy <= r->energy || mt_random_uniform(&r->random) < exp(-b * (energy - r->energy));
  if (take)
    r->energy = energy;
  else
    r->u[d] = old;
}

/* Each coordinate a step, then one of them anew. */
static void sweep_replica(const Work *w, Replica *r, int t) {
  const int dims = w->t->dims;
  if (t == 0) {
    for (int d = 0; d < dims; d++) r->u[d] = mt_random_uniform(&r->random);
    r->energy = w->t->energy(w->t->model, r->u);
    return;
  }
  for (int d = 0; d < dims; d++) {
    const double before = r->u[d], value = reflect(before + w->step[t * dims + d] * mt_random_normal(&r->random));
    try_value(w, r, t, d, value);
    w->tried[t * dims + d]++;
    w->taken[t * dims + d] += r->u[d] != before;
  }
  const int d = (int)(mt_random_uniform(&r->random) * dims);
  try_value(w, r, t, d, mt_random_uniform(&r->random));
}

static PetscErrorCode exchange(Work *w, int sweep) {
  double *mine = mt_malloc((size_t)w->n * sizeof *mine);
  for (int64_t i = 0; i < w->n; i++) mine[i] = w->replica[i].energy;
  PetscCallMPI(MPI_Allgatherv(mine, (int)w->n, MPI_DOUBLE, w->all, w->count, w->from, MPI_DOUBLE, w->comm));
  free(mine);
  for (int t = sweep % 2; t + 1 < w->o->replicas; t += 2) {
    const int low = w->who[t], high = w->who[t + 1];
    const double gain = (w->e->b[t + 1] - w->e->b[t]) * (w->all[high] - w->all[low]);
    const bool swap = mt_random_uniform(&w->shared) < exp(fmin(0, gain));
    w->swaps[2 * t]++;
    w->swaps[2 * t + 1] += swap;
    if (!swap) continue;
    w->who[t] = high, w->who[t + 1] = low;
    w->at[high] = t, w->at[low] = t + 1;
  }
  return 0;
}

/* Widths towards the wanted share of steps; the same on all ranks. */
static PetscErrorCode tune(Work *w, bool change) {
  const int n = w->o->replicas * w->t->dims;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, w->tried, n, MPI_DOUBLE, MPI_SUM, w->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, w->taken, n, MPI_DOUBLE, MPI_SUM, w->comm));
  for (int i = 0; i < n; i++) {
    w->moves[2 * (i / w->t->dims)] += change ? 0 : w->tried[i];
    w->moves[2 * (i / w->t->dims) + 1] += change ? 0 : w->taken[i];
    if (change && w->tried[i] > 0)
      w->step[i] = fmin(.5, fmax(1e-7, w->step[i] * exp(2 * (w->taken[i] / w->tried[i] - wanted))));
    w->tried[i] = w->taken[i] = 0;
  }
  return 0;
}

static void note(Work *w, int sample) {
  double fact[MT_EXCHANGE_DIMS];
  const int facts = w->t->facts;
  for (int t = 0; t < w->o->replicas; t++) w->series[(int64_t)t * w->o->sweeps + sample] = w->all[w->who[t]];
  for (int64_t i = 0; i < w->n; i++) {
    const int t = w->at[w->start + i];
    if (w->replica[i].energy < w->e->least) {
      w->e->least = w->replica[i].energy;
      memcpy(w->e->best, w->replica[i].u, (size_t)w->t->dims * sizeof *w->e->best);
    }
    if (facts) w->t->describe(w->t->model, w->replica[i].u, fact);
    for (int f = 0; f < facts; f++) {
      const int64_t at = ((w->start + i) * w->o->replicas + t) * facts + f;
      w->sum[at] += fact[f];
      w->square[at] += fact[f] * fact[f];
    }
  }
}

static PetscErrorCode walk(Work *w) {
  for (int s = 0; s < w->o->burn + w->o->sweeps; s++) {
    for (int64_t i = 0; i < w->n; i++) sweep_replica(w, &w->replica[i], w->at[w->start + i]);
    PetscCall(exchange(w, s));
    if (s < w->o->burn && s % TUNE == TUNE - 1) PetscCall(tune(w, true));
    if (s >= w->o->burn) note(w, s - w->o->burn);
  }
  return tune(w, false);
}

/* F1 - F0 of two neighbours from samples of both: as many of one that would go up as of the other that would go down.
 */
static double free_energy_step(int n, double db, const double *low, const double *high) {
  double from = INFINITY, to = -INFINITY;
  for (int i = 0; i < n; i++) {
    from = fmin(from, fmin(db * low[i], db * high[i]));
    to = fmax(to, fmax(db * low[i], db * high[i]));
  }
  for (int it = 0; it < 200 && from < to; it++) {
    const double middle = from + (to - from) / 2;
    double balance = 0;
    for (int i = 0; i < n; i++) balance += 1 / (1 + exp(db * low[i] - middle)) - 1 / (1 + exp(middle - db * high[i]));
    if (middle == from || middle == to) break;
    if (balance < 0)
      from = middle;
    else
      to = middle;
  }
  return from + (to - from) / 2;
}

/* Batch means: the integrals from parts of the samples, each so long that it hardly knows of the others. */
static void errors(const Work *w) {
  const int64_t n = w->o->sweeps;
  const int batches = n < BATCHES ? (int)n : BATCHES;
  double sum[BATCHES] = {0};
  for (int t = 1; t < w->o->replicas; t++) {
    const double *high = w->series + t * n, *low = high - n, db = w->e->b[t] - w->e->b[t - 1];
    double mean = 0, square = 0;
    for (int k = 0; k < batches; k++) {
      const int64_t from = k * n / batches, to = (k + 1) * n / batches;
      sum[k] -= free_energy_step((int)(to - from), db, low + from, high + from);
      mean += sum[k] / batches;
    }
    for (int k = 0; k < batches; k++) square += (sum[k] - mean) * (sum[k] - mean);
    w->e->log_error[t] = sqrt(square / (batches - 1) / batches);
  }
}

static PetscErrorCode conclude(Work *w) {
  MtExchange *e = w->e;
  const int n = w->o->sweeps, facts = w->t->facts;
  struct {
    double value;
    int rank;
  } least = {e->least, 0};
  PetscCallMPI(MPI_Comm_rank(w->comm, &least.rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE_INT, MPI_MINLOC, w->comm));
  e->least = least.value;
  PetscCallMPI(MPI_Bcast(e->best, w->t->dims, MPI_DOUBLE, least.rank, w->comm));
  const int cells = w->o->replicas * w->o->replicas * facts;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, w->sum, cells, MPI_DOUBLE, MPI_SUM, w->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, w->square, cells, MPI_DOUBLE, MPI_SUM, w->comm));
  for (int t = 0; t < w->o->replicas; t++) {
    const double *series = w->series + (int64_t)t * n;
    for (int i = 0; i < n; i++) e->energy[t] += series[i] / n;
    if (t) e->log_integral[t] = e->log_integral[t - 1] - free_energy_step(n, e->b[t] - e->b[t - 1], series - n, series);
    e->moved[t] = w->moves[2 * t] > 0 ? w->moves[2 * t + 1] / w->moves[2 * t] : 1;
    e->exchanged[t] = w->swaps[2 * t] > 0 ? w->swaps[2 * t + 1] / w->swaps[2 * t] : 0;
    for (int f = t * facts; f < (t + 1) * facts; f++) {
      double square = 0;
      for (int r = 0; r < w->o->replicas; r++) {
        e->mean[f] += w->sum[(int64_t)r * w->o->replicas * facts + f] / n;
        square += w->square[(int64_t)r * w->o->replicas * facts + f] / n;
      }
      e->deviation[f] = sqrt(fmax(0, square - e->mean[f] * e->mean[f]));
    }
  }
  errors(w);
  return 0;
}

static void result_create(const MtTarget *t, const MtExchangeOptions *o, MtExchange *e) {
  const size_t n = (size_t)o->replicas, facts = n * (size_t)t->facts;
  *e = (MtExchange){.replicas = o->replicas, .dims = t->dims, .facts = t->facts, .least = INFINITY};
  e->b = mt_calloc(6 * n + 2 * facts + (size_t)t->dims, sizeof *e->b);
  e->log_integral = e->b + n, e->energy = e->b + 2 * n, e->moved = e->b + 3 * n, e->exchanged = e->b + 4 * n;
  e->log_error = e->b + 5 * n;
  e->mean = e->b + 6 * n, e->deviation = e->mean + facts, e->best = e->deviation + facts;
  for (int i = 1; i < o->replicas; i++)
    e->b[i] = o->replicas > 2 ? o->lowest * pow(o->highest / o->lowest, (i - 1.) / (o->replicas - 2.)) : o->highest;
}

void mt_exchange_free(MtExchange *e) {
  free(e->b);
  memset(e, 0, sizeof *e);
}

static PetscErrorCode begin(Work *w) {
  int rank, ranks;
  PetscCallMPI(MPI_Comm_rank(w->comm, &rank));
  PetscCallMPI(MPI_Comm_size(w->comm, &ranks));
  w->count = mt_malloc(2 * (size_t)ranks * sizeof *w->count);
  w->from = w->count + ranks;
  for (int r = 0; r < ranks; r++) {
    mt_slab(w->o->replicas, r, ranks, &w->start, &w->n);
    w->count[r] = (int)w->n, w->from[r] = (int)w->start;
  }
  mt_slab(w->o->replicas, rank, ranks, &w->start, &w->n);
  w->replica = mt_calloc((size_t)w->n, sizeof *w->replica);
  mt_random_seed(&w->shared, w->o->seed);
  for (int64_t i = 0; i < w->n; i++) {
    uint64_t state = w->o->seed;
    state = mt_splitmix64(&state) + (uint64_t)(w->start + i) + 1;
    mt_random_seed(&w->replica[i].random, mt_splitmix64(&state));
    sweep_replica(w, &w->replica[i], 0);
  }
  for (int t = 0; t < w->o->replicas; t++) w->at[t] = w->who[t] = t;
  for (int i = 0; i < w->o->replicas * w->t->dims; i++) w->step[i] = .1;
  return 0;
}

PetscErrorCode mt_exchange_run(MPI_Comm comm, const MtTarget *target, const MtExchangeOptions *o, MtExchange *e) {
  const size_t n = (size_t)o->replicas, cells = n * (size_t)target->dims, facts = n * n * (size_t)target->facts;
  Work w = {.comm = comm, .t = target, .o = o, .e = e};
  result_create(target, o, e);
  double *store = mt_calloc(3 * cells + 2 * facts + 5 * n + n * (size_t)o->sweeps, sizeof *store);
  w.step = store, w.tried = store + cells, w.taken = store + 2 * cells, w.sum = store + 3 * cells;
  w.square = w.sum + facts, w.moves = w.square + facts, w.swaps = w.moves + 2 * n, w.all = w.swaps + 2 * n;
  w.series = w.all + n;
  w.at = mt_malloc(2 * n * sizeof *w.at);
  w.who = w.at + n;
  PetscErrorCode rc = begin(&w);
  if (!rc) rc = walk(&w);
  if (!rc) rc = conclude(&w);
  free(store);
  free(w.at);
  free(w.count);
  free(w.replica);
  return rc;
}
