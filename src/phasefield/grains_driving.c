/* Bulk energies of grains, whose differences drive the boundaries: from a table, those of a micromagnetic state, and
 * those of grains in a magnetic field.  The pressure on a boundary is the difference of its two grains' (W. W. Mullins,
 * Acta Metall. 4 (1956) 421; D. A. Molodov, G. Gottstein, F. Heringhaus, L. S. Shvindlerman, Acta Mater. 46 (1998)
 * 5627). */
#include "evolve_impl.h"
#include "grains_input.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/texttable.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRIVEN "phasefield.model=grain_growth"
#define KEY "phasefield.driving."

const MtKey mt_grain_driving_keys[] = {
    {.path = KEY "table",
     .type = MT_KEY_PATH,
     .def = "",
     .when = DRIVEN,
     .help = "A table with the columns grain and energy, in J/m3 (heads are the bare words): energies that grains have "
             "in their bulk, stored by "
             "deformation, elastic or magnetic. Boundaries are driven by the differences. Every grain must be there."},
    {.path = KEY "state",
     .type = MT_KEY_PATH,
     .def = "",
     .when = DRIVEN,
     .help = "A state of magtwin demag (states/state_0003.h5): each grain has the mean of its anisotropy, Zeeman and "
             "stray-field energy in it, with section materials and in the field of the state. They stay what they are "
             "as the grains grow."},
    {.path = KEY "mesh",
     .type = MT_KEY_PATH,
     .def = "",
     .when = DRIVEN,
     .help = "The mesh of that state, whose grains have the numbers of those here; without it the mesh of the run."},
    {.path = KEY "field",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_FIELD,
     .def = "",
     .min = -1000,
     .max = 1000,
     .when = DRIVEN,
     .help = "Magnetic field inside the grains, which drives boundaries towards those with more energy in it."},
    {.path = KEY "polarization",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .def = "0 T",
     .min = 0,
     .max = 10,
     .when = DRIVEN,
     .help = "Js of the grains at the temperature of the anneal. A grain is one domain, turned to its least energy."},
    {.path = KEY "anisotropy",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ENERGY,
     .def = "",
     .min = 0,
     .max = 1e12,
     .when = DRIVEN,
     .help = "K1 of the grains, with which their polarization holds to c; without it it stays along c."},
    {.path = KEY "susceptibility",
     .type = MT_KEY_REAL,
     .def = "0",
     .min = -10,
     .max = 10,
     .when = DRIVEN,
     .help = "Susceptibility (SI) along c less that across it: of grains above their Curie temperature."},
    {.path = "phasefield.conserved",
     .type = MT_KEY_REALS,
     .def = "[]",
     .min = 0,
     .max = 1e9,
     .when = DRIVEN,
     .help =
         "Numbers of grains whose volume together stays what it was at the beginning, by a pressure that they have in "
         "common: a liquid between the others, with energies of its boundaries from phasefield.boundary.table."},
    {0},
};

/* -Js H cos(theta - phi) + K1 sin^2 phi at the phi between c and the field where it is least. */
static double turned(const MtGrainMagnet *m, double field, double theta) {
  const double zeeman = m->polarization * field / MT_MU0;
  double low = 0, high = theta;
  if (isinf(m->anisotropy)) return -zeeman * cos(theta);
  for (int k = 0; k < 60; k++) {
    const double phi = .5 * (low + high), slope = m->anisotropy * sin(2 * phi) - zeeman * sin(theta - phi);
    *(slope < 0 ? &low : &high) = phi;
  }
  return m->anisotropy * sin(low) * sin(low) - zeeman * cos(theta - low);
}

double mt_grain_magnetic(const MtGrainMagnet *m, const double c[3]) {
  const double *f = m->field, field = sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]);
  const double along = fabs(f[0] * c[0] + f[1] * c[1] + f[2] * c[2]);
  if (!(field > 0)) return 0;
  return turned(m, field, acos(fmin(1, along / field))) - m->susceptibility * along * along / (2 * MT_MU0);
}

static void read_magnet(const MtInput *in, MtGrainMagnet *m) {
  *m = (MtGrainMagnet){.polarization = mt_input_real(in, KEY "polarization"),
                       .anisotropy = INFINITY,
                       .susceptibility = mt_input_real(in, KEY "susceptibility")};
  if (mt_input_has(in, KEY "anisotropy")) m->anisotropy = mt_input_real(in, KEY "anisotropy");
  mt_input_vec3(in, m->field, KEY "field");
}

