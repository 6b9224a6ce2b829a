/* magtwin analyse: the steps of an analysis one after the other, by a script of postprocess that starts this program.
 */
#include "cli.h"
#include <string.h>
#include <unistd.h>

PetscErrorCode cli_analyse(const CliArgs *args, int *code) {
  static char option[] = "--program";
  char script[CLI_PATH], self[CLI_PATH], *more[] = {option, self};
  *code = 1;
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  self[n > 0 ? n : 0] = 0;
  PetscErrorCode rc = cli_script_find("analyse/analyse.py", script);
  return rc ? rc : cli_script_start(script, "yaml", args, 2, more);
}
