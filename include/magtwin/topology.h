/* Persistent homology of pictures and volumes (cubical complexes).  Not collective, unless said.
 *
 * The cells of an image are its grid points, edges, squares and cubes.  In the vertex construction a pixel is a grid
 * point and a cell enters with its last pixel (4- or 6-neighbours are joined); in the top-cell construction a pixel is
 * a square or cube and a cell enters with its first one (8- or 26-neighbours are joined).
 */
#ifndef MAGTWIN_TOPOLOGY_H
#define MAGTWIN_TOPOLOGY_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

/* An image of two or three dimensions; pixel (x,y,z) is value[(z*n[1] + y)*n[0] + x]. */
typedef struct {
  int n[3];            /* pixels along x, y, z; n[2] = 1: a picture.  Together below 2^32, with a border of 2 around */
  bool periodic[3];    /* the last pixel of the axis touches the first; needs n >= 2 */
  bool top_cells;      /* pixels are top cells, else vertices */
  bool superlevel;     /* values fall while the space grows, and birth >= death */
  const double *value; /* [n0 n1 n2] finite; the caller's */
  /* [n0 n1 n2] 1: a hole, not part of the image, its value counts nothing (a feature around it never dies); NULL: none;
   * the caller's */
  const uint8_t *hidden;
} MtCubical;

/* One feature.  Pixels of equal value enter one after the other, vertices by number, top cells in the reverse order;
 * with this the pairs do not depend on how they are computed.  Those with birth = death are left out. */
typedef struct {
  double birth, death;        /* values; death INFINITY (-INFINITY of superlevel sets): never */
  int64_t birth_at, death_at; /* pixels that have them; death_at -1: never */
} MtPair;

/* Of each dimension 0 .. dims-1, in the order in which they are born, then in which they die. */
typedef struct {
  int dims;        /* of the image: 2 or 3 */
  int64_t n[3];    /* pairs of each dimension */
  MtPair *pair[3]; /* [n[k]] owned */
} MtDiagram;

/* The diagrams of an image.  Dimension 0 and dims-1 by union-find on the discrete gradient field, dimension 1 of
 * volumes by reduction between its critical cells (docs/numerics.md).  Sources: V. Robins, P. J. Wood, A. P. Sheppard,
 * IEEE TPAMI 33 (2011) 1646 (lower stars); P. Guillou, J. Vidal, J. Tierny, IEEE TVCG 30 (2024) 1897 (order of the
 * steps); A. Garin, T. Heiss, K. Maggs, B. Bleile, V. Robins, arXiv:2005.04597 (duality of the constructions).
 * MT_ERR_INPUT: a size that cannot be, or a value that is not finite.  Free with mt_diagram_free. */
PetscErrorCode mt_persistence(const MtCubical *image, MtDiagram *d);
/* A zeroed struct is fine. */
void mt_diagram_free(MtDiagram *d);

/* Reads n layers (slices of a volume, rows of a picture) of an image from layer `from` on -> value; NAN is a hole. */
typedef PetscErrorCode (*MtLayers)(void *context, int from, int n, double *value);
/* The same diagram of one image that is shared by the ranks in slabs along its last axis; image without values and
 * holes, any size whose slabs are below 2^32 pixels.  d: whole on rank 0, empty on the others; *last (on all): the
 * value with which the last pixel enters, infinite where all are holes.  Method and messages: docs/numerics.md.
 * Collective. */
PetscErrorCode mt_persistence_shared(MPI_Comm comm, const MtCubical *image, MtLayers read, void *context, MtDiagram *d,
                                     double *last);

/* The pixels that belong to a pair of dimension 0 or dims-1, ascending, from malloc; how many.  Of a domain those that
 * are joined to its birth below the value at which it dies (its part of the merge tree); of a loop or void those that
 * it encloses when it is born: joined to its death above the value of its birth (superlevel sets: the other way).
 * dimension as in the diagram of this image, and death_at >= 0.  seen [pixels]: zeros, left so. */
int64_t mt_pair_region(const MtCubical *image, int dimension, const MtPair *pair, uint8_t *seen, int64_t **pixels);

