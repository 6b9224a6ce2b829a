/* The phase-field run: from time to time at which something is written, and what is written there.  Lines, snapshots
 * and the end are hit exactly. */
#include "evolve_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double EDGE = 1e-9; /* relative slack with which times on a grid count as equal */

static double now(const MtEvolve *e) {
  return e->system->clock->t;
}

/* fields/<what>_<number>.<kind>; false: there was none. */
static bool remove_numbered(const MtEvolve *e, const char *what, int number, const char *kind) {
  char name[64];
  snprintf(name, sizeof name, "fields/%s_%04d.%s", what, number, kind);
  char *path = mt_evolve_path(e, name);
  const bool there = unlink(path) == 0;
  free(path);
  return there;
}

static void remove_old_files(const MtEvolve *e, int kept) {
  static const char *const name[] = {"checkpoint.h5", "checkpoint.h5.prev", "fields.xdmf"};
  bool gone = false;
  for (size_t i = 0; kept == 0 && i < sizeof name / sizeof *name; i++) {
    char *path = mt_evolve_path(e, name[i]);
    unlink(path);
    free(path);
  }
  for (int number = kept + 1; !gone; number++) {
    gone = !remove_numbered(e, "fields", number, "h5");
    remove_numbered(e, "grains", number, "csv"); /* of any model that was here before */
  }
}

static PetscErrorCode make_folder(const MtEvolve *e) {
  char *path = mt_evolve_path(e, "fields");
  PetscErrorCode rc = mt_agree_root(e->comm, e->rank ? 0 : mt_folder_make(path));
  free(path);
  return rc;
}

static PetscErrorCode first_files(MtEvolve *e) {
  mt_phase_begin("lines and files");
  PetscErrorCode rc = mt_evolve_add_row(e);
  if (!rc) rc = mt_evolve_keep(e);
  mt_phase_end("lines and files");
  return rc;
}

static PetscErrorCode last_files(MtEvolve *e) {
  mt_phase_begin("lines and files");
  PetscErrorCode rc = mt_evolve_keep(e);
  if (!rc) rc = mt_evolve_save(e);
  mt_phase_end("lines and files");
  return rc;
}

static PetscErrorCode start(MtEvolve *e, bool resume) {
  bool found = false;
  PetscErrorCode rc = make_folder(e);
  if (!rc && resume) rc = mt_evolve_load(e, &found);
  if (!rc) rc = mt_summary_clear(e->comm, e->folder, "evolve");
  if (rc) return rc;
  if (e->rank == 0) remove_old_files(e, found ? (int)e->mark.fields : 0);
  if (found) {
    mt_log("going on from the checkpoint at %.6g s", now(e));
    e->mark.finished = 0;
  } else {
    if (resume) mt_log("%s holds no checkpoint: starting at 0 s", e->folder);
    rc = e->system->call->start(e->system);
  }
  if (!rc) rc = mt_evolve_csv_open(e);
  e->began = mt_wall();
  e->began_at = now(e);
  return rc || found ? rc : first_files(e);
}

/* The first point of the grid of `interval` after t. */
static double next_on_grid(double interval, double t) {
  return interval > 0 ? interval * (floor(t / interval * (1 + EDGE) + EDGE) + 1) : INFINITY;
}

static bool on_grid(double interval, double t) {
  return interval > 0 && fabs(t - interval * round(t / interval)) <= EDGE * (t + interval);
}

static double next_listed(const MtInput *in, double t) {
  const int n = mt_input_count(in, "evolve.snapshots");
  for (int i = 0; i < n; i++) {
    const double at = mt_input_real_at(in, i, "evolve.snapshots");
    if (at > t * (1 + EDGE)) return at;
  }
  return INFINITY;
}

static bool listed(const MtInput *in, double t) {
  const int n = mt_input_count(in, "evolve.snapshots");
  for (int i = 0; i < n; i++)
    if (fabs(mt_input_real_at(in, i, "evolve.snapshots") - t) <= EDGE * t) return true;
  return false;
}

static double next_stop(const MtEvolve *e) {
  const double t = now(e), snapshot = fmin(next_on_grid(e->opt.snapshot_interval, t), next_listed(e->in, t));
  double stop = fmin(next_on_grid(e->opt.interval, t), snapshot);
  if (e->system->program) stop = fmin(stop, mt_program_corner(e->system->program, t));
  return stop < e->opt.end * (1 - EDGE) ? stop : e->opt.end;
}

