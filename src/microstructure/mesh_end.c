/* The end of every mesh of grains: air, improvement, the table of regions, a last check. */
#include "mesh_end.h"
#include "air.h"
#include "improve.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void sphere_of(const double box[6], double ratio, double sphere[4]) {
  double half = 0;
  for (int k = 0; k < 3; k++) {
    sphere[k] = (box[k] + box[3 + k]) / 2;
    half += (box[3 + k] - box[k]) * (box[3 + k] - box[k]) / 4;
  }
  sphere[3] = ratio * sqrt(half);
}

void mt_mesh_bounds(const double box[6], const MtMeshOptions *opt, double magnet[6], double sphere[4],
                    double *air_size) {
  for (int k = 0; k < 6; k++) magnet[k] = box[k] + (k < 3 ? -1 : 1) * opt->surface;
  memset(sphere, 0, 4 * sizeof *sphere);
  if (opt->air_radius > 0) sphere_of(magnet, opt->air_radius, sphere);
  *air_size = opt->air_size > 0 ? opt->air_size : fmax(opt->size, 0.12 * sphere[3]);
}

void mt_mesh_take(MtTets *m, const MtMeshOptions *opt, MtMeshData *d) {
  d->gb_thickness = opt->thickness, d->size = opt->size;
  d->nv = m->nv, d->nt = m->nt, d->x = m->x, d->tet = m->tet, d->region = m->region;
  memset(m, 0, sizeof *m);
}

PetscErrorCode mt_mesh_close(const double box[6], const MtMeshOptions *opt, MtTets *m, MtMeshData *d) {
  double air_size;
  MtAir air = {0};
  PetscErrorCode rc = 0;
  mt_mesh_bounds(box, opt, d->magnet_box, d->sphere, &air_size);
  if (opt->air_radius > 0) {
    MtOuterFace *face;
    int n;
    mt_phase_begin("mesh air");
    mt_outer_faces(m, box, 0, NULL, &face, &n);
    rc = mt_air_surface(m, n, face, d->sphere, air_size, &air);
    if (!rc) rc = mt_air_fill(&air);
    if (!rc) rc = mt_air_append(&air, d->regions.n - 1, m);
    free(face), mt_air_free(&air);
    mt_phase_end("mesh air");
  }
  mt_mesh_take(m, opt, d);
  return rc;
}

PetscErrorCode mt_mesh_better(const MtMeshOptions *opt, MtMeshData *d, MtJson *json) {
  MtImproved done;
  mt_phase_begin("improve mesh");
  PetscCall(mt_mesh_improve(d, opt->layers, &done));
  mt_improve_write(&done, json);
  mt_phase_end("improve mesh");
  return 0;
}

static void volumes_sum(MtMeshData *d) {
  for (int64_t t = 0; t < d->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = d->x[3 * d->tet[4 * t + k / 3] + k % 3];
    d->regions.volume[d->region[t]] += mt_tet_volume((const double(*)[3])y);
  }
}

/* Regions without a tet (a junction that is flat on the wall, no air) go. */
static PetscErrorCode regions_compact(MtMeshData *d) {
  MtRegions *r = &d->regions;
  int32_t *number, n = 0;
  PetscCall(PetscCalloc1((size_t)r->n, &number));
  for (int64_t t = 0; t < d->nt; t++) number[d->region[t]] = 1;
  for (int i = 0; i < r->n; i++) {
    if (!number[i]) {
      free(r->name[i]);
      continue;
    }
    r->kind[n] = r->kind[i], r->name[n] = r->name[i], r->volume[n] = r->volume[i];
    memmove(r->grains + 4 * n, r->grains + 4 * i, 4 * sizeof(int32_t));
    if (r->thickness) r->thickness[n] = r->thickness[i];
    number[i] = n++;
  }
  r->n = n;
  for (int64_t t = 0; t < d->nt; t++) d->region[t] = number[d->region[t]];
  return PetscFree(number);
}

PetscErrorCode mt_mesh_end_regions(MtMeshData *d) {
  volumes_sum(d);
  return regions_compact(d);
}

PetscErrorCode mt_mesh_refuse_broken(const MtMeshData *d) {
  int64_t count = 0, first = 0;
  double magnet = 0, box = 1;
  for (int64_t t = d->nt - 1; t >= 0; t--) {
    double y[4][3];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = d->x[3 * d->tet[4 * t + k / 3] + k % 3];
    double volume = mt_tet_volume((const double(*)[3])y);
    if (volume <= 0) first = t, count++;
    if (d->regions.kind[d->region[t]] != MT_REGION_AIR) magnet += volume;
  }
  for (int k = 0; k < 3; k++) box *= d->magnet_box[3 + k] - d->magnet_box[k];
  const double *x = d->x + 3 * d->tet[4 * first];
  if (count)
    return mt_error(MT_ERR_FAIL,
                    "%lld tetrahedra of the mesh are inverted, the first at (%.4g, %.4g, %.4g) nm; a smaller mesh.size "
                    "or mesh.gb.thickness, a larger mesh.min_edge, or, where grains touch, another mesh.gb.seed helps",
                    (long long)count, x[0], x[1], x[2]);
  if (fabs(magnet / box - 1) > 1e-9)
    return mt_error(MT_ERR_FAIL, "the mesh overlaps itself: its tetrahedra add up to %.9g of the box", magnet / box);
  return 0;
}
