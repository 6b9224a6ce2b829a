/* Sections diffusion and temperature: media, ends where c is fixed, the program. */
#include "evolve_impl.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NM2 = 1e18; /* m2 -> nm2 */

const MtKey mt_diffusion_keys[] = {
    {.path = "diffusion.media",
     .type = MT_KEY_LIST,
     .min = 1,
     .max = 100,
     .when = "phasefield.model=diffusion",
     .help =
         "Media of different diffusivity, from the general to the particular: where two apply the later one counts. "
         "Every element needs one."},
    {.path = "diffusion.media[].regions",
     .type = MT_KEY_STRINGS,
     .def = "[]",
     .help = "Kinds of regions of the mesh that the medium is in: grain, surface, gb, triple_line, junction, pocket; "
             "all if not given."},
    {.path = "diffusion.media[].where",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "A formula of x, y, z (nm): the medium is in those elements only at whose centre it is above 0."},
    {.path = "diffusion.media[].D0",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_DIFFUSIVITY,
     .min = 0,
     .max = 1,
     .help = "D0 of the diffusivity D = D0 exp(-Q/RT).",
     .exclusive_min = true},
    {.path = "diffusion.media[].Q",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_MOLAR,
     .def = "0 J/mol",
     .min = 0,
     .max = 1e7,
     .help = "Q; above 0 it needs section temperature."},
    {.path = "diffusion.fixed",
     .type = MT_KEY_LIST,
     .def = "",
     .min = 0,
     .max = 100,
     .when = "phasefield.model=diffusion",
     .help = "Ends at which c is held; nothing flows through the others."},
    {.path = "diffusion.fixed[].at",
     .type = MT_KEY_CHOICE,
     .choices = "surface|x_min|x_max|y_min|y_max|z_min|z_max",
     .help = "The whole surface of the magnet or box, or one of its flat faces."},
    {.path = "diffusion.fixed[].c",
     .type = MT_KEY_REAL,
     .help = "c there from the first step on; of entries that meet the later one counts."},
    {.path = "temperature.time",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1e15,
     .help = "Corners of the temperature program, ascending from 0; the last temperature holds from then on."},
    {.path = "temperature.value",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TEMPERATURE,
     .def = "",
     .min = 0,
     .max = 1e5,
     .help = "The temperatures there, joined by straight lines.",
     .exclusive_min = true},
    {0},
};

static PetscErrorCode check_program(const MtInput *in, const MtProgram *p) {
  if (mt_input_count(in, "temperature.value") != p->n)
    return mt_input_error(in, "temperature.value", "has %d temperatures for %d times",
                          mt_input_count(in, "temperature.value"), p->n);
  if (p->t[0] != 0) return mt_input_error(in, "temperature.time", "must begin at 0 s, begins at %g s", p->t[0]);
  for (int i = 1; i < p->n; i++)
    if (!(p->t[i] > p->t[i - 1]))
      return mt_input_error(in, "temperature.time", "must ascend, but entry %d is not after the one before", i + 1);
  return 0;
}

PetscErrorCode mt_diffusion_program(const MtInput *in, MtProgram *p) {
  *p = (MtProgram){0};
  if (!mt_input_has(in, "temperature.time") || !mt_input_has(in, "temperature.value")) {
    for (int k = 0; k < 2; k++)
      if (mt_input_has(in, k ? "temperature.value" : "temperature.time"))
        return mt_input_error(in, k ? "temperature.value" : "temperature.time", "needs temperature.%s",
                              k ? "time" : "value");
    return 0;
  }
  p->n = mt_input_count(in, "temperature.time");
  if (p->n == 0) return mt_input_error(in, "temperature.time", "is empty");
  p->t = calloc((size_t)p->n, sizeof *p->t);
  p->T = calloc((size_t)p->n, sizeof *p->T);
  if (!p->t || !p->T) abort();
  for (int i = 0; i < p->n; i++) {
    p->t[i] = mt_input_real_at(in, i, "temperature.time");
    if (i < mt_input_count(in, "temperature.value")) p->T[i] = mt_input_real_at(in, i, "temperature.value");
  }
  const PetscErrorCode rc = check_program(in, p);
  if (rc) mt_program_free(p);
  return rc;
}

/* -1: no such kind, or one that carries no field. */
static int kind_named(const char *name) {
  for (int k = 0; k < MT_REGION_NKINDS; k++)
    if (k != MT_REGION_AIR && strcmp(name, mt_region_kind_name((MtRegionKind)k)) == 0) return k;
  return -1;
}

