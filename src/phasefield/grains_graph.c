/* The nodes of a domain as grain growth sees them: the rows of K, and who sends what to whom. */
#include "grains_impl.h"
#include "magtwin/error.h"

typedef struct {
  PetscInt n, *row, *local; /* ghosts, ascending by row */
} Ghosts;

static PetscErrorCode sort_ghosts(const MtDomain *d, Ghosts *g) {
  g->n = d->n_local - d->n_owned;
  PetscCall(PetscMalloc2(g->n, &g->row, g->n, &g->local));
  for (PetscInt i = 0; i < g->n; i++) {
    g->row[i] = d->row[d->n_owned + i];
    g->local[i] = d->n_owned + i;
  }
  return PetscSortIntWithArray(g->n, g->row, g->local);
}

static PetscErrorCode local_node(const MtDomain *d, const Ghosts *g, PetscInt row, PetscInt *node) {
  PetscInt at;
  *node = row - d->row_start;
  if (*node >= 0 && *node < d->n_owned) return 0;
  PetscCall(PetscFindInt(row, g->n, g->row, &at));
  *node = g->local[at];
  return 0;
}

/* Edges that do not couple, as the diagonals of boxes, are left out: they are rounding beside the diagonal. */
static bool couples(PetscScalar k, PetscScalar diagonal) {
  return PetscAbsScalar(k) > 1e-13 * PetscAbsScalar(diagonal);
}

/* Of the columns of a row: 0 before it on this rank, 1 after it, 2 on another rank. */
static int part_of(const MtDomain *d, PetscInt i, PetscInt column) {
  const PetscInt local = column - d->row_start;
  return local < 0 || local >= d->n_owned ? 2 : local > i;
}

static PetscErrorCode add_row(const MtDomain *d, const Ghosts *ghosts, Mat K, PetscInt i, MtGrainGraph *g) {
  PetscInt n, at = g->start[i];
  const PetscInt *column;
  const PetscScalar *value;
  PetscCall(MatGetRow(K, d->row_start + i, &n, &column, &value));
  for (PetscInt k = 0; k < n; k++)
    if (column[k] == d->row_start + i) g->diagonal[i] = value[k];
  for (int part = 0; part < 3; part++) {
    if (part == 1) g->above[i] = at;
    if (part == 2) g->ghost[i] = at;
    for (PetscInt k = 0; k < n; k++) {
      if (column[k] == d->row_start + i || part_of(d, i, column[k]) != part || !couples(value[k], g->diagonal[i]))
        continue;
      g->k[at] = value[k];
      PetscCall(local_node(d, ghosts, column[k], &g->node[at++]));
    }
  }
  g->start[i + 1] = at;
  return MatRestoreRow(K, d->row_start + i, &n, &column, &value);
}

static PetscErrorCode take_weights(const MtDomain *d, Vec w, MtGrainGraph *g) {
  const PetscScalar *a;
  PetscScalar sum;
  PetscCall(PetscMalloc1(d->n_owned, &g->w));
  PetscCall(VecGetArrayRead(w, &a));
  for (PetscInt i = 0; i < d->n_owned; i++) g->w[i] = a[i];
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(VecSum(w, &sum));
  g->volume = sum;
  return 0;
}

PetscErrorCode mt_grain_graph(const MtDomain *d, MtGrainGraph *g) {
  MatInfo info;
  Ghosts ghosts;
  Mat K;
  Vec w;
  PetscCall(mt_domain_operators(d, &K, &w));
  PetscCall(MatGetInfo(K, MAT_LOCAL, &info));
  PetscCall(sort_ghosts(d, &ghosts));
  PetscCall(PetscCalloc1(d->n_owned + 1, &g->start));
  PetscCall(PetscMalloc1((PetscInt)info.nz_used, &g->node));
  PetscCall(PetscMalloc1((PetscInt)info.nz_used, &g->k));
  PetscCall(PetscCalloc1(d->n_owned, &g->diagonal));
  PetscCall(PetscMalloc1(d->n_owned, &g->above));
  PetscCall(PetscMalloc1(d->n_owned, &g->ghost));
  for (PetscInt i = 0; i < d->n_owned; i++) PetscCall(add_row(d, &ghosts, K, i, g));
  PetscCall(take_weights(d, w, g));
  PetscCall(PetscFree2(ghosts.row, ghosts.local));
  PetscCall(MatDestroy(&K));
  return VecDestroy(&w);
}

