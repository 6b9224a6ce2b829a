/* The run of energy barriers: field after field the ends are relaxed, the path between them is, and what it says is
 * taken down; at last the fields at which the barrier is overcome in the asked time.
 *
 * Whatever ends the process in between loses at most the rounds since the last checkpoint, and a continued run repeats
 * them. */
#include "barrier_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static PetscErrorCode remove_old_files(const MtBarrier *b) {
  static const char *const name[] = {"checkpoint.h5", "checkpoint.h5.prev", "states.h5", "states.xdmf", "switching.h5"};
  if (b->rank) return 0;
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
    char *path = mt_path_join(b->folder, name[i]);
    unlink(path);
    free(path);
  }
  mt_site_states_remove(&b->site, 0);
  return 0;
}

static PetscErrorCode begin(MtBarrier *b, bool resume) {
  bool found = false;
  char *states = mt_path_join(b->folder, "states");
  PetscErrorCode rc = mt_agree_root(b->world, b->rank || !b->opt.states ? 0 : mt_folder_make(states));
  free(states);
  if (rc) return rc;
  if (resume) PetscCall(mt_barrier_checkpoint_read(b, &found));
  PetscCall(mt_summary_clear(b->world, b->folder, "barrier"));
  if (found) {
    if (b->rows.n < b->opt.fields * b->opt.starts && (int)b->now.field == b->opt.fields)
      mt_log("going on from the checkpoint with another place to start from");
    else if ((int)b->now.field < b->opt.fields)
      mt_log("going on from the checkpoint: field %d of %d, %.0f rounds of its path", (int)b->now.field + 1,
             b->opt.fields, b->now.running > 0 ? b->path.now.rounds : 0);
    else
      mt_log("all %d fields are done", b->opt.fields);
    if (b->rank == 0) mt_site_states_remove(&b->site, b->kept.n);
  } else {
    if (resume) mt_log("%s holds no checkpoint: starting from the first field", b->folder);
    PetscCall(remove_old_files(b));
    PetscCall(mt_barrier_ends(b));
  }
  return mt_barrier_files(b);
}

static void show_progress(const MtBarrier *b) {
  const MtPath *p = &b->path;
  double B[3], size = mt_barrier_B(b, B), kT = MT_KB * b->opt.temperature;
  int top = mt_path_top(p);
  double E = top > 0 ? (p->E[top].total - p->E[0].total) * MT_JOULE : NAN;
  mt_progress("mu0 H %+9.4f T (%d of %d)  round %3.0f  barrier %.4g J = %.2f kBT  largest torque %.1e of %.1e T", size,
              (int)b->now.field + 1, b->opt.fields, p->now.rounds, E, E / kT, p->now.worst, p->opt.torque);
}

static PetscErrorCode save(MtBarrier *b, bool now) {
  int due = now || (b->path.now.rounds - b->saved_rounds >= b->opt.every_steps &&
                    mt_wall() - b->saved_at >= b->opt.every_seconds);
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, b->world));
  return due ? mt_barrier_checkpoint_write(b) : 0;
}

/* Relaxes the ends and makes the path on which the rounds begin.  *end as in MtBarrierRow. */
static PetscErrorCode start_field(MtBarrier *b, int *end, bool *stopped) {
  const double *at = b->opt.place;
  PetscCall(mt_barrier_relax(b, end, stopped));
  if (*stopped || *end) return 0;
  if (b->opt.starts > 1 && !b->now.usable)
    mt_log("start %d of %d: a nucleus at (%.2f, %.2f, %.2f) nm", 1 + mt_barrier_start_of(b, b->rows.n), b->opt.starts,
           at[0], at[1], at[2]);
  PetscCall(mt_barrier_first_path(b));
  b->now.running = 1;
  return 0;
}

/* Rounds until the path is done. */
static PetscErrorCode relax_path(MtBarrier *b, int *end, bool *stopped) {
  MtPathEnd e = MT_PATH_GOES_ON;
  while (e == MT_PATH_GOES_ON) {
    PetscCall(mt_path_round(&b->path, &e));
    show_progress(b);
    *stopped = mt_stop_agreed(b->world);
    if (*stopped && e == MT_PATH_GOES_ON) return mt_barrier_checkpoint_write(b);
    *stopped = false;
    if (e == MT_PATH_GOES_ON) PetscCall(save(b, false));
  }
  *end = (int)e;
  return 0;
}

/* The path of the field before ends short of this field's saddle and has slid back: a whole one is made. */
static PetscErrorCode renew_path(MtBarrier *b, int *end, bool *stopped) {
  mt_progress_end();
  mt_log("the path of the field before does not reach over the barrier of this one: begun anew");
  b->now.usable = 0;
  PetscCall(mt_barrier_first_path(b));
  return relax_path(b, end, stopped);
}

static PetscErrorCode one_field(MtBarrier *b, bool *stopped) {
  int end = 0;
  *stopped = false;
  if (!b->now.running) PetscCall(start_field(b, &end, stopped));
  if (!*stopped && !end) PetscCall(relax_path(b, &end, stopped));
  if (!*stopped && end == MT_PATH_NO_BARRIER && mt_path_inherited(&b->path)) PetscCall(renew_path(b, &end, stopped));
  if (*stopped) return 0;
  mt_progress_end();
  PetscCall(mt_agree(b->world, mt_barrier_record(b, end)));
  b->now.running = 0;
  b->now.field++;
  b->saved_rounds = 0;
  return 0;
}

/* Whether there is a field to do: the next one, or the first one again from another place. */
static PetscErrorCode next_field(MtBarrier *b, bool *more) {
  *more = (int)b->now.field < b->opt.fields;
  if (*more || b->rows.n >= b->opt.fields * b->opt.starts) return 0;
  *more = true;
  b->now.field = b->now.usable = 0;
  return mt_barrier_ends(b);
}

static PetscErrorCode walk(MtBarrier *b, bool *stopped) {
  *stopped = false;
  for (;;) {
    bool more;
    PetscCall(next_field(b, &more));
    if (!more) return 0;
    PetscErrorCode rc = one_field(b, stopped);
    if (rc) return rc == MT_ERR_FAIL ? mt_barrier_failed(b) : rc;
    if (!*stopped) {
      PetscCall(mt_barrier_files(b));
      PetscCall(save(b, true));
      *stopped = b->rows.n < b->opt.fields * b->opt.starts && mt_stop_agreed(b->world);
    }
    if (!*stopped) continue;
    mt_progress_end();
    mt_log("stopped by a signal with %d of %d paths done", b->rows.n, b->opt.fields * b->opt.starts);
    return 0;
  }
}

static PetscErrorCode run(MtBarrier *b, bool resume, MtJson *json, bool *stopped) {
  PetscCall(begin(b, resume));
  PetscCall(walk(b, stopped));
  return mt_barrier_results(b, json);
}

PetscErrorCode mt_barrier_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder, bool resume,
                              MtJson *json, bool *stopped, int *missing) {
  MtBarrier b;
  *missing = 0;
  PetscErrorCode rc = mt_barrier_open(&b, comm, in, mesh_path, folder);
  if (!rc) {
    mt_phase_begin("paths");
    rc = run(&b, resume, json, stopped);
    mt_phase_end("paths");
    if (!rc) *missing = mt_barrier_missing(&b);
  }
  PetscErrorCode closed = mt_barrier_close(&b);
  return rc ? rc : closed;
}
