/* A dynamics run from the inside; shared by the files dynamics*.c only. */
#ifndef MT_MICROMAGNETICS_DYNAMICS_IMPL_H
#define MT_MICROMAGNETICS_DYNAMICS_IMPL_H

#include "magtwin/dynamics.h"
#include "magtwin/llg.h"
#include "site.h"

typedef struct {
  MtLlgOptions llg;
  bool own_damping; /* alpha of each material, not llg.alpha */
  int modes;        /* of the open boundary; -1: no demagnetizing field */
  int64_t checkpoint_rows;
  double checkpoint_seconds;
  double end, torque;       /* ns, T */
  double interval;          /* ns between lines of dynamics.csv; 0: every step */
  double snapshot_interval; /* ns; 0: none */
} MtDynamicsOptions;
void mt_dynamics_options(const MtInput *in, MtDynamicsOptions *o);

/* One line of dynamics.csv; doubles only, so that a row is an array of them. */
typedef struct {
  double t;                     /* ns */
  double mean[3];               /* mean polarization over that of the saturated magnet */
  double B[3];                  /* T, applied */
  double energy[1 + MT_NTERMS]; /* J/m3 of all that is not air: total and the terms */
  double torque;                /* T, largest */
  double dt;                    /* ns, the next step */
  double steps, rejected;       /* so far */
  double evaluations, demag_iterations;
} MtDynamicsRow;

/* A state written to states/state_<number>.h5, number = place in the list + 1. */
typedef struct {
  double t; /* ns */
  double B[3], mean[3];
  double last; /* 1: where the run ended */
} MtDynamicsState;

/* How far the run is, besides what the integrator says of itself. */
typedef struct {
  double finished; /* 1: the end was reached, 2: by its torque */
  double wall;     /* s, spent by all runs up to here */
  double demag_spmv;
} MtDynamicsMark;

enum {
  MT_DYNAMICS_ROW = sizeof(MtDynamicsRow) / sizeof(double),
  MT_DYNAMICS_STATE = sizeof(MtDynamicsState) / sizeof(double),
  MT_DYNAMICS_MARK = sizeof(MtDynamicsMark) / sizeof(double),
  MT_LLG_PROGRESS = sizeof(MtLlgProgress) / sizeof(double)
};

typedef struct {
  MtSite site;
  MtDynamicsOptions opt;
  MtTimeField field;
  MtEnergy *energy;
  MtLlg *llg;
  Vec m, u; /* the state, and its potential (owned by energy; NULL: none) */
  MtLlgProgress now;
  MtLlgReport report; /* of the state */
  MtDynamicsMark mark;
  MtTable rows, states;            /* of MtDynamicsRow, MtDynamicsState */
  FILE *csv;                       /* rank 0 */
  int saved_rows;                  /* in the newest checkpoint */
  double saved_at;                 /* mt_wall() of it */
  double saved_t;                  /* ns; -1: none */
  double wall_before, spmv_before; /* of the runs that this one continues */
  double began, began_at;          /* mt_wall() and t where this run took over */
} MtDynamics;

/* Mesh, materials, energy, integrator; close also what a failed open left.  Collective. */
PetscErrorCode mt_dynamics_open(MtDynamics *d, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                                const char *folder);
PetscErrorCode mt_dynamics_close(MtDynamics *d);
/* dynamics.initial -> d->m.  Collective. */
PetscErrorCode mt_dynamics_initial(MtDynamics *d);

static inline MtDynamicsRow *mt_dynamics_row(const MtDynamics *d, int i) {
  return (MtDynamicsRow *)(void *)(d->rows.data + (size_t)i * MT_DYNAMICS_ROW);
}
static inline MtDynamicsState *mt_dynamics_state(const MtDynamics *d, int i) {
  return (MtDynamicsState *)(void *)(d->states.data + (size_t)i * MT_DYNAMICS_STATE);
}

/* Mean polarization over that of the saturated magnet.  Collective. */
PetscErrorCode mt_dynamics_mean(MtDynamics *d, double mean[3]);
/* dynamics.csv with the rows there are: what a killed run wrote beyond its checkpoint is cut off.  Collective. */
PetscErrorCode mt_dynamics_csv_open(MtDynamics *d);
/* The current state as a line, unless there is one of its time.  Collective. */
PetscErrorCode mt_dynamics_add_row(MtDynamics *d);
/* The current state as a file, unless there is one of its time.  Collective. */
PetscErrorCode mt_dynamics_keep(MtDynamics *d, bool last);
PetscErrorCode mt_dynamics_index(MtDynamics *d);

PetscErrorCode mt_dynamics_save(MtDynamics *d);
PetscErrorCode mt_dynamics_load(MtDynamics *d, bool *found);
/* Objects "counts" and "results". */
PetscErrorCode mt_dynamics_results(MtDynamics *d, MtJson *json);

#endif
