/* How thick the GB phase has become, as measured between the two copies of each interface triangle, beside what was
 * asked. */
#include "gb_fill.h"
#include "magtwin/log.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const class_name[MT_GB_NCLASSES] = {"plain", "c_plane", "oblique", "side_plane", "pair", "contact"};

/* Those without phase have no gap. */
typedef struct {
  double gap, area, asked;
  MtGbClass kind;
} Gap;

static int compare_gap(const void *a, const void *b) {
  const Gap *p = a, *q = b;
  if ((p->asked > 0) != (q->asked > 0)) return p->asked > 0 ? 1 : -1;
  return (p->gap > q->gap) - (p->gap < q->gap);
}

/* Between the copies of triangle k of face f. */
static Gap gap_of(const MtCells *c, const MtSurface *s, const MtCopies *q, int f, int k) {
  double n[3] = {0, 0, 0}, d[3] = {0, 0, 0}, u[3], v[3];
  const int32_t *t = s->tri + 3 * k;
  for (int i = 0; i < 3; i++) {
    const double *x = s->x + 3 * t[0];
    u[i] = s->x[3 * t[1] + i] - x[i], v[i] = s->x[3 * t[2] + i] - x[i];
  }
  n[0] = u[1] * v[2] - u[2] * v[1], n[1] = u[2] * v[0] - u[0] * v[2], n[2] = u[0] * v[1] - u[1] * v[0];
  double len = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]), gap = 0;
  for (int i = 0; i < 3; i++) {
    int32_t a = mt_copies_find(q, t[i], c->face_cells[2 * f]), b = mt_copies_find(q, t[i], c->face_cells[2 * f + 1]);
    for (int m = 0; m < 3; m++) d[m] += (q->x[3 * b + m] - q->x[3 * a + m]) / 3;
  }
  for (int m = 0; m < 3; m++) gap += d[m] * n[m] / len;
  return (Gap){gap, len / 2, q->asked[f], c->gb_class ? (MtGbClass)c->gb_class[f] : MT_GB_PLAIN};
}

static bool in_pocket(const MtCells *c, const MtSurface *s, const MtCopies *q, int f, int k) {
  int64_t six[6];
  for (int i = 0; i < 6; i++) six[i] = mt_copies_find(q, s->tri[3 * k + i % 3], c->face_cells[2 * f + i / 3]);
  return mt_copies_pocket(q, 6, six) >= 0;
}

static double percentile(const Gap *g, int n, double area, double fraction) {
  double sum = 0;
  for (int i = 0; i < n; i++)
    if ((sum += g[i].area) >= fraction * area) return g[i].gap;
  return n ? g[n - 1].gap : 0;
}

typedef struct {
  double area, asked, mean; /* nm2; nm, weighted by area */
} Sum;

/* Of a class; ALL: of all boundaries that have a phase. */
enum { ALL = -1 };
static Sum sum_of(const Gap *g, int n, int kind) {
  Sum s = {0, 0, 0};
  for (int i = 0; i < n; i++)
    if (kind == ALL ? g[i].asked > 0 : (int)g[i].kind == kind)
      s.area += g[i].area, s.mean += g[i].area * g[i].gap, s.asked += g[i].area * g[i].asked;
  if (s.area > 0) s.mean /= s.area, s.asked /= s.area;
  return s;
}

static void classes_write(const Gap *g, int n, double area, MtJson *json) {
  mt_log("  %-11s %12s %7s %9s %9s", "boundaries", "area nm2", "share", "asked nm", "mean nm");
  mt_json_object(json, "classes");
  for (int k = 0; k < MT_GB_NCLASSES; k++) {
    const Sum s = sum_of(g, n, k);
    if (!(s.area > 0)) continue;
    mt_log("  %-11s %12.1f %5.1f %% %9.3f %9.3f", class_name[k], s.area, 100 * s.area / area, s.asked, s.mean);
    mt_json_object(json, class_name[k]);
    mt_json_quantity(json, "area", s.area, "nm2");
    mt_json_quantity(json, "thickness", s.asked, "nm");
    mt_json_quantity(json, "thickness_mean", s.mean, "nm");
    mt_json_end(json);
  }
  mt_json_end(json);
}

