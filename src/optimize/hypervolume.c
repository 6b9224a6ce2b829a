/* Several goals: the front, and the hypervolume that it dominates.
 *
 * Method: the volume of n points is the sum of what each adds to those that follow; in the order of their last values,
 * the largest first, that is a slab in which all points limited to its reach have one last value, and one dimension
 * less (L. While, L. Bradstreet, L. Barone, IEEE Trans. Evol. Comput. 16, 86 (2012)). */
#include "acquisition.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

/* Is p no worse than q in every goal? */
static bool no_worse(int goals, const double *p, const double *q) {
  for (int g = 0; g < goals; g++)
    if (p[g] > q[g]) return false;
  return true;
}

int mt_front(int goals, int n, const double *y, bool *front) {
  int count = 0;
  for (int i = 0; i < n; i++) {
    front[i] = true;
    for (int j = 0; j < n && front[i]; j++) {
      const double *p = y + (size_t)j * (size_t)goals, *q = y + (size_t)i * (size_t)goals;
      if (no_worse(goals, p, q) && (j < i || !no_worse(goals, q, p))) front[i] = false;
    }
    count += front[i];
  }
  return count;
}

int mt_front_below(int goals, int n, const double *y, const double *reference, double *kept) {
  bool *front = mt_malloc(sizeof *front * (size_t)n);
  int m = 0;
  mt_front(goals, n, y, front);
  for (int i = 0; i < n; i++) {
    const double *p = y + (size_t)i * (size_t)goals;
    for (int g = 0; g < goals && front[i]; g++) front[i] = p[g] < reference[g];
    if (front[i]) memcpy(kept + (size_t)m++ * (size_t)goals, p, sizeof *kept * (size_t)goals);
  }
  free(front);
  return m;
}

/* Rows of `width` values in the order of value `by`, the largest first: insertion, which keeps the order of equals. */
static void sort_rows(int width, int n, double *y, int by) {
  double row[MT_GOALS_MAX];
  const size_t size = sizeof row[0] * (size_t)width;
  for (int i = 1; i < n; i++) {
    int at = i;
    memcpy(row, y + (ptrdiff_t)i * width, size);
    for (; at > 0 && y[(ptrdiff_t)(at - 1) * width + by] < row[by]; at--)
      memcpy(y + (ptrdiff_t)at * width, y + (ptrdiff_t)(at - 1) * width, size);
    memcpy(y + (ptrdiff_t)at * width, row, size);
  }
}

static double volume(int goals, int n, double *y, const double *reference);

/* In the first `goals` values: what p adds to the n points q, rows of one value more. */
static double added(int goals, const double *p, int n, const double *q, const double *reference) {
  const size_t m = (size_t)goals;
  double whole = 1, *limited = mt_calloc(2 * m * (size_t)n, sizeof *limited), *kept = limited + m * (size_t)n;
  for (int g = 0; g < goals; g++) whole *= reference[g] - p[g];
  for (int i = 0; i < n; i++)
    for (int g = 0; g < goals; g++) limited[goals * i + g] = fmax(p[g], q[(goals + 1) * i + g]);
  const int k = mt_front_below(goals, n, limited, reference, kept);
  whole -= volume(goals, k, kept, reference);
  free(limited);
  return whole;
}

/* Of a front y [n, goals] below the reference; its rows are sorted. */
static double volume(int goals, int n, double *y, const double *reference) {
  double sum = 0, lowest = reference[0];
  if (goals == 1) {
    for (int i = 0; i < n; i++) lowest = fmin(lowest, y[i]);
    return reference[0] - lowest;
  }
  sort_rows(goals, n, y, goals - 1);
  for (int i = 0; i < n; i++) {
    const double *p = y + (ptrdiff_t)i * goals;
    sum += (reference[goals - 1] - p[goals - 1]) * added(goals - 1, p, n - i - 1, p + goals, reference);
  }
  return sum;
}

double mt_hypervolume(int goals, int n, const double *y, const double *reference) {
  double *kept = mt_calloc((size_t)goals * (size_t)n, sizeof *kept);
  const int m = mt_front_below(goals, n, y, reference, kept);
  const double value = volume(goals, m, kept, reference);
  free(kept);
  return value;
}
