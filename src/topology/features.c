/* Vectors of equal length from diagrams: persistence images (H. Adams et al., J. Mach. Learn. Res. 18 (2017) 8; as in
 * HomCloud a histogram that is smoothed), Betti curves, persistence landscapes (P. Bubenik, J. Mach. Learn. Res. 16
 * (2015) 77). */
#include "diagrams.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool lives(const MtPair *p) {
  return isfinite(p->birth) && isfinite(p->death);
}

static double weight_of(const MtFeatures *f, const MtPair *p) {
  const double l = fabs(p->death - p->birth);
  if (f->weight == MT_WEIGHT_NONE) return 1;
  return f->weight == MT_WEIGHT_LINEAR ? l : atan(f->scale * pow(l, f->power));
}

/* Bin of a value, -1: beyond the range; its upper end belongs to the last bin. */
static int bin_of(const MtFeatures *f, double v) {
  const double x = (v - f->low) / (f->high - f->low) * f->bins;
  if (!(x >= 0 && x <= f->bins)) return -1;
  return x < f->bins ? (int)x : f->bins - 1;
}

/* Normalized Gaussian of sigma bins, cut at four of them; kernel [2 reach + 1]. */
static int make_kernel(double sigma, double **kernel) {
  const int reach = (int)ceil(4 * sigma);
  double sum = 0, *k = *kernel = mt_malloc((2 * (size_t)reach + 1) * sizeof *k);
  for (int i = -reach; i <= reach; i++) sum += k[i + reach] = sigma > 0 ? exp(-.5 * (i / sigma) * (i / sigma)) : 1;
  for (int i = 0; i <= 2 * reach; i++) k[i] /= sum;
  return reach;
}

static void smooth_lines(int n, int reach, const double *kernel, const double *in, double *out) {
  memset(out, 0, (size_t)n * (size_t)n * sizeof *out);
  for (int j = 0; j < n; j++) /* lines of in become columns of out: twice is both directions, and the right way up */
    for (int i = 0; i < n; i++) {
      const double v = in[j * n + i];
      if (v == 0) continue;
      const int from = i - reach > 0 ? i - reach : 0, to = i + reach < n - 1 ? i + reach : n - 1;
      for (int x = from; x <= to; x++) out[x * n + j] += v * kernel[x - i + reach];
    }
}

/* In both directions. */
static void smooth(const MtFeatures *f, double *image) {
  double *kernel, *work = mt_calloc((size_t)f->bins * (size_t)f->bins, sizeof *work);
  const int reach = make_kernel(f->sigma / (f->high - f->low) * f->bins, &kernel);
  smooth_lines(f->bins, reach, kernel, image, work);
  smooth_lines(f->bins, reach, kernel, work, image);
  free(kernel);
  free(work);
}

/* -1: beyond the range. */
static int cell_of(const MtFeatures *f, const MtPair *p) {
  const int x = lives(p) ? bin_of(f, p->birth) : -1, y = x >= 0 ? bin_of(f, p->death) : -1;
  return y >= 0 ? y * f->bins + x : -1;
}

void mt_persistence_image(const MtFeatures *f, int64_t n, const MtPair *pair, double *image) {
  memset(image, 0, (size_t)f->bins * (size_t)f->bins * sizeof *image);
  for (int64_t i = 0; i < n; i++) {
    const int cell = cell_of(f, &pair[i]);
    if (cell >= 0) image[cell] += weight_of(f, &pair[i]);
  }
  smooth(f, image);
}

/* The smoothing is its own transpose. */
void mt_persistence_amounts(const MtFeatures *f, const double *w, int64_t n, const MtPair *pair, double *amount) {
  const size_t size = (size_t)f->bins * (size_t)f->bins * sizeof *w;
  double *spread = mt_malloc(size);
  memcpy(spread, w, size);
  smooth(f, spread);
  for (int64_t i = 0; i < n; i++) {
    const int cell = cell_of(f, &pair[i]);
    amount[i] = cell >= 0 ? spread[cell] * weight_of(f, &pair[i]) : 0;
  }
  free(spread);
}

static double middle_of(const MtFeatures *f, int i) {
  return f->low + (i + .5) * (f->high - f->low) / f->bins;
}

void mt_betti_curve(const MtFeatures *f, int64_t n, const MtPair *pair, double *curve) {
  memset(curve, 0, (size_t)f->bins * sizeof *curve);
  for (int64_t i = 0; i < n; i++) {
    const bool up = pair[i].birth <= pair[i].death;
    for (int t = 0; t < f->bins; t++) {
      const double v = middle_of(f, t);
      curve[t] += up ? pair[i].birth <= v && v < pair[i].death : pair[i].death < v && v <= pair[i].birth;
    }
  }
}

/* Keeps the largest heights over a point, descending. */
static void insert(int levels, double *top, int stride, double height) {
  for (int l = 0; l < levels; l++, top += stride)
    if (height > *top) {
      const double swap = *top;
      *top = height;
      height = swap;
    }
}

