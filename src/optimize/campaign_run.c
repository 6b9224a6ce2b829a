/* Running a campaign: points are proposed, evaluated by programs, several at a time, and told, until enough are.
 *
 * Rank 0 starts and watches the programs; the others sleep until there is something to propose together.  All that is
 * decided comes from the database and the folders of the evaluations, so that a campaign killed anywhere goes on where
 * it was: a point that waits is evaluated under its number, one that ended meanwhile is told, one that still runs (it
 * may outlive us) is waited for. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/kept.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct {
  int trial;         /* -1: empty */
  MtProcess process; /* without SLURM */
  MtJob job;         /* with it */
  double since;      /* s, mt_wall; < 0: not known */
} Slot;

typedef enum { WAIT, NEXT, TELL, END, STOP } Action;

typedef struct {
  MPI_Comm comm;
  int rank;
  MtCampaign *c;
  Slot *slot; /* [parallel]; rank 0's know the processes, the trials are the same everywhere */
  bool exhausted, signalled;
  MtQueue queue;
} Runner;

static int told_trials(const MtCampaign *c) {
  int n = 0;
  for (int i = 0; i < c->db.n; i++) n += c->db.trial[i].status != MT_TRIAL_WAITING;
  return n;
}

static int running(const Runner *r) {
  int n = 0;
  for (int k = 0; k < r->c->parallel; k++) n += r->slot[k].trial >= 0;
  return n;
}

/* The first waiting trial that nobody evaluates; -1. */
static int idle_trial(const Runner *r) {
  for (int i = 0; i < r->c->db.n; i++) {
    bool busy = r->c->db.trial[i].status != MT_TRIAL_WAITING;
    for (int k = 0; k < r->c->parallel && !busy; k++) busy = r->slot[k].trial == i;
    if (!busy) return i;
  }
  return -1;
}

/* Evaluations so far that have not all failed, or too few to say. */
static bool hopeless(const MtCampaign *c) {
  int told = told_trials(c), done = 0;
  for (int i = 0; i < c->db.n; i++) done += c->db.trial[i].status == MT_TRIAL_DONE;
  return !done && told >= c->proposer.initial && told >= 5;
}

static void hand_on_signal(Runner *r) {
  for (int k = 0; k < r->c->parallel && !r->signalled; k++)
    if (r->slot[k].trial >= 0)
      mt_process_signal(&r->slot[k].process, r->c->evaluate == MT_EVALUATE_RUN ? SIGUSR1 : SIGTERM);
  r->signalled = true;
}

static bool slot_runs(Runner *r, int k) {
  Slot *s = &r->slot[k];
  return r->c->slurm ? mt_job_runs(r->c, &r->queue, s->trial, &s->job) : mt_process_runs(&s->process);
}

/* Jobs go on by themselves; processes are told. */
static Action decide_to_stop(Runner *r) {
  if (r->c->slurm) return STOP;
  hand_on_signal(r);
  return running(r) ? WAIT : STOP;
}

/* What to do next, and on which slot.  Rank 0. */
static Action decide(Runner *r, int *slot) {
  int free_slot = -1;
  if (r->c->slurm) mt_queue_look(r->c, &r->queue);
  for (int k = 0; k < r->c->parallel; k++) {
    *slot = k;
    if (r->slot[k].trial >= 0 && !slot_runs(r, k)) return TELL;
    if (r->slot[k].trial < 0 && free_slot < 0) free_slot = k;
  }
  *slot = free_slot;
  if (mt_stop_raised()) return decide_to_stop(r);
  bool more = idle_trial(r) >= 0 || (r->c->db.n < r->c->evaluations && !r->exhausted);
  if (more && !hopeless(r->c)) return free_slot >= 0 && (!r->c->slurm || r->queue.answers) ? NEXT : WAIT;
  return running(r) ? WAIT : END;
}

/* Waits asleep until something is to be done; the same on every rank. */
static PetscErrorCode agree_action(Runner *r, Action *action, int *slot) {
  int both[2] = {WAIT, 0};
  while (r->rank == 0 && both[0] == WAIT) {
    both[0] = decide(r, &both[1]);
    if (both[0] == WAIT) nanosleep(&(struct timespec){0, r->c->slurm ? 200000000 : 20000000}, NULL);
  }
  PetscCall(mt_wait_root(r->comm, 2, both));
  *action = (Action)both[0];
  *slot = both[1];
  return 0;
}

