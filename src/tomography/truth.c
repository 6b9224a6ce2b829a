/* A result beside the truth of a generated stack. */
#include "../microstructure/measured.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/texttable.h"
#include "segment.h"
#include "stages.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static PetscErrorCode read_drift(const char *folder, int nz, double *at) {
  char path[4096];
  MtTextTable t;
  int k = 0;
  double number;
  snprintf(path, sizeof path, "%s/truth_drift.csv", folder);
  PetscErrorCode rc = mt_text_open(path, &t);
  while (!rc && k < nz && mt_text_next(&t))
    if (t.n == 3 && mt_text_number(t.cell[0], &number) && number == k && mt_text_number(t.cell[1], &at[2 * k]) &&
        mt_text_number(t.cell[2], &at[2 * k + 1]))
      k++;
  mt_text_close(&t);
  if (!rc && k != nz)
    rc = mt_error(MT_ERR_INPUT, "%s: does not hold the drift of %d slices: the truth of another stack?", path, nz);
  return rc;
}

PetscErrorCode mt_truth_drift(const MtStages *m) {
  const int nz = m->s.nz;
  int rank;
  if (!mt_input_has(m->in, "stack.truth")) return 0;
  double *at = mt_calloc(2 * (size_t)nz, sizeof *at), mean[2] = {0, 0}, square = 0, result[2] = {0, 0};
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  if (!rank) rc = read_drift(mt_input_string(m->in, "stack.truth"), nz, at);
  for (int i = 0; i < 2 * nz; i++) {
    const double e = m->drift.at[i] - at[i];
    mean[i % 2] += e / nz;
    square += e * e / nz;
  }
  free(at);
  result[0] = sqrt(square / 2);
  result[1] = sqrt(fmax(0, square - mean[0] * mean[0] - mean[1] * mean[1]) / 2);
  PetscCall(mt_agree_root(m->comm, rc));
  PetscCallMPI(MPI_Bcast(result, 2, MPI_DOUBLE, 0, m->comm));
  mt_log(
      "stack: against the generated truth the drift is off by %.3f pixels rms in each direction (%.3f about its mean)",
      result[0], result[1]);
  mt_json_object(m->json, "drift_against_truth");
  mt_json_real(m->json, "rms_px", result[0]);
  mt_json_real(m->json, "rms_about_mean_px", result[1]);
  mt_json_end(m->json);
  return 0;
}

/* ---- labels ---- */

static int by_count(const void *p, const void *q) {
  const MtLink *x = p, *y = q;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  if (x->a != y->a) return x->a < y->a ? -1 : 1;
  return (x->b > y->b) - (x->b < y->b);
}

/* Common volumes of all pairs of labels, gathered on every rank: pairs are few, as neighbours are.  link.a: true label,
 * and .b: found one + ntrue + 1, so that a < b; both begin with 0, none. */
static PetscErrorCode overlaps(MPI_Comm comm, const MtLabels *t, const MtLabels *l, int64_t *n, MtLink **link) {
  const int64_t nv = (int64_t)l->nx * l->ny * l->nz_local;
  int64_t room = 1 << 16, used = 0, *mine, *all = NULL, nall = 0;
  MtLink *list = mt_malloc((size_t)room * sizeof *list);
  for (int64_t v = 0; v < nv; v++) {
    if (used == room && (used = mt_links_reduce(used, list)) > room / 2) {
      room *= 2;
      list = mt_realloc(list, (size_t)room * sizeof *list);
    }
    list[used++] = (MtLink){t->label[v] + 1, l->label[v] + 2 + t->ngrains, 0, 1, 0};
  }
  used = mt_links_reduce(used, list);
  mine = mt_malloc((size_t)(3 * used + 1) * sizeof *mine);
  for (int64_t i = 0; i < used; i++)
    mine[3 * i] = list[i].a, mine[3 * i + 1] = list[i].b, mine[3 * i + 2] = list[i].count;
  PetscErrorCode rc = mt_gather_i64(comm, 3 * used, mine, &nall, &all);
  *link = mt_realloc(list, (size_t)(nall / 3 + 1) * sizeof *list);
  for (int64_t i = 0; i < nall / 3; i++) (*link)[i] = (MtLink){all[3 * i], all[3 * i + 1], 0, all[3 * i + 2], 0};
  *n = mt_links_reduce(nall / 3, *link);
  free(mine);
  free(all);
  return rc;
}

/* Largest common volumes first; a label is used once, and no grain is matched with none.  partner [nfound + 1]: true
 * label + 1 of each found one + 1, -1: it has none. */
static int64_t match(int64_t n, MtLink *link, int ntrue, int nfound, int64_t *partner, int *matched) {
  int64_t good = 0;
  const int64_t none = ntrue + 1;
  bool *used = mt_calloc((size_t)(ntrue + nfound) + 2, sizeof *used);
  *matched = 0;
  for (int g = 0; g <= nfound; g++) partner[g] = -1;
  qsort(link, (size_t)n, sizeof *link, by_count);
  for (int64_t i = 0; i < n; i++) {
    const MtLink *l = &link[i];
    if (used[l->a] || used[l->b] || (l->a == 0) != (l->b == none)) continue;
    used[l->a] = used[l->b] = true;
    partner[l->b - none] = l->a;
    good += l->count;
    *matched += l->a != 0;
  }
  free(used);
  return good;
}

