/* Private: filling the grains on all ranks, and thinning the layer where they do not fill. */
#ifndef MAGTWIN_GB_FILL_H
#define MAGTWIN_GB_FILL_H

#include "gb_measure.h"

typedef struct {
  int ngrains, rank, nranks;
  int *owner;     /* [ngrains+1] rank that fills the grain, and the air */
  MtShell *shell; /* [ngrains] on the owner: surface and the corner points its numbers stand for */
  int32_t **copy; /* [ngrains] copy of each point of the shell */
  MtFill *fill;   /* [ngrains] on the owner; nt 0: not filled */
  double inner;   /* nm, edges in the middle of grains, 0: as at their surface */
  double growth;  /* of the edges, per distance */
} MtGrainFills;

/* About how many tets a grain of this volume (nm3) and the air around the box get: what they cost. */
double mt_fill_cost(const MtMeshOptions *opt, double volume);
double mt_air_cost(const MtMeshOptions *opt, const double box[6]);

PetscErrorCode mt_fills_make(MPI_Comm comm, const MtCells *c, const MtMeshOptions *opt, MtGrainFills *g);
void mt_fills_free(MtGrainFills *g);
/* This rank fills those of its grains whose surface changed since the last call; failed [ngrains], of these *nfailed.
 * Not collective. */
PetscErrorCode mt_fills_update(const MtCells *c, const MtSurface *s, const MtCopies *q, double size, MtGrainFills *g,
                               int *failed, int *nfailed);
/* rc and failed of all ranks.  Collective. */
PetscErrorCode mt_fills_agree(MPI_Comm comm, PetscErrorCode rc, const MtGrainFills *g, int *failed, int *nfailed);
/* Appends all grains to rank 0's mesh in grain order.  Collective. */
PetscErrorCode mt_fills_gather(MPI_Comm comm, MtGrainFills *g, MtTets *m);
/* The filled air from its owner to rank 0.  Collective. */
PetscErrorCode mt_fills_gather_air(MPI_Comm comm, const MtGrainFills *g, MtFill *f);
bool mt_shell_same(const MtShell *a, const MtShell *b);
/* Surface of grain k in space, from the copies. */
PetscErrorCode mt_grain_shell(const MtCells *c, const MtSurface *s, const MtCopies *q, int k, MtShell *shell,
                              int32_t **copy);

/* Moves inner points so that the worst tets become better; returns the smallest radius ratio then.  Not collective. */
double mt_fill_smooth(const MtShell *s, MtFill *f);
/* Removes slivers by new points; never makes the worst tet worse.  Not collective. */
void mt_fill_repair(const MtShell *s, MtFill *f);

/* Pairs of triangles of a closed surface that go through each other; triangles with a common side are not looked at.
 * *pair [2 n] from malloc.  Not collective. */
void mt_shell_cuts(const MtShell *s, int **pair, int *n);

/* Slides copies (the first points of l->m) in their planes so that the worst tets of the layer, triangles and hinges
 * become better; those for which that does not do leave their planes a little.  Not collective. */
PetscErrorCode mt_layer_relax(const MtCells *c, MtLayer *l);
/* Thins at bad tets, triangles and hinges of the layer: *nbad of them; *nthinned nodes became thinner, 0: no more to be
 * gained.  q: the copies the layer was made from, where they are now.  Not collective. */
PetscErrorCode mt_thin_folds(const MtLayer *l, MtCopies *q, int *nbad, int *nthinned);
/* Thins where the surfaces of the failed grains cut themselves; if nowhere, the whole grain.  Not collective. */
PetscErrorCode mt_thin_failed(const MtCells *c, const MtSurface *s, const int *failed, MtCopies *q, int *nthinned);

/* Thickness asked and measured, on the whole and by class, and where it was thinned: log and json (object "gb_phase").
 * rounds: of moving and thinning.  Not collective. */
PetscErrorCode mt_gb_report(const MtCells *c, const MtSurface *s, const MtCopies *q, int rounds, MtJson *json);

#endif
