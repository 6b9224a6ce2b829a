/* The keys of section elasticity, and the elastic part of a run. */
#include "elastic_impl.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const MtKey mt_elastic_keys[] = {
    {.path = "elasticity.misfit",
     .type = MT_KEY_REALS,
     .help =
         "Eigenstrain of the composition: strain without stress where c - reference is 1. A list: one number, [0.01], "
         "the "
         "same along all axes; three: along x, y, z; six: xx yy zz yz xz xy. Only with cahn_hilliard and allen_cahn."},
    {.path = "elasticity.reference", .type = MT_KEY_REAL, .def = "0", .help = "c without eigenstrain."},
    {.path = "elasticity.stiffness",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_ENERGY,
     .min = -1e14,
     .max = 1e14,
     .help = "C11, C12, C44 of a cubic crystal along x, y, z; an isotropic one has C44 = (C11 - C12)/2."},
    {.path = "elasticity.stiffness_high",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_ENERGY,
     .def = "",
     .min = -1e14,
     .max = 1e14,
     .help = "Those of the phase with c = high, where stiffness is that of c = low; smooth between, constant beyond. "
             "Without it one stiffness everywhere."},
    {.path = "elasticity.low", .type = MT_KEY_REAL, .def = "0", .help = "c of the phase with the stiffness."},
    {.path = "elasticity.high", .type = MT_KEY_REAL, .def = "1", .help = "c of that with stiffness_high, above low."},
    {.path = "elasticity.ends",
     .type = MT_KEY_CHOICE,
     .def = "free",
     .choices = "free|clamped",
     .help = "Ends that are not periodic, or the surface of the magnet: without forces, or without displacement."},
    {.path = "elasticity.periodic",
     .type = MT_KEY_CHOICE,
     .def = "relaxed",
     .choices = "relaxed|fixed",
     .help =
         "Periodic axes: they take the length at which the mean stress is 0, or elasticity.stress, or keep theirs."},
    {.path = "elasticity.stress",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .def = "[]",
     .min = -1e14,
     .max = 1e14,
     .help =
         "Stress applied to relaxed periodic axes, tension > 0: three numbers along x, y, z, or six: xx yy zz yz xz "
         "xy; 0 where an axis is not periodic."},
    {.path = "elasticity.rtol",
     .type = MT_KEY_REAL,
     .def = "1e-8",
     .min = 1e-14,
     .max = 1e-2,
     .help = "Relative residual, in the norm of the energy, at which equilibrium is found."},
    {.path = NULL},
};

static PetscErrorCode read_misfit(const MtInput *in, double e[6]) {
  const int n = mt_input_count(in, "elasticity.misfit");
  if (n != 1 && n != 3 && n != 6)
    return mt_input_error(in, "elasticity.misfit", "has %d numbers, must have 1, 3 or 6", n);
  for (int k = 0; k < 6; k++) e[k] = k < n ? mt_input_real_at(in, k, "elasticity.misfit") : n == 1 && k < 3 ? e[0] : 0;
  return 0;
}

static PetscErrorCode read_applied(const MtInput *in, const char *periodic, MtElasticModel *m) {
  static const char *const axes[6] = {"x", "y", "z", "yz", "xz", "xy"};
  const int n = mt_input_count(in, "elasticity.stress");
  if (n != 0 && n != 3 && n != 6) return mt_input_error(in, "elasticity.stress", "has %d numbers, must have 3 or 6", n);
  for (int k = 0; k < n; k++) {
    m->applied[k] = mt_input_real_at(in, k, "elasticity.stress");
    if (m->applied[k] == 0) continue;
    if (!m->relaxed)
      return mt_input_error(in, "elasticity.stress",
                            "does nothing to axes that keep their length (elasticity.periodic)");
    for (const char *a = axes[k]; *a; a++)
      if (!strchr(periodic, *a))
        return mt_input_error(in, "elasticity.stress", "is %g J/m3 in component %d, but %c is not periodic",
                              m->applied[k], k + 1, *a);
  }
  return 0;
}

/* The conditions of M. Born: any strain costs energy. */
static PetscErrorCode read_stiffness(const MtInput *in, const char *key, MtStiffness *C) {
  double v[3];
  mt_input_vec3(in, v, "%s", key);
  *C = (MtStiffness){v[0], v[1], v[2]};
  if (v[0] > fabs(v[1]) && v[0] + 2 * v[1] > 0 && v[2] > 0) return 0;
  return mt_input_error(in, key, "is no stable crystal: C11 > |C12|, C11 + 2 C12 > 0 and C44 > 0 are needed");
}

