/* summary.json of a run of energy barriers: counts, barriers, and the coercivity at a temperature and measuring time.
 */
#include "barrier_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>
#include <stdlib.h>

static void put_counts(const MtBarrier *b, MtJson *j) {
  double rounds = 0, evaluations = 0, inner = 0, demag = 0;
  for (int i = 0; i < b->rows.n; i++) {
    const MtBarrierRow *r = mt_barrier_row(b, i);
    rounds += r->rounds;
    evaluations += r->evaluations;
    inner += r->inner;
    demag += r->demag;
  }
  mt_json_object(j, "counts");
  mt_json_int(j, "nodes", b->mesh->nv_global);
  mt_json_int(j, "magnetic_nodes", b->site.nodes->n_global);
  mt_json_int(j, "images", b->path.n);
  mt_json_int(j, "groups", b->team.ngroups);
  mt_json_int(j, "fields", b->rows.n);
  mt_json_int(j, "rounds", (int64_t)rounds);
  mt_json_int(j, "evaluations", (int64_t)evaluations);
  mt_json_int(j, "inner_iterations", (int64_t)inner);
  mt_json_int(j, "demag_iterations", (int64_t)demag);
  mt_json_end(j);
}

static bool good(const MtBarrierRow *r) {
  return mt_path_found((int)r->end) && r->barrier > 0;
}

static bool given_up(const MtBarrierRow *r) {
  return (int)r->end == MT_PATH_MAX_ROUNDS || (int)r->end == MT_PATH_STAGNATED;
}

/* Of a field, counted from 0. */
static bool is_missing(const MtBarrier *b, int field) {
  bool undone = false;
  for (int i = field; i < b->rows.n; i += b->opt.fields) {
    if (mt_path_found((int)mt_barrier_row(b, i)->end)) return false;
    undone = undone || given_up(mt_barrier_row(b, i));
  }
  return undone;
}

static void tell_given_up(const MtBarrier *b) {
  for (int i = 0; i < b->rows.n; i++) {
    const MtBarrierRow *r = mt_barrier_row(b, i);
    if (given_up(r))
      mt_log("not converged: the path at %g T, start %d (%s after %.0f rounds, torque of its saddle %.3g T): its "
             "barrier, %.4g J, does not count",
             r->B, 1 + mt_barrier_start_of(b, r->number), mt_barrier_end_name((int)r->end), r->rounds, r->torque,
             r->barrier);
  }
}

int mt_barrier_missing(const MtBarrier *b) {
  int n = 0;
  for (int field = 0; field < b->opt.fields; field++) n += is_missing(b, field);
  return n;
}

/* Is no lower one of another start known at its field? */
static bool lowest(const MtBarrier *b, int i) {
  const MtBarrierRow *r = mt_barrier_row(b, i);
  for (int k = i % b->opt.fields; k < b->rows.n; k += b->opt.fields) {
    const MtBarrierRow *other = mt_barrier_row(b, k);
    if (k != i && good(other) && (other->barrier < r->barrier || (k < i && other->barrier <= r->barrier))) return false;
  }
  return good(r);
}

static void put_barriers(const MtBarrier *b, MtJson *j) {
  double kT = MT_KB * b->opt.temperature;
  mt_json_array(j, "barriers");
  for (int i = 0; i < b->rows.n; i++) {
    const MtBarrierRow *r = mt_barrier_row(b, i);
    mt_json_object(j, NULL);
    mt_json_real(j, "field_T", r->B);
    mt_json_int(j, "start", 1 + mt_barrier_start_of(b, r->number));
    mt_json_bool(j, "lowest", lowest(b, i));
    mt_json_real(j, "barrier_J", r->barrier);
    mt_json_real(j, "barrier_kBT", r->barrier / kT);
    mt_json_real(j, "back_J", r->back);
    mt_json_bool(j, "converged", mt_path_found((int)r->end));
    mt_json_string(j, "end", mt_barrier_end_name((int)r->end));
    mt_json_int(j, "rounds", (int64_t)r->rounds);
    mt_json_reals(j, "saddle_eigenvalues_T", 2, r->lambda);
    mt_json_real(j, "saddle_torque_T", r->torque);
    mt_json_real(j, "initial_eigenvalue_T", r->initial_lambda);
    mt_json_end(j);
  }
  mt_json_end(j);
}

