/* Simple bodies (section grains, source shape): sphere, ellipsoid, box, stack of layers.  Curved surfaces are facets
 * with their nodes on the surface: a sphere of diameter D lacks the share O((h/D)^2) of its volume; both volumes are
 * reported. */
#include "shapes.h"
#include "air.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/units.h"
#include "power_axes.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AIR_SHARE .12 /* edge length at the sphere over its radius, unless given: some 500 faces carry the modes */

static PetscErrorCode read_layers(const MtInput *in, MtShape *s) {
  double sum = 0;
  if (!mt_input_has(in, "grains.shape.layers"))
    return mt_input_error(in, "grains.shape.kind", "layers needs grains.shape.layers, the list of thicknesses");
  s->nlayers = mt_input_count(in, "grains.shape.layers");
  s->axis = mt_input_string(in, "grains.shape.axis")[0] - 'x';
  PetscCall(PetscMalloc1(s->nlayers, &s->layer));
  for (int i = 0; i < s->nlayers; i++) sum += s->layer[i] = mt_input_real_at(in, i, "grains.shape.layers");
  if (fabs(sum - s->edge[s->axis]) > 1e-9 * sum)
    return mt_input_error(in, "grains.shape.layers",
                          "the layers add up to %g nm, but grains.shape.size is %g nm along %c", sum, s->edge[s->axis],
                          "xyz"[s->axis]);
  return 0;
}

static void read_air(const MtInput *in, MtShape *s) {
  const double ratio = mt_input_real(in, "mesh.air.radius");
  double half2 = 0, half = 0;
  for (int c = 0; c < 3; c++) {
    half2 += s->edge[c] * s->edge[c] / 4;
    half = fmax(half, s->edge[c] / 2);
  }
  s->radius = ratio * (s->round ? half : sqrt(half2));
  s->air_size = mt_input_real(in, "mesh.air.size");
  if (s->air_size <= 0) s->air_size = fmax(AIR_SHARE * s->radius, mt_input_real(in, "mesh.size"));
  if (s->air_size == 0) s->air_size = fmax(s->size, 0.12 * s->radius);
}

static PetscErrorCode read_shape(const MtInput *in, MtShape *s) {
  const char *kind = mt_input_string(in, "grains.shape.kind");
  *s = (MtShape){.round = !strcmp(kind, "sphere") || !strcmp(kind, "ellipsoid"), .nlayers = 1};
  mt_input_vec3(in, s->edge, "grains.shape.size");
  if (!strcmp(kind, "sphere") && (s->edge[0] != s->edge[1] || s->edge[0] != s->edge[2]))
    return mt_input_error(in, "grains.shape.size", "a sphere has three equal diameters; use kind: ellipsoid");
  s->size = mt_input_real(in, "mesh.size");
  s->edge_size = mt_input_has(in, "grains.shape.edge_size") ? mt_input_real(in, "grains.shape.edge_size") : s->size;
  if (s->edge_size > s->size)
    return mt_input_error(in, "grains.shape.edge_size", "must not be above mesh.size (%g nm), is %g nm", s->size,
                          s->edge_size);
  s->growth = mt_input_real(in, "grains.shape.growth");
  s->refine = (int)mt_input_int(in, "grains.shape.refine");
  for (int c = 0; c < 3; c++) s->spacing[c] = s->size;
  if (mt_input_has(in, "grains.shape.spacing")) mt_input_vec3(in, s->spacing, "grains.shape.spacing");
  s->cut = strcmp(mt_input_string(in, "grains.shape.cut"), "six") ? 5 : 6;
  mt_input_vec3(in, s->easy, "grains.shape.easy_axis");
  const double length = sqrt(s->easy[0] * s->easy[0] + s->easy[1] * s->easy[1] + s->easy[2] * s->easy[2]);
  if (!(length > 0)) return mt_input_error(in, "grains.shape.easy_axis", "must not be the zero vector");
  for (int c = 0; c < 3; c++) s->easy[c] /= length;
  const double turn =
      mt_input_has(in, "grains.shape.crystal_turn") ? mt_input_real(in, "grains.shape.crystal_turn") : 0;
  mt_quat_to_axis(s->easy, turn * MT_PI / 180, s->turn);
  PetscCall(mt_air_check(in));
  read_air(in, s);
  s->grid = mt_input_bool(in, "grains.shape.grid");
  if (s->grid && strcmp(kind, "box") != 0)
    return mt_input_error(in, "grains.shape.grid", "a grid in air needs grains.shape.kind: box, not %s", kind);
  if (!strcmp(kind, "layers")) return read_layers(in, s);
  PetscCall(PetscMalloc1(1, &s->layer));
  s->layer[0] = s->edge[0];
  return 0;
}

