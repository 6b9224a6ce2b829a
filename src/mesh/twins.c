/* Nodes that lie on one place: grains that have nodes of their own on the faces they share.  m jumps there, the
 * magnetostatic potential does not: its unknowns are those of the nodes on which the twins lie, which the same rank
 * owns. */
#include "magtwin/error.h"
#include "mesh_impl.h"

/* Local number of the owned node with this file id, -1 if there is none. */
static PetscInt find_owned(const MtMesh *m, int64_t vid) {
  PetscInt low = 0, high = m->nv_owned;
  while (low < high) {
    const PetscInt middle = low + (high - low) / 2;
    if (m->vid[middle] < vid)
      low = middle + 1;
    else
      high = middle;
  }
  return low < m->nv_owned && m->vid[low] == vid ? low : -1;
}

static PetscErrorCode rows_of_bases(const char *path, MtMesh *m, const double *base) {
  for (PetscInt i = 0; i < m->nv_owned; i++) {
    const PetscInt at = find_owned(m, (int64_t)base[i]);
    if (at < 0 || base[at] != base[i] || m->x[3 * at] != m->x[3 * i] || m->x[3 * at + 1] != m->x[3 * i + 1] ||
        m->x[3 * at + 2] != m->x[3 * i + 2])
      return mt_error(MT_ERR_INPUT, "%s: node %lld does not lie on node %lld, as /mesh/base says; make the mesh again",
                      path, (long long)m->vid[i], (long long)base[i]);
    m->base_row[i] = m->row[at];
  }
  return 0;
}

PetscErrorCode mt_mesh_twins_read(MtH5 *f, const char *path, MtMesh *m) {
  double *base;
  if (!mt_h5_exists(f, "/mesh/base")) return 0;
  PetscCall(PetscMalloc1(m->nv_local, &base));
  PetscCall(PetscMalloc1(m->nv_local, &m->base_row));
  PetscErrorCode rc = mt_mesh_read_nodal(m, f, "/mesh/base", 1, base);
  if (!rc) rc = mt_agree(m->comm, rows_of_bases(path, m, base));
  PetscCall(PetscFree(base));
  if (rc) return rc;
  PetscCall(PetscSFBcastBegin(m->sf, MPIU_INT, m->base_row, m->base_row, MPI_REPLACE));
  return PetscSFBcastEnd(m->sf, MPIU_INT, m->base_row, m->base_row, MPI_REPLACE);
}
