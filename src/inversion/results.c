/* What an estimate leaves: parameters.csv, snapshots.h5 (observed and computed), its part of summary.json. */
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NORMAL95 = 1.959963984540054; /* standard deviations on either side of 95 % */

static const char *short_name(const MtUnknown *u) {
  return strchr(u->name, '.') + 1;
}

/* value, deviation and the bounds of 95 %, in the unit of the key */
static void in_unit(const MtUnknown *u, double theta, double deviation, double out[4]) {
  out[0] = mt_unknown_value(u, theta);
  out[1] = deviation * mt_unknown_slope(u, theta);
  out[2] = mt_unknown_value(u, theta - NORMAL95 * deviation);
  out[3] = mt_unknown_value(u, theta + NORMAL95 * deviation);
}

static PetscErrorCode write_parameters(const MtInvert *v, const double *theta, const MtPosterior *p) {
  char *path = mt_invert_path(v, "parameters.csv"), *text = NULL;
  const int n = v->twin.n;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  fprintf(f, "parameter,unit,start,min,max,estimate,deviation,low_95,high_95,at_bound");
  for (int i = 0; i < n; i++) fprintf(f, ",correlation_%s", short_name(&v->twin.unknown[i]));
  fputc('\n', f);
  for (int i = 0; i < n; i++) {
    const MtUnknown *u = &v->twin.unknown[i];
    double at[4];
    in_unit(u, theta[i], p->deviation[i], at);
    fprintf(f, "%s,%s,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%d", short_name(u), u->unit, u->start, u->low, u->high,
            at[0], at[1], at[2], at[3], p->at_bound[i]);
    for (int j = 0; j < n; j++) fprintf(f, ",%.6f", p->covariance[i * n + j] / (p->deviation[i] * p->deviation[j]));
    fputc('\n', f);
  }
  fclose(f);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  free(path);
  return rc;
}

static PetscErrorCode write_pair(const MtInvert *v, int k, Vec predicted, MtH5 *f) {
  const MtDomain *d = v->twin.domain;
  char name[2][48];
  PetscErrorCode rc = 0;
  for (int side = 0; side < 2 && !rc; side++) {
    snprintf(name[side], sizeof name[side], "/%s/%04d", side ? "computed" : "observed", k + 1);
    rc = mt_domain_write(d, f, name[side], side ? predicted : v->twin.seen.value[k], "1");
    if (!rc) rc = mt_h5_set_reals(f, name[side], "t_s", 1, &v->twin.seen.t[k]);
    int64_t n[3];
    for (int c = 0; c < 3; c++) n[c] = c < d->box.dim ? d->box.cells[c] + !d->box.periodic[c] : 1;
    if (!rc && !d->mesh) rc = mt_h5_set_ints(f, name[side], "nodes", 3, n);
    if (!rc && !d->mesh) rc = mt_h5_set_reals(f, name[side], "size_nm", 3, d->box.size);
  }
  return rc;
}

static PetscErrorCode write_snapshots(const MtInvert *v, const Vec *predicted) {
  MtH5 *f;
  char *path = mt_invert_path(v, "snapshots.h5");
  PetscErrorCode rc = mt_h5_create(v->twin.comm, path, "magtwin-snapshots", 1, &f);
  free(path);
  if (rc) return rc;
  for (int k = 0; k < v->twin.seen.n && !rc; k++) rc = write_pair(v, k, predicted[k], f);
  if (!rc) return mt_h5_commit(&f, false);
  mt_h5_discard(&f);
  return rc;
}

static void put_parameters(const MtInvert *v, const double *theta, const MtPosterior *p, MtJson *j) {
  mt_json_object(j, "parameters");
  for (int i = 0; i < v->twin.n; i++) {
    const MtUnknown *u = &v->twin.unknown[i];
    double at[4];
    in_unit(u, theta[i], p->deviation[i], at);
    mt_json_object(j, short_name(u));
    mt_json_real(j, "value", at[0]);
    mt_json_string(j, "unit", u->unit);
    mt_json_real(j, "deviation", at[1]);
    mt_json_real(j, "low_95", at[2]);
    mt_json_real(j, "high_95", at[3]);
    mt_json_end(j);
  }
  mt_json_end(j);
}

/* What the reader must know before using the numbers. */
static void warn(const MtInvert *v, const MtPosterior *p, double per_value) {
  const MtTwin *w = &v->twin;
  for (int i = 0; i < w->n; i++)
    if (p->at_bound[i]) mt_warn("%s lies at a bound: its deviation is that without the bound", w->unknown[i].name);
  if (p->loose) {
    char text[512] = "";
    for (int i = 0; i < w->n; i++)
      if (fabs(p->weakest[i]) > .1)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%+.2f %s", *text ? " " : "", p->weakest[i],
                 short_name(&w->unknown[i]));
    mt_warn("the snapshots hardly fix one combination of the parameters (%s, in %s): fix one of them, or give "
            "deviations",
            text, "logarithms or widths of ranges");
  }
  const double scatter = sqrt(2 / w->seen.count); /* of the mean of squares, chi-squared */
  if (per_value > 1 + 5 * scatter && v->opt.initial_noise == 0)
    mt_warn("computed and observed differ by %.3g of the noise stated (rms): the noise is larger, or the model is not "
            "that of the snapshots; the deviations are too small",
            sqrt(per_value));
}

PetscErrorCode mt_invert_results(MtInvert *v, const double *theta, const MtPosterior *p, double misfit,
                                 const Vec *predicted, MtJson *j) {
  double count[5];
  const double per_value = 2 * misfit / v->twin.seen.count;
  PetscErrorCode rc = mt_agree_root(v->comm, v->rank ? 0 : write_parameters(v, theta, p));
  if (!rc && v->mine == 0) rc = write_snapshots(v, predicted);
  rc = mt_agree(v->comm, rc);
  if (rc) return rc;
  warn(v, p, per_value);
  PetscCall(mt_invert_counts(v, count));
  mt_json_object(j, "counts");
  mt_json_int(j, "nodes", v->twin.domain->n_global);
  mt_json_int(j, "snapshots", v->twin.seen.n);
  mt_json_int(j, "values", (int64_t)v->twin.seen.count);
  mt_json_int(j, "steps", v->twin.steps.n);
  mt_json_int(j, "iterations", (int64_t)v->mark.iteration);
  mt_json_int(j, "evaluations", (int64_t)count[0]);
  mt_json_int(j, "adjoints", (int64_t)count[1]);
  mt_json_int(j, "sensitivities", (int64_t)count[2]);
  mt_json_int(j, "newton_iterations", (int64_t)count[3]);
  mt_json_int(j, "linear_iterations", (int64_t)count[4]);
  mt_json_int(j, "steps_computed_again", (int64_t)v->twin.recomputed);
  mt_json_end(j);
  mt_json_object(j, "results");
  put_parameters(v, theta, p, j);
  mt_json_real(j, "misfit", misfit);
  mt_json_real(j, "misfit_per_value", per_value);
  mt_json_end(j);
  return 0;
}