PetscErrorCode mt_shape_check(const MtInput *in) {
  MtShape s;
  PetscErrorCode rc = read_shape(in, &s);
  PetscCall(PetscFree(s.layer));
  return rc;
}

static void orient(MtMeshData *m, int64_t t, double *volume) {
  double x[4][3];
  int64_t *tet = m->tet + 4 * t;
  for (int k = 0; k < 4; k++) memcpy(x[k], m->x + 3 * tet[k], sizeof x[k]);
  *volume = mt_tet_volume((const double(*)[3])x);
  if (*volume >= 0) return;
  const int64_t v = tet[2];
  tet[2] = tet[3];
  tet[3] = v;
  *volume = -*volume;
}

static void make_regions(const MtShape *s, MtRegions *r) {
  const int n = s->nlayers + (s->radius > 0);
  r->n = n;
  r->kind = mt_calloc((size_t)n, sizeof *r->kind);
  r->grains = mt_malloc(sizeof *r->grains * 4 * (size_t)n);
  r->name = mt_calloc((size_t)n, sizeof *r->name);
  r->volume = mt_calloc((size_t)n, sizeof *r->volume);
  r->ngrains = s->nlayers;
  r->axis = mt_malloc(sizeof(double) * 3 * (size_t)s->nlayers);
  r->orientation = mt_malloc(sizeof(double) * 4 * (size_t)s->nlayers);
  r->center = mt_calloc(3 * (size_t)s->nlayers, sizeof(double));
  for (int i = 0; i < 4 * n; i++) r->grains[i] = -1;
  for (int i = 0; i < n; i++) {
    const bool air = i == s->nlayers;
    char name[32];
    snprintf(name, sizeof name, air ? "air" : "grain %d", i);
    r->name[i] = strdup(name);
    r->kind[i] = air ? MT_REGION_AIR : MT_REGION_GRAIN;
    if (!air) r->grains[4 * i] = i;
    if (!air) memcpy(r->axis + 3 * i, s->easy, sizeof s->easy);
    if (!air) memcpy(r->orientation + 4 * i, s->turn, sizeof s->turn);
  }
}

static void measure(MtMeshData *m) {
  MtRegions *r = &m->regions;
  for (int64_t t = 0; t < m->nt; t++) {
    double volume;
    const int32_t g = m->region[t];
    orient(m, t, &volume);
    r->volume[g] += volume;
    for (int k = 0; k < 4 && g < r->ngrains; k++)
      for (int c = 0; c < 3; c++) r->center[3 * g + c] += volume / 4 * m->x[3 * m->tet[4 * t + k] + c];
  }
  for (int i = 0; i < 3 * r->ngrains; i++) r->center[i] /= r->volume[i / 3];
}

static void describe(const MtShape *s, const MtMeshData *m, MtJson *json) {
  double volume = 0, exact = s->edge[0] * s->edge[1] * s->edge[2] * (s->round ? MT_PI / 6 : 1);
  for (int i = 0; i < s->nlayers; i++) volume += m->regions.volume[i];
  mt_log("body of %g x %g x %g nm: %lld nodes, %lld tets, volume %.6g nm3 (%+.2g of the exact one)", s->edge[0],
         s->edge[1], s->edge[2], (long long)m->nv, (long long)m->nt, volume, volume / exact - 1);
  mt_json_object(json, "shape");
  mt_json_quantity(json, "volume", volume, "nm3");
  mt_json_quantity(json, "exact_volume", exact, "nm3");
  mt_json_end(json);
}

static PetscErrorCode build(const MtShape *s, MtMeshData *m, MtJson *json) {
  if (s->radius <= 0 && !s->round)
    PetscCall(mt_shape_grid(s, m));
  else
    PetscCall(s->grid ? mt_shape_ball(s, m) : mt_shape_gmsh(s, m));
  make_regions(s, &m->regions);
  measure(m);
  for (int c = 0; c < 3; c++) {
    m->sphere[c] = s->edge[c] / 2;
    m->magnet_box[3 + c] = s->edge[c];
  }
  m->sphere[3] = s->radius;
  m->size = s->size;
  describe(s, m, json);
  return 0;
}

PetscErrorCode mt_mesh_shape(MPI_Comm comm, const MtInput *in, MtMeshData *mesh, MtJson *json) {
  PetscMPIInt rank;
  MtShape s;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *mesh = (MtMeshData){0};
  PetscErrorCode rc = read_shape(in, &s);
  if (!rc && !rank) rc = build(&s, mesh, json);
  PetscCall(PetscFree(s.layer));
  if (rc) mt_mesh_data_free(mesh);
  return mt_agree(comm, rc);
}
