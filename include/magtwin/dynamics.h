/* Dynamics runs: `magtwin dynamics`, the Landau-Lifshitz-Gilbert equation in a field that varies in time (llg.h). */
#ifndef MAGTWIN_DYNAMICS_H
#define MAGTWIN_DYNAMICS_H

#include "magtwin/input.h"
#include "magtwin/json.h"

extern const MtKey mt_dynamics_keys[]; /* sections dynamics, integrator, time */

/* The rules between the keys of those sections that are there: MT_ERR_INPUT with file:line:column.  To be called before
 * anything is written.  Not collective (the same on every rank). */
PetscErrorCode mt_dynamics_check(const MtInput *in);

/* The whole run on the mesh file at mesh_path: dynamics.csv, states, checkpoint and restart, results in json (objects
 * "counts" and "results").  *stopped: ended on a signal after a checkpoint.  Where no time step can be made: a
 * checkpoint of the last state, and MT_ERR_FAIL.  Collective. */
PetscErrorCode mt_dynamics_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder, bool resume,
                               MtJson *json, bool *stopped);

/* The applied field: a sum of parts, each along a direction of its own.  Plain C; ns and T. */
typedef enum { MT_WAVE_CONSTANT, MT_WAVE_RAMP, MT_WAVE_SINE, MT_WAVE_PULSE } MtWave;
typedef struct {
  MtWave wave;
  double direction[3]; /* unit */
  double value, from;  /* T */
  double start, end;   /* ns; end INFINITY: none */
  double rise;         /* ns, pulse: of each flank */
  double omega, phase; /* rad/ns, rad; sine */
} MtFieldPart;
typedef struct {
  int n;
  MtFieldPart *part; /* owned */
} MtTimeField;
/* dynamics.field -> field; MT_ERR_INPUT with the place of the key.  Not collective. */
PetscErrorCode mt_time_field_read(const MtInput *in, MtTimeField *field);
void mt_time_field_free(MtTimeField *field); /* a zeroed struct is fine */
/* As MtLlgField wants them; ctx: an MtTimeField. */
void mt_time_field_at(void *ctx, double from, double t, double B[3]);
double mt_time_field_kink(void *ctx, double t);

#endif
