/* The scripts that look at results: postprocess/ of a checkout, or share/magtwin/postprocess/ of an installation. */
#include "cli.h"
#include "magtwin/error.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PetscErrorCode cli_script_find(const char *name, char path[CLI_PATH]) {
  static const char *const places[] = {"../share/magtwin/postprocess", "../postprocess"};
  char folder[CLI_PATH - 128];
  ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
  folder[n > 0 ? n : 0] = 0;
  char *slash = strrchr(folder, '/');
  if (slash) *slash = 0;
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    snprintf(path, CLI_PATH, "%s/%s/%s", folder, places[i], name);
    if (!access(path, R_OK)) return 0;
  }
  return mt_error(MT_ERR_FAIL, "the script %s is not where it belongs: in %s/%s or %s", name, folder, places[0],
                  places[1]);
}

/* The first Python that has what the script needs: the site's choice, the one in PATH, the system's. */
static const char *find_python(const char *modules) {
  const char *site = getenv("PYTHON"),
             *candidates[] = {site && site[0] ? site : "python3", "python3", "/usr/bin/python3"};
  for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
    char test[CLI_PATH];
    snprintf(test, sizeof test, "'%s' -c 'import %s' 2>/dev/null", candidates[i], modules);
    if (strlen(candidates[i]) < CLI_PATH / 2 && !strchr(candidates[i], '\'') && system(test) == 0) return candidates[i];
  }
  return NULL;
}

PetscErrorCode cli_script_start(char *script, const char *modules, const CliArgs *args, int nmore, char **more) {
  const char *python = find_python(modules);
  if (!python)
    return mt_error(MT_ERR_FAIL, "%s needs a Python 3 with %s; name it in the environment variable PYTHON", script,
                    modules);
  char **words = calloc((size_t)(args->nwords + nmore) + 4, sizeof *words), *name = strdup(python);
  if (!words || !name) abort();
  int n = 0;
  words[n++] = name;
  words[n++] = script;
  words[n++] = args->file;
  for (int i = 0; i < nmore; i++) words[n++] = more[i];
  for (int i = 0; i < args->nwords; i++) words[n++] = args->words[i];
  execvp(python, words);
  PetscErrorCode rc = mt_error(MT_ERR_FAIL, "cannot start %s: %s", python, strerror(errno));
  free(name);
  free(words);
  return rc;
}