PetscErrorCode mt_grain_graph_free(MtGrainGraph *g) {
  PetscCall(PetscFree(g->start));
  PetscCall(PetscFree(g->node));
  PetscCall(PetscFree(g->k));
  PetscCall(PetscFree(g->above));
  PetscCall(PetscFree(g->ghost));
  PetscCall(PetscFree(g->diagonal));
  return PetscFree(g->w);
}

static PetscErrorCode copy_side(PetscInt n, const PetscMPIInt *rank, const PetscInt *start, const PetscInt *node,
                                MtGrainSide *s) {
  const PetscInt total = n > 0 ? start[n] - start[0] : 0;
  s->n = (int)n;
  PetscCall(PetscMalloc1(n, &s->rank));
  PetscCall(PetscCalloc1(n + 1, &s->start));
  PetscCall(PetscCalloc1(n + 1, &s->pair_start));
  PetscCall(PetscMalloc1(total, &s->node));
  PetscCall(PetscMalloc(8 * (size_t)total, &s->buffer));
  for (PetscInt r = 0; r < n; r++) {
    s->rank[r] = rank[r];
    s->start[r + 1] = start[r + 1] - start[0];
  }
  return PetscArraycpy(s->node, node, total);
}

PetscErrorCode mt_grain_ghosts(const MtDomain *d, MtGrainGhosts *g) {
  const PetscInt nghost = d->n_local - d->n_owned;
  PetscLayout layout;
  PetscSF sf;
  PetscInt n, *leaf;
  const PetscMPIInt *rank;
  const PetscInt *start, *node, *remote;
  PetscCallMPI(MPI_Comm_dup(d->comm, &g->comm));
  PetscCall(PetscLayoutCreate(d->comm, &layout));
  PetscCall(PetscLayoutSetLocalSize(layout, d->n_owned));
  PetscCall(PetscLayoutSetUp(layout));
  PetscCall(PetscMalloc1(nghost, &leaf));
  for (PetscInt i = 0; i < nghost; i++) leaf[i] = d->n_owned + i;
  PetscCall(PetscSFCreate(d->comm, &sf));
  PetscCall(PetscSFSetGraphLayout(sf, layout, nghost, leaf, PETSC_COPY_VALUES, d->row + d->n_owned));
  PetscCall(PetscSFSetUp(sf));
  PetscCall(PetscSFGetRootRanks(sf, &n, &rank, &start, &node, &remote));
  PetscCall(copy_side(n, rank, start, node, &g->in));
  PetscCall(PetscSFGetLeafRanks(sf, &n, &rank, &start, &node));
  PetscCall(copy_side(n, rank, start, node, &g->out));
  PetscCall(PetscMalloc((size_t)(g->in.n + g->out.n) * sizeof(MPI_Request), &g->request));
  PetscCall(PetscFree(leaf));
  PetscCall(PetscSFDestroy(&sf));
  return PetscLayoutDestroy(&layout);
}

static PetscErrorCode free_side(MtGrainSide *s) {
  PetscCall(PetscFree(s->rank));
  PetscCall(PetscFree(s->start));
  PetscCall(PetscFree(s->node));
  PetscCall(PetscFree(s->pair_start));
  PetscCall(PetscFree(s->pair));
  return PetscFree(s->buffer);
}

