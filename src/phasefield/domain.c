/* The domain of a mesh of grains, what all domains share, and their fields in files. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/phasefield.h"
#include <math.h>

static bool is_body(const MtMesh *m, PetscInt t) {
  return m->regions.kind[m->region[t]] != MT_REGION_AIR;
}

static PetscErrorCode choose_nodes(MtMesh *m, MtNodes **nodes) {
  double *flag;
  bool *member;
  PetscCall(PetscCalloc1(m->nv_local, &flag));
  PetscCall(PetscMalloc1(m->nv_local, &member));
  for (PetscInt t = 0; t < m->nt_local; t++)
    for (int k = 0; k < 4 && is_body(m, t); k++) flag[m->tet[4 * t + k]] = 1;
  PetscCall(mt_mesh_ghosts(m, 1, flag)); /* an owner holds every tet around its nodes, a ghost's may lie elsewhere */
  for (PetscInt i = 0; i < m->nv_local; i++) member[i] = flag[i] != 0;
  PetscErrorCode rc = mt_nodes_create(m, member, nodes);
  PetscCall(PetscFree(flag));
  PetscCall(PetscFree(member));
  return rc;
}

static PetscErrorCode copy_nodes(const MtMesh *m, MtDomain *d) {
  const MtNodes *n = d->nodes;
  d->n_owned = n->n_owned;
  d->n_local = n->n_local;
  d->row_start = n->row_start;
  d->n_global = n->n_global;
  d->n_file = m->nv_global;
  PetscCall(PetscMalloc1(d->n_local, &d->row));
  PetscCall(PetscMalloc1(d->n_local, &d->id));
  PetscCall(PetscMalloc1(3 * d->n_local, &d->x));
  for (PetscInt i = 0; i < n->n_local; i++) {
    d->row[i] = n->row[i];
    d->id[i] = m->vid[n->node[i]];
    for (int c = 0; c < 3; c++) d->x[3 * i + c] = m->x[3 * n->node[i] + c];
  }
  return 0;
}

static PetscErrorCode copy_elements(const MtMesh *m, MtDomain *d) {
  int64_t count[1] = {0};
  for (PetscInt t = 0; t < m->nt_local; t++) d->ne += is_body(m, t);
  PetscCall(PetscMalloc1(4 * d->ne, &d->element));
  PetscCall(PetscMalloc1(d->ne, &d->element_owned));
  PetscCall(PetscMalloc1(d->ne, &d->region));
  for (PetscInt t = 0, e = 0; t < m->nt_local; t++) {
    if (!is_body(m, t)) continue;
    for (int k = 0; k < 4; k++) d->element[4 * e + k] = d->nodes->index[m->tet[4 * t + k]];
    d->region[e] = m->region[t];
    count[0] += d->element_owned[e++] = m->tet_owned[t];
  }
  PetscCallMPI(MPI_Allreduce(count, &d->ne_global, 1, MPI_INT64_T, MPI_SUM, m->comm));
  for (int r = 0; r < m->regions.n; r++)
    if (m->regions.kind[r] != MT_REGION_AIR) d->volume += m->regions.volume[r];
  return 0;
}

PetscErrorCode mt_domain_mesh(MtMesh *m, MtDomain **domain) {
  MtDomain *d;
  *domain = NULL;
  if (m->base_row)
    return mt_error(MT_ERR_INPUT, "the grains of this mesh have nodes of their own on shared faces "
                                  "(mesh.split_grains): no field can pass between them");
  PetscCall(PetscNew(&d));
  *domain = d;
  d->comm = m->comm;
  d->dim = 3;
  d->mesh = m;
  PetscErrorCode rc = choose_nodes(m, &d->nodes);
  if (!rc) rc = copy_nodes(m, d);
  return rc ? rc : copy_elements(m, d);
}

