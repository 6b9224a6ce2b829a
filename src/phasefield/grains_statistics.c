/* Grain by grain: centroids, and which grains touch. */
#include "grains_impl.h"
#include "magtwin/error.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdlib.h>

/* Pairs of grains that touch, as a ngrains + b, a < b. */
typedef struct {
  int64_t *key;
  size_t n, capacity;
} Contacts;

static int by_key(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void sort_unique(Contacts *c) {
  size_t n = 0;
  if (c->n > 0) qsort(c->key, c->n, sizeof *c->key, by_key);
  for (size_t i = 0; i < c->n; i++)
    if (n == 0 || c->key[i] != c->key[n - 1]) c->key[n++] = c->key[i];
  c->n = n;
}

/* Many edges cross one boundary: repeats go before room is made. */
static void make_room(Contacts *c, size_t more) {
  if (c->n + more <= c->capacity) return;
  sort_unique(c);
  if (2 * (c->n + more) <= c->capacity) return;
  c->capacity = 2 * (c->n + more) + 1024;
  c->key = realloc(c->key, c->capacity * sizeof *c->key);
  if (!c->key) abort();
}

static int32_t largest_at(const MtGrainSet *s, const double *c, PetscInt node) {
  PetscInt most = s->start[node];
  for (PetscInt p = s->start[node]; p < s->start[node + 1]; p++)
    if (c[p] > c[most]) most = p;
  return s->grain[most];
}

/* Grains touch where an edge joins nodes of theirs across a face of the nodes' cells: k < 0. */
static PetscErrorCode own_contacts(const MtGrowth *g, const MtGrainRecord *of, Contacts *found) {
  const MtGrainGraph *a = &g->graph;
  int32_t *grain;
  PetscCall(PetscMalloc1(g->domain->n_local, &grain));
  for (PetscInt i = 0; i < g->domain->n_local; i++) grain[i] = largest_at(&g->set, g->c[0], i);
  for (PetscInt i = 0; i < g->domain->n_owned; i++)
    for (PetscInt k = a->start[i]; k < a->start[i + 1]; k++) {
      const int64_t x = grain[i], y = grain[a->node[k]];
      if (x == y || a->k[k] >= 0 || !(of[x].peak > .5) || !(of[y].peak > .5)) continue;
      make_room(found, 1);
      found->key[found->n++] = x < y ? x * g->ngrains + y : y * g->ngrains + x;
    }
  sort_unique(found);
  return PetscFree(grain);
}

static PetscErrorCode take_from(MPI_Comm comm, int rank, Contacts *c) {
  MPI_Status status;
  int n;
  PetscCallMPI(MPI_Probe(rank, 0, comm, &status));
  PetscCallMPI(MPI_Get_count(&status, MPI_INT64_T, &n));
  make_room(c, (size_t)n);
  PetscCallMPI(MPI_Recv(c->key + c->n, n, MPI_INT64_T, rank, 0, comm, MPI_STATUS_IGNORE));
  c->n += (size_t)n;
  sort_unique(c);
  return 0;
}

/* To rank 0 along a tree: no rank ever holds a pair twice for good. */
static PetscErrorCode gather(MPI_Comm comm, Contacts *c) {
  int rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (int step = 1; step < size; step *= 2) {
    if (rank & step) {
      PetscCallMPI(MPI_Send(c->key, (int)c->n, MPI_INT64_T, rank - step, 0, comm));
      c->n = 0;
      return 0;
    }
    if (rank + step < size) PetscCall(take_from(comm, rank + step, c));
  }
  return 0;
}

static PetscErrorCode count_neighbours(const MtGrowth *g, MtGrainRecord *of) {
  Contacts found = {0};
  make_room(&found, 1);
  PetscErrorCode rc = own_contacts(g, of, &found);
  if (!rc) rc = gather(g->ghosts.comm, &found);
  for (int k = 0; k < g->ngrains; k++) of[k].neighbours = 0;
  for (size_t i = 0; i < found.n; i++) {
    of[found.key[i] / g->ngrains].neighbours++;
    of[found.key[i] % g->ngrains].neighbours++;
  }
  free(found.key);
  return rc;
}

/* sum[2][3][ngrains]: w share of each grain by the cosines and sines of its nodes along periodic axes. */
static PetscErrorCode sum_angles(const MtGrowth *g, const double *share, double *sum) {
  const MtGrainSet *s = &g->set;
  const size_t n = (size_t)g->ngrains;
  PetscCall(PetscArrayzero(sum, 6 * n));
  for (PetscInt i = 0; i < g->domain->n_owned; i++)
    for (int c = 0; c < 3; c++) {
      const double period = g->domain->period[c];
      if (!(period > 0)) continue;
      const double angle = 2 * MT_PI * g->domain->x[3 * i + c] / period;
      const double cosine = g->graph.w[i] * cos(angle), sine = g->graph.w[i] * sin(angle);
      for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) {
        sum[(size_t)c * n + (size_t)s->grain[p]] += share[p] * cosine;
        sum[(size_t)(3 + c) * n + (size_t)s->grain[p]] += share[p] * sine;
      }
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 6 * g->ngrains, MPI_DOUBLE, MPI_SUM, g->domain->comm));
  return 0;
}

