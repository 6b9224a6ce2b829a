/* The dynamics run: from time to time at which something is written, and what is written there.
 *
 * Lines, snapshots, kinks of the field and the end are hit exactly; a checkpoint holds state, potential and the
 * integrator's progress, on which alone the next step depends, so that a run stopped anywhere goes on to the bit. */
#include "dynamics_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double EDGE = 1e-9; /* relative slack with which times on a grid count as equal */

static PetscErrorCode remove_old_files(const MtDynamics *d) {
  static const char *const name[] = {"checkpoint.h5", "checkpoint.h5.prev", "states.h5", "states.xdmf"};
  for (size_t i = 0; d->site.rank == 0 && i < sizeof name / sizeof *name; i++) {
    char *path = mt_path_join(d->site.folder, name[i]);
    unlink(path);
    free(path);
  }
  return 0;
}

static PetscErrorCode make_folder(const MtDynamics *d) {
  char *states = mt_path_join(d->site.folder, "states");
  PetscErrorCode rc = mt_agree_root(d->site.comm, d->site.rank ? 0 : mt_folder_make(states));
  free(states);
  return rc;
}

/* Where the run stands, without a step. */
static PetscErrorCode look(MtDynamics *d) {
  return mt_llg_advance(d->llg, d->report.progress.t, 0, &d->report);
}

/* Where the state cannot be evaluated it is kept for a look.  from NULL: at 0 ns. */
static PetscErrorCode set_off(MtDynamics *d, const MtLlgProgress *from) {
  const double t = from ? from->t : 0;
  PetscErrorCode rc = mt_llg_start(d->llg, d->m, from);
  if (!rc) return look(d);
  if (rc != MT_ERR_FAIL) return rc;
  double B[3];
  mt_time_field_at(&d->field, t, t, B);
  return mt_site_failed(&d->site, d->m, t, B);
}

static PetscErrorCode start(MtDynamics *d, bool found, bool resume) {
  if (found) {
    mt_log("going on from the checkpoint at %.6g ns", d->report.progress.t);
    d->mark.finished = 0;
    MtLlgProgress from = d->report.progress;
    return set_off(d, &from);
  }
  if (resume) mt_log("%s holds no checkpoint: starting at 0 ns", d->site.folder);
  PetscErrorCode rc = remove_old_files(d);
  if (!rc) rc = mt_dynamics_initial(d);
  return rc ? rc : set_off(d, NULL);
}

static PetscErrorCode begin(MtDynamics *d, bool resume) {
  bool found = false;
  PetscErrorCode rc = make_folder(d);
  if (!rc && resume) rc = mt_dynamics_load(d, &found);
  if (!rc) rc = mt_summary_clear(d->site.comm, d->site.folder, "dynamics");
  if (!rc) rc = start(d, found, resume);
  if (!rc) rc = mt_dynamics_csv_open(d);
  if (!rc) rc = mt_dynamics_index(d);
  d->began = mt_wall();
  d->began_at = d->report.progress.t;
  if (rc || found) return rc;
  rc = mt_dynamics_add_row(d);
  return rc ? rc : mt_dynamics_keep(d, false);
}

/* The first point of the grid of `interval` after t. */
static double next_on_grid(double interval, double t) {
  return interval > 0 ? interval * (floor(t / interval * (1 + EDGE) + EDGE) + 1) : INFINITY;
}

static bool on_grid(double interval, double t) {
  return interval > 0 && fabs(t - interval * round(t / interval)) <= EDGE * (t + interval);
}

/* The first of the times listed after t. */
static double next_listed(const MtInput *in, double t) {
  int n = mt_input_count(in, "time.snapshots");
  for (int i = 0; i < n; i++) {
    double at = 1e9 * mt_input_real_at(in, i, "time.snapshots");
    if (at > t * (1 + EDGE)) return at;
  }
  return INFINITY;
}

static bool listed(const MtInput *in, double t) {
  int n = mt_input_count(in, "time.snapshots");
  for (int i = 0; i < n; i++)
    if (fabs(1e9 * mt_input_real_at(in, i, "time.snapshots") - t) <= EDGE * t) return true;
  return false;
}

static double next_stop(const MtDynamics *d) {
  const MtDynamicsOptions *o = &d->opt;
  double t = d->report.progress.t, snapshot = fmin(next_on_grid(o->snapshot_interval, t), next_listed(d->site.in, t));
  double stop = fmin(next_on_grid(o->interval, t), snapshot);
  return stop < o->end * (1 - EDGE) ? stop : o->end; /* no step of a rounding error at the end */
}

