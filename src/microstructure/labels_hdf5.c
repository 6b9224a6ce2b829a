/* Label volumes in HDF5: any dataset of integers [nz, ny, nx], the file `labels.h5` of this program, and the writing of
 * it; or /grain of a file of fields of grain growth on a box, whose nodes are then the voxels. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *path, *name;
  hid_t file, set, space;
  int rank;
  hsize_t dims[3]; /* nz ny nx */
  bool grown;      /* numbers of grains from 0 on, at the nodes of a box */
} Volume;

static bool read_attribute(hid_t object, const char *name, hid_t type, int n, void *value) {
  if (H5Aexists(object, name) <= 0) return false;
  const hid_t a = H5Aopen(object, name, H5P_DEFAULT), space = H5Aget_space(a);
  const bool good = H5Sget_simple_extent_npoints(space) == n && H5Aread(a, type, value) >= 0;
  H5Sclose(space);
  H5Aclose(a);
  return good;
}

/* As magtwin evolve writes it: doubles, with the nodes along x, y, z. */
static bool is_grown(Volume *v) {
  int64_t nodes[3];
  if (strcmp(v->name, "/grain") != 0 || !read_attribute(v->set, "nodes", H5T_NATIVE_INT64, 3, nodes)) return false;
  for (int d = 0; d < 3; d++) v->dims[d] = (hsize_t)nodes[2 - d];
  v->rank = 1;
  return v->grown = nodes[0] > 0 && nodes[1] > 0 && nodes[2] > 0 &&
                    nodes[0] * nodes[1] * nodes[2] == H5Sget_simple_extent_npoints(v->space);
}

static PetscErrorCode check_shape(Volume *v) {
  const hid_t type = H5Dget_type(v->set);
  const bool whole = H5Tget_class(type) == H5T_INTEGER;
  H5Tclose(type);
  if (is_grown(v)) return 0;
  if (!whole) return mt_error(MT_ERR_INPUT, "%s: dataset %s does not hold integers", v->path, v->name);
  v->rank = H5Sget_simple_extent_ndims(v->space);
  int64_t dims[3];
  if (v->rank == 3) {
    H5Sget_simple_extent_dims(v->space, v->dims, NULL);
  } else if (v->rank == 1 && read_attribute(v->set, "dims", H5T_NATIVE_INT64, 3, dims) && dims[0] > 0 && dims[1] > 0 &&
             dims[2] > 0 && dims[0] * dims[1] * dims[2] == H5Sget_simple_extent_npoints(v->space)) {
    for (int d = 0; d < 3; d++) v->dims[d] = (hsize_t)dims[d];
  } else {
    return mt_error(MT_ERR_INPUT, "%s: dataset %s must have 3 dimensions (nz, ny, nx)", v->path, v->name);
  }
  if (!v->dims[0] || !v->dims[1] || !v->dims[2])
    return mt_error(MT_ERR_INPUT, "%s: dataset %s is empty", v->path, v->name);
  return 0;
}

static PetscErrorCode open_volume(Volume *v) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  v->file = H5Fopen(v->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (v->file < 0) return mt_error(MT_ERR_INPUT, "%s: is not a readable HDF5 file", v->path);
  v->set = H5Dopen2(v->file, v->name, H5P_DEFAULT);
  if (v->set < 0) return mt_error(MT_ERR_INPUT, "%s: has no dataset %s (grains.dataset)", v->path, v->name);
  v->space = H5Dget_space(v->set);
  return check_shape(v);
}

static void close_volume(Volume *v) {
  if (v->space >= 0) H5Sclose(v->space);
  if (v->set >= 0) H5Dclose(v->set);
  if (v->file >= 0) H5Fclose(v->file);
}

static PetscErrorCode read_slab(const Volume *v, const MtLabels *l, int64_t *raw) {
  const hsize_t slice = v->dims[1] * v->dims[2], n = slice * (hsize_t)l->nz_local;
  const hsize_t start3[3] = {(hsize_t)l->z0, 0, 0}, count3[3] = {(hsize_t)l->nz_local, v->dims[1], v->dims[2]};
  const hsize_t start1 = slice * (hsize_t)l->z0;
  if (!n) return 0;
  const hid_t memory = H5Screate_simple(1, &n, NULL);
  H5Sselect_hyperslab(v->space, H5S_SELECT_SET, v->rank == 3 ? start3 : &start1, NULL, v->rank == 3 ? count3 : &n,
                      NULL);
  const herr_t rc = H5Dread(v->set, H5T_NATIVE_INT64, memory, v->space, H5P_DEFAULT, raw);
  H5Sclose(memory);
  for (hsize_t i = 0; v->grown && rc >= 0 && i < n; i++) raw[i]++;
  return rc >= 0 ? 0
                 : mt_error(MT_ERR_INPUT, "%s: dataset %s cannot be read: the file is damaged or truncated", v->path,
                            v->name);
}

/* Of a box each node has its share. */
static void take_voxel(const Volume *v, double voxel[3]) {
  double size[3] = {0};
  if (v->grown && read_attribute(v->set, "size_nm", H5T_NATIVE_DOUBLE, 3, size)) {
    for (int d = 0; d < 3; d++) voxel[d] = size[d] / (double)v->dims[2 - d];
    return;
  }
  if (!read_attribute(v->set, "voxel", H5T_NATIVE_DOUBLE, 3, voxel)) memset(voxel, 0, 3 * sizeof *voxel);
}

