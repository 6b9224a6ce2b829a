/* Datasets in slabs of rows: chunked (about 1 MB, whatever the ranks), Fletcher32, with a unit.
 * Writing is collective (ranks without rows take part with an empty selection).  Reading is independent and agreed upon
 * afterwards: a wrong checksum fails on the ranks that meet it, and a collective read would leave the others waiting.
 */
#include "h5_internal.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 20 };

static hid_t creation_list(hid_t type, int64_t ntotal, int ncomp) {
  hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(dcpl, false);
  if (ntotal == 0) return dcpl;
  hsize_t row = H5Tget_size(type) * (hsize_t)ncomp, rows = row < CHUNK_BYTES ? CHUNK_BYTES / row : 1;
  hsize_t chunk[2] = {rows < (hsize_t)ntotal ? rows : (hsize_t)ntotal, (hsize_t)ncomp};
  H5Pset_chunk(dcpl, ncomp == 1 ? 1 : 2, chunk);
  H5Pset_fletcher32(dcpl);
  return dcpl;
}

static hid_t dataset_create(MtH5 *f, const char *name, hid_t type, int64_t ntotal, int ncomp) {
  hsize_t dims[2] = {(hsize_t)ntotal, (hsize_t)ncomp};
  hid_t space = H5Screate_simple(ncomp == 1 ? 1 : 2, dims, NULL), dcpl = creation_list(type, ntotal, ncomp);
  mt_h5_make_groups(f, name, false);
  hid_t d = H5Dcreate2(f->id, name, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
  H5Pclose(dcpl);
  H5Sclose(space);
  return d;
}

/* Selects rows [start, start+n) of the file's space; *mem is the space of the rank's array. */
static hid_t select_rows(hid_t d, int ncomp, int64_t start, int64_t n, hid_t *mem) {
  hsize_t from[2] = {(hsize_t)start, 0}, count[2] = {(hsize_t)n, (hsize_t)ncomp};
  hid_t file = H5Dget_space(d);
  *mem = H5Screate_simple(ncomp == 1 ? 1 : 2, count, NULL);
  if (n > 0 && H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, count, NULL) >= 0) return file;
  H5Sselect_none(file);
  H5Sselect_none(*mem);
  return file;
}

