/* The inside of grain growth; shared by the files grains_*.c only. */
#ifndef MT_PHASEFIELD_GRAINS_IMPL_H
#define MT_PHASEFIELD_GRAINS_IMPL_H

#include "magtwin/graingrowth.h"
#include "stepper.h"

/* K by rows of owned nodes and local columns, without its zeros and its diagonal: in a row first the nodes of this rank
 * before the row's own, from `above` those after it, from `ghost` those of other ranks. */
typedef struct {
  PetscInt *start, *node;  /* [n_owned + 1], [start[n_owned]] */
  PetscInt *above, *ghost; /* [n_owned] */
  double *k;               /* beside `node` */
  double *diagonal, *w;    /* [n_owned] */
  double volume;           /* sum of w over all ranks */
} MtGrainGraph;
PetscErrorCode mt_grain_graph(const MtDomain *d, MtGrainGraph *g);
PetscErrorCode mt_grain_graph_free(MtGrainGraph *g);

/* Who sends which nodes to whom.  One side of the exchange, nodes by rank: */
typedef struct {
  int n;
  int *rank;                   /* [n] */
  PetscInt *start, *node;      /* [n + 1], local nodes in the order of the message */
  PetscInt *pair_start, *pair; /* the same of pairs; made anew with each structure */
  void *buffer;                /* 8 bytes a pair or node, whichever are more */
} MtGrainSide;
typedef struct {
  MPI_Comm comm; /* its own */
  MtGrainSide out, in;
  MPI_Request *request;
} MtGrainGhosts;
PetscErrorCode mt_grain_ghosts(const MtDomain *d, MtGrainGhosts *g);
PetscErrorCode mt_grain_ghosts_free(MtGrainGhosts *g);
/* One int a node, owner -> ghosts.  Collective between neighbours. */
PetscErrorCode mt_grain_ghosts_count(MtGrainGhosts *g, int32_t *count);
/* After start [n_local + 1] is known: lists of pairs.  Not collective. */
PetscErrorCode mt_grain_ghosts_pairs(MtGrainGhosts *g, const PetscInt *start);
/* Values of pairs, owner -> ghosts: doubles or int32.  Collective between neighbours. */
PetscErrorCode mt_grain_ghosts_values(MtGrainGhosts *g, double *value);
PetscErrorCode mt_grain_ghosts_ids(MtGrainGhosts *g, int32_t *id);

/* Active pairs: at local node i start[i] .. start[i+1], grains ascending; owned nodes first. */
typedef struct {
  PetscInt n_owned, n;  /* pairs */
  PetscInt *start;      /* [n_local + 1] */
  int32_t *grain;       /* [n] */
  PetscInt *link;       /* of owned pair p at node i and its neighbours: pair of the same grain there, n: none */
  size_t *link_start;   /* [owned nodes] */
  double *gamma, *rate; /* of the pairs of pairs at each owned node, NULL: uniform; at both_start[i] */
  size_t *both_start;   /* [owned nodes]; NULL: uniform */
} MtGrainSet;

enum { MT_GRAIN_STATES = 3, MT_GRAIN_WORK = 10 };
typedef enum { MT_NEXT, MT_GUESS, MT_BASE, MT_RESIDUAL, MT_DELTA, MT_Z, MT_P, MT_U, MT_DIAGONAL, MT_SCALE } MtGrainWork;

struct MtGrowth {
  MtStepper stepper;
  const MtDomain *domain;
  const MtBoundaryLaw *law;
  const MtGrainModel *model;
  MtGrainOptions opt;
  MtGrainGraph graph;
  MtGrainGhosts ghosts;
  MtGrainSet set;
  int ngrains;
  double *c[MT_GRAIN_STATES];  /* [n + 1], the last 0: now, one step back; two back, or the rate at the beginning */
  double *work[MT_GRAIN_WORK]; /* [n + 1] */
  double *rate;                /* [owned nodes] L of the step */
  double warmth;               /* exp(-Q/RT), a factor of it */
  double shift;                /* of the linear system */
  const double *bulk;          /* [ngrains] J/m3, energies of the grains with the pressure; NULL: none; not owned */
  double *pressed;             /* [ngrains] what it then points to; NULL: nothing is conserved */
  double pressure, volume0;    /* J/m3, nm^dim, of the conserved grains; 0: there are none */
};

