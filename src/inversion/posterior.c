/* How well the parameters are known: the inverse of the Gauss-Newton matrix of misfit and prior at the minimum
 * (Laplace; A. Tarantola, Inverse Problem Theory (2005) 3.2), or the spread of an ensemble. */
#include "invert_impl.h"
#include "magtwin/error.h"
#include <math.h>
#include <petscblaslapack.h>
#include <string.h>

static const double SMALLEST = 1e-14; /* eigenvalue over the largest */

void mt_symmetric_eigen(int n, double *a, double *value) {
  PetscBLASInt size = n, info = 0, length = -1;
  PetscScalar ask;
  LAPACKsyev_("V", "L", &size, a, &size, value, &ask, &length, &info);
  length = (PetscBLASInt)ask;
  PetscScalar *work = calloc((size_t)length + 1, sizeof *work);
  if (!work) abort();
  LAPACKsyev_("V", "L", &size, a, &size, value, work, &length, &info);
  free(work);
}

static double width(const MtUnknown *u) {
  return mt_unknown_theta(u, u->high) - mt_unknown_theta(u, u->low);
}

void mt_posterior_look(const MtTwin *w, MtPosterior *p) {
  const int n = w->n;
  double a[MT_UNKNOWNS * MT_UNKNOWNS], value[MT_UNKNOWNS], reach = 0;
  memcpy(a, p->covariance, (size_t)n * (size_t)n * sizeof *a);
  mt_symmetric_eigen(n, a, value);
  for (int i = 0; i < n; i++) {
    p->deviation[i] = sqrt(fmax(0, p->covariance[i * n + i]));
    p->weakest[i] = a[(n - 1) * n + i];
    reach = fmax(reach, fabs(p->weakest[i]) * width(&w->unknown[i]));
  }
  p->loose = sqrt(value[n - 1]) > .5 * reach;
}

static bool on_bound(const MtUnknown *u, double theta) {
  const double low = mt_unknown_theta(u, u->low), high = mt_unknown_theta(u, u->high), edge = 1e-9 * (high - low);
  return theta <= low + edge || theta >= high - edge;
}

void mt_posterior_laplace(const MtTwin *w, const double *theta, const double *A, MtPosterior *p) {
  const int n = w->n;
  double a[MT_UNKNOWNS * MT_UNKNOWNS], value[MT_UNKNOWNS];
  *p = (MtPosterior){0};
  for (int i = 0; i < n; i++) p->at_bound[i] = on_bound(&w->unknown[i], theta[i]);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) a[i * n + j] = i != j && (p->at_bound[i] || p->at_bound[j]) ? 0 : A[i * n + j];
  mt_symmetric_eigen(n, a, value);
  for (int k = 0; k < n; k++) {
    const double by = 1 / fmax(value[k], SMALLEST * value[n - 1] + 1e-300);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) p->covariance[i * n + j] += by * a[k * n + i] * a[k * n + j];
  }
  mt_posterior_look(w, p);
}

double mt_posterior_distance(const MtTwin *w, const MtPosterior *p, const double *g) {
  const int n = w->n;
  double sum = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      if (!p->at_bound[i] && !p->at_bound[j]) sum += g[i] * p->covariance[i * n + j] * g[j];
  return sqrt(fmax(0, sum));
}
