/* The images of a run: where they are, how large, and reading of one; private to this module. */
#ifndef TOPOLOGY_IMAGES_H
#define TOPOLOGY_IMAGES_H

#include "magtwin/files.h"
#include "magtwin/topology.h"

typedef struct MtSampler MtSampler;

typedef struct {
  MtFiles files;
  int n;            /* images */
  int *file, *page; /* [n] owned; of a stack the first */
  int size[3];      /* pixels along x, y, z, that are used of every image */
  int whole[3];     /* as the files have them */
  int from[2];      /* first column and row that are used */
  bool stack;
  bool superlevel;              /* what enters last has the smallest value */
  const char *dataset;          /* owned by the input */
  int component;                /* 0 1 2, 3: magnitude */
  MtSampler *sampler;           /* of states; else NULL */
  int *slice_file, *slice_page; /* of a stack [size[2]]; owned */
  uint8_t *hidden;              /* [size0 size1 size2] 1: a pixel that does not count; NULL: all do; owned */
  const char *mask;             /* its file; owned by the input; NULL: none */
  int mask_size[3];             /* pixels of it; [2] 1: one picture for all slices */
  int *parts;                   /* [n] diagrams instead of images: their files, from file[i] on; else NULL; owned */
} MtImages;

/* Section topology: lists the images (or diagrams: mt_diagrams_find) and checks that all have the size of the first.
 * MT_ERR_INPUT names the file that has not, or cannot be read.  Collective. */
PetscErrorCode mt_images_find(MPI_Comm comm, const MtInput *in, MtImages *im);
/* The same, with a mask that is looked for only, to be read layer by layer.  Collective. */
PetscErrorCode mt_images_find_large(MPI_Comm comm, const MtInput *in, MtImages *im);
/* Values of image i as stored (integers of pictures as such), [size[2] size[1] size[0]].  Not collective. */
PetscErrorCode mt_images_read(const MtImages *im, int i, double *value);
/* n layers of it (slices of a volume, rows of a picture) from layer `from` on; of a picture the whole is read. */
PetscErrorCode mt_images_read_layers(const MtImages *im, int i, int from, int n, double *value);
/* "file" or "file, page 3". */
const char *mt_images_name(const MtImages *im, int i, char buf[512]);
/* How they are analysed: sizes, axes, construction, levels, holes; without values. */
MtCubical mt_images_options(const MtInput *in, const MtImages *im);
void mt_images_free(MtImages *im);
/* Of states, as in analysed.h.  Not collective. */
int64_t mt_images_nodes(const MtImages *im);
double mt_images_cell(const MtImages *im);
void mt_images_sample(const MtImages *im, const double *nodal, double *value);
void mt_images_onto_nodes(const MtImages *im, int64_t start, int64_t n, const double *x, const double *value,
                          double *nodal);

/* The same for topology.diagrams; and the pairs of one diagram, without pixels, in the order of its files.
 * MT_ERR_INPUT naming file and line.  The first is collective. */
PetscErrorCode mt_diagrams_find(MPI_Comm comm, const MtInput *in, MtImages *im);
PetscErrorCode mt_diagram_load(const MtImages *im, int i, MtDiagram *d);
/* topology.mask -> hidden.  Not collective. */
PetscErrorCode mt_mask_read(const MtInput *in, MtImages *im);
/* Checks kind and size; then n layers of it, as mt_images_read_layers: hidden, and how many pixels are not.  Not
 * collective. */
PetscErrorCode mt_mask_find(const MtInput *in, MtImages *im);
PetscErrorCode mt_mask_layers(const MtImages *im, int from, int n, uint8_t *hidden, int64_t *shown);

/* Kinds of files by their endings. */
bool mt_is_picture(const char *path);
bool mt_is_volume(const char *path);
/* Volumes by format: size, and with value not NULL the numbers, of the slices range[0] .. range[1]-1 only unless range
 * is NULL.  Not collective. */
PetscErrorCode mt_volume_load(const char *path, const char *dataset, int n[3], const int range[2], double *value);
PetscErrorCode mt_picture_load(const char *path, int page, int n[3], double *value);

/* Every point of the grid of section topology in its tetrahedron: each rank reads the mesh.  Collective. */
PetscErrorCode mt_sampler_create(MPI_Comm comm, const MtInput *in, int n[3], MtSampler **s);
/* A component of a nodal field, linear between nodes; outside the magnet `outside`.  Not collective. */
PetscErrorCode mt_sampler_read(const MtSampler *s, const char *path, const char *dataset, int component,
                               bool outside_low, double *value);
/* One component; NAN outside.  And back, value NAN: no number; volume of a cell of the grid, nm3. */
int64_t mt_sampler_nodes(const MtSampler *s);
double mt_sampler_cell(const MtSampler *s);
void mt_sampler_sample(const MtSampler *s, const double *nodal, double *value);
void mt_sampler_onto_nodes(const MtSampler *s, int64_t start, int64_t n, const double *x, const double *value,
                           double *nodal);
void mt_sampler_free(MtSampler **s);

#endif
