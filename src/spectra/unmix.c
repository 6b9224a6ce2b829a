/* Hierarchical alternating least squares with one orthogonal side: each component in turn gets the best values for what
 * the others leave; on the orthogonal side these are made orthogonal to the sum of the others before they are cut at 0.
 * Rows of pixels lie with the ranks, spectra on all. */
#include "magtwin/unmix.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <float.h>
#include <math.h>
#include <petscblaslapack.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  const MtUnmixOptions *o;
  int64_t n;
  int m, k;
  const double *x;
  double *a, *s;     /* maps [n, k], spectra [k, m] */
  double *ata, *atx; /* [k, k], [k, m] over all ranks */
  double *sst, *xst; /* [k, k], [n, k] */
  double square;     /* |X|^2 */
} Work;

static PetscErrorCode sum_all(const Work *w, int n, double *v) {
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, v, n, MPI_DOUBLE, MPI_SUM, w->comm));
  return 0;
}

static double dot(int64_t n, const double *a, int64_t da, const double *b, int64_t db) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i * da] * b[i * db];
  return sum;
}

/* c [p, q] = the sum over rows of a^T b, or a b^T; row by row storage, so that BLAS sees transposes. */
static void multiply(char ta, char tb, int64_t p, int64_t q, int64_t inner, const double *a, int64_t lda,
                     const double *b, int64_t ldb, double *c) {
  PetscBLASInt m = (PetscBLASInt)q, n = (PetscBLASInt)p, k = (PetscBLASInt)inner, la = (PetscBLASInt)ldb,
               lb = (PetscBLASInt)lda;
  PetscScalar one = 1, zero = 0;
  if (k == 0)
    memset(c, 0, (size_t)(p * q) * sizeof *c);
  else if (p && q)
    BLASgemm_(&tb, &ta, &m, &n, &k, &one, b, &la, a, &lb, &zero, c, &m);
}

static PetscErrorCode map_products(const Work *w) {
  multiply('T', 'N', w->k, w->k, w->n, w->a, w->k, w->a, w->k, w->ata);
  multiply('T', 'N', w->k, w->m, w->n, w->a, w->k, w->x, w->m, w->atx);
  PetscCall(sum_all(w, w->k * w->k, w->ata));
  return sum_all(w, w->k * w->m, w->atx);
}

static void spectrum_products(const Work *w) {
  multiply('N', 'T', w->k, w->k, w->m, w->s, w->m, w->s, w->m, w->sst);
  multiply('N', 'T', w->n, w->k, w->m, w->x, w->m, w->s, w->m, w->xst);
}

/* Takes the part along the sum of the other components out of h and cuts at 0; both with this stride. */
static PetscErrorCode make_orthogonal(const Work *w, bool shared, int64_t n, int64_t stride, const double *all, int k,
                                      int64_t next, double *h) {
  double *others = mt_calloc((size_t)n, sizeof *others), both[2];
  for (int c = 0; c < w->k; c++)
    for (int64_t i = 0; i < n && c != k; i++) others[i] += all[c * next + i * stride];
  both[0] = dot(n, others, 1, h, 1);
  both[1] = dot(n, others, 1, others, 1);
  if (shared) PetscCall(sum_all(w, 2, both));
  for (int64_t i = 0; i < n && both[1] > 0; i++) h[i] -= both[0] / both[1] * others[i];
  free(others);
  return 0;
}

/* Component k of the maps: X s_k less what the others explain, over |s_k|^2. */
static PetscErrorCode update_map(const Work *w, int k) {
  double *h = mt_malloc((size_t)w->n * sizeof *h), norm = w->sst[k * w->k + k];
  for (int64_t i = 0; i < w->n; i++) {
    h[i] = w->xst[i * w->k + k];
    for (int c = 0; c < w->k; c++)
      if (c != k) h[i] -= w->a[i * w->k + c] * w->sst[c * w->k + k];
  }
  if (w->o->orthogonal == MT_UNMIX_MAPS) PetscCall(make_orthogonal(w, true, w->n, w->k, w->a, k, 1, h));
  for (int64_t i = 0; i < w->n; i++) w->a[i * w->k + k] = norm > 0 ? fmax(0, h[i] / norm) : 0;
  free(h);
  return 0;
}

