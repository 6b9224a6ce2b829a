/* A phase-field run from the inside; shared by the files evolve*.c, and by src/inversion. */
#ifndef MT_PHASEFIELD_EVOLVE_IMPL_H
#define MT_PHASEFIELD_EVOLVE_IMPL_H

#include "magtwin/diffusion.h"
#include "magtwin/evolve.h"
#include "magtwin/h5.h"
#include "magtwin/phasefield.h"
#include "system.h"
#include <stdio.h>

typedef struct {
  double fields;        /* files kept */
  double finished;      /* 1: the end was reached */
  double field_t;       /* of the last file; -1: none */
  double largest_rise;  /* of the energy in a step, J/m3 */
  double largest_drift; /* of the mean of what is conserved from its value at the beginning */
} MtEvolveMark;

enum { MT_EVOLVE_MARK = sizeof(MtEvolveMark) / sizeof(double) };

typedef struct {
  double end, interval, snapshot_interval; /* s; 0: none */
  int64_t checkpoint_rows;
  double checkpoint_seconds;
} MtEvolveOptions;

typedef struct {
  MPI_Comm comm;
  int rank;
  const MtInput *in;
  const char *folder, *mesh_path;
  const MtEvolveGiven *given;
  MtEvolveOptions opt;
  MtMesh *mesh; /* NULL: a box */
  MtDomain *domain;
  MtSystem *system;
  MtEvolveMark mark;
  int nrows, capacity;
  double *row;         /* [nrows][system->columns] */
  double *field_times; /* [mark.fields] */
  int field_capacity;
  FILE *csv;              /* on rank 0 */
  double began, began_at; /* wall, s */
  int saved_rows;
  double saved_at, saved_t;
} MtEvolve;

/* start_labels.c: the box of a volume, a cell a voxel; the grain of the voxel in which each owned node lies, -1: none,
 * grain [n_owned], MT_ERR_INPUT with the place of a node outside; columns `name` of the table for labels into n fields,
 * MT_ERR_INPUT with the place of a label that it does not have.  Not collective; collective; collective. */
#define MT_LABEL_VALUES "phasefield.label_values"
PetscErrorCode mt_labels_box(const MtStartLabels *l, MtBox *box);
PetscErrorCode mt_labels_at_nodes(const MtDomain *d, int32_t *grain);
PetscErrorCode mt_labels_values(const MtDomain *d, const MtInput *in, int n, const char *const *name, Vec *v);

/* evolve_keys.c: the parts of the input; MT_ERR_INPUT with the place of the key.  Not collective. */
void mt_evolve_box(const MtInput *in, MtBox *box);
PetscErrorCode mt_evolve_energy(const MtInput *in, MtFreeEnergy *e);
/* The numbers of a list in the input, from malloc, and how many there are. */
double *mt_evolve_reals(const MtInput *in, const char *key, int *n);
/* Of the key `path`; *f NULL where it has no value. */
PetscErrorCode mt_evolve_formula(const MtInput *in, const char *path, MtFormula **f);
void mt_evolve_march_options(const MtInput *in, const MtFreeEnergy *e, MtMarchOptions *o);
bool mt_evolve_diffuses(const MtInput *in);     /* phasefield.model=diffusion */
bool mt_evolve_two_phases(const MtInput *in);   /* kks */
PetscErrorCode mt_kks_check(const MtInput *in); /* the rules of section kks; kks_keys.c */
/* wetting_keys.c: the rules of section wetting; is it given?; walls of MtFlowModel, freed by PetscFree.  Not
 * collective; not; collective. */
PetscErrorCode mt_wetting_check(const MtInput *in);
bool mt_wetting_given(const MtInput *in);
PetscErrorCode mt_wetting_open(const MtInput *in, const MtDomain *domain, double **wall);
/* phasefield.range, into low and high. */
PetscErrorCode mt_evolve_range(const MtInput *in, MtFreeEnergy *e);
/* resolution.c: MT_ERR_INPUT where the interface of cahn_hilliard or allen_cahn is narrower than .75 of the longest
 * edge; a warning where not much wider.  Collective. */
PetscErrorCode mt_evolve_resolved(const MtDomain *d, const MtInput *in);
/* The tolerance of Newton's method. */
double mt_evolve_newton(const MtInput *in, const MtMarchOptions *march);
MtFlowModel mt_evolve_model(const MtInput *in, const MtFreeEnergy *e, const MtFormula *source,
                            const MtProgram *program);
void mt_evolve_options(const MtInput *in, MtEvolveOptions *o);

/* diffusion_keys.c: sections diffusion and temperature.  The rules between keys; the program; the operator of the
 * domain, MT_ERR_INPUT with the place of an element without a medium.  Not collective; not; collective. */
PetscErrorCode mt_diffusion_check(const MtInput *in);
PetscErrorCode mt_diffusion_program(const MtInput *in, MtProgram *p);
PetscErrorCode mt_diffusion_open(const MtInput *in, const MtDomain *domain, const MtProgram *p, MtDiffusion **d);

/* temperature_check.c: the program must act on something; a warning where an energy is fixed beside it.  Not
 * collective; collective. */
PetscErrorCode mt_temperature_check(const MtInput *in);
void mt_temperature_warn(const MtInput *in);

/* evolve_setup.c.  Collective. */
PetscErrorCode mt_evolve_open(MtEvolve *e, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                              const MtEvolveGiven *given, const char *folder);
PetscErrorCode mt_evolve_close(MtEvolve *e);

/* The model that phasefield.model names, and each of them; domain and in are kept.  Destroyed also where there was an
 * error, if it is there.  Collective. */
PetscErrorCode mt_system_open(const MtDomain *domain, const MtInput *in, MtSystem **s);   /* evolve_setup.c */
PetscErrorCode mt_system_flow(const MtDomain *domain, const MtInput *in, MtSystem **s);   /* evolve_flow.c */
PetscErrorCode mt_system_kks(const MtDomain *domain, const MtInput *in, MtSystem **s);    /* kks_system.c */
PetscErrorCode mt_system_grains(const MtDomain *domain, const MtInput *in, MtSystem **s); /* grains_system.c */

/* grains_keys.c: the rules of its keys, nothing for other models; the parts of the input.  Not collective. */
PetscErrorCode mt_grain_growth_check(const MtInput *in);
bool mt_grain_growth_asked(const MtInput *in);

/* evolve_flow.c: c at the beginning, as the input has it, with what diffusion (or NULL) holds; must lie in the range of
 * the energy.  Collective. */
PetscErrorCode mt_evolve_first(const MtDomain *domain, const MtInput *in, const MtDiffusion *diffusion,
                               const MtFreeEnergy *energy, Vec c);

/* The same file: MT_ERR_INPUT, with place and value, where v, called so, is outside of its range.  Collective. */
PetscErrorCode mt_evolve_check_start(const MtDomain *d, const char *name, Vec v, double low, double high);

/* evolve_files.c.  Collective. */
PetscErrorCode mt_evolve_csv_open(MtEvolve *e);
PetscErrorCode mt_evolve_add_row(MtEvolve *e);
/* The field now as fields/fields_<number>.h5, and fields.xdmf; nothing where it is there. */
PetscErrorCode mt_evolve_keep(MtEvolve *e);
PetscErrorCode mt_evolve_results(MtEvolve *e, MtJson *json);
char *mt_evolve_path(const MtEvolve *e, const char *name); /* folder/name, the caller frees it */

/* evolve_checkpoint.c.  Collective. */
PetscErrorCode mt_evolve_save(MtEvolve *e);
PetscErrorCode mt_evolve_load(MtEvolve *e, bool *found);

#endif
