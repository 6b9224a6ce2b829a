/* Jobs of SLURM (jobs.h). */
#include "magtwin/jobs.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/process.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head[] = "#!/usr/bin/env bash\n"
                           "# %s\n"
                           "# Knobs, here or on the command line of sbatch (which wins); --ntasks is the number of "
                           "ranks of the launcher:\n"
                           "#SBATCH --job-name=%s\n"
                           "%s%s%s"
                           "#SBATCH --ntasks=1\n"
                           "#SBATCH --cpus-per-task=1\n"
                           "#SBATCH --time=24:00:00\n"
                           "# B: to this script, 300 s before the end; a checkpoint must fit into that\n"
                           "#SBATCH --signal=B:USR1@300\n"
                           "#SBATCH --requeue\n"
                           "#SBATCH --open-mode=append\n"
                           "#SBATCH --chdir=\"%s\"\n"
                           "%s%s%s";

static const char body[] =
    "# Knobs of the environment:\n"
    "#   MAGTWIN           the executable                      (the one that wrote this)\n"
    "#   MAGTWIN_MODULES   modules to load                     (none)\n"
    "set -u\n"
    "if [ -n \"${MAGTWIN_MODULES:-}\" ]; then module load $MAGTWIN_MODULES; fi\n"
    "export OMP_NUM_THREADS=1\n"
    "export SLURM_WAIT=${SLURM_WAIT:-60} # srun: when a rank is gone, the others are ended after so many seconds\n"
    "interrupted= cancelled= child=\n"
    "# magtwin hands it to the run; the signal also ends `wait`, which is then called again\n"
    "hand_on() {\n"
    "  interrupted=1\n"
    "  [ -z \"$child\" ] || kill -USR1 \"$child\" 2>/dev/null\n"
    "}\n"
    "trap hand_on USR1\n"
    "trap 'cancelled=1; hand_on' TERM\n"
    "run() {\n"
    "  \"${MAGTWIN:-$magtwin}\" %s \"$1\" &\n"
    "  child=$!\n"
    "  wait \"$child\"\n"
    "  code=$?\n"
    "  while [ -n \"$interrupted\" ]; do\n"
    "    interrupted=\n"
    "    wait \"$child\"\n"
    "    code=$?\n"
    "  done\n"
    "}\n"
    "magtwin=%s rc=0 points=%s\n"
    "%s"
    "for ((point = %s; point <= points && rc != 75; point += %d)); do\n"
    "  run \"$point\"\n"
    "  if [ \"$code\" -eq 75 ] || [ \"$rc\" -eq 0 ]; then rc=$code; fi\n"
    "done\n"
    "# 75: stopped after a checkpoint, back into the queue under the same number, unless somebody cancelled it\n"
    "if [ \"$rc\" -eq 75 ] && [ -z \"$cancelled\" ]; then scontrol requeue \"%s\"; fi\n"
    "exit \"$rc\"\n";

static char *script_text(const MtJobScript *j, const char *here) {
  char *program = NULL, *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  mt_command_add(&program, mt_program_path());
  fprintf(f, head, j->what, j->name, j->array ? "#SBATCH --array=" : "", j->array ? j->array : "", j->array ? "\n" : "",
          here, j->log ? "#SBATCH --output=\"" : "", j->log ? j->log : "", j->log ? "\"\n" : "");
  fprintf(f, body, j->words, program, j->last,
          j->step > 1 ? "# task 3 runs point 3; of a sweep that is longer than arrays may be also those a step on\n"
                      : "",
          j->first, j->step, j->itself);
  fclose(f);
  free(program);
  return text;
}

PetscErrorCode mt_jobs_script(const char *path, const MtJobScript *j) {
  char here[PATH_MAX];
  if (!getcwd(here, sizeof here)) return mt_error(MT_ERR_INPUT, "there is no folder here");
  char *text = script_text(j, here);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

bool mt_jobs_possible(void) {
  char *text;
  const int code = mt_process_ask("command -v sbatch && command -v squeue", &text);
  free(text);
  return code == 0;
}

bool mt_jobs_list(MtJobs *jobs, char **why) {
  static const char ask[] = "squeue --noheader --user=\"$(id -un)\" --format='%A %j'";
  char *text;
  *why = NULL;
  const int code = mt_process_ask(ask, &text);
  if (code == 0) {
    free(jobs->text);
    jobs->text = text;
  } else
    *why = text;
  return code == 0;
}

long mt_jobs_find(const MtJobs *jobs, const char *name) {
  const size_t n = strlen(name);
  for (const char *line = jobs->text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
    char *end;
    const long number = strtol(line, &end, 10);
    if (end != line && *end == ' ' && !strncmp(end + 1, name, n) && strchr("\n", end[1 + n])) return number;
  }
  return 0;
}

void mt_jobs_free(MtJobs *jobs) {
  free(jobs->text);
  jobs->text = NULL;
}

/* The line of sbatch --parsable among its warnings: "4711" or "4711;cluster". */
static long number_in(const char *text) {
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    char *end;
    const long number = strtol(line, &end, 10);
    if (end != line && number > 0 && strchr(";\n", *end)) return number;
  }
  return 0;
}

PetscErrorCode mt_jobs_submit(const char *script, const char *word, const char *name, const char *log,
                              const char *options, long *number) {
  char *command = NULL, *rest = NULL, *text;
  mt_command_add(&rest, script);
  mt_command_add(&rest, word);
  char *job = NULL, *output = NULL;
  mt_command_add(&job, name);
  mt_command_add(&output, log);
  const size_t n = strlen(job) + strlen(output) + strlen(options) + strlen(rest) + 64;
  command = mt_malloc(n);
  snprintf(command, n, "sbatch --parsable --job-name=%s --output=%s %s %s", job, output, options, rest);
  const int code = mt_process_ask(command, &text);
  *number = code ? 0 : number_in(text);
  PetscErrorCode rc = 0;
  if (!*number) rc = mt_error(MT_ERR_FAIL, "no job could be submitted: %s (%s)", text, command);
  free(command);
  free(rest);
  free(job);
  free(output);
  free(text);
  return rc;
}
