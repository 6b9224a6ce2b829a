/* What an energy needs besides materials: the coupling of grains, and strain or stress of every element by tet id. */
#include "energy_impl.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "site.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* This rank's slab of the dataset, checked. */
static PetscErrorCode read_slab(const MtMesh *mesh, MtH5 *f, const char *path, const char *dataset, Vec slab) {
  int64_t rows, start, n;
  PetscMPIInt rank, size;
  PetscScalar *x;
  PetscErrorCode rc = mt_h5_rows(f, dataset, &rows);
  if (rc) return rc;
  if (rows != mesh->nt_global)
    return mt_error(MT_ERR_INPUT, "%s: %s has %lld rows, but the mesh has %lld tetrahedra", path, dataset,
                    (long long)rows, (long long)mesh->nt_global);
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &rank));
  PetscCallMPI(MPI_Comm_size(mesh->comm, &size));
  mt_slab(rows, rank, size, &start, &n);
  PetscCall(VecGetArray(slab, &x));
  rc = mt_h5_read(f, dataset, H5T_NATIVE_DOUBLE, 6, start, n, x);
  PetscErrorCode bad = 0;
  for (int64_t i = 0; !rc && !bad && i < 6 * n; i++)
    if (!isfinite(x[i]))
      bad = mt_error(MT_ERR_INPUT, "%s: %s is not a number at tetrahedron %lld", path, dataset,
                     (long long)(start + i / 6));
  PetscCall(VecRestoreArray(slab, &x));
  return rc ? rc : mt_agree(mesh->comm, bad);
}

