/* magtwin report: one page of a run or a campaign, drawn by postprocess/report with the figures of magtwin plot. */
#include "cli.h"
#include "magtwin/error.h"
#include <sys/stat.h>

PetscErrorCode cli_report(const CliArgs *args, int *code) {
  static char option[] = "--script";
  char script[CLI_PATH], figures[CLI_PATH], *more[] = {option, figures};
  struct stat st;
  *code = 1;
  if (stat(args->file, &st) || !S_ISDIR(st.st_mode))
    return mt_error(MT_ERR_INPUT, "there is no folder %s: report takes the output folder of a run or a campaign",
                    args->file);
  const char *name = cli_plot_script(args->file);
  PetscErrorCode rc = cli_script_find("report/report.py", script);
  if (!rc && name) rc = cli_script_find(name, figures);
  return rc ? rc : cli_script_start(script, CLI_FIGURES, args, name ? 2 : 0, more);
}
