/* The mesh report: what a user reads before trusting a mesh, on the log and in summary.json. */
#include "mesh_report.h"
#include "magtwin/log.h"
#include "magtwin/microstructure.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdio.h>

static double box_volume(const MtMeshData *m) {
  double v = 1;
  for (int d = 0; d < 3; d++) v *= m->magnet_box[3 + d] - m->magnet_box[d];
  return v;
}

static double magnet_volume(const MtQuality *q) {
  double v = 0;
  for (int k = 0; k < MT_REGION_NKINDS; k++)
    if (k != MT_REGION_AIR) v += q->kind[k].volume;
  return v;
}

static void tet_center(const MtMeshData *m, int64_t t, double x[3]) {
  for (int d = 0; d < 3; d++) {
    x[d] = 0;
    for (int i = 0; i < 4; i++) x[d] += m->x[3 * m->tet[4 * t + i] + d] / 4;
  }
}

static void log_kinds(const MtQuality *q) {
  mt_log("  %-11s %9s %12s %7s %11s %8s %7s %7s %11s", "region", "tets", "volume nm3", "share", "gamma least", "mean",
         "< 0.05", "< 0.15", "angles deg");
  for (int k = 0; k < MT_REGION_NKINDS; k++) {
    const MtKindQuality *s = &q->kind[k];
    if (s->ntets == 0) continue;
    double share = k == MT_REGION_AIR ? NAN : 100 * s->volume / magnet_volume(q);
    char percent[16] = "-";
    if (!isnan(share)) snprintf(percent, sizeof percent, "%.2f %%", share);
    mt_log("  %-11s %9lld %12.1f %7s %11.3f %8.3f %7lld %7lld %4.0f to %3.0f", mt_region_kind_name((MtRegionKind)k),
           (long long)s->ntets, s->volume, percent, s->gamma_min, s->gamma_sum / (double)s->ntets,
           (long long)s->below_05, (long long)s->below_15, s->dihedral_min, s->dihedral_max);
  }
}

static void log_geometry(const MtMeshData *m, const MtQuality *q, const MtFaceReport *f) {
  double defect = magnet_volume(q) / box_volume(m) - 1;
  if (fabs(defect) < 1e-6)
    mt_log("  the magnet fills its box to %.1e of the volume", fabs(defect));
  else
    mt_log("  the magnet fills %.4f of the box around it", 1 + defect);
  if (f->nlayers > 0)
    mt_log("  grain-boundary phase: %.3f nm thick on average (%.3f nm asked), from %.3f to %.3f nm over %d boundaries",
           f->thickness_mean, m->gb_thickness, f->thickness_min, f->thickness_max, f->nlayers);
}

static void log_worst(const MtMeshData *m, const MtQuality *q) {
  for (int i = 0; i < MT_WORST && q->worst[i] >= 0; i++) {
    double x[3];
    tet_center(m, q->worst[i], x);
    mt_log("  %s gamma %.3f at (%.2f, %.2f, %.2f) nm in %s", i ? "           " : "worst tets:", q->worst_gamma[i], x[0],
           x[1], x[2], m->regions.name[m->region[q->worst[i]]]);
  }
}

static void warn_of_errors(const MtQuality *q, const MtFaceReport *f) {
  int64_t inverted = 0;
  for (int k = 0; k < MT_REGION_NKINDS; k++) inverted += q->kind[k].inverted;
  if (inverted > 0) mt_warn("mesh: %lld tetrahedra are flat or inside out; see the worst places", (long long)inverted);
  if (f->broken_faces > 0) mt_warn("mesh: %lld faces belong to more than two tetrahedra", (long long)f->broken_faces);
}

static void json_bins(MtJson *json, const char *key, int n, const int64_t *count) {
  mt_json_array(json, key);
  for (int i = 0; i < n; i++) mt_json_int(json, NULL, count[i]);
  mt_json_end(json);
}

static void json_kind(MtJson *json, const char *name, const MtKindQuality *s) {
  mt_json_object(json, name);
  mt_json_int(json, "tets", s->ntets);
  mt_json_int(json, "inverted", s->inverted);
  mt_json_int(json, "gamma_below_0.05", s->below_05);
  mt_json_int(json, "gamma_below_0.15", s->below_15);
  mt_json_quantity(json, "volume", s->volume, "nm3");
  mt_json_real(json, "gamma_min", s->gamma_min);
  mt_json_real(json, "gamma_mean", s->gamma_sum / (double)s->ntets);
  mt_json_quantity(json, "dihedral_min", s->dihedral_min, "deg");
  mt_json_quantity(json, "dihedral_max", s->dihedral_max, "deg");
  json_bins(json, "gamma_histogram", MT_GAMMA_BINS, s->gamma);
  json_bins(json, "dihedral_histogram", MT_DIHEDRAL_BINS, s->dihedral);
  mt_json_end(json);
}

static void json_worst(MtJson *json, const MtMeshData *m, const MtQuality *q) {
  mt_json_array(json, "worst");
  for (int i = 0; i < MT_WORST && q->worst[i] >= 0; i++) {
    double x[3];
    tet_center(m, q->worst[i], x);
    mt_json_object(json, NULL);
    mt_json_real(json, "gamma", q->worst_gamma[i]);
    mt_json_reals(json, "at_nm", 3, x);
    mt_json_string(json, "region", m->regions.name[m->region[q->worst[i]]]);
    mt_json_end(json);
  }
  mt_json_end(json);
}