/* One more suggestion in the database; *found false at the end of the space. */
static PetscErrorCode propose(MPI_Comm comm, MtCampaign *c, const char *by, bool *found) {
  MtProposal how;
  double *x = mt_malloc(sizeof *x * (size_t)c->space.nvars);
  mt_phase_begin("proposals");
  PetscErrorCode rc = mt_propose(comm, &c->space, &c->proposer, c->db.n, c->db.trial, x, &how);
  mt_phase_end("proposals");
  *found = !rc && !how.exhausted;
  if (*found) rc = mt_database_suggested(comm, c, by, x, &how);
  free(x);
  return rc;
}

PetscErrorCode mt_campaign_propose(MPI_Comm comm, MtCampaign *c, const char *by, bool *found) {
  MtWriter w;
  PetscErrorCode rc = mt_database_open(comm, c, &w);
  if (rc) return rc;
  rc = propose(comm, c, by, found);
  mt_database_close(&w);
  return rc;
}

/* Rank 0: starts trial i in the slot, or finds it running or ended already. */
static PetscErrorCode start_process(const MtCampaign *c, Slot *s, int i, bool *started) {
  int code = 0;
  char *folder = mt_campaign_evaluation(c, i);
  MtProcessState state = mt_process_state(folder, &code);
  PetscErrorCode rc = 0;
  *started = mt_evaluation_to_start(state, code);
  if (*started)
    rc = mt_evaluation_start(&c->evaluator, c->db.trial[i].x, (const char *const *)c->more, folder, &s->process);
  else
    mt_process_adopt(folder, &s->process);
  if (!*started && state == MT_PROCESS_RUNNING)
    mt_log("evaluation %d still runs, started by a process before: waiting for it", i + 1);
  free(folder);
  return rc;
}

/* Puts trial i into slot k, unless SLURM takes no job now. */
static PetscErrorCode occupy(Runner *r, int k, int i) {
  MtCampaign *c = r->c;
  Slot *s = &r->slot[k];
  int told[2] = {0, 1}; /* started, and in the slot */
  PetscErrorCode rc = 0;
  if (r->rank == 0) {
    bool started = false;
    MtJobTaken taken = MT_JOB_FOUND;
    rc = c->slurm ? mt_job_take(c, &r->queue, i, &s->job, &taken) : start_process(c, s, i, &started);
    told[0] = started || taken == MT_JOB_SUBMITTED;
    told[1] = taken != MT_JOB_POSTPONED;
  }
  rc = mt_agree_root(r->comm, rc);
  if (rc) return rc;
  PetscCallMPI(MPI_Bcast(told, 2, MPI_INT, 0, r->comm));
  if (told[1]) s->trial = i;
  s->since = told[0] ? mt_wall() : -1;
  if (!told[0]) return 0;
  MtWriter w;
  rc = mt_database_open(r->comm, c, &w);
  if (!rc) rc = mt_database_started(r->comm, c, i, c->slurm ? s->job.number : 0);
  mt_database_close(&w);
  return rc;
}

static PetscErrorCode next(Runner *r, int slot) {
  bool found = true;
  int i = idle_trial(r);
  if (i < 0) {
    PetscErrorCode rc = mt_campaign_propose(r->comm, r->c, "magtwin", &found);
    if (rc) return rc;
    r->exhausted = !found;
    i = idle_trial(r);
  }
  return i < 0 ? 0 : occupy(r, slot, i);
}

static void tell_person(const MtCampaign *c, int i) {
  const MtTrial *t = &c->db.trial[i];
  char *point = mt_campaign_point(c, t->x), *values = mt_campaign_values(c, t->y);
  int best = mt_campaign_best(c);
  if (t->status == MT_TRIAL_FAILED)
    mt_log("%4d  %s  failed: %s", i + 1, point, c->db.record[i].reason ? c->db.record[i].reason : "");
  else
    mt_log("%4d  %s  %s%s", i + 1, point, values, c->proposer.ngoals == 1 && best == i ? "  best so far" : "");
  free(values);
  free(point);
}

/* Rank 0.  The exit code, -1 without one; resubmit: stopped after a checkpoint, ended by the signal that we handed on,
 * or lost with its job, to be started again: no fault of the point. */
