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

/* The head of a folder's summary says which subcommand it is of. */
static bool is_of(const char *folder, const char *subcommand) {
  char path[PATH_MAX], head[512], line[64];
  snprintf(path, sizeof path, "%s/summary.json", folder);
  FILE *f = fopen(path, "r");
  if (!f) return false;
  const size_t n = fread(head, 1, sizeof head - 1, f);
  fclose(f);
  head[n] = 0;
  snprintf(line, sizeof line, "\"subcommand\": \"%s\"", subcommand);
  return strstr(head, line) != NULL;
}

/* The results of a folder say which script draws them. */
static const char *script_for(const char *folder) {
  static const char *const other[][2] = {
      {"barriers.csv", "barrier.py"}, {"dynamics.csv", "dynamics.py"}, {"diagrams.h5", "topology.py"}};
  char path[PATH_MAX];
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, other[i][0]);
    if (!access(path, F_OK)) return other[i][1];
  }
  if (is_of(folder, "reconstruct")) return "grains.py";
  return is_of(folder, "mesh") ? "mesh.py" : "demag.py";
}

/* Folders of subcommands without figures, and what to look at there. */
static PetscErrorCode refuse_undrawn(const char *folder) {
  static const char *const undrawn[][3] = {{"database.jsonl", "optimize", "trials.csv"},
                                           {"points.csv", "sweep", "results.csv"},
                                           {"truth.h5", "generate", "slices"},
                                           {"board.png", "register", "board.png and residual.csv"}};
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/curve.csv", folder);
  if (strcmp(script_for(folder), "demag.py") != 0 || !access(path, F_OK)) return 0;
  for (size_t i = 0; i < sizeof undrawn / sizeof *undrawn; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, undrawn[i][0]);
    if (!access(path, F_OK))
      return mt_error(MT_ERR_INPUT, "%s is of magtwin %s, for which there are no figures: look at %s there", folder,
                      undrawn[i][1], undrawn[i][2]);
  }
  return 0;
}

static PetscErrorCode find_script(const char *name, char script[PATH_MAX]) {
  static const char *const places[] = {"../share/magtwin/postprocess", "../postprocess"};
  char folder[PATH_MAX - 64];
  ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
  folder[n > 0 ? n : 0] = 0;
  char *slash = strrchr(folder, '/');
  if (slash) *slash = 0;
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    snprintf(script, PATH_MAX, "%s/%s/plot/%s", folder, places[i], name);
    if (!access(script, R_OK)) return 0;
  }
  return mt_error(MT_ERR_FAIL, "the figure script is not where it belongs: %s/%s or %s", folder, places[0], places[1]);
}

/* The first Python that has what the figures need: the site's choice, the one in PATH, the system's. */
static const char *find_python(void) {
  const char *site = getenv("PYTHON"),
             *candidates[] = {site && site[0] ? site : "python3", "python3", "/usr/bin/python3"};
  for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
    char test[PATH_MAX];
    snprintf(test, sizeof test, "'%s' -c 'import numpy, h5py, matplotlib' 2>/dev/null", candidates[i]);
    if (strlen(candidates[i]) < PATH_MAX / 2 && !strchr(candidates[i], '\'') && system(test) == 0) return candidates[i];
  }
  return NULL;
}

static PetscErrorCode start(const char *python, char *script, const CliArgs *args) {
  char **words = calloc((size_t)args->nwords + 4, sizeof *words), *name = strdup(python);
  if (!words || !name) abort();
  words[0] = name;
  words[1] = script;
  words[2] = args->file;
  for (int i = 0; i < args->nwords; i++) words[3 + i] = args->words[i];
  execvp(python, words);
  PetscErrorCode rc = mt_error(MT_ERR_FAIL, "cannot start %s: %s", python, strerror(errno));
  free(name);
  free(words);
  return rc;
}

PetscErrorCode cli_plot(const CliArgs *args, int *code) {
  char script[PATH_MAX];
  *code = 1;
  if (access(args->file, F_OK)) return mt_error(MT_ERR_INPUT, "there is no folder %s", args->file);
  PetscErrorCode rc = refuse_undrawn(args->file);
  if (!rc) rc = find_script(script_for(args->file), script);
  if (rc) return rc;
  const char *python = find_python();
  if (!python)
    return mt_error(
        MT_ERR_FAIL,
        "the figures need a Python 3 with numpy, h5py and matplotlib; name it in the environment variable PYTHON");
  return start(python, script, args);
}
