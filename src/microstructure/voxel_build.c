/* Labels to tetrahedra, one region a grain. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>

static const double smooth_voxels = 2;    /* radius of the indicators: largest edges of a voxel, */
static const double smooth_lattice = .75; /* or spacings, if that is more */
static const double within = .003;        /* relative, of each grain's volume; 2 % is promised */

static PetscErrorCode missed(const MtVoxelMesh *m, const MtLabels *l, const double *volume, double size) {
  double *got = mt_malloc((size_t)l->ngrains * sizeof *got);
  int lost = -1, n = 0;
  mt_voxel_volumes(m, l->ngrains, got);
  for (int g = l->ngrains - 1; g >= 0; g--)
    if (!(got[g] > 0)) lost = g, n++;
  free(got);
  if (lost < 0) return 0;
  return mt_error(
      MT_ERR_INPUT,
      "mesh.size: grain %d (%lld voxels, as large as a sphere of diameter %.3g nm) is too thin for a lattice "
      "of %g nm, %d of %d grains are; choose a smaller mesh.size",
      lost, (long long)l->voxels[lost], cbrt(6 * volume[lost] / MT_PI), size, n, l->ngrains);
}

static PetscErrorCode relax(const MtLabels *l, double size, MtVoxelMesh *m) {
  double *volume = mt_malloc((size_t)l->ngrains * sizeof *volume);
  for (int g = 0; g < l->ngrains; g++) volume[g] = (double)l->voxels[g] * l->voxel[0] * l->voxel[1] * l->voxel[2];
  PetscErrorCode rc = missed(m, l, volume, size);
  if (!rc) mt_voxel_relax(m, l->ngrains, volume, within);
  free(volume);
  return rc;
}

static PetscErrorCode lattice_cut(MPI_Comm comm, const MtLabels *l, double size, MtVoxelMesh *m) {
  const double box[3] = {l->nx * l->voxel[0], l->ny * l->voxel[1], l->nz * l->voxel[2]};
  const double voxel = fmax(l->voxel[0], fmax(l->voxel[1], l->voxel[2]));
  double *weight = mt_malloc((size_t)l->ngrains * sizeof *weight);
  MtLattice lattice;
  MtField f;
  mt_lattice_size(comm, box, size, &lattice);
  const double a = fmax(lattice.a[0], fmax(lattice.a[1], lattice.a[2])), halo = 1.5 * a;
  const double radius = fmax(smooth_voxels * voxel, smooth_lattice * a);
  PetscCall(mt_field_weights(comm, l, radius, weight));
  const bool some = lattice.k1 > lattice.k0;
  PetscCall(mt_field_make(comm, l, radius, some ? lattice.k0 * lattice.a[2] - halo : 1,
                          some ? lattice.k1 * lattice.a[2] + halo : 0, weight, &f));
  mt_lattice_fill(&f, &lattice);
  mt_voxel_cut(&f, &lattice, m);
  mt_lattice_free(&lattice);
  mt_field_free(&f);
  free(weight);
  return 0;
}

PetscErrorCode mt_voxel_build(MPI_Comm comm, const MtLabels *l, double size, MtVoxelMesh *m) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  mt_phase_begin("cut lattice");
  PetscCall(lattice_cut(comm, l, size, m));
  PetscCall(mt_voxel_gather(comm, m));
  mt_phase_end("cut lattice");
  mt_phase_begin("relax lattice");
  PetscCall(mt_agree_root(comm, rank == 0 ? relax(l, size, m) : 0));
  mt_phase_end("relax lattice");
  return 0;
}
