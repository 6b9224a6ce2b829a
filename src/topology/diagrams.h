/* Diagrams in files; private to this module.  None is collective, unless said. */
#ifndef TOPOLOGY_DIAGRAMS_H
#define TOPOLOGY_DIAGRAMS_H

#include "magtwin/topology.h"

/* One line a pair: dimension, birth, death, and the pixels x y z of both (-1: never dies).  size: pixels of the image.
 * Written as a whole or not at all. */
PetscErrorCode mt_diagram_write_csv(const char *path, const MtDiagram *d, const int size[3]);
/* The same again, with the pixels; MT_ERR_INPUT on anything else.  dims: 2 or 3. */
PetscErrorCode mt_diagram_read_csv(const char *path, int dims, const int size[3], MtDiagram *d);
/* One more pair of dimension k; room[3]: what is allocated, of zeros for a zeroed diagram. */
void mt_diagram_add(MtDiagram *d, int64_t room[3], int k, const MtPair *q);
/* The columns of the csv file; DIPHA's diagram, where what never dies has dimension -k-1 and dies at `last`; a file of
 * lines "birth death" for each dimension, stem_dim0.txt ... */
PetscErrorCode mt_diagram_write_npy(const char *path, const MtDiagram *d, const int size[3]);
PetscErrorCode mt_diagram_write_dipha(const char *path, const MtDiagram *d, double last);
PetscErrorCode mt_diagram_write_text(const char *stem, const MtDiagram *d);

/* All diagrams of a run, image start .. start+n-1 on this rank, into one HDF5 file.  Collective. */
PetscErrorCode mt_diagrams_write_hdf5(MPI_Comm comm, const char *path, const MtInput *in, int dims, const int size[3],
                                      const int from[2], int total, int start, int n, const MtDiagram *d);

/* Section topology.regions: the regions of the longest pairs -> stem_regions.csv, stem_regions.npy; `most` of each of
 * the two dimensions.  0: nothing. */
PetscErrorCode mt_region_table_write(const char *stem, const MtCubical *image, const MtDiagram *d, int most);

/* Distances of consecutive images, of `total`, from their csv files (folder/diagrams) -> folder/distances.csv; nothing
 * where topology.distances is none.  Collective. */
PetscErrorCode mt_distances_write(MPI_Comm comm, const char *folder, const MtInput *in, int dims, const int size[3],
                                  int total);

/* Section topology.features: how pairs are weighted. */
void mt_features_weight(const MtInput *in, MtFeatures *f);
/* Section topology.features: the vectors of all images.  Collective. */
PetscErrorCode mt_features_write(MPI_Comm comm, const char *path, const MtInput *in, int total, int start, int n,
                                 const MtDiagram *d, int dims);

#endif
