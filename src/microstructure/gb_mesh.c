/* Cells -> tetrahedra, surface first: edges and faces are meshed, each grain gets its own copy of the surface set back
 * by half the layer, the gap is filled with prisms, each grain by Gmsh inside its fixed surface, and the air around. */
#include "air.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include "mesh_end.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOLD_ROUNDS = 12, FILL_ROUNDS = 8, ALL_ROUNDS = 36, POCKET_ROUNDS = 4 };
static const double pocket_accuracy = 3e-3; /* of their volume; 2 % is promised of the finished mesh */
static const double no_room = 0.9;          /* of it left: larger ones would lose more */

typedef struct {
  const MtCells *c;
  const MtMeshOptions *opt;
  MtSurface s;
  MtTopology t;
  MtCopies q;
  MtPockets p;
  MtGrainFills g;
  MtAir air;  /* on the rank that fills it, in the end on rank 0 */
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

static double box_volume(const MtCells *c) {
  return (c->box[3] - c->box[0]) * (c->box[4] - c->box[1]) * (c->box[5] - c->box[2]);
}

/* The copies at their places; with pockets of a given volume again, as long as moving and thinning take from it. */
static PetscErrorCode place(Work *w) {
  const double asked = w->opt->pockets.fraction * box_volume(w->c);
  double volume, aim = asked;
  if (w->p.n == 0) return mt_copies_place(w->c, &w->s, &w->t, &w->q);
  if (!(asked > 0)) return mt_pockets_place(w->c, &w->s, &w->t, &w->p, &w->q);
  for (int k = 0; k < POCKET_ROUNDS; k++) {
    PetscCall(mt_pockets_fit(w->c, &w->s, &w->t, w->opt->layers, w->opt->size, aim, &w->p, &w->q));
    w->rounds = 0;
    PetscCall(mend(w));
    PetscCall(mt_pockets_volume(w->c, &w->s, &w->t, &w->q, w->opt->layers, &volume));
    mt_progress("pockets: reach %.3g nm, %.4g of %.4g nm3", w->p.size, volume, asked);
    if (fabs(volume / asked - 1) < pocket_accuracy || volume < no_room * asked) break;
    aim *= asked / volume;
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

/* The air as the surface is now, unless it is filled already. */
static PetscErrorCode air_update(Work *w) {
  MtSkin skin;
  MtAir air = {0};
  PetscErrorCode rc = mt_skin_make(w->c, &w->s, &w->t, &w->q, w->opt, &w->p, &skin);
  if (!rc) rc = mt_air_surface(&skin.m, skin.nface, skin.face, skin.sphere, skin.air_size, &air);
  mt_skin_free(&skin);
  if (!rc && w->air.fill.nt > 0 && mt_shell_same(&air.shell, &w->air.shell)) {
    mt_air_free(&air);
  } else if (!rc) {
    mt_air_free(&w->air);
    w->air = air;
    rc = mt_air_fill(&w->air);
  }
  return rc;
}

/* This rank's grains, and the air where that is its own and no grain speaks against it. */
static PetscErrorCode fill_own(Work *w, int *failed) {
  int nfailed;
  mt_phase_begin("fill grains");
  PetscErrorCode rc = mt_fills_update(w->c, &w->s, &w->q, w->opt->size, &w->g, failed, &nfailed);
  mt_phase_end("fill grains");
  mt_phase_begin("mesh air");
  if (!rc && !nfailed && w->g.owner[w->c->ngrains] == w->g.rank && w->opt->air_radius > 0) rc = air_update(w);
  mt_phase_end("mesh air");
  return rc;
}

static PetscErrorCode fill(MPI_Comm comm, Work *w, int *failed, int *nfailed) {
  const bool split = w->opt->thickness > 0;
  mt_phase_begin("place GB phase");
  if (split) PetscCall(place(w));
  mt_phase_end("place GB phase");
  for (int round = 1, nthinned = 1; round <= FILL_ROUNDS && nthinned > 0; round++) {
    mt_phase_begin("place GB phase");
    if (split) PetscCall(mend(w));
    mt_phase_end("place GB phase");
    PetscCall(mt_fills_agree(comm, fill_own(w, failed), &w->g, failed, nfailed));
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

static PetscErrorCode finish(const Work *w, const MtSkin *skin, MtTets *m, MtMeshData *d, MtJson *json) {
  memcpy(d->magnet_box, skin->magnet, sizeof d->magnet_box);
  memcpy(d->sphere, skin->sphere, sizeof d->sphere);
  if (w->air.fill.nt > 0) PetscCall(mt_air_append(&w->air, d->regions.n - 1, m));
  mt_mesh_take(m, w->opt, d);
  PetscCall(mt_mesh_better(w->opt, d, json));
  return mt_mesh_end_regions(d);
}

/* Rank 0's part of the air when another rank has filled it. */
static PetscErrorCode air_surface(Work *w, const MtSkin *skin) {
  if (w->g.owner[w->c->ngrains] == 0 || !(w->opt->air_radius > 0)) return 0;
  return mt_air_surface(&skin->m, skin->nface, skin->face, skin->sphere, skin->air_size, &w->air);
}

static PetscErrorCode assemble(MPI_Comm comm, Work *w, MtMeshData *d, MtJson *json) {
  MtSkin skin = {0};
  PetscErrorCode rc = 0;
  memset(d, 0, sizeof *d);
  mt_phase_begin("assemble");
  if (w->g.rank == 0) {
    PetscCall(mt_skin_make(w->c, &w->s, &w->t, &w->q, w->opt, &w->p, &skin));
    PetscCall(air_surface(w, &skin));
  }
  PetscCall(mt_fills_gather(comm, &w->g, &skin.m));
  if (w->opt->air_radius > 0) PetscCall(mt_fills_gather_air(comm, &w->g, &w->air.fill));
  mt_phase_end("assemble");
  d->regions = skin.regions;
  memset(&skin.regions, 0, sizeof skin.regions);
  if (w->g.rank == 0) rc = finish(w, &skin, &skin.m, d, json);
  mt_skin_free(&skin);
  PetscCall(mt_agree_root(comm, rc));
  return 0;
}

/* How the work was shared: tets of the grains and of the air that a rank has filled. */
static PetscErrorCode share_report(MPI_Comm comm, const Work *w, MtJson *json) {
  double grains = 0, range[4];
  for (int k = 0; k < w->g.ngrains; k++) grains += w->g.fill[k].nt;
  range[0] = grains, range[1] = -grains, range[2] = grains + w->air.fill.nt, range[3] = w->air.fill.nt;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, range, 4, MPI_DOUBLE, MPI_MAX, comm));
  mt_json_object(json, "fill");
  mt_json_real(json, "grain_tets_of_a_rank_most", range[0]);
  mt_json_real(json, "grain_tets_of_a_rank_least", -range[1]);
  mt_json_real(json, "tets_of_a_rank_most", range[2]);
  mt_json_real(json, "air_tets", range[3]);
  mt_json_int(json, "air_rank", w->g.owner[w->g.ngrains]);
  mt_json_end(json);
  return 0;
}

static void work_free(Work *w) {
  mt_air_free(&w->air);
  mt_fills_free(&w->g);
  mt_pockets_free(&w->p);
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
  PetscCall(mt_pockets_choose(cells, &w.t, &w.q, &opt->pockets, &w.p));
  mt_phase_end("mesh surface");
  mt_phase_begin("mesh grains");
  PetscCall(mt_fills_make(comm, cells, opt, &w.g));
  PetscCall(place_and_fill(comm, &w));
  mt_phase_end("mesh grains");
  PetscCall(share_report(comm, &w, json));
  if (opt->thickness > 0) PetscCall(mt_gb_report(cells, &w.s, &w.q, w.rounds, json));
  PetscCall(assemble(comm, &w, mesh, json));
  PetscCall(mt_agree_root(comm, w.g.rank == 0 ? mt_mesh_refuse_broken(mesh) : 0));
  if (w.g.rank == 0) mt_pockets_report(&opt->pockets, &w.p, mesh, json);
  mt_gmsh_end();
  work_free(&w);
  return 0;
}
