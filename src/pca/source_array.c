/* Arrays: .npy and HDF5.  The first index counts the samples, or a whole array is one. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "source.h"
#include <string.h>

/* Shape of an array of `dims` dimensions as rows and a block. */
static PetscErrorCode add_array(const MtSource *s, const char *path, const char *name, int dims, const int64_t *n,
                                MtShape *shape) {
  const int used = s->by_file ? dims : dims - 1, skip = s->by_file ? 0 : 1;
  int64_t side[3] = {1, 1, 1};
  if (used > 3) return mt_error(MT_ERR_INPUT, "%s: %s has %d dimensions, a sample may have 3", path, name, dims);
  for (int i = 0; i < used; i++) side[3 - used + i] = n[skip + i];
  const int64_t rows = s->by_file ? 1 : n[0];
  if (shape->nblocks && rows != shape->rows)
    return mt_error(MT_ERR_INPUT, "%s: %s has %lld samples, the datasets before it %lld", path, name, (long long)rows,
                    (long long)shape->rows);
  shape->rows = rows;
  mt_shape_add(shape, name, side[0], side[1], side[2]);
  return 0;
}

static PetscErrorCode npy_open(MtSource *s, const char *path) {
  PetscCall(mt_npy_open(path, &s->at.npy));
  if (s->at.npy.fortran && s->at.npy.dims > 1)
    return mt_error(MT_ERR_INPUT, "%s: the array is in Fortran order; write it with numpy.ascontiguousarray", path);
  return 0;
}

static void npy_close(MtSource *s) {
  mt_npy_close(&s->at.npy);
}

static PetscErrorCode npy_probe(MtSource *s, const char *path, MtShape *shape) {
  int64_t n[3];
  PetscErrorCode rc = npy_open(s, path);
  for (int i = 0; i < 3; i++) n[i] = s->at.npy.shape[i];
  if (!rc) rc = add_array(s, path, "array", s->at.npy.dims, n, shape);
  npy_close(s);
  return rc;
}

static PetscErrorCode npy_read(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  for (int64_t i = 0; i < nrows; i++)
    PetscCall(mt_npy_read_reals(&s->at.npy, (row + i) * s->own * (s->transverse ? 3 : 1) + col, (size_t)ncols, 1,
                                out + i * ncols));
  return 0;
}

const MtFormat mt_format_npy = {npy_probe, npy_open, npy_close, npy_read};

static PetscErrorCode hdf5_open(MtSource *s, const char *path) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  s->at.hdf5 = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  return s->at.hdf5 >= 0 ? 0 : mt_error(MT_ERR_INPUT, "%s: is not a readable HDF5 file", path);
}

static void hdf5_close(MtSource *s) {
  if (s->at.hdf5 >= 0) H5Fclose(s->at.hdf5);
  s->at.hdf5 = -1;
}

static PetscErrorCode probe_dataset(MtSource *s, const char *path, const char *name, MtShape *shape) {
  hsize_t dims[H5S_MAX_RANK];
  int64_t n[H5S_MAX_RANK];
  const hid_t set = H5Dopen2(s->at.hdf5, name, H5P_DEFAULT), space = set >= 0 ? H5Dget_space(set) : -1,
              type = set >= 0 ? H5Dget_type(set) : -1;
  const int rank = space >= 0 ? H5Sget_simple_extent_dims(space, dims, NULL) : -1;
  const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  PetscErrorCode rc = 0;
  for (int i = 0; i < rank; i++) n[i] = (int64_t)dims[i];
  if (set < 0)
    rc = mt_error(MT_ERR_INPUT, "%s: has no dataset %s", path, name);
  else if (rank < 1 || (class != H5T_INTEGER && class != H5T_FLOAT))
    rc = mt_error(MT_ERR_INPUT, "%s: %s is no array of numbers", path, name);
  else
    rc = add_array(s, path, name, rank, n, shape);
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  if (set >= 0) H5Dclose(set);
  return rc;
}

/* A persistence image is written as a line: its sides are equal. */
static void square_images(MtShape *shape) {
  for (int i = 0; i < shape->nblocks; i++) {
    int64_t *side = shape->block[i].shape, root = 1;
    const size_t n = strlen(shape->block[i].name);
    while (root * root < side[2]) root++;
    if (n > 6 && !strcmp(shape->block[i].name + n - 6, "/image") && root * root == side[2] && side[1] == 1)
      side[1] = side[2] = root;
  }
}

