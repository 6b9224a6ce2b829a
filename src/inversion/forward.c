/* Forward runs of any model of magtwin evolve, for methods without derivatives: each is made anew, of the input with
 * the parameters in it, so that it depends on them alone. */
#include "../phasefield/evolve_impl.h"
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *mt_invert_observed(const MtInput *in) {
  if (mt_input_has(in, "invert.observed")) return mt_input_string(in, "invert.observed");
  return mt_grain_growth_asked(in) ? "sum_eta2" : "c";
}

static int observed_of(const MtSystem *s, const char *name) {
  int k = 0;
  while (k < s->fields && strcmp(s->field[k] + 1, name) != 0) k++;
  return k;
}

/* What the state now adds to the misfit. */
static PetscErrorCode look(MtTwin *w, MtSystem *s, int snapshot, double *sum, Vec *predicted) {
  Vec c = predicted ? predicted[snapshot] : w->roll[0];
  PetscCall(s->call->see(s, observed_of(s, mt_invert_observed(w->in)), c));
  return mt_snapshots_misfit(&w->seen, snapshot, c, NULL, sum);
}

static PetscErrorCode begin(MtTwin *w, MtSystem *s) {
  return w->from_snapshot ? s->call->begin(s, w->t0, w->start) : s->call->start(s);
}

static PetscErrorCode run(MtTwin *w, MtSystem *s, double *sum, Vec *predicted) {
  PetscErrorCode rc = begin(w, s);
  if (rc) return rc;
  int next = 0;
  if (w->seen.t[0] <= w->t0) PetscCall(look(w, s, next++, sum, predicted));
  while (next < w->seen.n) {
    const double corner = s->program ? mt_program_corner(s->program, s->clock->t) : INFINITY;
    rc = s->call->step(s, fmin(w->seen.t[next], corner));
    if (rc) return rc;
    if (s->clock->t >= w->seen.t[next]) PetscCall(look(w, s, next++, sum, predicted));
  }
  w->newton += s->clock->newton;
  w->steps.n = (int)s->clock->steps;
  return 0;
}

/* A number at which there is no such model, a phase that is not convex say, is one at which it cannot be computed. */
static PetscErrorCode no_model(PetscErrorCode rc) {
  if (rc != MT_ERR_INPUT) return rc;
  char *text = strdup(mt_error_message());
  mt_error_clear();
  rc = mt_error(MT_ERR_FAIL, "%s", text ? text : "");
  free(text);
  return rc;
}

static PetscErrorCode open_at(const MtTwin *w, MtInput **in, MtSystem **s) {
  *in = mt_input_copy(w->in);
  *s = NULL;
  for (int i = 0; i < w->n; i++)
    mt_input_set_real(*in, w->unknown[i].name, mt_unknown_value(&w->unknown[i], w->theta[i]));
  return mt_system_open(w->domain, *in, s);
}

static PetscErrorCode close_at(MtInput **in, MtSystem **s) {
  if (*s) PetscCall((*s)->call->destroy(s));
  mt_input_destroy(in);
  return 0;
}

PetscErrorCode mt_forward_record(MtTwin *w, double *misfit, Vec *predicted) {
  MtInput *in;
  MtSystem *s;
  double sum = 0;
  mt_log_hush(true); /* mt_forward_check has let it speak */
  PetscErrorCode rc = no_model(open_at(w, &in, &s));
  mt_log_hush(false);
  if (!rc) rc = no_model(run(w, s, &sum, predicted));
  w->recorded++;
  const PetscErrorCode closed = close_at(&in, &s);
  if (rc || closed) return rc ? rc : closed;
  PetscCallMPI(MPI_Allreduce(&sum, misfit, 1, MPI_DOUBLE, MPI_SUM, w->comm));
  return 0;
}

PetscErrorCode mt_forward_check(MtTwin *w) {
  MtInput *in;
  MtSystem *s;
  PetscErrorCode rc = open_at(w, &in, &s);
  if (!rc) rc = begin(w, s);
  const PetscErrorCode closed = close_at(&in, &s);
  return rc ? rc : closed;
}