static PetscErrorCode ending(Runner *r, const Slot *s, const char *folder, int *code, char **reason, int *resubmit) {
  PetscErrorCode rc = 0;
  *code = -1;
  const bool ended = mt_process_state(folder, code) == MT_PROCESS_ENDED;
  if (!ended) *code = r->c->slurm ? -1 : s->process.code;
  *resubmit = *code == MT_EXIT_RESUBMIT || (r->signalled && *code != 0);
  if (!ended && r->c->slurm) {
    rc = mt_job_lost(r->c, &r->queue, s->trial, &s->job, reason);
    *resubmit = !*reason;
  }
  return rc ? rc : mt_evaluation_started(folder, s->trial + 1, *code);
}

/* Outcome on rank 0: y, or why it failed. */
static PetscErrorCode outcome(Runner *r, int slot, double *y, char **reason, int *resubmit) {
  int code;
  const MtProposer *p = &r->c->proposer;
  char *folder = mt_campaign_evaluation(r->c, r->slot[slot].trial);
  PetscErrorCode rc = ending(r, &r->slot[slot], folder, &code, reason, resubmit);
  if (!rc && !*resubmit && !*reason) rc = mt_evaluation_result(folder, code, p->ngoals, r->c->goal, y, reason);
  for (int g = 0; !rc && !*resubmit && !*reason && g < p->ngoals; g++) /* a curve without a coercive field */
    if (isnan(y[g])) *reason = mt_text("%s is not defined", r->c->goal[g].number);
  free(folder);
  return rc;
}

static double cost_of(const Runner *r, const Slot *s) {
  if (r->c->slurm) return r->rank ? 0 : mt_job_cost(r->c, s->trial); /* without the time in the queue */
  return s->since >= 0 ? mt_wall() - s->since : 0;
}

static PetscErrorCode tell(Runner *r, int slot) {
  Slot *s = &r->slot[slot];
  double y[MT_GOALS_MAX] = {0}, cost = cost_of(r, s);
  char *reason = NULL;
  int i = s->trial, resubmit = 0, failed = 0;
  MtWriter w;
  PetscErrorCode rc = mt_agree_root(r->comm, r->rank ? 0 : outcome(r, slot, y, &reason, &resubmit));
  failed = reason != NULL;
  mt_process_free(&s->process);
  s->trial = -1;
  if (rc) return rc;
  PetscCallMPI(MPI_Bcast(&resubmit, 1, MPI_INT, 0, r->comm));
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, r->comm));
  if (resubmit) return 0;
  rc = mt_database_open(r->comm, r->c, &w);
  bool known = !rc && r->c->db.trial[i].status != MT_TRIAL_WAITING; /* a person was faster */
  if (!rc && !known) rc = mt_database_told(r->comm, r->c, "magtwin", i, failed ? NULL : y, cost, reason);
  mt_database_close(&w);
  if (!rc && r->rank == 0) rc = mt_campaign_table(r->c);
  rc = mt_agree_root(r->comm, rc);
  if (!rc) tell_person(r->c, i);
  free(reason);
  return rc;
}

/* The points with the smallest and the largest values: what the runs refuse there, they would refuse later. */
PetscErrorCode mt_campaign_check_runs(MtCampaign *c, MtRunCheck check) {
  double *x = mt_malloc(sizeof *x * (size_t)c->space.nvars);
  PetscErrorCode rc = 0;
  for (int k = 0; k < 2 && !rc && c->evaluate == MT_EVALUATE_RUN; k++) {
    for (int i = 0; i < c->space.nvars; i++) x[i] = k ? c->space.var[i].max : c->space.var[i].min;
    char **overrides = mt_evaluation_overrides(&c->evaluator, x);
    int n = c->space.nvars, more = 0;
    while (c->more[more]) more++;
    overrides = mt_realloc(overrides, sizeof *overrides * (size_t)(n + more + 1));
    for (int i = 0; i < more; i++) overrides[n++] = mt_text("%s", c->more[i]);
    overrides[n++] = mt_text("output.folder=%s", c->folder);
    rc = check(c->subcommand, c->input, n, overrides);
    for (int i = 0; i < n; i++) free(overrides[i]);
    free(overrides);
  }
  free(x);
  return rc;
}