/* Slabs -> the tets of each rank. */
static PetscErrorCode send_home(const MtMesh *mesh, Vec slab, double *data) {
  Vec home;
  IS from;
  VecScatter scatter;
  PetscInt *tid;
  PetscCall(PetscMalloc1(mesh->nt_local, &tid));
  for (PetscInt t = 0; t < mesh->nt_local; t++) tid[t] = (PetscInt)mesh->tid[t];
  PetscCall(ISCreateBlock(mesh->comm, 6, mesh->nt_local, tid, PETSC_OWN_POINTER, &from));
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 6, 6 * mesh->nt_local, data, &home));
  PetscCall(VecScatterCreate(slab, from, home, NULL, &scatter));
  PetscCall(VecScatterBegin(scatter, slab, home, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(scatter, slab, home, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterDestroy(&scatter));
  PetscCall(ISDestroy(&from));
  return VecDestroy(&home);
}

static PetscErrorCode read_elements(const MtMesh *mesh, const char *path, const char *dataset, double **data) {
  MtH5 *f;
  Vec slab;
  int64_t start, n;
  PetscMPIInt rank, size;
  PetscErrorCode rc = mt_h5_open(mesh->comm, path, NULL, 1, &f);
  if (rc) return rc;
  PetscCallMPI(MPI_Comm_rank(mesh->comm, &rank));
  PetscCallMPI(MPI_Comm_size(mesh->comm, &size));
  mt_slab(mesh->nt_global, rank, size, &start, &n);
  PetscCall(VecCreateMPI(mesh->comm, (PetscInt)(6 * n), PETSC_DETERMINE, &slab));
  PetscCall(VecSetBlockSize(slab, 6));
  rc = read_slab(mesh, f, path, dataset, slab);
  PetscCall(mt_h5_close(&f));
  if (!rc) PetscCall(PetscMalloc1(6 * mesh->nt_local + 1, data));
  if (!rc) rc = send_home(mesh, slab, *data);
  PetscCall(VecDestroy(&slab));
  return rc;
}

/* Is the pair two numbers, not a pattern? */
static bool two_numbers(const char *pair, int number[2]) {
  int end = 0;
  return sscanf(pair, "%d-%d%n", &number[0], &number[1], &end) == 2 && !pair[end];
}

static PetscErrorCode read_interface(const MtInput *in, int i, MtInterface *f) {
  char key[64];
  int number[2];
  snprintf(key, sizeof key, "materials.interfaces[%d].pair", i);
  const char *pair = mt_input_string(in, "%s", key);
  if (strlen(pair) >= sizeof f->pair) return mt_input_error(in, key, "is longer than %zu letters", sizeof f->pair - 1);
  if (two_numbers(pair, number) && number[0] >= number[1])
    return mt_input_error(in, key, "names two different grains, the smaller number first; is \"%s\"", pair);
  strcpy(f->pair, pair);
  const bool absolute = mt_input_has(in, "materials.interfaces[%d].exchange", i);
  const bool relative = mt_input_has(in, "materials.interfaces[%d].factor", i);
  if (absolute == relative) return mt_input_error(in, key, "needs either exchange or factor");
  f->J = absolute ? mt_input_real(in, "materials.interfaces[%d].exchange", i) : NAN;
  f->factor = relative ? mt_input_real(in, "materials.interfaces[%d].factor", i) : 0;
  f->distance = mt_input_real(in, "materials.interfaces[%d].distance", i);
  return 0;
}

PetscErrorCode mt_interfaces_read(const MtInput *in, MtEnergyExtras *extras) {
  if (!mt_input_has(in, "materials.interfaces")) return 0;
  extras->ninterfaces = mt_input_count(in, "materials.interfaces");
  PetscCall(PetscCalloc1(extras->ninterfaces + 1, &extras->interface));
  for (int i = 0; i < extras->ninterfaces; i++) {
    PetscErrorCode rc = read_interface(in, i, &extras->interface[i]);
    if (rc) return rc;
  }
  return 0;
}

static bool has_grain(const MtRegions *r, int number) {
  for (int i = 0; i < r->n; i++)
    if (r->kind[i] == MT_REGION_GRAIN && r->grains[4 * i] == number) return true;
  return false;
}

/* Does any pair of grains, touching or not, have this name? */
static bool has_pair(const MtRegions *r, const char *pair) {
  char name[32];
  int number[2];
  if (two_numbers(pair, number)) return has_grain(r, number[0]) && has_grain(r, number[1]);
  for (int i = 0; i < r->n; i++)
    for (int j = 0; r->kind[i] == MT_REGION_GRAIN && j < i; j++) {
      if (r->kind[j] != MT_REGION_GRAIN) continue;
      mt_pair_name(r, i, j, name);
      if (fnmatch(pair, name, 0) == 0) return true;
    }
  return false;
}

PetscErrorCode mt_interfaces_check(const MtInput *in, const MtRegions *r) {
  for (int i = 0; i < mt_input_count(in, "materials.interfaces"); i++) {
    char key[64];
    snprintf(key, sizeof key, "materials.interfaces[%d].pair", i);
    const char *pair = mt_input_string(in, "%s", key);
    if (!has_pair(r, pair)) return mt_input_error(in, key, "the mesh has no grains \"%s\"", pair);
  }
  return 0;
}

PetscErrorCode mt_energy_extras_read(const MtMesh *mesh, const MtInput *in, MtEnergyExtras *extras) {
  *extras = (MtEnergyExtras){.exact = !strcmp(mt_input_string(in, "materials.quadrature"), "exact")};
  PetscErrorCode rc = mt_interfaces_read(in, extras);
  if (!rc && mt_input_has(in, "materials.strain"))
    rc = read_elements(mesh, mt_input_string(in, "materials.strain"), "/strain", &extras->strain);
  if (!rc && mt_input_has(in, "materials.stress"))
    rc = read_elements(mesh, mt_input_string(in, "materials.stress"), "/stress", &extras->stress);
  return rc;
}

PetscErrorCode mt_energy_extras_free(MtEnergyExtras *extras) {
  PetscCall(PetscFree(extras->interface));
  PetscCall(PetscFree(extras->strain));
  return PetscFree(extras->stress);
}

PetscErrorCode mt_site_mix_extras(const MtEnergy *e, uint64_t *constants) {
  uint64_t local = 0, sum;
  PetscCall(mt_composition_mix(e->composition, e->mesh, constants));
  if (e->between) *constants = mt_site_mix(*constants, 1);
  if (!e->elastic) return 0;
  for (PetscInt i = 0; i < e->n; i++) { /* a sum over nodes by file id: the same for any distribution */
    uint64_t hash = (uint64_t)e->mesh->vid[e->nodes->node[i]];
    for (int c = 0; c < 6; c++) hash = mt_site_mix(hash, e->elastic[6 * i + c]);
    local += hash;
  }
  PetscCallMPI(MPI_Allreduce(&local, &sum, 1, MPI_UINT64_T, MPI_SUM, e->mesh->comm));
  *constants = mt_site_mix(*constants, (double)(sum >> 11));
  return 0;
}

PetscErrorCode mt_energy_open(const MtMesh *mesh, const MtInput *in, const MtMaterial *material, int demag_modes,
                              MtEnergy **e) {
  MtEnergyExtras extras;
  *e = NULL;
  PetscErrorCode rc = mt_energy_extras_read(mesh, in, &extras);
  if (!rc) rc = mt_composition_read(mesh, in, material, &extras.composition);
  if (rc)
    mt_composition_free(&extras.composition);
  else
    rc = mt_energy_create_with(mesh, material, demag_modes, &extras, e);
  PetscCall(mt_energy_extras_free(&extras));
  return rc;
}
