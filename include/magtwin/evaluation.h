/* One evaluation of a point by a program, in a folder of its own: a run of magtwin with some keys overridden, or a
 * command.  Rank 0 alone; nothing here is collective.
 */
#ifndef MAGTWIN_EVALUATION_H
#define MAGTWIN_EVALUATION_H

#include "magtwin/process.h"
#include "magtwin/space.h"

/* Runs that may be evaluations: those that --resume continues, and those that are begun anew with --force. */
#define MT_RUNS_RESUMED "demag|dynamics|barrier|evolve|topology"
#define MT_RUNS_ANEW "generate|reconstruct|mesh|texture|unmix|peaks|pca|landscape"

typedef struct {
  const char *name;
  const char *number; /* path of the number in the folder's summary.json; NULL: the last line of what is printed */
} MtNumber;

typedef struct {
  const MtSpace *space;
  char *const *key, *const *unit; /* [nvars] key of the input, unit behind its values ("" none) */
  const char *command;            /* with {name} and {folder}; NULL: a run of magtwin */
  const char *subcommand, *input, *launcher;
  const char *before; /* "evolve": run first, with the same input and values, in folder/evolve; its last field and its
                         mesh go to the subcommand; NULL: nothing */
} MtEvaluator;

/* "key=value" of a run at x: [nvars + 1] malloc'ed strings, NULL at the end, in a malloc'ed array. */
char **mt_evaluation_overrides(const MtEvaluator *e, const double *x);
/* Starts the evaluation of x in `folder`, made if missing; more: further overrides, NULL at its end, or NULL.  A run
 * continues from the checkpoint that it finds there, if it is of a kind that has any. */
PetscErrorCode mt_evaluation_start(const MtEvaluator *e, const double *x, const char *const *more, const char *folder,
                                   MtProcess *p);
/* What a folder tells: is its evaluation to be started, for the first time or again?  It was never begun, was killed,
 * has stopped after a checkpoint, or its program could not be started: the shell's exit codes 126 and 127, for which no
 * point can be blamed. */
bool mt_evaluation_to_start(MtProcessState state, int code);
/* MT_ERR_FAIL, with the shell's words, where the program of evaluation or point `number` could not be started. */
PetscErrorCode mt_evaluation_started(const char *folder, int number, int code);
/* Numbers [n] of one that has ended with this exit code (< 0: without a record); NaN for one that is null.  *reason
 * (malloc'ed, else NULL): why it failed.  MT_ERR_INPUT when a good run has not written a number at all. */
PetscErrorCode mt_evaluation_result(const char *folder, int code, int n, const MtNumber *number, double *y,
                                    char **reason);
/* {name} in a command that is neither a variable nor the folder -> name; false: none. */
bool mt_evaluation_unknown(const MtSpace *s, const char *command, char name[100]);

/* What the folder of a point or an evaluation remembers of its starts: the file `starts` there, a line a start. */
typedef struct {
  int starts;                          /* of all time */
  int unended;                         /* in a row, up to now, that left no exit code, or the one at work */
  int ranks;                           /* 0: not known */
  double began, ended;                 /* the last one, seconds since 1970; NaN: not known */
  char version[32], host[64], job[64]; /* of the last one; "": not known, or no job */
} MtStarts;
PetscErrorCode mt_starts_add(const char *folder, bool continued); /* a start more; MT_ERR_DISK, MT_ERR_INPUT */
PetscErrorCode mt_starts_retry(const char *folder);               /* what was before failed and is done with */
void mt_starts_read(const char *folder, MtStarts *r);             /* all but ranks */
char *mt_starts_reason(const MtStarts *r); /* of a failure, where all of the last starts were killed; else NULL; the
                                            * caller frees */
const char *mt_starts_time(double when, char buf[32]); /* 2026-11-21T17:21:34Z; "" for NaN; returns buf */

char *mt_text(const char *format, ...) __attribute__((format(printf, 1, 2))); /* malloc'ed */

#endif
