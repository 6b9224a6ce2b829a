/* Fields on a mesh: each node counts by the volume of the magnet that belongs to it, a quarter of every tet around. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/mesh.h"
#include "run.h"
#include <math.h>

static PetscErrorCode weigh(MtSeries *r, MtMesh *mesh) {
  double total = 0, *volume = mt_malloc((size_t)mesh->nv_owned * sizeof *volume), *slab = NULL;
  int64_t n = 0;
  mt_mesh_node_volumes(mesh, volume);
  for (PetscInt v = 0; v < mesh->nv_owned; v++) total += volume[v];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_DOUBLE, MPI_SUM, mesh->comm));
  PetscErrorCode rc = mt_mesh_to_file_order(mesh, volume, &slab, &n);
  r->weight = mt_malloc((size_t)n * (size_t)r->unit * sizeof *r->weight);
  for (int64_t i = 0; i < n * r->unit && !rc; i++) r->weight[i] = sqrt(slab[i / r->unit] / total);
  free(volume);
  free(slab);
  return rc;
}

PetscErrorCode mt_pca_mesh(MtSeries *r) {
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
