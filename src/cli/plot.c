/* magtwin plot: hands the folder to the script that draws its figures. */
#include "cli.h"
#include "magtwin/error.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
  static const char *const other[][2] = {{"barriers.csv", "plot/barrier.py"}, {"dynamics.csv", "plot/dynamics.py"},
                                         {"evolve.csv", "plot/evolve.py"},    {"invert.csv", "plot/invert.py"},
                                         {"diagrams.h5", "plot/topology.py"}, {"landscape.h5", "plot/landscape.py"},
                                         {"pca.h5", "plot/pca.py"},           {"database.jsonl", "plot/optimize.py"},
                                         {"points.csv", "plot/sweep.py"},     {"texture.h5", "plot/texture.py"},
                                         {"unmix.h5", "plot/unmix.py"},       {"models.csv", "plot/peaks.py"}};
  char path[PATH_MAX];
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, other[i][0]);
    if (!access(path, F_OK)) return other[i][1];
  }
  if (is_of(folder, "reconstruct")) return "plot/grains.py";
  return is_of(folder, "mesh") ? "plot/mesh.py" : "plot/demag.py";
}

const char *cli_plot_script(const char *folder) {
  char path[PATH_MAX];
  const char *name = script_for(folder);
  snprintf(path, sizeof path, "%s/curve.csv", folder);
  return !strcmp(name, "plot/demag.py") && access(path, F_OK) ? NULL : name;
}

/* Folders of subcommands without figures, and what to look at there. */
static PetscErrorCode refuse_undrawn(const char *folder) {
  static const char *const undrawn[][3] = {{"truth.h5", "generate", "slices"},
                                           {"board.png", "register", "board.png and residual.csv"}};
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/curve.csv", folder);
  if (strcmp(script_for(folder), "plot/demag.py") != 0 || !access(path, F_OK)) return 0;
  for (size_t i = 0; i < sizeof undrawn / sizeof *undrawn; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, undrawn[i][0]);
    if (!access(path, F_OK))
      return mt_error(MT_ERR_INPUT, "%s is of magtwin %s, for which there are no figures: look at %s there", folder,
                      undrawn[i][1], undrawn[i][2]);
  }
  return 0;
}

PetscErrorCode cli_plot(const CliArgs *args, int *code) {
  char script[CLI_PATH];
  struct stat st;
  *code = 1;
  if (stat(args->file, &st) || !S_ISDIR(st.st_mode))
    return mt_error(MT_ERR_INPUT, "there is no folder %s: plot takes the output folder of a run or a campaign",
                    args->file);
  PetscErrorCode rc = refuse_undrawn(args->file);
  if (!rc) rc = cli_script_find(script_for(args->file), script);
  return rc ? rc : cli_script_start(script, CLI_FIGURES, args, 0, NULL);
}