/* A table of one of our own files, [n, width] for the labels 1..n that it holds; *n 0 if there is none. */
static PetscErrorCode read_grains(const Volume *v, const char *name, int width, int *n, double **table) {
  *n = 0;
  const hid_t set = H5Lexists(v->file, "/grains", H5P_DEFAULT) > 0 ? H5Dopen2(v->file, name, H5P_DEFAULT) : -1;
  if (set < 0) return 0;
  const hid_t space = H5Dget_space(set);
  hsize_t dims[2] = {0, 0};
  PetscErrorCode rc = 0;
  if (H5Sget_simple_extent_ndims(space) == 2) H5Sget_simple_extent_dims(space, dims, NULL);
  if (dims[1] == (hsize_t)width && dims[0]) {
    *table = mt_malloc((size_t)dims[0] * (size_t)width * sizeof **table);
    *n = (int)dims[0];
    if (H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *table) < 0)
      rc = mt_error(MT_ERR_INPUT, "%s: %s cannot be read: the file is damaged", v->path, name);
  }
  H5Sclose(space);
  H5Dclose(set);
  return rc;
}

static PetscErrorCode read_orientations(const Volume *v, int *naxes, double **axes, double **turns) {
  int n = 0;
  PetscCall(read_grains(v, "/grains/axis", 3, naxes, axes));
  PetscCall(read_grains(v, "/grains/orientation", 4, &n, turns));
  if (!n || n == *naxes) return 0;
  return mt_error(MT_ERR_INPUT, "%s: /grains/axis has %d rows, /grains/orientation %d: the file is damaged", v->path,
                  *naxes, n);
}

static PetscErrorCode read_volume(MPI_Comm comm, Volume *v, MtLabels *l, int64_t **raw, int *naxes, double **axes,
                                  double **turns) {
  PetscCall(mt_agree(comm, open_volume(v)));
  PetscCall(mt_labels_layout(comm, (int)v->dims[2], (int)v->dims[1], (int)v->dims[0], l));
  *raw = malloc(((size_t)(v->dims[1] * v->dims[2]) * (size_t)l->nz_local + 1) * sizeof **raw);
  PetscErrorCode rc = *raw ? read_slab(v, l, *raw) : mt_error(MT_ERR_FAIL, "%s: not enough memory", v->path);
  if (!rc) rc = read_orientations(v, naxes, axes, turns);
  take_voxel(v, l->voxel);
  return mt_agree(comm, rc);
}

PetscErrorCode mt_volume_hdf5(MPI_Comm comm, const char *path, const char *dataset, MtLabels *l, int64_t **raw,
                              int *naxes, double **axes, double **turns) {
  Volume v = {.path = path, .name = dataset, .file = -1, .set = -1, .space = -1};
  PetscErrorCode rc = read_volume(comm, &v, l, raw, naxes, axes, turns);
  close_volume(&v);
  return rc;
}

static PetscErrorCode write_grains(MPI_Comm comm, MtH5 *f, const MtLabels *l) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  const int64_t n = rank ? 0 : l->ngrains;
  PetscCall(mt_h5_write(f, "/grains/axis", H5T_NATIVE_DOUBLE, l->ngrains, 3, 0, n, l->axis, "1"));
  if (l->orientation)
    PetscCall(mt_h5_write(f, "/grains/orientation", H5T_NATIVE_DOUBLE, l->ngrains, 4, 0, n, l->orientation, "1"));
  PetscCall(mt_h5_write(f, "/grains/voxels", H5T_NATIVE_INT64, l->ngrains, 1, 0, n, l->voxels, "1"));
  return mt_h5_write(f, "/grains/source", H5T_NATIVE_INT64, l->ngrains, 1, 0, n, l->source, "1");
}

/* In 255 steps: a byte a voxel. */
static PetscErrorCode write_confidence(MtH5 *f, const MtLabels *l) {
  const int64_t slice = (int64_t)l->nx * l->ny, n = slice * l->nz_local;
  uint8_t *stored = mt_malloc((size_t)n + 1);
  for (int64_t i = 0; i < n; i++) stored[i] = (uint8_t)(255 * l->confidence[i] + .5f);
  PetscErrorCode rc =
      mt_h5_write(f, "/confidence", H5T_NATIVE_UINT8, slice * l->nz, 1, slice * l->z0, n, stored, "1/255");
  free(stored);
  return rc;
}

static PetscErrorCode write_all(MPI_Comm comm, MtH5 *f, const MtLabels *l, const int32_t *stored, const MtInput *in) {
  const int64_t slice = (int64_t)l->nx * l->ny, dims[3] = {l->nz, l->ny, l->nx};
  PetscCall(
      mt_h5_write(f, "/labels", H5T_NATIVE_INT32, slice * l->nz, 1, slice * l->z0, slice * l->nz_local, stored, "1"));
  PetscCall(mt_h5_set_ints(f, "/labels", "dims", 3, dims));
  PetscCall(mt_h5_set_reals(f, "/labels", "voxel", 3, l->voxel));
  PetscCall(write_grains(comm, f, l));
  if (l->confidence) PetscCall(write_confidence(f, l));
  return in ? mt_h5_set_string(f, "/", "input", mt_input_canonical(in)) : 0;
}

PetscErrorCode mt_labels_write(MPI_Comm comm, const MtLabels *l, const char *path, const MtInput *in) {
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  int32_t *stored = mt_malloc(((size_t)n + 1) * sizeof *stored);
  MtH5 *f = NULL;
  for (int64_t i = 0; i < n; i++) stored[i] = l->label[i] + 1;
  PetscErrorCode rc = mt_h5_create(comm, path, "magtwin-labels", 1, &f);
  if (!rc) rc = write_all(comm, f, l, stored, in);
  free(stored);
  if (!rc) return mt_h5_commit(&f, false);
  if (f) PetscCall(mt_h5_discard(&f));
  return rc;
}
