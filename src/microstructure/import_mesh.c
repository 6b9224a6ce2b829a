/* A finished mesh of another program as one of magtwin's: regions, axes of its grains, the air around it. */
#include "air.h"
#include "import.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include "measured.h"
#include "mesh_end.h"
#include "power_axes.h"
#include <math.h>
#include <string.h>

/* ---- what the tets say */

static void corners(const MtMeshData *d, int64_t t, double y[4][3]) {
  for (int k = 0; k < 12; k++) y[k / 3][k % 3] = d->x[3 * d->tet[4 * t + k / 3] + k % 3];
}

static bool is_air(const MtMeshData *d, int64_t t) {
  return d->regions.kind[d->region[t]] == MT_REGION_AIR;
}

/* Volumes, centres, the bounding box and the mean edge of the magnet. */
static PetscErrorCode measure(const char *path, MtMeshData *d) {
  MtRegions *r = &d->regions;
  double *volume = mt_calloc((size_t)r->ngrains, sizeof *volume), edges = 0;
  int64_t n = 0;
  PetscErrorCode rc = 0;
  r->center = mt_calloc(3 * (size_t)r->ngrains, sizeof *r->center);
  for (int k = 0; k < 6; k++) d->magnet_box[k] = k < 3 ? INFINITY : -INFINITY;
  for (int64_t t = 0; t < d->nt; t++) {
    double y[4][3];
    corners(d, t, y);
    const double v = mt_tet_volume((const double(*)[3])y);
    r->volume[d->region[t]] += v;
    if (is_air(d, t)) continue;
    for (int k = 0; k < 12; k++) {
      d->magnet_box[k % 3] = fmin(d->magnet_box[k % 3], y[k / 3][k % 3]);
      d->magnet_box[3 + k % 3] = fmax(d->magnet_box[3 + k % 3], y[k / 3][k % 3]);
    }
    for (int a = 0; a < 4; a++)
      for (int b = 0; b < a; b++, n++) edges += hypot(hypot(y[a][0] - y[b][0], y[a][1] - y[b][1]), y[a][2] - y[b][2]);
    if (!mt_region_is_grain(r->kind[d->region[t]])) continue;
    const int32_t g = r->grains[4 * d->region[t]];
    volume[g] += v;
    for (int k = 0; k < 3; k++) r->center[3 * g + k] += v * (y[0][k] + y[1][k] + y[2][k] + y[3][k]) / 4;
  }
  d->size = edges / (double)n;
  for (int i = 0; i < 3 * r->ngrains; i++) r->center[i] /= volume[i / 3];
  for (int g = 0; g < r->ngrains && !rc; g++)
    if (!(volume[g] > 0))
      rc = mt_error(MT_ERR_INPUT,
                    "%s: names of volumes speak of a grain that has no volume of its own (of all those named, in "
                    "ascending order, number %d)",
                    path, g + 1);
  free(volume);
  return rc;
}

/* ---- axes */

/* Of the table of the input, by the number in the name of each grain, or by chance. */
static PetscErrorCode take_axes(const MtInput *in, MtRegions *r) {
  const size_t n = (size_t)r->ngrains;
  const uint64_t seed = (uint64_t)mt_input_int(in, "grains.seed");
  MtLabels l = {.ngrains = r->ngrains};
  MtRandom random;
  PetscErrorCode rc;
  l.axis = r->axis = mt_malloc(3 * n * sizeof *r->axis);
  if (mt_input_has(in, "grains.orientations")) {
    l.source = mt_malloc(n * sizeof *l.source);
    for (int g = 0; g < r->ngrains; g++) l.source[g] = g;
    rc = mt_labels_axes_csv(MPI_COMM_SELF, mt_input_string(in, "grains.orientations"), &l);
    free(l.source);
    r->orientation = l.orientation;
  } else {
    mt_log("grains: no grains.orientations: easy axes are drawn about grains.texture_axis");
    mt_random_seed(&random, seed);
    rc = mt_power_draw_axes(in, &random, r->ngrains, r->axis);
  }
  if (rc || r->orientation) return rc;
  r->orientation = mt_malloc(4 * n * sizeof *r->orientation);
  mt_power_draw_turns(seed, r->ngrains, r->axis, r->orientation);
  return 0;
}

/* ---- air */

static double from_centre(const MtMeshData *d, int64_t v) {
  double r2 = 0;
  for (int k = 0; k < 3; k++) r2 += pow(d->x[3 * v + k] - d->sphere[k], 2);
  return sqrt(r2);
}

/* The sphere on which the air of the file ends. */
static PetscErrorCode find_sphere(const char *path, MtMeshData *d) {
  const MtTets m = {.nv = d->nv, .nt = d->nt, .x = d->x, .tet = d->tet, .region = d->region};
  double box[6] = {INFINITY, INFINITY, INFINITY, -INFINITY, -INFINITY, -INFINITY}, low = INFINITY, high = 0;
  MtOuterFace *face;
  int n;
  for (int64_t i = 0; i < 3 * d->nv; i++) {
    box[i % 3] = fmin(box[i % 3], d->x[i]);
    box[3 + i % 3] = fmax(box[3 + i % 3], d->x[i]);
  }
  for (int k = 0; k < 3; k++) d->sphere[k] = (box[k] + box[3 + k]) / 2;
  mt_outer_faces(&m, NULL, 0, NULL, &face, &n);
  for (int i = 0; i < 3 * n; i++) {
    const double r = from_centre(d, face[i / 3].tri[i % 3]);
    low = fmin(low, r), high = fmax(high, r);
  }
  free(face);
  d->sphere[3] = high;
  if (low > (1 - 1e-3) * high) return 0;
  return mt_error(
      MT_ERR_INPUT,
      "%s: its air does not end on a sphere (from %.6g to %.6g nm around its middle): leave the volume \"air\" "
      "out of the file, and magtwin makes the air",
      path, low, high);
}