static PetscErrorCode loop(Runner *r, bool *stopped) {
  Action action = WAIT;
  int slot = 0;
  PetscErrorCode rc = 0;
  while (!rc && action != END && action != STOP) {
    rc = agree_action(r, &action, &slot);
    if (!rc && action == NEXT) rc = next(r, slot);
    if (!rc && action == TELL) rc = tell(r, slot);
  }
  *stopped = action == STOP;
  if (rc || action != END) return rc;
  if (hopeless(r->c))
    return mt_error(MT_ERR_FAIL, "all of the first %d evaluations failed; the last: %s. See %s/evaluations",
                    told_trials(r->c), r->c->db.record[r->c->db.n - 1].reason, r->c->folder);
  if (r->exhausted) mt_log("every point of the space has been evaluated");
  return 0;
}

/* One process runs a campaign. */
static PetscErrorCode take_campaign(MPI_Comm comm, const MtCampaign *c, MtLock *lock) {
  int rank;
  bool locked = true;
  char owner[200] = "";
  PetscErrorCode rc = 0;
  lock->fd = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    char *path = mt_text("%s/run.lock", c->folder);
    rc = mt_lock_take(path, false, lock, &locked, owner);
    if (!rc && !locked)
      rc = mt_error(MT_ERR_INPUT, "%s is run by another process (%s); add points to it with suggest and tell, or wait",
                    c->folder, owner[0] ? owner : "unknown");
    free(path);
  }
  return mt_agree_root(comm, rc);
}

/* All that decides what an evaluation gives: other than this, what it has told would not belong together. */
static char *question(const MtCampaign *c) {
  char *text = c->command ? mt_text("%s\n", c->command) : mt_text("magtwin %s\n", c->subcommand), *more;
  for (int i = 0; c->more && c->more[i]; i++, free(text), text = more) more = mt_text("%s%s\n", text, c->more[i]);
  for (int i = 0; !c->command && i < c->space.nvars; i++, free(text), text = more)
    more =
        mt_text("%s%s sets %s%s%s\n", text, c->space.var[i].name, c->key[i], c->unit[i][0] ? " in " : "", c->unit[i]);
  for (int g = 0; g < c->proposer.ngoals; g++, free(text), text = more)
    more = mt_text("%s%s is %s\n", text, c->goal[g].name, c->goal[g].number ? c->goal[g].number : "printed");
  return text;
}

PetscErrorCode mt_campaign_same(MPI_Comm comm, const MtCampaign *c, bool begin) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    char *base = c->input ? mt_kept_file(c->input) : NULL, *text = question(c);
    if (base) rc = mt_kept_same(c->folder, "base.yaml", base, "a campaign", "another base input", c->input);
    if (begin && !told_trials(c)) mt_kept_forget(c->folder, "evaluation.txt"); /* mended before anything came of it */
    if (!rc) rc = mt_kept_same(c->folder, "evaluation.txt", text, "a campaign", "other evaluations", "the input");
    free(base);
    free(text);
  }
  return mt_agree_root(comm, rc);
}

/* On an error nothing is left running that would be started twice: the locks of the folders tell. */
PetscErrorCode mt_campaign_run(MPI_Comm comm, MtCampaign *c, MtJson *json, bool *stopped) {
  Runner r = {.comm = comm, .c = c, .queue.asked = -1};
  MtLock lock;
  if (c->evaluate == MT_EVALUATE_HAND)
    return mt_error(MT_ERR_INPUT, "optimize.evaluate is hand: use suggest, do the experiment, and tell its result");
  PetscErrorCode rc = take_campaign(comm, c, &lock);
  if (rc) return rc;
  PetscCallMPI(MPI_Comm_rank(comm, &r.rank));
  r.slot = mt_calloc((size_t)c->parallel, sizeof *r.slot);
  for (int k = 0; k < c->parallel; k++) r.slot[k].trial = -1;
  rc = mt_database_refresh(comm, c);
  if (!rc) rc = mt_campaign_same(comm, c, true);
  if (!rc && c->slurm) rc = mt_agree_root(comm, r.rank ? 0 : mt_campaign_script(c));
  if (!rc) rc = loop(&r, stopped);
  if (!rc) mt_campaign_results(c, json);
  for (int k = 0; k < c->parallel; k++) mt_process_free(&r.slot[k].process);
  mt_jobs_free(&r.queue.jobs);
  free(r.slot);
  mt_lock_free(&lock);
  return rc;
}