static PetscErrorCode update_spectrum(const Work *w, int k) {
  double *s = w->s + (size_t)k * (size_t)w->m, *h = mt_malloc((size_t)w->m * sizeof *h), norm = w->ata[k * w->k + k];
  for (int j = 0; j < w->m; j++) {
    h[j] = w->atx[k * w->m + j];
    for (int c = 0; c < w->k; c++)
      if (c != k) h[j] -= w->ata[c * w->k + k] * w->s[c * w->m + j];
  }
  if (w->o->orthogonal == MT_UNMIX_SPECTRA) PetscCall(make_orthogonal(w, false, w->m, 1, w->s, k, w->m, h));
  for (int j = 0; j < w->m; j++) s[j] = norm > 0 ? fmax(0, h[j] / norm) : 0;
  free(h);
  return 0;
}

/* Square of the residual from the products at hand: the spectra were changed last. */
static double residual(const Work *w) {
  double sum = w->square - 2 * dot((int64_t)w->k * w->m, w->atx, 1, w->s, 1);
  for (int a = 0; a < w->k; a++)
    for (int b = 0; b < w->k; b++)
      sum += w->ata[a * w->k + b] * dot(w->m, w->s + (size_t)a * (size_t)w->m, 1, w->s + (size_t)b * (size_t)w->m, 1);
  return fmax(0, sum);
}

static PetscErrorCode iterate(const Work *w, double *square, int *iterations) {
  double before = INFINITY;
  *square = INFINITY;
  for (*iterations = 0; *iterations < w->o->iterations; ++*iterations) {
    spectrum_products(w);
    for (int k = 0; k < w->k; k++) PetscCall(update_map(w, k));
    PetscCall(map_products(w));
    for (int k = 0; k < w->k; k++) PetscCall(update_spectrum(w, k));
    *square = residual(w);
    if (fabs(before - *square) <= w->o->tolerance * w->square && *iterations > 4) break;
    before = *square;
  }
  return 0;
}

/* Each pixel keeps the component whose spectrum is nearest to its own in direction; spectra, the best for their pixels.
 */
static PetscErrorCode assign_pixels(const Work *w) {
  for (int k = 0; k < w->k; k++) {
    double *s = w->s + (size_t)k * (size_t)w->m;
    const double length = sqrt(dot(w->m, s, 1, s, 1));
    for (int j = 0; j < w->m && length > 0; j++) s[j] /= length;
  }
  spectrum_products(w);
  for (int64_t i = 0; i < w->n; i++) {
    const double *along = w->xst + i * w->k;
    int best = 0;
    for (int k = 1; k < w->k; k++)
      if (along[k] > along[best]) best = k;
    for (int k = 0; k < w->k; k++) w->a[i * w->k + k] = k == best ? along[k] : 0;
  }
  PetscCall(map_products(w));
  for (int k = 0; k < w->k; k++)
    for (int j = 0; j < w->m && w->ata[k * w->k + k] > 0; j++)
      w->s[k * w->m + j] = w->atx[k * w->m + j] / w->ata[k * w->k + k];
  return 0;
}

/* The same for channels. */
static PetscErrorCode assign_channels(const Work *w) {
  PetscCall(map_products(w));
  for (int j = 0; j < w->m; j++) {
    int best = -1;
    double most = -1;
    for (int k = 0; k < w->k; k++) {
      const double norm = w->ata[k * w->k + k], along = norm > 0 ? w->atx[k * w->m + j] / sqrt(norm) : 0;
      if (along > most) most = along, best = k;
    }
    for (int k = 0; k < w->k; k++)
      w->s[k * w->m + j] = k == best && most > 0 ? w->atx[k * w->m + j] / w->ata[k * w->k + k] : 0;
  }
  spectrum_products(w);
  for (int64_t i = 0; i < w->n; i++)
    for (int k = 0; k < w->k; k++) {
      const double norm = w->sst[k * w->k + k];
      w->a[i * w->k + k] = norm > 0 ? w->xst[i * w->k + k] / norm : 0;
    }
  return map_products(w);
}

