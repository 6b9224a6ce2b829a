/* The table of subcommands, and what help and version print. */
#include "cli.h"
#include "magtwin/log.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"
#include <stdio.h>
#include <string.h>

#define INPUT "input.yaml [key=value ...]"

static const CliCommand commands[] = {
    {"check", INPUT, "is this input valid, and for what is it complete", CLI_INPUT, true, false, false, cli_check,
     "output", NULL},
    {"generate", INPUT, "a stack of slices with known truth, to test reconstruct on", CLI_INPUT, true, true, false,
     cli_generate, "grains generate output.folder", NULL},
    {"reconstruct", INPUT, "measured sections or labels -> labels.h5", CLI_INPUT, true, true, false, cli_reconstruct,
     "grains output.folder", NULL},
    {"register", INPUT, "two pictures of one section laid on one another", CLI_INPUT, true, true, false, cli_register,
     "register output.folder", NULL},
    {"mesh", INPUT, "grains -> mesh.h5 with the grain-boundary phase", CLI_INPUT, true, true, false, cli_mesh,
     "grains mesh output.folder", NULL},
    {"demag", INPUT, "the demagnetization curve", CLI_INPUT, true, true, true, cli_demag,
     "grains|mesh.file mesh materials field minimizer demagnetizing checkpoint output", NULL},
    {"barrier", INPUT, "energy barriers between two states, and the coercivity at a temperature", CLI_INPUT, true, true,
     true, cli_barrier, "grains|mesh.file mesh materials barrier minimizer demagnetizing checkpoint output", NULL},
    {"dynamics", INPUT, "the magnetization in time", CLI_INPUT, true, true, true, cli_dynamics,
     "grains|mesh.file mesh materials dynamics integrator time demagnetizing checkpoint output", NULL},
    {"evolve", INPUT, "a phase field in time, on a box or a mesh", CLI_INPUT, true, true, true, cli_evolve,
     "box|mesh.file|grains phasefield diffusion kks wetting temperature elasticity|phasefield materials|phasefield "
     "demagnetizing evolve checkpoint output.folder",
     NULL},
    {"invert", INPUT, "parameters of a phase field from snapshots of it, with their uncertainty", CLI_INPUT, true, true,
     true, cli_invert,
     "box|mesh.file phasefield diffusion kks wetting temperature elasticity|phasefield evolve invert checkpoint "
     "output.folder",
     NULL},
    {"texture", INPUT, "statistics of pictures by scale and orientation; parameters estimated from them", CLI_INPUT,
     true, true, false, cli_texture, "topology topology.files texture output.folder", NULL},
    {"topology", INPUT, "persistent homology of pictures, volumes and states", CLI_INPUT, true, true, true,
     cli_topology, "topology topology.files|topology.diagrams output.folder", NULL},
    {"unmix", INPUT, "a spectrum image as maps and spectra of few components", CLI_INPUT, true, true, false, cli_unmix,
     "unmix output.folder", NULL},
    {"peaks", INPUT, "how many peaks a spectrum has, and where", CLI_INPUT, true, true, false, cli_peaks,
     "peaks output.folder", NULL},
    {"pca", INPUT, "principal components of tables and series of fields", CLI_INPUT, true, true, false, cli_pca,
     "pca output.folder", NULL},
    {"landscape", INPUT, "the extended free energy of a series: energies against components, passes, maps", CLI_INPUT,
     true, true, false, cli_landscape, "pca landscape demagnetizing output.folder", NULL},
    {"analyse", "input.yaml [key=value ...] [--launch COMMAND] [--force]",
     "run or pictures -> topology -> texture, pca -> landscape -> one page", CLI_FILE, false, false, false, cli_analyse,
     NULL, NULL},
    {"optimize", "campaign.yaml [key=value ...] [run|suggest|tell|status|model|evaluate]",
     "Bayesian optimization: of runs, of a command, or of experiments by hand", CLI_INPUT, true, false, false,
     cli_optimize, "optimize output.folder", "run suggest tell status model evaluate"},
    {"sweep", "sweep.yaml [key=value ...] [run|point|status|slurm]",
     "one run at many points: grid, Latin hypercube, Sobol; failures and kills survived", CLI_INPUT, true, false, false,
     cli_sweep, "sweep output.folder", "run point status slurm"},
    {"info", "FILE", "what is in this file", CLI_FILE, true, false, false, cli_info, NULL, NULL},
    {"plot", "FOLDER [--compare FOLDER]", "figures of the results in a folder", CLI_FILE, false, false, false, cli_plot,
     NULL, NULL},
    {"report", "FOLDER [--output FILE]", "one page of a run or a campaign: figures, tables, warnings, input", CLI_FILE,
     false, false, false, cli_report, NULL, NULL},
    {"status", "FOLDER", "how far a run, a sweep or a campaign is", CLI_FILE, false, false, false, cli_status, NULL,
     NULL},
    {"help", "", "this list", CLI_NOTHING, false, false, false, cli_help, NULL, NULL},
    {"version", "", "the version", CLI_NOTHING, false, false, false, cli_version, NULL, NULL},
};

const CliCommand *cli_commands(int *n) {
  *n = (int)(sizeof commands / sizeof commands[0]);
  return commands;
}

