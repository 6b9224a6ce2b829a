/* How large pockets must be to have a given volume, and what they have in the finished mesh. */
#include "gb_pockets.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>

enum { POCKET = 1, STEPS = 16 };
static const double most_reach =
    0.6; /* of the edge of a cube of a grain's mean volume: they would meet inside grains */
static const double close_enough = 1e-4; /* of the volume */

PetscErrorCode mt_pockets_volume(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q,
                                 int layers, double *volume) {
  int32_t *face, *edge, *vertex;
  MtTets m = {0};
  *volume = 0;
  PetscCall(PetscCalloc3((size_t)c->nfaces, &face, (size_t)c->nedges, &edge, (size_t)c->nvertices, &vertex));
  for (int f = 0; f < c->nfaces; f++) face[f] = c->face_cells[2 * f + 1] >= 0 ? 0 : -1;
  PetscCall(mt_gb_layers(c, s, t, q, layers, face, edge, vertex, POCKET, &m));
  PetscCall(PetscFree3(face, edge, vertex));
  for (int64_t i = 0; i < m.nt; i++) {
    double y[4][3];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = m.x[3 * m.tet[4 * i + k / 3] + k % 3];
    if (m.region[i] >= POCKET) *volume += mt_tet_volume((const double(*)[3])y);
  }
  mt_tets_free(&m);
  return 0;
}

typedef struct {
  const MtCells *c;
  const MtSurface *s;
  const MtTopology *t;
  int layers;
  MtPockets *p;
  MtCopies *q;
} Fit;

static PetscErrorCode volume_with(const Fit *f, double size, double depth, double *volume) {
  f->p->size = size, f->p->depth = depth;
  PetscCall(mt_pockets_place(f->c, f->s, f->t, f->p, f->q));
  return mt_pockets_volume(f->c, f->s, f->t, f->q, f->layers, volume);
}

static double box_volume(const Fit *f) {
  double box = 1;
  for (int k = 0; k < 3; k++) box *= f->c->box[3 + k] - f->c->box[k];
  return box;
}

static PetscErrorCode refuse(const Fit *f, double size, double volume, double asked, bool least) {
  return mt_error(MT_ERR_INPUT,
                  "mesh.gb.pockets.fraction: %d pockets that reach %.3g nm fill %.3g of the magnet, not %.3g; %s",
                  f->p->n, size, volume / box_volume(f), asked / box_volume(f),
                  least ? "smaller ones need a smaller mesh.size, or take fewer of them (mesh.gb.pockets.share)"
                        : "larger ones would go through the grains: take more of them (mesh.gb.pockets.share) or ask "
                          "for less");
}

/* low, high: sizes with too little and too much; the root of the volume is about linear in the size. */
static PetscErrorCode size_between(const Fit *f, double low[2], double high[2], double volume) {
  for (int i = 0; i < STEPS && high[0] - low[0] > 1e-4 * high[0]; i++) {
    const double a = sqrt(low[1]), b = sqrt(high[1]), part = (sqrt(volume) - a) / (b - a);
    const double size = low[0] + (high[0] - low[0]) * (i % 3 == 2 ? 0.5 : fmin(fmax(part, 0.05), 0.95));
    double now;
    PetscCall(volume_with(f, size, 1, &now));
    double *end = now < volume ? low : high;
    end[0] = size, end[1] = now;
    if (fabs(now / volume - 1) < close_enough) break;
  }
  return 0;
}

/* What is left: elements join a pocket one by one as it grows; then its grains are cut deeper or less deep. */
static PetscErrorCode depth_for(const Fit *f, double size, double volume, double now) {
  double d0 = 1, v0 = now, d1 = sqrt(volume / now), v1 = now;
  for (int i = 0; i < 6 && fabs(v1 / volume - 1) > close_enough; i++) {
    PetscCall(volume_with(f, size, d1, &v1));
    const double next = v1 != v0 ? d1 + (volume - v1) * (d1 - d0) / (v1 - v0) : d1;
    d0 = d1, v0 = v1, d1 = fmin(fmax(next, 0.5), 1.5);
  }
  return volume_with(f, size, d0, &v0);
}

PetscErrorCode mt_pockets_fit(const MtCells *c, const MtSurface *s, const MtTopology *t, int layers, double size,
                              double volume, MtPockets *p, MtCopies *q) {
  const Fit f = {c, s, t, layers, p, q};
  const double most = most_reach * cbrt(box_volume(&f) / c->ngrains);
  double low[2] = {size, 0}, high[2] = {size, 0};
  PetscCall(volume_with(&f, low[0], 1, low + 1));
  if (low[1] > volume * (1 + close_enough)) return refuse(&f, low[0], low[1], volume, true);
  high[1] = low[1];
  while (high[1] < volume) {
    if (high[0] >= most || high[1] < low[1]) return refuse(&f, high[0], high[1], volume, false);
    memcpy(low, high, sizeof low);
    high[0] = fmin(1.4 * high[0], most);
    PetscCall(volume_with(&f, high[0], 1, high + 1));
  }
  PetscCall(size_between(&f, low, high, volume));
  const double *end = volume / low[1] < high[1] / volume ? low : high;
  return depth_for(&f, end[0], volume, end[1]);
}

void mt_pockets_report(const MtPocketOptions *o, const MtPockets *p, const MtMeshData *d, MtJson *json) {
  double volume = 0, magnet = 0;
  if (p->n == 0) return;
  for (int i = 0; i < d->regions.n; i++) {
    if (d->regions.kind[i] == MT_REGION_POCKET) volume += d->regions.volume[i];
    if (d->regions.kind[i] != MT_REGION_AIR) magnet += d->regions.volume[i];
  }
  mt_log("pockets: %d at %s, reach %.3g nm, %.4g nm3: %.4g of the magnet", p->n,
         p->junctions ? "junctions" : "triple lines", p->size, volume, volume / magnet);
  mt_json_object(json, "pockets");
  mt_json_string(json, "at", p->junctions ? "junctions" : "lines");
  mt_json_int(json, "count", p->n);
  mt_json_quantity(json, "size", p->size, "nm");
  mt_json_real(json, "depth", p->depth);
  mt_json_quantity(json, "volume", volume, "nm3");
  mt_json_real(json, "fraction", volume / magnet);
  if (o->fraction > 0) mt_json_real(json, "fraction_asked", o->fraction);
  mt_json_end(json);
  if (o->fraction > 0 && !(o->surface > 0) && fabs(volume / magnet / o->fraction - 1) > .02)
    mt_warn("the pockets fill %.4g of the magnet, not %.4g: there is no room for more", volume / magnet, o->fraction);
}
