/* The subcommands of the program. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <petscsys.h>

/* args: what follows the program's name.  *code: exit code of a run that went well.  Collective. */
PetscErrorCode cli_run(int nargs, char **args, int *code);

typedef struct {
  const char *name;
  const char *help;                                         /* one line */
  PetscErrorCode (*run)(int nargs, char **args, int *code); /* args: what follows the subcommand */
} CliCommand;

PetscErrorCode cli_version(int nargs, char **args, int *code);

#endif
