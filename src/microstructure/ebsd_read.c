/* section grains, source ebsd: the slices of a series, each read by the rank whose slab it is in, to labelled grains.
 */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  MtSeries files;
  MtAng *slice; /* [nz_local], freed when copied */
  MtEbsd e;
} Ebsd;

static PetscErrorCode read_slices(Ebsd *s, const MtLabels *l) {
  for (int k = 0; k < l->nz_local; k++) PetscCall(mt_ang_read(s->files.path[l->z0 + k], &s->slice[k]));
  return 0;
}

static PetscErrorCode compare_slices(const Ebsd *s, const MtLabels *l, const double size[4]) {
  for (int k = 0; k < l->nz_local; k++) {
    const MtAng *a = &s->slice[k];
    const char *path = s->files.path[l->z0 + k];
    if (a->nx != (int)size[0] || a->ny != (int)size[1])
      return mt_error(
          MT_ERR_INPUT,
          "%s:%d: the slice has %d x %d points, but %s has %d x %d: all slices of a series must have one size", path,
          a->last_line, a->nx, a->ny, s->files.path[0], (int)size[0], (int)size[1]);
    if (fabs(a->dx - size[2]) > .01 * size[2] || fabs(a->dy - size[3]) > .01 * size[3])
      return mt_error(MT_ERR_INPUT, "%s:%d: the steps are %g x %g um, but in %s they are %g x %g um", path,
                      a->last_line, a->dx, a->dy, s->files.path[0], size[2], size[3]);
  }
  return 0;
}

/* Rank 0 has the first slice: its size is the series' size. */
static PetscErrorCode read_series(Ebsd *s, MtLabels *l, double size[4]) {
  int rank, nranks;
  int64_t start, n;
  PetscCallMPI(MPI_Comm_rank(s->comm, &rank));
  PetscCallMPI(MPI_Comm_size(s->comm, &nranks));
  mt_slab(s->files.n, rank, nranks, &start, &n);
  l->z0 = (int)start;
  l->nz_local = (int)n;
  s->slice = mt_calloc((size_t)n + 1, sizeof *s->slice);
  PetscCall(mt_agree(s->comm, read_slices(s, l)));
  if (!rank) {
    const MtAng *a = &s->slice[0];
    size[0] = a->nx, size[1] = a->ny, size[2] = a->dx, size[3] = a->dy;
  }
  PetscCallMPI(MPI_Bcast(size, 4, MPI_DOUBLE, 0, s->comm));
  return mt_agree(s->comm, compare_slices(s, l, size));
}

/* One slab of orientations out of the slices. */
static PetscErrorCode gather_slab(Ebsd *s, MtLabels *l, const double size[4]) {
  PetscCall(mt_labels_layout(s->comm, (int)size[0], (int)size[1], s->files.n, l));
  const size_t slice = (size_t)l->nx * (size_t)l->ny, n = slice * (size_t)l->nz_local;
  MtEbsd *e = &s->e;
  e->q = mt_calloc(4 * n + 1, sizeof *e->q);
  e->ci = mt_calloc(n + 1, sizeof *e->ci);
  e->valid = mt_calloc(n + 1, sizeof *e->valid);
  for (int k = 0; k < l->nz_local; k++) {
    if (!s->slice[k].q) continue; /* a map without points has been refused */
    memcpy(e->q + 4 * slice * (size_t)k, s->slice[k].q, 4 * slice * sizeof *e->q);
    memcpy(e->ci + slice * (size_t)k, s->slice[k].ci, slice * sizeof *e->ci);
    mt_ang_free(&s->slice[k]);
  }
  return 0;
}

static PetscErrorCode choose_valid(Ebsd *s, const MtLabels *l) {
  const double least = mt_input_real(s->in, "grains.min_confidence");
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  int64_t counts[2] = {0, 0};
  for (int64_t i = 0; i < n; i++) {
    s->e.valid[i] = s->e.ci[i] > .5 * (MT_ANG_NOTHING - 1) && (least <= 0 || s->e.ci[i] >= least);
    counts[0] += s->e.ci[i] < 0;
    counts[1] += !s->e.valid[i];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_INT64_T, MPI_SUM, s->comm));
  mt_log("grains: %d slices of %d x %d points, voxel %g x %g x %g nm; %lld points without a solution, %lld left out",
         l->nz, l->nx, l->ny, l->voxel[0], l->voxel[1], l->voxel[2], (long long)counts[0], (long long)counts[1]);
  return 0;
}

