/* The faces between tetrahedra: is the mesh conforming, where does it end, and how thick is each grain boundary?  The
 * thickness of the layer between two grains is its volume over the mean of the areas with which it touches them. */
#include "mesh_report.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int64_t node[3]; /* ascending */
  int32_t region;
} Face;

static void sort3(int64_t v[3]) {
  for (int pass = 0; pass < 3; pass++) {
    int i = pass % 2;
    if (v[i] <= v[i + 1]) continue;
    int64_t w = v[i];
    v[i] = v[i + 1];
    v[i + 1] = w;
  }
}

static int compare_faces(const void *a, const void *b) {
  const Face *p = a, *q = b;
  for (int i = 0; i < 3; i++)
    if (p->node[i] != q->node[i]) return p->node[i] < q->node[i] ? -1 : 1;
  return (p->region > q->region) - (p->region < q->region);
}

static bool same_face(const Face *p, const Face *q) {
  return memcmp(p->node, q->node, sizeof p->node) == 0;
}

static double face_area(const MtMeshData *m, const Face *f) {
  const double *o = &m->x[3 * f->node[0]], *p = &m->x[3 * f->node[1]], *q = &m->x[3 * f->node[2]];
  double s = 0;
  for (int d = 0; d < 3; d++) {
    int e = (d + 1) % 3, g = (d + 2) % 3;
    double n = (p[e] - o[e]) * (q[g] - o[g]) - (p[g] - o[g]) * (q[e] - o[e]);
    s += n * n;
  }
  return sqrt(s) / 2;
}

static Face face_of(const MtMeshData *m, int64_t t, int corner) {
  Face f = {.region = m->region[t]};
  for (int k = 0, n = 0; k < 4; k++)
    if (k != corner) f.node[n++] = m->tet[4 * t + k];
  sort3(f.node);
  return f;
}

/* Sorted: into buckets by the lowest node, then the few of each bucket. */
static PetscErrorCode collect(const MtMeshData *m, Face *face) {
  int64_t *start;
  PetscCall(PetscCalloc1((size_t)m->nv + 2, &start));
  for (int64_t i = 0; i < 4 * m->nt; i++) start[face_of(m, i / 4, (int)(i % 4)).node[0] + 2]++;
  for (int64_t v = 0; v < m->nv; v++) start[v + 2] += start[v + 1];
  for (int64_t i = 0; i < 4 * m->nt; i++) {
    const Face f = face_of(m, i / 4, (int)(i % 4));
    face[start[f.node[0] + 1]++] = f;
  }
  for (int64_t v = 0; v < m->nv; v++)
    qsort(face + start[v], (size_t)(start[v + 1] - start[v]), sizeof *face, compare_faces);
  return PetscFree(start);
}

/* Area with which a grain-boundary region touches grains; each of its two sides counts. */
static void add_contact(const MtRegions *r, int32_t a, int32_t b, double area, double *contact) {
  if (r->kind[a] == MT_REGION_GB && mt_region_is_grain(r->kind[b])) contact[a] += area;
  if (r->kind[b] == MT_REGION_GB && mt_region_is_grain(r->kind[a])) contact[b] += area;
}

static int thickness_bin(double t, double asked) {
  double bin = asked > 0 ? floor(10 * t / asked + .5) : 0;
  return (int)fmin(fmax(bin, 0), MT_THICKNESS_BINS - 1);
}

static void summarize_thickness(const MtMeshData *m, const double *volume, const double *contact, MtFaceReport *r) {
  const MtRegions *regions = &m->regions;
  double weight = 0;
  r->thickness_min = INFINITY;
  for (int i = 0; i < regions->n; i++) {
    if (!(contact[i] > 0)) continue;
    double t = r->thickness[i] = volume[i] / (contact[i] / 2);
    r->nlayers++;
    r->thickness_area[thickness_bin(t, m->gb_thickness)] += contact[i] / 2;
    r->thickness_mean += t * contact[i];
    weight += contact[i];
    r->thickness_min = fmin(r->thickness_min, t);
    r->thickness_max = fmax(r->thickness_max, t);
  }
  if (weight > 0) r->thickness_mean /= weight;
}

static void match(const MtMeshData *m, const Face *face, double *contact, MtFaceReport *r) {
  int64_t n = 4 * m->nt;
  for (int64_t i = 0, j; i < n; i = j) {
    for (j = i + 1; j < n && same_face(&face[i], &face[j]);) j++;
    double area = face_area(m, &face[i]);
    if (j - i == 1) {
      r->boundary_faces++;
      r->boundary_area += area;
    } else if (j - i > 2)
      r->broken_faces++;
    else
      add_contact(&m->regions, face[i].region, face[i + 1].region, area, contact);
  }
}

static void add_volumes(const MtMeshData *m, double *volume) {
  for (int64_t t = 0; t < m->nt; t++) {
    double x[4][3];
    for (int i = 0; i < 4; i++) memcpy(x[i], &m->x[3 * m->tet[4 * t + i]], sizeof x[i]);
    volume[m->region[t]] += mt_tet_volume((const double(*)[3])x);
  }
}

PetscErrorCode mt_mesh_faces(const MtMeshData *m, MtFaceReport *r) {
  Face *face;
  double *contact, *volume;
  memset(r, 0, sizeof *r);
  PetscCall(PetscMalloc1(4 * (size_t)m->nt, &face));
  PetscCall(PetscCalloc2((size_t)m->regions.n, &contact, (size_t)m->regions.n, &volume));
  PetscCall(PetscCalloc1((size_t)m->regions.n, &r->thickness));
  PetscCall(collect(m, face));
  match(m, face, contact, r);
  add_volumes(m, volume);
  summarize_thickness(m, volume, contact, r);
  PetscCall(PetscFree(face));
  PetscCall(PetscFree2(contact, volume));
  return 0;
}
