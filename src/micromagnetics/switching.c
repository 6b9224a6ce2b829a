/* Where and when nodes turn: the switching-field map and the site of nucleation. */
#include "hysteresis.h"
#include <stdlib.h>

/* m.d of node i in a local array of m. */
static double component(const PetscScalar *m, PetscInt i, const double d[3]) {
  return m[3 * i] * d[0] + m[3 * i + 1] * d[1] + m[3 * i + 2] * d[2];
}

typedef struct {
  double value; /* m.along with the sign it had before: the most negative is turned furthest */
  int64_t vid;
  PetscInt i;
} Seed;

/* The furthest turned node of this rank, the one with the lowest file id among equals; value 0: none. */
static Seed local_seed(const MtHysteresis *h, const PetscScalar *b, const PetscScalar *m, const double along[3]) {
  Seed best = {0, INT64_MAX, -1};
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) {
    double before = component(b, i, along), now = component(m, i, along);
    double value = before < 0 ? -now : now;
    int64_t vid = h->mesh->vid[h->nodes->node[i]];
    if (value < best.value || (value < 0 && value == best.value && vid < best.vid)) best = (Seed){value, vid, i};
  }
  return best;
}

/* The magnetic region with the largest share of the tets around mesh node v; on the rank that owns v. */
static int region_at(const MtHysteresis *h, PetscInt v) {
  int best = -1;
  double best_share = 0;
  MtMaterial own;
  double *share = calloc((size_t)h->mesh->regions.n, sizeof *share);
  if (!share) return -1;
  for (PetscInt e = 0; e < h->mesh->nt_local; e++) {
    const PetscInt *t = &h->mesh->tet[4 * e];
    if (t[0] != v && t[1] != v && t[2] != v && t[3] != v) continue;
    double x[4][3];
    for (int a = 0; a < 4; a++)
      for (int c = 0; c < 3; c++) x[a][c] = h->mesh->x[3 * t[a] + c];
    if (mt_composition_at(mt_energy_composition(h->energy), h->mesh, h->material, e, &own)->Js > 0)
      share[h->mesh->region[e]] += mt_tet_volume((const double(*)[3])x);
  }
  for (int r = 0; r < h->mesh->regions.n; r++) {
    if (share[r] > best_share) {
      best_share = share[r];
      best = r;
    }
  }
  free(share);
  return best;
}

/* Position and region of the seed, from its owner to all. */
static PetscErrorCode share_seed(const MtHysteresis *h, const Seed *mine, bool owner, double seed[4]) {
  double send[4] = {0, 0, 0, 0};
  if (owner) {
    PetscInt v = h->nodes->node[mine->i];
    for (int c = 0; c < 3; c++) send[c] = h->mesh->x[3 * v + c];
    send[3] = region_at(h, v);
  }
  PetscCallMPI(MPI_Allreduce(send, seed, 4, MPI_DOUBLE, MPI_SUM, h->comm));
  return 0;
}

/* Mean place of the turned nodes no further than a wall width from the seed. */
static PetscErrorCode nucleus(const MtHysteresis *h, const PetscScalar *b, const PetscScalar *m, const double along[3],
                              const double seed[3], MtTrial *trial) {
  double sum[4] = {0, 0, 0, 0}, total[4];
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) {
    if (component(b, i, along) * component(m, i, along) >= 0) continue;
    const double *x = &h->mesh->x[3 * h->nodes->node[i]];
    double r[3] = {x[0] - seed[0], x[1] - seed[1], x[2] - seed[2]};
    if (mt_dot3(r, r) > h->wall_width * h->wall_width) continue;
    for (int c = 0; c < 3; c++) sum[c] += x[c];
    sum[3] += 1;
  }
  PetscCallMPI(MPI_Allreduce(sum, total, 4, MPI_DOUBLE, MPI_SUM, h->comm));
  for (int c = 0; c < 3; c++) trial->site[c] = total[3] > 0 ? total[c] / total[3] : seed[c];
  trial->nodes = total[3];
  return 0;
}

