/* States and potentials between the runs and their files, by file id: written on N ranks, read on M. */
#include "site.h"
#include "kernels.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

PetscErrorCode mt_site_m_to_local(const MtSite *s, Vec m, double *local) {
  const PetscScalar *x;
  memset(local, 0, 3 * (size_t)s->mesh->nv_local * sizeof *local);
  PetscCall(VecGetArrayRead(m, &x));
  for (PetscInt i = 0; i < s->nodes->n_owned; i++)
    for (int c = 0; c < 3; c++) local[3 * s->nodes->node[i] + c] = x[3 * i + c];
  return VecRestoreArrayRead(m, &x);
}

PetscErrorCode mt_site_m_from_local(const MtSite *s, const double *local, Vec m) {
  PetscScalar *x;
  PetscCall(VecGetArray(m, &x));
  for (PetscInt i = 0; i < s->nodes->n_owned; i++)
    for (int c = 0; c < 3; c++) x[3 * i + c] = local[3 * s->nodes->node[i] + c];
  return VecRestoreArray(m, &x);
}

static PetscErrorCode local_array(const MtSite *s, int width, double **local) {
  return PetscMalloc1((size_t)width * (size_t)s->mesh->nv_local + 1, local);
}

PetscErrorCode mt_site_write_m(const MtSite *s, MtH5 *f, const char *name, Vec m) {
  double *local;
  PetscCall(local_array(s, 3, &local));
  PetscCall(mt_site_m_to_local(s, m, local));
  PetscErrorCode rc = mt_mesh_write_nodal(s->mesh, f, name, 3, local, "1");
  PetscCall(PetscFree(local));
  return rc;
}

PetscErrorCode mt_site_read_m(const MtSite *s, MtH5 *f, const char *name, Vec m) {
  double *local;
  PetscCall(local_array(s, 3, &local));
  PetscErrorCode rc = mt_mesh_read_nodal(s->mesh, f, name, 3, local);
  if (!rc) rc = mt_site_m_from_local(s, local, m);
  PetscCall(PetscFree(local));
  return rc;
}

PetscErrorCode mt_site_write_potential(const MtSite *s, MtH5 *f, const char *name, Vec potential) {
  const PetscScalar *u;
  double *local;
  if (!potential) return 0;
  PetscCall(local_array(s, 1, &local));
  PetscCall(VecGetArrayRead(potential, &u));
  for (PetscInt v = 0; v < s->mesh->nv_owned; v++) local[v] = u[s->mesh->row[v] - s->mesh->row_start];
  PetscCall(VecRestoreArrayRead(potential, &u));
  PetscErrorCode rc = mt_mesh_write_nodal(s->mesh, f, name, 1, local, NULL);
  PetscCall(PetscFree(local));
  return rc;
}

PetscErrorCode mt_site_read_potential(const MtSite *s, MtH5 *f, const char *name, Vec potential) {
  PetscScalar *u;
  double *local;
  if (!potential) return 0;
  PetscCall(local_array(s, 1, &local));
  PetscErrorCode rc = mt_mesh_read_nodal(s->mesh, f, name, 1, local);
  if (!rc) {
    PetscCall(VecGetArray(potential, &u));
    for (PetscInt v = 0; v < s->mesh->nv_owned; v++) u[s->mesh->row[v] - s->mesh->row_start] = local[v];
    PetscCall(VecRestoreArray(potential, &u));
  }
  PetscCall(PetscFree(local));
  return rc;
}

static PetscErrorCode read_checked(const MtSite *s, MtH5 *f, const char *key, Vec m) {
  int64_t rows;
  PetscErrorCode rc = mt_h5_rows(f, "/m", &rows);
  if (rc) return rc;
  if (rows == s->mesh->nv_global) return mt_site_read_m(s, f, "/m", m);
  return mt_input_error(s->in, key, "has %lld nodes, the mesh %lld: it belongs to another mesh", (long long)rows,
                        (long long)s->mesh->nv_global);
}

/* Every magnetic node must come with a direction. */
static PetscErrorCode normalize(const MtSite *s, const char *key, Vec m) {
  PetscScalar *x;
  bool zero = false;
  PetscCall(VecGetArray(m, &x));
  for (PetscInt i = 0; i < s->nodes->n_owned; i++) {
    double norm = sqrt(mt_dot3(x + 3 * i, x + 3 * i));
    zero = zero || !(norm > .5);
    for (int c = 0; c < 3; c++) x[3 * i + c] /= norm;
  }
  PetscCall(VecRestoreArray(m, &x));
  return mt_agree(s->comm, zero ? mt_input_error(s->in, key, "has no m at a node that is magnetic here") : 0);
}

PetscErrorCode mt_site_read_state(const MtSite *s, const char *path, const char *key, Vec m) {
  MtH5 *f;
  PetscErrorCode rc = mt_h5_open(s->comm, path, "magtwin-state", 1, &f);
  if (rc) return rc;
  rc = read_checked(s, f, key, m);
  PetscErrorCode closed = mt_h5_close(&f);
  if (!rc) rc = closed;
  return rc ? rc : normalize(s, key, m);
}