static void json_thickness(MtJson *json, const MtMeshData *m, const MtFaceReport *f) {
  mt_json_object(json, "gb_mean_thickness");
  mt_json_quantity(json, "asked", m->gb_thickness, "nm");
  mt_json_quantity(json, "mean", f->thickness_mean, "nm");
  mt_json_quantity(json, "min", f->thickness_min, "nm");
  mt_json_quantity(json, "max", f->thickness_max, "nm");
  mt_json_int(json, "boundaries", f->nlayers);
  mt_json_quantity(json, "histogram_bin", m->gb_thickness / 10, "nm");
  mt_json_reals(json, "histogram_area_nm2", MT_THICKNESS_BINS, f->thickness_area);
  mt_json_end(json);
}

/* Every quantity under its own name; `box_defect` is meaningless for bodies that are no box. */
static void json_geometry(MtJson *json, const MtMeshData *m, const MtQuality *q, const MtFaceReport *f) {
  double radius = m->sphere[3], sphere = 4 * MT_PI / 3 * radius * radius * radius;
  mt_json_quantity(json, "magnet_volume", magnet_volume(q), "nm3");
  mt_json_quantity(json, "box_volume", box_volume(m), "nm3");
  mt_json_real(json, "box_defect", magnet_volume(q) / box_volume(m) - 1);
  if (radius > 0) mt_json_real(json, "sphere_defect", (magnet_volume(q) + q->kind[MT_REGION_AIR].volume) / sphere - 1);
  mt_json_quantity(json, "surface_area", f->boundary_area, "nm2");
  mt_json_int(json, "surface_faces", f->boundary_faces);
  mt_json_int(json, "broken_faces", f->broken_faces);
  mt_json_quantity(json, "shortest_edge", q->shortest, "nm");
  mt_json_quantity(json, "longest_edge", q->longest, "nm");
}

static void write_json(MtJson *json, const MtMeshData *m, const MtQuality *q, const MtFaceReport *f) {
  mt_json_object(json, "mesh");
  mt_json_int(json, "nodes", m->nv);
  mt_json_int(json, "tets", m->nt);
  mt_json_int(json, "regions", m->regions.n);
  json_geometry(json, m, q, f);
  if (f->nlayers > 0) json_thickness(json, m, f);
  mt_json_object(json, "kinds");
  for (int k = 0; k < MT_REGION_NKINDS; k++)
    if (q->kind[k].ntets > 0) json_kind(json, mt_region_kind_name((MtRegionKind)k), &q->kind[k]);
  mt_json_end(json);
  json_worst(json, m, q);
  mt_json_end(json);
}

PetscErrorCode mt_mesh_report(const MtMeshData *m, MtJson *json) {
  MtQuality q;
  MtFaceReport f;
  mt_mesh_quality(m, &q);
  PetscCall(mt_mesh_faces(m, &f));
  mt_log("mesh: %lld nodes, %lld tetrahedra, edges from %.2f nm at (%.1f, %.1f, %.1f) to %.1f nm", (long long)m->nv,
         (long long)m->nt, q.shortest, q.shortest_at[0], q.shortest_at[1], q.shortest_at[2], q.longest);
  log_kinds(&q);
  log_geometry(m, &q, &f);
  log_worst(m, &q);
  warn_of_errors(&q, &f);
  write_json(json, m, &q, &f);
  PetscCall(PetscFree(f.thickness));
  return 0;
}

/* ---- volumes against the geometry */

static void volume_line(const char *name, double mesh, double geometry, MtJson *json) {
  const double difference = geometry > 0 ? mesh / geometry - 1 : 0;
  char percent[16] = "-";
  if (geometry > 0) snprintf(percent, sizeof percent, "%+.2f %%", 100 * difference);
  mt_log("  %-11s %14.1f %14.1f %11s", name, mesh, geometry, percent);
  mt_json_object(json, name);
  mt_json_quantity(json, "mesh", mesh, "nm3");
  mt_json_quantity(json, "geometry", geometry, "nm3");
  if (geometry > 0) mt_json_real(json, "relative_difference", difference);
  mt_json_end(json);
}

void mt_mesh_report_volumes(const MtMeshData *m, const double *geometry, MtJson *json) {
  double volume[MT_REGION_NKINDS] = {0}, phase = 0, radius = m->sphere[3];
  for (int i = 0; i < m->regions.n; i++) volume[m->regions.kind[i]] += m->regions.volume[i];
  for (int k = MT_REGION_GB; k <= MT_REGION_JUNCTION; k++) phase += volume[k];
  /* the phase goes on through a layer, and pockets are cut out of grains and phase: beyond the geometry */
  const bool layer = volume[MT_REGION_SURFACE] > 0 || volume[MT_REGION_POCKET] > 0;
  mt_log("  %-11s %14s %14s %11s", "volumes", "mesh nm3", "geometry nm3", "difference");
  mt_json_object(json, "volumes");
  for (int k = MT_REGION_GRAIN; k <= MT_REGION_JUNCTION; k++)
    if ((volume[k] > 0 || geometry[k] > 0) && ((k == MT_REGION_GRAIN && !(volume[MT_REGION_POCKET] > 0)) || !layer))
      volume_line(mt_region_kind_name((MtRegionKind)k), volume[k], geometry[k], json);
  if (phase > 0 && !layer) volume_line("phase", phase, box_volume(m) - geometry[MT_REGION_GRAIN], json);
  if (radius > 0)
    volume_line(mt_region_kind_name(MT_REGION_AIR), volume[MT_REGION_AIR],
                4 * MT_PI / 3 * radius * radius * radius - box_volume(m), json);
  mt_json_end(json);
}
