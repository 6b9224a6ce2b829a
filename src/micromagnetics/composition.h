/* Constants that depend on a composition: the tables, and the nodal field they are read at. */
#ifndef MT_MICROMAGNETICS_COMPOSITION_H
#define MT_MICROMAGNETICS_COMPOSITION_H

#include "magtwin/micromagnetics.h"

typedef enum { MT_COMPOSED_JS, MT_COMPOSED_K1, MT_COMPOSED_A, MT_NCOMPOSED } MtComposed;

/* Constants at ascending compositions, with monotone cubic Hermite polynomials between them. */
typedef struct {
  int n;
  double *c;                   /* [n] ascending */
  double *value[MT_NCOMPOSED]; /* [n] T, J/m3, J/m; NULL: the material's own */
  double *slope[MT_NCOMPOSED]; /* [n] at c */
  bool nearest;                /* beyond the ends the value of the end counts; else it is an error to be there */
  char *from;                  /* where it was read, for messages */
} MtCompositionTable;

/* Entry i of materials.composition.tables.  MT_ERR_INPUT with file:line:column, or file:line of the csv file.  Free
 * what came out also after an error.  Collective. */
PetscErrorCode mt_composition_table_read(MPI_Comm comm, const MtInput *in, int i, MtCompositionTable *t);
void mt_composition_table_free(MtCompositionTable *t); /* a zeroed one is fine */
/* The slopes that keep the values of all columns monotone between neighbours.  Plain C. */
void mt_composition_table_smooth(MtCompositionTable *t);
/* Is c on the table, but for rounding; and a constant there, at the nearest end outside.  Plain C. */
bool mt_composition_table_covers(const MtCompositionTable *t, double c);
double mt_composition_table_at(const MtCompositionTable *t, MtComposed which, double c);

struct MtComposition {
  double *c; /* [nv_local] the nodal field, NaN in the air */
  int ntables;
  MtCompositionTable *table; /* [ntables] */
  int *of_region;            /* [regions.n] table, -1: the material as it is */
  char path[4096];           /* of the file */
  char *field;
  double time; /* s, NaN: the file has none */
};

#endif
