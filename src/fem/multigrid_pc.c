/* The multigrid cycle as a preconditioner of PETSc's, and its options. */
#include "multigrid_impl.h"

/* What a preconditioner of this kind keeps. */
typedef struct {
  MtMultigrid *mg;
} Shell;

static PetscErrorCode shell_set_up(PC pc) {
  Shell *s;
  Mat A;
  const char *prefix;
  PetscCall(PCShellGetContext(pc, &s));
  PetscCall(mt_multigrid_destroy(&s->mg));
  PetscCall(PCGetOperators(pc, NULL, &A));
  PetscCall(PCGetOptionsPrefix(pc, &prefix));
  return mt_multigrid_create(A, prefix, &s->mg);
}

static PetscErrorCode shell_apply(PC pc, Vec b, Vec x) {
  Shell *s;
  PetscCall(PCShellGetContext(pc, &s));
  return mt_multigrid_cycle(s->mg, b, x);
}

static PetscErrorCode shell_destroy(PC pc) {
  Shell *s;
  PetscCall(PCShellGetContext(pc, &s));
  PetscCall(mt_multigrid_destroy(&s->mg));
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

/* Options of a cycle, which only the library's own has; what set_defaults sets is none of the user's. */
static PetscErrorCode wants_library(const char *prefix, PetscBool *yes) {
  static const char *const option[][2] = {{"relax_type_down", "SOR/Jacobi"},
                                          {"relax_type_up", "backward-SOR/Jacobi"},
                                          {"relax_type_all", ""},
                                          {"relax_type_coarse", ""},
                                          {"relax_weight_all", ""},
                                          {"outer_relax_weight_all", ""},
                                          {"grid_sweeps_all", ""},
                                          {"grid_sweeps_down", ""},
                                          {"grid_sweeps_up", ""},
                                          {"cycle_type", ""},
                                          {"smooth_type", ""},
                                          {"max_iter", ""}};
  *yes = PETSC_FALSE;
  for (size_t i = 0; i < sizeof option / sizeof *option && !*yes; i++) {
    char name[128], value[64] = "";
    PetscBool given, usual;
    PetscCall(PetscSNPrintf(name, sizeof name, "-pc_hypre_boomeramg_%s", option[i][0]));
    PetscCall(PetscOptionsGetString(NULL, prefix, name, value, sizeof value, &given));
    PetscCall(PetscStrcmp(value, option[i][1], &usual));
    *yes = given && !usual;
  }
  return 0;
}

static PetscErrorCode make_shell(PC pc) {
  Shell *s;
  PetscCall(PetscNew(&s));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetName(pc, "multigrid cycle in single precision"));
  PetscCall(PCShellSetContext(pc, s));
  PetscCall(PCShellSetSetUp(pc, shell_set_up));
  PetscCall(PCShellSetApply(pc, shell_apply));
  return PCShellSetDestroy(pc, shell_destroy);
}

PetscErrorCode mt_multigrid_choose(PC pc, const MtMultigridOptions *options) {
#if defined(PETSC_HAVE_HYPRE)
  const bool levels = true;
#else
  const bool levels = false;
#endif
  PetscBool library;
  const char *prefix;
  PetscCall(PCGetOptionsPrefix(pc, &prefix));
  PetscCall(wants_library(prefix, &library));
  PetscCall(set_defaults(prefix, options));
  return levels && !library ? make_shell(pc) : mt_multigrid_library_type(pc);
}

PetscErrorCode mt_multigrid_of(PC pc, MtMultigrid **mg) {
  PetscBool shell;
  Shell *s = NULL;
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCSHELL, &shell));
  if (shell) PetscCall(PCShellGetContext(pc, &s));
  *mg = s ? s->mg : NULL;
  return 0;
}
