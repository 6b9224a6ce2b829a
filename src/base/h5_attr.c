/* Attributes of the root, a group (made when missing) or a dataset.  Setting one again replaces it. */
#include "h5_internal.h"
#include "magtwin/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without times (the groups that HDF5 itself makes on the way have them), so that equal runs write equal bits. */
void mt_h5_make_groups(MtH5 *f, const char *name, bool itself) {
  char part[1024];
  hid_t gcpl = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(gcpl, false);
  for (const char *s = name; *s && (size_t)(s - name) + 1 < sizeof part; s++) {
    bool end = s[1] == '/' || (itself && s[1] == 0);
    if (!end) continue;
    memcpy(part, name, (size_t)(s - name) + 1);
    part[s - name + 1] = 0;
    if (!mt_h5_exists(f, part)) H5Gclose(H5Gcreate2(f->id, part, H5P_DEFAULT, gcpl, H5P_DEFAULT));
  }
  H5Pclose(gcpl);
}

static hid_t object_for_writing(MtH5 *f, const char *object) {
  if (!mt_h5_exists(f, object)) mt_h5_make_groups(f, object, true);
  return H5Oopen(f->id, object, H5P_DEFAULT);
}

static PetscErrorCode attribute_failed(MtH5 *f, const char *object, const char *name, bool failed) {
  char what[256];
  snprintf(what, sizeof what, "attribute %s of %s", name, object);
  return mt_h5_failed(f, what, failed);
}

/* n 0: a scalar. */
static PetscErrorCode attribute_write(MtH5 *f, const char *object, const char *name, hid_t type, int n,
                                      const void *value) {
  hsize_t dim = (hsize_t)n;
  hid_t o = object_for_writing(f, object), space = n ? H5Screate_simple(1, &dim, NULL) : H5Screate(H5S_SCALAR);
  if (o >= 0 && H5Aexists(o, name) > 0) H5Adelete(o, name);
  hid_t a = o >= 0 ? H5Acreate2(o, name, type, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
  bool failed = a < 0 || H5Awrite(a, type, value) < 0;
  if (a >= 0) H5Aclose(a);
  H5Sclose(space);
  if (o >= 0) H5Oclose(o);
  return attribute_failed(f, object, name, failed);
}

PetscErrorCode mt_h5_set_string(MtH5 *f, const char *object, const char *name, const char *value) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, strlen(value) + 1);
  PetscErrorCode rc = attribute_write(f, object, name, type, 0, value);
  H5Tclose(type);
  return rc;
}

PetscErrorCode mt_h5_set_reals(MtH5 *f, const char *object, const char *name, int n, const double *value) {
  return attribute_write(f, object, name, H5T_NATIVE_DOUBLE, n == 1 ? 0 : n, value);
}

PetscErrorCode mt_h5_set_ints(MtH5 *f, const char *object, const char *name, int n, const int64_t *value) {
  return attribute_write(f, object, name, H5T_NATIVE_INT64, n == 1 ? 0 : n, value);
}

static hid_t attribute_open(MtH5 *f, const char *object, const char *name) {
  if (!mt_h5_exists(f, object) || H5Aexists_by_name(f->id, object, name, H5P_DEFAULT) <= 0) return -1;
  return H5Aopen_by_name(f->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
}

PetscErrorCode mt_h5_get_string(MtH5 *f, const char *object, const char *name, char **value) {
  *value = NULL;
  hid_t a = attribute_open(f, object, name), type = a >= 0 ? H5Aget_type(a) : -1;
  bool good = type >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type);
  if (good) *value = calloc(1, H5Tget_size(type) + 1);
  good = good && *value && H5Aread(a, type, *value) >= 0;
  if (type >= 0) H5Tclose(type);
  if (a >= 0) H5Aclose(a);
  PetscErrorCode rc = attribute_failed(f, object, name, !good);
  if (rc) {
    free(*value);
    *value = NULL;
  }
  return rc;
}

static PetscErrorCode numbers_read(MtH5 *f, const char *object, const char *name, hid_t type, int n, void *value) {
  hid_t a = attribute_open(f, object, name), space = a >= 0 ? H5Aget_space(a) : -1;
  bool good = space >= 0 && H5Sget_simple_extent_npoints(space) == n && H5Aread(a, type, value) >= 0;
  if (space >= 0) H5Sclose(space);
  if (a >= 0) H5Aclose(a);
  return attribute_failed(f, object, name, !good);
}

PetscErrorCode mt_h5_get_reals(MtH5 *f, const char *object, const char *name, int n, double *value) {
  return numbers_read(f, object, name, H5T_NATIVE_DOUBLE, n, value);
}

PetscErrorCode mt_h5_get_ints(MtH5 *f, const char *object, const char *name, int n, int64_t *value) {
  return numbers_read(f, object, name, H5T_NATIVE_INT64, n, value);
}
