/* Labels to a finished mesh: lattice, layer between the grains, air, a last improvement, the report of the volumes. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include "measured.h"
#include "mesh_end.h"
#include "voxel_phase.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double promised = .02; /* of a grain's volume */

/* ---- voxels without a grain */

static PetscErrorCode fill_gaps(MPI_Comm comm, MtLabels *l, MtJson *json) {
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local, all = (int64_t)l->nx * l->ny * l->nz;
  int64_t gaps = 0;
  for (int64_t i = 0; i < n; i++) gaps += l->label[i] < 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &gaps, 1, MPI_INT64_T, MPI_SUM, comm));
  mt_json_real(json, "filled_voxels", (double)gaps / (double)all);
  if (gaps == 0) return 0;
  mt_log("grains: %.2g %% of the voxels belong to no grain: they are given to the grains around them",
         100 * (double)gaps / (double)all);
  PetscCall(mt_labels_fill(comm, l));
  return mt_labels_count(comm, l);
}

/* ---- volumes against the voxels, as the grains are before the layer comes between them */

static void report_volumes(const MtVoxelMesh *m, const MtLabels *l, MtJson *json) {
  double *got = mt_malloc((size_t)l->ngrains * sizeof *got), sum = 0, low = 180, high = 0;
  const double voxel = l->voxel[0] * l->voxel[1] * l->voxel[2];
  int worst = 0, beyond = 0;
  mt_voxel_volumes(m, l->ngrains, got);
  for (int g = 0; g < l->ngrains; g++) {
    got[g] = got[g] / ((double)l->voxels[g] * voxel) - 1;
    sum += fabs(got[g]), beyond += fabs(got[g]) > promised;
    if (fabs(got[g]) > fabs(got[worst])) worst = g;
  }
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3], a, b;
    for (int k = 0; k < 4; k++) memcpy(y[k], m->node[m->tet[4 * t + k]].x, sizeof y[k]);
    mt_tet_dihedral((const double(*)[3])y, &a, &b);
    low = fmin(low, a), high = fmax(high, b);
  }
  mt_log("lattice: %lld nodes, %lld tetrahedra, dihedral angles from %.1f to %.1f deg; volumes of the grains against "
         "their voxels: mean difference %.2g %%, largest %+.2g %% (grain %d)",
         (long long)m->nv, (long long)m->nt, low, high, 100 * sum / l->ngrains, 100 * got[worst], worst);
  if (beyond)
    mt_warn("%d of %d grains differ by more than 2 %% in volume from their voxels, most grain %d (%lld voxels) by "
            "%+.3g %%: a smaller mesh.size follows thin grains better",
            beyond, l->ngrains, worst, (long long)l->voxels[worst], 100 * got[worst]);
  mt_json_object(json, "lattice");
  mt_json_int(json, "nodes", m->nv);
  mt_json_int(json, "tets", m->nt);
  mt_json_quantity(json, "spacing", m->a, "nm");
  mt_json_quantity(json, "dihedral_min", low, "deg");
  mt_json_quantity(json, "dihedral_max", high, "deg");
  mt_json_real(json, "volume_error_max", fabs(got[worst]));
  mt_json_real(json, "volume_error_mean", sum / l->ngrains);
  mt_json_int(json, "grains_beyond_2_percent", beyond);
  mt_json_reals(json, "volume_error", l->ngrains, got);
  mt_json_end(json);
  free(got);
}

static void report_layer(const MtVoxelLayer *l, double thickness, int64_t nodes, MtJson *json) {
  mt_log("GB phase: thickness %.4g nm asked, %.4g mean; thinner than 98 %% of it on %.2g %% of its area", thickness,
         l->mean, 100 * l->thin);
  if (fabs(l->mean / thickness - 1) > .02)
    mt_warn("the mean thickness of the GB phase is %.3g nm, not %.3g nm", l->mean, thickness);
  mt_json_object(json, "gb_phase");
  mt_json_quantity(json, "thickness", thickness, "nm");
  mt_json_quantity(json, "thickness_mean", l->mean, "nm");
  mt_json_real(json, "thin_area_fraction", l->thin);
  mt_json_int(json, "thinned_nodes", l->thinned);
  mt_json_int(json, "nodes", nodes);
  mt_json_end(json);
}