static void show_progress(const MtDynamics *d, const MtLlgReport *r, const double mean[3]) {
  char left[32];
  double here = r->progress.t - d->began_at, rest = d->opt.end - r->progress.t;
  mt_progress("t %.6g ns  dt %.3g ps  m %+.4f %+.4f %+.4f  torque %.2e T  %3.0f %%%s%s%s", r->progress.t,
              1e3 * r->progress.dt, mean[0], mean[1], mean[2], r->torque, 100 * r->progress.t / d->opt.end,
              here > 0 ? "  about " : "", here > 0 ? mt_duration((mt_wall() - d->began) * rest / here, left) : "",
              here > 0 ? " left" : "");
}

static PetscErrorCode save_if_due(MtDynamics *d) {
  int due = d->rows.n - d->saved_rows >= d->opt.checkpoint_rows && mt_wall() - d->saved_at >= d->opt.checkpoint_seconds;
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, d->site.comm));
  return due ? mt_dynamics_save(d) : 0;
}

static PetscErrorCode after_step(void *ctx, Vec m, const MtLlgReport *report, bool *stop) {
  MtDynamics *d = ctx;
  double mean[3];
  (void)m;
  d->report = *report;
  PetscCall(mt_dynamics_mean(d, mean));
  show_progress(d, report, mean);
  if (d->opt.interval == 0) {
    PetscErrorCode rc = mt_dynamics_add_row(d);
    if (!rc) rc = save_if_due(d);
    if (rc) return rc;
  }
  *stop = mt_stop_agreed(d->site.comm);
  return 0;
}

/* What the time asks for. */
static PetscErrorCode record(MtDynamics *d) {
  double t = d->report.progress.t;
  PetscErrorCode rc = 0;
  if (d->opt.interval == 0 || on_grid(d->opt.interval, t) || t >= d->opt.end) rc = mt_dynamics_add_row(d);
  if (!rc && (on_grid(d->opt.snapshot_interval, t) || listed(d->site.in, t))) rc = mt_dynamics_keep(d, false);
  return rc;
}

/* The last good state, to go on from and, as a state file, for a look at what went wrong; the error stays the one there
 * was. */
static PetscErrorCode fail(MtDynamics *d, PetscErrorCode rc) {
  if (rc != MT_ERR_FAIL) return rc;
  char *text = strdup(mt_error_message());
  mt_error_clear();
  PetscErrorCode saved = mt_dynamics_keep(d, false);
  if (!saved) saved = mt_dynamics_save(d);
  mt_progress_end();
  mt_error_clear();
  if (!saved)
    mt_error(rc, "%s; the state at %.9g ns is in %s/checkpoint.h5, to look at in %s/states/state_%04d.h5",
             text ? text : "", d->report.progress.t, d->site.folder, d->site.folder, d->states.n);
  else
    mt_error(rc, "%s", text ? text : "");
  free(text);
  return mt_agree(d->site.comm, rc);
}

static PetscErrorCode finish(MtDynamics *d, bool torque) {
  d->mark.finished = torque ? 2 : 1;
  PetscErrorCode rc = mt_dynamics_add_row(d);
  if (!rc) rc = mt_dynamics_keep(d, true);
  if (!rc) rc = mt_dynamics_save(d);
  mt_progress_end();
  return rc;
}

static PetscErrorCode walk(MtDynamics *d, bool *stopped) {
  MtLlgEnd end = d->report.torque < d->opt.torque ? MT_LLG_TORQUE : MT_LLG_TIME;
  *stopped = false;
  while (end == MT_LLG_TIME && d->report.progress.t < d->opt.end) {
    PetscErrorCode rc = mt_llg_advance(d->llg, next_stop(d), d->opt.torque, &d->report);
    if (rc) return fail(d, rc);
    end = d->report.end;
    if (end != MT_LLG_STOPPED) rc = record(d);
    if (!rc && end == MT_LLG_TIME && d->report.progress.t < d->opt.end) rc = save_if_due(d);
    if (rc) return rc;
  }
  if (end != MT_LLG_STOPPED) return finish(d, end == MT_LLG_TORQUE);
  *stopped = true;
  mt_progress_end();
  mt_log("stopped by a signal at %.6g ns", d->report.progress.t);
  return d->report.progress.t > d->saved_t ? mt_dynamics_save(d) : 0;
}

static PetscErrorCode run(MtDynamics *d, bool resume, MtJson *json, bool *stopped) {
  PetscErrorCode rc = mt_llg_set_monitor(d->llg, after_step, d);
  if (!rc) rc = begin(d, resume);
  if (!rc) rc = walk(d, stopped);
  return rc ? rc : mt_dynamics_results(d, json);
}

PetscErrorCode mt_dynamics_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder, bool resume,
                               MtJson *json, bool *stopped) {
  MtDynamics d;
  PetscErrorCode rc = mt_dynamics_open(&d, comm, in, mesh_path, folder);
  if (!rc) {
    mt_phase_begin("time");
    rc = run(&d, resume, json, stopped);
    mt_phase_end("time");
  }
  PetscErrorCode closed = mt_dynamics_close(&d);
  return rc ? rc : closed;
}