static PetscErrorCode medium_formula(const MtInput *in, int m, MtFormula **f) {
  char path[64];
  snprintf(path, sizeof path, "diffusion.media[%d].where", m);
  PetscErrorCode rc = mt_evolve_formula(in, path, f);
  if (rc || !*f || !mt_formula_uses(*f, MT_VAR_T)) return rc;
  mt_formula_free(f);
  return mt_input_error(in, path, "depends on t, but a medium stays where it is");
}

static PetscErrorCode check_medium(const MtInput *in, int m) {
  char path[64];
  MtFormula *f;
  snprintf(path, sizeof path, "diffusion.media[%d].regions", m);
  const int n = mt_input_count(in, "%s", path);
  if (n > 0 && mt_evolve_on_box(in))
    return mt_input_error(in, path, "names regions of a mesh, but the run is on a box: use where");
  for (int i = 0; i < n; i++) {
    const char *name = mt_input_string_at(in, i, "%s", path);
    if (kind_named(name) < 0)
      return mt_input_error(in, path, "has \"%s\"; kinds are grain, surface, gb, triple_line, junction, pocket", name);
  }
  snprintf(path, sizeof path, "diffusion.media[%d].Q", m);
  if (mt_input_real(in, "%s", path) > 0 && !mt_input_has(in, "temperature.time"))
    return mt_input_error(in, path, "needs temperatures: section temperature is missing");
  const PetscErrorCode rc = medium_formula(in, m, &f);
  mt_formula_free(&f);
  return rc;
}

static bool flat(const char *at, int *axis, bool *high) {
  *axis = at[0] - 'x';
  *high = strcmp(at + 1, "_max") == 0;
  return strcmp(at, "surface") != 0;
}

/* Ends of a box that are not there: joined, or of the third dimension. */
static PetscErrorCode check_fixed(const MtInput *in, int k) {
  char path[64];
  int axis;
  bool high;
  MtBox box;
  snprintf(path, sizeof path, "diffusion.fixed[%d].at", k);
  if (!flat(mt_input_string(in, "%s", path), &axis, &high) || !mt_input_has(in, "box.size")) return 0;
  mt_evolve_box(in, &box);
  if (axis < box.dim && !box.periodic[axis]) return 0;
  return mt_input_error(in, path, "is no end of the box, which %s %c",
                        axis < box.dim ? "is periodic along" : "has two dimensions, without", 'x' + axis);
}

static int count_fixed(const MtInput *in) {
  return mt_input_has(in, "diffusion.fixed") ? mt_input_count(in, "diffusion.fixed") : 0;
}

PetscErrorCode mt_diffusion_check(const MtInput *in) {
  MtProgram program;
  PetscErrorCode rc = mt_diffusion_program(in, &program);
  mt_program_free(&program);
  if (rc || !mt_evolve_diffuses(in)) return rc;
  for (int m = 0; m < mt_input_count(in, "diffusion.media") && !rc; m++) rc = check_medium(in, m);
  for (int k = 0; k < count_fixed(in) && !rc; k++) rc = check_fixed(in, k);
  return rc;
}

static void centre_of(const MtDomain *d, PetscInt e, double x[MT_NVARS]) {
  double corner[4][3];
  mt_domain_corners(d, e, corner);
  for (int c = 0; c < MT_NVARS; c++) x[c] = 0;
  for (int k = 0; k <= d->dim; k++)
    for (int c = 0; c < 3; c++) x[c] += corner[k][c] / (d->dim + 1);
}

static PetscErrorCode place_medium(const MtInput *in, const MtDomain *d, int m, int *of) {
  bool has[MT_REGION_NKINDS] = {false};
  double x[MT_NVARS];
  MtFormula *where;
  const int n = mt_input_count(in, "diffusion.media[%d].regions", m);
  for (int i = 0; i < n; i++) has[kind_named(mt_input_string_at(in, i, "diffusion.media[%d].regions", m))] = true;
  PetscErrorCode rc = medium_formula(in, m, &where);
  for (PetscInt e = 0; e < d->ne && !rc; e++) {
    if (n > 0 && !has[d->mesh->regions.kind[d->region[e]]]) continue;
    centre_of(d, e, x);
    if (!where || mt_formula_value(where, x) > 0) of[e] = m;
  }
  mt_formula_free(&where);
  return rc;
}

static PetscErrorCode find_gap(const MtDomain *d, const int *of) {
  double x[MT_NVARS];
  PetscInt e = 0;
  while (e < d->ne && of[e] >= 0) e++;
  if (e == d->ne) return 0;
  centre_of(d, e, x);
  return mt_error(MT_ERR_INPUT, "diffusion.media leaves a gap: no medium is at (%.6g, %.6g, %.6g) nm%s%s", x[0], x[1],
                  x[2], d->region ? ", in " : "", d->region ? d->mesh->regions.name[d->region[e]] : "");
}

