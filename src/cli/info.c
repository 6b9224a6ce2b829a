/* magtwin info: what is in an HDF5 file of this program. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/mesh.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* String attribute of an object, "" if there is none; for the listing only, where a missing unit is no damage. */
static void optional_string(hid_t object, const char *name, char *text, size_t size) {
  text[0] = 0;
  hid_t a = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1, type = a >= 0 ? H5Aget_type(a) : -1;
  if (type >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) && H5Tget_size(type) < size) {
    if (H5Aread(a, type, text) < 0)
      text[0] = 0;
    else
      text[H5Tget_size(type)] = 0;
  }
  if (type >= 0) H5Tclose(type);
  if (a >= 0) H5Aclose(a);
}

static const char *type_name(hid_t type) {
  static char name[32];
  H5T_class_t c = H5Tget_class(type);
  int bits = (int)(8 * H5Tget_size(type));
  if (c == H5T_STRING) return "text";
  snprintf(name, sizeof name, "%s%d", c == H5T_FLOAT ? "real" : c == H5T_INTEGER ? "integer" : "other", bits);
  return name;
}

static herr_t list_dataset(hid_t file, const char *name, const H5O_info_t *info, void *ctx) {
  (void)ctx;
  if (info->type != H5O_TYPE_DATASET) return 0;
  hid_t d = H5Dopen2(file, name, H5P_DEFAULT);
  if (d < 0) return -1;
  hid_t space = H5Dget_space(d), type = H5Dget_type(d);
  hsize_t dims[H5S_MAX_RANK];
  char shape[128] = "", unit[64];
  int rank = H5Sget_simple_extent_dims(space, dims, NULL);
  for (int i = 0; i < rank && strlen(shape) < 100; i++)
    snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%llu", i ? " x " : "",
             (unsigned long long)dims[i]);
  optional_string(d, "unit", unit, sizeof unit);
  mt_log("  /%-28s %-20s %-10s %s", name, shape, type_name(type), strcmp(unit, "1") ? unit : "");
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(d);
  return 0;
}

static void print_regions(int64_t n, const int32_t *kind, const double *volume) {
  int64_t count[MT_REGION_NKINDS] = {0};
  double sum[MT_REGION_NKINDS] = {0};
  for (int64_t i = 0; i < n; i++) {
    if (kind[i] < 0 || kind[i] >= MT_REGION_NKINDS) continue;
    count[kind[i]]++;
    sum[kind[i]] += volume[i];
  }
  mt_log("regions:");
  for (int k = 0; k < MT_REGION_NKINDS; k++)
    if (count[k]) mt_log("  %-12s %8lld   %.6g nm3", mt_region_kind_name((MtRegionKind)k), (long long)count[k], sum[k]);
}

static PetscErrorCode info_regions(MtH5 *f) {
  int64_t n, nv;
  void *kind = NULL, *volume = NULL;
  if (!mt_h5_exists(f, "/regions/kind") || !mt_h5_exists(f, "/regions/volume")) return 0;
  PetscCall(mt_h5_read_all(f, "/regions/kind", H5T_NATIVE_INT32, 1, &n, &kind));
  PetscErrorCode rc = mt_h5_read_all(f, "/regions/volume", H5T_NATIVE_DOUBLE, 1, &nv, &volume);
  if (!rc && n != nv) rc = mt_error(MT_ERR_INPUT, "the region tables have different lengths: the file is damaged");
  if (!rc) print_regions(n, kind, volume);
  free(kind);
  free(volume);
  return rc;
}

static PetscErrorCode info_header(MtH5 *f, const char *path) {
  char *format = NULL, *input = NULL, made_by[64];
  int64_t version, ranks;
  PetscCall(mt_h5_get_string(f, "/", "format", &format));
  PetscCall(mt_h5_get_ints(f, "/", "version", 1, &version));
  PetscCall(mt_h5_get_ints(f, "/", "ranks", 1, &ranks));
  optional_string(mt_h5_id(f), "made_by", made_by, sizeof made_by);
  mt_log("%s: %s, version %lld, made by magtwin %s on %lld rank%s", path, format, (long long)version, made_by,
         (long long)ranks, ranks == 1 ? "" : "s");
  free(format);
  if (H5Aexists(mt_h5_id(f), "input") <= 0) return 0;
  PetscCall(mt_h5_get_string(f, "/", "input", &input));
  mt_log("input that made it:\n%s", input);
  free(input);
  return 0;
}

PetscErrorCode cli_info(const CliArgs *args, int *code) {
  MtH5 *f;
  PetscCall(mt_h5_open(PETSC_COMM_WORLD, args->file, NULL, 0, &f));
  PetscCall(info_header(f, args->file));
  mt_log("contents (shape, type, unit):");
  if (H5Ovisit2(mt_h5_id(f), H5_INDEX_NAME, H5_ITER_INC, list_dataset, NULL, H5O_INFO_BASIC) < 0)
    return mt_error(MT_ERR_INPUT, "%s is damaged: its contents cannot be listed", args->file);
  PetscCall(info_regions(f));
  *code = 0;
  return mt_h5_close(&f);
}
