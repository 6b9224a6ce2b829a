/* Ranks of numbers that lie on many ranks, by counting: a number falls into one of 2^20 boxes by its leading bits, in
 * the order of the numbers. */
#include "magtwin/landscape.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

enum { BITS = 20, BOXES = 1 << BITS };

static uint32_t box_of(double v) {
  uint64_t bits;
  if (v == 0) v = 0; /* not -0 */
  memcpy(&bits, &v, sizeof bits);
  bits = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63; /* now ordered as the numbers are */
  return (uint32_t)(bits >> (64 - BITS));
}

PetscErrorCode mt_top_threshold(MPI_Comm comm, int64_t n, const double *value, const double *weight, double share,
                                double *threshold) {
  double *sum = mt_calloc(BOXES, sizeof *sum), *low = mt_malloc(BOXES * sizeof *low), all = 0, so_far = 0;
  for (int i = 0; i < BOXES; i++) low[i] = INFINITY;
  for (int64_t i = 0; i < n; i++) {
    const uint32_t box = box_of(value[i]);
    sum[box] += weight[i];
    if (weight[i] > 0) low[box] = fmin(low[box], value[i]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, BOXES, MPI_DOUBLE, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, low, BOXES, MPI_DOUBLE, MPI_MIN, comm));
  for (int i = 0; i < BOXES; i++) all += sum[i];
  *threshold = INFINITY;
  for (int i = BOXES - 1; i >= 0 && so_far < share * all; i--) {
    so_far += sum[i];
    if (sum[i] > 0) *threshold = low[i];
  }
  free(sum);
  free(low);
  return 0;
}

PetscErrorCode mt_roc_area(MPI_Comm comm, int64_t n, const double *score, const bool *label, double *area) {
  double *count = mt_calloc(2 * BOXES, sizeof *count), pairs = 0, below = 0, positive = 0;
  for (int64_t i = 0; i < n; i++) count[2 * box_of(score[i]) + label[i]]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, 2 * BOXES, MPI_DOUBLE, MPI_SUM, comm));
  for (int i = 0; i < BOXES; i++) {
    pairs += count[2 * i + 1] * (below + .5 * count[2 * i]);
    below += count[2 * i];
    positive += count[2 * i + 1];
  }
  *area = pairs / (below * positive);
  free(count);
  return 0;
}
