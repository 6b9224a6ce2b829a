/* What the readers of measured grains share; private to this module. */
#ifndef MAGTWIN_MEASURED_H
#define MAGTWIN_MEASURED_H

#include "magtwin/files.h"
#include "magtwin/microstructure.h"

/* Unit quaternions (w, x, y, z) that turn crystal directions into sample directions; q and -q are the same turn. */
enum { MT_SYMMETRY_MAX = 24 };
typedef struct {
  int n;                           /* proper rotations of the crystal class */
  double turn[MT_SYMMETRY_MAX][4]; /* as quaternions */
} MtSymmetry;

/* name: cubic (432), tetragonal (422) or hexagonal (622).  Not collective. */
void mt_symmetry_make(const char *name, MtSymmetry *s);
/* Bunge angles phi1, Phi, phi2 in rad. */
void mt_quat_bunge(const double angle[3], double q[4]);
/* cos(w/2) of the disorientation w: the largest over the symmetry; comparing it with cos(threshold/2) needs no acos. */
double mt_quat_match(const double a[4], const double b[4], const MtSymmetry *s);
/* Smallest misorientation angle over the symmetry, degrees. */
double mt_quat_disorientation(const double a[4], const double b[4], const MtSymmetry *s);
/* Of the descriptions of orientation q that the symmetry allows, with either sign, the one nearest to ref. */
void mt_quat_nearest(const double ref[4], const double q[4], const MtSymmetry *s, double nearest[4]);
void mt_quat_rotate(const double q[4], const double v[3], double turned[3]);

/* One slice of a TSL .ang or an HKL .ctf file; x runs fastest. */
#define MT_ANG_NOTHING (-2) /* confidence of a point of a .ctf file without a solution: its angles mean nothing */
typedef struct {
  int nx, ny;
  double dx, dy; /* um */
  int last_line; /* of the file, for messages */
  double *q;     /* [4 nx ny] orientations; owned */
  double *ci;    /* [nx ny] confidence index, -1: not indexed; of .ctf 1 or MT_ANG_NOTHING; owned */
} MtAng;
/* By the ending of the name.  MT_ERR_INPUT with file:line:column on anything that cannot be read.  Not collective. */
PetscErrorCode mt_ang_read(const char *path, MtAng *a);
void mt_ang_free(MtAng *a);

/* The files of a pattern (mt_files_find).  The numbers must go up in equal steps: a gap is an error that names the
 * missing file; so is a pattern without a file.  Free with mt_files_free. */
typedef MtFiles MtSeries;
PetscErrorCode mt_series_find(MPI_Comm comm, const MtInput *in, const char *key, MtSeries *s); /* collective */

/* An orientation at every voxel of this rank's slab; layout as in MtLabels. */
typedef struct {
  double *q;   /* [4 nvoxels] */
  double *ci;  /* [nvoxels] */
  bool *valid; /* [nvoxels] takes part in the labelling */
} MtEbsd;

/* Is this, by its name, a volume as DREAM.3D stores it? */
bool mt_dream3d_is(const char *path);
/* Sets the layout and voxel of l (nm, from um), and q, ci and valid (all false) of e, malloc'ed.  Collective. */
PetscErrorCode mt_dream3d_read(MPI_Comm comm, const char *path, MtLabels *l, MtEbsd *e);

/* Grows regions across 6-neighbours whose disorientation is below the angle of cos(angle/2) = match; regions of at
 * least min_voxels become grains 0..n-1 by their first voxel in file order, other voxels get -1.  Fills label, ngrains,
 * nregions and kept of l, whose size is set.  s NULL: voxels whose q begins with the same number are connected.
 * Collective. */
PetscErrorCode mt_ebsd_connect(MPI_Comm comm, const MtEbsd *e, const MtSymmetry *s, double match, int64_t min_voxels,
                               MtLabels *l);
/* Mean orientation of each grain, into l->orientation, and from it the sample direction of crystal direction `easy`,
 * into l->axis. Collective. */
PetscErrorCode mt_ebsd_axes(MPI_Comm comm, const MtEbsd *e, const MtSymmetry *s, const double easy[3], MtLabels *l);
/* section grains, source ebsd.  Collective. */
PetscErrorCode mt_ebsd_read(MPI_Comm comm, const MtInput *in, MtLabels *l);

/* Slab by the rule of mt_slab and storage of l->label, from nx, ny, nz.  Not collective. */
PetscErrorCode mt_labels_layout(MPI_Comm comm, int nx, int ny, int nz, MtLabels *l);
/* Renumbers the grains by their first voxel in file order, and counts l->voxels.  Collective. */
PetscErrorCode mt_labels_renumber(MPI_Comm comm, MtLabels *l);
PetscErrorCode mt_labels_count(MPI_Comm comm, MtLabels *l);
/* Labels in more than one piece (6-neighbours): the worst is named in a warning, or refused, or all voxels outside the
 * largest piece lose their label, by grains.pieces.  Collective. */
PetscErrorCode mt_labels_pieces(MPI_Comm comm, const MtInput *in, MtLabels *l);
/* Ranks that hold the slice below and above this slab; MPI_PROC_NULL where there is none. */
void mt_labels_neighbours(MPI_Comm comm, const MtLabels *l, int *below, int *above);

/* Raw label volumes: sets the layout of l, and raw [nz_local ny nx], malloc'ed.  Collective. */
PetscErrorCode mt_volume_npy(MPI_Comm comm, const char *path, MtLabels *l, int64_t **raw);
PetscErrorCode mt_volume_tiff(MPI_Comm comm, const MtSeries *files, MtLabels *l, int64_t **raw);
/* Also the voxel size (0 if the file has none) and, from a file of ours, the axes and orientations of the labels
 * 1..naxes (malloc'ed; NULL: none). */
PetscErrorCode mt_volume_hdf5(MPI_Comm comm, const char *path, const char *dataset, MtLabels *l, int64_t **raw,
                              int *naxes, double **axes, double **turns);
/* section grains, source labels.  Collective. */
PetscErrorCode mt_volume_read(MPI_Comm comm, const MtInput *in, MtLabels *l);
/* Easy axes from a table "label, ax, ay, az" into l->axis, by l->source; lines of five numbers, "label, w, x, y, z",
 * are orientations: then l->axis is that of crystal [001], and l->orientation is filled.  Collective. */
PetscErrorCode mt_labels_axes_csv(MPI_Comm comm, const char *path, MtLabels *l);

int mt_compare_i64(const void *a, const void *b);
/* Sorts and drops repeated values; returns how many are left. */
int64_t mt_sort_unique(int64_t n, int64_t *v);
/* Everybody's values one after the other by rank; *all malloc'ed.  Collective. */
PetscErrorCode mt_gather_i64(MPI_Comm comm, int64_t n, const int64_t *mine, int64_t *nall, int64_t **all);

#endif
