/* A volume of orientations as DREAM.3D (6.x) stores it: /DataContainers/<name>/<cells> with EulerAngles [nz ny nx 3]
 * (Bunge, radians) and, in most files, Phases [nz ny nx 1], 0 where nothing was found, and "Confidence Index"; <cells>
 * is CellData or whatever the user called it; _SIMPL_GEOMETRY/SPACING in um.  Each rank reads the slices of its slab.
 * Source of the layout: M. A. Groeber, M. A. Jackson, Integr. Mater. Manuf. Innov. 3, 56 (2014). */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME = 256, GROUP = NAME + 20, CELLS = GROUP + NAME + 1, PATH = CELLS + 40 };

typedef struct {
  const char *path;
  hid_t file, set; /* EulerAngles */
  char group[GROUP], cells[CELLS];
  hsize_t dims[4]; /* nz ny nx 3 */
  double spacing[3];
} Volume;

bool mt_dream3d_is(const char *path) {
  const size_t n = strlen(path);
  return (n > 8 && !strcasecmp(path + n - 8, ".dream3d")) || (n > 3 && !strcasecmp(path + n - 3, ".h5"));
}

/* Number of links of a group, name of the i-th; 0 and false where there is none. */
static hsize_t links_of(hid_t group) {
  H5G_info_t info = {.nlinks = 0};
  return group >= 0 && H5Gget_info(group, &info) >= 0 ? info.nlinks : 0;
}

static bool link_name(hid_t group, hsize_t i, char name[NAME]) {
  return H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, NAME, H5P_DEFAULT) >= 0;
}

static bool has_four_dimensions(hid_t set) {
  const hid_t space = H5Dget_space(set);
  const bool four = H5Sget_simple_extent_ndims(space) == 4;
  H5Sclose(space);
  return four;
}

/* The group of a container that has an angle for each cell; others have them for each grain, or have none. */
static void find_cells(Volume *v, const char *container) {
  char name[NAME], path[PATH];
  const hid_t group = H5Gopen2(v->file, container, H5P_DEFAULT);
  const hsize_t n = links_of(group);
  for (hsize_t i = 0; i < n && v->set < 0; i++) {
    if (!link_name(group, i, name)) continue;
    snprintf(v->cells, sizeof v->cells, "%s/%s", container, name);
    snprintf(path, sizeof path, "%s/EulerAngles", v->cells);
    v->set = H5Dopen2(v->file, path, H5P_DEFAULT);
    if (v->set < 0 || has_four_dimensions(v->set)) continue;
    H5Dclose(v->set);
    v->set = -1;
  }
  if (group >= 0) H5Gclose(group);
}

/* The first container with orientations. */
static PetscErrorCode open_angles(Volume *v) {
  char name[NAME];
  const hid_t all =
      H5Lexists(v->file, "DataContainers", H5P_DEFAULT) > 0 ? H5Gopen2(v->file, "DataContainers", H5P_DEFAULT) : -1;
  const hsize_t n = links_of(all);
  for (hsize_t i = 0; i < n && v->set < 0; i++) {
    if (!link_name(all, i, name)) continue;
    snprintf(v->group, sizeof v->group, "/DataContainers/%s", name);
    find_cells(v, v->group);
  }
  if (all >= 0) H5Gclose(all);
  if (v->set >= 0) return 0;
  return mt_error(MT_ERR_INPUT,
                  "%s: has no /DataContainers/<name>/CellData/EulerAngles with 4 dimensions (nz, ny, nx, 3) as "
                  "DREAM.3D 6 writes it",
                  v->path);
}

static PetscErrorCode read_layout(Volume *v) {
  char path[PATH];
  const hid_t space = H5Dget_space(v->set);
  const bool good = H5Sget_simple_extent_dims(space, v->dims, NULL) == 4 && v->dims[3] == 3;
  H5Sclose(space);
  if (!good) return mt_error(MT_ERR_INPUT, "%s: EulerAngles must have 4 dimensions (nz, ny, nx, 3)", v->path);
  snprintf(path, sizeof path, "%s/_SIMPL_GEOMETRY/SPACING", v->group);
  const hid_t set = H5Dopen2(v->file, path, H5P_DEFAULT), at = set >= 0 ? H5Dget_space(set) : -1;
  const bool read = at >= 0 && H5Sget_simple_extent_npoints(at) == 3 &&
                    H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v->spacing) >= 0;
  if (at >= 0) H5Sclose(at);
  if (set >= 0) H5Dclose(set);
  for (int d = 0; d < 3; d++)
    if (!read || !(v->spacing[d] > 0))
      return mt_error(MT_ERR_INPUT, "%s: %s does not hold the size of a voxel", v->path, path);
  return 0;
}

