/* Phase field on linear simplices, triangles or tetrahedra: the domain, the free energy, the gradient flow and its
 * march in time.  Lengths in nm, energy densities in J/m3, times in s; in two dimensions per nm of thickness.
 * Formulas and sources: docs/numerics.md, "Phase field". */
#ifndef MAGTWIN_PHASEFIELD_H
#define MAGTWIN_PHASEFIELD_H

#include "magtwin/fem.h"
#include "magtwin/formula.h"
#include "magtwin/temperature.h"

/* A box cut into cells: each into 2 triangles or 6 tetrahedra, all in the same way. */
typedef struct {
  int dim;          /* 2: x and y */
  int64_t cells[3]; /* cells[2] = 0 in two dimensions */
  double size[3];   /* nm, size[2] = 0 in two dimensions */
  bool periodic[3]; /* then at least 3 cells along it; otherwise the end is free */
} MtBox;

/* Labelled voxels that fields begin from, cut into slabs of z by mt_slab: voxel (i,j,k) of a rank's slab at
 * [(k ny + j) nx + i].  The corner of the volume lies at the origin.  Arrays are the caller's. */
typedef struct {
  int n[3];             /* voxels along x, y, z */
  int nz_local;         /* slices of this rank */
  double voxel[3];      /* nm */
  const int32_t *grain; /* [nz_local ny nx] 0 .. ngrains - 1, -1: none */
  int ngrains;
  const int64_t *source;     /* [ngrains] label of each in its file */
  int64_t background;        /* label of those that are none */
  const double *axis;        /* [3 ngrains] c axis, unit */
  const double *orientation; /* [4 ngrains] unit quaternions w x y z, crystal -> sample */
} MtStartLabels;

/* The simplices of a mesh, distributed as those of MtMesh: a rank owns nodes and holds every element that touches one
 * of them; rows of matrices are contiguous by rank. */
typedef struct {
  MPI_Comm comm;
  int dim;
  PetscInt n_owned, n_local; /* nodes: owned first, then ghosts */
  PetscInt row_start;        /* row of the first owned node */
  int64_t n_global;          /* nodes with a row */
  int64_t n_file;            /* nodes of files; more than n_global on a mesh with air */
  PetscInt *row;             /* [n_local] */
  int64_t *id;               /* [n_local] file id */
  double *x;                 /* [3 n_local] nm */
  double period[3];          /* nm, 0: free */
  PetscInt ne;               /* elements, ascending by their global number */
  PetscInt *element;         /* [(dim + 1) ne] local nodes */
  bool *element_owned;       /* [ne] true on exactly one rank */
  int32_t *region;           /* [ne] index into mesh->regions; NULL: a box */
  int64_t ne_global;
  double volume;               /* nm2 or nm3 */
  MtBox box;                   /* dim 0: the domain is a mesh */
  MtMesh *mesh;                /* NULL: the domain is a box; not owned */
  const MtStartLabels *labels; /* NULL: nothing begins from labels; not owned */
  int ngrain_energies;         /* of grains, found by others: */
  const double *grain_energy;  /* [ngrain_energies] J/m3, NAN: not known; not owned */
  MtNodes *nodes;
  VecScatter to_slab; /* rows -> file order, of a box */
  Vec slab;
} MtDomain;
/* Every rank makes its own part: nothing of global size, no message but the scatter's.  MT_ERR_INPUT where there are
 * more ranks than nodes along the longest edges can feed.  Collective on comm. */
PetscErrorCode mt_domain_box(MPI_Comm comm, const MtBox *box, MtDomain **domain);
/* All regions of the mesh but the air.  mesh is kept and must outlive the domain.  Collective. */
PetscErrorCode mt_domain_mesh(MtMesh *mesh, MtDomain **domain);
/* Sets *domain to NULL; NULL is fine.  Collective. */
PetscErrorCode mt_domain_destroy(MtDomain **domain);
/* Corners of an element, in one piece across periodic ends: x [dim + 1][3] nm.  Not collective. */
void mt_domain_corners(const MtDomain *d, PetscInt e, double x[4][3]);
/* A field of the rows as dataset [n_file] by file id, NaN on nodes of the air, and back.  MT_ERR_INPUT where the file
 * has no such data.  Collective. */
PetscErrorCode mt_domain_write(const MtDomain *d, struct MtH5 *f, const char *name, Vec v, const char *unit);
PetscErrorCode mt_domain_read(const MtDomain *d, struct MtH5 *f, const char *name, Vec v);

/* Gradients of the hat functions (1/nm) of a triangle in the plane or a tetrahedron, and its area or volume (signed).
 * Plain C. */
void mt_simplex(int dim, const double x[4][3], double grad[4][3], double *volume);
/* Of the linear function u on a simplex: the measure of the part where u > level, and of the cut u = level
 * (length, area).  Plain C. */
