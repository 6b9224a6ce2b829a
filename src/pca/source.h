/* Where the numbers come from: files of one kind that make up the rows of one table; private to this module. */
#ifndef PCA_SOURCE_H
#define PCA_SOURCE_H

#include "magtwin/files.h"
#include "magtwin/npy.h"
#include "magtwin/pca.h"
#include "magtwin/texttable.h"
#include <hdf5.h>
#include <stdio.h>

enum { MT_SOURCE_NAME = 128 };

/* Columns that belong together: a dataset, a picture, the columns of a csv file. */
typedef struct {
  char name[MT_SOURCE_NAME];
  int64_t shape[3]; /* of what a sample has of it, the last runs fastest; 1 where there are fewer dimensions */
} MtBlock;

/* What one file has. */
typedef struct {
  int64_t rows; /* samples */
  int nblocks;
  MtBlock *block; /* [nblocks] owned */
} MtShape;

typedef struct MtSource MtSource;

/* Reading of one kind of file.  Not collective. */
typedef struct {
  PetscErrorCode (*probe)(MtSource *s, const char *path, MtShape *shape);
  /* Opens for reads; close of what is not open is fine. */
  PetscErrorCode (*open)(MtSource *s, const char *path);
  void (*close)(MtSource *s);
  /* Rows [row, row+nrows) of the open file, columns [col, col+ncols) -> out [nrows][ncols]. */
  PetscErrorCode (*read)(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out);
} MtFormat;
extern const MtFormat mt_format_csv, mt_format_npy, mt_format_hdf5, mt_format_picture;

struct MtSource {
  const MtInput *in;
  const char *key; /* that names the files: pca.files, pca.beside */
  MtFiles files;
  const MtFormat *format;
  bool by_file;   /* a file is a sample */
  int64_t *first; /* [files.n + 1] row where each file begins; owned */
  int64_t rows, columns;
  int64_t own;      /* columns of these files; the others are of those beside */
  MtSource *beside; /* NULL: none; owned */
  MtShape shape;    /* of the first file, then of the first one beside */
  bool transverse;  /* three numbers of a file become one: 1 - (m.axis)^2 */
  double axis[3];   /* unit */
  bool features;    /* features.h5 of magtwin topology */
  bool texture;     /* texture.h5 of magtwin texture */
  char **name;      /* [columns] of a table with a header, of its first file; owned, or NULL */
  int nnames;
  /* the file that is open */
  int open; /* its number, -1: none */
  const char *path;
  union {
    struct {
      MtTextTable table;
      bool header;
      int64_t row;      /* the next one */
      int ncell, *cell; /* columns taken; owned */
      int64_t lines;    /* of the table */
    } csv;
    MtNpy npy;
    hid_t hdf5;
    struct {
      int64_t page; /* that is in gray */
      float *gray;
      int64_t pixels;
    } picture;
  } at;
};

/* Section pca: lists the files and checks that all have the columns of the first.  MT_ERR_INPUT names the file.
 * Collective. */
PetscErrorCode mt_source_find(MPI_Comm comm, const MtInput *in, MtSource *s);
void mt_source_free(MtSource *s);
/* Not collective.  MT_ERR_INPUT names the file, and the place of a number that is not finite. */
PetscErrorCode mt_source_read(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out);
/* File and row in it, from 0, of a sample. */
int mt_source_file(const MtSource *s, int64_t row, int64_t *inside);
/* Sums over the shape. */
int64_t mt_block_columns(const MtBlock *b);
int64_t mt_shape_columns(const MtShape *s);
MtBlock *mt_shape_add(MtShape *s, const char *name, int64_t nz, int64_t ny, int64_t nx);
/* Of section pca, NULL: none; i-th name. */
int mt_source_names(const MtInput *in, const char *key);

/* All samples into the table (made with this unit), each number to the rank that has its line.  Collective. */
PetscErrorCode mt_source_load(MtSource *s, MtTable *t, int unit);

#endif
