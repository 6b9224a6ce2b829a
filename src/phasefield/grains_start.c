/* Which grain is where at the beginning. */
#include "evolve_impl.h"
#include "grains_input.h"
#include "magtwin/error.h"
#include "magtwin/random.h"
#include <math.h>
#include <string.h>

/* A label as read: MT_ERR_INPUT where it is no number of a grain. */
static PetscErrorCode take(const MtDomain *d, PetscInt i, double value, int32_t *label) {
  const double *x = d->x + 3 * i;
  if (value >= -.5 && value < 2147483647) {
    *label = (int32_t)floor(value + .5);
    return 0;
  }
  return mt_error(MT_ERR_INPUT, "the labels do not cover the %s: %g at (%.6g, %.6g, %.6g) nm is the number of no grain",
                  d->mesh ? "mesh" : "box", value, x[0], x[1], x[2]);
}

static PetscErrorCode from_formula(const MtDomain *d, const MtInput *in, int32_t *label) {
  MtFormula *f;
  PetscErrorCode rc = mt_evolve_formula(in, "phasefield.initial_formula", &f);
  for (PetscInt i = 0; i < d->n_owned && !rc; i++) {
    const double *x = d->x + 3 * i, at[MT_NVARS] = {x[0], x[1], x[2], 0};
    rc = take(d, i, mt_formula_value(f, at), label + i);
  }
  mt_formula_free(&f);
  return mt_agree(d->comm, rc);
}

static PetscErrorCode from_file(const MtDomain *d, const MtInput *in, int32_t *label) {
  const PetscScalar *a;
  MtH5 *f;
  Vec v;
  PetscErrorCode rc = mt_h5_open(d->comm, mt_input_string(in, "phasefield.initial_file"), "magtwin-fields", 1, &f);
  if (rc) return rc;
  PetscCall(VecCreateMPI(d->comm, d->n_owned, PETSC_DETERMINE, &v));
  rc = mt_domain_read(d, f, "/grain", v);
  PetscErrorCode closed = mt_h5_close(&f);
  if (!rc) rc = closed;
  PetscCall(VecGetArrayRead(v, &a));
  PetscErrorCode own = 0;
  for (PetscInt i = 0; i < d->n_owned && !rc && !own; i++) own = take(d, i, a[i], label + i);
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCall(VecDestroy(&v));
  return rc ? rc : mt_agree(d->comm, own);
}

static PetscErrorCode from_labels(const MtDomain *d, int32_t *label) {
  PetscErrorCode own = 0, rc = mt_labels_at_nodes(d, label);
  for (PetscInt i = 0; i < d->n_owned && !rc && !own; i++) {
    const double *x = d->x + 3 * i;
    if (label[i] < 0)
      own = mt_error(MT_ERR_INPUT,
                     "the labels do not cover the %s: %lld at (%.6g, %.6g, %.6g) nm is the background "
                     "(phasefield.unlabelled: fill gives it to the grains around)",
                     d->mesh ? "mesh" : "box", (long long)d->labels->background, x[0], x[1], x[2]);
  }
  return rc ? rc : mt_agree(d->comm, own);
}

/* Seeds in bins of about one each, so that the nearest is found among few. */
typedef struct {
  const MtDomain *d;
  int n;
  double *seed;      /* [3 n] */
  int64_t bins[3];   /* along each axis */
  int *first, *list; /* seeds of bin b: list[first[b] .. first[b + 1]) */
} Seeds;

static void bin_of(const Seeds *s, const double x[3], int64_t b[3]) {
  for (int c = 0; c < 3; c++) {
    const double size = s->d->box.size[c];
    b[c] = size > 0 ? (int64_t)floor(x[c] / size * (double)s->bins[c]) : 0;
    b[c] = b[c] < 0 ? 0 : b[c] >= s->bins[c] ? s->bins[c] - 1 : b[c];
  }
}

static int64_t bin_index(const Seeds *s, const int64_t b[3]) {
  return (b[2] * s->bins[1] + b[1]) * s->bins[0] + b[0];
}

static void draw_seeds(const MtInput *in, Seeds *s) {
  MtRandom r;
  mt_random_seed(&r, (uint64_t)mt_input_int(in, "phasefield.seed"));
  for (int k = 0; k < s->n; k++)
    for (int c = 0; c < 3; c++) s->seed[3 * k + c] = mt_random_uniform(&r) * s->d->box.size[c];
}

