/* The region tables: names, kinds, memory, file. */
#include "magtwin/error.h"
#include "mesh_impl.h"
#include <stdlib.h>
#include <string.h>

const char *mt_region_kind_name(MtRegionKind kind) {
  static const char *const name[] = {"grain", "gb", "triple_line", "junction", "air", "surface", "pocket"};
  return kind < MT_REGION_NKINDS ? name[kind] : "unknown";
}

void mt_regions_free(MtRegions *r) {
  for (int i = 0; r->name && i < r->n; i++) free(r->name[i]);
  free(r->name);
  free(r->kind);
  free(r->grains);
  free(r->volume);
  free(r->axis);
  free(r->orientation);
  free(r->center);
  free(r->thickness);
  *r = (MtRegions){0};
}

PetscErrorCode mt_regions_write(MtH5 *f, const MtRegions *r) {
  int32_t *kind;
  PetscCall(PetscMalloc1(r->n, &kind));
  for (int i = 0; i < r->n; i++) kind[i] = (int32_t)r->kind[i];
  PetscCall(mt_h5_write(f, "/regions/kind", H5T_NATIVE_INT32, r->n, 1, 0, r->n, kind, "1"));
  PetscCall(PetscFree(kind));
  PetscCall(mt_h5_write(f, "/regions/grains", H5T_NATIVE_INT32, r->n, 4, 0, r->n, r->grains, "1"));
  PetscCall(mt_h5_write(f, "/regions/volume", H5T_NATIVE_DOUBLE, r->n, 1, 0, r->n, r->volume, "nm3"));
  PetscCall(mt_h5_write_strings(f, "/regions/name", r->n, (const char *const *)r->name));
  PetscCall(mt_h5_write(f, "/grains/axis", H5T_NATIVE_DOUBLE, r->ngrains, 3, 0, r->ngrains, r->axis, "1"));
  PetscCall(mt_h5_write(f, "/grains/center", H5T_NATIVE_DOUBLE, r->ngrains, 3, 0, r->ngrains, r->center, "nm"));
  if (r->thickness)
    PetscCall(mt_h5_write(f, "/regions/thickness", H5T_NATIVE_DOUBLE, r->n, 1, 0, r->n, r->thickness, "nm"));
  if (!r->orientation) return 0;
  return mt_h5_write(f, "/grains/orientation", H5T_NATIVE_DOUBLE, r->ngrains, 4, 0, r->ngrains, r->orientation, "1");
}

static PetscErrorCode read_kinds(MtH5 *f, const char *path, MtRegions *r) {
  int64_t n;
  void *data;
  PetscCall(mt_h5_read_all(f, "/regions/kind", H5T_NATIVE_INT32, 1, &n, &data));
  const int32_t *kind = data;
  r->n = (int)n;
  r->kind = malloc(sizeof *r->kind * (size_t)(n ? n : 1));
  int64_t bad = -1;
  for (int64_t i = 0; i < n; i++) {
    if (kind[i] < 0 || kind[i] >= MT_REGION_NKINDS)
      bad = i;
    else
      r->kind[i] = (MtRegionKind)kind[i];
  }
  const int32_t value = bad < 0 ? 0 : kind[bad];
  free(data);
  if (bad >= 0)
    return mt_error(MT_ERR_INPUT,
                    "%s: region %lld has kind %d, which is none of 0..%d; make the mesh again with magtwin mesh", path,
                    (long long)bad, (int)value, MT_REGION_NKINDS - 1);
  return 0;
}

/* A table that not every file has: then *values stays NULL and *n is as expected. */
static PetscErrorCode read_optional(MtH5 *f, const char *name, int width, int expected, double **values, int64_t *n) {
  void *data;
  *n = expected;
  if (!mt_h5_exists(f, name)) return 0;
  PetscCall(mt_h5_read_all(f, name, H5T_NATIVE_DOUBLE, width, n, &data));
  *values = data;
  return 0;
}

static PetscErrorCode check_grains(const char *path, const MtRegions *r) {
  for (int i = 0; i < 4 * r->n; i++)
    if (r->grains[i] < -1 || r->grains[i] >= r->ngrains)
      return mt_error(MT_ERR_INPUT,
                      "%s: region %d names grain %d, but there are %d grains; make the mesh again with magtwin mesh",
                      path, i / 4, (int)r->grains[i], r->ngrains);
  for (int i = 0; i < r->n; i++)
    if (mt_region_is_grain(r->kind[i]) && r->grains[4 * (size_t)i] < 0)
      return mt_error(MT_ERR_INPUT, "%s: region %d is a grain but names none; make the mesh again with magtwin mesh",
                      path, i);
  return 0;
}

PetscErrorCode mt_regions_read(MtH5 *f, const char *path, MtRegions *r) {
  int64_t ngrains_table, nvolume, naxis, ncenter, norientation, nthickness;
  int nname;
  void *data;
  PetscCall(read_kinds(f, path, r));
  PetscCall(mt_h5_read_strings(f, "/regions/name", &nname, &r->name));
  if (nname != r->n) {
    for (int i = 0; i < nname; i++) free(r->name[i]);
    free(r->name);
    r->name = NULL;
  }
  PetscCall(mt_h5_read_all(f, "/regions/grains", H5T_NATIVE_INT32, 4, &ngrains_table, &data));
  r->grains = data;
  PetscCall(mt_h5_read_all(f, "/regions/volume", H5T_NATIVE_DOUBLE, 1, &nvolume, &data));
  r->volume = data;
  PetscCall(mt_h5_read_all(f, "/grains/axis", H5T_NATIVE_DOUBLE, 3, &naxis, &data));
  r->axis = data;
  PetscCall(mt_h5_read_all(f, "/grains/center", H5T_NATIVE_DOUBLE, 3, &ncenter, &data));
  r->center = data;
  r->ngrains = (int)naxis;
  PetscCall(read_optional(f, "/grains/orientation", 4, r->ngrains, &r->orientation, &norientation));
  PetscCall(read_optional(f, "/regions/thickness", 1, r->n, &r->thickness, &nthickness));
  if (nname != r->n || ngrains_table != r->n || nvolume != r->n || ncenter != naxis || norientation != naxis ||
      nthickness != r->n)
    return mt_error(MT_ERR_INPUT,
                    "%s: the tables under /regions and /grains differ in length; make the mesh again with magtwin mesh",
                    path);
  return check_grains(path, r);
}
