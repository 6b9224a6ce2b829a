/* A whole mesh on one rank, to and from its file.  Rank 0 writes alone, so that the file does not depend on the rank
 * count. */
#include "magtwin/error.h"
#include "mesh_impl.h"
#include <stdlib.h>

void mt_mesh_data_free(MtMeshData *data) {
  free(data->x);
  free(data->tet);
  free(data->region);
  free(data->base);
  mt_regions_free(&data->regions);
  *data = (MtMeshData){0};
}

/* The first nt tets and their regions in a group.  32-bit indices wherever they suffice: half the file. */
static PetscErrorCode write_tets(MtH5 *f, const MtMeshData *d, int64_t nt, const char *tets, const char *regions) {
  PetscCall(mt_h5_write(f, regions, H5T_NATIVE_INT32, nt, 1, 0, nt, d->region, "1"));
  if (d->nv > INT32_MAX) return mt_h5_write(f, tets, H5T_NATIVE_INT64, nt, 4, 0, nt, d->tet, "1");
  int32_t *tet;
  PetscCall(PetscMalloc1(4 * nt, &tet));
  for (int64_t i = 0; i < 4 * nt; i++) tet[i] = (int32_t)d->tet[i];
  PetscCall(mt_h5_write(f, tets, H5T_NATIVE_INT32, nt, 4, 0, nt, tet, "1"));
  PetscCall(PetscFree(tet));
  return 0;
}

/* The tets before the air, if it comes last; else all. */
static int64_t body_of(const MtMeshData *d) {
  int64_t body = 0;
  while (body < d->nt && d->regions.kind[d->region[body]] != MT_REGION_AIR) body++;
  for (int64_t t = body; t < d->nt; t++)
    if (d->regions.kind[d->region[t]] != MT_REGION_AIR) return d->nt;
  return body;
}

static PetscErrorCode write_content(MtH5 *f, const MtMeshData *d, const char *input) {
  PetscCall(mt_h5_write(f, "/mesh/x", H5T_NATIVE_DOUBLE, d->nv, 3, 0, d->nv, d->x, "nm"));
  PetscCall(write_tets(f, d, d->nt, "/mesh/tet", "/mesh/region"));
  const int64_t body = body_of(d); /* once more for pictures: readers of XDMF do not agree on parts of an array */
  if (body > 0 && body < d->nt) PetscCall(write_tets(f, d, body, "/body/tet", "/body/region"));
  if (d->base) PetscCall(mt_h5_write(f, "/mesh/base", H5T_NATIVE_INT64, d->nv, 1, 0, d->nv, d->base, "1"));
  PetscCall(mt_regions_write(f, &d->regions));
  PetscCall(mt_h5_set_reals(f, "/mesh", "sphere", 4, d->sphere));
  PetscCall(mt_h5_set_reals(f, "/mesh", "magnet_box", 6, d->magnet_box));
  PetscCall(mt_h5_set_reals(f, "/mesh", "gb_thickness", 1, &d->gb_thickness));
  PetscCall(mt_h5_set_reals(f, "/mesh", "size", 1, &d->size));
  PetscCall(mt_h5_set_string(f, "/", "input", input ? input : ""));
  return 0;
}

static PetscErrorCode write_alone(const MtMeshData *d, const char *path, const char *input) {
  MtH5 *f;
  PetscCall(mt_h5_create(PETSC_COMM_SELF, path, MT_MESH_FORMAT, MT_MESH_VERSION, &f));
  PetscErrorCode rc = write_content(f, d, input);
  if (rc) {
    PetscCall(mt_h5_discard(&f));
    return rc;
  }
  PetscCall(mt_h5_commit(&f, false));
  return 0;
}

PetscErrorCode mt_mesh_data_write(MPI_Comm comm, const MtMeshData *data, const char *path, const char *input) {
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  return mt_agree_root(comm, rank ? 0 : write_alone(data, path, input));
}

static PetscErrorCode read_content(MtH5 *f, const char *path, MtMeshData *d) {
  int64_t nregion;
  void *data;
  PetscCall(mt_h5_read_all(f, "/mesh/x", H5T_NATIVE_DOUBLE, 3, &d->nv, &data));
  d->x = data;
  PetscCall(mt_h5_read_all(f, "/mesh/tet", H5T_NATIVE_INT64, 4, &d->nt, &data));
  d->tet = data;
  PetscCall(mt_h5_read_all(f, "/mesh/region", H5T_NATIVE_INT32, 1, &nregion, &data));
  d->region = data;
  if (mt_h5_exists(f, "/mesh/base")) {
    int64_t n;
    PetscCall(mt_h5_read_all(f, "/mesh/base", H5T_NATIVE_INT64, 1, &n, &data));
    d->base = data;
    if (n != d->nv) return mt_error(MT_ERR_INPUT, "%s: /mesh/base has not one entry a node", path);
  }
  PetscCall(mt_regions_read(f, path, &d->regions));
  PetscCall(mt_h5_get_reals(f, "/mesh", "sphere", 4, d->sphere));
  PetscCall(mt_h5_get_reals(f, "/mesh", "magnet_box", 6, d->magnet_box));
  PetscCall(mt_h5_get_reals(f, "/mesh", "gb_thickness", 1, &d->gb_thickness));
  PetscCall(mt_h5_get_reals(f, "/mesh", "size", 1, &d->size));
  if (nregion != d->nt)
    return mt_error(MT_ERR_INPUT, "%s: %lld tets but %lld regions; make the mesh again with magtwin mesh", path,
                    (long long)d->nt, (long long)nregion);
  for (int64_t i = 0; i < d->nt; i++)
    if (d->region[i] < 0 || d->region[i] >= d->regions.n)
      return mt_error(MT_ERR_INPUT, "%s: tet %lld has region %d of %d", path, (long long)i, (int)d->region[i],
                      d->regions.n);
  for (int64_t i = 0; i < 4 * d->nt; i++)
    if (d->tet[i] < 0 || d->tet[i] >= d->nv)
      return mt_error(MT_ERR_INPUT, "%s: tet %lld names node %lld of %lld", path, (long long)(i / 4),
                      (long long)d->tet[i], (long long)d->nv);
  return 0;
}

static PetscErrorCode read_alone(const char *path, MtMeshData *data) {
  MtH5 *f;
  PetscCall(mt_h5_open(PETSC_COMM_SELF, path, MT_MESH_FORMAT, MT_MESH_VERSION, &f));
  PetscErrorCode rc = read_content(f, path, data);
  PetscCall(mt_h5_close(&f));
  if (rc) mt_mesh_data_free(data);
  return rc;
}

PetscErrorCode mt_mesh_data_read(MPI_Comm comm, const char *path, MtMeshData *data) {
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *data = (MtMeshData){0};
  return mt_agree_root(comm, rank ? 0 : read_alone(path, data));
}