static void show_progress(const MtEvolve *e) {
  const MtMarchState *s = e->system->clock;
  char left[32], note[64] = "", energy[48] = "";
  const double here = s->t - e->began_at, rest = e->opt.end - s->t;
  const bool known = here > 0.01 * (here + rest); /* the first steps are the shortest: they tell nothing */
  if (e->system->call->note) e->system->call->note(e->system, note);
  if (!isnan(e->system->energy)) snprintf(energy, sizeof energy, "  energy %.9g J/m3", e->system->energy);
  mt_progress("t %.6g s  dt %.3g s%s%s  step %.0f, rejected %.0f  %3.0f %%%s%s%s", s->t, s->h1, energy, note, s->steps,
              s->rejected, 100 * s->t / e->opt.end, known ? "  about " : "",
              known ? mt_duration((mt_wall() - e->began) * rest / here, left) : "", known ? " left" : "");
}

static PetscErrorCode save_if_due(MtEvolve *e) {
  int due = e->nrows - e->saved_rows >= e->opt.checkpoint_rows && mt_wall() - e->saved_at >= e->opt.checkpoint_seconds;
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, e->comm));
  return due ? mt_evolve_save(e) : 0;
}

/* The last good state, to go on from and, as a file of fields, for a look at what went wrong; the error stays the one
 * there was. */
static PetscErrorCode fail(MtEvolve *e, PetscErrorCode rc) {
  if (rc != MT_ERR_FAIL) return rc;
  char *text = strdup(mt_error_message());
  mt_error_clear();
  PetscErrorCode saved = mt_evolve_keep(e);
  if (!saved) saved = mt_evolve_save(e);
  mt_progress_end();
  mt_error_clear();
  if (!saved)
    mt_error(rc, "%s; the state at %.9g s is in %s/checkpoint.h5, to look at in %s/fields/fields_%04d.h5",
             text ? text : "", now(e), e->folder, e->folder, (int)e->mark.fields);
  else
    mt_error(rc, "%s", text ? text : "");
  free(text);
  return mt_agree(e->comm, rc);
}

/* The two promises: the mean stays, the energy falls but for what the temperature adds. */
static PetscErrorCode watch(MtEvolve *e, double energy_before) {
  MtSystem *s = e->system;
  double mean = s->clock->mean0;
  if (s->call->mean) PetscCall(s->call->mean(s, &mean));
  e->mark.largest_drift = fmax(e->mark.largest_drift, fabs(mean - s->clock->mean0));
  e->mark.largest_rise = fmax(e->mark.largest_rise, s->energy - energy_before - s->heat);
  return 0;
}

static PetscErrorCode record(MtEvolve *e, double stop) {
  const double t = now(e);
  const bool end = t >= e->opt.end, kept = on_grid(e->opt.snapshot_interval, t) || listed(e->in, t);
  PetscErrorCode rc = 0;
  if (e->opt.interval == 0 || t >= stop) rc = mt_evolve_add_row(e);
  if (!rc && (kept || end)) rc = mt_evolve_keep(e);
  if (end) e->mark.finished = 1;
  return rc || end ? rc : save_if_due(e);
}

static PetscErrorCode walk(MtEvolve *e, bool *stopped) {
  *stopped = false;
  while (now(e) < e->opt.end && !*stopped) {
    const double stop = next_stop(e), before = e->system->energy;
    PetscErrorCode rc = e->system->call->step(e->system, stop);
    if (rc) return fail(e, rc);
    PetscCall(watch(e, before));
    show_progress(e);
    mt_phase_begin("lines and files");
    rc = record(e, stop);
    mt_phase_end("lines and files");
    if (rc) return rc;
    *stopped = mt_stop_agreed(e->comm);
  }
  mt_progress_end();
  if (now(e) >= e->opt.end) {
    *stopped = false;
    e->mark.finished = 1;
    return last_files(e);
  }
  mt_log("stopped by a signal at %.6g s", now(e));
  return now(e) > e->saved_t ? mt_evolve_save(e) : 0;
}

PetscErrorCode mt_evolve_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const MtEvolveGiven *given,
                             const char *folder, bool resume, MtJson *json, bool *stopped) {
  MtEvolve e;
  PetscErrorCode rc = mt_evolve_open(&e, comm, in, mesh_path, given, folder);
  if (!rc) rc = mt_evolve_resolved(e.domain, in);
  mt_phase_begin("time");
  if (!rc) rc = start(&e, resume);
  if (!rc) rc = walk(&e, stopped);
  if (!rc) rc = mt_evolve_results(&e, json);
  mt_phase_end("time");
  const PetscErrorCode closed = mt_evolve_close(&e);
  return rc ? rc : closed;
}