void mt_simplex_cut(int dim, const double x[4][3], const double u[4], double level, double *above, double *cut);

/* Nodes that share an element with each owned node, itself included, of this rank and of others; [n_owned] each. */
PetscErrorCode mt_domain_entries(const MtDomain *d, PetscInt *own, PetscInt *other);
/* K = sum V grad(i).grad(j), AIJ, symmetric, without entries that are 0 in every element, and w, the lumped weights
 * V/(dim + 1); both the caller's.  Collective. */
PetscErrorCode mt_domain_operators(const MtDomain *d, Mat *K, Vec *w);
/* K of the elements e with part[e] alone, part [ne], with entries (then 0) for all others too; the caller's.
 * Collective. */
PetscErrorCode mt_domain_stiffness(const MtDomain *d, const bool *part, Mat *K);
/* AIJ with an entry, 0, for every pair of nodes that share an element; the caller's.  Collective. */
PetscErrorCode mt_domain_matrix(const MtDomain *d, Mat *A);
/* Sets the values of a K of this domain: factor[e] times each element's, factor [ne].  Collective. */
PetscErrorCode mt_domain_stiffness_set(const MtDomain *d, const double *factor, Mat K);
/* Part of the domain where c > level (0..1), and the area (nm2; nm in two dimensions) of c = level.  Collective. */
PetscErrorCode mt_domain_level(const MtDomain *d, Vec c, double level, double *fraction, double *area);

/* The free energy of a homogeneous phase, J/m3, of an order parameter c without dimension. */
typedef enum {
  MT_ENERGY_DOUBLE_WELL,      /* height (c - a)^2 (b - c)^2 */
  MT_ENERGY_POLYNOMIAL,       /* sum a_k c^k */
  MT_ENERGY_REGULAR_SOLUTION, /* RT/Vm (c ln c + (1 - c) ln(1 - c)) + Omega/Vm c (1 - c) */
  MT_ENERGY_TABLE             /* natural cubic spline through points */
} MtFreeEnergyKind;
typedef struct {
  MtFreeEnergyKind kind;
  int n;            /* coefficients or points */
  double *c, *a;    /* [n] table: places, values; polynomial: a; owned */
  double *second;   /* [n] table: second derivatives at the places; owned */
  double low, high; /* c must stay between them; -inf, inf: no bound */
  double rt, omega; /* J/m3, of the regular solution */
  /* Where f follows the temperature: */
  double gas;                 /* J/(m3 K), of the regular solution: rt is this times T; 0: rt is as it is */
  double *rise, *rise_second; /* [n] table: of a and second by T, 1/K; NULL: they are for all temperatures; owned */
  double known_at, above;     /* K: a and second are of known_at; the table is taken this much above it */
} MtFreeEnergy;
/* f, f', f'' at c.  Below 1e-9 and above 1 - 1e-9 the logarithms, outside its points the table are continued by a
 * parabola, so that an iteration may pass there.  Plain C. */
void mt_free_energy_at(const MtFreeEnergy *e, double c, double f[3]);
/* Second derivatives of the spline from c and a, c ascending.  Plain C. */
void mt_free_energy_spline(MtFreeEnergy *e);
void mt_free_energy_free(MtFreeEnergy *e); /* a zeroed struct is fine */
/* Does f follow the temperature; f at T (K), as it is where it does not: shares its arrays with e, never to be freed.
 * Plain C. */
bool mt_free_energy_follows(const MtFreeEnergy *e);
MtFreeEnergy mt_free_energy_heated(const MtFreeEnergy *e, double T);

typedef struct MtDiffusion MtDiffusion; /* diffusion.h */
typedef struct MtElastic MtElastic;     /* elastic.h */

/* dc/dt = -G mu + s, mu = f'(c) - kappa lap(c): G mu = -M lap(mu) (Cahn-Hilliard) or L mu (Allen-Cahn); or
 * dc/dt = div(D grad c) + s, which has no energy. */
