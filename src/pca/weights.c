/* Fields on a mesh: each node counts by the volume of the magnet that belongs to it, a quarter of every tet around. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/mesh.h"
#include "run.h"
#include <math.h>

/* Volume of each owned node, nm3; the sum over all ranks. */
static PetscErrorCode node_volumes(const MtMesh *mesh, double *volume, double *total) {
  for (PetscInt v = 0; v < mesh->nv_owned; v++) volume[v] = 0;
  *total = 0;
  for (PetscInt e = 0; e < mesh->nt_local; e++) {
    double x[4][3];
    const PetscInt *tet = mesh->tet + 4 * e;
    if (mesh->regions.kind[mesh->region[e]] == MT_REGION_AIR) continue;
    for (int c = 0; c < 4; c++)
      for (int a = 0; a < 3; a++) x[c][a] = mesh->x[3 * tet[c] + a];
    for (int c = 0; c < 4; c++)
      if (tet[c] < mesh->nv_owned) volume[tet[c]] += mt_tet_volume((const double(*)[3])x) / 4;
  }
  for (PetscInt v = 0; v < mesh->nv_owned; v++) *total += volume[v];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, total, 1, MPI_DOUBLE, MPI_SUM, mesh->comm));
  return 0;
}

/* From the owners to the order of the file. */
static PetscErrorCode to_file_order(MtMesh *mesh, const double *owned, double **slab, PetscInt *n) {
  Vec rows;
  PetscScalar *value;
  const PetscScalar *sorted;
  PetscCall(VecCreateMPI(mesh->comm, mesh->nv_owned, PETSC_DETERMINE, &rows));
  PetscCall(VecGetArray(rows, &value));
  for (PetscInt v = 0; v < mesh->nv_owned; v++) value[mesh->row[v] - mesh->row_start] = owned[v];
  PetscCall(VecRestoreArray(rows, &value));
  PetscCall(VecScatterBegin(mesh->to_slab, rows, mesh->slab, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(mesh->to_slab, rows, mesh->slab, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetLocalSize(mesh->slab, n));
  PetscCall(VecGetArrayRead(mesh->slab, &sorted));
  *slab = mt_malloc((size_t)*n * sizeof **slab);
  for (PetscInt i = 0; i < *n; i++) (*slab)[i] = sorted[i];
  PetscCall(VecRestoreArrayRead(mesh->slab, &sorted));
  return VecDestroy(&rows);
}

static PetscErrorCode weigh(MtPcaRun *r, MtMesh *mesh) {
  double total, *volume = mt_malloc((size_t)mesh->nv_owned * sizeof *volume), *slab = NULL;
  PetscInt n = 0;
  PetscErrorCode rc = node_volumes(mesh, volume, &total);
  if (!rc) rc = to_file_order(mesh, volume, &slab, &n);
  r->weight = mt_malloc((size_t)n * (size_t)r->unit * sizeof *r->weight);
  for (PetscInt i = 0; i < n * r->unit && !rc; i++) r->weight[i] = sqrt(slab[i / r->unit] / total);
  free(volume);
  free(slab);
  return rc;
}

PetscErrorCode mt_pca_mesh(MtPcaRun *r) {
  MtMesh *mesh;
  const MtSource *s = &r->source;
  PetscCall(mt_mesh_read(r->comm, mt_input_string(r->in, "pca.mesh"), &mesh));
  PetscErrorCode rc = 0;
  r->nodes = mesh->nv_global;
  r->nt = mesh->nt_global;
  r->shown = mesh->nt_body;
  r->unit = (int)(s->columns / r->nodes);
  if (s->shape.nblocks != 1 || r->unit < 1 || r->unit * r->nodes != s->columns || (r->unit != 1 && r->unit != 3))
    rc = mt_input_error(r->in, "pca.mesh",
                        "has %lld nodes, but a sample of %s has %lld numbers: a field has 1 or 3 a node",
                        (long long)r->nodes, s->files.path[0], (long long)s->columns);
  if (!rc) rc = weigh(r, mesh);
  PetscErrorCode closed = mt_mesh_destroy(&mesh);
  return rc ? rc : closed;
}
