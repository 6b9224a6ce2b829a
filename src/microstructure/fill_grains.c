/* The grains filled, each by one rank with its own Gmsh on its own closed surface: a serial mesher made parallel.  The
 * surface is common and fixed, so that the result does not depend on who fills what. */
#include "cells_internal.h"
#include "gb_fill.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

static const double *sort_cost;

static int by_cost_down(const void *a, const void *b) {
  int i = *(const int *)a, j = *(const int *)b;
  if (sort_cost[i] != sort_cost[j]) return sort_cost[i] < sort_cost[j] ? 1 : -1;
  return (i > j) - (i < j);
}

/* The dearest first, each to the rank with the least so far (R. L. Graham, SIAM J. Appl. Math. 17 (1969) 416: at most
 * 4/3 of the best). */
static PetscErrorCode share_out(int n, const double *cost, int nranks, int *owner) {
  int *order;
  double *load;
  PetscCall(PetscCalloc2((size_t)n, &order, (size_t)nranks, &load));
  for (int i = 0; i < n; i++) order[i] = i;
  sort_cost = cost;
  qsort(order, (size_t)n, sizeof *order, by_cost_down);
  for (int i = 0; i < n; i++) {
    int to = 0;
    for (int r = 1; r < nranks; r++) to = load[r] < load[to] ? r : to;
    owner[order[i]] = to;
    load[to] += cost[order[i]];
  }
  return PetscFree2(order, load);
}

PetscErrorCode mt_fills_make(MPI_Comm comm, const MtCells *c, const MtMeshOptions *opt, MtGrainFills *g) {
  double *cost;
  const int n = c->ngrains;
  memset(g, 0, sizeof *g);
  g->ngrains = n, g->inner = opt->inner_size, g->growth = opt->growth;
  PetscCallMPI(MPI_Comm_rank(comm, &g->rank));
  PetscCallMPI(MPI_Comm_size(comm, &g->nranks));
  PetscCall(PetscCalloc4((size_t)n + 1, &g->owner, (size_t)n, &g->shell, (size_t)n, &g->copy, (size_t)n, &g->fill));
  PetscCall(PetscMalloc1((size_t)n + 1, &cost));
  for (int k = 0; k < n; k++) cost[k] = mt_fill_cost(opt, c->volume[k]);
  cost[n] = mt_air_cost(opt, c->box);
  PetscCall(share_out(n + 1, cost, g->nranks, g->owner));
  return PetscFree(cost);
}

void mt_fills_free(MtGrainFills *g) {
  for (int k = 0; k < g->ngrains; k++) {
    mt_shell_free(g->shell + k);
    mt_fill_free(g->fill + k);
    free(g->copy[k]);
  }
  (void)PetscFree4(g->owner, g->shell, g->copy, g->fill);
}

/* Open addressing: point + 1 of a copy; as large as the surface of the grain, not as the sample. */
typedef struct {
  size_t mask;
  int32_t *point;
} Numbers;

static int32_t shell_point(const MtCopies *q, int32_t at, Numbers *n, MtShell *shell, int32_t *copy) {
  size_t i = (size_t)at * 2654435761u & n->mask;
  while (n->point[i] && copy[n->point[i] - 1] != at) i = (i + 1) & n->mask;
  if (!n->point[i]) {
    memcpy(shell->x + 3 * shell->nx, q->x + 3 * at, 3 * sizeof(double));
    copy[shell->nx] = at;
    n->point[i] = ++shell->nx;
  }
  return n->point[i] - 1;
}

PetscErrorCode mt_grain_shell(const MtCells *c, const MtSurface *s, const MtCopies *q, int k, MtShell *shell,
                              int32_t **copy) {
  Numbers number = {1, NULL};
  int nt = 0;
  for (int f = 0; f < c->nfaces; f++)
    if (c->face_cells[2 * f] == k || c->face_cells[2 * f + 1] == k) nt += s->face_start[f + 1] - s->face_start[f];
  while (number.mask < 4 * (size_t)nt + 24) number.mask *= 2;
  number.point = mt_calloc(number.mask--, sizeof *number.point);
  *shell = (MtShell){0, 0, mt_malloc((3 * (size_t)nt + 12) * 3 * sizeof(double)),
                     mt_malloc((3 * (size_t)nt + 1) * sizeof(int32_t))};
  *copy = mt_malloc((3 * (size_t)nt + 12) * sizeof(int32_t));
  for (int f = 0; f < c->nfaces; f++) {
    if (c->face_cells[2 * f] != k && c->face_cells[2 * f + 1] != k) continue;
    bool outward = c->face_cells[2 * f] == k;
    for (int i = s->face_start[f]; i < s->face_start[f + 1]; i++, shell->nt++)
      for (int j = 0; j < 3; j++) {
        int32_t at = mt_copies_find(q, s->tri[3 * i + (outward ? j : 2 - j)], k);
        shell->tri[3 * shell->nt + j] = shell_point(q, at, &number, shell, *copy);
      }
  }
  free(number.point);
  return 0;
}