void mt_landscape(const MtFeatures *f, int64_t n, const MtPair *pair, double *landscape) {
  memset(landscape, 0, (size_t)f->bins * (size_t)f->levels * sizeof *landscape);
  for (int64_t i = 0; i < n; i++) {
    if (!lives(&pair[i])) continue;
    const double low = fmin(pair[i].birth, pair[i].death), high = fmax(pair[i].birth, pair[i].death);
    for (int t = 0; t < f->bins; t++) {
      const double v = middle_of(f, t), height = fmin(v - low, high - v);
      if (height > 0) insert(f->levels, landscape + t, f->bins, height);
    }
  }
}

typedef void (*Feature)(const MtFeatures *f, int64_t n, const MtPair *pair, double *vector);

typedef struct {
  MtH5 *h5;
  const MtFeatures *f;
  int total, start, n;
  const MtDiagram *d;
} Series;

static PetscErrorCode write_feature(const Series *s, int k, const char *what, int length, Feature feature) {
  char name[48];
  double *rows = mt_calloc((size_t)s->n * (size_t)length, sizeof *rows);
  for (int i = 0; i < s->n; i++) feature(s->f, s->d[i].n[k], s->d[i].pair[k], rows + (size_t)i * (size_t)length);
  snprintf(name, sizeof name, "/dimension%d/%s", k, what);
  PetscErrorCode rc = mt_h5_write(s->h5, name, H5T_NATIVE_DOUBLE, s->total, length, s->start, s->n, rows, "1");
  free(rows);
  return rc;
}

static PetscErrorCode write_all(const Series *s, const MtInput *in, int dims) {
  const MtFeatures *f = s->f;
  const double reals[3] = {f->low, f->high, f->sigma};
  const int64_t bins = f->bins, levels = f->levels;
  PetscCall(mt_h5_set_reals(s->h5, "/", "low_high_sigma", 3, reals));
  PetscCall(mt_h5_set_ints(s->h5, "/", "bins", 1, &bins));
  PetscCall(mt_h5_set_ints(s->h5, "/", "landscape_levels", 1, &levels));
  PetscCall(mt_h5_set_string(s->h5, "/", "input", mt_input_canonical(in)));
  for (int k = 0; k < dims; k++) {
    PetscCall(write_feature(s, k, "image", f->bins * f->bins, mt_persistence_image));
    PetscCall(write_feature(s, k, "betti", f->bins, mt_betti_curve));
    PetscCall(write_feature(s, k, "landscape", f->bins * f->levels, mt_landscape));
  }
  return 0;
}

/* Lowest and highest value of births and deaths of all images; a range of length 1 where there are none. */
static PetscErrorCode find_range(MPI_Comm comm, int n, const MtDiagram *d, double *low, double *high) {
  double ends[2] = {INFINITY, INFINITY}; /* lowest, minus highest */
  for (int i = 0; i < n; i++)
    for (int k = 0; k < d[i].dims; k++)
      for (int64_t j = 0; j < d[i].n[k]; j++) {
        const MtPair *p = &d[i].pair[k][j];
        if (!lives(p)) continue;
        ends[0] = fmin(ends[0], fmin(p->birth, p->death));
        ends[1] = fmin(ends[1], -fmax(p->birth, p->death));
      }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ends, 2, MPI_DOUBLE, MPI_MIN, comm));
  const bool none = isinf(ends[0]);
  *low = none ? 0 : ends[0];
  *high = none ? 1 : -ends[1];
  return 0;
}

void mt_features_weight(const MtInput *in, MtFeatures *f) {
  const char *weight = mt_input_string(in, "topology.features.weight");
  f->weight = weight[0] == 'l' ? MT_WEIGHT_LINEAR : (weight[0] == 'a' ? MT_WEIGHT_ARCTAN : MT_WEIGHT_NONE);
  f->scale = mt_input_real(in, "topology.features.weight_scale");
  f->power = mt_input_real(in, "topology.features.weight_power");
}

static PetscErrorCode read_options(MPI_Comm comm, const MtInput *in, int n, const MtDiagram *d, MtFeatures *f) {
  f->bins = (int)mt_input_int(in, "topology.features.bins");
  f->levels = (int)mt_input_int(in, "topology.features.landscapes");
  mt_features_weight(in, f);
  PetscCall(find_range(comm, n, d, &f->low, &f->high));
  if (mt_input_has(in, "topology.features.low")) f->low = mt_input_real(in, "topology.features.low");
  if (mt_input_has(in, "topology.features.high")) f->high = mt_input_real(in, "topology.features.high");
  if (!(f->high > f->low))
    return mt_input_error(in, "topology.features.low", "the range from %g to %g is empty", f->low, f->high);
  f->sigma = (f->high - f->low) / f->bins;
  if (mt_input_has(in, "topology.features.sigma")) f->sigma = mt_input_real(in, "topology.features.sigma");
  return 0;
}

PetscErrorCode mt_features_write(MPI_Comm comm, const char *path, const MtInput *in, int total, int start, int n,
                                 const MtDiagram *d, int dims) {
  MtFeatures f;
  Series s = {NULL, &f, total, start, n, d};
  PetscCall(read_options(comm, in, n, d, &f));
  PetscCall(mt_h5_create(comm, path, "magtwin-features", 1, &s.h5));
  PetscErrorCode rc = write_all(&s, in, dims);
  if (!rc) return mt_h5_commit(&s.h5, false);
  if (s.h5) PetscCall(mt_h5_discard(&s.h5));
  return rc;
}
