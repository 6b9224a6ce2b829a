/* Evaluations as jobs of SLURM.
 *
 * The campaign submits a job a point under a name that follows from the campaign's folder and the point's number, and
 * looks for that name in the queue: so a campaign that was killed, even between sbatch and the note of it, finds its
 * jobs again.  A job runs `magtwin optimize INPUT evaluate NUMBER`, which leaves the exit code in the folder of the
 * evaluation and writes nothing to the database; the campaign tells what came out.  What has left the queue without an
 * exit code is lost, and submitted again. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { UNBEGUN = 3 }; /* jobs in a row that end before they begin: then something is wrong with all of them */

char *mt_campaign_evaluation(const MtCampaign *c, int trial) {
  return mt_text("%s/evaluations/%04d", c->folder, trial + 1);
}

static char *script_path(const MtCampaign *c) {
  return mt_text("%s/evaluation.slurm", c->folder);
}

/* Of the folder, wherever the campaign is started from: FNV-1a, a public-domain hash, of its full path. */
static char *job_name(const MtCampaign *c, int trial) {
  char path[PATH_MAX];
  uint32_t hash = 2166136261u;
  const char *text = realpath(c->folder, path);
  for (const char *s = text ? text : c->folder; *s; s++) hash = (hash ^ (unsigned char)*s) * 16777619u;
  return mt_text("magtwin-%08x-%04d", hash, trial + 1);
}

void mt_campaign_called(MtCampaign *c, int nwords, const char *const *words) {
  for (int i = 0; i < nwords; i++) mt_command_add(&c->words, words[i]);
}

PetscErrorCode mt_campaign_script(const MtCampaign *c) {
  if (!mt_jobs_possible())
    return mt_error(MT_ERR_INPUT,
                    "optimize.jobs is slurm, but there is no SLURM here: sbatch and squeue are not in PATH");
  char *run = mt_text("optimize %s evaluate", c->words), *path = script_path(c);
  const MtJobScript job = {
      .what = "One evaluation of a campaign, whose number follows the script; written and submitted by magtwin "
              "optimize with optimize.jobs slurm.",
      .name = "magtwin-evaluation",
      .words = run,
      .first = "$1",
      .last = "$1",
      .step = 1,
      .itself = "$SLURM_JOB_ID"};
  PetscErrorCode rc = mt_jobs_script(path, &job);
  free(run);
  free(path);
  return rc;
}

void mt_queue_look(const MtCampaign *c, MtQueue *q) {
  char *why;
  if (q->asked >= 0 && mt_wall() - q->asked < c->interval) return;
  const bool before = q->answers || q->asked < 0;
  q->answers = mt_jobs_list(&q->jobs, &why);
  if (!q->answers && before) mt_warn("SLURM does not answer (%s): waiting for it", why[0] ? why : "squeue");
  if (q->answers && !before) mt_log("SLURM answers again");
  free(why);
  q->asked = mt_wall();
}

/* Where the folder says no more than that a job of this name is to run. */
static PetscErrorCode submit(const MtCampaign *c, MtQueue *q, int trial, const char *folder, MtJob *job,
                             MtJobTaken *taken) {
  char *name = job_name(c, trial), *script = script_path(c), *log = mt_text("%s/job.log", folder);
  char *number = mt_text("%d", trial + 1);
  PetscErrorCode rc = mt_jobs_submit(script, number, name, log, c->options, &job->number);
  *taken = rc ? MT_JOB_POSTPONED : MT_JOB_SUBMITTED;
  if (rc) { /* refused, or SLURM has just gone? */
    q->asked = -1;
    q->answers = true;
    mt_queue_look(c, q);
    if (!q->answers) {
      mt_error_clear();
      rc = 0;
    }
  }
  if (*taken == MT_JOB_SUBMITTED) q->asked = -1; /* it is not in the queue as seen last */
  free(name);
  free(script);
  free(log);
  free(number);
  return rc;
}

