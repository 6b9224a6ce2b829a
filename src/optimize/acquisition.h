/* What is maximized to find the next point, as a function on the unit cube; and who computes what. */
#ifndef OPTIMIZE_ACQUISITION_H
#define OPTIMIZE_ACQUISITION_H

#include "magtwin/optimize.h"

/* The logarithm of an expectation, with its derivatives by mean and sd. */
typedef struct {
  double value, mean, sd;
} MtLogValue;
/* log E max(c - loss, 0) of y ~ N(mean, sd): loss is y itself, or, unless target is NaN, |y - target| (target.c). */
MtLogValue mt_log_improvement(double target, double c, double mean, double sd);

/* The points of the front of y [n, goals] that lie below the reference -> kept [return value, goals], in their order.
 */
int mt_front_below(int goals, int n, const double *y, const double *reference, double *kept);

/* What a front leaves undominated below the reference, as boxes that do not overlap (boxes.c).  The ends of box i in
 * goal g are ends[g][2 k] (may be -inf) and ends[g][2 k + 1] with k = which[goals i + g]. */
typedef struct {
  int goals, n;
  int *which;                  /* [n, goals] */
  int nends[MT_GOALS_MAX];     /* different intervals of each goal */
  double *ends[MT_GOALS_MAX];  /* [nends, 2] */
  double target[MT_GOALS_MAX]; /* of values whose distance from it is minimized; NaN: the value itself is */
} MtBoxes;

/* Of points y [n, goals] (losses, minimized), goals > 1; those beyond the reference are left out; without targets. */
MtBoxes mt_boxes(int goals, int n, const double *y, const double *reference);
void mt_boxes_free(MtBoxes *b);
/* Logarithm of the expected hypervolume improvement of a point with independent normal values, and its derivatives by
 * mean and sd [goals] (sum over boxes of products of expected improvements: M. Emmerich et al., CEC 2011, 2147). */
double mt_log_ehvi(const MtBoxes *b, const double *mean, const double *sd, double *dmean, double *dsd);

typedef struct {
  const MtProposer *settings; /* borrowed, as everything below */
  MtGp *base[MT_GOALS_MAX];   /* of the related task; NULL: none */
  MtGp *gp[MT_GOALS_MAX];     /* of the values, minimized */
  MtGpSample *sample;         /* of Thompson sampling, else NULL */
  MtGpDraws *draws;           /* of log EI with points under way: what may come out there; else NULL */
  MtFeasible *feasible;       /* NULL: no failures */
  MtGp *cost;                 /* of the logarithm of the cost; NULL: not asked for */
  double best;                /* smallest expected loss among the trials */
  double unit;                /* standard deviation of the values */
  MtBoxes boxes;              /* of several goals */
} MtAcquire;

/* Larger is better; gradient [dim] unless NULL.  Never NaN. */
double mt_acquire(const MtAcquire *a, int dim, const double *u, double *gradient);

/* propose.c: the models of the trials, and their acquisition.  Collective; free with mt_acquire_free, also after an
 * error. */
PetscErrorCode mt_acquire_build(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                                MtAcquire *a);
void mt_acquire_free(MtAcquire *a);
/* What the model expects at x. */
void mt_acquire_describe(const MtAcquire *a, const MtSpace *space, const double *x, MtProposal *how);

/* The largest value of the acquisition over the space, away from the n trials: x [nvars]; false: *found when there is
 * no point left.  Collective, the same on every rank. */
PetscErrorCode mt_acquire_maximize(MPI_Comm comm, const MtAcquire *a, const MtSpace *space, int n, const MtTrial *trial,
                                   uint64_t seed, double *x, bool *found);

/* Is x one of the trials (to 1e-7 of the unit cube)? */
bool mt_tried(const MtSpace *space, int n, const MtTrial *trial, const double *x);
/* Rows of table [rows, width] of which rank r has computed those with row mod size = r: complete on every rank, with
 * the bits of who computed them.  Collective. */
PetscErrorCode mt_share_rows(MPI_Comm comm, int rows, int width, double *table);

#endif
