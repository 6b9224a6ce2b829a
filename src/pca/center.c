/* Mean, deviation and factor of the variables.  The block of numbers that a rank has is centred where it lies: there is
 * no second table, and none of the digits is lost that the difference of two large products would cost. */
#include "components.h"
#include "magtwin/memory.h"
#include <math.h>

/* Each variable is a line. */
static void center_lines(MtTable *t, const MtPcaOptions *o, MtPca *p) {
  const double samples = (double)t->rows;
  for (int64_t i = 0; i < t->n; i++) {
    double *x = t->value + i * t->width, sum = 0, square = 0, rest = 0;
    for (int64_t j = 0; j < t->width && o->center; j++) sum += x[j];
    double mean = sum / samples;
    for (int64_t j = 0; j < t->width && o->center; j++) rest += x[j] - mean; /* what rounding left of it */
    mean += rest / samples;
    for (int64_t j = 0; j < t->width; j++) x[j] -= mean, square += x[j] * x[j];
    const double deviation = sqrt(square / fmax(1, samples - o->center));
    p->mean[i] = mean;
    p->factor[i] = (o->factor ? o->factor[i] : 1) * (o->scale && deviation > 0 ? 1 / deviation : 1);
    for (int64_t j = 0; j < t->width; j++) x[j] *= p->factor[i];
  }
}

/* Sums over the samples of this rank: of x - mean, or of its square. */
static PetscErrorCode sum_columns(const MtTable *t, const double *mean, bool square, double *sum) {
  for (int64_t j = 0; j < t->width; j++) sum[j] = 0;
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t j = 0; j < t->width; j++) {
      const double d = t->value[i * t->width + j] - mean[j];
      sum[j] += square ? d * d : d;
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, (int)t->width, MPI_DOUBLE, MPI_SUM, t->comm));
  return 0;
}

static PetscErrorCode center_samples(MtTable *t, const MtPcaOptions *o, MtPca *p) {
  const double samples = (double)t->rows;
  double *sum = mt_malloc((size_t)t->width * sizeof *sum);
  for (int64_t j = 0; j < t->width; j++) p->mean[j] = 0;
  for (int pass = 0; pass < 2 && o->center; pass++) { /* the second adds what rounding left */
    PetscCall(sum_columns(t, p->mean, false, sum));
    for (int64_t j = 0; j < t->width; j++) p->mean[j] += sum[j] / samples;
  }
  PetscCall(sum_columns(t, p->mean, true, sum));
  for (int64_t j = 0; j < t->width; j++) {
    const double deviation = sqrt(sum[j] / fmax(1, samples - o->center));
    p->factor[j] = (o->factor ? o->factor[j] : 1) * (o->scale && deviation > 0 ? 1 / deviation : 1);
  }
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t j = 0; j < t->width; j++)
      t->value[i * t->width + j] = (t->value[i * t->width + j] - p->mean[j]) * p->factor[j];
  free(sum);
  return 0;
}

PetscErrorCode mt_pca_center(MtTable *t, const MtPcaOptions *o, MtPca *p) {
  const size_t variables = (size_t)(t->by_columns ? t->n : t->columns);
  p->mean = mt_malloc(variables * sizeof *p->mean);
  p->factor = mt_malloc(variables * sizeof *p->factor);
  if (!t->by_columns) return center_samples(t, o, p);
  center_lines(t, o, p);
  return 0;
}
