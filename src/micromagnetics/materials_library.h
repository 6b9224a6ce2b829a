/* The library of materials, as read. */
#ifndef MT_MICROMAGNETICS_MATERIALS_LIBRARY_H
#define MT_MICROMAGNETICS_MATERIALS_LIBRARY_H

#include "magtwin/micromagnetics.h"

#define MT_GB_DEFAULT "nonmagnetic" /* of materials.gb */

/* The temperatures of a material's table, and whether K1 < 0 is meant. */
typedef struct {
  bool known;
  double from, to;  /* K */
  bool easy_plane;  /* somebody says so */
  bool passes_zero; /* K1 is that of a table in which it has both signs */
} MtTableRange;

typedef struct {
  int n;
  MtMaterial *material; /* [n] malloc */
  const char **name;    /* [n] pointers into material */
  MtTableRange *table;  /* [n] malloc */
  double temperature;   /* K, to which the materials with a table were brought if it lies in it; -1: as they are */
  char path[4096];
} MtLibrary;

/* materials.library, else the file that comes with the program.  Collective. */
PetscErrorCode mt_library_read(MPI_Comm comm, const MtInput *in, MtLibrary *lib);
/* materials_change.c: entries of materials.change, in order; at the temperature of the run.  MT_ERR_INPUT.  Not
 * collective. */
PetscErrorCode mt_library_change(const MtInput *in, MtLibrary *lib);
void mt_library_free(MtLibrary *lib);

#endif