/* The updates make components nearly orthogonal; from there each pixel (channel) is given to one, in turn with the
 * other side, which makes the residual fall: F. Pompili et al., Neurocomputing 141 (2014) 15. */
static PetscErrorCode make_disjoint(const Work *w, double *square) {
  double before = INFINITY;
  for (int i = 0; i < w->o->iterations && w->o->orthogonal != MT_UNMIX_NONE; i++) {
    PetscCall(w->o->orthogonal == MT_UNMIX_MAPS ? assign_pixels(w) : assign_channels(w));
    *square = residual(w);
    if (before - *square <= w->o->tolerance * w->square) break;
    before = *square;
  }
  return 0;
}

/* The row with the largest of some numbers, of all ranks; its spectrum -> s. */
static PetscErrorCode take_row(const Work *w, const double *number, double *s) {
  struct {
    double value;
    int rank;
  } best = {-1, 0};
  int64_t at = 0;
  PetscCallMPI(MPI_Comm_rank(w->comm, &best.rank));
  const int mine = best.rank;
  for (int64_t i = 0; i < w->n; i++)
    if (number[i] > best.value) best.value = number[i], at = i;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, w->comm));
  if (mine == best.rank && w->n) memcpy(s, w->x + at * w->m, (size_t)w->m * sizeof *s);
  PetscCallMPI(MPI_Bcast(s, w->m, MPI_DOUBLE, best.rank, w->comm));
  return 0;
}

/* The largest pixel, then each time the one furthest from the span of those taken (M. C. U. Araujo et al., Chemom.
 * Intell. Lab. Syst. 57 (2001) 65).  Random starts take random pixels. */
static PetscErrorCode begin(const Work *w, int start, int64_t first) {
  double *number = mt_malloc((size_t)w->n * sizeof *number),
         *basis = mt_calloc((size_t)w->k * (size_t)w->m, sizeof *basis);
  for (int64_t i = 0; i < w->n; i++) number[i] = dot(w->m, w->x + i * w->m, 1, w->x + i * w->m, 1);
  PetscErrorCode rc = 0;
  for (int k = 0; k < w->k && !rc; k++) {
    double *s = w->s + (size_t)k * (size_t)w->m, *q = basis + (size_t)k * (size_t)w->m;
    for (int64_t i = 0; i < w->n && start; i++) {
      uint64_t state = w->o->seed * 7919 + (uint64_t)start * 104729 + (uint64_t)k;
      state = mt_splitmix64(&state) + (uint64_t)(first + i);
      number[i] = (double)(mt_splitmix64(&state) >> 11);
    }
    rc = take_row(w, number, s);
    memcpy(q, s, (size_t)w->m * sizeof *q);
    for (int c = 0; c < k; c++) {
      const double *p = basis + (size_t)c * (size_t)w->m, along = dot(w->m, p, 1, q, 1);
      for (int j = 0; j < w->m; j++) q[j] -= along * p[j];
    }
    const double length = sqrt(dot(w->m, q, 1, q, 1));
    for (int j = 0; j < w->m; j++) q[j] = length > 0 ? q[j] / length : 0;
    for (int64_t i = 0; i < w->n && !start; i++) number[i] -= pow(dot(w->m, w->x + i * w->m, 1, q, 1), 2);
  }
  memset(w->a, 0, (size_t)w->n * (size_t)w->k * sizeof *w->a);
  free(number);
  free(basis);
  return rc;
}

