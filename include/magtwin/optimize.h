/* Bayesian optimization: where to evaluate next, given what has been evaluated.
 *
 * A proposal is a function of the space, the settings and the trials alone: it does not depend on the number of ranks,
 * on times or on what happened in the process before.
 */
#ifndef MAGTWIN_OPTIMIZE_H
#define MAGTWIN_OPTIMIZE_H

#include "magtwin/gp.h"
#include "magtwin/input.h"
#include "magtwin/json.h"
#include "magtwin/space.h"

enum { MT_GOALS_MAX = 6 };

typedef enum { MT_ACQUIRE_LOG_EI, MT_ACQUIRE_UCB, MT_ACQUIRE_PI, MT_ACQUIRE_THOMPSON } MtAcquisition;
typedef enum { MT_TRIAL_WAITING, MT_TRIAL_DONE, MT_TRIAL_FAILED } MtTrialStatus;

typedef struct {
  double *x; /* [nvars] owned by whoever made the trial */
  MtTrialStatus status;
  double y[MT_GOALS_MAX]; /* as told; done trials only */
  double cost;            /* > 0, any unit; 0: not known */
} MtTrial;

typedef struct {
  int ngoals;                     /* 1, or more: expected hypervolume improvement */
  double sign[MT_GOALS_MAX];      /* +1 to minimize, -1 to maximize */
  bool has_target[MT_GOALS_MAX];  /* the nearer to target the better; sign is +1 */
  double target[MT_GOALS_MAX];    /* as told */
  bool has_reference;             /* of several goals: */
  double reference[MT_GOALS_MAX]; /* worst values that still count, as told; else 10 % beyond the worst of the front */
  MtKernel kernel;
  MtAcquisition acquisition; /* of one goal */
  double kappa;              /* of UCB: mean - kappa * standard deviation */
  bool noisy;                /* evaluations scatter */
  bool cost_aware;           /* log EI - expected log of the cost */
  int initial;               /* points spread over the space before the first model */
  int budget; /* trials in all: by log EI alone, of one goal without noise, target or cost, the last tenth goes where
                 the least is expected, if no trial waits; 0: open */
  uint64_t seed;
  int nprior; /* trials of a related task ... */
  const MtTrial
      *prior; /* [nprior] ... with the same goals: their model is what that of this task begins with; borrowed */
} MtProposer;

typedef struct {
  const char *how;                             /* "spread", "log_ei", "ehvi", ...; static */
  double mean[MT_GOALS_MAX], sd[MT_GOALS_MAX]; /* expected there, as told; NaN without a model */
  double feasible;                             /* probability of success; 1 without failures */
  bool exhausted;                              /* every point of the space has been proposed: x is not set */
} MtProposal;

/* What is minimized when y is told of a goal: sign * y, or its distance from the target. */
double mt_goal_loss(const MtProposer *p, int goal, double y);

/* The next point x [nvars] of the space after n trials, waiting ones included (they are taken to come out as expected).
 * MT_ERR_INPUT where no point satisfies the constraints.  Collective. */
PetscErrorCode mt_propose(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                          double *x, MtProposal *how);

/* The model behind the next proposal, for looking at: of all trials, waiting ones with the values expected of them.
 * Borrows space and settings.  MT_ERR_FAIL with fewer than two trials done.  Collective, the same on every rank. */
typedef struct MtModel MtModel;
PetscErrorCode mt_model_create(MPI_Comm comm, const MtSpace *space, const MtProposer *p, int n, const MtTrial *trial,
                               MtModel **m);
void mt_model_destroy(MtModel **m);
/* What it expects at x [nvars], and the value of the acquisition (larger: rather the next point; its kind is in
 * expected->how).  Not collective. */
void mt_model_at(const MtModel *m, const double *x, MtProposal *expected, double *acquisition);
/* Mean and standard deviation of one goal, as told. */
void mt_model_goal(const MtModel *m, int goal, const double *x, double *mean, double *sd);
double mt_model_mean(const MtModel *m, int goal, const double *x); /* the mean alone, in a fraction of the time */
const MtGp *mt_model_gp(const MtModel *m, int goal);               /* of the goal with its sign: minimized */

/* How much of the variance of the expected value each variable explains when all vary evenly over their ranges
 * (logarithmic ones in their logarithm; constraints do not count): first [nvars] by itself, total [nvars] with its
 * interactions.  From `points` quasi-random points.  0 where nothing varies.  Not collective.
 * Source: A. Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), estimators of Jansen, table 2 (c, f). */
void mt_model_importance(const MtModel *m, int goal, int points, uint64_t seed, double *first, double *total);

/* Draws of the variables from the posterior that a flat prior over the ranges has when each goal with scatter c
 * [ngoals] > 0 is normal about its target (0 for one that is minimized: a misfit) with that standard deviation; goals
 * without do not count.  The uncertainty of the model is averaged over, up to one scatter: beyond, see mt_model_open.
 * *draws [return value, nvars] in (0, 1) of each range (mt_space_spread), freed with free(); 0: no point is possible.
 * Not collective, the same on every rank. */
int mt_model_posterior(const MtModel *m, const double *scatter, uint64_t seed, double **draws);
/* Of all that the model cannot exclude (its whole uncertainty averaged over) the share that lies where that uncertainty
 * exceeds the scatter: near 1, only more evaluations can tell.  Not collective. */
double mt_model_open(const MtModel *m, const double *scatter, uint64_t seed);
const MtSpace *mt_model_space(const MtModel *m);
const MtProposer *mt_model_proposer(const MtModel *m);

/* Points that no other one beats in all values (all minimized): marks front [n], returns how many.  Of equal points
 * the first counts.  y [n, goals]. */
int mt_front(int goals, int n, const double *y, bool *front);
/* Volume that y [n, goals] dominates below the reference, all minimized: exact.  Source: L. While, L. Bradstreet, L.
 * Barone, IEEE Trans. Evol. Comput. 16, 86 (2012). */
double mt_hypervolume(int goals, int n, const double *y, const double *reference);

#endif