PetscErrorCode mt_grain_ghosts_free(MtGrainGhosts *g) {
  PetscCall(free_side(&g->in));
  PetscCall(free_side(&g->out));
  PetscCall(PetscFree(g->request));
  if (g->comm) PetscCallMPI(MPI_Comm_free(&g->comm));
  return 0;
}

/* buffer of out -> buffer of in */
static PetscErrorCode transfer(MtGrainGhosts *g, const PetscInt *to, const PetscInt *from, MPI_Datatype type,
                               size_t size) {
  int n = 0;
  for (int r = 0; r < g->in.n; r++)
    PetscCallMPI(MPI_Irecv((char *)g->in.buffer + size * (size_t)from[r], (int)(from[r + 1] - from[r]), type,
                           g->in.rank[r], 0, g->comm, &g->request[n++]));
  for (int r = 0; r < g->out.n; r++)
    PetscCallMPI(MPI_Isend((char *)g->out.buffer + size * (size_t)to[r], (int)(to[r + 1] - to[r]), type, g->out.rank[r],
                           0, g->comm, &g->request[n++]));
  PetscCallMPI(MPI_Waitall(n, g->request, MPI_STATUSES_IGNORE));
  return 0;
}

static PetscErrorCode send_ints(MtGrainGhosts *g, bool pairs, int32_t *value) {
  const PetscInt *to = pairs ? g->out.pair_start : g->out.start, *from = pairs ? g->in.pair_start : g->in.start;
  const PetscInt *of = pairs ? g->out.pair : g->out.node, *at = pairs ? g->in.pair : g->in.node;
  int32_t *out = g->out.buffer, *in = g->in.buffer;
  for (PetscInt k = 0; k < to[g->out.n]; k++) out[k] = value[of[k]];
  PetscCall(transfer(g, to, from, MPI_INT32_T, sizeof *out));
  for (PetscInt k = 0; k < from[g->in.n]; k++) value[at[k]] = in[k];
  return 0;
}

PetscErrorCode mt_grain_ghosts_count(MtGrainGhosts *g, int32_t *count) {
  return send_ints(g, false, count);
}

PetscErrorCode mt_grain_ghosts_ids(MtGrainGhosts *g, int32_t *id) {
  return send_ints(g, true, id);
}

PetscErrorCode mt_grain_ghosts_values(MtGrainGhosts *g, double *value) {
  double *out = g->out.buffer, *in = g->in.buffer;
  for (PetscInt k = 0; k < g->out.pair_start[g->out.n]; k++) out[k] = value[g->out.pair[k]];
  PetscCall(transfer(g, g->out.pair_start, g->in.pair_start, MPI_DOUBLE, sizeof *out));
  for (PetscInt k = 0; k < g->in.pair_start[g->in.n]; k++) value[g->in.pair[k]] = in[k];
  return 0;
}

static PetscErrorCode side_pairs(MtGrainSide *s, const PetscInt *start) {
  PetscInt n = 0;
  for (PetscInt k = 0; k < s->start[s->n]; k++) n += start[s->node[k] + 1] - start[s->node[k]];
  PetscCall(PetscFree(s->pair));
  PetscCall(PetscFree(s->buffer));
  PetscCall(PetscMalloc1(n, &s->pair));
  PetscCall(PetscMalloc(8 * (size_t)PetscMax(n, s->start[s->n]), &s->buffer));
  n = 0;
  for (int r = 0; r < s->n; r++) {
    for (PetscInt k = s->start[r]; k < s->start[r + 1]; k++)
      for (PetscInt p = start[s->node[k]]; p < start[s->node[k] + 1]; p++) s->pair[n++] = p;
    s->pair_start[r + 1] = n;
  }
  return 0;
}

PetscErrorCode mt_grain_ghosts_pairs(MtGrainGhosts *g, const PetscInt *start) {
  PetscCall(side_pairs(&g->in, start));
  return side_pairs(&g->out, start);
}
