/* A field that could not be done: where it was, the last round that could be in the checkpoint, and the state it failed
 * in to look at. */
#include "barrier_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <stdio.h>

/* The group whose state is kept: the first one of those in which work was under way; their number if in none. */
static PetscErrorCode choose_group(const MtBarrier *b, Vec own, int *group) {
  *group = own ? b->team.mine : b->team.ngroups;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, group, 1, MPI_INT, MPI_MIN, b->world));
  return 0;
}

static PetscErrorCode ends_failed(const MtBarrier *b, bool *ends) {
  *ends = b->unrelaxed;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ends, 1, MPI_C_BOOL, MPI_LOR, b->world));
  return 0;
}

static void say(const MtBarrier *b, bool ends) {
  char reason[512], where[64] = "its path could not be begun";
  double B[3], size = mt_barrier_B(b, B);
  snprintf(reason, sizeof reason, "%s", mt_error_message());
  mt_error_clear();
  if (b->now.running > 0)
    snprintf(where, sizeof where, "its path could not be followed beyond round %.0f", b->path.now.rounds);
  else if (ends)
    snprintf(where, sizeof where, "its states could not be relaxed");
  mt_error(MT_ERR_FAIL, "field %d of %d, %g T: %s: %s%s%s%s", (int)b->now.field + 1, b->opt.fields, size, where, reason,
           b->saved_at > 0 ? "; what was before is in " : "", b->saved_at > 0 ? b->folder : "",
           b->saved_at > 0 ? "/checkpoint.h5" : "");
}

PetscErrorCode mt_barrier_failed(MtBarrier *b) {
  int group;
  bool ends;
  double B[3];
  Vec own = b->unrelaxed ? b->unrelaxed : b->path.in_work;
  mt_progress_end();
  PetscCall(choose_group(b, own, &group));
  PetscCall(ends_failed(b, &ends));
  say(b, ends);
  if (group == b->team.ngroups) return mt_agree(b->world, MT_ERR_FAIL);
  mt_barrier_B(b, B);
  if (b->team.mine == group) return mt_agree(b->world, mt_site_failed(&b->site, own, b->now.field, B));
  mt_error_clear(); /* takes the message of the group that kept its state */
  return mt_agree(b->world, 0);
}