typedef enum {
  MT_SPREAD_REGION, /* all pixels of mt_pair_region (equal values as they enter) */
  MT_SPREAD_BORDER, /* those of them that touch a pixel across a face that is not: where a wall is */
  MT_SPREAD_CELLS   /* half on the pixel of its birth, half on that of its death */
} MtSpread;
/* Lays amount [n], a number a pair of one dimension, on the pixels of each in equal parts: map [pixels] += it.  Pairs
 * of neither dimension 0 nor dims-1 lie on their cells; those that never die are left out.  Time of a sort of the
 * pixels, about 70 bytes a pixel. */
void mt_pair_spread(const MtCubical *image, MtSpread where, int dimension, int64_t n, const MtPair *pair,
                    const double *amount, double *map);

typedef enum { MT_MANHATTAN, MT_CHESSBOARD, MT_EUCLIDEAN } MtMetric;

/* Distance of the middle of each pixel to that of the nearest pixel of the other phase, exact: below zero where inside
 * is 1, above where it is 0; all 0 where there is one phase only.  inside, value [n0 n1 n2], n as in MtCubical. */
void mt_signed_distance(const int n[3], const bool periodic[3], MtMetric metric, const uint8_t *inside, double *value);

/* Distances of two diagrams of one dimension, exact.  Each pair is matched with one of the other diagram, at the larger
 * of the differences of births and deaths, or with the diagonal, at |death - birth| / 2.  Bottleneck: the least that
 * the dearest match can cost; Wasserstein of order q: the least of (sum cost^q)^(1/q).  Pairs that never die are left
 * out. Time grows with the cube of the number of pairs. */
double mt_bottleneck(int64_t na, const MtPair *a, int64_t nb, const MtPair *b);
double mt_wasserstein(int64_t na, const MtPair *a, int64_t nb, const MtPair *b, double order);

/* Vectors of equal length from the pairs of one dimension, on bins of a range that births and deaths share. */
typedef enum { MT_WEIGHT_NONE, MT_WEIGHT_LINEAR, MT_WEIGHT_ARCTAN } MtWeight;
typedef struct {
  double low, high;    /* low < high, values */
  int bins, levels;    /* bins of the range; landscapes */
  double sigma;        /* of the Gaussian, values; 0: none */
  MtWeight weight;     /* of a pair with |death - birth| = l: 1, l, atan(scale l^power) */
  double scale, power; /* of MT_WEIGHT_ARCTAN */
} MtFeatures;
/* Weighted histogram of (birth, death), smoothed; image [bins death][bins birth].  Pairs beyond the range are left out.
 * The smoothing loses what leaves the range. */
void mt_persistence_image(const MtFeatures *f, int64_t n, const MtPair *pair, double *image);
/* The other way: what weights w [bins][bins] of the bins of a persistence image say of its pairs, so that the products
 * of weights and image add up to the sum of amount [n] over the pairs. */
void mt_persistence_amounts(const MtFeatures *f, const double *w, int64_t n, const MtPair *pair, double *amount);
/* Features alive at the middle of each bin, curve [bins]. */
void mt_betti_curve(const MtFeatures *f, int64_t n, const MtPair *pair, double *curve);
/* The levels largest of min(v - birth, death - v) over the middle v of each bin, landscape [levels][bins]. */
void mt_landscape(const MtFeatures *f, int64_t n, const MtPair *pair, double *landscape);

extern const MtKey mt_topology_keys[]; /* section topology (src/topology/topology_keys.c) */

/* Section topology: the diagrams of all images, the images dealt to the ranks in blocks.  Writes
 * `folder`/diagrams/NNNN.csv as each is done, then diagrams.h5 (format
 * magtwin-diagrams), features.h5 (magtwin-features) and images.csv; the same data
 * on any number of ranks. With resume images that have their csv file are not computed again.  *stopped: a signal came.
 * json: adds counts and results.  Collective. */
PetscErrorCode mt_topology_run(MPI_Comm comm, const MtInput *in, const char *folder, bool resume, MtJson *json,
                               bool *stopped);

#endif