/* A place near each grain, so that no part of it is more than half a period away: the mean of angles. */
static void places(const MtGrowth *g, const double *sum, MtGrainRecord *of) {
  const size_t n = (size_t)g->ngrains;
  for (size_t k = 0; k < n; k++)
    for (size_t c = 0; c < 3; c++)
      of[k].x[c] = g->domain->period[c] * atan2(sum[(3 + c) * n + k], sum[c * n + k]) / (2 * MT_PI);
}

/* sum[3][ngrains] of w share by the distance from the place. */
static PetscErrorCode sum_distances(const MtGrowth *g, const double *share, const MtGrainRecord *of, double *sum) {
  const MtGrainSet *s = &g->set;
  const MtDomain *d = g->domain;
  PetscCall(PetscArrayzero(sum, 3 * (size_t)g->ngrains));
  for (PetscInt i = 0; i < d->n_owned; i++)
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++)
      for (int c = 0; c < 3; c++) {
        double far = d->x[3 * i + c] - of[s->grain[p]].x[c];
        if (d->period[c] > 0) far -= d->period[c] * round(far / d->period[c]);
        sum[c * g->ngrains + s->grain[p]] += g->graph.w[i] * share[p] * far;
      }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 3 * g->ngrains, MPI_DOUBLE, MPI_SUM, d->comm));
  return 0;
}

static PetscErrorCode centroids(MtGrowth *g, MtGrainRecord *of) {
  const double *share = g->work[MT_Z];
  double *sum;
  PetscCall(PetscMalloc1(6 * (size_t)g->ngrains, &sum));
  PetscCall(sum_angles(g, share, sum));
  places(g, sum, of);
  PetscCall(sum_distances(g, share, of, sum));
  for (int k = 0; k < g->ngrains; k++)
    for (int c = 0; c < 3 && of[k].volume > 0; c++) {
      const double period = g->domain->period[c];
      of[k].x[c] += sum[c * g->ngrains + k] / of[k].volume;
      if (period > 0) of[k].x[c] -= period * floor(of[k].x[c] / period);
    }
  return PetscFree(sum);
}

PetscErrorCode mt_growth_statistics(MtGrowth *g, MtGrainRecord *of) {
  const int n = g->ngrains;
  double *volume, *peak, *surface;
  PetscCall(PetscMalloc3(n, &volume, n, &peak, n, &surface));
  PetscCall(mt_growth_measure(g, volume, peak, surface));
  for (int k = 0; k < n; k++) of[k] = (MtGrainRecord){.volume = volume[k], .peak = peak[k], .surface = surface[k]};
  PetscCall(PetscFree3(volume, peak, surface));
  PetscCall(centroids(g, of));
  return count_neighbours(g, of);
}