bool mt_shell_same(const MtShell *a, const MtShell *b) {
  return a->nx == b->nx && a->nt == b->nt && memcmp(a->x, b->x, 3 * (size_t)a->nx * sizeof(double)) == 0;
}

/* A surface that cuts itself need not be tried. */
static bool shell_is_whole(const MtShell *s) {
  int n, *cut;
  mt_shell_cuts(s, &cut, &n);
  free(cut);
  return n == 0;
}

/* The planes of grain k before the inset; its edges begin to grow there. */
static PetscErrorCode grading_make(const MtCells *c, const MtGrainFills *g, double size, int k, MtGrading *grading) {
  *grading = (MtGrading){size, g->inner, g->growth, 0, NULL};
  PetscCall(PetscMalloc1(4 * (size_t)c->nfaces + 1, &grading->plane));
  for (int f = 0; f < c->nfaces; f++) {
    const int side = c->face_cells[2 * f] == k ? 0 : 1, n = c->face_start[f + 1] - c->face_start[f];
    const int32_t *loop = c->face_vertex + c->face_start[f];
    double *p = grading->plane + 4 * grading->nplanes, area[3], mean[3] = {0, 0, 0};
    if (c->face_cells[2 * f + side] != k) continue;
    mt_loop_area(c->x, n, loop, area);
    const double size2 = area[0] * area[0] + area[1] * area[1] + area[2] * area[2];
    if (!(size2 > 0)) continue;
    for (int i = 0; i < 3 * n; i++) mean[i % 3] += c->x[3 * loop[i / 3] + i % 3] / n;
    for (int i = 0; i < 3; i++) p[i] = (side ? 1 : -1) * area[i] / sqrt(size2);
    p[3] = p[0] * mean[0] + p[1] * mean[1] + p[2] * mean[2];
    grading->nplanes++;
  }
  return 0;
}

static PetscErrorCode fill_one(const MtCells *c, const MtSurface *s, const MtCopies *q, double size, int k,
                               MtGrainFills *g) {
  MtShell shell;
  int32_t *copy;
  PetscCall(mt_grain_shell(c, s, q, k, &shell, &copy));
  if (g->fill[k].nt > 0 && mt_shell_same(&shell, g->shell + k)) {
    mt_shell_free(&shell), free(copy);
    return 0;
  }
  mt_shell_free(g->shell + k), free(g->copy[k]), mt_fill_free(g->fill + k);
  g->shell[k] = shell, g->copy[k] = copy;
  mt_progress("meshing grain %d of %d", k + 1, c->ngrains);
  if (!shell_is_whole(g->shell + k)) return 0;
  MtGrading grading = {.plane = NULL};
  if (g->inner > size) PetscCall(grading_make(c, g, size, k, &grading));
  const bool filled = mt_fill_shell(g->shell + k, 0, size, g->inner > size ? &grading : NULL, g->fill + k);
  PetscCall(PetscFree(grading.plane));
  if (!filled) return 0;
  mt_fill_smooth(g->shell + k, g->fill + k);
  mt_fill_repair(g->shell + k, g->fill + k);
  mt_fill_smooth(g->shell + k, g->fill + k);
  return 0;
}

PetscErrorCode mt_fills_update(const MtCells *c, const MtSurface *s, const MtCopies *q, double size, MtGrainFills *g,
                               int *failed, int *nfailed) {
  PetscErrorCode rc = 0;
  *nfailed = 0;
  for (int k = 0; k < c->ngrains; k++) failed[k] = 0;
  for (int k = 0; k < c->ngrains && !rc; k++) {
    if (g->owner[k] != g->rank) continue;
    rc = fill_one(c, s, q, size, k, g);
    failed[k] = g->fill[k].nt == 0;
    *nfailed += failed[k];
  }
  mt_progress_end();
  return rc;
}

