/* BDF2 of variable step (E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I (1993) III.5),
 * begun by one step of backward Euler.
 *
 * The error of a step follows from the distance to the parabola through the states before (Milne's device): with steps
 * h, h1, h2 backwards, the new state errs by y'''/6 h^2 (h + h1)/alpha, alpha = (2h + h1)/(h + h1), the parabola by
 * y'''/6 h (h + h1)(h + h1 + h2) to the other side.  Before the third step the parabola has the rate at the beginning
 * instead of the oldest state (h2 = 0). */
#include "bdf2.h"
#include <math.h>

static const double GROW = 2, SHRINK = .2, SAFETY = .85; /* zero-stable below 1 + sqrt 2 */

static MtBdf2 first_step(double h) {
  return (MtBdf2){.shift = 1 / h, .base = {1, 0}, .guess = {1, 0, h}, .rate = true, .share = .5};
}

MtBdf2 mt_bdf2(double h, double h1, double h2) {
  if (h1 == 0) return first_step(h);
  const double r = h / h1, alpha = (1 + 2 * r) / (1 + r), old = r * r / ((1 + r) * alpha);
  const double bend = h * (h + h1) / (h1 + h2); /* times the difference of divided differences */
  const double step = h * (h + h1) * (h + h1) / (2 * h + h1);
  MtBdf2 b = {
      .shift = alpha / h, .base = {1 + old, -old}, .rate = h2 == 0, .share = step / (step + (h + h1) * (h + h1 + h2))};
  b.guess[0] = 1 + r + bend / h1;
  b.guess[1] = -(r + bend / h1) - (h2 > 0 ? bend / h2 : 0);
  b.guess[2] = h2 > 0 ? bend / h2 : -bend;
  return b;
}

void mt_bdf2_predict(const MtBdf2 *b, size_t n, const double *const c[3], double *base, double *guess) {
  for (size_t i = 0; i < n; i++) {
    const double now = c[0][i], back = c[1][i] - now, last = b->rate ? c[2][i] : c[2][i] - now;
    base[i] = now + b->base[1] * back;
    guess[i] = now + b->guess[1] * back + b->guess[2] * last;
  }
}

static double wanted(double h1, double error, double tolerance) {
  return error > 0 ? SAFETY * pow(tolerance / error, h1 == 0 ? .5 : 1. / 3) : GROW;
}

double mt_bdf2_next(double h, double h1, double error, double tolerance) {
  return h * fmin(GROW, fmax(SHRINK, wanted(h1, error, tolerance)));
}

double mt_bdf2_shorter(double h, double h1, double error, double tolerance) {
  return h * fmax(SHRINK, wanted(h1, error, tolerance));
}

double mt_bdf2_fit(double dt, double left) {
  const double n = ceil(left / dt * (1 - 1e-9));
  return n <= 1 ? left : n <= 3 ? left / n : dt;
}
