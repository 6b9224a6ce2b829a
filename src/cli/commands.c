/* The table of subcommands and the choice among them. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <string.h>

static const CliCommand commands[] = {
    {"version", "prints the version", cli_version},
};

PetscErrorCode cli_version(int nargs, char **args, int *code) {
  (void)nargs;
  (void)args;
  mt_log("magtwin %s", mt_version());
  *code = 0;
  return 0;
}

PetscErrorCode cli_run(int nargs, char **args, int *code) {
  for (size_t i = 0; nargs > 0 && i < sizeof commands / sizeof commands[0]; i++)
    if (!strcmp(args[0], commands[i].name)) return commands[i].run(nargs - 1, args + 1, code);
  return mt_error(MT_ERR_INPUT, "unknown subcommand %s", nargs > 0 ? args[0] : "(none)");
}