PetscErrorCode mt_grain_driving_check(const MtInput *in) {
  const bool field = mt_input_has(in, KEY "field"),
             shockley = strcmp(mt_input_string(in, "phasefield.boundary.law"), "read_shockley") == 0;
  const bool magnet = mt_input_real(in, KEY "polarization") > 0 || mt_input_real(in, KEY "susceptibility") != 0;
  const bool state = mt_input_has(in, KEY "state");
  if (state && field) return mt_input_error(in, KEY "field", "is in the state already: give one of them");
  if (state && mt_evolve_on_box(in) && !mt_input_has(in, KEY "mesh"))
    return mt_input_error(in, KEY "state", "is of a mesh: on a box " KEY "mesh has to name it");
  if (!state && mt_input_has(in, KEY "mesh"))
    return mt_input_error(in, KEY "mesh", "is of no use without " KEY "state");
  if (field && !magnet)
    return mt_input_error(in, KEY "field", "drives nothing without " KEY "polarization or " KEY "susceptibility");
  if (magnet && !field)
    return mt_input_error(in, mt_input_real(in, KEY "polarization") > 0 ? KEY "polarization" : KEY "susceptibility",
                          "drives nothing without " KEY "field");
  if (mt_input_has(in, KEY "anisotropy") && !(mt_input_real(in, KEY "polarization") > 0))
    return mt_input_error(in, KEY "anisotropy", "holds nothing without " KEY "polarization");
  if (mt_input_has(in, "phasefield.boundary.orientations") && !field && !shockley)
    return mt_input_error(in, "phasefield.boundary.orientations",
                          "is used by phasefield.boundary.law read_shockley and by " KEY "field only");
  return 0;
}

/* Unit vectors c of n grains, [3 n]: of the quaternions, or the easy axes of a mesh. */
static PetscErrorCode read_axes(const MtDomain *d, const MtInput *in, int n, double *axis) {
  double *q;
  const bool meshed = d->mesh && n <= d->mesh->regions.ngrains;
  if (!mt_input_has(in, "phasefield.boundary.orientations") && (d->labels || meshed)) {
    memcpy(axis, d->labels ? d->labels->axis : d->mesh->regions.axis, 3 * (size_t)n * sizeof *axis);
    return 0;
  }
  PetscCall(PetscMalloc1(4 * (size_t)n, &q));
  PetscErrorCode rc = mt_grain_growth_orientations(d, in, n, q);
  for (int k = 0; k < n && !rc; k++) {
    const double w = q[4 * k], x = q[4 * k + 1], y = q[4 * k + 2], z = q[4 * k + 3];
    axis[3 * k] = 2 * (x * z + w * y);
    axis[3 * k + 1] = 2 * (y * z - w * x);
    axis[3 * k + 2] = 1 - 2 * (x * x + y * y);
  }
  PetscCall(PetscFree(q));
  return rc;
}

static PetscErrorCode add_magnetic(const MtDomain *d, const MtInput *in, int n, double *bulk) {
  MtGrainMagnet m;
  double *axis;
  if (!mt_input_has(in, KEY "field")) return 0;
  read_magnet(in, &m);
  PetscCall(PetscMalloc1(3 * (size_t)n, &axis));
  PetscErrorCode rc = read_axes(d, in, n, axis);
  for (int k = 0; k < n && !rc; k++) bulk[k] += mt_grain_magnetic(&m, axis + 3 * (size_t)k);
  PetscCall(PetscFree(axis));
  return rc;
}

static PetscErrorCode take_rows(const MtInput *in, const MtNumbers *t, int n, double *energy) {
  const int grain = mt_numbers_column(t, "grain"), column = mt_numbers_column(t, "energy");
  if (grain < 0 || column < 0)
    return mt_input_error(in, KEY "table", "has no column %s", grain < 0 ? "grain" : "energy");
  for (int k = 0; k < n; k++) energy[k] = NAN;
  for (int r = 0; r < t->rows; r++) {
    const double *row = t->value + (size_t)r * (size_t)t->columns, id = row[grain];
    if (!(id >= 0 && id < 2147483647 && id == floor(id)))
      return mt_input_error(in, KEY "table", "has no number of a grain in line %d of its numbers", r + 1);
    if (id >= n) continue;
    if (!isnan(energy[(int)id])) return mt_input_error(in, KEY "table", "has grain %d twice", (int)id);
    energy[(int)id] = row[column];
  }
  for (int k = 0; k < n; k++)
    if (isnan(energy[k])) return mt_input_error(in, KEY "table", "has no energy of grain %d", k);
  return 0;
}

