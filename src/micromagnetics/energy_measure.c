/* What is read off a state: the largest torque, the mean polarization, the place of a number that is not finite. */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdio.h>

typedef struct {
  double torque;
  int64_t vid; /* file id of the node, INT64_MAX: none */
} Worst;

/* Larger torque first, smaller file id among equals: the same node on any number of ranks. */
static bool worse(Worst a, Worst b) {
  return a.torque > b.torque || (a.torque == b.torque && a.vid < b.vid);
}

static PetscErrorCode worst_of_ranks(MPI_Comm comm, Worst *w) {
  double torque;
  PetscCallMPI(MPI_Allreduce(&w->torque, &torque, 1, MPI_DOUBLE, MPI_MAX, comm));
  int64_t vid = w->torque == torque ? w->vid : INT64_MAX;
  w->torque = torque;
  PetscCallMPI(MPI_Allreduce(&vid, &w->vid, 1, MPI_INT64_T, MPI_MIN, comm));
  return 0;
}

PetscErrorCode mt_energy_worst(MtEnergy *e, Vec m, Vec g, double *torque, int64_t *vid) {
  const PetscScalar *x, *y;
  Worst worst = {0, INT64_MAX};
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(g, &y));
  for (PetscInt i = 0; i < e->n; i++) {
    double c[3];
    mt_cross3(x + 3 * i, y + 3 * i, c);
    Worst w = {sqrt(mt_dot3(c, c)) * MT_MU0 / e->moment[i], e->mesh->vid[e->nodes->node[i]]};
    if (worse(w, worst)) worst = w;
  }
  PetscCall(VecRestoreArrayRead(g, &y));
  PetscCall(VecRestoreArrayRead(m, &x));
  PetscCall(worst_of_ranks(e->mesh->comm, &worst));
  *torque = worst.torque;
  *vid = worst.vid;
  return 0;
}

PetscErrorCode mt_energy_torque(MtEnergy *e, Vec m, Vec g, double *torque) {
  int64_t vid;
  return mt_energy_worst(e, m, g, torque, &vid);
}

PetscErrorCode mt_energy_polarization(MtEnergy *e, Vec m, const double d[3], double *J) {
  const PetscScalar *x;
  double sum = 0;
  PetscCall(VecGetArrayRead(m, &x));
  for (PetscInt i = 0; i < e->n; i++) sum += e->moment[i] * mt_dot3(x + 3 * i, d);
  PetscCall(VecRestoreArrayRead(m, &x));
  PetscCallMPI(MPI_Allreduce(&sum, J, 1, MPI_DOUBLE, MPI_SUM, e->mesh->comm));
  *J /= e->volume;
  return 0;
}

double mt_energy_saturation(const MtEnergy *e) {
  return e->moment_sum / e->volume;
}

double mt_energy_volume(const MtEnergy *e) {
  return e->volume;
}

int64_t mt_energy_demag_iterations(const MtEnergy *e) {
  return e->poisson ? mt_poisson_count(e->poisson).iterations : 0;
}

static bool finite3(const PetscScalar *v) {
  return isfinite(v[0]) && isfinite(v[1]) && isfinite(v[2]);
}

/* Region of the first tet of this rank that has the node, of the magnet. */
static const char *region_of_node(const MtMesh *mesh, PetscInt node) {
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int a = 0; a < 4; a++)
      if (mesh->tet[4 * t + a] == node && mesh->regions.kind[mesh->region[t]] != MT_REGION_AIR)
        return mesh->regions.name[mesh->region[t]];
  return "no region";
}

/* Its owner names the place; the others learn the text. */
PetscErrorCode mt_energy_place(MtEnergy *e, int64_t vid, size_t size, char *text) {
  int rank, here = -1, owner;
  PetscCallMPI(MPI_Comm_rank(e->mesh->comm, &rank));
  for (PetscInt i = 0; i < e->n; i++)
    if (e->mesh->vid[e->nodes->node[i]] == vid) here = (int)i;
  int claim = here >= 0 ? rank : -1;
  PetscCallMPI(MPI_Allreduce(&claim, &owner, 1, MPI_INT, MPI_MAX, e->mesh->comm));
  snprintf(text, size, "node %lld", (long long)vid);
  if (here >= 0) {
    const double *x = e->mesh->x + 3 * e->nodes->node[here];
    snprintf(text, size, "node %lld (region \"%s\") at (%.4g, %.4g, %.4g) nm", (long long)vid,
             region_of_node(e->mesh, e->nodes->node[here]), x[0], x[1], x[2]);
  }
  if (owner >= 0) PetscCallMPI(MPI_Bcast(text, (int)size, MPI_CHAR, owner, e->mesh->comm));
  return 0;
}

PetscErrorCode mt_energy_not_finite(MtEnergy *e, Vec m, Vec g, const double B[3]) {
  const PetscScalar *x, *y;
  PetscErrorCode rc = 0;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(g, &y));
  for (PetscInt i = 0; i < e->n && !rc; i++)
    if (!finite3(x + 3 * i) || !finite3(y + 3 * i)) {
      PetscInt node = e->nodes->node[i];
      rc = mt_error(MT_ERR_FAIL, "not a number at node %lld (region \"%s\") in the field %g, %g, %g T",
                    (long long)e->mesh->vid[node], region_of_node(e->mesh, node), B[0], B[1], B[2]);
    }
  PetscCall(VecRestoreArrayRead(g, &y));
  PetscCall(VecRestoreArrayRead(m, &x));
  rc = mt_agree(e->mesh->comm, rc);
  if (rc) return rc;
  return mt_error(MT_ERR_FAIL, "the energy is not a number in the field %g, %g, %g T", B[0], B[1], B[2]);
}