PetscErrorCode cli_version(const CliArgs *args, int *code) {
  (void)args;
  mt_log("magtwin %s", mt_version());
  *code = 0;
  return 0;
}

static void help_all(void) {
  mt_log("magtwin %s: the digital twin of permanent magnets\n", mt_version());
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
    mt_log("  magtwin %-12s %-28s %s", commands[i].name, commands[i].takes_name, commands[i].help);
  mt_log("\nOn several ranks: mpirun -n 4 magtwin ...   Options: magtwin demag --help   Each key of an input: magtwin "
         "check "
         "--help");
}

/* check knows every key, the others print those of the sections they read. */
static void help_keys(const CliCommand *c) {
  const bool all = c->run == cli_check;
  char sections[256];
  snprintf(sections, sizeof sections, "title %s%s", c->needed,
           c->run == cli_reconstruct ? " stack"
           : c->run == cli_demag     ? " measured"
                                     : "");
  mt_log("\nKeys of the input (YAML; nested keys are joined by dots; numbers may carry a unit: 3 nm, 0.12 um.\n"
         "1 lex is the smallest exchange length of the magnetic materials that section materials names: of each the "
         "smaller of\nsqrt(2 A/(mu0 Ms^2)) and sqrt(A/K)):\n");
  mt_input_help(cli_tables, all ? NULL : sections);
  if (all || strstr(sections, "materials")) {
    mt_log("\nKeys of a materials library (materials.library; inputs/materials.yaml is one):\n");
    mt_input_help((const MtKey *const[]){mt_library_keys, NULL}, NULL);
  }
  if (!all) mt_log("\nAll keys of the program: magtwin check --help");
}

/* How --resume makes a finished run longer. */
static const char *more_by_resuming(const CliCommand *c) {
  return c->run == cli_demag ? "A finished run goes on with another field.stop_below, or further entries at the end "
                               "of field.segments or field.angles."
         : c->run == cli_barrier  ? "A finished run goes on with further entries at the end of barrier.fields."
         : c->run == cli_dynamics ? "A finished run goes on with a later time.end."
         : c->run == cli_invert   ? "A search goes on at its last iterate, an ensemble at its last assimilation."
         : c->run == cli_evolve   ? "A finished run goes on with a later evolve.end."
                                  : "Images that are done are kept.";
}

PetscErrorCode cli_help(const CliArgs *args, int *code) {
  const CliCommand *c = args->command;
  *code = 0;
  if (c->run == cli_help || c->run == cli_version) {
    help_all();
    return 0;
  }
  mt_log("magtwin %s %s%s%s\n  %s", c->name, c->takes_name, c->force ? " [--force]" : "",
         c->resume ? " [--resume]" : "", c->help);
  if (c->force) mt_log("  --force   overwrite what the output folder holds");
  if (c->resume)
    mt_log("  --resume  continue from the last checkpoint in the output folder; start if there is none and no finished "
           "result.\n"
           "            %s",
           more_by_resuming(c));
  if (c->run == cli_optimize)
    mt_log(
        "  run               evaluate point after point until optimize.evaluations are done; again: continue\n"
        "  suggest [N]       add N points to the database and print them, for an experiment\n"
        "  tell ID goal=..   its result; or failed=REASON; also cost=.. by=NAME; a point of your own instead of ID:\n"
        "                    var=.. for every variable, with a result or to be evaluated\n"
        "  status            counts, the best so far, what is under way\n"
        "  model             write model.json, what the model expects, for magtwin plot and report; run does it at its "
        "end\n"
        "  evaluate N        run the evaluation of point N alone, for a job of SLURM; run then tells its result");
  if (c->run == cli_sweep)
    mt_log("  run       run what is missing, sweep.parallel at a time; where nothing is, what failed once more\n"
           "  point N   run point N alone, for a task of a job array\n"
           "  status    counts, what failed and why; writes results.csv and results.h5 anew\n"
           "  slurm     write sweep.slurm, a job array of the points that are not done");
  if (c->run == cli_plot)
    mt_log("  --compare FOLDER  a second run, drawn into the curve or, of magtwin dynamics, beside m\n"
           "  --labels FILE     with the folder of a mesh: the labels.h5 its grains came from, set beside it\n"
           "  --figures FOLDER  where to write (default: figures in the folder)");
  if (c->run == cli_analyse)
    mt_log(
        "  Runs what the input has sections for, each step in a folder below output.folder: demag or dynamics, "
        "topology "
        "of the states or pictures,\n"
        "  texture, pca of the persistence images, landscape; then report.html there.  The same command continues, and "
        "does nothing twice.\n"
        "  --launch COMMAND  what starts a step on many ranks: \"mpirun -n 4\" (default: $MAGTWIN_LAUNCH)\n"
        "  --force           compute anew what belongs to another input, and what follows from it");
  if (c->run == cli_report)
    mt_log("  --output FILE     the page (default: report.html in the folder): one HTML file with all pictures inside\n"
           "  --figures FOLDER  where the figures are drawn (default: figures in the folder)");
  if (c->takes != CLI_INPUT) return 0;
  help_keys(c);
  return 0;
}
