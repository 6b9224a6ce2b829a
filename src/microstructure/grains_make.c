/* Whatever section grains says, to a power diagram at the wanted size. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/microstructure.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this share of voxels in their own cell, convex cells do not describe the grains; clean convex labels give .96
 * and more. */
static const double good_agreement = .8;

typedef struct {
  double mean, sd; /* nm: diameters of the spheres of the grains' volumes */
} Sizes;

static Sizes diameters(int n, const double *volume) {
  Sizes s = {0, 0};
  for (int g = 0; g < n; g++) s.mean += cbrt(6 * volume[g] / MT_PI) / n;
  for (int g = 0; g < n; g++) s.sd += pow(cbrt(6 * volume[g] / MT_PI) - s.mean, 2) / n;
  s.sd = sqrt(s.sd);
  return s;
}

static void scale_power(MtPower *p, double factor) {
  for (int i = 0; i < 6; i++) p->box[i] *= factor;
  for (int i = 0; i < 3 * p->n; i++) p->seed[i] *= factor;
  for (int k = 0; k < p->n; k++) p->weight[k] *= factor * factor;
}

static void tell_sizes(MtJson *json, int n, const double b[6], Sizes s) {
  const double box[3] = {b[3] - b[0], b[4] - b[1], b[5] - b[2]};
  mt_log("grains: %d grains in %.4g x %.4g x %.4g nm, diameter %.4g nm, standard deviation %.3g nm", n, box[0], box[1],
         box[2], s.mean, s.sd);
  mt_json_int(json, "count", n);
  mt_json_quantity(json, "mean_diameter", s.mean, "nm");
  mt_json_quantity(json, "sd_diameter", s.sd, "nm");
  mt_json_reals(json, "box_nm", 3, box);
}

static PetscErrorCode generate(const MtInput *in, MtPower *p, MtJson *json) {
  MtCells cells;
  PetscCall(mt_power_generate(in, p));
  PetscCall(mt_cells_build(p, &cells));
  tell_sizes(json, p->n, p->box, diameters(cells.ngrains, cells.volume));
  mt_cells_free(&cells);
  return 0;
}

static void tell_labels(MtJson *json, const MtLabels *l) {
  const int64_t voxels[3] = {l->nx, l->ny, l->nz};
  mt_json_array(json, "voxels");
  for (int d = 0; d < 3; d++) mt_json_int(json, NULL, voxels[d]);
  mt_json_end(json);
  mt_json_reals(json, "voxel_nm", 3, l->voxel);
  mt_json_int(json, "measured_grains", l->ngrains);
  if (l->nregions) mt_json_int(json, "regions_before_cleanup", l->nregions);
  mt_json_real(json, "volume_fraction_in_grains", l->kept);
}

static void tell_fit(MtJson *json, const MtLabels *l, const MtPower *p, const MtFit *fit) {
  int64_t half = 0;
  for (int g = 0; g < l->ngrains; g++) half += fit->grain_agreement[g] < .5;
  mt_log("grains: convex fit: %.1f %% of the labelled voxels lie in the cell of their own grain (%d iterations, loss "
         "%.4g)",
         100 * fit->fit_agreement, fit->iterations, fit->loss);
  if (fit->strays > 0)
    mt_log(
        "grains: the labels are noisy: %.2g %% of the voxels lie far from their grain; a label is taken for wrong with "
        "that probability",
        100 * fit->strays);
  if (fit->by_volume)
    mt_log("grains: the convex fit leaves %d grains without a cell; used instead: seeds at the centroids and every "
           "grain's measured volume, "
           "%.1f %% in their own cell",
           fit->lost, 100 * fit->agreement);
  else if (fit->lost && p->n == l->ngrains)
    mt_log(
        "grains: the convex fit left %d of %d grains without a cell; they were given one at their centroids, %.1f %% "
        "of the voxels in their own cell then",
        fit->lost, l->ngrains, 100 * fit->agreement);
  mt_json_object(json, "fit");
  mt_json_real(json, "agreement", fit->agreement);
  mt_json_real(json, "convex_fit_agreement", fit->fit_agreement);
  mt_json_int(json, "convex_fit_lost_grains", fit->lost);
  mt_json_string(json, "diagram", fit->by_volume ? "centroids and measured volumes" : "convex fit");
  mt_json_real(json, "stray_voxels", fit->strays);
  mt_json_real(json, "loss", fit->loss);
  mt_json_int(json, "iterations", fit->iterations);
  mt_json_int(json, "grains_dropped", l->ngrains - p->n);
  mt_json_int(json, "grains_below_half", half);
  mt_json_reals(json, "grain_agreement", l->ngrains, fit->grain_agreement);
  mt_json_bool(json, "poor", fit->agreement < good_agreement);
  mt_json_string(json, "advised_route", fit->agreement < good_agreement ? "voxel" : "convex");
  if (fit->agreement < good_agreement) {
    const char *plain = "convex cells are a poor model of these grains (deformed, or not convex): a mesh of them "
                        "follows their measured sizes, neighbours and orientations only roughly; mesh.route: voxel "
                        "follows their boundaries";
    mt_warn("grains: %s; %lld of %d grains have less than half of their voxels in their own cell", plain,
            (long long)half, l->ngrains);
    mt_json_string(json, "note", plain);
  }
  mt_json_end(json);
}

