/* Principal components of a table: centring, singular vectors by one of two ways, signs, scores, and how well the
 * result solves its equations. */
#include "components.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <float.h>
#include <math.h>
#include <string.h>

int64_t mt_pca_most(int64_t rows, int64_t columns, bool center) {
  const int64_t samples = rows - center;
  return samples < columns ? samples : columns;
}

void mt_pca_free(MtPca *p) {
  free(p->variance);
  free(p->lines);
  free(p->across);
  free(p->mean);
  free(p->factor);
  memset(p, 0, sizeof *p);
}

/* Sum of the squares of all numbers. */
static PetscErrorCode square_of(const MtTable *t, double *square) {
  *square = 0;
  for (int64_t i = 0; i < t->n; i++) {
    double line = 0;
    for (int64_t j = 0; j < t->width; j++) line += t->value[i * t->width + j] * t->value[i * t->width + j];
    *square += line;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, square, 1, MPI_DOUBLE, MPI_SUM, t->comm));
  return 0;
}

/* Largest |A v - s u| and |A' u - s v| of the pairs. */
static PetscErrorCode residual_of(const MtTable *t, int k, const double *singular, const MtPca *p, double *residual) {
  double *y = mt_malloc((size_t)t->n * (size_t)k * sizeof *y), *x = mt_malloc((size_t)t->width * (size_t)k * sizeof *x),
         *sum = mt_calloc((size_t)k, sizeof *sum);
  mt_pca_multiply(t, k, p->across, y);
  PetscErrorCode rc = mt_pca_multiply_back(t, k, p->lines, x);
  for (int64_t i = 0; i < t->n * k; i++) {
    const double d = y[i] - singular[i % k] * p->lines[i];
    sum[i % k] += d * d;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, k, MPI_DOUBLE, MPI_SUM, t->comm));
  *residual = 0;
  for (int c = 0; c < k; c++) {
    double back = 0;
    for (int64_t j = 0; j < t->width; j++) {
      const double d = x[j * k + c] - singular[c] * p->across[j * k + c];
      back += d * d;
    }
    *residual = fmax(*residual, sqrt(fmax(sum[c], back)));
  }
  free(x);
  free(y);
  free(sum);
  return rc;
}

/* The first number of column c that is nearly the largest: of n lines from `start`; where, and its sign. */
static void find_sign(int64_t n, int64_t start, int k, int c, const double *v, double top, double found[2]) {
  found[0] = INFINITY, found[1] = 1;
  for (int64_t i = 0; i < n; i++)
    if (fabs(v[i * k + c]) >= .999999 * top) {
      found[0] = (double)(start + i), found[1] = v[i * k + c] < 0 ? -1 : 1;
      return;
    }
}

/* -1 where component c has to be turned so that its largest loading is positive. */
static PetscErrorCode sign_of(const MtTable *t, int c, const MtPca *p, double *sign) {
  const bool on_lines = t->by_columns;
  const int64_t n = on_lines ? t->n : t->width;
  const double *v = on_lines ? p->lines : p->across;
  double top = 0, found[2], first;
  for (int64_t i = 0; i < n; i++) top = fmax(top, fabs(v[i * p->components + c]));
  if (on_lines) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &top, 1, MPI_DOUBLE, MPI_MAX, t->comm));
  find_sign(n, on_lines ? t->start : 0, p->components, c, v, top, found);
  first = found[0];
  if (on_lines) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_DOUBLE, MPI_MIN, t->comm));
  *sign = found[0] == first ? found[1] : 2; /* 2: another rank knows */
  if (on_lines) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sign, 1, MPI_DOUBLE, MPI_MIN, t->comm));
  return 0;
}

/* Signs; unit vectors of the samples become scores. */
static PetscErrorCode make_scores(const MtTable *t, const double *singular, MtPca *p) {
  const int k = p->components;
  for (int c = 0; c < k; c++) {
    double sign, line, across;
    PetscCall(sign_of(t, c, p, &sign));
    line = sign * (t->by_columns ? 1 : singular[c]);
    across = sign * (t->by_columns ? singular[c] : 1);
    for (int64_t i = 0; i < t->n; i++) p->lines[i * k + c] *= line;
    for (int64_t j = 0; j < t->width; j++) p->across[j * k + c] *= across;
  }
  return 0;
}

/* Singular values below are rounding: of the decomposition, and of numbers of the size of their means. */
static PetscErrorCode rounding_of(const MtTable *t, const MtPca *p, double first, double *rounding) {
  const double rows = (double)t->rows, columns = (double)t->columns;
  const int64_t n = t->by_columns ? t->n : t->columns;
  double top = 0;
  for (int64_t i = 0; i < n; i++) top = fmax(top, fabs(p->mean[i] * p->factor[i]));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &top, 1, MPI_DOUBLE, MPI_MAX, t->comm));
  *rounding = DBL_EPSILON * (fmax(rows, columns) * first + (sqrt(rows) + sqrt(columns)) * top);
  return 0;
}