static PetscErrorCode add_table(const MtDomain *d, const MtInput *in, int n, double *bulk) {
  MtNumbers t = {0};
  double *energy;
  if (!mt_input_has(in, KEY "table")) return 0;
  PetscCall(PetscMalloc1(n, &energy));
  PetscErrorCode rc = mt_numbers_read(d->comm, mt_input_string(in, KEY "table"), &t);
  if (!rc) rc = take_rows(in, &t, n, energy);
  for (int k = 0; k < n && !rc; k++) bulk[k] += energy[k];
  mt_numbers_free(&t);
  PetscCall(PetscFree(energy));
  return rc;
}

static PetscErrorCode add_state(const MtDomain *d, const MtInput *in, int n, double *bulk) {
  for (int k = 0; k < n && d->grain_energy; k++) {
    if (k >= d->ngrain_energies || isnan(d->grain_energy[k]))
      return mt_input_error(in, KEY "state", "has no energy of grain %d: its mesh has %d grains", k,
                            d->ngrain_energies);
    bulk[k] += d->grain_energy[k];
  }
  return 0;
}

/* A grain beside one with a bulk energy lower by m (gamma - 1/2) would turn into it without a boundary; well below,
 * the profile of a boundary stays what it is. */
static PetscErrorCode bearable(const MtInput *in, const MtBoundaryLaw *law, const MtGrainModel *model, double most) {
  const double part = .1; /* a flat boundary is then slower by 0.3 % */
  const double gamma = model->uniform ? model->gamma : mt_grain_model_gamma(model, law->lowest);
  const double limit = part * model->m * (gamma - .5);
  if (most <= limit) return 0;
  const char *key = mt_input_has(in, KEY "field")   ? KEY "field"
                    : mt_input_has(in, KEY "state") ? KEY "state"
                                                    : KEY "table";
  return mt_input_error(in, key,
                        "makes bulk energies of grains differ by %.4g J/m3; boundaries of this width keep their form "
                        "up to %.4g J/m3, thinner ones (phasefield.boundary.width) further",
                        most, limit);
}

PetscErrorCode mt_grain_driving(const MtDomain *d, const MtInput *in, const MtBoundaryLaw *law,
                                const MtGrainModel *model, int n, double **bulk) {
  double least = INFINITY, most = -INFINITY;
  *bulk = NULL;
  if (!mt_input_has(in, KEY "table") && !mt_input_has(in, KEY "field") && !d->grain_energy) return 0;
  *bulk = calloc((size_t)n, sizeof **bulk);
  PetscErrorCode rc = *bulk ? 0 : mt_error(MT_ERR_FAIL, "out of memory for the energies of %d grains", n);
  if ((rc = mt_agree(d->comm, rc))) return rc;
  rc = add_table(d, in, n, *bulk);
  if (!rc) rc = add_magnetic(d, in, n, *bulk);
  if (!rc) rc = add_state(d, in, n, *bulk);
  if (rc) return mt_agree(d->comm, rc);
  for (int k = 0; k < n; k++) {
    least = fmin(least, (*bulk)[k]);
    most = fmax(most, (*bulk)[k]);
  }
  for (int k = 0; k < n; k++) (*bulk)[k] -= least;
  mt_log("bulk energies of %d grains: up to %.4g J/m3 above the least", n, most - least);
  return bearable(in, law, model, most - least);
}

static PetscErrorCode take_conserved(const MtInput *in, int n, bool *conserved) {
  static const char KEPT[] = "phasefield.conserved";
  const int count = mt_input_count(in, KEPT);
  for (int k = 0; k < count; k++) {
    const double id = mt_input_real_at(in, k, KEPT);
    if (id != floor(id) || id >= n)
      return mt_input_error(in, KEPT, "has %g, but grains are numbered from 0 to %d", id, n - 1);
    if (conserved[(int)id]) return mt_input_error(in, KEPT, "has grain %d twice", (int)id);
    conserved[(int)id] = true;
  }
  return count < n ? 0 : mt_input_error(in, KEPT, "has all %d grains: nothing could move them", n);
}

PetscErrorCode mt_grain_conserved_grains(const MtDomain *d, const MtInput *in, int n, const int32_t *label,
                                         bool **conserved) {
  int found = 0;
  *conserved = NULL;
  if (mt_input_count(in, "phasefield.conserved") == 0) return 0;
  *conserved = calloc((size_t)n, sizeof **conserved);
  PetscErrorCode rc = *conserved ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d grains", n);
  if ((rc = mt_agree(d->comm, rc))) return rc;
  rc = take_conserved(in, n, *conserved);
  for (PetscInt i = 0; i < d->n_owned && !rc; i++) found |= (*conserved)[label[i]];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT, MPI_MAX, d->comm));
  if (!rc && !found) rc = mt_input_error(in, "phasefield.conserved", "has no grain that is there at the beginning");
  return rc;
}
