/* summary.json of a hysteresis run: what it counted and what it found. */
#include "hysteresis.h"
#include "magtwin/measured.h"
#include <stdlib.h>
#include <string.h>

static void put_counts(const MtHysteresis *h, MtJson *j) {
  mt_json_object(j, "counts");
  mt_json_int(j, "nodes", h->mesh->nv_global);
  mt_json_int(j, "magnetic_nodes", h->nodes->n_global);
  mt_json_int(j, "tets", h->mesh->nt_global);
  mt_json_int(j, "steps", h->curve.n);
  mt_json_int(j, "rollbacks", (int64_t)h->now.rollbacks);
  mt_json_int(j, "events", h->events.n);
  mt_json_int(j, "unconverged_steps", (int64_t)h->now.unconverged);
  mt_json_int(j, "iterations", (int64_t)h->now.iterations);
  /* of the energy and, each with a solve for the potential too, of the Hessian; then the latter alone */
  mt_json_int(j, "evaluations", (int64_t)(h->now.evaluations + h->now.products));
  mt_json_int(j, "hessian_products", (int64_t)h->now.products);
  mt_json_int(j, "demag_iterations", (int64_t)h->now.demag_iterations);
  mt_json_real(j, "demag_spmv", h->now.demag_spmv);
  mt_json_int(j, "inner_iterations", (int64_t)h->now.inner_iterations);
  mt_json_end(j);
}

static void put_figures(MtJson *j, const MtLoopFigures *f) {
  mt_json_quantity(j, "Br", f->Br, "T");
  mt_json_quantity(j, "Hc", f->Hc, "T");
  mt_json_quantity(j, "Hk", f->Hk, "T");
  mt_json_real(j, "squareness", f->squareness);
  mt_json_quantity(j, "BHmax", f->BHmax, "kJ/m3");
}

static void state_name(const MtHysteresis *h, MtJson *j, const char *key, double step) {
  for (int i = 0; i < h->kept.n; i++) {
    if (mt_kept(h, i)->step != step) continue;
    char name[64];
    snprintf(name, sizeof name, "states/state_%04d.h5", i + 1);
    mt_json_string(j, key, name);
  }
}

/* Which curve, as in the column branch of curve.csv, where there are several. */
static void put_branch(const MtHysteresis *h, MtJson *j, double step) {
  if (h->plan.n < 2) return;
  const int k = (int)h->curve.row[(int)step].branch;
  mt_json_int(j, "branch", k);
  if (h->plan.kind == MT_BRANCH_ANGLE) mt_json_real(j, "angle_deg", h->plan.branch[k].angle);
}

static void put_event(const MtHysteresis *h, MtJson *j, int i) {
  const MtEvent *e = mt_event(h, i);
  mt_json_object(j, NULL);
  mt_json_int(j, "number", i + 1);
  mt_json_int(j, "step", (int64_t)e->step);
  put_branch(h, j, e->step);
  mt_json_real(j, "field_before_T", e->B_before);
  mt_json_real(j, "field_T", e->B_after);
  mt_json_real(j, "m_before", e->m_before);
  mt_json_real(j, "m_after", e->m_after);
  mt_json_real(j, "jump", e->m_after - e->m_before);
  if (e->region >= 0) {
    mt_json_reals(j, "position_nm", 3, e->site);
    mt_json_string(j, "region", h->mesh->regions.name[(int)e->region]);
    mt_json_int(j, "first_nodes", (int64_t)e->nodes);
  }
  mt_json_int(j, "evaluations", (int64_t)e->evaluations);
  mt_json_real(j, "eigenvalue_before_T", e->eigenvalue);
  state_name(h, j, "state_before", e->step - 1);
  state_name(h, j, "state_after", e->step);
  mt_json_end(j);
}

static void put_unconverged(const MtHysteresis *h, MtJson *j) {
  mt_json_array(j, "unconverged");
  for (int i = 0; i < h->curve.n; i++) {
    const MtCurveRow *r = &h->curve.row[i];
    if (r->torque < h->opt.minimizer.torque) continue;
    mt_json_object(j, NULL);
    mt_json_int(j, "step", (int64_t)r->step);
    mt_json_quantity(j, "field", r->B_along, "T");
    mt_json_quantity(j, "torque", r->torque, "T");
    mt_json_end(j);
  }
  mt_json_end(j);
}

static void put_states(const MtHysteresis *h, MtJson *j) {
  char text[96];
  mt_json_array(j, "states");
  for (int i = 0; i < h->kept.n; i++) {
    const MtKept *k = mt_kept(h, i);
    mt_json_object(j, NULL);
    mt_json_int(j, "number", i + 1);
    mt_json_int(j, "step", (int64_t)k->step);
    mt_json_real(j, "field_T", k->B_along);
    mt_json_real(j, "m", k->m);
    mt_json_string(j, "tag", mt_state_tags((unsigned)k->tags, text));
    mt_json_end(j);
  }
  mt_json_end(j);
}

