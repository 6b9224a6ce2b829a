/* The hysteresis run from the inside: what its steps (relax, record, keep, checkpoint) share. */
#ifndef MAGTWIN_HYSTERESIS_H
#define MAGTWIN_HYSTERESIS_H

#include "kernels.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/loop.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"
#include "site.h"
#include <math.h>

enum { MT_PAST = 3 }; /* states from which the next is predicted, besides the accepted one */

typedef enum { MT_STATES_EVENTS, MT_STATES_ALL, MT_STATES_NONE } MtStatesKept;

typedef struct {
  double stop_below;        /* m along the starting field; -inf: never */
  const char *initial_file; /* owned by the input; NULL: saturated */
  int modes;                /* of the open boundary; -1: no demagnetizing field */
  bool embedded;            /* a cut-out of a sample with the factors ... */
  double sample[6];         /* ... xx, xy, xz, yy, yz, zz; 0: in a closed circuit */
  double loop_factor;       /* NaN: that of the sample, or of the magnet's box */
  int64_t checkpoint_steps;
  double checkpoint_seconds;
  MtStatesKept states;
  double event_drop;
  bool flow; /* events follow the dissipative path */
  MtMinimizerOptions minimizer;
} MtDemagOptions;
void mt_demag_options(const MtInput *in, MtDemagOptions *o);

/* The following three are arrays of doubles by another name: they go into the checkpoint as they are. */

/* How far the run is. */
typedef struct {
  double branch; /* index, of the plan */
  MtStepper stepper;
  double B[3], mean[3];      /* T and m of the accepted state */
  double relaxed;            /* 1: it took iterations; 0: it is where those below lead, and adds nothing to them */
  double B_past[MT_PAST][3]; /* T, of states before it that took iterations, newest first ... */
  double past;               /* ... and how many of them lie on one smooth branch with it */
  double
      turn; /* 1/T: largest abs(dm) of a node between it and the one before, over their distance; infinite: not known */
  double start;          /* T: torque of the state from which it was relaxed; 1: not on a smooth branch */
  double stiffness;      /* T: smallest curvature that was seen last, as an eigenvalue or a bound, on this branch ... */
  double B_stiffness[3]; /* ... T, at this field ... */
  double turned;         /* ... and the sum of the largest turns of a node since; 0 stiffness: not known */
  double iterations, evaluations, demag_iterations, inner_iterations, rollbacks, unconverged; /* totals */
  double products;                                                                            /* of the Hessian */
  double demag_spmv; /* products with the stiffness matrix, those inside AMG counted by their entries */
  double wall;       /* s, spent up to this point by all runs */
  double finished;   /* 1: the path is at its end */
} MtProgress;

/* A large event: m changed by more than output.event_drop in one accepted step. */
typedef struct {
  double step;
  double B_before, B_after; /* T, along the segment's direction */
  double m_before, m_after;
  double site[3]; /* nm, where the first nodes turned; NaN: none turned past the plane across the field */
  double region;  /* index of the region there; -1 */
  double nodes;   /* that turned first, at that place */
  double evaluations;
  double eigenvalue; /* T, smallest of the state before, in its field: how near it was to leaving; NaN: not found */
} MtEvent;

/* A state written to states/state_<number>.h5, number = place in the list + 1. */
typedef struct {
  double step, B_along, B[3], m;
  double tags;       /* bits of MtStateTag */
  double eigenvalue; /* T, of the mode in the file, the nucleus of the event that follows; NaN: none */
  double starts;     /* the branch that starts from it; 0: none */
} MtKept;
typedef enum {
  MT_TAG_REMANENCE = 1,
  MT_TAG_BEFORE = 2,
  MT_TAG_AFTER = 4,
  MT_TAG_COERCIVITY = 8,
  MT_TAG_LAST = 16,
  MT_TAG_STEP = 32,
  MT_TAG_REVERSAL = 64
} MtStateTag;

enum {
  MT_PROGRESS_SIZE = sizeof(MtProgress) / sizeof(double),
  MT_EVENT_SIZE = sizeof(MtEvent) / sizeof(double),
  MT_KEPT_SIZE = sizeof(MtKept) / sizeof(double)
};

