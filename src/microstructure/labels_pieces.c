/* Labels whose voxels do not hang together: said, refused, or mended. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  int64_t *voxels; /* [npieces] */
  int64_t *owner;  /* [npieces] grain + 1 */
  int64_t *best;   /* [ngrains] its largest piece, -1 */
  int *pieces;     /* [ngrains] */
} Pieces;

/* Pieces of equal labels, as the grains of p. */
static PetscErrorCode connect(MPI_Comm comm, const MtLabels *l, MtLabels *p) {
  const size_t n = (size_t)l->nx * (size_t)l->ny * (size_t)l->nz_local;
  PetscCall(mt_labels_layout(comm, l->nx, l->ny, l->nz, p));
  MtEbsd e = {mt_calloc(4 * n + 1, sizeof *e.q), NULL, mt_calloc(n + 1, sizeof *e.valid)};
  for (size_t i = 0; i < n; i++) {
    e.q[4 * i] = l->label[i];
    e.valid[i] = l->label[i] >= 0;
  }
  PetscErrorCode rc = mt_ebsd_connect(comm, &e, NULL, 0, 1, p);
  free(e.q);
  free(e.valid);
  return rc;
}

static PetscErrorCode count(MPI_Comm comm, const MtLabels *l, const MtLabels *p, Pieces *c) {
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  c->voxels = mt_calloc(2 * (size_t)p->ngrains + 1, sizeof *c->voxels);
  c->owner = c->voxels + p->ngrains;
  c->best = mt_malloc(((size_t)l->ngrains + 1) * sizeof *c->best);
  c->pieces = mt_calloc((size_t)l->ngrains + 1, sizeof *c->pieces);
  for (int64_t i = 0; i < n; i++) {
    if (p->label[i] < 0) continue;
    c->voxels[p->label[i]]++;
    c->owner[p->label[i]] = l->label[i] + 1;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, c->voxels, p->ngrains, MPI_INT64_T, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, c->owner, p->ngrains, MPI_INT64_T, MPI_MAX, comm));
  for (int g = 0; g < l->ngrains; g++) c->best[g] = -1;
  for (int k = 0; k < p->ngrains; k++) {
    const int64_t g = c->owner[k] - 1;
    c->pieces[g]++;
    if (c->best[g] < 0 || c->voxels[k] > c->voxels[c->best[g]]) c->best[g] = k;
  }
  return 0;
}

/* "label 7 lies in 3 pieces, the largest of 5012 voxels of 5020": of the one with most pieces. */
static int describe(const MtLabels *l, const Pieces *c, char text[200]) {
  int worst = 0, broken = 0;
  for (int g = 0; g < l->ngrains; g++) {
    broken += c->pieces[g] > 1;
    if (c->pieces[g] > c->pieces[worst]) worst = g;
  }
  if (broken)
    snprintf(text, 200,
             "label %lld lies in %d pieces, the largest has %lld of its %lld voxels (%d of %d labels are so)",
             (long long)l->source[worst], c->pieces[worst], (long long)c->voxels[c->best[worst]],
             (long long)l->voxels[worst], broken, l->ngrains);
  return broken;
}

static PetscErrorCode drop(MPI_Comm comm, MtLabels *l, const MtLabels *p, const Pieces *c) {
  int64_t dropped = 0;
  for (int64_t i = 0; i < (int64_t)l->nx * l->ny * l->nz_local; i++) {
    if (l->label[i] < 0 || c->best[l->label[i]] == p->label[i]) continue;
    l->label[i] = -1;
    dropped++;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &dropped, 1, MPI_INT64_T, MPI_SUM, comm));
  mt_warn("grains: %lld voxels outside the largest piece of their label now belong to no grain", (long long)dropped);
  return mt_labels_count(comm, l);
}

PetscErrorCode mt_labels_pieces(MPI_Comm comm, const MtInput *in, MtLabels *l) {
  const char *mode = mt_input_string(in, "grains.pieces");
  char text[200];
  MtLabels p = {0};
  Pieces c = {0};
  PetscErrorCode rc = connect(comm, l, &p);
  if (!rc) rc = count(comm, l, &p, &c);
  if (!rc && describe(l, &c, text)) {
    if (!strcmp(mode, "refuse"))
      rc = mt_input_error(in, "grains.pieces", "%s", text);
    else
      mt_warn("grains: %s", text);
    if (!rc && !strcmp(mode, "drop")) rc = drop(comm, l, &p, &c);
  }
  free(c.voxels);
  free(c.best);
  free(c.pieces);
  mt_labels_free(&p);
  return rc;
}
