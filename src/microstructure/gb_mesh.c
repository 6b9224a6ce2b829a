/* Cells -> tetrahedra, surface first: edges and faces are meshed, each grain gets its own copy of the surface set back
 * by half the layer, the gap is filled with prisms, each grain by Gmsh inside its fixed surface, and the air around. */
#include "gb_fill.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include "mesh_end.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOLD_ROUNDS = 12, FILL_ROUNDS = 8, ALL_ROUNDS = 36 };

typedef struct {
  const MtCells *c;
  const MtMeshOptions *opt;
  MtSurface s;
  MtTopology t;
  MtCopies q;
  MtGrainFills g;
  int rounds; /* of moving and thinning */
} Work;

/* Copies moved where the layer or a grain's surface is bad, thinned where that does not do. */
static PetscErrorCode mend_once(Work *w, int *nbad, int *nthinned) {
  MtLayer l;
  PetscCall(mt_layer_make(w->c, &w->s, &w->t, &w->q, w->opt->layers, &l));
  PetscCall(mt_layer_relax(w->c, &l));
  memcpy(w->q.x, l.m.x, 3 * (size_t)w->q.n * sizeof(double));
  PetscCall(mt_thin_folds(&l, &w->q, nbad, nthinned));
  w->rounds++;
  return mt_layer_free(&l);
}

/* Until no triangle is folded and no prism inverted, as far as thinning can do it. */
static PetscErrorCode mend(Work *w) {
  int nbad = 1, nthinned = 1;
  for (int round = 0; round < FOLD_ROUNDS && w->rounds < ALL_ROUNDS && nbad > 0 && nthinned > 0; round++) {
    PetscCall(mend_once(w, &nbad, &nthinned));
    mt_progress("GB phase, round %d: %d places without room, thinned at %d nodes", w->rounds, nbad, nthinned);
  }
  mt_progress_end();
  return 0;
}

/* Where the surface of grain k cuts itself, else its middle. */
static PetscErrorCode trouble_at(const Work *w, int k, double x[3]) {
  MtShell shell;
  int32_t *copy;
  int n, *cut;
  memcpy(x, w->c->center + 3 * k, 3 * sizeof *x);
  PetscCall(mt_grain_shell(w->c, &w->s, &w->q, k, &shell, &copy));
  mt_shell_cuts(&shell, &cut, &n);
  if (n > 0) memcpy(x, shell.x + 3 * shell.tri[3 * cut[0]], 3 * sizeof *x);
  mt_shell_free(&shell), free(copy), free(cut);
  return 0;
}

static PetscErrorCode fill_failed(const Work *w, const int *failed, int nfailed) {
  int k = 0;
  double x[3];
  char others[64] = "";
  while (!failed[k]) k++;
  PetscCall(trouble_at(w, k, x));
  if (nfailed > 1) snprintf(others, sizeof others, " (and %d other%s)", nfailed - 1, nfailed > 2 ? "s" : "");
  return mt_error(MT_ERR_FAIL,
                  "grain %d of %d%s could not be filled with tetrahedra, even with the GB phase thinned: no room near "
                  "(%.4g, %.4g, %.4g) nm; try a larger mesh.min_edge, a smaller mesh.size or mesh.gb.thickness, or "
                  "another grains.seed",
                  k, w->c->ngrains, others, x[0], x[1], x[2]);
}

static PetscErrorCode fill(MPI_Comm comm, Work *w, int *failed, int *nfailed) {
  const bool split = w->opt->thickness > 0;
  if (split) PetscCall(mt_copies_place(w->c, &w->s, &w->t, &w->q));
  for (int round = 1, nthinned = 1; round <= FILL_ROUNDS && nthinned > 0; round++) {
    mt_phase_begin("place GB phase");
    if (split) PetscCall(mend(w));
    mt_phase_end("place GB phase");
    mt_phase_begin("fill grains");
    PetscCall(mt_fills_update(comm, w->c, &w->s, &w->q, w->opt->size, &w->g, failed, nfailed));
    mt_phase_end("fill grains");
    if (*nfailed == 0 || !split) break;
    PetscCall(mt_thin_failed(w->c, &w->s, failed, &w->q, &nthinned));
    mt_log("%d of %d grains leave no room for the full GB phase: thinned at %d nodes, meshed again (round %d of %d)",
           *nfailed, w->c->ngrains, nthinned, round, FILL_ROUNDS);
  }
  return 0;
}

static PetscErrorCode place_and_fill(MPI_Comm comm, Work *w) {
  int *failed, nfailed = 0;
  PetscCall(PetscCalloc1((size_t)w->c->ngrains, &failed));
  PetscCall(fill(comm, w, failed, &nfailed));
  PetscErrorCode rc = nfailed ? fill_failed(w, failed, nfailed) : 0;
  PetscCall(PetscFree(failed));
  return rc;
}

/* ---- the whole mesh on rank 0 */

static PetscErrorCode finish(const Work *w, MtTets *m, MtMeshData *d, MtJson *json) {
  PetscCall(mt_mesh_close(w->c->box, w->c->ngrains, w->opt, m, d));
  PetscCall(mt_mesh_better(w->opt, d, json));
  return mt_mesh_end_regions(d);
}

static PetscErrorCode assemble(MPI_Comm comm, Work *w, MtMeshData *d, MtJson *json) {
  MtTets m = {0};
  int32_t *face, *edge, *vertex;
  PetscErrorCode rc = 0;
  memset(d, 0, sizeof *d);
  if (w->g.rank == 0) {
    PetscCall(
        mt_gb_regions(w->c, &w->t, w->opt->thickness > 0, w->opt->surface > 0, &d->regions, &face, &edge, &vertex));
    PetscCall(mt_gb_layers(w->c, &w->s, &w->t, &w->q, w->opt->layers, face, edge, vertex, &m));
    PetscCall(PetscFree3(face, edge, vertex));
  }
  PetscCall(mt_fills_gather(comm, &w->g, &m));
  if (w->g.rank == 0) rc = finish(w, &m, d, json);
  PetscCall(mt_agree_root(comm, rc));
  return 0;
}

static void work_free(Work *w) {
  mt_fills_free(&w->g);
  mt_copies_free(&w->q);
  mt_topology_free(&w->t);
  mt_surface_free(&w->s);
}

PetscErrorCode mt_mesh_cells(MPI_Comm comm, const MtCells *cells, const MtMeshOptions *opt, MtMeshData *mesh,
                             MtJson *json) {
  Work w = {.c = cells, .opt = opt};
  mt_gmsh_begin();
  mt_phase_begin("mesh surface");
  PetscCall(mt_topology_make(cells, &w.t));
  PetscCall(mt_surface_make(comm, cells, opt->size, &w.s));
  PetscCall(mt_copies_alloc(cells, &w.s, &w.t, opt->thickness, &w.q));
  mt_phase_end("mesh surface");
  mt_phase_begin("mesh grains");
  PetscCall(mt_fills_make(comm, cells, &w.g));
  w.g.inner = opt->inner_size, w.g.growth = opt->growth;
  PetscCall(place_and_fill(comm, &w));
  mt_phase_end("mesh grains");
  if (opt->thickness > 0) PetscCall(mt_gb_report(cells, &w.s, &w.q, w.rounds, json));
  PetscCall(assemble(comm, &w, mesh, json));
  PetscCall(mt_agree_root(comm, w.g.rank == 0 ? mt_mesh_refuse_broken(mesh) : 0));
  mt_gmsh_end();
  work_free(&w);
  return 0;
}
