/* The hysteresis run: relax, judge, record, keep, checkpoint, field after field.
 *
 * A step starts from the accepted state (m and potential) and ends in a new accepted state or is rolled back
 * (field_path.c says which).  Whatever ends the process in between loses at most the steps since the last checkpoint,
 * and a continued run repeats them. */
#include "hysteresis.h"
#include "energy_impl.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens curve.csv with the rows there are: what a killed run wrote beyond its checkpoint is cut off. */
static PetscErrorCode csv_begin(MtHysteresis *h) {
  char *path = mt_path_join(h->folder, "curve.csv"), *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  mt_curve_print_header(f, h->curve.more);
  for (int i = 0; i < h->curve.n; i++) mt_curve_print_row(f, h->curve.more, h->opt.minimizer.torque, &h->curve.row[i]);
  fclose(f);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  if (!rc && !(h->csv = fopen(path, "a"))) rc = mt_error(MT_ERR_INPUT, "cannot write to %s", path);
  free(path);
  return rc;
}

static PetscErrorCode csv_add(MtHysteresis *h, const MtCurveRow *row) {
  mt_curve_print_row(h->csv, h->curve.more, h->opt.minimizer.torque, row);
  if (fflush(h->csv) == 0) return 0;
  return mt_error(MT_ERR_DISK, "cannot write to %s/curve.csv: the disk or a quota may be full", h->folder);
}

static PetscErrorCode remove_old_files(const MtHysteresis *h) {
  static const char *const name[] = {"checkpoint.h5", "checkpoint.h5.prev", "switching.h5", "states.h5", "states.xdmf"};
  for (size_t i = 0; h->rank == 0 && i < sizeof name / sizeof *name; i++) {
    char *path = mt_path_join(h->folder, name[i]);
    unlink(path);
    free(path);
  }
  return 0;
}

static double fraction(const MtHysteresis *h) {
  return mt_field_plan_fraction(&h->plan, (int)h->now.branch, &h->now.stepper);
}

/* A run from the beginning, or from its checkpoint. */
static PetscErrorCode begin(MtHysteresis *h, bool resume) {
  bool found = false;
  char *states = mt_path_join(h->folder, "states");
  bool kept = h->opt.states != MT_STATES_NONE || h->plan.kind == MT_BRANCH_REVERSAL;
  PetscErrorCode rc = mt_agree_root(h->comm, h->rank || !kept ? 0 : mt_folder_make(states));
  free(states);
  if (rc) return rc;
  if (resume) PetscCall(mt_checkpoint_read(h, &found));
  PetscCall(mt_summary_clear(h->comm, h->folder, "demag"));
  if (found) {
    mt_log("going on from the checkpoint after field step %d, %.0f %% of the path", h->curve.n - 1, 100 * fraction(h));
  } else {
    if (resume) mt_log("%s holds no checkpoint: starting from the first field", h->folder);
    PetscCall(remove_old_files(h));
    PetscCall(mt_branch_start(h, 0));
  }
  h->began = mt_wall();
  h->began_at = fraction(h);
  PetscCall(mt_states_index(h));
  return mt_agree_root(h->comm, h->rank ? 0 : csv_begin(h));
}

static void count(MtHysteresis *h, const MtMinimizerReport *r, MtCurveRow *row) {
  row->iterations += r->iterations;
  row->evaluations += r->evaluations + r->products;
  row->demag_iterations += (double)r->demag_iterations;
  h->now.iterations += r->iterations;
  h->now.evaluations += r->evaluations;
  h->now.products += r->products;
  h->now.demag_iterations += (double)r->demag_iterations;
  h->now.inner_iterations += (double)r->inner_iterations;
  if (h->u) h->now.demag_spmv = h->spmv_before + mt_poisson_count(h->energy->poisson).spmv;
}

/* first: of its branch, with no field before it. */
static void fill_row(const MtHysteresis *h, const double B[3], const MtTrial *t, bool first, MtCurveRow *row) {
  int k = (int)h->now.stepper.segment;
  const double *along = h->path.segment[k].along;
  row->step = h->curve.n;
  row->branch = h->now.branch;
  row->segment = k;
  row->B_along = mt_picotesla(mt_dot3(B, along));
  row->m = mt_dot3(t->mean, along);
  row->J = row->m * h->Jsat;
  row->torque = t->report.torque;
  row->eigenvalue = t->eigenvalue;
  row->energy[0] = t->report.energy.total / h->volume;
  const double *term = t->report.energy.term;
  for (int i = 0; i < MT_TERM_SURFACE; i++) row->energy[1 + i] = term[i] / h->volume;
  for (int i = 0; i < MT_CURVE_MORE; i++) row->more[i] = term[MT_TERM_SURFACE + i] / h->volume;
  for (int c = 0; c < 3; c++) {
    row->B[c] = B[c];
    row->mean[c] = t->mean[c];
  }
  double dm = row->m - mt_dot3(h->now.mean, along);
  row->event = !first && fabs(dm) > h->opt.event_drop;
}

