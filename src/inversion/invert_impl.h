/* Parameters of a phase field from snapshots, from the inside. */
#ifndef MT_INVERSION_INVERT_IMPL_H
#define MT_INVERSION_INVERT_IMPL_H

#include "../phasefield/bdf2.h"
#include "magtwin/adjoint.h"
#include "magtwin/h5.h"
#include "magtwin/invert.h"
#include "magtwin/phasefield.h"
#include <stdio.h>

enum { MT_UNKNOWNS = 16 };

/* A parameter that is sought.  theta is what the methods see: ln p, or p over the width of its range. */
typedef struct {
  const char *name, *unit; /* the key; the input's; static */
  MtFlowNumber number;
  double factor;           /* unit of the key -> that of MtFlowModel and MtFreeEnergy */
  double low, high, start; /* in the unit of the key */
  bool log;
  double prior, deviation; /* of theta; deviation 0: none */
} MtUnknown;

typedef enum { MT_INVERT_GAUSS_NEWTON, MT_INVERT_BLMVM, MT_INVERT_ENSEMBLE } MtInvertMethod;
typedef struct {
  MtInvertMethod method;
  bool from_snapshot; /* the first snapshot is the state at the beginning */
  bool taylor;
  int iterations, states; /* states: fields of a trajectory kept in memory, 0: all */
  int members, groups;
  uint64_t seed;
  double noise, initial_noise;
} MtInvertOptions;

void mt_invert_options(const MtInput *in, MtInvertOptions *o); /* invert_keys.c.  Not collective. */
/* unknowns.c: those of the input; MT_ERR_INPUT with the place of a key.  Not collective. */
PetscErrorCode mt_invert_unknowns(const MtInput *in, int *n, MtUnknown u[MT_UNKNOWNS]);
double mt_unknown_theta(const MtUnknown *u, double value); /* and back, and dp/dtheta: in the unit of the key */
double mt_unknown_value(const MtUnknown *u, double theta);
double mt_unknown_slope(const MtUnknown *u, double theta);

/* What was seen, ascending in time. */
typedef struct {
  int n;
  double *t;    /* [n] s */
  Vec *value;   /* [n] the field observed at the nodes, NaN where it was not seen */
  char **name;  /* [n] of the files */
  double sigma; /* standard deviation of the noise */
  double count; /* numbers seen, over all ranks */
} MtSnapshots;
/* MT_ERR_INPUT for files of another grid, without a time, not ascending.  Collective on the domain's comm. */
PetscErrorCode mt_snapshots_read(const MtDomain *d, const MtInput *in, MtSnapshots *s);
PetscErrorCode mt_snapshots_free(MtSnapshots *s);
/* The first one out of the list, as the state c at *t.  MT_ERR_INPUT where it has holes. */
PetscErrorCode mt_snapshots_take_first(const MtDomain *d, const MtInput *in, MtSnapshots *s, Vec c, double *t);
/* Sum over what snapshot k sees, on this rank alone: |c - value|^2/(2 sigma^2), and (with r) its derivative
 * r = (c - value)/sigma^2, 0 where nothing is seen.  Not collective. */
PetscErrorCode mt_snapshots_misfit(const MtSnapshots *s, int k, Vec c, Vec r, double *sum);
/* v /= sigma^2, 0 where snapshot k sees nothing. */
PetscErrorCode mt_snapshots_weigh(const MtSnapshots *s, int k, Vec v);
/* Sum of a b/sigma^2 over what snapshot k sees, on this rank alone. */
PetscErrorCode mt_snapshots_product(const MtSnapshots *s, int k, Vec a, Vec b, double *sum);

/* The steps on which the scheme is differentiated: state i at t[i], state 0 the beginning. */
typedef struct {
  int n, capacity;
  double *t; /* [n + 1] s */
  int *seen; /* [n + 1] the snapshot of that state, -1: none */
} MtSteps;
/* Of step i, from c_i and c_(i-1). */
MtBdf2 mt_steps_bdf2(const MtSteps *s, int i);