/* ---- the whole mesh on rank 0 */

/* Axes of the grains, and the centres of their tets. */
static void grains_copy(const MtVoxelMesh *m, const MtLabels *l, MtRegions *r) {
  const size_t n = (size_t)l->ngrains;
  double *volume = mt_calloc(n, sizeof *volume);
  r->ngrains = l->ngrains;
  r->axis = memcpy(mt_malloc(3 * n * sizeof *r->axis), l->axis, 3 * n * sizeof *r->axis);
  r->center = mt_calloc(3 * n, sizeof *r->center);
  if (l->orientation)
    r->orientation = memcpy(mt_malloc(4 * n * sizeof(double)), l->orientation, 4 * n * sizeof(double));
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 4; k++) memcpy(y[k], m->node[m->tet[4 * t + k]].x, sizeof y[k]);
    const double v = mt_tet_volume((const double(*)[3])y);
    volume[m->grain[t]] += v;
    for (int k = 0; k < 3; k++) r->center[3 * m->grain[t] + k] += v * (y[0][k] + y[1][k] + y[2][k] + y[3][k]) / 4;
  }
  for (size_t i = 0; i < 3 * n; i++) r->center[i] /= volume[i / 3];
  free(volume);
}

/* Nodes of the air move freely, those of the sphere not at all. */
static void improve_last(MtMeshData *d, MtHold *hold, int64_t nhold, double score, double thickness, MtJson *json) {
  MtRelax r = {.nv = d->nv, .nt = d->nt, .x = d->x, .tet = d->tet, .box = d->magnet_box};
  r.hold = mt_realloc(hold, (size_t)d->nv * sizeof *hold);
  memset(r.hold + nhold, 0, (size_t)(d->nv - nhold) * sizeof *r.hold);
  for (int64_t v = nhold; v < d->nv; v++) {
    double r2 = 0;
    for (int k = 0; k < 3; k++) r2 += pow(d->x[3 * v + k] - d->sphere[k], 2);
    r.hold[v].fixed = fabs(sqrt(r2) / d->sphere[3] - 1) < 1e-9;
  }
  mt_phase_begin("improve angles");
  mt_relax_lists(&r);
  int64_t left = mt_relax_worst(&r, score, 6);
  if (left && thickness > 0) left = mt_relax_loosen(&r, score, thickness);
  mt_relax_free(&r);
  mt_phase_end("improve angles");
  mt_json_real(json, "score_aimed_at", score);
  mt_json_int(json, "tets_below_score", left);
}

static PetscErrorCode finish(const MtVoxelMesh *v, const MtLabels *l, const MtMeshOptions *o, MtMeshData *d,
                             MtJson *json) {
  const double box[6] = {0, 0, 0, v->box[0], v->box[1], v->box[2]};
  MtTets m;
  MtHold *hold;
  MtVoxelLayer layer;
  report_volumes(v, l, json);
  memset(d, 0, sizeof *d);
  mt_phase_begin("place GB phase");
  PetscCall(mt_voxel_phase(v, l->ngrains, o->thickness, &d->regions, &m, &hold, &layer));
  mt_phase_end("place GB phase");
  grains_copy(v, l, &d->regions);
  const int64_t nhold = m.nv;
  if (o->thickness > 0) report_layer(&layer, o->thickness, nhold, json);
  PetscErrorCode rc = mt_mesh_close(box, o, &m, d);
  if (!rc)
    improve_last(d, hold, nhold, mt_voxel_target(o->thickness, v->a), o->thickness, json);
  else
    free(hold);
  if (!rc) rc = mt_mesh_end_regions(d);
  return rc ? rc : mt_mesh_refuse_broken(d);
}

PetscErrorCode mt_mesh_labels(MPI_Comm comm, MtLabels *labels, const MtMeshOptions *opt, MtMeshData *mesh,
                              MtJson *json) {
  int rank;
  MtVoxelMesh v;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(fill_gaps(comm, labels, json));
  PetscCall(mt_voxel_build(comm, labels, opt->size, &v));
  mt_gmsh_begin();
  PetscErrorCode rc = rank == 0 ? finish(&v, labels, opt, mesh, json) : 0;
  mt_gmsh_end();
  mt_voxel_free(&v);
  return mt_agree_root(comm, rc);
}