typedef enum { MT_FLOW_CONSERVED, MT_FLOW_RELAXED, MT_FLOW_DIFFUSION } MtFlowKind;
typedef struct {
  MtFlowKind kind;
  const MtFreeEnergy *energy; /* not owned */
  double kappa;               /* J/m3 nm2 */
  double mobility;            /* M: nm2/s per J/m3; L: 1/s per J/m3 */
  const MtProgram *program;   /* the mobility is this times exp(-activation/RT(t)), and energy may follow it; NULL: as
                                 they are; not owned */
  double activation;          /* J/mol */
  const double *wall;      /* [n_owned] energy of the boundaries at each node where dry, J/m3 nm^dim; NULL; not owned */
  double dry, wet;         /* c of the phases beside which a boundary has all or none of its energy */
  MtDiffusion *diffusion;  /* of that kind, without energy, kappa and mobility; not owned */
  const MtFormula *source; /* of x y z (nm) and t (s), in 1/s; NULL: none; not owned */
  MtElastic *elastic;      /* its energy is part of F; NULL: none; not owned */
} MtFlowModel;
typedef struct {
  double newton_tolerance; /* largest change of c at a node in the last iteration that is left out */
  double linear_rtol;      /* of each linear solve */
} MtFlowOptions;
typedef struct {
  double total, bulk, gradient, elastic; /* J/m3, mean over the domain */
  double load;                           /* of what applies a stress */
  double driving;                        /* of bulk: that of the grains themselves, in grain growth */
  double heat; /* of the state before the step: what the temperature added to its total until the end, -S dT */
} MtFlowEnergy;
typedef struct {
  int newton, linear; /* iterations */
  bool converged;
} MtFlowSolve;
typedef struct MtFlow MtFlow; /* opaque */
/* domain and what model points to are kept and must outlive *flow.  Collective. */
PetscErrorCode mt_flow_create(const MtDomain *domain, const MtFlowModel *model, const MtFlowOptions *opt,
                              MtFlow **flow);
PetscErrorCode mt_flow_destroy(MtFlow **flow);
PetscErrorCode mt_flow_create_vec(const MtFlow *flow, Vec *v); /* zero, the caller's */
/* At time t.  Collective. */
PetscErrorCode mt_flow_energy(MtFlow *flow, double t, Vec c, MtFlowEnergy *e);
/* J/m3, mean over the domain: what c has more at the temperature of `to` than at that of `from` (s), -S dT; 0 where
 * that is held.  Collective. */
PetscErrorCode mt_flow_heat(MtFlow *flow, double from, double to, Vec c, double *added);
/* Mean of c over the domain.  Collective. */
PetscErrorCode mt_flow_mean(const MtFlow *flow, Vec c, double *mean);
/* dc/dt at time t.  Collective. */
PetscErrorCode mt_flow_rate(MtFlow *flow, double t, Vec c, Vec rate);
/* Solves shift (c - b) = dc/dt(t, c) by Newton from the guess in c.  Not converged is no error: c is then worthless.
 * The mean of c - b is exact to rounding for a conserved flow.  Collective. */
PetscErrorCode mt_flow_solve(MtFlow *flow, double t, double shift, Vec b, Vec c, MtFlowSolve *how);
/* The numbers that the preconditioner's factors were last made of, 0: not yet; and making them of given ones, so that a
 * continued run repeats its iterations.  Not collective; collective. */
void mt_flow_amg(const MtFlow *flow, double amg[4]);
PetscErrorCode mt_flow_set_amg(MtFlow *flow, const double amg[4]);
/* Part of the domain where c > level (0..1), and the area (nm2; nm in two dimensions) of c = level.  Collective. */
PetscErrorCode mt_flow_level(MtFlow *flow, Vec c, double level, double *fraction, double *area);

/* March in time: BDF2 of variable step with an error estimate; steps are rejected and tried again shorter. */
typedef struct {
  double first, min, max; /* s, of steps */
  double tolerance;       /* largest error of a step at a node; 0: steps of `first`, no rejection by error */
  double low, high;       /* range that c must keep */
} MtMarchOptions;
/* All doubles, so that a checkpoint holds it as a table; with the three fields the next step depends on nothing else.
 */
typedef struct {
  double t, dt;  /* s: now, the next step to try */
  double h1, h2; /* the last step and the one before; 0: none yet */
  double steps, rejected, newton, linear;
  double mean0;  /* of c at the beginning */
  double amg[4]; /* what the preconditioner was last made of (mt_flow_amg) */
} MtMarchState;
enum { MT_MARCH_STATE = sizeof(MtMarchState) / sizeof(double) };
typedef struct MtMarch MtMarch; /* opaque */
/* flow outlives *march.  Collective. */
PetscErrorCode mt_march_create(MtFlow *flow, const MtMarchOptions *opt, MtMarch **march);
PetscErrorCode mt_march_destroy(MtMarch **march);
/* The fields now, one step and two steps back (or, before the second step, the rate at the beginning in the place of
 * the third): fill the first, then start; or fill all and the state, to continue.  The march's.  Not collective. */
Vec mt_march_field(MtMarch *march, int back);
MtMarchState *mt_march_state(MtMarch *march);
PetscErrorCode mt_march_start(MtMarch *march, double t);
PetscErrorCode mt_march_continue(MtMarch *march);
/* One accepted step, not beyond `until`, which is hit exactly.  MT_ERR_FAIL, with time, place and value, where no step
 * of the least length can be made: the state is then the last good one.  Collective. */
PetscErrorCode mt_march_step(MtMarch *march, double until);
/* Of the last accepted state. */
MtFlowEnergy mt_march_energy(const MtMarch *march);

#endif
