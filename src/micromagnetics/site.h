/* What every computation on a mesh shares: where it stands, and the files that carry it: states, checkpoints. */
#ifndef MT_MICROMAGNETICS_SITE_H
#define MT_MICROMAGNETICS_SITE_H

#include "magtwin/h5.h"
#include "magtwin/micromagnetics.h"
#include <stdio.h>

/* A view: nothing is owned. */
typedef struct {
  MPI_Comm comm;
  int rank;
  const MtInput *in;
  const char *folder, *mesh_path;
  MtMesh *mesh;
  MtMaterial *material; /* [mesh->regions.n] */
  const MtNodes *nodes;
  uint64_t fingerprint;             /* of the mesh: nodes, tets, regions */
  uint64_t constants;               /* of the materials of the regions */
  const MtComposition *composition; /* NULL: none */
} MtSite;

/* The two fingerprints, the same for any distribution.  Collective; not collective. */
PetscErrorCode mt_site_fingerprint(const MtMesh *mesh, uint64_t *sum);
uint64_t mt_site_constants(const MtSite *h);
/* Mixes in what the energy has from files of strain or stress; without, the fingerprint stays.  Collective. */
PetscErrorCode mt_site_mix_extras(const MtEnergy *e, uint64_t *constants);
/* The same for a composition and its tables; nothing for NULL.  Collective. */
PetscErrorCode mt_composition_mix(const MtComposition *c, const MtMesh *mesh, uint64_t *constants);
/* Mixes a value into one of them. */
uint64_t mt_site_mix(uint64_t hash, double value);
/* Warns where edges are longer than 1.5 sqrt(A/K): walls will be pinned.  Collective. */
PetscErrorCode mt_site_warn_coarse(const MtSite *h);

/* Bloch parameter sqrt(A/K), nm; 0 without anisotropy.  Not collective. */
double mt_site_bloch(const MtMaterial *m);

/* Section minimizer of the input.  Not collective. */
void mt_minimizer_options(const MtInput *in, MtMinimizerOptions *o);

/* MT_ERR_INPUT if no rank used one of petsc_options.  To be called when the solvers are set up.  Collective. */
PetscErrorCode mt_petsc_options_used(MPI_Comm comm, const MtInput *in);

/* Keys demagnetizing.sample...: the rules between them (MT_ERR_INPUT); and whether the mesh is a cut-out of a sample
 * with the factors sample {xx, xy, xz, yy, yz, zz}, changed where the input has them.  Not collective. */
PetscErrorCode mt_sample_check(const MtInput *in);
bool mt_sample_read(const MtInput *in, double sample[6]);

/* folder/name; caller frees. */
char *mt_path_join(const char *folder, const char *name);

/* Local array [nv_local, 3] of the mesh from m and back; zero on nonmagnetic nodes.  Not collective. */
PetscErrorCode mt_site_m_to_local(const MtSite *s, Vec m, double *local);
PetscErrorCode mt_site_m_from_local(const MtSite *s, const double *local, Vec m);
/* m and the potential (NULL: nothing is done) by file id, as dataset `name` and back.  Collective. */
PetscErrorCode mt_site_write_m(const MtSite *s, MtH5 *f, const char *name, Vec m);
PetscErrorCode mt_site_read_m(const MtSite *s, MtH5 *f, const char *name, Vec m);
PetscErrorCode mt_site_write_potential(const MtSite *s, MtH5 *f, const char *name, Vec u);
PetscErrorCode mt_site_read_potential(const MtSite *s, MtH5 *f, const char *name, Vec u);
/* A state file of an earlier run on the same mesh -> m, of unit length.  MT_ERR_INPUT with the place of the key that
 * names it.  Collective. */
PetscErrorCode mt_site_read_state(const MtSite *s, const char *path, const char *key, Vec m);