typedef struct {
  MPI_Comm comm;
  int rank;
  const MtInput *in; /* not owned, as the next two */
  const char *folder, *mesh_path;
  MtDemagOptions opt;
  MtFieldPlan plan;
  MtFieldPath path; /* of the branch that is walked, a view of the plan's */
  MtMesh *mesh;
  MtMaterial *material; /* [mesh->regions.n] */
  MtEnergy *energy;
  MtMinimizer *minimizer;
  const MtNodes *nodes; /* owned by energy */
  double Jsat;          /* T, polarization of the saturated magnet as mt_energy_polarization counts it */
  double volume;        /* nm3, magnetic body */
  double axis[3];       /* unit, of the branch's starting field, with its sign */
  int main_material;    /* a region made of the material with the largest volume */
  double wall_width;    /* nm, of the main material: how far a nucleus reaches */
  double body[6];       /* demagnetizing factors of the meshed body, if embedded */
  uint64_t fingerprint; /* of the mesh: nodes, tets, regions */
  uint64_t constants;   /* fingerprint of the materials of the regions */

  Vec m, m_accepted, m_past[MT_PAST]; /* current, last accepted and those before; rows of nodes, bs 3 */
  Vec u, u_accepted, u_past[MT_PAST]; /* potential (u owned by energy), NULL without demagnetizing field */
  Vec mode;                           /* softest mode of the state before an event */
  MtProgress now;
  MtCurve curve;
  MtTable events, kept;   /* of MtEvent, MtKept */
  double *switching;      /* [nodes->n_owned] T along axis, NaN: never */
  FILE *csv;              /* rank 0 */
  int64_t saved_steps;    /* steps in the newest checkpoint */
  double saved_at;        /* mt_wall() of the newest checkpoint */
  double spmv_before;     /* demag_spmv of the runs that this one continues */
  double began, began_at; /* mt_wall() and fraction of the path where this run took over */
  double wall_before;     /* s, of the runs that this one continues */
} MtHysteresis;

/* Reads input, mesh and materials and makes all above but the state; close also what a failed open left.  Collective.
 */
PetscErrorCode mt_hysteresis_open(MtHysteresis *h, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                                  const char *folder);
PetscErrorCode mt_hysteresis_close(MtHysteresis *h);

static inline MtEvent *mt_event(const MtHysteresis *h, int i) {
  return (MtEvent *)(void *)(h->events.data + (size_t)i * MT_EVENT_SIZE);
}
static inline MtKept *mt_kept(const MtHysteresis *h, int i) {
  return (MtKept *)(void *)(h->kept.data + (size_t)i * MT_KEPT_SIZE);
}
static inline MtSite mt_hysteresis_site(const MtHysteresis *h) {
  return (MtSite){h->comm,
                  h->rank,
                  h->in,
                  h->folder,
                  h->mesh_path,
                  h->mesh,
                  h->material,
                  h->nodes,
                  h->fingerprint,
                  h->constants,
                  mt_energy_composition(h->energy)};
}

/* What one relaxation at a trial field came to. */
typedef struct {
  MtMinimizerReport report;
  double mean[3];
  bool stopped;                  /* a signal came: the trial is void */
  bool left;                     /* the branch ended: an event was followed */
  bool jumped;                   /* given up because of a jump, or an event, that a smaller step can bracket */
  double site[3], region, nodes; /* as in MtEvent */
  double eigenvalue;             /* T, of the state it ended in; NaN: not computed */
} MtTrial;
/* Follows an event at B from the accepted state to a stable one: h->m, and the report with all that it took. */
PetscErrorCode mt_event_follow(MtHysteresis *h, const double B[3], MtTrial *trial);
/* Whether h->m, which the minimizer has just relaxed at B, is stable; the trial gets the eigenvalue and the count of
 * what it took.  mode as in mt_stability_eigenvalue. */
PetscErrorCode mt_event_stable(MtHysteresis *h, const double B[3], MtTrial *trial, Vec mode, bool *stable);
/* The softest mode of the accepted state in its field -> h->mode, its eigenvalue (NaN: not found), and what it took.
 * guessed: h->mode holds the way by which the state was left.  h->m and h->u stay. */