/* A sphere full of air around the magnet, the last region. */
static PetscErrorCode add_air(const MtMeshOptions *o, MtMeshData *d) {
  MtTets m = {.nv = d->nv, .nt = d->nt, .x = d->x, .tet = d->tet, .region = d->region};
  MtRegions *r = &d->regions;
  double magnet[6], size;
  MtAir air = {0};
  MtOuterFace *face;
  int n;
  mt_mesh_bounds(d->magnet_box, o, magnet, d->sphere, &size);
  mt_phase_begin("mesh air");
  mt_outer_faces(&m, NULL, 0, NULL, &face, &n);
  PetscErrorCode rc = mt_air_surface(&m, n, face, d->sphere, size, &air);
  if (!rc) rc = mt_air_fill(&air);
  m.cap_v = m.nv, m.cap_t = m.nt;
  if (!rc) rc = mt_air_append(&air, r->n, &m);
  free(face), mt_air_free(&air);
  mt_phase_end("mesh air");
  d->nv = m.nv, d->nt = m.nt, d->x = m.x, d->tet = m.tet, d->region = m.region;
  if (rc) return rc;
  r->kind[r->n] = MT_REGION_AIR, r->volume[r->n] = 0;
  for (int k = 0; k < 4; k++) r->grains[4 * r->n + k] = -1;
  r->name[r->n++] = strcpy(mt_malloc(sizeof "air"), "air");
  return 0;
}

static PetscErrorCode surround(const MtInput *in, const char *path, bool air, MtMeshData *d) {
  const MtMeshOptions o = {.size = d->size,
                           .air_radius = mt_input_real(in, "mesh.air.radius"),
                           .air_size = mt_input_real(in, "mesh.air.size")};
  if (air) return find_sphere(path, d);
  if (!(o.air_radius > 0)) return 0;
  PetscCall(add_air(&o, d));
  const int last = d->regions.n - 1;
  for (int64_t t = d->nt - 1; t >= 0 && d->region[t] == last; t--) {
    double y[4][3];
    corners(d, t, y);
    d->regions.volume[last] += mt_tet_volume((const double(*)[3])y);
  }
  return 0;
}

/* ---- the whole */

static void tell(const char *path, bool air, const MtMeshData *d, MtJson *json) {
  const double *b = d->magnet_box;
  mt_log("grains: %s: %d grains, %d regions%s; %lld nodes, %lld tetrahedra; %.4g x %.4g x %.4g nm, mean edge %.3g nm",
         path, d->regions.ngrains, d->regions.n, air ? ", air among them" : "", (long long)d->nv, (long long)d->nt,
         b[3] - b[0], b[4] - b[1], b[5] - b[2], d->size);
  mt_json_object(json, "grains");
  mt_json_string(json, "source", "mesh");
  mt_json_int(json, "count", d->regions.ngrains);
  mt_json_bool(json, "air_of_file", air);
  mt_json_end(json);
}

static const char *array_of(const MtInput *in) {
  return mt_input_has(in, "grains.array") ? mt_input_string(in, "grains.array") : NULL;
}

static PetscErrorCode import(const MtInput *in, MtMeshData *d, MtJson *json) {
  const char *path = mt_input_string(in, "grains.file");
  MtImported f;
  bool air = false;
  PetscErrorCode rc = mt_import_gmsh(path, array_of(in), mt_input_real(in, "grains.unit"), &f);
  if (!rc) rc = mt_import_regions(path, &f, &d->regions, &air);
  d->nv = f.m.nv, d->nt = f.m.nt, d->x = f.m.x, d->tet = f.m.tet, d->region = f.m.region;
  f.m = (MtTets){0};
  mt_import_free(&f);
  if (!rc) rc = measure(path, d);
  if (rc) return rc;
  tell(path, air, d, json);
  PetscCall(take_axes(in, &d->regions));
  return surround(in, path, air, d);
}

PetscErrorCode mt_mesh_import(MPI_Comm comm, const MtInput *in, MtMeshData *mesh, MtJson *json) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *mesh = (MtMeshData){0};
  if (!mt_input_has(in, "grains.unit"))
    return mt_input_error(in, "grains.source", "mesh needs grains.unit, the length of 1 in the file");
  if (array_of(in) && !mt_import_is_vtu(mt_input_string(in, "grains.file")))
    return mt_input_error(in, "grains.array", "counts only where grains.file is a .vtu file, is %s",
                          mt_input_string(in, "grains.file"));
  mt_gmsh_begin();
  PetscErrorCode rc = rank ? 0 : import(in, mesh, json);
  mt_gmsh_end();
  if (rc) mt_mesh_data_free(mesh);
  return mt_agree_root(comm, rc);
}
