/* The subcommands of the program, one file each. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>
#include <stdbool.h>

/* What the command line says.  The words are those of argv. */
typedef struct CliArgs {
  const struct CliCommand *command;
  char *file;   /* input file, file or folder; NULL when the subcommand takes none */
  int nwords;   /* what follows: overrides, or the options of a figure */
  char **words; /* [nwords] owned array */
  bool force, resume, help;
  const char *verb;  /* of a command that has verbs; the first of them where none is given */
  int nverb_words;   /* what follows the verb */
  char **verb_words; /* [nverb_words] owned array */
} CliArgs;

typedef enum { CLI_NOTHING, CLI_INPUT, CLI_FILE } CliTakes;

typedef struct CliCommand {
  const char *name;
  const char *takes_name; /* "input.yaml [key=value ...]" */
  const char *help;       /* one line */
  CliTakes takes;
  bool parallel;      /* needs MPI and PETSc */
  bool force, resume; /* options it has */
  PetscErrorCode (*run)(const CliArgs *args, int *code);
  const char *needed; /* sections of the input it cannot do without */
  const char *verbs;  /* "run tell": what it can do, the first by itself; NULL: one thing */
} CliCommand;

/* argv without the program's name.  Not collective. */
PetscErrorCode cli_parse(int n, char **words, CliArgs *args);
const CliCommand *cli_commands(int *n);

extern const MtKey *const cli_tables[]; /* every key of the program */

/* Reads and checks the input for args->command (see mt_input_read_for) and hands petsc_options to PETSc.  Collective.
 */
PetscErrorCode cli_read_input(const CliArgs *args, MtInput **in);
enum { CLI_PATH = 4096 };
/* folder/name ("" : name alone); MT_ERR_INPUT if too long. */
PetscErrorCode cli_path(char path[CLI_PATH], const char *folder, const char *name);
/* Values given in lex become nm, by the materials of the input (MT_ERR_INPUT where there are none); what they were and
 * are: log and json.  Both do nothing where there are no such values.  Collective. */
PetscErrorCode cli_lengths_resolve(MPI_Comm comm, MtInput *in);
PetscErrorCode cli_lengths_report(MPI_Comm comm, const MtInput *in, MtJson *json);
/* Whether mesh.file can be read and is, where the input describes grains too, what they make: MT_ERR_INPUT. Collective.
 */
PetscErrorCode cli_mesh_file(MPI_Comm comm, const MtInput *in);
/* The mesh file of a run, built if missing; with force also if it belongs to another input. Collective.
 */
PetscErrorCode cli_demag_mesh(MPI_Comm comm, const MtInput *in, const char *folder, bool force, MtJson *json,
                              char path[CLI_PATH]);

/* MT_ERR_INPUT for a folder whose result (with lines in `table`) has lost its checkpoint: starting anew would overwrite
 * it.  Collective. */
PetscErrorCode cli_resumable(MPI_Comm comm, const char *folder, const char *table);
/* MT_ERR_INPUT if the state file that `key` names lies among the states of the folder, which a run into it replaces.
 * Collective. */
PetscErrorCode cli_start_is_safe(MPI_Comm comm, const MtInput *in, const char *key, const char *folder);

/* A folder holds the results of one computation: checkpoints, states and meshes of all kinds have the same names. */
#define CLI_TABLES "curve.csv dynamics.csv barriers.csv evolve.csv invert.csv"
/* All results that --resume continues. */
#define CLI_RESUMABLE CLI_TABLES " diagrams.h5 diagrams"
/* And of a campaign, and of a sweep. */
#define CLI_DATABASE "database.jsonl"
#define CLI_POINTS "points.csv"

/* A subcommand that computes on a mesh: its rules, its start states and its run. */
typedef struct {
  const char *table;     /* the file that marks its results, which grows line by line */
  const char *wrote;     /* the files it leaves, for the last words */
  const char *starts[3]; /* keys that may name state files to start from; ends with NULL */
  PetscErrorCode (*check)(MPI_Comm comm, const MtInput *in); /* the rules between its keys */
  bool nonmagnetic; /* needs no materials, and no mesh where the input has a box */
  PetscErrorCode (*run)(MPI_Comm comm, const MtInput *in, const char *mesh, const char *folder, bool resume,
                        MtJson *json, bool *stopped);
} CliSimulation;
/* Input, rules, folder, mesh, run and summary.  MT_ERR_INPUT, and nothing is touched, where the folder holds results:
 * its own without --force or --resume, those of another kind without --force.  Collective. */
PetscErrorCode cli_simulate(const CliArgs *args, const CliSimulation *sim, int *code);

/* Would `magtwin subcommand` accept this input?  MT_ERR_INPUT with the reason if not.  Collective. */
PetscErrorCode cli_check_run(const char *subcommand, char *input, int noverrides, char **overrides);

/* A script of postprocess ("plot/demag.py") beside this program; MT_ERR_FAIL where there is none. */
PetscErrorCode cli_script_find(const char *name, char path[CLI_PATH]);
#define CLI_FIGURES "numpy, h5py, matplotlib"
/* Becomes the script, with the folder, `more` words and those of the command line; returns only with an error.
 * modules: of Python that it needs, "numpy, h5py". */
PetscErrorCode cli_script_start(char *script, const char *modules, const CliArgs *args, int nmore, char **more);
/* The script that draws the results of a folder; NULL: none does. */
const char *cli_plot_script(const char *folder);

PetscErrorCode cli_check(const CliArgs *args, int *code);
PetscErrorCode cli_generate(const CliArgs *args, int *code);
PetscErrorCode cli_reconstruct(const CliArgs *args, int *code);
PetscErrorCode cli_register(const CliArgs *args, int *code);
PetscErrorCode cli_mesh(const CliArgs *args, int *code);
PetscErrorCode cli_demag(const CliArgs *args, int *code);
PetscErrorCode cli_barrier(const CliArgs *args, int *code);
PetscErrorCode cli_dynamics(const CliArgs *args, int *code);
PetscErrorCode cli_evolve(const CliArgs *args, int *code);
PetscErrorCode cli_invert(const CliArgs *args, int *code);
PetscErrorCode cli_texture(const CliArgs *args, int *code);
PetscErrorCode cli_peaks(const CliArgs *args, int *code);
PetscErrorCode cli_unmix(const CliArgs *args, int *code);
PetscErrorCode cli_topology(const CliArgs *args, int *code);
PetscErrorCode cli_landscape(const CliArgs *args, int *code);
PetscErrorCode cli_pca(const CliArgs *args, int *code);
PetscErrorCode cli_analyse(const CliArgs *args, int *code);
PetscErrorCode cli_optimize(const CliArgs *args, int *code);
PetscErrorCode cli_sweep(const CliArgs *args, int *code);
PetscErrorCode cli_info(const CliArgs *args, int *code);
PetscErrorCode cli_plot(const CliArgs *args, int *code);
PetscErrorCode cli_report(const CliArgs *args, int *code);
PetscErrorCode cli_status(const CliArgs *args, int *code);
PetscErrorCode cli_help(const CliArgs *args, int *code);
PetscErrorCode cli_version(const CliArgs *args, int *code);

#endif
