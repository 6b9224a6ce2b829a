/* What a hysteresis run stands on: mesh, materials, energy, minimizer, work vectors; and what the user should know
 * before it starts. */
#include "hysteresis.h"
#include <stdlib.h>
#include <string.h>

/* Finalizer of MurmurHash3 (A. Appleby): every bit of the input reaches every bit of the result. */
static uint64_t mix(uint64_t x) {
  x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
  return x ^ x >> 33;
}

static uint64_t mix_with(uint64_t hash, uint64_t value) {
  return mix(hash * 31 + value + 0x9e3779b97f4a7c15u);
}

uint64_t mt_site_mix(uint64_t hash, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return mix_with(hash, bits);
}

/* A sum over nodes and tets by file id: the same for any distribution. */
PetscErrorCode mt_site_fingerprint(const MtMesh *mesh, uint64_t *sum) {
  uint64_t local = 0;
  for (PetscInt v = 0; v < mesh->nv_owned; v++) {
    uint64_t hash = mix((uint64_t)mesh->vid[v]), bits[3];
    memcpy(bits, &mesh->x[3 * v], sizeof bits);
    for (int c = 0; c < 3; c++) hash = mix_with(hash, bits[c]);
    local += hash;
  }
  for (PetscInt e = 0; e < mesh->nt_local; e++) {
    if (!mesh->tet_owned[e]) continue;
    uint64_t hash = mix_with(mix((uint64_t)mesh->tid[e]), (uint64_t)mesh->region[e]);
    for (int a = 0; a < 4; a++) hash = mix_with(hash, (uint64_t)mesh->vid[mesh->tet[4 * e + a]]);
    local += hash;
  }
  PetscCallMPI(MPI_Allreduce(&local, sum, 1, MPI_UINT64_T, MPI_SUM, mesh->comm));
  return 0;
}

uint64_t mt_site_constants(const MtSite *h) {
  uint64_t hash = 0, bits[4], more[11];
  for (int r = 0; r < h->mesh->regions.n; r++) {
    const MtMaterial *m = &h->material[r];
    const double value[4] = {m->A, m->Js, m->K1, m->K2},
                 rare[11] = {m->K3, m->Kc1, m->Kc2, m->Ks,        m->Ks_inner, m->D,
                             m->Di, m->B1,  m->B2,  m->lambda100, m->lambda111};
    memcpy(bits, value, sizeof bits);
    memcpy(more, rare, sizeof more);
    for (int i = 0; i < 4; i++) hash = mix_with(hash, bits[i]);
    for (int i = 0; i < 11; i++) hash = rare[i] != 0 ? mix_with(hash, more[i] + (uint64_t)i) : hash;
  }
  return hash;
}

/* Mean edge length of the tets of each region, nm -> h [n]; 0 where there are none. */
static PetscErrorCode mean_edges(const MtMesh *mesh, double *edge) {
  static const int end[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
  int n = mesh->regions.n;
  double *sum = calloc(2 * (size_t)n + 1, sizeof *sum);
  if (!sum) return mt_error(MT_ERR_FAIL, "out of memory for %d regions", n);
  for (PetscInt e = 0; e < mesh->nt_local; e++) {
    if (!mesh->tet_owned[e]) continue;
    for (int k = 0; k < 6; k++) {
      const double *a = &mesh->x[3 * mesh->tet[4 * e + end[k][0]]], *b = &mesh->x[3 * mesh->tet[4 * e + end[k][1]]];
      double d[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
      sum[2 * mesh->region[e]] += sqrt(mt_dot3(d, d)) / 6;
    }
    sum[2 * mesh->region[e] + 1]++;
  }
  PetscErrorCode rc = MPI_Allreduce(MPI_IN_PLACE, sum, 2 * n, MPI_DOUBLE, MPI_SUM, mesh->comm);
  for (int r = 0; r < n; r++) edge[r] = sum[2 * r + 1] > 0 ? sum[2 * r] / sum[2 * r + 1] : 0;
  free(sum);
  return rc;
}

double mt_site_bloch(const MtMaterial *m) {
  double K = fmax(fabs(m->K1 + m->K2 + m->K3), fabs(m->Kc1));
  return m->Js > 0 && K > 0 && m->A > 0 ? sqrt(m->A / K) * 1e9 : 0;
}

/* The smallest one of each region's elements -> width [n], nm. */
static PetscErrorCode bloch_of_regions(const MtSite *h, double *width) {
  const MtMesh *mesh = h->mesh;
  for (int r = 0; r < mesh->regions.n; r++) width[r] = mt_site_bloch(&h->material[r]);
  if (!h->composition) return 0;
  for (int r = 0; r < mesh->regions.n; r++) width[r] = INFINITY;
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    MtMaterial own;
    const double w = mt_site_bloch(mt_composition_at(h->composition, mesh, h->material, t, &own));
    if (w > 0) width[mesh->region[t]] = fmin(width[mesh->region[t]], w);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, width, mesh->regions.n, MPI_DOUBLE, MPI_MIN, mesh->comm));
  for (int r = 0; r < mesh->regions.n; r++) width[r] = isinf(width[r]) ? 0 : width[r];
  return 0;
}