/* Spectra of unit length, the largest share first. */
static PetscErrorCode put_in_order(const Work *w, double *maps, double *spectra) {
  double *share = mt_calloc((size_t)w->k, sizeof *share), *length = mt_calloc((size_t)w->k, sizeof *length);
  for (int k = 0; k < w->k; k++) {
    const double *s = w->s + (size_t)k * (size_t)w->m;
    length[k] = sqrt(dot(w->m, s, 1, s, 1));
    share[k] = dot(w->n, w->a + k, w->k, w->a + k, w->k);
  }
  PetscCall(sum_all(w, w->k, share));
  for (int k = 0; k < w->k; k++) share[k] *= length[k] * length[k];
  for (int out = 0; out < w->k; out++) {
    int best = 0;
    for (int k = 1; k < w->k; k++)
      if (share[k] > share[best]) best = k;
    share[best] = -1;
    const double l = length[best];
    for (int j = 0; j < w->m; j++) spectra[out * w->m + j] = l > 0 ? w->s[best * w->m + j] / l : 0;
    for (int64_t i = 0; i < w->n; i++) maps[i * w->k + out] = w->a[i * w->k + best] * l;
  }
  free(share);
  free(length);
  return 0;
}

static PetscErrorCode measure_overlap(const Work *w, const double *maps, const double *spectra, double *overlap) {
  double *p = mt_malloc((size_t)w->k * (size_t)w->k * sizeof *p);
  *overlap = 0;
  if (w->o->orthogonal == MT_UNMIX_SPECTRA)
    multiply('N', 'T', w->k, w->k, w->m, spectra, w->m, spectra, w->m, p);
  else
    multiply('T', 'N', w->k, w->k, w->n, maps, w->k, maps, w->k, p);
  if (w->o->orthogonal != MT_UNMIX_SPECTRA) PetscCall(sum_all(w, w->k * w->k, p));
  for (int a = 0; a < w->k; a++)
    for (int b = 0; b < a; b++) {
      const double norm = sqrt(p[a * w->k + a] * p[b * w->k + b]);
      if (norm > 0) *overlap = fmax(*overlap, p[a * w->k + b] / norm);
    }
  free(p);
  return 0;
}

static PetscErrorCode search(Work *w, double *maps, double *spectra, MtUnmixResult *result) {
  int64_t first = 0;
  int rank;
  double best = INFINITY, square;
  PetscCallMPI(MPI_Comm_rank(w->comm, &rank));
  PetscCallMPI(MPI_Exscan(&w->n, &first, 1, MPI_INT64_T, MPI_SUM, w->comm));
  if (!rank) first = 0;
  for (int start = 0; start < w->o->starts; start++) {
    int iterations;
    PetscCall(begin(w, start, first));
    PetscCall(iterate(w, &square, &iterations));
    PetscCall(make_disjoint(w, &square));
    if (!(square < best)) continue;
    best = square;
    result->iterations = iterations;
    PetscCall(put_in_order(w, maps, spectra));
  }
  result->residual = w->square > 0 ? sqrt(best / w->square) : 0;
  return measure_overlap(w, maps, spectra, &result->overlap);
}

PetscErrorCode mt_unmix(MPI_Comm comm, const MtUnmixOptions *o, int64_t n, int channels, const double *x, double *maps,
                        double *spectra, MtUnmixResult *result) {
  const size_t rows = (size_t)n, m = (size_t)channels, k = (size_t)o->components;
  Work w = {.comm = comm, .o = o, .n = n, .m = channels, .k = o->components, .x = x};
  double *store = mt_calloc(rows * k + k * m + k * k + k * m + k * k + rows * k, sizeof *store);
  w.a = store, w.s = w.a + rows * k, w.ata = w.s + k * m, w.atx = w.ata + k * k, w.sst = w.atx + k * m;
  w.xst = w.sst + k * k;
  w.square = dot(n * channels, x, 1, x, 1);
  PetscCall(sum_all(&w, 1, &w.square));
  PetscErrorCode rc = search(&w, maps, spectra, result);
  free(store);
  return rc;
}