/* The lowest good barrier of each field, as functions of the field against which they fall: H = sign B. */
static int points(const MtBarrier *b, double *H, double *E, double *sign) {
  int n = 0;
  double trend = 0;
  for (int i = 0; i < b->rows.n; i++) {
    const MtBarrierRow *r = mt_barrier_row(b, i);
    if (!lowest(b, i)) continue;
    H[n] = r->B;
    E[n++] = r->barrier;
  }
  for (int i = 0; i < n; i++)
    for (int k = 0; k < i; k++) trend += (H[i] - H[k]) * (E[i] - E[k]);
  *sign = trend > 0 ? -1 : 1;
  for (int i = 0; i < n; i++) H[i] *= *sign;
  return n;
}

static void put_fit(const MtBarrierFit *fit, double sign, MtJson *j) {
  mt_json_object(j, "fit");
  mt_json_string(j, "form", "E0 (1 - H/H0)^n");
  mt_json_int(j, "points", fit->points);
  mt_json_quantity(j, "E0", fit->E0, "J");
  mt_json_quantity(j, "H0", sign * fit->H0, "T");
  mt_json_real(j, "n", fit->n);
  mt_json_bool(j, "n_at_bound", fit->at_bound);
  mt_json_quantity(j, "error", fit->error, "J");
  mt_json_end(j);
}

static void warn_of_fit(const MtBarrier *b, const MtBarrierFit *fit, double sign, double field, bool known) {
  const double attempts = log(b->opt.attempts), T = b->opt.temperature;
  if (fit->at_bound)
    mt_warn(
        "the barriers do not fall as E0 (1 - H/H0)^n: n = %g is at the bound of what is tried, E0 and H0 mean little. "
        "Give barrier.fields %s; a coercivity between two close fields holds all the same",
        fit->n,
        fit->n > 1 ? "nearer to the switching field" : "between which reversal keeps its kind (see barriers.csv)");
  if (!(field * fit->H0 > 0))
    mt_warn("without a field the barrier is smaller than %.1f kBT already: at %g K the magnet does not keep its "
            "direction for that time",
            attempts, T);
  else if (!known)
    mt_warn("the coercivity at %g K, %.4f T, lies beyond the fields of barrier.fields: it is extrapolated", T,
            sign * field);
}

static void put_coercivity(const MtBarrier *b, int n, const double *H, const double *barrier, const MtBarrierFit *fit,
                           double sign, MtJson *j) {
  bool known;
  double E = MT_KB * b->opt.temperature * log(b->opt.attempts);
  double field = mt_barrier_field(n, H, barrier, fit, E, &known);
  mt_json_quantity(j, "temperature", b->opt.temperature, "K");
  mt_json_real(j, "ln_f0_t", log(b->opt.attempts));
  mt_json_quantity(j, "barrier_overcome", E, "J");
  mt_json_quantity(j, "Hc", sign * field, "T");
  mt_json_bool(j, "Hc_between_fields", known);
  if (!fit->points) return;
  mt_log("E = %.4g J (1 - H/%.4f T)^%.3f; overcome at %g K (%.1f kBT): %.4f T%s", fit->E0, sign * fit->H0, fit->n,
         b->opt.temperature, log(b->opt.attempts), sign * field, known ? "" : ", beyond the fields of the run");
  warn_of_fit(b, fit, sign, field, known);
}

PetscErrorCode mt_barrier_results(MtBarrier *b, MtJson *j) {
  MtBarrierFit fit;
  double sign, *H = malloc(2 * (size_t)(b->rows.n + 1) * sizeof *H);
  if (!H) return mt_error(MT_ERR_FAIL, "out of memory for %d barriers", b->rows.n);
  double *E = H + b->rows.n;
  put_counts(b, j);
  mt_json_object(j, "results");
  int n = points(b, H, E, &sign);
  mt_barrier_fit(n, H, E, &fit);
  put_barriers(b, j);
  put_fit(&fit, sign, j);
  put_coercivity(b, n, H, E, &fit, sign, j);
  tell_given_up(b);
  PetscErrorCode rc = mt_composition_results(b->energy, b->material, j);
  mt_json_end(j);
  free(H);
  return rc;
}