/* The model at given parameters, its trajectory, and derivatives of the misfit. */
typedef struct {
  MPI_Comm comm;
  int rank;
  const MtInput *in;
  MtMesh *mesh; /* NULL: a box */
  MtDomain *domain;
  bool forward, from_snapshot; /* forward runs alone, nothing of the flow below is there; start is a snapshot */
  MtFreeEnergy energy, derivative[MT_UNKNOWNS]; /* derivative: of f by the unknown, where it is of f */
  MtFormula *source;
  MtProgram program;      /* of the temperature */
  MtDiffusion *diffusion; /* NULL: not that model */
  MtFlow *flow;
  MtFlowModel model;
  MtMarch *march; /* finds the steps */
  MtFlowLinear *linear;
  int n;
  MtUnknown unknown[MT_UNKNOWNS];
  double theta[MT_UNKNOWNS];
  MtSnapshots seen;
  Vec start;
  double t0; /* s */
  MtSteps steps;
  int room;    /* states that may be kept */
  Vec *kept;   /* [room] made as needed */
  bool whole;  /* kept holds states 1 .. steps.n of the last forward run */
  Vec roll[4]; /* the last states of a run */
  Vec work[4]; /* of the adjoint */
  Vec tangent[MT_UNKNOWNS][3];
  double runs, adjoints, tangents, recorded, newton, recomputed; /* counts; recomputed: steps */
} MtTwin;

/* twin.c: the domain, the model and the snapshots of the input, on comm.  Collective, as all below. */
PetscErrorCode mt_twin_open(MtTwin *w, MPI_Comm comm, const MtInput *in, const char *mesh_path);
PetscErrorCode mt_twin_close(MtTwin *w);
PetscErrorCode mt_twin_set(MtTwin *w, const double *theta);
/* Finds the steps at the parameters that are set, by the adaptive march, and the misfit.  predicted (or NULL):
 * [seen.n] the states at the snapshots.  MT_ERR_FAIL where it cannot be done. */
PetscErrorCode mt_twin_record(MtTwin *w, double *misfit, Vec *predicted);
/* Deviation of the parameters from their prior, as a misfit; g (or NULL) += its gradient.  Not collective. */
double mt_twin_prior(const MtTwin *w, const double *theta, double *g);

/* forward.c: what mt_twin_record does of a twin that runs forward alone; whether the model can be made and begun where
 * the search begins; the field that was observed, "c".  Collective; collective; not. */
PetscErrorCode mt_forward_record(MtTwin *w, double *misfit, Vec *predicted);
PetscErrorCode mt_forward_check(MtTwin *w);
const char *mt_invert_observed(const MtInput *in);

/* trajectory.c: one step of the scheme, c1 and c2 the states before c0 (NULL: there is none). */
PetscErrorCode mt_twin_step(MtTwin *w, int i, Vec c0, Vec c1, Vec c2, Vec next, bool *good);
/* The misfit on the steps recorded; *good: false where a step could not be solved. */
PetscErrorCode mt_twin_forward(MtTwin *w, double *misfit, bool *good, Vec *predicted);
/* The same with sensitivities: H [n n] += the Gauss-Newton matrix of theta, g [n] the gradient; at (or NULL): [n
 * seen.n] the sensitivity to each parameter at each snapshot that comes after the beginning. */
PetscErrorCode mt_twin_sensitivity(MtTwin *w, double *misfit, double *g, double *H, Vec *at, bool *good);

/* reverse.c: after mt_twin_forward, the gradient of the misfit by theta, g [n], and (or NULL) by the state at the
 * beginning. */
PetscErrorCode mt_twin_reverse(MtTwin *w, double *g, Vec by_start);
/* by_start = sum over snapshots of dc_k/dc_0' force[k]. */
PetscErrorCode mt_twin_reverse_of(MtTwin *w, const Vec *force, Vec by_start);

/* What is known of theta in the end. */
typedef struct {
  double covariance[MT_UNKNOWNS * MT_UNKNOWNS], deviation[MT_UNKNOWNS]; /* of theta */
  bool at_bound[MT_UNKNOWNS];
  double weakest[MT_UNKNOWNS]; /* direction of which least is known, of length 1 */
  bool loose;                  /* it is known less than half as well as by the bounds */
} MtPosterior;
/* posterior.c.  None is collective.  From the Gauss-Newton matrix A of misfit and prior: its inverse (Laplace); at
 * bounds, where `theta` lies on one, along the others. */
