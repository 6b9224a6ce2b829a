/* Pictures and volumes from files of all kinds, as doubles. */
#include "images.h"
#include "magtwin/error.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include "magtwin/npy.h"
#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Gray values of integers as they are in the file: 0 .. 255, 0 .. 65535; the reader has them from 0 to 1. */
static void scale(const MtImage *im, const float *gray, double *value) {
  const double top = im->real ? 1 : (im->bits == 8 ? 255. : (im->bits == 16 ? 65535. : 4294967295.));
  for (int64_t i = 0; i < (int64_t)im->nx * im->ny; i++) value[i] = im->real ? gray[i] : rint(gray[i] * top);
}

PetscErrorCode mt_picture_load(const char *path, int page, int n[3], double *value) {
  MtImage im;
  float *gray = NULL;
  PetscErrorCode rc;
  if (mt_image_is_png(path)) {
    rc = mt_png_read_any(path, &im, &gray);
  } else {
    rc = mt_tiff_layout(path, page, &im);
    if (!rc && value) {
      gray = mt_malloc((size_t)im.nx * (size_t)im.ny * sizeof *gray);
      rc = mt_tiff_read(path, page, &im, gray);
    }
  }
  if (!rc) n[0] = im.nx, n[1] = im.ny, n[2] = 1;
  if (!rc && value) scale(&im, gray, value);
  free(gray);
  return rc;
}

static PetscErrorCode load_npy(const char *path, int n[3], const int range[2], double *value) {
  MtNpy f;
  PetscErrorCode rc = mt_npy_open(path, &f);
  if (!rc && f.dims < 2) rc = mt_error(MT_ERR_INPUT, "%s: an image has 2 or 3 dimensions, the array has 1", path);
  for (int a = 0; a < 3 && !rc; a++) {
    const long long side = a < f.dims ? f.shape[f.dims - 1 - a] : 1;
    n[a] = side < INT32_MAX ? (int)side : INT32_MAX;
  }
  const int from = range ? range[0] : 0, slices = range ? range[1] - from : n[2];
  const size_t slice = (size_t)n[0] * (size_t)n[1];
  if (!rc && value && !f.fortran) rc = mt_npy_read_reals(&f, (long long)slice * from, slice * (size_t)slices, 1, value);
  for (int x = 0; x < n[0] && !rc && value && f.fortran; x++) /* in the file the last index runs slowest */
    for (int y = 0; y < n[1] && !rc; y++)
      rc = mt_npy_read_reals(&f, ((long long)x * n[1] + y) * n[2] + from, (size_t)slices, slice,
                             value + (size_t)y * (size_t)n[0] + (size_t)x);
  mt_npy_close(&f);
  return rc;
}

enum { DIPHA_IMAGE = 1 };
static const int64_t dipha_magic = 8067171840;

/* Of `total` doubles from here on those of the slices asked for. */
static bool read_slices(FILE *f, int64_t slice, const int range[2], int64_t total, double *value) {
  const int64_t first = range ? range[0] * slice : 0, n = range ? (range[1] - range[0]) * slice : total;
  return !fseeko(f, (off_t)(first * (int64_t)sizeof *value), SEEK_CUR) &&
         fread(value, sizeof *value, (size_t)n, f) == (size_t)n;
}

/* DIPHA's image data: magic, type, number of values, dimensions, resolution of each (x first), values as doubles. */
static PetscErrorCode load_dipha(const char *path, int n[3], const int range[2], double *value) {
  int64_t head[4], side[3] = {1, 1, 1};
  FILE *f = fopen(path, "rb");
  if (!f) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  PetscErrorCode rc = 0;
  if (fread(head, sizeof *head, 4, f) != 4 || head[0] != dipha_magic || head[1] != DIPHA_IMAGE)
    rc = mt_error(MT_ERR_INPUT, "%s: is not a DIPHA image", path);
  else if (head[3] < 2 || head[3] > 3)
    rc = mt_error(MT_ERR_INPUT, "%s: an image has 2 or 3 dimensions, the file has %lld", path, (long long)head[3]);
  else if (fread(side, sizeof *side, (size_t)head[3], f) != (size_t)head[3] || side[0] < 1 || side[1] < 1 ||
           side[2] < 1 || side[0] > 65535 || side[1] > 65535 || side[2] > 65535 ||
           side[0] * side[1] * side[2] != head[2])
    rc = mt_error(MT_ERR_INPUT, "%s: the DIPHA header is damaged", path);
  else if (value && !read_slices(f, side[0] * side[1], range, head[2], value))
    rc = mt_error(MT_ERR_INPUT, "%s: is truncated", path);
  for (int a = 0; a < 3 && !rc; a++) n[a] = (int)side[a];
  fclose(f);
  return rc;
}