/* A growing list of records made of doubles: they go into a checkpoint and come back as they are. */
typedef struct {
  int n, capacity, width;
  double *data; /* [n, width], owned */
} MtTable;
PetscErrorCode mt_table_add(MtTable *t, const void *row);
void mt_table_free(MtTable *t);
/* Rows of rank 0 as a dataset; and back on every rank, *t with its width.  Collective. */
PetscErrorCode mt_site_write_table(const MtSite *s, MtH5 *f, const char *name, int n, int width, const void *data);
PetscErrorCode mt_site_read_table(MtH5 *f, const char *name, MtTable *t);

/* checkpoint.h5 of a kind of run.  Besides what `write` puts there it holds the attributes "input" (canonical text of
 * the sections that decide the result), "method" (of those that may change on the way, but not without a word), "mesh"
 * (the input kept in the mesh file) and "identity" (nodes, tets, fingerprints). */
typedef struct {
  const char *format;
  int version;
  const char *sections; /* "grains mesh materials ..." */
  const char *method;   /* one section */
  const char *open;     /* "barrier.time ...": keys of the sections that may change, for what is done does not depend on
                           them; NULL: none */
  const char *longer;   /* "field.segments ...": lists that may get further entries at their end; NULL: none */
  bool *changed;        /* set when a checkpoint is read: whether such a thing has changed; NULL: nobody asks */
  void *ctx;
  PetscErrorCode (*write)(void *ctx, MtH5 *f);
  PetscErrorCode (*read)(void *ctx, MtH5 *f, const char *path); /* agreed on all ranks */
} MtCheckpoint;
/* Between canonical inputs: does `now` differ from `then` in keys of `open` and further entries of `longer` alone?  And
 * the first lines in which they differ.  Not collective. */
bool mt_site_continues(const char *then, const char *now, const char *open, const char *longer);
void mt_site_first_difference(const char *then, const char *now, char a[256], char b[256]);
/* Collective.  Read: the newest readable one; found false: there is none.  MT_ERR_INPUT if it belongs to another input
 * or mesh, or all copies are damaged. */
PetscErrorCode mt_site_checkpoint_write(const MtSite *s, const MtCheckpoint *c);
PetscErrorCode mt_site_checkpoint_read(const MtSite *s, const MtCheckpoint *c, bool *found);

/* The states a run has kept, states/state_<number>.h5 with number = place in the list + 1. */
typedef struct {
  const char *tags;   /* "after_event" */
  double time;        /* as ParaView shows it */
  const char *second; /* name of another nodal vector in the file, NULL: m alone */
} MtStateEntry;
typedef struct {
  int n;
  const MtStateEntry *entry; /* [n] */
  int width;
  const double *column; /* [n, width] numbers of the table */
  const char *columns;  /* and their names */
  bool switching;       /* the run has a switching.h5 */
} MtStateList;
/* The state a run failed in: beside the others, in no list and in no checkpoint. */
#define MT_FAILED_STATE "states/failed.h5"
/* Writes m as state `number`; more: puts further data and attributes into the file.  Collective. */
PetscErrorCode mt_site_state_write(const MtSite *s, int number, Vec m, PetscErrorCode (*more)(void *ctx, MtH5 *f),
                                   void *ctx);
/* What a run that ends with the recorded MT_ERR_FAIL, agreed by all ranks, leaves to look at: m as MT_FAILED_STATE,
 * written whatever it holds, with failed.xdmf over it, the field (T) and the message, which gets the file's name where
 * that could be written. time: as ParaView shows it.  Returns MT_ERR_FAIL, agreed.  Collective. */
PetscErrorCode mt_site_failed(const MtSite *s, Vec m, double time, const double B[3]);
/* states.h5 (links to the states, the mesh, and a table of them) and states.xdmf.  Collective. */
PetscErrorCode mt_site_states_index(const MtSite *s, const MtStateList *list);
/* Removes the files of states beyond the n-th, and the one a run failed in: a run that was killed may have kept some
 * which its checkpoint does not know, and one started anew has none yet.  Call on one rank. */
void mt_site_states_remove(const MtSite *s, int n);

#endif
