/* The multigrid cycle as a preconditioner of PETSc's, and its options. */
#include "multigrid_impl.h"

/* What a preconditioner of this kind keeps. */
typedef struct {
  MtMultigrid *mg; /* NULL: the library's own cycle instead */
  PC library;
} Shell;

static PetscErrorCode shell_empty(Shell *s) {
  PetscCall(mt_multigrid_destroy(&s->mg));
  return PCDestroy(&s->library);
}

static PetscErrorCode shell_set_up(PC pc) {
  Shell *s;
  Mat A;
  const char *prefix;
  PetscCall(PCShellGetContext(pc, &s));
  PetscCall(shell_empty(s));
  PetscCall(PCGetOperators(pc, NULL, &A));
  PetscCall(PCGetOptionsPrefix(pc, &prefix));
  PetscCall(mt_multigrid_create(A, prefix, &s->mg));
  return s->mg ? 0 : mt_multigrid_library(A, prefix, &s->library);
}

static PetscErrorCode shell_apply(PC pc, Vec b, Vec x) {
  Shell *s;
  PetscCall(PCShellGetContext(pc, &s));
  return s->mg ? mt_multigrid_cycle(s->mg, b, x) : PCApply(s->library, b, x);
}

static PetscErrorCode shell_destroy(PC pc) {
  Shell *s;
  PetscCall(PCShellGetContext(pc, &s));
  PetscCall(shell_empty(s));
  return PetscFree(s);
}

/* A default that the user's own option goes before. */
static PetscErrorCode set_default(const char *prefix, const char *name, const char *value) {
  char option[128];
  PetscBool given;
  PetscCall(PetscSNPrintf(option, sizeof option, "-%spc_hypre_boomeramg_%s", prefix ? prefix : "", name));
  PetscCall(PetscOptionsHasName(NULL, NULL, option, &given));
  return given ? 0 : PetscOptionsSetValue(NULL, option, value);
}

static PetscErrorCode set_defaults(const char *prefix, const MtMultigridOptions *o) {
  char threshold[32], aggressive[32];
  PetscCall(PetscSNPrintf(threshold, sizeof threshold, "%g", o->strong_threshold));
  PetscCall(PetscSNPrintf(aggressive, sizeof aggressive, "%d", o->aggressive_levels));
  const char *const option[][2] = {{"strong_threshold", threshold},
                                   {"coarsen_type", "HMIS"},
                                   {"interp_type", "ext+i"},
                                   {"P_max", "4"},
                                   {"agg_nl", aggressive},
                                   {"agg_num_paths", o->two_paths ? "2" : "1"},
                                   {"measure_type", o->agreed ? "global" : "local"},
                                   {"relax_type_down", "SOR/Jacobi"},
                                   {"relax_type_up", "backward-SOR/Jacobi"}};
  for (size_t i = 0; i < sizeof option / sizeof *option; i++)
    PetscCall(set_default(prefix, option[i][0], option[i][1]));
  return 0;
}

PetscErrorCode mt_multigrid_choose(PC pc, const MtMultigridOptions *options) {
  Shell *s;
  const char *prefix;
  PetscCall(PCGetOptionsPrefix(pc, &prefix));
  PetscCall(set_defaults(prefix, options));
  PetscCall(PetscNew(&s));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetName(pc, "multigrid cycle in single precision"));
  PetscCall(PCShellSetContext(pc, s));
  PetscCall(PCShellSetSetUp(pc, shell_set_up));
  PetscCall(PCShellSetApply(pc, shell_apply));
  return PCShellSetDestroy(pc, shell_destroy);
}

PetscErrorCode mt_multigrid_of(PC pc, MtMultigrid **mg) {
  PetscBool shell;
  Shell *s = NULL;
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCSHELL, &shell));
  if (shell) PetscCall(PCShellGetContext(pc, &s));
  *mg = s ? s->mg : NULL;
  return 0;
}
