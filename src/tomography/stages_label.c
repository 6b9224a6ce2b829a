/* From clean gray values to grains: pockets, boundaries, basins, merging; then what every label volume has. */
#include "../microstructure/measured.h"
#include "../microstructure/power_axes.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include "magtwin/run.h"
#include "segment.h"
#include "stages.h"
#include <math.h>
#include <string.h>

static PetscErrorCode find_pockets(MtStages *m, uint8_t **phase) {
  const char *method = mt_input_string(m->in, "stack.phases.method");
  const int64_t n = (int64_t)m->s.nx * m->s.ny * m->s.nz_local;
  double level = 0;
  int64_t count = 0;
  if (!strcmp(method, "none")) {
    *phase = mt_calloc((size_t)n + 1, 1);
    return 0;
  }
  if (!strcmp(method, "hmrf"))
    PetscCall(mt_phases_hmrf(m->comm, &m->s, mt_input_real(m->in, "stack.phases.coupling"), phase, &level));
  else
    PetscCall(mt_phases_threshold(m->comm, &m->s, phase, &level));
  for (int64_t v = 0; v < n; v++) count += (*phase)[v];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &count, 1, MPI_INT64_T, MPI_SUM, m->comm));
  const double share = (double)count / ((double)m->s.nx * m->s.ny * m->s.nz);
  mt_log("stack: pockets of the bright phase: %.2f %% of the volume (brighter than %.3g)", 100 * share, level);
  mt_json_real(m->json, "pocket_fraction", share);
  return 0;
}

static MtBoundary boundary_kind(const MtStages *m) {
  const char *kind = mt_input_string(m->in, "stack.grains.boundaries");
  return !strcmp(kind, "bright") ? MT_BOUNDARY_BRIGHT : !strcmp(kind, "dark") ? MT_BOUNDARY_DARK : MT_BOUNDARY_ANY;
}

static PetscErrorCode find_grains(MtStages *m, const uint8_t *phase, MtLabels *l) {
  const MtStack *s = &m->s;
  const int64_t n = (int64_t)s->nx * s->ny * s->nz_local;
  MtGrainRule rule = {.core = 1.5, .min_voxels = mt_input_int(m->in, "stack.grains.min_voxels")};
  MtNoise noise = {0, 0};
  int64_t nbasins = 0;
  float *strength = NULL;
  PetscCall(mt_boundaries(m->comm, s, boundary_kind(m), mt_input_real(m->in, "stack.grains.smooth"), &strength));
  PetscErrorCode rc = mt_strength_noise(m->comm, n, strength, &noise);
  rule.open = mt_strength_level(&noise, MT_OPEN);
  rule.closed = mt_strength_level(&noise, mt_input_real(m->in, "stack.grains.threshold"));
  if (!rc) rc = mt_grains_segment(m->comm, s, strength, phase, &rule, l->label, &l->ngrains, &nbasins);
  const MtPlace place = {mt_input_real(m->in, "stack.grains.smooth"), mt_strength_level(&noise, 1), m->drift.rms};
  if (!rc) rc = mt_confidence(m->comm, s, l->label, strength, &place, &l->confidence);
  if (!rc) rc = mt_picture_values(m, "6_boundaries", strength);
  if (!rc) rc = mt_picture_values(m, "8_confidence", l->confidence);
  free(strength);
  PetscCall(rc);
  mt_log("stack: boundaries stronger than %.3g (inside grains %.3g, upper quartile %.3g more): %lld basins, %d grains",
         rule.closed, noise.centre, noise.width, (long long)nbasins, l->ngrains);
  mt_json_int(m->json, "basins", nbasins);
  mt_json_int(m->json, "grains", l->ngrains);
  if (!l->ngrains) return mt_error(MT_ERR_FAIL, "the stack has no grain: everything is a pocket");
  return 0;
}

/* Axes from a table or by chance: pictures do not show them. */
static PetscErrorCode give_axes(const MtStages *m, MtLabels *l) {
  const uint64_t seed = (uint64_t)mt_input_int(m->in, "grains.seed");
  l->axis = mt_malloc(3 * (size_t)l->ngrains * sizeof *l->axis);
  l->source = mt_malloc((size_t)l->ngrains * sizeof *l->source);
  for (int g = 0; g < l->ngrains; g++) l->source[g] = g + 1;
  if (mt_input_has(m->in, "grains.orientations"))
    PetscCall(mt_labels_axes_csv(m->comm, mt_input_string(m->in, "grains.orientations"), l));
  if (l->orientation) return 0;
  if (!mt_input_has(m->in, "grains.orientations")) {
    MtRandom random;
    mt_log("grains: pictures do not show easy axes: they are drawn about grains.texture_axis");
    l->axes_drawn = true;
    mt_random_seed(&random, seed);
    PetscCall(mt_power_draw_axes(m->in, &random, l->ngrains, l->axis));
  }
  l->orientation = mt_malloc(4 * (size_t)l->ngrains * sizeof *l->orientation);
  mt_power_draw_turns(seed, l->ngrains, l->axis, l->orientation);
  return 0;
}

static PetscErrorCode label(MtStages *m, const uint8_t *phase, MtLabels *l) {
  int64_t labelled = 0;
  PetscCall(mt_labels_layout(m->comm, m->s.nx, m->s.ny, m->s.nz, l));
  memcpy(l->voxel, m->s.voxel, sizeof l->voxel);
  PetscCall(find_grains(m, phase, l));
  PetscCall(mt_labels_renumber(m->comm, l));
  PetscCall(give_axes(m, l));
  for (int g = 0; g < l->ngrains; g++) labelled += l->voxels[g];
  l->kept = (double)labelled / ((double)l->nx * l->ny * l->nz);
  return mt_picture_labels(m, "7_grains", l->label);
}

PetscErrorCode mt_stages_label(MtStages *m, MtLabels *l) {
  uint8_t *phase = NULL;
  mt_phase_begin("labelling");
  PetscErrorCode rc = find_pockets(m, &phase);
  if (!rc) rc = label(m, phase, l);
  mt_phase_end("labelling");
  free(phase);
  return rc;
}
