/* The key petsc_options: a misspelt option would be ignored silently by PETSc, so each one must belong to a solver of
 * this program and must have been read by it when it was set up. */
#include "hysteresis.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The solver of the demagnetizing field is the only one that takes options (src/fem/poisson.c). */
static const char prefix[] = "-demag_";

/* A word that starts with "-" and a letter is the name of an option; "-3" is a value. */
static bool is_option(const char *word) {
  return word[0] == '-' && isalpha((unsigned char)word[1]);
}

typedef PetscErrorCode (*Visit)(MPI_Comm comm, const MtInput *in, const char *option);

static PetscErrorCode each_option(MPI_Comm comm, const MtInput *in, Visit visit) {
  if (!mt_input_has(in, "petsc_options")) return 0;
  char *text = strdup(mt_input_string(in, "petsc_options")), *rest = text;
  PetscErrorCode rc = text ? 0 : mt_error(MT_ERR_FAIL, "out of memory for petsc_options");
  for (char *word; !rc && (word = strtok_r(rest, " \t\n", &rest));)
    if (is_option(word)) rc = visit(comm, in, word);
  free(text);
  return rc;
}

static PetscErrorCode belongs(MPI_Comm comm, const MtInput *in, const char *option) {
  (void)comm;
  if (strncmp(option, prefix, sizeof prefix - 1) == 0) return 0;
  return mt_input_error(in, "petsc_options",
                        "no solver uses the option %s; those of the demagnetizing field begin with %s", option, prefix);
}

PetscErrorCode mt_petsc_options_set(const MtInput *in) {
  PetscCall(each_option(MPI_COMM_SELF, in, belongs));
  if (!mt_input_has(in, "petsc_options")) return 0;
  return PetscOptionsInsertString(NULL, mt_input_string(in, "petsc_options"));
}

static PetscErrorCode used(MPI_Comm comm, const MtInput *in, const char *option) {
  PetscBool here, anywhere;
  PetscCall(PetscOptionsUsed(NULL, option + 1, &here));
  PetscCallMPI(MPI_Allreduce(&here, &anywhere, 1, MPIU_BOOL, MPI_LOR, comm));
  if (anywhere) return 0;
  return mt_input_error(in, "petsc_options", "the solver of the demagnetizing field has no option %s, or is not in use",
                        option);
}

PetscErrorCode mt_petsc_options_used(MPI_Comm comm, const MtInput *in) {
  return each_option(comm, in, used);
}