PetscErrorCode mt_fills_agree(MPI_Comm comm, PetscErrorCode rc, const MtGrainFills *g, int *failed, int *nfailed) {
  PetscCall(mt_agree(comm, rc));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, failed, g->ngrains, MPI_INT, MPI_MAX, comm));
  *nfailed = 0;
  for (int k = 0; k < g->ngrains; k++) *nfailed += failed[k];
  return 0;
}

static PetscErrorCode append(const MtShell *s, const int32_t *copy, const MtFill *f, int32_t region, MtTets *m) {
  int64_t base = m->nv;
  PetscCall(mt_tets_reserve(m, m->nv + f->nx, m->nt + f->nt));
  memcpy(m->x + 3 * m->nv, f->x, 3 * (size_t)f->nx * sizeof(double));
  m->nv += f->nx;
  for (int i = 0; i < 4 * f->nt; i++)
    m->tet[4 * m->nt + i] = f->tet[i] < s->nx ? copy[f->tet[i]] : base + f->tet[i] - s->nx;
  for (int i = 0; i < f->nt; i++) m->region[m->nt + i] = region;
  m->nt += f->nt;
  return 0;
}

/* corner: of the nx points of the surface, NULL: the receiver knows them. */
static PetscErrorCode send_fill(MPI_Comm comm, int nx, const int32_t *corner, const MtFill *f, int tag) {
  int counts[3] = {corner ? nx : 0, f->nx, f->nt};
  PetscCallMPI(MPI_Send(counts, 3, MPI_INT, 0, tag, comm));
  PetscCallMPI(MPI_Send(corner, counts[0], MPI_INT32_T, 0, tag, comm));
  PetscCallMPI(MPI_Send(f->x, 3 * counts[1], MPI_DOUBLE, 0, tag, comm));
  PetscCallMPI(MPI_Send(f->tet, 4 * counts[2], MPI_INT32_T, 0, tag, comm));
  return 0;
}

static PetscErrorCode receive_fill(MPI_Comm comm, int from, int tag, int *nx, int32_t **corner, MtFill *f) {
  int counts[3] = {0};
  PetscCallMPI(MPI_Recv(counts, 3, MPI_INT, from, tag, comm, MPI_STATUS_IGNORE));
  *nx = counts[0], f->nx = counts[1], f->nt = counts[2];
  *corner = mt_calloc((size_t)counts[0] + 1, sizeof(int32_t)); /* clang-tidy does not know what MPI_Recv fills */
  f->x = mt_malloc((3 * (size_t)counts[1] + 1) * sizeof(double));
  f->tet = mt_calloc(4 * (size_t)counts[2] + 1, sizeof(int32_t)); /* clang-tidy does not know what MPI_Recv fills */
  PetscCallMPI(MPI_Recv(*corner, counts[0], MPI_INT32_T, from, tag, comm, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Recv(f->x, 3 * counts[1], MPI_DOUBLE, from, tag, comm, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Recv(f->tet, 4 * counts[2], MPI_INT32_T, from, tag, comm, MPI_STATUS_IGNORE));
  return 0;
}

PetscErrorCode mt_fills_gather(MPI_Comm comm, MtGrainFills *g, MtTets *m) {
  for (int k = 0; k < g->ngrains; k++) {
    if (g->rank == g->owner[k] && g->rank != 0) PetscCall(send_fill(comm, g->shell[k].nx, g->copy[k], g->fill + k, k));
    if (g->rank != 0) continue;
    if (g->owner[k] != 0) PetscCall(receive_fill(comm, g->owner[k], k, &g->shell[k].nx, g->copy + k, g->fill + k));
    PetscCall(append(g->shell + k, g->copy[k], g->fill + k, k, m));
    mt_fill_free(g->fill + k);
  }
  return 0;
}

PetscErrorCode mt_fills_gather_air(MPI_Comm comm, const MtGrainFills *g, MtFill *f) {
  const int from = g->owner[g->ngrains], tag = g->ngrains;
  int nx;
  int32_t *corner = NULL;
  if (from == 0) return 0;
  if (g->rank == from) return send_fill(comm, 0, NULL, f, tag);
  if (g->rank == 0) PetscCall(receive_fill(comm, from, tag, &nx, &corner, f));
  free(corner);
  return 0;
}