/* Measured sizes, and the factor that grains.mean_size asks for. */
static double tell_scale(const MtInput *in, const MtLabels *l, Sizes *s, MtJson *json) {
  double *volume = mt_malloc((size_t)l->ngrains * sizeof *volume), factor = 1;
  for (int g = 0; g < l->ngrains; g++) volume[g] = (double)l->voxels[g] * l->voxel[0] * l->voxel[1] * l->voxel[2];
  *s = diameters(l->ngrains, volume);
  free(volume);
  if (mt_input_has(in, "grains.mean_size")) factor = mt_input_real(in, "grains.mean_size") / s->mean;
  mt_json_quantity(json, "measured_mean_diameter", s->mean, "nm");
  mt_json_real(json, "scale", factor);
  if (factor != 1)
    mt_log("grains: the measured mean diameter is %.4g nm; everything is scaled by %.5g", s->mean, factor);
  s->mean *= factor, s->sd *= factor;
  return factor;
}

static PetscErrorCode fit_labels(MPI_Comm comm, const MtLabels *l, MtPower *p, bool *poor, MtJson *json) {
  MtFit fit;
  mt_phase_begin("fit of the grains");
  PetscCall(mt_power_fit(comm, l, p, &fit));
  mt_phase_end("fit of the grains");
  tell_fit(json, l, p, &fit);
  *poor = fit.agreement < good_agreement;
  mt_fit_free(&fit);
  return 0;
}

static void scaled_power(const MtInput *in, const MtLabels *l, MtPower *p, MtJson *json) {
  Sizes s;
  scale_power(p, tell_scale(in, l, &s, json));
  tell_sizes(json, p->n, p->box, s);
}

static void scaled_labels(const MtInput *in, MtLabels *l, MtJson *json) {
  Sizes s;
  const double factor = tell_scale(in, l, &s, json);
  for (int k = 0; k < 3; k++) l->voxel[k] *= factor;
  const double box[6] = {0, 0, 0, l->nx * l->voxel[0], l->ny * l->voxel[1], l->nz * l->voxel[2]};
  tell_sizes(json, l->ngrains, box, s);
}

PetscErrorCode mt_grains_fit(MPI_Comm comm, const MtInput *in, const MtLabels *l, MtPower *p, MtJson *json) {
  bool poor;
  tell_labels(json, l);
  PetscCall(fit_labels(comm, l, p, &poor, json));
  scaled_power(in, l, p, json);
  return 0;
}

static PetscErrorCode read_labels(MPI_Comm comm, const MtInput *in, MtLabels *l) {
  mt_phase_begin("reading of the grains");
  PetscCall(mt_labels_read(comm, in, l));
  mt_phase_end("reading of the grains");
  return 0;
}

PetscErrorCode mt_labels_measure(MPI_Comm comm, const MtInput *in, bool fill, MtLabels *l, MtJson *json) {
  PetscCall(read_labels(comm, in, l));
  mt_json_object(json, "grains");
  mt_json_string(json, "source", mt_input_string(in, "grains.source"));
  tell_labels(json, l);
  scaled_labels(in, l, json);
  mt_json_end(json);
  const PetscErrorCode rc = fill ? mt_labels_fill(comm, l) : 0;
  if (rc) mt_labels_free(l);
  return rc;
}

static PetscErrorCode choose(MPI_Comm comm, const MtInput *in, MtLabels *l, MtPower *p, bool *voxels, MtJson *json) {
  const char *route = mt_input_string(in, "mesh.route");
  bool poor = true;
  tell_labels(json, l);
  if (strcmp(route, "voxel")) PetscCall(fit_labels(comm, l, p, &poor, json));
  *voxels = poor && strcmp(route, "convex");
  mt_json_string(json, "route", *voxels ? "voxel" : "convex");
  if (!strcmp(route, "auto")) mt_log("grains: mesh.route auto: %s", *voxels ? "from the voxels" : "convex cells");
  if (*voxels)
    mt_power_free(p), scaled_labels(in, l, json);
  else
    scaled_power(in, l, p, json), mt_labels_free(l);
  return 0;
}

PetscErrorCode mt_grains_measure(MPI_Comm comm, const MtInput *in, MtLabels *l, MtPower *p, bool *voxels,
                                 MtJson *json) {
  memset(p, 0, sizeof *p);
  mt_json_object(json, "grains");
  mt_json_string(json, "source", mt_input_string(in, "grains.source"));
  PetscErrorCode rc = read_labels(comm, in, l);
  if (!rc) rc = choose(comm, in, l, p, voxels, json);
  mt_json_end(json);
  return rc;
}

static PetscErrorCode measure(MPI_Comm comm, const MtInput *in, MtPower *p, MtJson *json) {
  MtLabels l;
  PetscCall(read_labels(comm, in, &l));
  PetscErrorCode rc = mt_grains_fit(comm, in, &l, p, json);
  mt_labels_free(&l);
  return rc;
}

PetscErrorCode mt_grains_make(MPI_Comm comm, const MtInput *in, MtPower *p, MtJson *json) {
  const char *source = mt_input_string(in, "grains.source");
  memset(p, 0, sizeof *p);
  if (!strcmp(source, "shape"))
    return mt_input_error(in, "grains.source", "a simple body is not made of grains: it is meshed directly");
  mt_json_object(json, "grains");
  mt_json_string(json, "source", source);
  PetscErrorCode rc = strcmp(source, "generated") ? measure(comm, in, p, json) : generate(in, p, json);
  mt_json_end(json);
  return rc;
}
