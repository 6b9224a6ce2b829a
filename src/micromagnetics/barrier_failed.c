/* A field that could not be done: where it was, the last round that could be in the checkpoint, and the state it failed
 * in to look at. */
#include "barrier_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <stdio.h>

/* The state to look at, in the group that has it (elsewhere NULL): an end that could not be relaxed, the first one's if
 * both failed, or the highest image of the last whole round.  *relaxed: it is an image. */
static PetscErrorCode find_state(const MtBarrier *b, int *group, bool *relaxed, Vec *m) {
  const MtPath *p = &b->path;
  const int top = mt_path_top(p), image = top > 0 ? top : 0;
  *group = b->unrelaxed ? b->team.mine : b->team.ngroups;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, group, 1, MPI_INT, MPI_MIN, b->world));
  *relaxed = *group == b->team.ngroups;
  if (*relaxed) *group = mt_team_owner(&b->team, p->n, image);
  *m = b->team.mine != *group ? NULL : *relaxed ? p->image[image].m : b->unrelaxed;
  return 0;
}

static void say(const MtBarrier *b, bool relaxed) {
  char reason[512], where[64] = "its states could not be relaxed";
  double B[3], size = mt_barrier_B(b, B);
  snprintf(reason, sizeof reason, "%s", mt_error_message());
  mt_error_clear();
  if (b->now.running > 0)
    snprintf(where, sizeof where, "round %.0f of its path could not be made", b->path.now.rounds);
  else if (relaxed)
    snprintf(where, sizeof where, "its first path could not be made");
  mt_error(MT_ERR_FAIL, "field %d of %d, %g T: %s: %s%s%s%s", (int)b->now.field + 1, b->opt.fields, size, where, reason,
           b->saved_at > 0 ? "; what was before is in " : "", b->saved_at > 0 ? b->folder : "",
           b->saved_at > 0 ? "/checkpoint.h5" : "");
}

PetscErrorCode mt_barrier_failed(MtBarrier *b) {
  int group;
  bool relaxed;
  Vec m;
  double B[3];
  PetscErrorCode rc = MT_ERR_FAIL;
  mt_progress_end();
  PetscCall(find_state(b, &group, &relaxed, &m));
  say(b, relaxed);
  mt_barrier_B(b, B);
  if (m) {
    rc = mt_site_failed(&b->site, m, b->now.field, B);
  } else { /* takes the message of the group that kept the state */
    mt_error_clear();
    rc = 0;
  }
  return mt_agree(b->world, rc);
}
