/* Two goals: the front, the area it dominates, and the expected growth of that area. */
#include "acquisition.h"
#include "magtwin/memory.h"
#include "normal.h"
#include <math.h>
#include <string.h>

int mt_front(int n, const double *y, bool *front) {
  int count = 0;
  for (int i = 0; i < n; i++) {
    front[i] = true;
    for (int j = 0; j < n && front[i]; j++) {
      bool no_worse = y[2 * j] <= y[2 * i] && y[2 * j + 1] <= y[2 * i + 1];
      bool equal = y[2 * j] == y[2 * i] && y[2 * j + 1] == y[2 * i + 1];
      if (no_worse && (!equal || j < i)) front[i] = false;
    }
    count += front[i];
  }
  return count;
}

static int by_first(const void *a, const void *b) {
  const double *p = a, *q = b;
  return (p[0] > q[0]) - (p[0] < q[0]);
}

MtStrips mt_strips(int n, const double *y, const double *reference) {
  const size_t m = (size_t)n;
  bool *front = mt_malloc(sizeof *front * m);
  double *kept = mt_malloc(sizeof *kept * 2 * m);
  size_t k = 0;
  mt_front(n, y, front);
  for (size_t i = 0; i < m; i++)
    if (front[i] && y[2 * i] < reference[0] && y[2 * i + 1] < reference[1]) {
      memcpy(kept + 2 * k, y + 2 * i, 2 * sizeof *kept);
      k++;
    }
  qsort(kept, k, 2 * sizeof *kept, by_first);
  MtStrips s = {.n = (int)k + 1, .target = {NAN, NAN}, .a = mt_malloc(sizeof(double) * (2 * k + 3))};
  s.b = s.a + k + 2;
  s.a[0] = -INFINITY;
  s.b[0] = reference[1];
  for (size_t i = 0; i < k; i++) {
    s.a[i + 1] = kept[2 * i];
    s.b[i + 1] = kept[2 * i + 1];
  }
  s.a[k + 1] = reference[0];
  free(front);
  free(kept);
  return s;
}

double mt_hypervolume(int n, const double *y, const double *reference) {
  MtStrips s = mt_strips(n, y, reference);
  double area = 0;
  for (int i = 1; i < s.n; i++) area += (s.a[i + 1] - s.a[i]) * (reference[1] - s.b[i]);
  free(s.a);
  return area;
}

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

double mt_log_ehvi(const MtStrips *s, const double *mean, const double *sd, double *dmean, double *dsd) {
  double top = -INFINITY, sum = 0, *term = mt_malloc(sizeof *term * (size_t)s->n);
  for (int i = 0; i < s->n; i++) {
    term[i] = between(s->target[0], s->a[i], s->a[i + 1], mean[0], sd[0]).value +
              mt_log_improvement(s->target[1], s->b[i], mean[1], sd[1]).value;
    top = fmax(top, term[i]);
  }
  for (int k = 0; k < 2; k++) dmean[k] = dsd[k] = 0;
  for (int i = 0; i < s->n && top > -INFINITY; i++) {
    double w = exp(term[i] - top);
    if (!(w > 0)) continue;
    MtLogValue first = between(s->target[0], s->a[i], s->a[i + 1], mean[0], sd[0]),
               second = mt_log_improvement(s->target[1], s->b[i], mean[1], sd[1]);
    sum += w;
    dmean[0] += w * first.mean;
    dsd[0] += w * first.sd;
    dmean[1] += w * second.mean;
    dsd[1] += w * second.sd;
  }
  free(term);
  if (!(sum > 0)) return -INFINITY;
  for (int k = 0; k < 2; k++) {
    dmean[k] /= sum;
    dsd[k] /= sum;
  }
  return top + log(sum);
}
