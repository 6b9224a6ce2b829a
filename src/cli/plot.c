/* magtwin plot: hands the folder to the figure script, which lies beside the program: postprocess/ of a checkout, or
 * share/magtwin/postprocess/ of an installation. */
#include "cli.h"
#include "magtwin/error.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static PetscErrorCode find_script(char script[PATH_MAX]) {
  static const char *const places[] = {"../share/magtwin/postprocess", "../postprocess"};
  char folder[PATH_MAX - 64];
  ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
  folder[n > 0 ? n : 0] = 0;
  char *slash = strrchr(folder, '/');
  if (slash) *slash = 0;
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    snprintf(script, PATH_MAX, "%s/%s/plot/demag.py", folder, places[i]);
    if (!access(script, R_OK)) return 0;
  }
  return mt_error(MT_ERR_FAIL, "the figure script is not where it belongs: %s/%s or %s", folder, places[0], places[1]);
}

PetscErrorCode cli_plot(const CliArgs *args, int *code) {
  char script[PATH_MAX];
  const char *site = getenv("PYTHON");
  char *python = site && site[0] ? strdup(site) : strdup("python3");
  PetscErrorCode rc =
      access(args->file, F_OK) ? mt_error(MT_ERR_INPUT, "there is no folder %s", args->file) : find_script(script);
  char **words = calloc((size_t)args->nwords + 4, sizeof *words);
  if (!rc && words && python) {
    words[0] = python;
    words[1] = script;
    words[2] = args->file;
    for (int i = 0; i < args->nwords; i++) words[3 + i] = args->words[i];
    execvp(python, words);
    rc = mt_error(MT_ERR_FAIL, "cannot start %s: %s", python, strerror(errno));
  }
  free(words);
  free(python);
  *code = 1;
  return rc;
}