/* A program that could not be started left its exit code: it is tried anew. */
static PetscErrorCode prepare(const char *folder, MtProcessState state, int code) {
  PetscErrorCode rc = mt_folder_make(folder);
  if (rc || state != MT_PROCESS_ENDED || code == MT_EXIT_RESUBMIT) return rc;
  char *path = mt_text("%s/exit_code", folder);
  rc = mt_starts_retry(folder);
  if (!rc) unlink(path);
  free(path);
  return rc;
}

PetscErrorCode mt_job_take(const MtCampaign *c, MtQueue *q, int trial, MtJob *job, MtJobTaken *taken) {
  int code = 0;
  char *folder = mt_campaign_evaluation(c, trial), *name = job_name(c, trial);
  MtProcessState state = mt_process_state(folder, &code);
  MtStarts starts;
  PetscErrorCode rc = 0;
  *job = (MtJob){.number = mt_jobs_find(&q->jobs, name), .starts = -1, .gone = -1};
  *taken = MT_JOB_FOUND;
  if (mt_evaluation_to_start(state, code) && !job->number) {
    mt_starts_read(folder, &starts);
    job->starts = starts.starts;
    rc = prepare(folder, state, code);
    if (!rc) rc = submit(c, q, trial, folder, job, taken);
  } else if (job->number)
    mt_log("evaluation %d is job %ld, submitted by a process before: waiting for it", trial + 1, job->number);
  free(folder);
  free(name);
  return rc;
}

bool mt_job_runs(const MtCampaign *c, MtQueue *q, int trial, MtJob *job) {
  int code = 0;
  char *folder = mt_campaign_evaluation(c, trial), *name = job_name(c, trial);
  const MtProcessState state = mt_process_state(folder, &code);
  const bool over = state == MT_PROCESS_ENDED && code == 0;
  if (!over) mt_queue_look(c, q);
  const bool there = !over && (state == MT_PROCESS_RUNNING || !q->answers || mt_jobs_find(&q->jobs, name));
  /* a failure counts when the job is gone: one that is being ended takes back what its end has made fail */
  const bool failed = state == MT_PROCESS_ENDED && code != MT_EXIT_RESUBMIT && !there;
  free(folder);
  free(name);
  if (there || job->gone < 0) job->gone = there ? -1 : mt_wall();
  return there || (!over && !failed && mt_wall() - job->gone < c->patience);
}

PetscErrorCode mt_job_lost(const MtCampaign *c, MtQueue *q, int trial, const MtJob *job, char **reason) {
  char *folder = mt_campaign_evaluation(c, trial), *last = mt_process_last_line(folder, "job.log");
  MtStarts starts;
  PetscErrorCode rc = 0;
  mt_starts_read(folder, &starts);
  const bool begun = job->starts < 0 || starts.starts > job->starts;
  q->unbegun = begun ? 0 : q->unbegun + 1;
  *reason = mt_starts_reason(&starts);
  if (q->unbegun >= UNBEGUN)
    rc = mt_error(MT_ERR_FAIL,
                  "%d jobs in a row ended before their evaluation began; the last, job %ld of evaluation %d, wrote "
                  "\"%s\" (%s/job.log). That is no failure of a point: mend it and run this again",
                  UNBEGUN, job->number, trial + 1, last, folder);
  else if (!*reason)
    mt_warn("job %ld of evaluation %d has left SLURM's queue without a result%s%s: it is submitted again", job->number,
            trial + 1, last[0] ? ", its last words: " : "", last);
  free(folder);
  free(last);
  return rc;
}

double mt_job_cost(const MtCampaign *c, int trial) {
  char *folder = mt_campaign_evaluation(c, trial);
  MtStarts starts;
  mt_starts_read(folder, &starts);
  free(folder);
  return starts.ended > starts.began ? starts.ended - starts.began : 0;
}

/* ---- in the job */

static void nap(void) {
  nanosleep(&(struct timespec){0, 50000000}, NULL);
}

/* Waits for the end, ours or of one that another process started; a signal is handed on once.  SLURM signals all
 * processes of a job: what ends badly may have had it before us. */