void mt_posterior_laplace(const MtTwin *w, const double *theta, const double *A, MtPosterior *p);
void mt_posterior_look(const MtTwin *w, MtPosterior *p); /* the rest, from the covariance */
/* sqrt(g.A^-1 g) along the parameters not at bounds: how far the minimum is, in standard deviations. */
double mt_posterior_distance(const MtTwin *w, const MtPosterior *p, const double *g);
/* start_error.c: with an error of the state at the beginning, of that deviation, independent from node to node; at the
 * theta and on the steps that the twin has.  row [n]: derivative by that state of the misfit's gradient by each theta,
 * without second derivatives of c.  Collective. */
PetscErrorCode mt_posterior_start(MtTwin *w, double noise, MtPosterior *p);
PetscErrorCode mt_start_rows(MtTwin *w, Vec *row);
/* Eigenvalues, ascending, of a symmetric n x n matrix; a: eigenvectors, one a row. */
void mt_symmetric_eigen(int n, double *a, double *value);

/* A line of invert.csv before the parameters; doubles only. */
typedef struct {
  double iteration, round; /* of the steps (Gauss-Newton), or the share of the misfit taken in (ensemble) */
  double misfit;           /* sum of squares / 2, with the prior */
  double per_value;        /* mean square of (computed - observed)/noise */
  double distance;         /* to the minimum, standard deviations; NaN: not known */
  double runs, adjoints, tangents, newton, linear; /* so far */
} MtInvertRow;
enum { MT_INVERT_ROW = sizeof(MtInvertRow) / sizeof(double) };

/* Where a search is: all doubles, for the checkpoint. */
typedef struct {
  double iteration, round, finished;
  double theta[MT_UNKNOWNS];    /* the best so far, or the mean of an ensemble */
  double recorded[MT_UNKNOWNS]; /* where the steps were found */
  double share;                 /* of an ensemble: of the misfit that has been taken in */
  double before[6];             /* counts of the runs before a restart: runs, adjoints, tangents, newton, linear */
} MtInvertMark;
enum { MT_INVERT_MARK = sizeof(MtInvertMark) / sizeof(double) };

typedef struct {
  MPI_Comm comm; /* of all ranks */
  int rank;
  const MtInput *in;
  const char *folder;
  MtInvertOptions opt;
  MtTwin twin; /* of the group */
  MtInvertMark mark;
  int nrows, columns;
  double *row; /* [nrows][columns] */
  FILE *csv;   /* on rank 0 */
  double saved_at;
  double *member;        /* [opt.members][twin.n] theta of the ensemble; NULL */
  MPI_Comm group, cross; /* of the ensemble: the ranks of a member; those with this place in their groups */
  int ngroups, mine;
} MtInvert;

/* record.c.  Collective. */
char *mt_invert_path(const MtInvert *v, const char *name); /* folder/name, the caller frees it */
PetscErrorCode mt_invert_csv_open(MtInvert *v);
PetscErrorCode mt_invert_add_row(MtInvert *v, const MtInvertRow *row, const double *theta, const double *deviation);
PetscErrorCode mt_invert_save(MtInvert *v);
PetscErrorCode mt_invert_load(MtInvert *v, bool *found);
/* runs, adjoints, tangents, newton, linear; of all groups and starts */
PetscErrorCode mt_invert_counts(const MtInvert *v, double count[5]);
/* results.c: parameters.csv, snapshots.h5 (predicted: [seen.n]), results in json.  Collective. */
PetscErrorCode mt_invert_results(MtInvert *v, const double *theta, const MtPosterior *p, double misfit,
                                 const Vec *predicted, MtJson *json);

/* search.c: to the minimum; stops after a signal.  taylor.c.  ensemble.c.  Collective. */
PetscErrorCode mt_invert_search(MtInvert *v, MtPosterior *p, bool *stopped);
PetscErrorCode mt_invert_taylor(MtInvert *v);
PetscErrorCode mt_invert_ensemble(MtInvert *v, MtPosterior *p, bool *stopped);

#endif