/* Size of a dataset of two or three dimensions, or of one of ours in one with the attribute dims (z, y, x). */
static PetscErrorCode hdf5_size(const char *path, const char *name, hid_t set, int n[3]) {
  hsize_t dims[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
  const H5T_class_t class = H5Tget_class(type);
  PetscErrorCode rc = 0;
  H5Sclose(space);
  H5Tclose(type);
  if (rank == 1 && H5Aexists(set, "dims") > 0) {
    int64_t side[3] = {0};
    const hid_t a = H5Aopen(set, "dims", H5P_DEFAULT), s = H5Aget_space(a);
    if (H5Sget_simple_extent_npoints(s) == 3 && H5Aread(a, H5T_NATIVE_INT64, side) >= 0 &&
        (hsize_t)(side[0] * side[1] * side[2]) == dims[0])
      for (int i = 0; i < 3; i++) n[i] = (int)side[2 - i];
    H5Sclose(s);
    H5Aclose(a);
  } else if (rank == 2 || rank == 3) {
    for (int i = 0; i < 3; i++) n[i] = i < rank && dims[rank - 1 - i] < INT32_MAX ? (int)dims[rank - 1 - i] : 1;
  }
  if (class != H5T_INTEGER && class != H5T_FLOAT)
    rc = mt_error(MT_ERR_INPUT, "%s: dataset %s does not hold numbers", path, name);
  else if (n[0] < 1 || n[1] < 1 || n[2] < 1)
    rc = mt_error(MT_ERR_INPUT, "%s: dataset %s is empty, or has not 2 or 3 dimensions", path, name);
  return rc;
}

/* The slices of a dataset of three dimensions, or of one. */
static bool read_set(hid_t set, const int n[3], const int range[2], double *value) {
  const hid_t space = H5Dget_space(set);
  const int dims = H5Sget_simple_extent_ndims(space);
  const hsize_t slice = (hsize_t)n[0] * (hsize_t)n[1];
  hsize_t start[3] = {0}, count[3] = {(hsize_t)n[2], (hsize_t)n[1], (hsize_t)n[0]}, total = slice * (hsize_t)n[2];
  if (range) {
    start[0] = (hsize_t)range[0] * (dims == 1 ? slice : 1);
    count[0] = (hsize_t)(range[1] - range[0]) * (dims == 1 ? slice : 1);
    total = slice * (hsize_t)(range[1] - range[0]);
  }
  const hid_t memory = H5Screate_simple(1, &total, NULL);
  bool good = !range || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0;
  good = good && H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, value) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return good;
}

static PetscErrorCode load_hdf5(const char *path, const char *name, int n[3], const int range[2], double *value) {
  PetscErrorCode rc = 0;
  n[0] = n[1] = n[2] = 0;
  if (!name || !*name) return mt_error(MT_ERR_INPUT, "%s: give topology.dataset, the image in this HDF5 file", path);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) return mt_error(MT_ERR_INPUT, "%s: is not a readable HDF5 file", path);
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0) rc = mt_error(MT_ERR_INPUT, "%s: has no dataset %s (topology.dataset)", path, name);
  if (!rc) rc = hdf5_size(path, name, set, n);
  if (!rc && value && !read_set(set, n, range, value))
    rc = mt_error(MT_ERR_INPUT, "%s: dataset %s cannot be read: the file is damaged or truncated", path, name);
  if (set >= 0) H5Dclose(set);
  H5Fclose(file);
  return rc;
}

PetscErrorCode mt_volume_load(const char *path, const char *dataset, int n[3], const int range[2], double *value) {
  const char *dot = strrchr(path, '.');
  n[0] = n[1] = n[2] = 0;
  if (dot && !strcasecmp(dot, ".npy")) return load_npy(path, n, range, value);
  if (dot && !strcasecmp(dot, ".complex")) return load_dipha(path, n, range, value);
  return load_hdf5(path, dataset, n, range, value);
}