PetscErrorCode mt_domain_destroy(MtDomain **domain) {
  MtDomain *d = *domain;
  if (!d) return 0;
  PetscCall(PetscFree(d->row));
  PetscCall(PetscFree(d->id));
  PetscCall(PetscFree(d->x));
  PetscCall(PetscFree(d->element));
  PetscCall(PetscFree(d->element_owned));
  PetscCall(PetscFree(d->region));
  PetscCall(mt_nodes_destroy(&d->nodes));
  PetscCall(VecScatterDestroy(&d->to_slab));
  PetscCall(VecDestroy(&d->slab));
  return PetscFree(*domain);
}

void mt_domain_corners(const MtDomain *d, PetscInt e, double x[4][3]) {
  for (int k = 0; k <= d->dim; k++)
    for (int c = 0; c < 3; c++) {
      x[k][c] = d->x[3 * d->element[(d->dim + 1) * e + k] + c];
      if (d->period[c] > 0) x[k][c] -= d->period[c] * round((x[k][c] - x[0][c]) / d->period[c]);
    }
}

static PetscErrorCode write_mesh(const MtDomain *d, MtH5 *f, const char *name, Vec v, const char *unit) {
  const PetscScalar *a;
  double *local;
  PetscCall(PetscMalloc1(d->mesh->nv_local, &local));
  for (PetscInt i = 0; i < d->mesh->nv_local; i++) local[i] = NAN;
  PetscCall(VecGetArrayRead(v, &a));
  for (PetscInt i = 0; i < d->n_owned; i++) local[d->nodes->node[i]] = a[i];
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscErrorCode rc = mt_mesh_write_nodal(d->mesh, f, name, 1, local, unit);
  PetscCall(PetscFree(local));
  return rc;
}

static PetscErrorCode read_mesh(const MtDomain *d, MtH5 *f, const char *name, Vec v) {
  PetscScalar *a;
  double *local;
  PetscCall(PetscMalloc1(d->mesh->nv_local, &local));
  PetscErrorCode rc = mt_mesh_read_nodal(d->mesh, f, name, 1, local);
  PetscCall(VecGetArray(v, &a));
  for (PetscInt i = 0; !rc && i < d->n_owned; i++) a[i] = local[d->nodes->node[i]];
  PetscCall(VecRestoreArray(v, &a));
  PetscCall(PetscFree(local));
  return rc;
}

PetscErrorCode mt_domain_write(const MtDomain *d, MtH5 *f, const char *name, Vec v, const char *unit) {
  const PetscScalar *a;
  int64_t start, n;
  if (d->mesh) return write_mesh(d, f, name, v, unit);
  PetscCall(mt_slab_here(d->comm, d->n_file, &start, &n));
  PetscCall(VecScatterBegin(d->to_slab, v, d->slab, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(d->to_slab, v, d->slab, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArrayRead(d->slab, &a));
  PetscErrorCode rc = mt_h5_write(f, name, H5T_NATIVE_DOUBLE, d->n_file, 1, start, n, a, unit);
  PetscCall(VecRestoreArrayRead(d->slab, &a));
  return rc;
}

PetscErrorCode mt_domain_read(const MtDomain *d, MtH5 *f, const char *name, Vec v) {
  PetscScalar *a;
  int64_t start, n, rows;
  if (d->mesh) return read_mesh(d, f, name, v);
  PetscErrorCode rc = mt_h5_rows(f, name, &rows);
  if (rc) return rc;
  if (rows != d->n_file)
    return mt_error(MT_ERR_INPUT, "%s has %lld rows, but the box has %lld nodes: the field is of another box", name,
                    (long long)rows, (long long)d->n_file);
  PetscCall(mt_slab_here(d->comm, d->n_file, &start, &n));
  PetscCall(VecGetArray(d->slab, &a));
  rc = mt_h5_read(f, name, H5T_NATIVE_DOUBLE, 1, start, n, a);
  PetscCall(VecRestoreArray(d->slab, &a));
  if (rc) return rc;
  PetscCall(VecScatterBegin(d->to_slab, d->slab, v, INSERT_VALUES, SCATTER_REVERSE));
  return VecScatterEnd(d->to_slab, d->slab, v, INSERT_VALUES, SCATTER_REVERSE);
}