/* at_end[i]: node i lies on the surface. */
static PetscErrorCode find_surface(const MtDomain *d, bool *at_end) {
  MtFace *face;
  PetscInt n, node[3];
  double area[3];
  for (PetscInt i = 0; !d->mesh && i < d->n_local; i++)
    for (int c = 0; c < d->dim; c++)
      if (!d->box.periodic[c])
        at_end[i] |= d->x[3 * i + c] <= 1e-9 * d->box.size[c] || d->x[3 * i + c] >= (1 - 1e-9) * d->box.size[c];
  if (!d->mesh) return 0;
  PetscCall(mt_mesh_region_faces(d->mesh, &n, &face));
  for (PetscInt k = 0; k < n; k++) {
    if (face[k].neighbour >= 0) continue;
    mt_mesh_face(d->mesh, &face[k], node, area);
    for (int c = 0; c < 3; c++)
      if (d->nodes->index[node[c]] >= 0) at_end[d->nodes->index[node[c]]] = true;
  }
  return PetscFree(face);
}

static bool on_face(const MtDomain *d, const double x[3], const char *at) {
  int axis;
  bool high;
  if (!flat(at, &axis, &high)) return true;
  const double low = d->mesh ? d->mesh->magnet_box[axis] : 0;
  const double top = d->mesh ? d->mesh->magnet_box[3 + axis] : d->box.size[axis];
  return fabs(x[axis] - (high ? top : low)) <= 1e-6 * (top - low);
}

/* One entry of diffusion.fixed; error where no node of any rank is there. */
static PetscErrorCode fix_one(const MtInput *in, const MtDomain *d, int k, const bool *at_end, double *fixed) {
  const char *at = mt_input_string(in, "diffusion.fixed[%d].at", k);
  int found = 0;
  for (PetscInt i = 0; i < d->n_owned; i++)
    if (at_end[i] && on_face(d, d->x + 3 * i, at)) {
      fixed[i] = mt_input_real(in, "diffusion.fixed[%d].c", k);
      found = 1;
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT, MPI_MAX, d->comm));
  if (found) return 0;
  char path[64];
  snprintf(path, sizeof path, "diffusion.fixed[%d].at", k);
  return mt_input_error(in, path, "%s: no node of the surface lies there", at);
}

static PetscErrorCode read_fixed(const MtInput *in, const MtDomain *d, double *fixed) {
  bool *at_end;
  PetscErrorCode rc = 0;
  PetscCall(PetscCalloc1(d->n_local, &at_end));
  for (PetscInt i = 0; i < d->n_owned; i++) fixed[i] = NAN;
  PetscCall(find_surface(d, at_end));
  for (int k = 0; k < count_fixed(in) && !rc; k++) rc = fix_one(in, d, k, at_end, fixed);
  PetscCall(PetscFree(at_end));
  return rc;
}

static PetscErrorCode make(const MtInput *in, const MtDomain *domain, const MtProgram *p, int *of, double *fixed,
                           MtDiffusion **d) {
  MtMedium medium[100];
  const int n = mt_input_count(in, "diffusion.media");
  PetscErrorCode rc = 0;
  for (PetscInt e = 0; e < domain->ne; e++) of[e] = -1;
  for (int m = 0; m < n && !rc; m++) {
    medium[m].D0 = NM2 * mt_input_real(in, "diffusion.media[%d].D0", m);
    medium[m].Q = mt_input_real(in, "diffusion.media[%d].Q", m);
    rc = place_medium(in, domain, m, of);
  }
  if (!rc) rc = mt_agree(domain->comm, find_gap(domain, of));
  if (!rc) rc = read_fixed(in, domain, fixed);
  if (rc) return rc;
  const MtDiffusionModel model = {.n = n,
                                  .medium = medium,
                                  .of = of,
                                  .program = p,
                                  .fixed = fixed,
                                  .linear_rtol = mt_input_real(in, "evolve.linear_rtol")};
  return mt_diffusion_create(domain, &model, d);
}

PetscErrorCode mt_diffusion_open(const MtInput *in, const MtDomain *domain, const MtProgram *p, MtDiffusion **d) {
  int *of;
  double *fixed;
  *d = NULL;
  PetscCall(PetscMalloc1(domain->ne, &of));
  PetscCall(PetscMalloc1(domain->n_owned, &fixed));
  const PetscErrorCode rc = make(in, domain, p, of, fixed, d);
  PetscCall(PetscFree(of));
  PetscCall(PetscFree(fixed));
  return rc;
}
