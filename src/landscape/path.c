/* An energy along the path of the samples: slopes and passes. */
#include "magtwin/landscape.h"
#include "magtwin/memory.h"
#include <math.h>

/* Slope at u = 0 of the parabola through (u, y), u = first .. last, by least squares. */
static double slope_at(int first, int last, const double *y) {
  double m[5] = {0}, b[3] = {0};
  for (int u = first; u <= last; u++) {
    const double p[5] = {1, u, (double)u * u, (double)u * u * u, (double)u * u * u * u};
    for (int k = 0; k < 5; k++) m[k] += p[k];
    for (int k = 0; k < 3; k++) b[k] += p[k] * (y[u] - y[0]);
  }
  /* Cramer's rule for the second coefficient */
  const double det = m[0] * (m[2] * m[4] - m[3] * m[3]) - m[1] * (m[1] * m[4] - m[3] * m[2]) +
                     m[2] * (m[1] * m[3] - m[2] * m[2]),
               of = m[0] * (b[1] * m[4] - m[3] * b[2]) - b[0] * (m[1] * m[4] - m[3] * m[2]) +
                    m[2] * (m[1] * b[2] - b[1] * m[2]);
  return of / det;
}

void mt_path_slopes(int n, int half, const double *y, double *slope) {
  const int width = 2 * half + 1 < n ? 2 * half + 1 : n;
  for (int s = 0; s < n; s++) {
    int first = s - half < 0 ? 0 : s - half;
    if (first + width > n) first = n - width;
    slope[s] = slope_at(first - s, first + width - 1 - s, y + s);
  }
}

/* Valleys and tops in turn -> at [n]; how many. */
static int extremes(int n, const double *E, int *at) {
  int count = 0;
  at[count++] = 0;
  for (int s = 1; s < n; s++) {
    const double last = E[s] - E[at[count - 1]], before = count > 1 ? E[at[count - 1]] - E[at[count - 2]] : 0;
    if (last == 0) continue;
    if (count > 1 && last * before > 0)
      at[count - 1] = s; /* goes on */
    else
      at[count++] = s;
  }
  return count;
}

/* The smallest step between neighbours goes, with both, while it is below the least. */
static int smooth_over(int count, const double *E, double least, int *at) {
  while (count > 2) {
    int k = 0;
    for (int i = 1; i + 1 < count; i++)
      if (fabs(E[at[i + 1]] - E[at[i]]) < fabs(E[at[k + 1]] - E[at[k]])) k = i;
    if (fabs(E[at[k + 1]] - E[at[k]]) >= least) break;
    const int gone = k == 0 || k + 2 == count ? 1 : 2, from = k + 2 == count ? k + 1 : k;
    for (int i = from; i + gone < count; i++) at[i] = at[i + gone];
    count -= gone;
  }
  return count;
}

int mt_passes(int n, const double *E, double least, MtPass *pass) {
  int *at = mt_malloc(((size_t)n + 1) * sizeof *at), found = 0;
  const int count = smooth_over(extremes(n, E, at), E, least, at);
  for (int i = 0; i + 1 < count; i++) {
    const double rise = E[at[i + 1]] - E[at[i]];
    if (rise > 0 && rise >= least) pass[found++] = (MtPass){at[i], at[i + 1], rise};
  }
  free(at);
  return found;
}
