/* A finished run of magtwin topology, read back from its folder: its images as they were analysed, and their pairs. */
#ifndef MAGTWIN_ANALYSED_H
#define MAGTWIN_ANALYSED_H

#include "magtwin/topology.h"

typedef struct MtAnalysed MtAnalysed; /* opaque */

/* Reads topology.yaml and features.h5 there and finds the images again.  MT_ERR_INPUT, naming what is missing: images
 * that are gone, or diagrams of others, which have none.  Collective.  *a is NULL then. */
PetscErrorCode mt_analysed_open(MPI_Comm comm, const char *folder, MtAnalysed **a);
/* Sets *a to NULL; NULL is fine.  Not collective. */
void mt_analysed_close(MtAnalysed **a);

/* Images; pixels of each along x, y, z; what their vectors were made with.  Not collective. */
int mt_analysed_count(const MtAnalysed *a);
const int *mt_analysed_size(const MtAnalysed *a);
/* Sizes, axes, construction, levels, holes; without values. */
MtCubical mt_analysed_options(const MtAnalysed *a);
const MtFeatures *mt_analysed_features(const MtAnalysed *a);

/* Image i, prepared (blur, distance, mask) as in that run, with value [pixels] for its numbers, and its diagram as in
 * its csv file.  MT_ERR_INPUT.  Not collective.  Free with mt_diagram_free. */
PetscErrorCode mt_analysed_read(const MtAnalysed *a, int i, double *value, MtCubical *image, MtDiagram *d);

/* Of states: nodes of their mesh, else 0; its file; the volume of a pixel, nm3; a nodal field at the pixels, NAN
 * outside of the magnet.  Not collective. */
int64_t mt_analysed_nodes(const MtAnalysed *a);
const char *mt_analysed_mesh(const MtAnalysed *a);
double mt_analysed_cell(const MtAnalysed *a);
void mt_analysed_sample(const MtAnalysed *a, const double *nodal, double *value);
/* And back: value [pixels], a density, to nodes start .. start+n-1 at x [n][3] nm -> nodal [n].  A node takes the mean
 * of the pixels in its tetrahedra, each by the node's barycentric coordinate there; where these add up to less than one
 * pixel (the mesh is finer than the grid) the rest is what lies between the pixels, trilinear.  0 where none is near.
 * Not collective. */
void mt_analysed_onto_nodes(const MtAnalysed *a, int64_t start, int64_t n, const double *x, const double *value,
                            double *nodal);

#endif