static herr_t transfer(hid_t d, hid_t type, int ncomp, int64_t start, int64_t n, const void *out, void *in) {
  static const double nothing; /* HDF5 wants an address even where there is nothing to move */
  hid_t mem, file = select_rows(d, ncomp, start, n, &mem), dxpl = H5Pcreate(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(dxpl, in ? H5FD_MPIO_INDEPENDENT : H5FD_MPIO_COLLECTIVE);
  herr_t rc = in ? H5Dread(d, type, mem, file, dxpl, in) : H5Dwrite(d, type, mem, file, dxpl, out ? out : &nothing);
  H5Pclose(dxpl);
  H5Sclose(mem);
  H5Sclose(file);
  return rc;
}

PetscErrorCode mt_h5_write(MtH5 *f, const char *name, hid_t type, int64_t ntotal, int ncomp, int64_t start, int64_t n,
                           const void *data, const char *unit) {
  PetscCall(mt_h5_room(f, name, ntotal * ncomp * (int64_t)H5Tget_size(type)));
  hid_t d = dataset_create(f, name, type, ntotal, ncomp);
  PetscCall(mt_h5_failed(f, name, d < 0));
  herr_t rc = ntotal ? transfer(d, type, ncomp, start, n, data, NULL) : 0;
  H5Dclose(d);
  PetscCall(mt_h5_failed(f, name, rc < 0));
  return unit ? mt_h5_set_string(f, name, "unit", unit) : 0;
}

/* Opens a dataset that must have ncomp columns (0: any); *n gets the rows. */
static hid_t dataset_open(MtH5 *f, const char *name, int ncomp, int64_t *n) {
  if (!mt_h5_exists(f, name)) return -1;
  hid_t d = H5Dopen2(f->id, name, H5P_DEFAULT), space = d >= 0 ? H5Dget_space(d) : -1;
  hsize_t dims[2] = {0, 1};
  int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0;
  bool good = (rank == 1 || rank == 2) && H5Sget_simple_extent_dims(space, dims, NULL) >= 0;
  if (space >= 0) H5Sclose(space);
  if (good && (ncomp == 0 || (hsize_t)ncomp == dims[1])) {
    *n = (int64_t)dims[0];
    return d;
  }
  if (d >= 0) H5Dclose(d);
  return -1;
}

PetscErrorCode mt_h5_read(MtH5 *f, const char *name, hid_t type, int ncomp, int64_t start, int64_t n, void *data) {
  int64_t rows = 0;
  hid_t d = dataset_open(f, name, ncomp, &rows);
  bool failed = d < 0 || start < 0 || start + n > rows;
  if (!failed && n > 0) failed = transfer(d, type, ncomp, start, n, NULL, data) < 0;
  if (d >= 0) H5Dclose(d);
  return mt_h5_failed(f, name, failed);
}

PetscErrorCode mt_h5_rows(MtH5 *f, const char *name, int64_t *n) {
  hid_t d = dataset_open(f, name, 0, n);
  if (d >= 0) H5Dclose(d);
  return mt_h5_failed(f, name, d < 0);
}

/* Rank 0 reads, the others get it in pieces that an MPI count can hold. */
PetscErrorCode mt_h5_read_all(MtH5 *f, const char *name, hid_t type, int ncomp, int64_t *n, void **data) {
  const int64_t piece = 1 << 30;
  int rank;
  *data = NULL;
  *n = 0;
  PetscCallMPI(MPI_Comm_rank(f->comm, &rank));
  PetscCall(mt_h5_rows(f, name, n));
  int64_t bytes = *n * ncomp * (int64_t)H5Tget_size(type);
  char *buffer = malloc((size_t)bytes + 1);
  if (!buffer) return mt_error(MT_ERR_FAIL, "no memory for %s of %s (%.1f MB)", name, f->path, (double)bytes / 1e6);
  PetscErrorCode rc = mt_h5_read(f, name, type, ncomp, 0, rank ? 0 : *n, buffer);
  for (int64_t at = 0; !rc && at < bytes; at += piece)
    rc = MPI_Bcast(buffer + at, (int)(bytes - at < piece ? bytes - at : piece), MPI_BYTE, 0, f->comm);
  if (rc)
    free(buffer);
  else
    *data = buffer;
  return rc;
}

bool mt_h5_exists(MtH5 *f, const char *name) {
  char part[1024];
  if (strlen(name) >= sizeof part) return false;
  if (!strcmp(name, "/")) return true;
  for (const char *s = name + 1;; s++) {
    if (*s && *s != '/') continue;
    size_t n = (size_t)(s - name);
    memcpy(part, name, n);
    part[n] = 0;
    if (H5Lexists(f->id, part, H5P_DEFAULT) <= 0) return false;
    if (!*s) return true;
  }
}

PetscErrorCode mt_h5_write_strings(MtH5 *f, const char *name, int n, const char *const *value) {
  size_t width = 1;
  int rank;
  PetscCallMPI(MPI_Comm_rank(f->comm, &rank));
  for (int i = 0; i < n; i++) width = strlen(value[i]) + 1 > width ? strlen(value[i]) + 1 : width;
  char *flat = calloc((size_t)n + 1, width);
  if (!flat) return mt_error(MT_ERR_FAIL, "no memory for %s", name);
  for (int i = 0; i < n; i++) strcpy(flat + (size_t)i * width, value[i]);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, width);
  PetscErrorCode rc = mt_h5_write(f, name, type, n, 1, 0, rank ? 0 : n, flat, NULL);
  H5Tclose(type);
  free(flat);
  return rc;
}

static size_t string_width(MtH5 *f, const char *name) {
  int64_t n;
  hid_t d = dataset_open(f, name, 1, &n), type = d >= 0 ? H5Dget_type(d) : -1;
  size_t width = type >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) ? H5Tget_size(type) : 0;
  if (type >= 0) H5Tclose(type);
  if (d >= 0) H5Dclose(d);
  return width;
}

/* Each string is malloc'ed on its own. */
static char **split_strings(const char *flat, int n, size_t width) {
  char **value = mt_calloc((size_t)n + 1, sizeof *value);
  for (int i = 0; i < n; i++) {
    value[i] = mt_calloc(1, width + 1);
    memcpy(value[i], flat + (size_t)i * width, width);
  }
  return value;
}

PetscErrorCode mt_h5_read_strings(MtH5 *f, const char *name, int *n, char ***value) {
  size_t width = string_width(f, name);
  PetscCall(mt_h5_failed(f, name, width == 0));
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, width);
  int64_t rows = 0;
  void *flat = NULL;
  PetscErrorCode rc = mt_h5_read_all(f, name, type, 1, &rows, &flat);
  H5Tclose(type);
  if (rc) return rc;
  *n = (int)rows;
  *value = split_strings(flat, *n, width);
  free(flat);
  return 0;
}
