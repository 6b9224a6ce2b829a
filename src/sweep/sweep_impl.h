/* Inside of a sweep. */
#ifndef SWEEP_SWEEP_IMPL_H
#define SWEEP_SWEEP_IMPL_H

#include "magtwin/evaluation.h"
#include "magtwin/sweep.h"

typedef enum { MT_POINT_WAITING, MT_POINT_RUNNING, MT_POINT_DONE, MT_POINT_FAILED, MT_POINT_STATES } MtPointState;

/* What the folder of a point remembers of its runs. */
typedef struct {
  int starts;                          /* of all time */
  int unended;                         /* in a row, up to now, that left no exit code, or the one at work */
  int ranks;                           /* 0: not known */
  double began, ended;                 /* the last one, seconds since 1970; NaN: not known */
  char version[32], host[64], job[64]; /* of the last one; "": not known, or no job */
} MtRecord;

typedef struct {
  double *x;    /* [nvars] */
  int64_t seed; /* of its repeat; -1: none */
  MtPointState state;
  double *y;    /* [nnumbers] NaN unless done */
  char *reason; /* of a failure; NULL */
  MtRecord record;
} MtPoint;

struct MtSweep {
  char *folder;
  MtSpace space;      /* one variable an axis; a list of values is a categorical one */
  char **key, **unit; /* [nvars] */
  int *levels;        /* [nvars] of a range in a grid */
  MtEvaluator evaluator;
  char *command, *subcommand, *input, *launcher, *seed_key;
  int nnumbers, parallel, npoints;
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

/* sweep_record.c, rank 0.  folder: of a point. */
PetscErrorCode mt_record_start(const char *folder, bool continued); /* a start more; MT_ERR_DISK, MT_ERR_INPUT */
PetscErrorCode mt_record_retry(const char *folder);
void mt_record_read(const char *folder, MtRecord *r);  /* all but ranks */
const char *mt_record_time(double when, char buf[32]); /* 2026-11-21T17:21:34Z; "" for NaN; returns buf */

#endif
