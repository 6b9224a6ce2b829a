/* Inside of a sweep. */
#ifndef SWEEP_SWEEP_IMPL_H
#define SWEEP_SWEEP_IMPL_H

#include "magtwin/evaluation.h"
#include "magtwin/sweep.h"

typedef enum { MT_POINT_WAITING, MT_POINT_RUNNING, MT_POINT_DONE, MT_POINT_FAILED, MT_POINT_STATES } MtPointState;

typedef struct {
  double *x;    /* [nvars] */
  int64_t seed; /* of its repeat; -1: none */
  MtPointState state;
  double *y;    /* [nnumbers] NaN unless done */
  char *reason; /* of a failure; NULL */
  MtStarts record;
} MtPoint;

struct MtSweep {
  char *folder;
  MtSpace space;      /* one variable an axis; a list of values is a categorical one */
  char **key, **unit; /* [nvars] */
  int *levels;        /* [nvars] of a range in a grid */
  MtEvaluator evaluator;
  char *command, *subcommand, *input, *launcher, *before, *seed_key;
  int compared; /* axis along which numbers are compared, in a grid without constraints; -1: none */
  int nnumbers, parallel, npoints, repeats;
  MtNumber *number; /* [nnumbers] */
  MtPoint *point;   /* [npoints] */
};

extern const char *const mt_point_names[MT_POINT_STATES];

/* sweep_points.c: the design -> s->point.  MT_ERR_INPUT. */
PetscErrorCode mt_sweep_lay_out(const MtInput *in, MtSweep *s);
char *mt_sweep_points_text(const MtSweep *s); /* points.csv; the caller frees */

/* sweep_state.c, rank 0 */
char *mt_sweep_folder(const MtSweep *s, int i); /* of a point; the caller frees */
/* State of point i from its folder; numbers and reason where it has ended.  MT_ERR_INPUT for a number that runs do not
 * write. */
PetscErrorCode mt_sweep_look(MtSweep *s, int i);
PetscErrorCode mt_sweep_look_all(MtSweep *s);
/* Starts point i unless it is done, failed, or run by another process, and says so in its state; `retry`: also when it
 * has failed.  *started: p is its process. */
PetscErrorCode mt_sweep_start(MtSweep *s, int i, bool retry, MtProcess *p, bool *started);
/* Forgets how a point ended, so that it is run again. */
PetscErrorCode mt_sweep_forget(MtSweep *s, int i);
void mt_sweep_count(const MtSweep *s, int count[MT_POINT_STATES]);
PetscErrorCode mt_sweep_table(const MtSweep *s); /* results.csv, results.h5 */

/* sweep_compare.c: change of number k of point i from the point with the first value of s->compared and all else alike;
 * *percent of that one's.  NaN where one of them has no number, and for a per cent of 0. */
double mt_sweep_change(const MtSweep *s, int i, int k, double *percent);
/* A line for each point that is done, on the log. */
void mt_sweep_tell_changes(const MtSweep *s);

#endif