/* A mesh coarser than 1.5 sqrt(A/K) pins walls of its own. */
PetscErrorCode mt_site_warn_coarse(const MtSite *h) {
  int worst = -1, coarse = 0;
  const int n = h->mesh->regions.n;
  double most = 1.5, *edge = calloc(2 * (size_t)n + 1, sizeof *edge), *width = edge ? edge + n : NULL;
  if (!edge) return mt_error(MT_ERR_FAIL, "out of memory for %d regions", n);
  PetscErrorCode rc = mean_edges(h->mesh, edge);
  if (!rc) rc = bloch_of_regions(h, width);
  for (int r = 0; !rc && r < n; r++) {
    const double ratio = width[r] > 0 ? edge[r] / width[r] : 0;
    coarse += ratio > 1.5;
    if (ratio > most) {
      most = ratio;
      worst = r;
    }
  }
  if (worst >= 0) {
    mt_warn("the mesh is coarse for its walls in %d regions: in %s (%s) edges are %.2f nm on the mean, more than 1.5 "
            "sqrt(A/K) = "
            "%.2f nm; walls will be pinned by the mesh",
            coarse, h->mesh->regions.name[worst], h->material[worst].name, edge[worst], 1.5 * width[worst]);
  }
  free(edge);
  return rc;
}

/* The region whose material fills the largest part of the magnet. */
static int main_material(const MtMesh *mesh, const MtMaterial *material) {
  int best = 0;
  double most = 0;
  for (int r = 0; r < mesh->regions.n; r++) {
    double volume = 0;
    if (!(material[r].Js > 0)) continue;
    for (int s = 0; s < mesh->regions.n; s++)
      if (strcmp(material[s].name, material[r].name) == 0) volume += mesh->regions.volume[s];
    if (volume > most) {
      most = volume;
      best = r;
    }
  }
  return best;
}

static void derive(MtHysteresis *h) {
  h->nodes = mt_energy_nodes(h->energy);
  h->Jsat = mt_energy_saturation(h->energy);
  h->volume = mt_energy_volume(h->energy);
  h->main_material = main_material(h->mesh, h->material);
  double width = MT_PI * mt_site_bloch(&h->material[h->main_material]);
  h->wall_width = width > 0 ? width : 3 * h->mesh->size;
  mt_branch_enter(h, 0);
}

static PetscErrorCode make_vectors(MtHysteresis *h) {
  PetscCall(mt_energy_create_vec(h->energy, &h->m));
  PetscCall(VecDuplicate(h->m, &h->m_accepted));
  PetscCall(VecDuplicate(h->m, &h->mode));
  for (int k = 0; k < MT_PAST; k++) PetscCall(VecDuplicate(h->m, &h->m_past[k]));
  PetscCall(mt_energy_potential(h->energy, &h->u));
  if (h->u) PetscCall(VecDuplicate(h->u, &h->u_accepted));
  for (int k = 0; h->u && k < MT_PAST; k++) PetscCall(VecDuplicate(h->u, &h->u_past[k]));
  PetscCall(PetscMalloc1((size_t)h->nodes->n_owned + 1, &h->switching));
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) h->switching[i] = NAN;
  return 0;
}

static PetscErrorCode embed(MtHysteresis *h) {
  PetscErrorCode rc = mt_energy_body_factors(h->energy, h->body);
  return rc ? rc : mt_energy_embed(h->energy, h->body, h->opt.sample);
}

static PetscErrorCode open_physics(MtHysteresis *h) {
  mt_phase_begin("read mesh");
  PetscErrorCode rc = mt_mesh_read(h->comm, h->mesh_path, &h->mesh);
  mt_phase_end("read mesh");
  if (rc) return rc;
  PetscCall(mt_materials_assign(h->comm, h->in, &h->mesh->regions, &h->material));
  mt_phase_begin("set up operators");
  rc = mt_energy_open(h->mesh, h->in, h->material, h->opt.modes, &h->energy);
  if (!rc && h->opt.embedded) rc = embed(h);
  if (!rc) rc = mt_minimizer_create(h->energy, &h->opt.minimizer, &h->minimizer);
  mt_phase_end("set up operators");
  return rc ? rc : mt_petsc_options_used(h->comm, h->in);
}

PetscErrorCode mt_hysteresis_open(MtHysteresis *h, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                                  const char *folder) {
  *h = (MtHysteresis){.comm = comm, .in = in, .mesh_path = mesh_path, .folder = folder};
  h->events.width = MT_EVENT_SIZE;
  h->kept.width = MT_KEPT_SIZE;
  PetscCallMPI(MPI_Comm_rank(comm, &h->rank));
  mt_demag_options(in, &h->opt);
  PetscCall(mt_field_plan_read(in, &h->plan));
  PetscCall(open_physics(h));
  for (int i = 0; i < MT_CURVE_MORE; i++)
    if (mt_energy_uses(h->energy, (MtTerm)(MT_TERM_SURFACE + i))) h->curve.more |= 1u << i;
  derive(h);
  MtSite site = mt_hysteresis_site(h);
  h->constants = mt_site_constants(&site);
  PetscCall(mt_site_mix_extras(h->energy, &h->constants));
  PetscCall(make_vectors(h));
  PetscCall(mt_site_fingerprint(h->mesh, &h->fingerprint));
  return mt_site_warn_coarse(&site);
}

PetscErrorCode mt_hysteresis_close(MtHysteresis *h) {
  if (h->csv) fclose(h->csv);
  mt_curve_free(&h->curve);
  mt_table_free(&h->events);
  mt_table_free(&h->kept);
  mt_field_plan_free(&h->plan);
  PetscCall(PetscFree(h->switching));
  PetscCall(VecDestroy(&h->m));
  PetscCall(VecDestroy(&h->m_accepted));
  PetscCall(VecDestroy(&h->mode));
  PetscCall(VecDestroy(&h->u_accepted));
  for (int k = 0; k < MT_PAST; k++) {
    PetscCall(VecDestroy(&h->m_past[k]));
    PetscCall(VecDestroy(&h->u_past[k]));
  }
  PetscCall(mt_minimizer_destroy(&h->minimizer));
  PetscCall(mt_energy_destroy(&h->energy));
  free(h->material);
  PetscCall(mt_mesh_destroy(&h->mesh));
  return 0;
}
