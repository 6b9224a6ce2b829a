/* From the slices as they were read to a volume of gray values without streaks, shading, drift and most noise. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include "slabs.h"
#include "stages.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static MtRect whole(const MtStack *s) {
  return (MtRect){0, 0, s->nx, s->ny};
}

static PetscErrorCode read_rect(const MtStages *m, const char *key, MtRect *r, bool *given) {
  int v[4];
  *given = mt_input_has(m->in, "%s", key);
  *r = whole(&m->s);
  if (!*given) return 0;
  if (mt_input_count(m->in, "%s", key) != 4) return mt_input_error(m->in, key, "must be four numbers x0, y0, x1, y1");
  for (int i = 0; i < 4; i++) v[i] = (int)floor(mt_input_real_at(m->in, i, "%s", key) + .5);
  *r = (MtRect){v[0], v[1], v[2], v[3]};
  if (r->x1 > m->s.nx || r->y1 > m->s.ny || r->x1 - r->x0 < 16 || r->y1 - r->y0 < 16)
    return mt_input_error(m->in, key, "[%d, %d, %d, %d] is not a part of 16 x 16 pixels or more of a slice of %d x %d",
                          v[0], v[1], v[2], v[3], m->s.nx, m->s.ny);
  return 0;
}

static float *slice(const MtStack *s, int k) {
  return s->gray + (size_t)k * (size_t)s->nx * (size_t)s->ny;
}

static PetscErrorCode remove_stripes(MtStages *m) {
  const int levels = (int)mt_input_int(m->in, "stack.stripes.levels");
  const double width = mt_input_real(m->in, "stack.stripes.width");
  PetscErrorCode rc = 0;
  if (!levels) return 0;
  for (int k = 0; k < m->s.nz_local && !rc; k++)
    if (!m->s.lost[m->s.z0 + k]) rc = mt_clean_stripes(m->s.nx, m->s.ny, levels, width, slice(&m->s, k));
  PetscCall(mt_agree(m->comm, rc));
  return mt_picture_gray(m, "2_stripes");
}

static PetscErrorCode remove_shading(MtStages *m) {
  const int degree = (int)mt_input_int(m->in, "stack.shading");
  if (!degree) return 0;
  PetscCall(mt_clean_shading(m->comm, &m->s, degree, m->crop));
  return mt_picture_gray(m, "3_shading");
}

/* The noise of a slice by its own pixels; the mean over the slices is told. */
static PetscErrorCode remove_noise(MtStages *m) {
  MtStack *s = &m->s;
  const char *method = mt_input_string(m->in, "stack.denoise.method");
  const double strength = mt_input_real(m->in, "stack.denoise.strength");
  double *sigma = mt_calloc((size_t)s->nz_local + 1, sizeof *sigma), *all = mt_calloc((size_t)s->nz, sizeof *all);
  double mean = 0;
  PetscErrorCode rc = 0;
  for (int k = 0; k < s->nz_local && !rc; k++) {
    if (s->lost[s->z0 + k]) continue;
    sigma[k] = mt_noise_level(s->nx, s->ny, slice(s, k));
    if (!strcmp(method, "means")) rc = mt_denoise_means(s->nx, s->ny, 2, 5, strength, sigma[k], slice(s, k));
    if (!strcmp(method, "tv")) rc = mt_denoise_tv(s->nx, s->ny, strength, sigma[k], slice(s, k));
  }
  rc = mt_agree(m->comm, rc);
  if (!rc) rc = mt_slab_gather(m->comm, s->nz, 1, sigma, all);
  for (int k = 0; k < s->nz; k++) mean += all[k] / (s->nz - s->nlost);
  free(sigma);
  free(all);
  PetscCall(rc);
  mt_log("stack: noise of %.3g in gray values", mean);
  mt_json_real(m->json, "noise", mean);
  return strcmp(method, "none") ? mt_picture_gray(m, "4_denoised") : 0;
}

