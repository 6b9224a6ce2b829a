/* magtwin invert: from start to results. */
#include "magtwin/run.h"
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void remove_old_files(const MtInvert *v) {
  static const char *const name[] = {"checkpoint.h5", "checkpoint.h5.prev", "snapshots.h5", "parameters.csv",
                                     "taylor.csv"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
    char *path = mt_invert_path(v, name[i]);
    unlink(path);
    free(path);
  }
}

static PetscErrorCode open_groups(MtInvert *v) {
  int size;
  PetscCallMPI(MPI_Comm_size(v->comm, &size));
  v->ngroups = v->opt.method != MT_INVERT_ENSEMBLE ? 1 : v->opt.groups ? v->opt.groups : size;
  if (size % v->ngroups)
    return mt_input_error(v->in, "invert.groups", "%d groups cannot be made of %d ranks", v->ngroups, size);
  if (v->opt.method == MT_INVERT_ENSEMBLE && v->ngroups > v->opt.members)
    return mt_input_error(v->in, "invert.members", "are %d, fewer than the %d groups of ranks", v->opt.members,
                          v->ngroups);
  const int each = size / v->ngroups;
  v->mine = v->rank / each;
  PetscCallMPI(MPI_Comm_split(v->comm, v->mine, v->rank, &v->group));
  PetscCallMPI(MPI_Comm_split(v->comm, v->rank % each, v->rank, &v->cross));
  return 0;
}

static PetscErrorCode open_run(MtInvert *v, const char *mesh_path) {
  mt_invert_options(v->in, &v->opt);
  PetscErrorCode rc = open_groups(v);
  if (rc) return rc;
  mt_phase_begin("read");
  rc = mt_agree(v->comm, mt_twin_open(&v->twin, v->group, v->in, mesh_path));
  mt_phase_end("read");
  if (rc) return rc;
  if (v->opt.method == MT_INVERT_ENSEMBLE)
    v->member = mt_calloc((size_t)v->opt.members * (size_t)v->twin.n, sizeof *v->member);
  mt_log("%d snapshots of %.0f values, %d parameters, %lld nodes", v->twin.seen.n, v->twin.seen.count, v->twin.n,
         (long long)v->twin.domain->n_global);
  return 0;
}

static PetscErrorCode start(MtInvert *v, bool resume) {
  bool found = false;
  PetscErrorCode rc = resume ? mt_invert_load(v, &found) : 0;
  if (!rc) rc = mt_summary_clear(v->comm, v->folder, "invert");
  if (rc) return rc;
  if (found)
    mt_log("going on from the checkpoint at iteration %.0f", v->mark.iteration);
  else if (v->rank == 0)
    remove_old_files(v);
  if (resume && !found) mt_log("%s holds no checkpoint: starting anew", v->folder);
  rc = mt_invert_csv_open(v);
  if (v->opt.taylor && v->twin.forward) mt_warn("invert.taylor_test is left out: an ensemble has no gradient");
  if (!rc && !found && v->opt.taylor && !v->twin.forward) rc = mt_invert_taylor(v);
  return rc;
}

/* The model at the estimate, on steps of its own, and what is written of it. */
static PetscErrorCode finish(MtInvert *v, const MtPosterior *p, MtJson *json) {
  Vec *predicted;
  double misfit = 0;
  PetscCall(VecDuplicateVecs(v->twin.start, v->twin.seen.n, &predicted));
  PetscErrorCode rc = mt_twin_set(&v->twin, v->mark.theta);
  if (!rc) rc = mt_agree(v->comm, mt_twin_record(&v->twin, &misfit, predicted));
  v->mark.finished = 1;
  if (!rc) rc = mt_invert_results(v, v->mark.theta, p, misfit, predicted, json);
  if (!rc) rc = mt_invert_save(v);
  const PetscErrorCode freed = VecDestroyVecs(v->twin.seen.n, &predicted);
  return rc ? rc : freed;
}

static void tell(const MtInvert *v, const MtPosterior *p) {
  for (int i = 0; i < v->twin.n; i++) {
    const MtUnknown *u = &v->twin.unknown[i];
    const double theta = v->mark.theta[i];
    mt_log("  %-34s %.6g +- %.2g %s", u->name, mt_unknown_value(u, theta), p->deviation[i] * mt_unknown_slope(u, theta),
           u->unit);
  }
}

static PetscErrorCode close_run(MtInvert *v) {
  if (v->csv) fclose(v->csv);
  free(v->row);
  free(v->member);
  PetscCall(mt_twin_close(&v->twin));
  if (v->ngroups == 0) return 0;
  if (v->group != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&v->group));
  if (v->cross != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&v->cross));
  return 0;
}

PetscErrorCode mt_invert_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder, bool resume,
                             MtJson *json, bool *stopped) {
  MtInvert v = {.comm = comm, .in = in, .folder = folder, .group = MPI_COMM_NULL, .cross = MPI_COMM_NULL};
  MtPosterior p = {0};
  *stopped = false;
  PetscCallMPI(MPI_Comm_rank(comm, &v.rank));
  PetscErrorCode rc = open_run(&v, mesh_path);
  if (!rc) rc = start(&v, resume);
  mt_phase_begin("search");
  if (!rc)
    rc = v.opt.method == MT_INVERT_ENSEMBLE ? mt_invert_ensemble(&v, &p, stopped) : mt_invert_search(&v, &p, stopped);
  mt_phase_end("search");
  if (!rc && *stopped) mt_log("stopped by a signal at iteration %.0f", v.mark.iteration);
  if (!rc && !*stopped) rc = finish(&v, &p, json);
  if (!rc && !*stopped) tell(&v, &p);
  const PetscErrorCode closed = close_run(&v);
  return rc ? rc : closed;
}