/* With the mode by which the state before was about to leave, if it left its branch or nobody saw. */
static PetscErrorCode add_event(MtHysteresis *h, MtCurveRow *row, const MtTrial *t, double *eigenvalue) {
  const double *along = h->path.segment[(int)row->segment].along;
  MtMinimizerReport cost;
  if (t->left || !h->opt.flow) {
    PetscCall(mt_event_nucleus(h, t->left, eigenvalue, &cost));
    count(h, &cost, row);
  }
  MtEvent e = {.step = row->step,
               .B_before = mt_picotesla(mt_dot3(h->now.B, along)),
               .B_after = row->B_along,
               .m_before = mt_dot3(h->now.mean, along),
               .m_after = row->m,
               .site = {t->site[0], t->site[1], t->site[2]},
               .region = t->region,
               .nodes = t->nodes,
               .evaluations = row->evaluations,
               .eigenvalue = *eigenvalue};
  return mt_table_add(&h->events, &e);
}

/* The state from which a reversal curve will start, whatever else is kept. */
static PetscErrorCode keep_start(MtHysteresis *h) {
  int branch = mt_branch_here(h);
  if (branch == 0) return 0;
  PetscCall(mt_state_keep(h, h->m, h->curve.n - 1, MT_TAG_REVERSAL, NULL, NAN));
  mt_kept(h, h->kept.n - 1)->starts = branch;
  return 0;
}

/* Which of the states before and after the step are worth a file. */
static PetscErrorCode keep_states(MtHysteresis *h, const MtCurveRow *row, double along_before, double eigenvalue) {
  int last = h->curve.n - 1;
  if (h->opt.states == MT_STATES_NONE) return 0;
  unsigned before = row->event ? MT_TAG_BEFORE : 0, after = row->event ? MT_TAG_AFTER : 0;
  double along_after = mt_dot3(row->mean, h->axis);
  if (!isnan(along_before) && (along_before > 0) != (along_after > 0)) {
    *(fabs(along_before) < fabs(along_after) ? &before : &after) |= MT_TAG_COERCIVITY;
  }
  if (mt_dot3(row->B, row->B) == 0) after |= MT_TAG_REMANENCE;
  if (h->opt.states == MT_STATES_ALL) after |= MT_TAG_STEP;
  if (before)
    PetscCall(mt_state_keep(h, h->m_accepted, last - 1, before, isnan(eigenvalue) ? NULL : h->mode, eigenvalue));
  if (after) PetscCall(mt_state_keep(h, h->m, last, after, NULL, NAN));
  return 0;
}

static void show_progress(const MtHysteresis *h, const MtCurveRow *row) {
  char left[32];
  double done = fraction(h), here = done - h->began_at;
  double seconds = here > 0 ? (mt_wall() - h->began) * (1 - done) / here : NAN;
  mt_progress("mu0 H %+9.4f T  m %+8.5f  %4.0f iterations  %d events  %3.0f %% of the path%s%s%s", row->B_along, row->m,
              row->iterations, h->events.n, 100 * done, here > 0 ? "  about " : "",
              here > 0 ? mt_duration(seconds, left) : "", here > 0 ? " left" : "");
}

static PetscErrorCode save(MtHysteresis *h) {
  int due =
      h->curve.n - h->saved_steps >= h->opt.checkpoint_steps && mt_wall() - h->saved_at >= h->opt.checkpoint_seconds;
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, h->comm));
  return due ? mt_checkpoint_write(h) : 0;
}

static PetscErrorCode take_unconverged(MtHysteresis *h, const MtCurveRow *row, const MtMinimizerReport *r) {
  char place[256];
  h->now.unconverged++;
  PetscCall(mt_energy_place(h->energy, r->worst_node, sizeof place, place));
  mt_warn("field step %d at %g T did not converge: the largest torque is %.3g T after %d iterations, at %s", h->curve.n,
          row->B_along, r->torque, r->iterations, place);
  return 0;
}

/* The trial becomes the accepted state; first: of its branch. */
static PetscErrorCode accept(MtHysteresis *h, const double B[3], const MtTrial *t, bool first, MtCurveRow *row) {
  double along_before = first ? NAN : mt_dot3(h->now.mean, h->axis), eigenvalue = NAN;
  fill_row(h, B, t, first, row);
  if (row->event) PetscCall(add_event(h, row, t, &eigenvalue));
  if (!t->report.converged) PetscCall(take_unconverged(h, row, &t->report));
  if (!first && h->now.branch == 0) PetscCall(mt_switching_update(h, h->now.B, B, row->event != 0));
  PetscCall(mt_curve_add(&h->curve, row));
  PetscCall(mt_agree_root(h->comm, h->rank ? 0 : csv_add(h, row)));
  PetscCall(keep_states(h, row, along_before, eigenvalue));
  PetscCall(keep_start(h));
  PetscCall(mt_trial_accept(h, B, t, !first && !row->event && !t->left));
  memcpy(h->now.mean, t->mean, sizeof h->now.mean);
  show_progress(h, row);
  return 0;
}