/* Rows [nz_local ny nx width] of a set of four dimensions, as reals. */
static bool read_slab(hid_t set, const Volume *v, hsize_t width, const MtLabels *l, double *to) {
  const hsize_t start[4] = {(hsize_t)l->z0, 0, 0, 0}, count[4] = {(hsize_t)l->nz_local, v->dims[1], v->dims[2], width};
  hsize_t dims[4];
  const hid_t space = H5Dget_space(set), memory = H5Screate_simple(4, count, NULL);
  bool good = H5Sget_simple_extent_ndims(space) == 4 && H5Sget_simple_extent_dims(space, dims, NULL) == 4 &&
              dims[3] == width && !memcmp(dims, v->dims, 3 * sizeof *dims);
  good = good && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
         H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, to) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return good;
}

/* One number a cell, from malloc; NULL in *to: the file has none of that name. */
static PetscErrorCode read_cells(const Volume *v, const char *name, const MtLabels *l, double **to) {
  const size_t n = (size_t)l->nx * (size_t)l->ny * (size_t)l->nz_local;
  char path[PATH];
  *to = NULL;
  snprintf(path, sizeof path, "%s/%s", v->cells, name);
  const hid_t set = H5Dopen2(v->file, path, H5P_DEFAULT);
  if (set < 0) return 0;
  *to = mt_malloc((n + 1) * sizeof **to);
  const bool good = !n || read_slab(set, v, 1, l, *to);
  H5Dclose(set);
  if (good) return 0;
  free(*to);
  *to = NULL;
  return mt_error(MT_ERR_INPUT, "%s: %s does not go with EulerAngles, or is damaged", v->path, path);
}

static PetscErrorCode read_angles(const Volume *v, const MtLabels *l, MtEbsd *e) {
  const size_t n = (size_t)l->nx * (size_t)l->ny * (size_t)l->nz_local;
  double *angle = mt_malloc((3 * n + 1) * sizeof *angle);
  bool good = !n || read_slab(v->set, v, 3, l, angle);
  for (size_t i = 0; i < n && good; i++) {
    good = isfinite(angle[3 * i]) && isfinite(angle[3 * i + 1]) && isfinite(angle[3 * i + 2]);
    mt_quat_bunge(angle + 3 * i, e->q + 4 * i);
  }
  free(angle);
  if (good) return 0;
  return mt_error(MT_ERR_INPUT, "%s: EulerAngles cannot be read: the file is damaged, or an angle is no number",
                  v->path);
}

static PetscErrorCode read_points(const Volume *v, const MtLabels *l, MtEbsd *e) {
  const size_t n = (size_t)l->nx * (size_t)l->ny * (size_t)l->nz_local;
  double *sure = NULL, *phase = NULL;
  PetscCall(read_angles(v, l, e));
  PetscErrorCode rc = read_cells(v, "Confidence Index", l, &sure);
  if (!rc) rc = read_cells(v, "Phases", l, &phase);
  for (size_t i = 0; i < n && !rc; i++) {
    e->ci[i] = sure ? sure[i] : 1;
    if (phase && phase[i] < 1) e->ci[i] = MT_ANG_NOTHING;
  }
  free(sure);
  free(phase);
  return rc;
}

static PetscErrorCode open_volume(Volume *v) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  v->file = H5Fopen(v->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (v->file < 0) return mt_error(MT_ERR_INPUT, "%s: is not a readable HDF5 file", v->path);
  PetscCall(open_angles(v));
  return read_layout(v);
}

static PetscErrorCode read_volume(MPI_Comm comm, Volume *v, MtLabels *l, MtEbsd *e) {
  PetscCall(mt_agree(comm, open_volume(v)));
  PetscCall(mt_labels_layout(comm, (int)v->dims[2], (int)v->dims[1], (int)v->dims[0], l));
  const size_t n = (size_t)l->nx * (size_t)l->ny * (size_t)l->nz_local;
  e->q = mt_calloc(4 * n + 1, sizeof *e->q);
  e->ci = mt_calloc(n + 1, sizeof *e->ci);
  e->valid = mt_calloc(n + 1, sizeof *e->valid);
  for (int d = 0; d < 3; d++) l->voxel[d] = 1e3 * v->spacing[d];
  return mt_agree(comm, read_points(v, l, e));
}

PetscErrorCode mt_dream3d_read(MPI_Comm comm, const char *path, MtLabels *l, MtEbsd *e) {
  Volume v = {.path = path, .file = -1, .set = -1};
  PetscErrorCode rc = read_volume(comm, &v, l, e);
  if (v.set >= 0) H5Dclose(v.set);
  if (v.file >= 0) H5Fclose(v.file);
  return rc;
}