static PetscErrorCode make_grains(Ebsd *s, MtLabels *l) {
  const double angle = mt_input_real(s->in, "grains.misorientation");
  const int64_t min_voxels = mt_input_int(s->in, "grains.min_voxels");
  double easy[3];
  MtSymmetry sym;
  mt_symmetry_make(mt_input_string(s->in, "grains.symmetry"), &sym);
  mt_input_vec3(s->in, easy, "grains.easy_axis");
  if (easy[0] * easy[0] + easy[1] * easy[1] + easy[2] * easy[2] == 0)
    return mt_input_error(s->in, "grains.easy_axis", "must not be zero");
  PetscCall(mt_ebsd_connect(s->comm, &s->e, &sym, cos(angle * MT_PI / 360), min_voxels, l));
  mt_log("grains: %lld regions within %g deg; %d of them have at least %lld voxels, %.1f %% of the volume",
         (long long)l->nregions, angle, l->ngrains, (long long)min_voxels, 100 * l->kept);
  if (!l->ngrains)
    return mt_input_error(s->in, "grains.min_voxels",
                          "no grain has %lld voxels: ask for fewer, or for a larger grains.misorientation",
                          (long long)min_voxels);
  PetscCall(mt_ebsd_axes(s->comm, &s->e, &sym, easy, l)); /* before the clean-up: measured voxels only */
  PetscCall(mt_labels_fill(s->comm, l));
  PetscCall(mt_labels_renumber(s->comm, l));
  mt_log("grains: the rest went to the neighbours: %d grains, 100 %% of the volume", l->ngrains);
  return 0;
}

static void number_sources(MtLabels *l) {
  l->source = mt_malloc(((size_t)l->ngrains + 1) * sizeof *l->source);
  for (int g = 0; g < l->ngrains; g++) l->source[g] = g;
}

static PetscErrorCode read_slices_of(Ebsd *s, MtLabels *l) {
  double size[4] = {0};
  PetscCall(read_series(s, l, size));
  PetscCall(gather_slab(s, l, size));
  l->voxel[0] = 1e3 * size[2];
  l->voxel[1] = 1e3 * size[3];
  l->voxel[2] = mt_input_real(s->in, "grains.slice_step");
  return 0;
}

/* One file that holds all slices, and their distance. */
static PetscErrorCode read_one_file(Ebsd *s, MtLabels *l) {
  const double step = mt_input_real(s->in, "grains.slice_step");
  PetscCall(mt_dream3d_read(s->comm, s->files.path[0], l, &s->e));
  if (fabs(step - l->voxel[2]) <= .01 * step) return 0;
  return mt_input_error(s->in, "grains.slice_step", "is %g nm, but the slices of %s are %g nm apart", step,
                        s->files.path[0], l->voxel[2]);
}

static PetscErrorCode read_all(Ebsd *s, MtLabels *l) {
  PetscCall(mt_series_find(s->comm, s->in, "grains.files", &s->files));
  PetscCall(s->files.n == 1 && mt_dream3d_is(s->files.path[0]) ? read_one_file(s, l) : read_slices_of(s, l));
  PetscCall(choose_valid(s, l));
  PetscCall(make_grains(s, l));
  number_sources(l);
  return 0;
}

PetscErrorCode mt_ebsd_read(MPI_Comm comm, const MtInput *in, MtLabels *l) {
  Ebsd s = {.comm = comm, .in = in};
  PetscErrorCode rc = read_all(&s, l);
  for (int k = 0; s.slice && k < l->nz_local; k++) mt_ang_free(&s.slice[k]);
  free(s.slice);
  free(s.e.q);
  free(s.e.ci);
  free(s.e.valid);
  mt_files_free(&s.files);
  return rc;
}
