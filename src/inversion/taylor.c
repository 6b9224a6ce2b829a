/* The Taylor test of the gradient: taylor.csv has |J(theta + e d) - J| and |J(theta + e d) - J - e g.d|, which must
 * fall as e and e^2. */
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>

enum { STEPS = 9 };

/* Alternating and unequal, so that no parameter is missed and none cancels another. */
static double direction(int i) {
  return (i % 2 ? -1 : 1) * (1 - .1 * i / MT_UNKNOWNS);
}

static PetscErrorCode misfit_at(MtTwin *w, const double *theta, double *misfit) {
  bool good;
  PetscCall(mt_twin_set(w, theta));
  PetscErrorCode rc = mt_twin_forward(w, misfit, &good, NULL);
  if (!rc && !good) rc = mt_error(MT_ERR_FAIL, "a step of the march cannot be solved in the Taylor test");
  return rc;
}

static PetscErrorCode compare(MtInvert *v, FILE *out) {
  MtTwin *w = &v->twin;
  double at[MT_UNKNOWNS] = {0}, g[MT_UNKNOWNS] = {0}, J = 0, along = 0, before = 0;
  for (int i = 0; i < w->n; i++) at[i] = w->theta[i];
  PetscErrorCode rc = mt_twin_record(w, &J, NULL);
  if (!rc) rc = misfit_at(w, at, &J);
  if (!rc) rc = mt_twin_reverse(w, g, NULL);
  for (int i = 0; i < w->n; i++) along += g[i] * direction(i);
  if (out) fprintf(out, "step,misfit,difference,remainder,slope\n");
  for (int k = 0; k < STEPS && !rc; k++) {
    const double e = pow(10, -3 - .5 * k);
    double there[MT_UNKNOWNS], value = 0;
    for (int i = 0; i < w->n; i++) there[i] = at[i] + e * direction(i);
    rc = misfit_at(w, there, &value);
    const double rest = fabs(value - J - e * along), slope = k ? 2 * log10(before / rest) : NAN;
    if (out && !rc) fprintf(out, "%.17g,%.17g,%.17g,%.17g,%.6g\n", e, value, fabs(value - J), rest, slope);
    before = rest;
  }
  if (!rc) rc = mt_twin_set(w, at);
  return rc;
}

PetscErrorCode mt_invert_taylor(MtInvert *v) {
  char *text = NULL, *path = mt_invert_path(v, "taylor.csv");
  size_t size;
  FILE *out = v->rank ? NULL : open_memstream(&text, &size);
  PetscErrorCode rc = compare(v, out);
  if (out) fclose(out);
  if (!rc) rc = mt_agree_root(v->comm, v->rank ? 0 : mt_file_write(path, text));
  if (!rc) mt_log("wrote %s: the gradient against differences", path);
  free(text);
  free(path);
  return rc;
}
