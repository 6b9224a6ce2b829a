/* Groups of ranks over the images of a path. */
#include "team.h"
#include "magtwin/h5.h"

PetscErrorCode mt_team_create(MPI_Comm world, int ngroups, MtTeam *team) {
  int rank, size;
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  PetscCallMPI(MPI_Comm_size(world, &size));
  int each = size / ngroups;
  *team = (MtTeam){.world = world, .ngroups = ngroups, .mine = rank / each};
  PetscCallMPI(MPI_Comm_split(world, team->mine, rank, &team->group));
  PetscCallMPI(MPI_Comm_split(world, rank % each, rank, &team->cross));
  return 0;
}

PetscErrorCode mt_team_destroy(MtTeam *team) {
  if (!team->ngroups) return 0;
  PetscCallMPI(MPI_Comm_free(&team->group));
  PetscCallMPI(MPI_Comm_free(&team->cross));
  team->ngroups = 0;
  return 0;
}

void mt_team_images(const MtTeam *team, int n, int *start, int *end) {
  int64_t first, count;
  mt_slab(n, team->mine, team->ngroups, &first, &count);
  *start = (int)first;
  *end = (int)(first + count);
}

int mt_team_owner(const MtTeam *team, int n, int image) {
  for (int g = 0; g < team->ngroups; g++) {
    int64_t first, count;
    mt_slab(n, g, team->ngroups, &first, &count);
    if (image < first + count) return g;
  }
  return -1;
}

PetscErrorCode mt_team_send(const MtTeam *team, int from, int to, Vec v, Vec w) {
  PetscInt n;
  if (from == to) return team->mine == from && v != w ? VecCopy(v, w) : 0;
  if (team->mine == from) {
    const PetscScalar *x;
    PetscCall(VecGetLocalSize(v, &n));
    PetscCall(VecGetArrayRead(v, &x));
    PetscCallMPI(MPI_Send(x, (PetscMPIInt)n, MPIU_SCALAR, to, 0, team->cross));
    PetscCall(VecRestoreArrayRead(v, &x));
  }
  if (team->mine == to) {
    PetscScalar *y;
    PetscCall(VecGetLocalSize(w, &n));
    PetscCall(VecGetArray(w, &y));
    PetscCallMPI(MPI_Recv(y, (PetscMPIInt)n, MPIU_SCALAR, from, 0, team->cross, MPI_STATUS_IGNORE));
    PetscCall(VecRestoreArray(w, &y));
  }
  return 0;
}

PetscErrorCode mt_team_share(const MtTeam *team, int n, double *value) {
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, value, n, MPI_DOUBLE, MPI_SUM, team->cross));
  return 0;
}
