/* The march in time of whatever moves: one field (march.c), two phases, grains.  BDF2 with an error estimate, steps
 * rejected and tried again shorter, the clock.  What moves tells how a step is solved and where it went wrong. */
#ifndef MT_PHASEFIELD_STEPPER_H
#define MT_PHASEFIELD_STEPPER_H

#include "bdf2.h"
#include "magtwin/phasefield.h"

/* Where a step went wrong. */
typedef struct {
  double size; /* error, distance from the range or last correction there; -1: nowhere yet */
  double value, x[3];
  int of;           /* field or grain */
  double low, high; /* where it lies outside: the range */
} MtWorst;
/* A place of that size, of which the state is `value`.  Not collective. */
void mt_worst_note(MtWorst *w, const MtDomain *d, PetscInt node, double size, double value, int of);
/* Where |v| is largest, on this rank; where c lies farthest outside of [low, high].  Not collective. */
PetscErrorCode mt_worst_size(MtWorst *w, const MtDomain *d, Vec v, Vec c, int of);
PetscErrorCode mt_worst_outside(MtWorst *w, const MtDomain *d, Vec c, int of, double low, double high);

typedef struct MtStepper MtStepper;
typedef struct {
  const char *subject; /* of "... leaves its range" */
  /* "c =" before its value.  Not collective. */
  void (*name)(const MtWorst *w, char text[64]);
  /* The state at t, beside those before, by Newton's method from the guess of b.  Collective. */
  PetscErrorCode (*solve)(MtStepper *s, const MtBdf2 *b, double t, MtFlowSolve *how);
  /* Where its last correction is largest, it lies farthest outside of opt.low and opt.high, and its error, `share` of
   * the distance to the guess, is largest; on this rank.  Not collective. */
  PetscErrorCode (*correction)(MtStepper *s, MtWorst *w);
  PetscErrorCode (*outside)(MtStepper *s, MtWorst *w);
  PetscErrorCode (*error)(MtStepper *s, double share, MtWorst *w);
  PetscErrorCode (*energy)(MtStepper *s, double t, MtFlowEnergy *e); /* of it.  Collective. */
  /* What the temperature adds to the energy of the state now until t, a source: 0 where it is held.  NULL: energies do
   * not follow it.  Collective. */
  PetscErrorCode (*heat)(MtStepper *s, double t, double *added);
  /* It becomes the state now; first: of the first step.  The clock is set.  Collective. */
  PetscErrorCode (*accept)(MtStepper *s, bool first);
} MtStepperCalls;

/* The first member of each march's own struct. */
struct MtStepper {
  const MtStepperCalls *call;
  MPI_Comm comm;
  MtMarchOptions opt;
  MtMarchState now;
  MtFlowEnergy energy; /* of the last accepted state */
  bool may_rise;       /* the energy */
  bool bounded;        /* something has a range even where opt.low and opt.high are infinite */
  double least;        /* J/m3, that the parts of the energy count as at least, where it is compared */
  MtWorst worst;       /* of the last step tried */
};
/* As mt_march_step.  Collective. */
PetscErrorCode mt_stepper_step(MtStepper *s, double until);

/* A field in time. */
typedef struct {
  Vec c[3];              /* now, one step back; two steps back, or the rate at the beginning */
  Vec next, guess, base; /* of the step tried; the guess becomes its error */
} MtMultistep;
PetscErrorCode mt_multistep_create(Vec like, MtMultistep *f); /* zeros */
PetscErrorCode mt_multistep_destroy(MtMultistep *f);
PetscErrorCode mt_multistep_guess(const MtBdf2 *b, const Vec c[3], Vec base, Vec guess);
PetscErrorCode mt_multistep_predict(MtMultistep *f, const MtBdf2 *b); /* base, guess, and next = guess */
PetscErrorCode mt_multistep_error(MtMultistep *f, double share);
void mt_multistep_accept(MtMultistep *f, bool first);

#endif