/* As asked, that of the sample, or of the magnet's box; 0 when the run has no demagnetizing field. */
double mt_loop_factor(const MtHysteresis *h, const double d[3]) {
  double L[3], N[3], n = 0;
  if (!isnan(h->opt.loop_factor)) return h->opt.loop_factor;
  if (!h->u) return 0;
  if (h->opt.embedded) {
    mt_symmetric3(h->opt.sample, d, N);
    return mt_dot3(N, d);
  }
  for (int c = 0; c < 3; c++) L[c] = h->mesh->magnet_box[3 + c] - h->mesh->magnet_box[c];
  mt_prism_factors(L, N);
  for (int c = 0; c < 3; c++) n += N[c] * d[c] * d[c];
  return n;
}

PetscErrorCode mt_loop_points(const MtHysteresis *h, int branch, int *n, double **H) {
  const double *axis = h->plan.branch[branch].axis;
  MtCurve curve = mt_curve_branch(&h->curve, branch);
  int first;
  *n = mt_loop_branch(&curve, axis, &first);
  *H = malloc(2 * (size_t)(*n + 1) * sizeof **H);
  if (!*H) return mt_error(MT_ERR_FAIL, "out of memory for %d points of the curve", *n);
  for (int i = 0; i < *n; i++) {
    (*H)[i] = mt_dot3(curve.row[first + i].B, axis);
    (*H)[*n + i] = h->Jsat * mt_dot3(curve.row[first + i].mean, axis);
  }
  return 0;
}

void mt_warn_unreversed(const MtHysteresis *h, int k, int n, const double *H, double Hc) {
  char angle[48] = "";
  if (!isnan(Hc) || n < 2 || !(H[n - 1] < 0) || h->now.finished == 0 || h->opt.stop_below > 0) return;
  if (h->plan.kind == MT_BRANCH_ANGLE) snprintf(angle, sizeof angle, "at %g deg ", h->plan.branch[k].angle);
  mt_warn("%sthe magnet did not reverse down to %g T: no coercive field; go on to a larger opposing field", angle,
          H[n - 1]);
}

void mt_say_quantity(char *text, size_t size, const char *name, double value, const char *unit) {
  const size_t used = strlen(text);
  if (!isnan(value)) snprintf(text + used, size - used, "%s%s %.4g%s", used ? ", " : "", name, value, unit);
}

static bool converged(const MtHysteresis *h, const MtCurveRow *r) {
  return r->torque < h->opt.minimizer.torque;
}

int mt_unconverged(const MtHysteresis *h, const MtCurve *curve, double *most) {
  int n = 0;
  *most = 0;
  for (int i = 0; i < curve->n; i++) {
    const MtCurveRow *r = &curve->row[i];
    if (converged(h, r)) continue;
    *most = fmax(*most, r->torque);
    n++;
  }
  return n;
}

/* Is a step beside the place where a, along the falling part of the first branch, falls to the level not converged? */
static bool doubtful(const MtHysteresis *h, int n, const double *a, double level) {
  const MtCurve curve = mt_curve_branch(&h->curve, 0);
  int first;
  mt_loop_branch(&curve, h->plan.branch[0].axis, &first);
  for (int i = 0; i + 1 < n; i++)
    if (a[i] >= level && a[i + 1] < level)
      return !converged(h, &curve.row[first + i]) || !converged(h, &curve.row[first + i + 1]);
  return n > 0 && a[n - 1] == level && !converged(h, &curve.row[first + n - 1]);
}

/* Which of the figures are read off steps that are not converged. */
typedef struct {
  bool Br, Hc, Hk;
} Doubts;

static Doubts doubts(const MtHysteresis *h, int n, const double *H, const MtLoopFigures *f) {
  const double *J = H + n;
  return (Doubts){doubtful(h, n, H, 0), doubtful(h, n, J, 0), !isnan(f->Br) && doubtful(h, n, J, .9 * f->Br)};
}

static void put_doubts(MtJson *j, const Doubts *d) {
  if (!d->Br && !d->Hc && !d->Hk) return;
  mt_json_array(j, "read_off_unconverged_steps");
  if (d->Br) mt_json_string(j, NULL, "Br");
  if (d->Hc) mt_json_string(j, NULL, "Hc");
  if (d->Hk) mt_json_string(j, NULL, "Hk");
  mt_json_end(j);
}

static const char *tesla(bool doubt) {
  return doubt ? " T (not converged)" : " T";
}