static PetscErrorCode probe_features(MtSource *s, const char *path, MtShape *shape) {
  char name[32];
  for (int k = 0; k < 3; k++) {
    snprintf(name, sizeof name, "/dimension%d", k);
    if (H5Lexists(s->at.hdf5, name, H5P_DEFAULT) <= 0) break;
    snprintf(name, sizeof name, "/dimension%d/image", k);
    PetscCall(probe_dataset(s, path, name, shape));
  }
  return 0;
}

static PetscErrorCode probe_all(MtSource *s, const char *path, MtShape *shape) {
  const int n = strcmp(s->key, "pca.files") ? 0 : mt_source_names(s->in, "pca.datasets");
  for (int i = 0; i < n; i++) PetscCall(probe_dataset(s, path, mt_input_string_at(s->in, i, "pca.datasets"), shape));
  if (!n && s->features) PetscCall(probe_features(s, path, shape));
  if (!n && s->texture) PetscCall(probe_dataset(s, path, "/features", shape));
  if (!n && !s->features && !s->texture && H5Lexists(s->at.hdf5, "m", H5P_DEFAULT) > 0)
    PetscCall(probe_dataset(s, path, "/m", shape));
  if (!shape->nblocks) return mt_error(MT_ERR_INPUT, "%s: give pca.datasets, the numbers in this HDF5 file", path);
  if (s->features) square_images(shape);
  return 0;
}

static PetscErrorCode hdf5_probe(MtSource *s, const char *path, MtShape *shape) {
  PetscErrorCode rc = hdf5_open(s, path);
  if (!rc) rc = probe_all(s, path, shape);
  hdf5_close(s);
  return rc;
}

/* A window of an array seen as [rows][width]: whole lines in the middle, parts of lines before and after are read
 * element by element in up to three boxes, so that nothing more than the window is held. */
static herr_t read_flat(hid_t set, int64_t first, int64_t n, double *out) {
  hsize_t dims[H5S_MAX_RANK], from[H5S_MAX_RANK], count[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(set);
  const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
  herr_t rc = 0;
  while (n > 0 && rc >= 0) {
    /* the largest box that begins at `first`: whole lines of axis a and those behind it */
    int64_t rest = first, stride = 1;
    int a = rank - 1;
    for (int i = rank - 1; i >= 0; i--) from[i] = (hsize_t)rest % dims[i], rest /= (int64_t)dims[i], count[i] = 1;
    while (a > 0 && from[a] == 0 && n >= stride * (int64_t)dims[a]) count[a] = dims[a], stride *= (int64_t)dims[a], a--;
    const int64_t left = (int64_t)(dims[a] - from[a]), fit = n / stride;
    count[a] = (hsize_t)(left < fit ? left : fit);
    const hsize_t total = count[a] * (hsize_t)stride;
    const hid_t memory = H5Screate_simple(1, &total, NULL);
    rc = H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, count, NULL);
    if (rc >= 0) rc = H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out);
    H5Sclose(memory);
    first += (int64_t)total, n -= (int64_t)total, out += total;
  }
  H5Sclose(space);
  return rc;
}

/* Columns [col, col+ncols) of one block, which has `width` of them, into out with lines of `stride`. */
static herr_t read_block(hid_t set, int64_t width, int64_t row, int64_t nrows, int64_t col, int64_t ncols,
                         int64_t stride, double *out) {
  if (ncols == width && stride == width) return read_flat(set, row * width, nrows * width, out);
  for (int64_t i = 0; i < nrows; i++)
    if (read_flat(set, (row + i) * width + col, ncols, out + i * stride) < 0) return -1;
  return 0;
}

static PetscErrorCode hdf5_read(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  int64_t start = 0;
  for (int b = 0; b < s->shape.nblocks; b++) {
    const int64_t width = mt_block_columns(&s->shape.block[b]) * (s->transverse ? 3 : 1),
                  from = col > start ? col - start : 0, to = col + ncols < start + width ? col + ncols - start : width;
    if (from < to) {
      const hid_t set = H5Dopen2(s->at.hdf5, s->shape.block[b].name, H5P_DEFAULT);
      const herr_t rc =
          set < 0 ? -1 : read_block(set, width, row, nrows, from, to - from, ncols, out + start + from - col);
      if (set >= 0) H5Dclose(set);
      if (rc < 0)
        return mt_error(MT_ERR_INPUT, "%s: dataset %s cannot be read: the file is damaged or truncated", s->path,
                        s->shape.block[b].name);
    }
    start += width;
  }
  return 0;
}

const MtFormat mt_format_hdf5 = {hdf5_probe, hdf5_open, hdf5_close, hdf5_read};