/* Singular values that are rounding go, with their vectors. */
static void drop_null(const MtTable *t, double rounding, const double *singular, MtPca *p) {
  const int k = p->components;
  int left = 0;
  while (left < k && singular[left] > rounding) left++;
  for (int64_t i = 0; i < t->n; i++)
    for (int c = 0; c < left; c++) p->lines[i * left + c] = p->lines[i * k + c];
  for (int64_t j = 0; j < t->width; j++)
    for (int c = 0; c < left; c++) p->across[j * left + c] = p->across[j * k + c];
  p->components = left;
}

enum { NARROW = 1024, WIDEST = 20000 };
static const double SURE = 1e-11; /* residual of the products' way that auto takes, of the largest singular value */

static PetscErrorCode by_products(const MtTable *t, const MtPcaOptions *o, double *singular, MtPca *p) {
  if (t->width > WIDEST)
    return mt_error(MT_ERR_INPUT, "pca.method=gram: %lld x %lld products are too many; take svd", (long long)t->width,
                    (long long)t->width);
  PetscCall(mt_pca_gram(t, o->components, &p->components, singular, p->lines, p->across));
  p->method = MT_PCA_GRAM;
  return p->components ? residual_of(t, p->components, singular, p, &p->residual) : 0;
}

static PetscErrorCode by_lanczos(const MtTable *t, const MtPcaOptions *o, double square, double *singular, MtPca *p) {
  PetscCall(mt_pca_svd(t, sqrt(square), o->components, &p->components, singular, p->lines, p->across));
  p->method = MT_PCA_SVD;
  return p->components ? residual_of(t, p->components, singular, p, &p->residual) : 0;
}

/* Where the products are not sure Lanczos decides; where it finds less (tables whose rank is exactly smaller than what
 * is asked for), what the products hold. */
static PetscErrorCode find_vectors(const MtTable *t, const MtPcaOptions *o, double square, double *singular, MtPca *p) {
  if (o->method == MT_PCA_GRAM) return by_products(t, o, singular, p);
  if (o->method == MT_PCA_SVD || t->width > NARROW) return by_lanczos(t, o, square, singular, p);
  PetscCall(by_products(t, o, singular, p));
  const int found = p->components;
  if (found == o->components && p->residual <= SURE * singular[0]) return 0;
  PetscCall(by_lanczos(t, o, square, singular, p));
  return p->components < found ? by_products(t, o, singular, p) : 0;
}

static PetscErrorCode analyse(MtTable *t, const MtPcaOptions *o, double *singular, MtPca *p) {
  const int64_t most = mt_pca_most(t->rows, t->columns, o->center);
  double square, rounding;
  if (o->components > most)
    return mt_error(MT_ERR_INPUT, "%lld samples of %lld variables have at most %lld components, %d are asked for",
                    (long long)t->rows, (long long)t->columns, (long long)most, o->components);
  PetscCall(mt_pca_center(t, o, p));
  PetscCall(square_of(t, &square));
  if (!(square > 0))
    return mt_error(MT_ERR_INPUT, "all %lld samples are equal: they have no components", (long long)t->rows);
  PetscCall(find_vectors(t, o, square, singular, p));
  if (!p->components) return mt_error(MT_ERR_FAIL, "the decomposition did not converge: ask for fewer components");
  p->residual /= singular[0];
  PetscCall(rounding_of(t, p, singular[0], &rounding));
  drop_null(t, rounding, singular, p);
  if (!p->components)
    return mt_error(MT_ERR_INPUT, "the %lld samples differ by no more than rounding: they have no components",
                    (long long)t->rows);
  for (int c = 0; c < p->components; c++) p->variance[c] = singular[c] * singular[c] / (double)(t->rows - o->center);
  p->total = square / (double)(t->rows - o->center);
  return make_scores(t, singular, p);
}

PetscErrorCode mt_pca(MtTable *t, const MtPcaOptions *o, MtPca *p) {
  const size_t k = (size_t)o->components;
  double *singular = mt_calloc(k, sizeof *singular);
  *p = (MtPca){.variance = mt_calloc(k, sizeof *p->variance),
               .lines = mt_calloc((size_t)t->n * k, sizeof *p->lines),
               .across = mt_calloc((size_t)t->width * k, sizeof *p->across)};
  PetscErrorCode rc = analyse(t, o, singular, p);
  free(singular);
  return rc;
}
