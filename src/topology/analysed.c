/* A finished run, read back. */
#include "magtwin/analysed.h"
#include "diagrams.h"
#include "images.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "prepare.h"
#include <stdio.h>
#include <string.h>

enum { PATH = 4200 };

struct MtAnalysed {
  char *folder; /* owned */
  MtInput *in;
  MtImages images;
  MtCubical options; /* without values */
  MtPrepare prepare;
  MtFeatures features;
};

static PetscErrorCode read_input(MPI_Comm comm, MtAnalysed *a) {
  static const MtKey *const tables[] = {mt_topology_keys, NULL};
  char path[PATH];
  snprintf(path, sizeof path, "%s/topology.yaml", a->folder);
  PetscCall(mt_input_read_section(comm, path, "topology", tables, &a->in));
  if (mt_input_has(a->in, "topology.diagrams"))
    return mt_error(MT_ERR_INPUT, "%s: its diagrams are not of images that are known here", a->folder);
  PetscCall(mt_images_find(comm, a->in, &a->images));
  a->options = mt_images_options(a->in, &a->images);
  a->prepare = mt_prepare_options(a->in, &a->options);
  return 0;
}

/* The range that the run chose, not the one that was asked for. */
static PetscErrorCode read_features(MPI_Comm comm, MtAnalysed *a) {
  char path[PATH];
  double range[3];
  int64_t bins;
  MtH5 *f;
  snprintf(path, sizeof path, "%s/features.h5", a->folder);
  PetscCall(mt_h5_open(comm, path, "magtwin-features", 1, &f));
  PetscErrorCode rc = mt_h5_get_reals(f, "/", "low_high_sigma", 3, range);
  if (!rc) rc = mt_h5_get_ints(f, "/", "bins", 1, &bins);
  PetscErrorCode closed = mt_h5_close(&f);
  if (rc || closed) return rc ? rc : closed;
  mt_features_weight(a->in, &a->features);
  a->features.low = range[0], a->features.high = range[1], a->features.sigma = range[2];
  a->features.bins = (int)bins;
  return 0;
}

PetscErrorCode mt_analysed_open(MPI_Comm comm, const char *folder, MtAnalysed **a) {
  *a = mt_calloc(1, sizeof **a);
  (*a)->folder = mt_malloc(strlen(folder) + 1);
  strcpy((*a)->folder, folder);
  PetscErrorCode rc = read_input(comm, *a);
  if (!rc) rc = read_features(comm, *a);
  if (rc) mt_analysed_close(a);
  return rc;
}

void mt_analysed_close(MtAnalysed **a) {
  if (!*a) return;
  mt_images_free(&(*a)->images);
  mt_input_destroy(&(*a)->in);
  free((*a)->folder);
  free(*a);
  *a = NULL;
}

int mt_analysed_count(const MtAnalysed *a) {
  return a->images.n;
}

const int *mt_analysed_size(const MtAnalysed *a) {
  return a->images.size;
}

MtCubical mt_analysed_options(const MtAnalysed *a) {
  return a->options;
}

const MtFeatures *mt_analysed_features(const MtAnalysed *a) {
  return &a->features;
}

PetscErrorCode mt_analysed_read(const MtAnalysed *a, int i, double *value, MtCubical *image, MtDiagram *d) {
  char name[512], path[PATH];
  *image = a->options;
  image->value = value;
  PetscCall(mt_images_read(&a->images, i, value));
  PetscCall(mt_prepare(&a->prepare, mt_images_name(&a->images, i, name), value));
  snprintf(path, sizeof path, "%s/diagrams/%04d.csv", a->folder, i + 1);
  return mt_diagram_read_csv(path, image->n[2] > 1 ? 3 : 2, image->n, d);
}

int64_t mt_analysed_nodes(const MtAnalysed *a) {
  return mt_images_nodes(&a->images);
}

void mt_analysed_sample(const MtAnalysed *a, const double *nodal, double *value) {
  mt_images_sample(&a->images, nodal, value);
}

const char *mt_analysed_mesh(const MtAnalysed *a) {
  return mt_input_string(a->in, "topology.mesh");
}

double mt_analysed_cell(const MtAnalysed *a) {
  return mt_images_cell(&a->images);
}

void mt_analysed_onto_nodes(const MtAnalysed *a, int64_t start, int64_t n, const double *x, const double *value,
                            double *nodal) {
  mt_images_onto_nodes(&a->images, start, n, x, value, nodal);
}
