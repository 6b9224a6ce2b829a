/* How far two demagnetization curves are from each other, as lines in the plane of field and polarization. */
#include "magtwin/measured.h"
#include "magtwin/memory.h"
#include <math.h>

enum { POINTS = 400 }; /* on each curve */

/* A polyline; x = weight * H. */
typedef struct {
  int n;
  double *x, *y; /* [n], one allocation: x is freed */
} Line;

static void add(Line *l, double x, double y) {
  l->x[l->n] = x;
  l->y[l->n++] = y;
}

/* The part with x <= high and, from there on, up to the first y below low; its ends lie on these bounds. */
static Line cut(int n, const double *H, const double *J, double weight, double high, double low) {
  Line l = {.x = mt_malloc(sizeof(double) * 2 * (size_t)(n + 2))};
  l.y = l.x + n + 2;
  for (int i = 0; i < n; i++) {
    const double x = weight * H[i], before = i ? weight * H[i - 1] : x;
    if (x > high) continue;
    if (!l.n && i && before > high) add(&l, high, J[i - 1] + (J[i] - J[i - 1]) * (before - high) / (before - x));
    if (J[i] < low) {
      if (l.n) { /* the last point of l is at or above low */
        const double y = l.y[l.n - 1], t = (y - low) / (y - J[i]);
        add(&l, l.x[l.n - 1] + t * (x - l.x[l.n - 1]), low);
      }
      break;
    }
    add(&l, x, J[i]);
  }
  return l;
}

static double length(const Line *l) {
  double sum = 0;
  for (int i = 1; i < l->n; i++) sum += hypot(l->x[i] - l->x[i - 1], l->y[i] - l->y[i - 1]);
  return sum;
}

/* Squared distance of (x, y) from the polyline. */
static double square_from(const Line *l, double x, double y) {
  double least = INFINITY;
  for (int i = 0; i < l->n; i++) {
    const int j = i + 1 < l->n ? i + 1 : i;
    const double dx = l->x[j] - l->x[i], dy = l->y[j] - l->y[i], square = dx * dx + dy * dy;
    double t = square > 0 ? ((x - l->x[i]) * dx + (y - l->y[i]) * dy) / square : 0;
    t = fmin(fmax(t, 0), 1);
    const double ex = x - l->x[i] - t * dx, ey = y - l->y[i] - t * dy;
    least = fmin(least, ex * ex + ey * ey);
  }
  return least;
}

/* Mean square distance of points along `from`, in the middle of equal parts, from `to`. */
static double mean_square(const Line *from, const Line *to, double *largest) {
  const double part = length(from) / POINTS;
  double sum = 0, behind = 0;
  int i = 1;
  for (int k = 0; k < POINTS; k++) {
    const double at = (k + 0.5) * part;
    double step = hypot(from->x[i] - from->x[i - 1], from->y[i] - from->y[i - 1]);
    while (i + 1 < from->n && behind + step < at) {
      behind += step;
      i++;
      step = hypot(from->x[i] - from->x[i - 1], from->y[i] - from->y[i - 1]);
    }
    const double t = step > 0 ? fmin((at - behind) / step, 1) : 0;
    const double d = square_from(to, from->x[i - 1] + t * (from->x[i] - from->x[i - 1]),
                                 from->y[i - 1] + t * (from->y[i] - from->y[i - 1]));
    sum += d;
    *largest = fmax(*largest, d);
  }
  return sum / POINTS;
}

static double smallest(int n, const double *v) {
  double least = v[0];
  for (int i = 1; i < n; i++) least = fmin(least, v[i]);
  return least;
}

double mt_curve_distance(int n, const double *H, const double *J, const MtMeasured *m, double weight, double *largest) {
  *largest = 0;
  if (n < 2) return *largest = NAN;
  const double high = weight * fmin(H[0], m->H[0]), low = fmax(smallest(n, J), smallest(m->n, m->J));
  Line a = cut(n, H, J, weight, high, low), b = cut(m->n, m->H, m->J, weight, high, low);
  double mean = NAN;
  if (a.n > 1 && b.n > 1) mean = 0.5 * (mean_square(&a, &b, largest) + mean_square(&b, &a, largest));
  *largest = isnan(mean) ? NAN : sqrt(*largest);
  free(a.x);
  free(b.x);
  return sqrt(mean);
}