static PetscErrorCode read_truth(const MtStages *m, const MtLabels *l, MtLabels *t) {
  char path[4096];
  int64_t *raw = NULL, most = 0;
  double *axes = NULL, *turns = NULL;
  int naxes = 0;
  snprintf(path, sizeof path, "%s/truth.h5", mt_input_string(m->in, "stack.truth"));
  PetscErrorCode rc = mt_volume_hdf5(m->comm, path, "/labels", t, &raw, &naxes, &axes, &turns);
  if (!rc && (t->nx != l->nx || t->ny != l->ny || t->nz != l->nz))
    rc = mt_error(MT_ERR_INPUT,
                  "%s has %d x %d x %d voxels, the labels %d x %d x %d: the truth of another stack, or another "
                  "stack.crop",
                  path, t->nx, t->ny, t->nz, l->nx, l->ny, l->nz);
  for (int64_t v = 0; !rc && v < (int64_t)t->nx * t->ny * t->nz_local; v++) {
    t->label[v] = (int32_t)raw[v] - 1;
    if (raw[v] > most) most = raw[v];
  }
  free(raw);
  free(axes);
  free(turns);
  PetscCall(rc);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT64_T, MPI_MAX, m->comm));
  t->ngrains = (int)most;
  return mt_labels_count(m->comm, t);
}

static void tell_labels(const MtStages *m, const MtLabels *t, const MtLabels *l, int matched, int64_t good) {
  const double all = (double)l->nx * l->ny * l->nz;
  double in_true = 0, in_found = 0;
  int ntrue = 0;
  for (int g = 0; g < t->ngrains; g++) {
    ntrue += t->voxels[g] > 0;
    in_true += (double)t->voxels[g];
  }
  for (int g = 0; g < l->ngrains; g++) in_found += (double)l->voxels[g];
  const double volume = (in_found / l->ngrains) / (in_true / ntrue) - 1;
  mt_log(
      "stack: against the generated truth %.2f %% of the voxels have the true label; %d grains, true %d; mean volume "
      "%+.2f %%",
      100 * (double)good / all, l->ngrains, ntrue, 100 * volume);
  mt_json_object(m->json, "labels_against_truth");
  mt_json_real(m->json, "agreement", (double)good / all);
  mt_json_int(m->json, "grains", l->ngrains);
  mt_json_int(m->json, "true_grains", ntrue);
  mt_json_int(m->json, "matched_grains", matched);
  mt_json_real(m->json, "mean_volume_error", volume);
  mt_json_real(m->json, "pocket_fraction", 1 - in_found / all);
  mt_json_real(m->json, "true_pocket_fraction", 1 - in_true / all);
  mt_json_end(m->json);
}

/* ---- what the confidence says, and what is true ---- */

enum { BINS = 8 };
static const double edge[BINS + 1] = {0, .6, .7, .8, .85, .9, .95, .99, 1.001};
typedef struct {
  int64_t n[BINS], good[BINS], stated[BINS]; /* voxels; stated in 1e-6 */
} Calibration;

static PetscErrorCode calibrate(MPI_Comm comm, const MtLabels *t, const MtLabels *l, const int64_t *partner,
                                Calibration *c) {
  memset(c, 0, sizeof *c);
  for (int64_t v = 0; v < (int64_t)l->nx * l->ny * l->nz_local; v++) {
    int b = 0;
    while (b < BINS - 1 && l->confidence[v] >= edge[b + 1]) b++;
    c->n[b]++;
    c->good[b] += partner[l->label[v] + 1] == t->label[v] + 1;
    c->stated[b] += llround(1e6 * l->confidence[v]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, c, 3 * BINS, MPI_INT64_T, MPI_SUM, comm));
  return 0;
}

static void tell_calibration(const MtStages *m, const Calibration *c) {
  double n = 0, good = 0, stated = 0, off = 0;
  mt_json_object(m->json, "confidence_against_truth");
  mt_json_array(m->json, "bins");
  for (int b = 0; b < BINS; b++) {
    if (!c->n[b]) continue;
    const double part = (double)c->n[b], says = 1e-6 * (double)c->stated[b] / part, is = (double)c->good[b] / part;
    n += part, good += (double)c->good[b], stated += says * part, off += fabs(says - is) * part;
    mt_json_object(m->json, NULL);
    mt_json_int(m->json, "voxels", c->n[b]);
    mt_json_real(m->json, "stated", says);
    mt_json_real(m->json, "true", is);
    mt_json_end(m->json);
  }
  mt_json_end(m->json);
  mt_json_real(m->json, "stated", stated / n);
  mt_json_real(m->json, "true", good / n);
  mt_json_real(m->json, "mean_difference", off / n);
  mt_json_end(m->json);
  mt_log(
      "stack: the confidence says %.2f %% in the mean; over classes of confidence it is off by %.2f %% of the voxels",
      100 * stated / n, 100 * off / n);
}

static PetscErrorCode compare(const MtStages *m, const MtLabels *t, const MtLabels *l, int64_t n, MtLink *link) {
  int64_t *partner = mt_malloc(((size_t)l->ngrains + 1) * sizeof *partner);
  Calibration c;
  int matched;
  const int64_t good = match(n, link, t->ngrains, l->ngrains, partner, &matched);
  PetscErrorCode rc = l->confidence ? calibrate(m->comm, t, l, partner, &c) : 0;
  free(partner);
  PetscCall(rc);
  tell_labels(m, t, l, matched, good);
  if (l->confidence) tell_calibration(m, &c);
  return 0;
}

PetscErrorCode mt_truth_labels(const MtStages *m, const MtLabels *l) {
  MtLabels t = {0};
  MtLink *link = NULL;
  int64_t n = 0;
  if (!mt_input_has(m->in, "stack.truth")) return 0;
  PetscErrorCode rc = read_truth(m, l, &t);
  if (!rc) rc = overlaps(m->comm, &t, l, &n, &link);
  if (!rc) rc = compare(m, &t, l, n, link);
  free(link);
  mt_labels_free(&t);
  return rc;
}
