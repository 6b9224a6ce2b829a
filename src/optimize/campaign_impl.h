/* Inside of a campaign. */
#ifndef OPTIMIZE_CAMPAIGN_IMPL_H
#define OPTIMIZE_CAMPAIGN_IMPL_H

#include "magtwin/campaign.h"
#include "magtwin/evaluation.h"
#include "magtwin/jobs.h"
#include "magtwin/optimize.h"

/* What is known of one point besides the optimizer's trial; its number is its place + 1. */
typedef struct {
  char *by;     /* who proposed it */
  char *reason; /* of a failure; NULL */
  int line;     /* of the database where it was told; 0: not yet */
  int starts;   /* how often it was started */
  char job[32]; /* of SLURM, that was started last; "": none */
} MtRecord;

/* The database as read so far; the same on every rank. */
typedef struct {
  char *path, *lock_path; /* owned */
  long size;              /* bytes read: whole lines */
  int lines;
  bool begun; /* the first line is there */
  int n;
  MtTrial *trial;   /* [n] */
  MtRecord *record; /* [n] */
} MtDatabase;

typedef enum { MT_EVALUATE_HAND, MT_EVALUATE_COMMAND, MT_EVALUATE_RUN } MtEvaluate;

struct MtCampaign {
  char *folder;
  MtSpace space;
  char **key, **unit;          /* [nvars] key of the input of a run, unit behind its values ("" none) */
  MtNumber goal[MT_GOALS_MAX]; /* owned names */
  MtEvaluator evaluator;       /* of the members around it */
  MtProposer proposer;
  double scatter[MT_GOALS_MAX]; /* of the goal about its target or about 0; 0: not given */
  MtEvaluate evaluate;
  char *command;                       /* of evaluate command */
  char *subcommand, *input, *launcher; /* of evaluate run */
  char **more;                         /* overrides of every run, NULL at the end; NULL: not evaluate run */
  int evaluations, parallel;
  bool slurm;                /* an evaluation is a job of its own */
  char *options;             /* of sbatch */
  char *words;               /* input and overrides, for the shell; NULL: none */
  double interval, patience; /* s */
  MtTrial *prior;            /* [proposer.nprior] of a related campaign */
  MtDatabase db;
};

/* database.c */
/* Reads what was appended since the last time.  MT_ERR_INPUT with file:line for a line that makes no sense.
 * Collective. */
PetscErrorCode mt_database_refresh(MPI_Comm comm, MtCampaign *c);
void mt_database_free(MtDatabase *db);
char *mt_database_space(const MtCampaign *c); /* variables and goals in words; the caller frees */

/* database_write.c: rank 0 alone, under the lock */
typedef struct {
  MtLock lock;
} MtWriter;
/* Lock, then refresh, so that the numbers are ours; the first line is written if there is none.  Collective. */
PetscErrorCode mt_database_open(MPI_Comm comm, MtCampaign *c, MtWriter *w);
void mt_database_close(MtWriter *w);
/* One event each, on rank 0 (the others get its code): synced when they return.  What they write is known after the
 * next refresh.  Collective. */
PetscErrorCode mt_database_suggested(MPI_Comm comm, MtCampaign *c, const char *by, const double *x,
                                     const MtProposal *how);
PetscErrorCode mt_database_started(MPI_Comm comm, MtCampaign *c, int trial, long job); /* job: rank 0's; 0: none */
/* y NULL: failed, for this reason. */
PetscErrorCode mt_database_told(MPI_Comm comm, MtCampaign *c, const char *by, int trial, const double *y, double cost,
                                const char *reason);

/* campaign_jobs.c, rank 0: the evaluations that are jobs of SLURM. */
typedef struct {
  MtJobs jobs;  /* of the user, as SLURM told last */
  double asked; /* mt_wall of that; < 0: never */
  bool answers; /* did it? */
  int unbegun;  /* jobs in a row that ended before their evaluation began */
} MtQueue;
typedef struct {
  long number; /* of the job */
  int starts;  /* of the evaluation before it; -1: not known */
  double gone; /* mt_wall since when it is not in the queue; < 0: it is */
} MtJob;
char *mt_campaign_evaluation(const MtCampaign *c, int trial); /* its folder; the caller frees */
/* Looks into the queue when it is time, *answers: SLURM did the last time. */
void mt_queue_look(const MtCampaign *c, MtQueue *q);
typedef enum { MT_JOB_POSTPONED, MT_JOB_FOUND, MT_JOB_SUBMITTED } MtJobTaken;
/* The job of a trial: in the queue or ended already, submitted now, or postponed because SLURM does not answer.
 * MT_ERR_FAIL where it does, and refuses. */
PetscErrorCode mt_job_take(const MtCampaign *c, MtQueue *q, int trial, MtJob *job, MtJobTaken *taken);
/* Is its result still to come?  False when it has ended or is lost. */
bool mt_job_runs(const MtCampaign *c, MtQueue *q, int trial, MtJob *job);
/* Of one without an exit code: *reason why the point has failed, or NULL: it is submitted again.  MT_ERR_FAIL where
 * jobs end before they begin. */
PetscErrorCode mt_job_lost(const MtCampaign *c, MtQueue *q, int trial, const MtJob *job, char **reason);
PetscErrorCode mt_campaign_script(const MtCampaign *c); /* evaluation.slurm, the script of the jobs */
double mt_job_cost(const MtCampaign *c, int trial);     /* seconds of the last start; 0: not known */

/* campaign_run.c: MT_ERR_INPUT where the base input of the runs, their overrides and keys, the command, or the numbers
 * of the goals are not those that the folder was begun with, which base.yaml and evaluation.txt there keep; after
 * a refresh.  begin: evaluations of which nothing has come yet may change, and are kept anew.  Collective. */
PetscErrorCode mt_campaign_same(MPI_Comm comm, const MtCampaign *c, bool begin);
/* one more suggestion in the database; *found false at the end of the space.  Collective. */
PetscErrorCode mt_campaign_propose(MPI_Comm comm, MtCampaign *c, const char *by, bool *found);

/* campaign_table.c */
/* trials.csv beside the database.  Rank 0. */
PetscErrorCode mt_campaign_table(const MtCampaign *c);
/* The best trial so far, -1 if none is done; of several goals mt_front says more. */
int mt_campaign_best(const MtCampaign *c);
/* "thickness=3 Js=0.5"; the caller frees. */
char *mt_campaign_point(const MtCampaign *c, const double *x);
/* "Hc=1.3 Br=1.2"; y NULL: "Hc, Br"; the caller frees. */
char *mt_campaign_values(const MtCampaign *c, const double *y);
/* transfer.c: the trials of another campaign's database, as far as they are done, with the variables and goals of this
 * one -> c->prior.  MT_ERR_INPUT with file:line.  Collective. */
PetscErrorCode mt_campaign_transfer(MPI_Comm comm, MtCampaign *c, const char *path);
/* campaign_posterior.c: object "posterior", where a goal has a scatter. */
void mt_campaign_posterior(const MtCampaign *c, const MtModel *m, MtJson *json);
void mt_campaign_results(const MtCampaign *c, MtJson *json);

#endif