static PetscErrorCode read_model(const MtInput *in, MtElasticModel *m) {
  *m = (MtElasticModel){.low = mt_input_real(in, "elasticity.low"),
                        .high = mt_input_real(in, "elasticity.high"),
                        .reference = mt_input_real(in, "elasticity.reference"),
                        .clamped = !strcmp(mt_input_string(in, "elasticity.ends"), "clamped"),
                        .relaxed = !strcmp(mt_input_string(in, "elasticity.periodic"), "relaxed"),
                        .rtol = mt_input_real(in, "elasticity.rtol")};
  PetscErrorCode rc = read_misfit(in, m->misfit);
  const bool box = mt_input_has(in, "box.size"); /* that of a volume of labels has free ends */
  if (!rc) rc = read_applied(in, box ? mt_input_string(in, "box.periodic") : "", m);
  if (!rc) rc = read_stiffness(in, "elasticity.stiffness", &m->phase[0]);
  m->phase[1] = m->phase[0];
  if (!rc && mt_input_has(in, "elasticity.stiffness_high"))
    rc = read_stiffness(in, "elasticity.stiffness_high", &m->phase[1]);
  if (rc || m->high > m->low) return rc;
  return mt_input_error(in, "elasticity.high", "must be above low (%g), is %g", m->low, m->high);
}

bool mt_elastic_asked(const MtInput *in) {
  return mt_input_has(in, "elasticity.misfit");
}

bool mt_elastic_applied(const MtInput *in) {
  return mt_elastic_asked(in) && mt_input_count(in, "elasticity.stress") > 0;
}

PetscErrorCode mt_elastic_check(const MtInput *in) {
  MtElasticModel m;
  if (!mt_elastic_asked(in)) return 0;
  const char *model = mt_input_has(in, "phasefield.model") ? mt_input_string(in, "phasefield.model") : "";
  if (strcmp(model, "cahn_hilliard") && strcmp(model, "allen_cahn"))
    return mt_input_error(in, "elasticity.misfit",
                          "is for phasefield.model cahn_hilliard and allen_cahn; here it is %s",
                          model[0] ? model : "not given");
  return read_model(in, &m);
}

PetscErrorCode mt_elastic_open(const MtInput *in, const MtDomain *domain, MtElastic **elastic) {
  MtElasticModel m;
  *elastic = NULL;
  if (!mt_elastic_asked(in)) return 0;
  PetscErrorCode rc = read_model(in, &m);
  return rc ? rc : mt_elastic_create(domain, &m, elastic);
}

/* Domain elements are the tets of the mesh without its air, in order. */
static PetscErrorCode fill_slab(const MtDomain *d, const double *value, Vec slab) {
  const MtMesh *m = d->mesh;
  PetscCall(VecZeroEntries(slab));
  for (PetscInt t = 0, e = 0; t < m->nt_local; t++) {
    if (m->regions.kind[m->region[t]] == MT_REGION_AIR) continue;
    const PetscInt row = (PetscInt)m->tid[t];
    if (m->tet_owned[t]) PetscCall(VecSetValuesBlocked(slab, 1, &row, value + 6 * e, INSERT_VALUES));
    e++;
  }
  PetscCall(VecAssemblyBegin(slab));
  return VecAssemblyEnd(slab);
}

PetscErrorCode mt_elastic_write(MtElastic *e, Vec c, struct MtH5 *f) {
  const MtDomain *d = e->domain;
  const PetscScalar *a;
  double *stress;
  int rank, size;
  int64_t start, n;
  Vec slab;
  if (!d->mesh) return 0;
  PetscErrorCode rc = mt_elastic_solve(e, c);
  if (rc) return rc;
  PetscCallMPI(MPI_Comm_rank(d->comm, &rank));
  PetscCallMPI(MPI_Comm_size(d->comm, &size));
  mt_slab(d->mesh->nt_global, rank, size, &start, &n);
  PetscCall(PetscMalloc1(6 * d->ne + 1, &stress));
  PetscCall(mt_elastic_fields(e, NULL, stress));
  PetscCall(VecCreate(d->comm, &slab));
  PetscCall(VecSetSizes(slab, (PetscInt)(6 * n), PETSC_DETERMINE));
  PetscCall(VecSetBlockSize(slab, 6));
  PetscCall(VecSetType(slab, VECSTANDARD));
  PetscCall(fill_slab(d, stress, slab));
  PetscCall(PetscFree(stress));
  PetscCall(VecGetArrayRead(slab, &a));
  rc = mt_h5_write(f, "/stress", H5T_NATIVE_DOUBLE, d->mesh->nt_global, 6, start, n, a, "Pa");
  PetscCall(VecRestoreArrayRead(slab, &a));
  PetscCall(VecDestroy(&slab));
  return rc;
}