static PetscErrorCode find_site(MtHysteresis *h, const PetscScalar *b, const PetscScalar *m, const double along[3],
                                MtTrial *trial, bool *found) {
  Seed mine = local_seed(h, b, m, along);
  double furthest;
  PetscCallMPI(MPI_Allreduce(&mine.value, &furthest, 1, MPI_DOUBLE, MPI_MIN, h->comm));
  *found = furthest < 0;
  if (!*found) return 0;
  int64_t vid = mine.value == furthest ? mine.vid : INT64_MAX, lowest;
  PetscCallMPI(MPI_Allreduce(&vid, &lowest, 1, MPI_INT64_T, MPI_MIN, h->comm));
  double seed[4];
  PetscCall(share_seed(h, &mine, vid == lowest, seed));
  trial->region = seed[3];
  PetscCall(nucleus(h, b, m, along, seed, trial));
  return 0;
}

PetscErrorCode mt_nucleation_site(MtHysteresis *h, Vec before, Vec m, const double along[3], MtTrial *trial,
                                  bool *found) {
  const PetscScalar *b, *now;
  PetscCall(VecGetArrayRead(before, &b));
  PetscCall(VecGetArrayRead(m, &now));
  PetscCall(find_site(h, b, now, along, trial, found));
  PetscCall(VecRestoreArrayRead(before, &b));
  PetscCall(VecRestoreArrayRead(m, &now));
  return 0;
}

/* Between the two fields a node that turned smoothly is interpolated; in a jump all turned at the field of the jump. */
PetscErrorCode mt_switching_update(MtHysteresis *h, const double B0[3], const double B1[3], bool jump) {
  const PetscScalar *before, *now;
  double f0 = mt_dot3(B0, h->axis), f1 = mt_dot3(B1, h->axis);
  PetscCall(VecGetArrayRead(h->m_accepted, &before));
  PetscCall(VecGetArrayRead(h->m, &now));
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) {
    double a = component(before, i, h->axis), b = component(now, i, h->axis);
    if (!isnan(h->switching[i]) || !(a > 0) || !(b <= 0)) continue;
    h->switching[i] = jump ? f1 : f0 + (f1 - f0) * a / (a - b);
  }
  PetscCall(VecRestoreArrayRead(h->m_accepted, &before));
  PetscCall(VecRestoreArrayRead(h->m, &now));
  return 0;
}

static PetscErrorCode write_map(MtHysteresis *h, MtH5 *f) {
  double *local;
  PetscCall(PetscMalloc1((size_t)h->mesh->nv_local + 1, &local));
  for (PetscInt v = 0; v < h->mesh->nv_local; v++) local[v] = NAN;
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) local[h->nodes->node[i]] = h->switching[i];
  PetscErrorCode rc = mt_mesh_write_nodal(h->mesh, f, "/switching/field", 1, local, "T");
  PetscCall(PetscFree(local));
  if (rc) return rc;
  return mt_h5_set_reals(f, "/switching/field", "direction", 3, h->axis);
}

/* Polarization of each region: pictures show those without a moment as such. */
static PetscErrorCode write_moments(const MtHysteresis *h, MtH5 *f) {
  const int n = h->mesh->regions.n;
  double *Js = malloc((size_t)(n ? n : 1) * sizeof *Js);
  PetscErrorCode rc = mt_agree(h->comm, Js ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d regions", n));
  MtMaterial own;
  for (int r = 0; !rc && r < n; r++)
    Js[r] = mt_composition_most(mt_energy_composition(h->energy), h->material, r, &own)->Js;
  if (!rc) rc = mt_h5_write(f, "/switching/Js", H5T_NATIVE_DOUBLE, n, 1, 0, h->rank ? 0 : n, Js, "T");
  free(Js);
  return rc;
}

PetscErrorCode mt_switching_write(MtHysteresis *h) {
  MtH5 *f;
  char *path = mt_path_join(h->folder, "switching.h5");
  PetscErrorCode rc = mt_h5_create(h->comm, path, "magtwin-switching", 1, &f);
  free(path);
  if (rc) return rc;
  rc = write_map(h, f);
  if (!rc) rc = write_moments(h, f);
  if (!rc) return mt_h5_commit(&f, false);
  mt_h5_discard(&f);
  return rc;
}
