/* What a phase-field run moves in time: one field (evolve_flow.c), or a model of more.  The run itself (evolve*.c:
 * times, files, checkpoints) sees nothing else of it.  All calls are collective. */
#ifndef MT_PHASEFIELD_SYSTEM_H
#define MT_PHASEFIELD_SYSTEM_H

#include "magtwin/h5.h"
#include "magtwin/json.h"
#include "magtwin/phasefield.h"

typedef struct MtSystem MtSystem;
typedef struct {
  PetscErrorCode (*start)(MtSystem *s); /* the state at the beginning, from the input */
  /* In its place: at t, from its one field alone, without a look at its range; NULL: it has more. */
  PetscErrorCode (*begin)(MtSystem *s, double t, Vec c);
  PetscErrorCode (*see)(MtSystem *s, int k, Vec c);  /* c = field k of those below, now */
  PetscErrorCode (*step)(MtSystem *s, double until); /* as mt_march_step */
  PetscErrorCode (*row)(MtSystem *s, double *value); /* a line of evolve.csv, value[0] the time */
  PetscErrorCode (*write)(MtSystem *s, MtH5 *f);     /* the datasets of a file of fields */
  PetscErrorCode (*list)(MtSystem *s, char **text);  /* beside such a file a csv, malloc'ed, on rank 0; NULL: none */
  PetscErrorCode (*save)(MtSystem *s, MtH5 *f);      /* all of the state but *clock, to a checkpoint ... */
  PetscErrorCode (*load)(MtSystem *s, MtH5 *f);      /* ... and back, *clock is there already */
  PetscErrorCode (*resume)(MtSystem *s);             /* after load: ready for the next step */
  PetscErrorCode (*mean)(MtSystem *s, double *mean); /* of what is conserved; NULL: nothing is watched */
  PetscErrorCode (*results)(MtSystem *s, MtJson *j); /* entries of the object "results" */
  void (*note)(const MtSystem *s, char text[64]);    /* of its own on the line of progress; NULL: none */
  PetscErrorCode (*destroy)(MtSystem **s);
} MtSystemCalls;

/* The first member of each model's own struct. */
struct MtSystem {
  const MtSystemCalls *call;
  const char *header;       /* of evolve.csv, without the end of line; "t_s" first */
  int columns;              /* in it */
  const char *const *field; /* [fields] the datasets that `write` makes, "/c"; shown by their names without the slash */
  int fields;
  const char *list;         /* what the csv is of: fields/<list>_<number>.csv */
  MtMarchState *clock;      /* of the model; its numbers without a use stay 0 */
  double energy;            /* J/m3, mean over the domain, of the last accepted state; NAN: the model has none */
  double heat;              /* J/m3: what the temperature added to it in the last step */
  const MtProgram *program; /* of its temperature: steps end at the corners; NULL: none */
};

#endif
