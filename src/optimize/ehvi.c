/* Several goals: the expected growth of the hypervolume.
 *
 * A point with losses y adds the part of the undominated space that lies beyond y in every goal.  Over a box of that
 * part (boxes.c) its expected volume is, for independent values, the product over the goals of the integral of
 * P(y < z) from one end to the other, that is of the difference of two expected improvements: no quadrature, no
 * sampling.  Sums in logarithms, so that it has a slope where it underflows. */
#include "acquisition.h"
#include "magtwin/memory.h"
#include "normal.h"
#include <math.h>

/* log(E max(high - loss, 0) - E max(low - loss, 0)); low may be -inf. */
static MtLogValue between(double target, double low, double high, double mean, double sd) {
  MtLogValue top = mt_log_improvement(target, high, mean, sd);
  if (low == -INFINITY) return top;
  MtLogValue bottom = mt_log_improvement(target, low, mean, sd);
  if (bottom.value == -INFINITY) return top;
  if (!(bottom.value < top.value)) return (MtLogValue){-INFINITY, 0, 0};
  double value = mt_log_difference(top.value, bottom.value), wt = exp(top.value - value),
         wb = exp(bottom.value - value);
  return (MtLogValue){value, wt * top.mean - wb * bottom.mean, wt * top.sd - wb * bottom.sd};
}

/* The factors of all boxes: those of goal g begin at first[g]. */
static MtLogValue *factors(const MtBoxes *b, const double *mean, const double *sd, int *first) {
  int count = 0;
  for (int g = 0; g < b->goals; g++) {
    first[g] = count;
    count += b->nends[g];
  }
  MtLogValue *factor = mt_calloc((size_t)count, sizeof *factor);
  for (int g = 0; g < b->goals; g++)
    for (int k = 0; k < b->nends[g]; k++)
      factor[first[g] + k] = between(b->target[g], b->ends[g][2 * k], b->ends[g][2 * k + 1], mean[g], sd[g]);
  return factor;
}

double mt_log_ehvi(const MtBoxes *b, const double *mean, const double *sd, double *dmean, double *dsd) {
  int first[MT_GOALS_MAX];
  MtLogValue *factor = factors(b, mean, sd, first);
  double top = -INFINITY, sum = 0, *term = mt_malloc(sizeof *term * (size_t)b->n);
  for (int i = 0; i < b->n; i++) {
    const int *which = b->which + (ptrdiff_t)i * b->goals;
    term[i] = 0;
    for (int g = 0; g < b->goals; g++) term[i] += factor[first[g] + which[g]].value;
    top = fmax(top, term[i]);
  }
  for (int g = 0; g < b->goals; g++) dmean[g] = dsd[g] = 0;
  for (int i = 0; i < b->n && top > -INFINITY; i++) {
    const double w = exp(term[i] - top);
    const int *which = b->which + (ptrdiff_t)i * b->goals;
    sum += w;
    for (int g = 0; g < b->goals && w > 0; g++) {
      dmean[g] += w * factor[first[g] + which[g]].mean;
      dsd[g] += w * factor[first[g] + which[g]].sd;
    }
  }
  free(term);
  free(factor);
  if (!(sum > 0)) return -INFINITY;
  for (int g = 0; g < b->goals; g++) {
    dmean[g] /= sum;
    dsd[g] /= sum;
  }
  return top + log(sum);
}
