/* The surface layer of the magnet: the walls of the meshed box carried outward, every wall triangle a column of prisms.
 * The box is blown up to its outer size, so that edges go to edges and corners to corners, nodes of a wall by exactly
 * the thickness; what a column stands on tells its region.  Prisms are cut into tets as those of the GB phase are (J.
 * Dompierre et al., 8th Int. Meshing Roundtable (1999) 195). */
#include "air.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const double *from, *to; /* boxes, nm */
  int layers;
  int32_t first; /* region of the layer over grain 0 */
  int ngrains;
} Layer;

/* Node v carried out by k of the layers; a wall's coordinate is the outer wall's to the bit. */
static void carried(const Layer *l, const double *x, int k, double y[3]) {
  for (int i = 0; i < 3; i++) {
    const double a = l->from[i], b = l->from[3 + i], part = (x[i] - a) / (b - a);
    const double end = x[i] == a ? l->to[i] : x[i] == b ? l->to[3 + i] : l->to[i] + part * (l->to[3 + i] - l->to[i]);
    y[i] = k == l->layers ? end : x[i] + (end - x[i]) * k / l->layers;
  }
}

/* number [nv]: the first of a wall node's copies, layers of them; -1: none yet. */
static PetscErrorCode column_nodes(const Layer *l, int64_t v, int64_t *number, MtTets *m) {
  if (number[v] >= 0) return 0;
  PetscCall(mt_tets_reserve(m, m->nv + l->layers, 0));
  number[v] = m->nv;
  for (int k = 1; k <= l->layers; k++) carried(l, m->x + 3 * v, k, m->x + 3 * m->nv++);
  return 0;
}

static void prism_add(const int64_t p[6], int32_t region, MtTets *m) {
  static const int turn[6][6] = {{0, 1, 2, 3, 4, 5}, {1, 2, 0, 4, 5, 3}, {2, 0, 1, 5, 3, 4},
                                 {3, 5, 4, 0, 2, 1}, {4, 3, 5, 1, 0, 2}, {5, 4, 3, 2, 1, 0}};
  int low = 0;
  int64_t v[6];
  for (int i = 1; i < 6; i++) low = p[i] < p[low] ? i : low;
  for (int i = 0; i < 6; i++) v[i] = p[turn[low][i]];
  const bool across = (v[1] < v[5] ? v[1] : v[5]) < (v[2] < v[4] ? v[2] : v[4]);
  const int64_t tets[3][4] = {{v[0], v[1], v[2], across ? v[5] : v[4]},
                              {v[0], across ? v[1] : v[4], across ? v[5] : v[2], across ? v[4] : v[5]},
                              {v[0], v[4], v[5], v[3]}};
  for (int i = 0; i < 3; i++) {
    memcpy(m->tet + 4 * m->nt, tets[i], sizeof tets[i]);
    m->region[m->nt++] = region;
  }
}

/* The column over an outward triangle of region r. */
static PetscErrorCode column_add(const Layer *l, const MtOuterFace *f, int64_t *number, MtTets *m) {
  const int32_t region = f->region < l->ngrains ? l->first + f->region : f->region;
  for (int i = 0; i < 3; i++) PetscCall(column_nodes(l, f->tri[i], number, m));
  PetscCall(mt_tets_reserve(m, 0, m->nt + 3 * (int64_t)l->layers));
  for (int k = 0; k < l->layers; k++) {
    int64_t p[6];
    for (int i = 0; i < 6; i++) {
      const int64_t v = f->tri[i % 3], level = k + i / 3;
      p[i] = level == 0 ? v : number[v] + level - 1;
    }
    prism_add(p, region, m);
  }
  return 0;
}

PetscErrorCode mt_surface_layer(const double from[6], const double to[6], int layers, int ngrains, int32_t first, int n,
                                const MtOuterFace *face, MtTets *m) {
  const Layer l = {from, to, layers, first, ngrains};
  const int64_t nv = m->nv;
  int64_t *number = mt_malloc(((size_t)nv + 1) * sizeof *number);
  PetscErrorCode rc = 0;
  for (int64_t i = 0; i < nv; i++) number[i] = -1;
  for (int i = 0; i < n && !rc; i++) rc = column_add(&l, face + i, number, m);
  free(number);
  return rc;
}