PetscErrorCode mt_event_nucleus(MtHysteresis *h, bool guessed, double *eigenvalue, MtMinimizerReport *cost);
/* Relaxes h->m at B from the accepted state, or from where the branch it lies on leads.  Collective, as all that follow
 * unless said. */
PetscErrorCode mt_trial_run(MtHysteresis *h, const double B[3], MtTrial *trial);
/* h->m and h->u become the accepted ones; smooth: the step to them was no event, and the next may be predicted from
 * those before, too. */
PetscErrorCode mt_trial_accept(MtHysteresis *h, const double B[3], const MtTrial *trial, bool smooth);
/* Mean polarization over that of the saturated magnet. */
PetscErrorCode mt_mean_m(MtHysteresis *h, Vec m, double mean[3]);

/* Among the nodes whose m.along has another sign than in `before`: the place where they are turned furthest.
 * True (on all ranks) and site, region, nodes filled if there are any. */
PetscErrorCode mt_nucleation_site(MtHysteresis *h, Vec before, Vec m, const double along[3], MtTrial *trial,
                                  bool *found);
/* Notes the nodes that turned between the accepted state (field B0) and h->m (field B1, a jump or not). */
PetscErrorCode mt_switching_update(MtHysteresis *h, const double B0[3], const double B1[3], bool jump);
/* switching.h5: /switching/field [nv] T by file id, /switching/Js [regions] T. */
PetscErrorCode mt_switching_write(MtHysteresis *h);

/* Number of the kept state that a branch starts from; 0: none.  Not collective. */
int mt_state_of_branch(const MtHysteresis *h, int branch);
/* Keeps state `m` of curve row `row` with these tags; one that is kept already gets the tags added.  mode: kept with it
 * unless NULL, with its eigenvalue. */
PetscErrorCode mt_state_keep(MtHysteresis *h, Vec m, int row, unsigned tags, Vec mode, double eigenvalue);
/* states.h5 and states.xdmf from the list of kept states; files of states beyond the list are removed. */
PetscErrorCode mt_states_index(MtHysteresis *h);
/* "remanence+before_event"; returns buf. */
const char *mt_state_tags(unsigned tags, char buf[96]);

/* checkpoint.h5 of the accepted state; and the newest readable one back.  found false: there is none.
 * MT_ERR_INPUT if it belongs to another input or mesh, or all copies are damaged. */
PetscErrorCode mt_checkpoint_write(MtHysteresis *h);
PetscErrorCode mt_checkpoint_read(MtHysteresis *h, bool *found);

/* Path and axis of branch k become those that are walked.  Not collective. */
void mt_branch_enter(MtHysteresis *h, int k);
/* To the beginning of branch k: its state is the accepted one. */
PetscErrorCode mt_branch_start(MtHysteresis *h, int k);
/* To the next branch that can start; finished if there is none. */
PetscErrorCode mt_branch_next(MtHysteresis *h);
/* Whether a curve starts from the point of the main path where the stepper is: its branch; 0: none. */
int mt_branch_here(const MtHysteresis *h);
/* Objects of the branches in `results`, and branches.csv; nothing where there is but one. */
PetscErrorCode mt_branch_results(MtHysteresis *h, MtJson *json);
/* Demagnetizing factor along d with which loops are corrected to the internal field. */
double mt_loop_factor(const MtHysteresis *h, const double d[3]);
/* Field and polarization (T) along the axis of the falling part of a branch: *H [n], *J [n] behind it; *H is freed with
 * free(). */
PetscErrorCode mt_loop_points(const MtHysteresis *h, int branch, int *n, double **H);

/* A warning where the falling part of branch k, at the end of a run, has no coercive field; H [n] T along its axis.
 * Not collective. */
void mt_warn_unreversed(const MtHysteresis *h, int k, int n, const double *H, double Hc);
/* Appends ", Hc 3.65 T" (without the comma to an empty text); nothing where the value is NaN.  Not collective. */
void mt_say_quantity(char *text, size_t size, const char *name, double value, const char *unit);
/* How many rows did not get below the torque asked for, and the largest of theirs -> *most (T).  Not collective. */
int mt_unconverged(const MtHysteresis *h, const MtCurve *curve, double *most);
/* Objects "counts" and "results". */
PetscErrorCode mt_hysteresis_results(MtHysteresis *h, MtJson *json);

#endif