static void attend(const MtCampaign *c, MtProcess *p, bool *signalled) {
  while (mt_process_runs(p)) {
    nap();
    if (!mt_stop_raised() || *signalled) continue;
    mt_process_signal(p, c->evaluate == MT_EVALUATE_RUN ? SIGUSR1 : SIGTERM);
    *signalled = true;
    if (!p->pid) return;
  }
  for (int i = 0; i < 20 && p->code != 0 && !mt_stop_raised(); i++) nap();
  *signalled = *signalled || mt_stop_raised();
}

/* The exit code of the job: of what the folder tells in the end. */
static PetscErrorCode job_code(const char *folder, int number, bool signalled, int *code) {
  int ended = -1;
  char *path = mt_text("%s/exit_code", folder);
  const MtProcessState state = mt_process_state(folder, &ended);
  PetscErrorCode rc = state == MT_PROCESS_ENDED ? mt_evaluation_started(folder, number, ended) : 0;
  *code = state == MT_PROCESS_ENDED ? (ended == 0 || ended == MT_EXIT_RESUBMIT ? ended : 1) : MT_EXIT_RESUBMIT;
  if (signalled && *code == 1) { /* ended by the signal that we handed on: not judged */
    unlink(path);
    *code = MT_EXIT_RESUBMIT;
  }
  free(path);
  return rc;
}

/* Under the lock `claim` of the folder: no other job evaluates this point. */
static PetscErrorCode evaluate_claimed(const MtCampaign *c, int trial, const char *folder, int *code) {
  MtProcess p = {0};
  bool signalled = false;
  int before = 0;
  PetscErrorCode rc = 0;
  MtProcessState state = mt_process_state(folder, &before);
  if (state == MT_PROCESS_RUNNING) { /* it has outlived its job */
    mt_process_adopt(folder, &p);
    attend(c, &p, &signalled);
    mt_process_free(&p);
    state = mt_process_state(folder, &before);
  }
  if (!signalled && mt_evaluation_to_start(state, before)) {
    rc = mt_starts_add(folder, state == MT_PROCESS_ENDED);
    if (!rc) rc = mt_evaluation_start(&c->evaluator, c->db.trial[trial].x, (const char *const *)c->more, folder, &p);
    if (!rc) attend(c, &p, &signalled);
    mt_process_free(&p);
  }
  return rc ? rc : job_code(folder, trial + 1, signalled, code);
}

static PetscErrorCode evaluate(const MtCampaign *c, int trial, int *code) {
  char *folder = mt_campaign_evaluation(c, trial), *path = mt_text("%s/claim.lock", folder), owner[200] = "";
  bool locked = false;
  MtLock lock = {-1};
  PetscErrorCode rc = mt_folder_make(folder);
  if (!rc) rc = mt_lock_take(path, false, &lock, &locked, owner);
  if (!rc && !locked) mt_log("evaluation %d is run by another process (%s): nothing to do", trial + 1, owner);
  if (locked) rc = evaluate_claimed(c, trial, folder, code);
  mt_lock_free(&lock);
  free(folder);
  free(path);
  return rc;
}

PetscErrorCode mt_campaign_evaluate(MPI_Comm comm, MtCampaign *c, int number, int *code) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = mt_database_refresh(comm, c);
  *code = 0;
  if (!rc && c->evaluate == MT_EVALUATE_HAND)
    rc = mt_error(MT_ERR_INPUT, "optimize.evaluate is hand: there is nothing to run");
  if (!rc && (number < 1 || number > c->db.n))
    rc = mt_error(MT_ERR_INPUT, "there is no suggestion %d; %d were made", number, c->db.n);
  if (!rc) rc = mt_campaign_same(comm, c, false);
  if (rc) return rc;
  if (c->db.trial[number - 1].status != MT_TRIAL_WAITING) {
    mt_log("the result of %d was told already: nothing to do", number);
    return 0;
  }
  if (rank == 0) rc = evaluate(c, number - 1, code);
  PetscCall(mt_wait_root(comm, 1, code));
  return mt_agree_root(comm, rc);
}