/* g[0..ntouch-1]: without phase. */
static void thickness_write(const Gap *g, int n, int ntouch, double nominal, bool classes, MtJson *json) {
  const Sum all = sum_of(g, n, ALL);
  double var = 0, thin = 0, t = classes ? all.asked : nominal;
  for (int i = ntouch; i < n; i++) {
    var += g[i].area * (g[i].gap - all.mean) * (g[i].gap - all.mean) / all.area;
    thin += g[i].gap < 0.98 * g[i].asked ? g[i].area : 0;
  }
  double p1 = percentile(g + ntouch, n - ntouch, all.area, .01),
         p99 = percentile(g + ntouch, n - ntouch, all.area, .99);
  mt_log("GB phase: thickness %.4g nm asked, %.4g mean (sd %.3g, 1 %% below %.3g, 99 %% below %.3g)", t, all.mean,
         sqrt(var), p1, p99);
  mt_json_quantity(json, "thickness", t, "nm");
  mt_json_quantity(json, "thickness_mean", all.mean, "nm");
  mt_json_quantity(json, "thickness_sd", sqrt(var), "nm");
  mt_json_quantity(json, "thickness_p1", p1, "nm");
  mt_json_quantity(json, "thickness_p99", p99, "nm");
  mt_json_real(json, "thin_area_fraction", thin / all.area);
  if (classes) classes_write(g, n, all.area + sum_of(g, n, MT_GB_CONTACT).area, json);
  if (fabs(all.mean / t - 1) > .02) mt_warn("the mean thickness of the GB phase is %.3g nm, not %.3g nm", all.mean, t);
}

static void thinning_write(const MtSurface *s, const MtCopies *q, int rounds, MtJson *json) {
  int where = 0, count = 0;
  for (int v = 0; v < s->nv; v++) {
    if (q->scale[v] < q->scale[where]) where = v;
    count += q->scale[v] < 1;
  }
  const double *x = s->x + 3 * where;
  mt_json_int(json, "surface_nodes", s->nv);
  mt_json_int(json, "thinned_nodes", count);
  mt_json_real(json, "least_scale", q->scale[where]);
  mt_json_reals(json, "least_scale_at_nm", 3, x);
  mt_json_int(json, "rounded_junctions", q->nblended);
  mt_json_int(json, "rounds", rounds);
  if (count)
    mt_warn("the GB phase was thinned at %.2g %% of the surface nodes for lack of room, most at (%.4g, %.4g, %.4g) nm "
            "to %.0f %% of its thickness",
            100. * count / s->nv, x[0], x[1], x[2], 100 * q->scale[where]);
}

PetscErrorCode mt_gb_report(const MtCells *c, const MtSurface *s, const MtCopies *q, int rounds, MtJson *json) {
  Gap *g;
  int n = 0, ntouch = 0;
  PetscCall(PetscMalloc1((size_t)s->nt + 1, &g));
  for (int f = 0; f < c->nfaces; f++)
    for (int k = s->face_start[f]; k < s->face_start[f + 1] && c->face_cells[2 * f + 1] >= 0; k++)
      if (!in_pocket(c, s, q, f, k)) g[n] = gap_of(c, s, q, f, k), ntouch += !(g[n].asked > 0), n++;
  if (n > ntouch) {
    qsort(g, (size_t)n, sizeof *g, compare_gap);
    mt_json_object(json, "gb_phase");
    thickness_write(g, n, ntouch, q->nominal, c->thickness != NULL, json);
    thinning_write(s, q, rounds, json);
    mt_json_end(json);
  }
  return PetscFree(g);
}