static PetscErrorCode write_drift(const MtStages *m) {
  char path[4096];
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  if (!rank) {
    snprintf(path, sizeof path, "%s/drift.csv", m->folder);
    FILE *f = fopen(path, "w");
    if (f) fprintf(f, "slice,dx_px,dy_px,misfit_px,lost\n");
    for (int k = 0; f && k < m->s.nz; k++)
      fprintf(f, "%d,%.6g,%.6g,%.3g,%d\n", k, m->drift.at[2 * k], m->drift.at[2 * k + 1], m->drift.misfit[k],
              m->s.lost[k]);
    if (!f || fclose(f)) rc = mt_error(mt_errno_code(errno), "%s: cannot be written: %s", path, strerror(errno));
  }
  return mt_agree_root(m->comm, rc);
}

static void tell_drift(const MtStages *m) {
  const MtDrift *d = &m->drift;
  double far[2] = {0, 0};
  for (int k = 0; k < m->s.nz; k++)
    for (int c = 0; c < 2; c++) far[c] = fmax(far[c], fabs(d->at[2 * k + c]));
  mt_log("stack: drift of up to %.1f and %.1f pixels; %d pairs of slices agree to %.2f pixels rms, %d do not", far[0],
         far[1], d->npairs, d->rms, d->nrejected);
  mt_json_object(m->json, "drift");
  mt_json_reals(m->json, "largest_px", 2, far);
  mt_json_int(m->json, "pairs", d->npairs);
  mt_json_int(m->json, "pairs_rejected", d->nrejected);
  mt_json_real(m->json, "misfit_px", d->rms);
  mt_json_end(m->json);
}

static PetscErrorCode find_drift(MtStages *m, MtRect marks) {
  const int distance = (int)mt_input_int(m->in, "stack.drift.distance"),
            most = (int)mt_input_int(m->in, "stack.drift.most");
  if (!strcmp(mt_input_string(m->in, "stack.drift.method"), "none")) {
    m->drift.at = mt_calloc(2 * (size_t)m->s.nz, sizeof *m->drift.at);
    m->drift.misfit = mt_calloc((size_t)m->s.nz, sizeof *m->drift.misfit);
    return 0;
  }
  if (!mt_input_has(m->in, "stack.marks"))
    mt_warn("stack: without stack.marks the drift is taken from the grains: where their boundaries lean to one side "
            "together, that passes for drift");
  mt_phase_begin("drift");
  PetscErrorCode rc =
      mt_drift_find(m->comm, &m->s, marks, distance, most, mt_input_real(m->in, "stack.drift.whitening"), &m->drift);
  mt_phase_end("drift");
  if (!rc) tell_drift(m);
  return rc;
}

static PetscErrorCode take_drift_out(MtStages *m) {
  const MtRect common = mt_drift_common(&m->s, &m->drift);
  if (common.x1 - common.x0 < 16 || common.y1 - common.y0 < 16)
    return mt_error(MT_ERR_INPUT, "the slices drift so far that no 16 x 16 pixels are seen in all of them");
  if (!m->has_crop) m->crop = common;
  const MtRect c = m->crop;
  if (c.x0 < common.x0 || c.y0 < common.y0 || c.x1 > common.x1 || c.y1 > common.y1)
    mt_warn("stack: stack.crop [%d, %d, %d, %d] is more than all slices show, [%d, %d, %d, %d]: pixels beyond the edge "
            "of a slice repeat it",
            c.x0, c.y0, c.x1, c.y1, common.x0, common.y0, common.x1, common.y1);
  PetscCall(mt_drift_apply(m->comm, &m->s, &m->drift, m->crop));
  mt_json_reals(m->json, "crop_px", 4, (double[]){m->crop.x0, m->crop.y0, m->crop.x1, m->crop.y1});
  return mt_picture_gray(m, "5_aligned");
}

PetscErrorCode mt_stages_clean(MtStages *m) {
  MtRect marks;
  bool has_marks;
  PetscCall(read_rect(m, "stack.crop", &m->crop, &m->has_crop));
  PetscCall(read_rect(m, "stack.marks", &marks, &has_marks));
  PetscCall(mt_picture_gray(m, "1_raw"));
  mt_phase_begin("streaks and shading");
  PetscErrorCode rc = remove_stripes(m);
  if (!rc) rc = remove_shading(m);
  mt_phase_end("streaks and shading");
  if (!rc) rc = find_drift(m, marks);
  if (!rc) rc = write_drift(m);
  if (!rc) rc = mt_truth_drift(m);
  mt_phase_begin("noise");
  if (!rc) rc = remove_noise(m);
  mt_phase_end("noise");
  return rc ? rc : take_drift_out(m);
}