/* Where the links of owned pair p at node i begin: to neighbours below graph.above[i], of all its pairs one after the
 * other, then in the same way those from there on. */
static inline PetscInt *mt_grain_links_below(const MtGrowth *g, PetscInt i, PetscInt p) {
  const size_t n = (size_t)(g->graph.above[i] - g->graph.start[i]);
  return g->set.link + g->set.link_start[i] + (size_t)(p - g->set.start[i]) * n;
}
static inline PetscInt *mt_grain_links_above(const MtGrowth *g, PetscInt i, PetscInt p) {
  const size_t n = (size_t)(g->graph.start[i + 1] - g->graph.above[i]);
  return mt_grain_links_below(g, i, g->set.start[i + 1]) + (size_t)(p - g->set.start[i]) * n;
}

/* sum eta^2 and the mean of the grains' bulk energies with weights eta^2/s (N. Moelans, Acta Mater. 59 (2011) 1077):
 * its derivatives vanish in every grain, so that the wells stay where they are. */
typedef struct {
  double s, mean;
} MtGrainMixture;

/* grains_set.c.  One pair a node from labels; the set for the state now (activation and deactivation).  Collective. */
PetscErrorCode mt_grain_set_labels(MtGrowth *g, const int32_t *label);
PetscErrorCode mt_grain_set_adapt(MtGrowth *g);
/* Takes lists of owned nodes as the set: start [n_owned + 1], grain; states as given for them, [MT_GRAIN_STATES],
 * freed. Collective. */
PetscErrorCode mt_grain_set_take(MtGrowth *g, PetscInt *start, int32_t *grain, double *c[MT_GRAIN_STATES]);
PetscErrorCode mt_grain_set_free(MtGrowth *g);

/* grains_flow.c.  Collective. */
PetscErrorCode mt_grain_energy(MtGrowth *g, const double *c, MtFlowEnergy *e);
/* -L dF/dc/w, with the L of c. */
PetscErrorCode mt_grain_rate(MtGrowth *g, double *c, double *rate);
/* At owned node i; what the bulk energy of a pair there is above the mean, over s. */
MtGrainMixture mt_grain_mixture(const MtGrowth *g, PetscInt i, const double *c);
double mt_grain_above(const MtGrowth *g, MtGrainMixture m, PetscInt p);
/* L of the state c at every owned node. */
void mt_grain_mobility(MtGrowth *g, const double *c);
/* Solves shift (c - base) = -L dF/dc by Newton from the guess in c. */
PetscErrorCode mt_grain_solve(MtGrowth *g, const double *base, double *c, MtFlowSolve *how);

/* grains_linear.c.  work[MT_DELTA] = A^-1 work[MT_RESIDUAL], A = shift w/L + w m f''(c) + kappa K, whose diagonal is in
 * work[MT_DIAGONAL]; *good: it was positive along all directions and the residual fell by linear_rtol.  Collective. */
PetscErrorCode mt_grain_linear(MtGrowth *g, const double *c, int *iterations, bool *good);

/* grains_conserved.c: bulk, and where the model conserves something the volume of the state now, which is kept from
 * here; the same as a checkpoint has them; delta of mt_grain_linear made one that keeps it, and the pressure with it.
 * Collective. */
PetscErrorCode mt_grain_conserved_start(MtGrowth *g);
PetscErrorCode mt_grain_conserved_set(MtGrowth *g, double pressure, double volume0);
PetscErrorCode mt_grain_conserved(MtGrowth *g, const double *c, int *iterations, bool *good);

#endif