static PetscErrorCode sort_seeds(Seeds *s) {
  int64_t b[3], nbins;
  const double share = s->d->volume / s->n, edge = s->d->dim == 2 ? sqrt(share) : cbrt(share);
  for (int c = 0; c < 3; c++) s->bins[c] = (int64_t)fmax(1, floor(s->d->box.size[c] / edge));
  nbins = s->bins[0] * s->bins[1] * s->bins[2];
  PetscCall(PetscCalloc1(nbins + 2, &s->first));
  PetscCall(PetscMalloc1(s->n, &s->list));
  for (int k = 0; k < s->n; k++) {
    bin_of(s, s->seed + 3 * k, b);
    s->first[bin_index(s, b) + 2]++;
  }
  for (int64_t i = 0; i < nbins; i++) s->first[i + 2] += s->first[i + 1];
  for (int k = 0; k < s->n; k++) {
    bin_of(s, s->seed + 3 * k, b);
    s->list[s->first[bin_index(s, b) + 1]++] = k;
  }
  return 0;
}

static double distance2(const Seeds *s, const double x[3], int k) {
  double sum = 0;
  for (int c = 0; c < 3; c++) {
    double a = x[c] - s->seed[3 * k + c];
    if (s->d->period[c] > 0) a -= s->d->period[c] * round(a / s->d->period[c]);
    sum += a * a;
  }
  return sum;
}

/* Bin along axis c, `off` bins from b; -1: outside, or seen from the other side already. */
static int64_t shifted(const Seeds *s, int c, int64_t b, int64_t off) {
  const int64_t n = s->bins[c];
  if (!(s->d->period[c] > 0)) return b + off >= 0 && b + off < n ? b + off : -1;
  if (2 * off > n || 2 * off <= -n) return -1;
  return ((b + off) % n + n) % n;
}

static void search_bin(const Seeds *s, const double x[3], int64_t bin, double *best, int *found) {
  for (int i = s->first[bin]; i < s->first[bin + 1]; i++) {
    const double a = distance2(s, x, s->list[i]);
    if (a < *best || (a == *best && s->list[i] < *found)) {
      *best = a;
      *found = s->list[i];
    }
  }
}

static void search_shell(const Seeds *s, const double x[3], const int64_t b[3], int64_t r, double *best, int *found) {
  int64_t off[3], at[3];
  const int64_t depth = s->d->dim == 3 ? r : 0;
  for (off[2] = -depth; off[2] <= depth; off[2]++)
    for (off[1] = -r; off[1] <= r; off[1]++)
      for (off[0] = -r; off[0] <= r; off[0]++) {
        if (llabs(off[0]) < r && llabs(off[1]) < r && llabs(off[2]) < r) continue;
        bool inside = true;
        for (int c = 0; c < 3; c++) inside = inside && (at[c] = shifted(s, c, b[c], off[c])) >= 0;
        if (inside) search_bin(s, x, bin_index(s, at), best, found);
      }
}

/* Shell by shell of bins, until the next cannot hold a nearer one. */
static int nearest(const Seeds *s, const double x[3]) {
  double best = INFINITY, width = INFINITY;
  int64_t b[3], most = 0;
  int found = 0;
  bin_of(s, x, b);
  for (int c = 0; c < s->d->dim; c++) {
    width = fmin(width, s->d->box.size[c] / (double)s->bins[c]);
    most = most > s->bins[c] ? most : s->bins[c];
  }
  for (int64_t r = 0; r <= most; r++) {
    const double free = (double)(r - 1) * width;
    if (r > 0 && free > 0 && best <= free * free) break;
    search_shell(s, x, b, r, &best, &found);
  }
  return found;
}

static PetscErrorCode from_seeds(const MtDomain *d, const MtInput *in, int32_t *label) {
  Seeds s = {.d = d, .n = (int)mt_input_int(in, "phasefield.grains")};
  PetscCall(PetscMalloc1(3 * (size_t)s.n, &s.seed));
  draw_seeds(in, &s);
  PetscCall(sort_seeds(&s));
  for (PetscInt i = 0; i < d->n_owned; i++) label[i] = nearest(&s, d->x + 3 * i);
  PetscCall(PetscFree(s.seed));
  PetscCall(PetscFree(s.first));
  return PetscFree(s.list);
}

PetscErrorCode mt_grain_growth_labels(const MtDomain *d, const MtInput *in, int *ngrains, int32_t **label) {
  const char *from = mt_input_string(in, "phasefield.initial");
  int32_t most = 0;
  PetscCall(PetscMalloc1(d->n_owned, label));
  PetscErrorCode rc = strcmp(from, "voronoi") == 0   ? from_seeds(d, in, *label)
                      : strcmp(from, "formula") == 0 ? from_formula(d, in, *label)
                      : strcmp(from, "regions") == 0 ? mt_grain_growth_regions(d, *label)
                      : strcmp(from, "labels") == 0  ? from_labels(d, *label)
                                                     : from_file(d, in, *label);
  for (PetscInt i = 0; i < d->n_owned && !rc; i++) most = PetscMax(most, (*label)[i]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT32_T, MPI_MAX, d->comm));
  *ngrains = most + 1;
  return rc;
}
