/* How far the diagrams of a series move from image to image. */
#include "diagrams.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <stdio.h>
#include <string.h>

static PetscErrorCode load(const char *folder, int image, int dims, const int size[3], MtDiagram *d) {
  char path[4200];
  snprintf(path, sizeof path, "%s/diagrams/%04d.csv", folder, image + 1);
  return mt_diagram_read_csv(path, dims, size, d);
}

static PetscErrorCode measure(const char *folder, int image, int dims, const int size[3], bool bottleneck,
                              double *distance) {
  MtDiagram a, b;
  PetscCall(load(folder, image, dims, size, &a));
  PetscErrorCode rc = load(folder, image + 1, dims, size, &b);
  for (int k = 0; k < a.dims && !rc; k++)
    distance[k] = bottleneck ? mt_bottleneck(a.n[k], a.pair[k], b.n[k], b.pair[k])
                             : mt_wasserstein(a.n[k], a.pair[k], b.n[k], b.pair[k], 2);
  mt_diagram_free(&a);
  if (!rc) mt_diagram_free(&b);
  return rc;
}

static PetscErrorCode write_table(const char *folder, const char *kind, int n, int dims, const double *distance) {
  char *text = mt_malloc(200 + (size_t)n * 128), *p = text, path[4200], b[32];
  p = stpcpy(p, "image,next");
  for (int k = 0; k < dims; k++) p += sprintf(p, ",%s_%d", kind, k);
  *p++ = '\n';
  for (int i = 0; i < n; i++) {
    p += sprintf(p, "%d,%d", i + 1, i + 2);
    for (int k = 0; k < dims; k++) p += sprintf(p, ",%s", mt_real_text(distance[3 * i + k], b));
    *p++ = '\n';
  }
  *p = 0;
  snprintf(path, sizeof path, "%s/distances.csv", folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

PetscErrorCode mt_distances_write(MPI_Comm comm, const char *folder, const MtInput *in, int dims, const int size[3],
                                  int total) {
  const char *kind = mt_input_string(in, "topology.distances");
  int rank, ranks;
  int64_t start, n;
  PetscErrorCode rc = 0;
  if (!strcmp(kind, "none") || total < 2) return 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  mt_slab(total - 1, rank, ranks, &start, &n);
  double *distance = mt_calloc(3 * (size_t)total, sizeof *distance);
  for (int64_t i = start; i < start + n && !rc; i++)
    rc = measure(folder, (int)i, dims, size, !strcmp(kind, "bottleneck"), distance + 3 * i);
  rc = mt_agree(comm, rc);
  if (!rc) {
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, distance, 3 * total, MPI_DOUBLE, MPI_SUM, comm));
    rc = mt_agree_root(comm, rank ? 0 : write_table(folder, kind, total - 1, dims, distance));
  }
  free(distance);
  return rc;
}
