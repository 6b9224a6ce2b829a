/* Nodal fields: ghosts, and files by file id. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "mesh_impl.h"

PetscErrorCode mt_mesh_ghosts(const MtMesh *mesh, int bs, double *local) {
  MPI_Datatype type;
  PetscCallMPI(MPI_Type_contiguous(bs, MPI_DOUBLE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCall(PetscSFBcastBegin(mesh->sf, type, local, local, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(mesh->sf, type, local, local, MPI_REPLACE));
  PetscCallMPI(MPI_Type_free(&type));
  return 0;
}

/* One component of the owned nodes -> slabs in file order, or back. */
static PetscErrorCode gather_component(MtMesh *mesh, Vec rows, int bs, int c, const double *local, double *buffer) {
  PetscScalar *v;
  const PetscScalar *s;
  PetscInt n;
  PetscCall(VecGetArrayWrite(rows, &v));
  for (PetscInt i = 0; i < mesh->nv_owned; i++) v[i] = local[(size_t)bs * (size_t)i + (size_t)c];
  PetscCall(VecRestoreArrayWrite(rows, &v));
  PetscCall(VecScatterBegin(mesh->to_slab, rows, mesh->slab, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(mesh->to_slab, rows, mesh->slab, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetLocalSize(mesh->slab, &n));
  PetscCall(VecGetArrayRead(mesh->slab, &s));
  for (PetscInt i = 0; i < n; i++) buffer[(size_t)bs * (size_t)i + (size_t)c] = PetscRealPart(s[i]);
  PetscCall(VecRestoreArrayRead(mesh->slab, &s));
  return 0;
}

static PetscErrorCode scatter_component(const MtMesh *mesh, Vec rows, int bs, int c, const double *buffer,
                                        double *local) {
  PetscScalar *s;
  const PetscScalar *v;
  PetscInt n;
  PetscCall(VecGetLocalSize(mesh->slab, &n));
  PetscCall(VecGetArrayWrite(mesh->slab, &s));
  for (PetscInt i = 0; i < n; i++) s[i] = buffer[(size_t)bs * (size_t)i + (size_t)c];
  PetscCall(VecRestoreArrayWrite(mesh->slab, &s));
  PetscCall(VecScatterBegin(mesh->to_slab, mesh->slab, rows, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(mesh->to_slab, mesh->slab, rows, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecGetArrayRead(rows, &v));
  for (PetscInt i = 0; i < mesh->nv_owned; i++) local[(size_t)bs * (size_t)i + (size_t)c] = PetscRealPart(v[i]);
  PetscCall(VecRestoreArrayRead(rows, &v));
  return 0;
}

PetscErrorCode mt_mesh_write_nodal(MtMesh *mesh, MtH5 *f, const char *name, int bs, const double *local,
                                   const char *unit) {
  int64_t start, n;
  double *buffer;
  Vec rows;
  PetscCall(mt_slab_here(mesh->comm, mesh->nv_global, &start, &n));
  PetscCall(PetscMalloc1(bs * n, &buffer));
  PetscCall(VecCreateMPI(mesh->comm, mesh->nv_owned, PETSC_DETERMINE, &rows));
  for (int c = 0; c < bs; c++) PetscCall(gather_component(mesh, rows, bs, c, local, buffer));
  PetscCall(mt_h5_write(f, name, H5T_NATIVE_DOUBLE, mesh->nv_global, bs, start, n, buffer, unit));
  PetscCall(VecDestroy(&rows));
  PetscCall(PetscFree(buffer));
  return 0;
}

PetscErrorCode mt_mesh_read_nodal(const MtMesh *mesh, MtH5 *f, const char *name, int bs, double *local) {
  int64_t start, n, rows_in_file;
  double *buffer;
  Vec rows;
  PetscCall(mt_h5_rows(f, name, &rows_in_file));
  if (rows_in_file != mesh->nv_global)
    return mt_error(MT_ERR_INPUT, "%s has %lld rows, but the mesh has %lld nodes: the field is of another mesh", name,
                    (long long)rows_in_file, (long long)mesh->nv_global);
  PetscCall(mt_slab_here(mesh->comm, mesh->nv_global, &start, &n));
  PetscCall(PetscMalloc1(bs * n, &buffer));
  PetscCall(mt_h5_read(f, name, H5T_NATIVE_DOUBLE, bs, start, n, buffer));
  PetscCall(VecCreateMPI(mesh->comm, mesh->nv_owned, PETSC_DETERMINE, &rows));
  for (int c = 0; c < bs; c++) PetscCall(scatter_component(mesh, rows, bs, c, buffer, local));
  PetscCall(VecDestroy(&rows));
  PetscCall(PetscFree(buffer));
  return mt_mesh_ghosts(mesh, bs, local);
}

PetscErrorCode mt_mesh_to_file_order(MtMesh *mesh, const double *owned, double **slab, int64_t *n) {
  int64_t start;
  Vec rows;
  PetscCall(mt_slab_here(mesh->comm, mesh->nv_global, &start, n));
  *slab = mt_malloc((size_t)*n * sizeof **slab);
  PetscCall(VecCreateMPI(mesh->comm, mesh->nv_owned, PETSC_DETERMINE, &rows));
  PetscCall(gather_component(mesh, rows, 1, 0, owned, *slab));
  return VecDestroy(&rows);
}

void mt_mesh_node_volumes(const MtMesh *mesh, double *volume) {
  for (PetscInt v = 0; v < mesh->nv_owned; v++) volume[v] = 0;
  for (PetscInt e = 0; e < mesh->nt_local; e++) {
    double x[4][3];
    const PetscInt *tet = mesh->tet + 4 * e;
    if (mesh->regions.kind[mesh->region[e]] == MT_REGION_AIR) continue;
    for (int c = 0; c < 4; c++) memcpy(x[c], mesh->x + 3 * tet[c], sizeof x[c]);
    for (int c = 0; c < 4; c++)
      if (tet[c] < mesh->nv_owned) volume[tet[c]] += mt_tet_volume((const double(*)[3])x) / 4;
  }
}
