/* The steps of magtwin landscape; private to this module. */
#ifndef LANDSCAPE_IMPL_H
#define LANDSCAPE_IMPL_H

#include "magtwin/analysed.h"
#include "magtwin/h5.h"
#include "magtwin/landscape.h"
#include "magtwin/mesh.h"
#include "magtwin/pca.h"
#include "magtwin/work.h"

enum { MT_LAND_NAME = 64 };

/* Of every sample; the same on every rank. */
typedef struct {
  int n, terms;               /* the last two terms are the sums "internal" and "total" */
  char (*name)[MT_LAND_NAME]; /* [terms] owned */
  double *energy;             /* [n][terms] J/m3, in the field of the sample; NaN where only changes are known; owned */
  double *work;               /* [n][terms] J/m3: energy of the first sample and the changes since, at fixed fields:
                               * that of the applied field changes by -B.dJ/mu0 alone; owned */
  double *B, *J;              /* [n] T, along the field; NULL: not known; owned */
  MtWork nodes;               /* energy=states: where the work is done; else n = 0 */
} MtEnergies;
/* Of n samples.  MT_ERR_INPUT: what is missing, by file.  Collective. */
PetscErrorCode mt_energies_read(MPI_Comm comm, const MtInput *in, int n, MtEnergies *e);
/* A zeroed struct is fine. */
void mt_energies_free(MtEnergies *e);

/* Contributions of this rank's variables to an energy over the steps of the path. */
typedef struct {
  double *net;       /* [n] J/m3: their sum over all variables is the change of the energy, or what is known of it */
  double *resisting; /* [n] the parts of the steps in which the place's variables (components of a node) sum to > 0 */
  double *promoting; /* [n] and of the other steps */
} MtMap;
typedef struct {
  int from, to; /* samples, from 0 */
  double *dPC;  /* [n] w (x_to - x_from): their sum is the change of the component */
  MtMap path;   /* dE/dPC of each step times w (x_s+1 - x_s) */
  MtMap ridge;  /* beta (x_s+1 - x_s) of the regression; NULLs: there is none */
} MtMaps;

/* Maps of pictures that are of states, on this rank's slab of the nodes of their mesh. */
typedef struct {
  int64_t nodes, tets, shown; /* of the mesh, and tets that are drawn; nodes 0: there are none */
  int64_t start, count;
  double *volume;    /* [count] nm3 of the magnet; owned */
  double *dPC;       /* [count]; owned */
  MtMap path, ridge; /* [count] J/m3 */
  double share;      /* of what the map has on the pixels, without signs, that the nodes have */
} MtOnNodes;

/* Of persistence images: the same at the pixels of their pictures. */
typedef struct {
  MtAnalysed *run;   /* NULL: there are no places; owned */
  int size[3];       /* pixels along x, y, z */
  int64_t inside;    /* those of the magnet, or that are seen */
  double *dPC;       /* [pixels]: its mean over the pixels inside is the change of the component; whole on every rank */
  MtMap path, ridge; /* [pixels] J/m3: their mean over the pixels inside is the change of the energy; likewise */
  MtMap truth;       /* the true work there, NAN outside of the magnet; NULLs: not known */
  double roc_path[2], roc_ridge[2];
  double excess; /* of the map along the component: its sum without signs over its sum */
  MtOnNodes on;
} MtPlaces;

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  const char *folder;
  MtSeries *series;
  MtEnergies energy;
  int component, of; /* from 0; term that passes and maps are of */
  double *scores;    /* [n][K] */
  double *slope;     /* [K][n][terms] dE/dPC of every component; NaN where the component rests */
  double sum_defect; /* largest |sum over variables of PC_k,i - PC_k| over the largest |PC_k| */
  int npasses;
  MtPass *pass;        /* [npasses] */
  MtRegression *ridge; /* [terms]; NULL: too few samples */
  double *alpha;       /* [n][terms] */
  MtMaps maps;
  MtMap truth; /* energy=states: the true work of the same steps, by node of the slab, as densities; else NULLs */
  bool *label; /* the nodes that take up most work on the whole */
  double roc_path[2], roc_ridge[2]; /* of the resisting map and of the net one */
  MtPlaces places;
} MtLandscape;

/* Not collective, but for what says so. */
void mt_landscape_maps(MtLandscape *l);
void mt_map_make(int64_t n, MtMap *m); /* zeros */
void mt_map_add(const MtMap *m, int64_t i, double part, bool resists);
void mt_map_free(MtMap *m);
/* dE/dPC over a step of the path, so that the contributions add up to the change of the energy; 0 where the component
 * rests. */
double mt_landscape_step_slope(const MtLandscape *l, int step);
/* Key landscape.places, where the features are persistence images whose pictures are there.  Collective, both. */
PetscErrorCode mt_landscape_places(MtLandscape *l);
PetscErrorCode mt_landscape_score_places(MtLandscape *l);
void mt_places_free(MtPlaces *p);
/* The maps of places on the nodes, where the pictures are of states.  Collective, all three. */
PetscErrorCode mt_landscape_on_nodes(MtLandscape *l);
PetscErrorCode mt_on_nodes_write(const MtLandscape *l, MtH5 *f); /* group /places/nodes */
PetscErrorCode mt_on_nodes_xdmf(const MtLandscape *l);           /* maps.xdmf */
void mt_on_nodes_free(MtOnNodes *o);
PetscErrorCode mt_landscape_score(MtLandscape *l);       /* Collective. */
PetscErrorCode mt_landscape_write(const MtLandscape *l); /* Collective. */
/* Density of a map at a node of the slab, J/m3: sum over its variables, over the node's share of the magnet. */
double mt_landscape_density(const MtLandscape *l, const double *map, int64_t node);

#endif