/* What a user wants to know first; the last line of a run that came to its end. */
static void tell(const MtHysteresis *h, const MtLoopFigures *f, const Doubts *d) {
  char text[256] = "";
  if (h->now.finished == 0 || h->plan.kind == MT_BRANCH_ANGLE) return;
  mt_say_quantity(text, sizeof text, "Br", f->Br, tesla(d->Br));
  mt_say_quantity(text, sizeof text, "Hc", f->Hc, tesla(d->Hc));
  mt_say_quantity(text, sizeof text, "Hk", f->Hk, tesla(d->Hk));
  mt_say_quantity(text, sizeof text, "(BH)max", f->BHmax, " kJ/m3");
  if (text[0]) mt_log("%s in the applied field; events: %d", text, h->events.n);
}

static void tell_unconverged(const MtHysteresis *h) {
  double most;
  const int n = mt_unconverged(h, &h->curve, &most);
  if (n)
    mt_log("%d of %d field steps did not converge: largest torque %.3g T, limit minimizer.torque %.3g T", n, h->curve.n,
           most, h->opt.minimizer.torque);
}

/* The distance from the measured curve, and that curve as it was compared, for figures. */
static PetscErrorCode put_measured(const MtHysteresis *h, MtJson *j, int n, const double *H, const double *J) {
  double largest, distance;
  MtMeasured m;
  if (!mt_input_has(h->in, "measured.file")) return 0;
  PetscCall(mt_measured_read(h->comm, h->in, &m));
  distance = mt_curve_distance(n, H, J, &m, mt_input_real(h->in, "measured.weight"), &largest);
  mt_json_quantity(j, "distance", distance, "T");
  mt_json_quantity(j, "distance_largest", largest, "T");
  if (h->rank == 0) mt_log("distance from the measured curve: %.4g T", distance);
  PetscErrorCode rc = mt_agree_root(h->comm, h->rank ? 0 : mt_measured_write(h->folder, &m));
  mt_measured_free(&m);
  return rc;
}

/* Fields read at the least internal field so far, as mt_loop_figures does. */
static void to_internal(int n, double *H, const double *J, double N) {
  for (int i = 0; i < n; i++) {
    H[i] -= N * J[i];
    if (i && H[i] > H[i - 1]) H[i] = H[i - 1];
  }
}

static PetscErrorCode put_loop(const MtHysteresis *h, MtJson *j) {
  int n;
  double N = mt_loop_factor(h, h->plan.branch[0].axis), *H, *J;
  PetscCall(mt_loop_points(h, 0, &n, &H));
  J = H + n;
  MtLoopFigures f;
  mt_loop_figures(n, H, J, 0, &f);
  const Doubts d = doubts(h, n, H, &f);
  put_figures(j, &f);
  put_doubts(j, &d);
  tell(h, &f, &d);
  mt_json_real(j, "N", N);
  if (h->opt.embedded) mt_json_reals(j, "N_cut_out", 3, (double[]){h->body[0], h->body[3], h->body[5]});
  mt_warn_unreversed(h, 0, n, H, f.Hc);
  mt_loop_figures(n, H, J, N, &f);
  mt_json_object(j, "internal");
  put_figures(j, &f);
  mt_json_end(j);
  if (mt_input_has(h->in, "measured.file") && !strcmp(mt_input_string(h->in, "measured.against"), "internal"))
    to_internal(n, H, J, N);
  PetscErrorCode rc = put_measured(h, j, n, H, J);
  free(H);
  return rc;
}

/* Switching field of a small particle along its easy axis, T; NaN (null) where there is none, as in an easy plane. */
static double anisotropy_field(const MtMaterial *m) {
  const double K = m->K1 != 0 || m->Kc1 == 0 ? m->K1 : m->Kc1 > 0 ? m->Kc1 : -2 / 3. * m->Kc1 - 2 / 9. * m->Kc2;
  return m->Js > 0 && K >= 0 ? 2 * K * MT_MU0 / m->Js : NAN;
}

PetscErrorCode mt_hysteresis_results(MtHysteresis *h, MtJson *j) {
  const MtMaterial *m = &h->material[h->main_material];
  put_counts(h, j);
  mt_json_object(j, "results");
  PetscErrorCode rc = put_loop(h, j);
  mt_json_quantity(j, "J_sat", h->Jsat, "T");
  mt_json_string(j, "main_material", m->name);
  mt_json_quantity(j, "anisotropy_field", anisotropy_field(m), "T");
  mt_json_array(j, "events");
  for (int i = 0; i < h->events.n; i++) put_event(h, j, i);
  mt_json_end(j);
  if (!rc) rc = mt_branch_results(h, j);
  tell_unconverged(h);
  put_states(h, j);
  put_unconverged(h, j);
  if (!rc) rc = mt_composition_results(h->energy, h->material, j);
  mt_json_end(j);
  return rc;
}