static double change_along(const MtHysteresis *h, const MtTrial *t) {
  const double *along = h->path.segment[(int)h->now.stepper.segment].along;
  double dm = mt_dot3(t->mean, along) - mt_dot3(h->now.mean, along);
  /* the relaxation was cut short because of the change: that verdict stands */
  return t->jumped ? INFINITY : dm;
}

/* One accepted step, with the trials it takes.  *more: there is a next one; *stopped: a signal came. */
static PetscErrorCode step(MtHysteresis *h, bool *more, bool *stopped) {
  MtCurveRow row = {0};
  MtTrial trial;
  double B[3];
  bool first = h->now.stepper.s < 0;
  for (;;) {
    *more = mt_stepper_next(&h->path, &h->now.stepper, B);
    if (!*more) return 0;
    PetscCall(mt_trial_run(h, B, &trial));
    *stopped = trial.stopped;
    if (trial.stopped) return 0;
    count(h, &trial.report, &row);
    if (mt_stepper_judge(&h->path, &h->now.stepper, change_along(h, &trial)) == MT_STEP_ACCEPT) break;
    h->now.rollbacks++;
  }
  PetscErrorCode rc = mt_minimizer_judge(h->minimizer, &trial.report);
  return rc ? rc : accept(h, B, &trial, first, &row);
}

static PetscErrorCode finish(MtHysteresis *h) {
  PetscCall(mt_switching_write(h));
  return mt_checkpoint_write(h);
}

/* m has fallen as far as the path was asked to follow it; a reversal curve is walked whole. */
static bool below_stop(const MtHysteresis *h) {
  bool falling = h->plan.kind != MT_BRANCH_REVERSAL || h->now.branch == 0;
  return falling && h->now.stepper.s >= 0 && mt_dot3(h->now.mean, h->axis) < h->opt.stop_below;
}

/* A step that could not be made: where it was, the last accepted state in the checkpoint to go on from, and the state
 * it failed in to look at. */
static PetscErrorCode step_failed(MtHysteresis *h, const MtProgress *accepted) {
  const MtSegment *s = &h->path.segment[(int)h->now.stepper.segment];
  char reason[512];
  double B[3];
  mt_segment_point(s, h->now.stepper.trial, B);
  snprintf(reason, sizeof reason, "%s", mt_error_message());
  mt_progress_end();
  h->now = *accepted;
  bool kept = h->curve.n > 0 && (h->curve.n <= h->saved_steps || !mt_checkpoint_write(h));
  mt_error_clear();
  mt_error(MT_ERR_FAIL, "field step %d, at %g T, could not be made: %s%s%s%s", h->curve.n,
           mt_picotesla(mt_dot3(B, s->along)), reason, kept ? "; the state before it is in " : "",
           kept ? h->folder : "", kept ? "/checkpoint.h5" : "");
  const MtSite site = mt_hysteresis_site(h);
  return mt_site_failed(&site, h->m, h->curve.n, B);
}

/* As far as the branch goes. */
static PetscErrorCode walk_branch(MtHysteresis *h, bool *stopped) {
  for (bool more = !below_stop(h); more; more = !below_stop(h)) {
    /* what the trials of an abandoned step left behind must not reach the checkpoint */
    MtProgress accepted = h->now;
    int rows = h->curve.n;
    PetscErrorCode rc = step(h, &more, stopped);
    if (rc) return rc == MT_ERR_FAIL && h->curve.n == rows ? step_failed(h, &accepted) : rc;
    if (*stopped) h->now = accepted;
    if (*stopped || !more) return 0;
    PetscCall(save(h));
  }
  return 0;
}

static PetscErrorCode walk(MtHysteresis *h, bool *stopped) {
  bool finished = h->now.finished != 0;
  *stopped = false;
  while (!h->now.finished && !*stopped) {
    PetscCall(walk_branch(h, stopped));
    if (!*stopped) PetscCall(mt_branch_next(h));
  }
  mt_progress_end();
  if (!*stopped) return finished ? mt_switching_write(h) : finish(h);
  mt_log("stopped by a signal after %d field steps", h->curve.n);
  return h->curve.n > h->saved_steps ? mt_checkpoint_write(h) : 0;
}

static PetscErrorCode run(MtHysteresis *h, bool resume, MtJson *json, bool *stopped) {
  PetscCall(begin(h, resume));
  PetscCall(walk(h, stopped));
  return mt_hysteresis_results(h, json);
}

PetscErrorCode mt_hysteresis_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder,
                                 bool resume, MtJson *json, bool *stopped) {
  MtHysteresis h;
  PetscErrorCode rc = mt_hysteresis_open(&h, comm, in, mesh_path, folder);
  if (!rc) {
    mt_phase_begin("field path");
    rc = run(&h, resume, json, stopped);
    mt_phase_end("field path");
  }
  PetscErrorCode closed = mt_hysteresis_close(&h);
  return rc ? rc : closed;
}
