/* ranks: 1 2 */
/* Elasticity with eigenstrains against closed forms: layers (J. W. Cahn, Acta Metall. 9 (1961) 795), the cylinder and
 * the sphere (J. D. Eshelby, Proc. R. Soc. A 241 (1957) 376), and the derivative of the energy against differences. */
#include "brick.h"
#include "magtwin/elastic.h"
#include "near.h"

static const MtStiffness STEEL = {240e9, 120e9, 60e9}; /* isotropic: E = 160 GPa, nu = 1/3 */
static const MtStiffness CUBIC = {230e9, 130e9, 110e9};
static const double ETA = .01;

static MtElasticModel uniform(const MtStiffness *C) {
  return (MtElasticModel){
      .phase = {*C, *C}, .high = 1, .misfit = {ETA, ETA, ETA, 0, 0, 0}, .relaxed = true, .rtol = 1e-9};
}
static MtBox periodic_box(int dim, int cells) {
  MtBox b = {.dim = dim};
  for (int c = 0; c < dim; c++) {
    b.cells[c] = cells;
    b.size[c] = 32;
    b.periodic[c] = true;
  }
  return b;
}

typedef struct {
  MtDomain *domain;
  MtMesh *mesh;
  MtElastic *elastic;
  Vec c;
} Case;
static PetscErrorCode open_case(MtDomain *domain, MtMesh *mesh, const MtElasticModel *model, Case *s) {
  *s = (Case){.domain = domain, .mesh = mesh};
  PetscCall(mt_elastic_create(domain, model, &s->elastic));
  return VecCreateMPI(domain->comm, domain->n_owned, PETSC_DETERMINE, &s->c);
}
static PetscErrorCode close_case(Case *s) {
  PetscCall(VecDestroy(&s->c));
  PetscCall(mt_elastic_destroy(&s->elastic));
  PetscCall(mt_domain_destroy(&s->domain));
  return mt_mesh_destroy(&s->mesh);
}
static PetscErrorCode set(Case *s, double (*c)(const double x[3])) {
  PetscScalar *a;
  PetscCall(VecGetArray(s->c, &a));
  for (PetscInt i = 0; i < s->domain->n_owned; i++) a[i] = c(s->domain->x + 3 * i);
  PetscCall(VecRestoreArray(s->c, &a));
  return mt_elastic_solve(s->elastic, s->c);
}
/* Means of c and c^2 over the elements, as the energy sees them. */
static PetscErrorCode moments(const Case *s, double mean[2]) {
  const MtDomain *d = s->domain;
  const PetscScalar *a;
  double sum[2] = {0, 0};
  Vec ghosted, local;
  PetscCall(
      VecCreateGhost(d->comm, d->n_owned, PETSC_DETERMINE, d->n_local - d->n_owned, d->row + d->n_owned, &ghosted));
  PetscCall(VecCopy(s->c, ghosted));
  PetscCall(VecGhostUpdateBegin(ghosted, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(ghosted, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(ghosted, &local));
  PetscCall(VecGetArrayRead(local, &a));
  for (PetscInt t = 0; t < d->ne; t++) {
    double x[4][3], grad[4][3], V, c = 0;
    if (!d->element_owned[t]) continue;
    mt_domain_corners(d, t, x);
    mt_simplex(d->dim, (const double(*)[3])x, grad, &V);
    for (int k = 0; k <= d->dim; k++) c += a[d->element[(d->dim + 1) * t + k]] / (d->dim + 1);
    sum[0] += V * c / d->volume;
    sum[1] += V * c * c / d->volume;
  }
  PetscCall(VecRestoreArrayRead(local, &a));
  PetscCall(VecGhostRestoreLocalForm(ghosted, &local));
  PetscCall(VecDestroy(&ghosted));
  PetscCallMPI(MPI_Allreduce(sum, mean, 2, MPI_DOUBLE, MPI_SUM, d->comm));
  return 0;
}

static double layers(const double x[3]) {
  return .5 + .4 * cos(2 * MT_PI * x[0] / 32);
}
static double between(double a, double b, double c) {
  const double p = fmin(1, fmax(0, c));
  return a + p * p * (3 - 2 * p) * (b - a);
}
/* Energy of layers c(x), free to take their mean length E: <Y (E - eta c)^2>, Y = (C11 + 2 C12)(C11 - C12)/C11 where
 * each is (in an isotropic body E/(1 - nu)), E = <Y eta c>/<Y>; sums over the period. */
static double exact_layers(const MtElasticModel *m) {
  const MtStiffness *a = &m->phase[0], *b = &m->phase[1];
  double sum[3] = {0, 0, 0};
  for (int i = 0; i < 1000; i++) {
    const double x[3] = {32 * (i + .5) / 1000}, c = layers(x);
    const double C11 = between(a->C11, b->C11, c), C12 = between(a->C12, b->C12, c);
    const double Y = (C11 + 2 * C12) * (C11 - C12) / C11 / 1000;
    sum[0] += Y;
    sum[1] += Y * ETA * c;
    sum[2] += Y * ETA * c * ETA * c;
  }
  return sum[2] - sum[1] * sum[1] / sum[0];
}
/* The computed energy over that. */
static PetscErrorCode laminate(const MtStiffness *low, const MtStiffness *high, int cells, double *ratio) {
  const double across = 4 * 32. / cells;
  const MtBox b = {.dim = 3, .cells = {cells, 4, 4}, .size = {32, across, across}, .periodic = {true, true, true}};
  MtElasticModel model = uniform(low);
  MtDomain *domain;
  Case s;
  double energy;
  model.phase[1] = *high;
  PetscCall(mt_domain_box(PETSC_COMM_WORLD, &b, &domain));
  PetscCall(open_case(domain, NULL, &model, &s));
  PetscCall(set(&s, layers));
  PetscCall(mt_elastic_energy(s.elastic, &energy));
  *ratio = energy / exact_layers(&model);
  return close_case(&s);
}
/* What linear elements miss falls as h^2; nothing is left in the limit of two meshes.  One stiffness, isotropic and
 * cubic; and layers of which one is three times as stiff. */
static void layers_have_the_energy_of_Cahn(void **state) {
  (void)state;
  static const MtStiffness stiff = {720e9, 360e9, 180e9};
  const MtStiffness *const low[3] = {&STEEL, &CUBIC, &STEEL}, *const high[3] = {&STEEL, &CUBIC, &stiff};
  for (int k = 0; k < 3; k++) {
    double coarse = 0, fine = 0;
    if (laminate(low[k], high[k], 10, &coarse)) fail_msg("%s", mt_error_message());
    assert_int_equal(laminate(low[k], high[k], 20, &fine), 0);
    assert_near((4 * fine - coarse) / 3, 1, .003);
  }
}

static double cylinder(const double x[3]) {
  return .5 - .5 * tanh((hypot(x[0] - 16, x[1] - 16) - 7) / 1.5);
}
/* In an isotropic body the energy of a dilatation does not depend on its shape (F. Bitter, A. Crum): eta^2 E/(1 - nu)
 * of the deviation from the mean; the strain inside a cylinder is uniform.  In plane strain nothing moves along z: the
 * reference is the mean. */
static PetscErrorCode round_rod(void) {
  const MtBox b = periodic_box(2, 64);
  MtElasticModel model = uniform(&STEEL);
  MtDomain *domain;
  Case s;
  double energy, mean[2], low = 1e300, high = -1e300, *strain, all[2];
  PetscCall(mt_domain_box(PETSC_COMM_WORLD, &b, &domain));
  PetscCall(open_case(domain, NULL, &model, &s));
  PetscCall(set(&s, cylinder));
  PetscCall(moments(&s, mean));
  PetscCall(close_case(&s));
  model.reference = mean[0];
  PetscCall(mt_domain_box(PETSC_COMM_WORLD, &b, &domain));
  PetscCall(open_case(domain, NULL, &model, &s));
  PetscCall(set(&s, cylinder));
  PetscCall(mt_elastic_energy(s.elastic, &energy));
  assert_near(energy / (ETA * ETA * 240e9 * (mean[1] - mean[0] * mean[0])), 1, .01);
  PetscCall(PetscMalloc1(6 * domain->ne + 1, &strain));
  PetscCall(mt_elastic_fields(s.elastic, strain, NULL));
  for (PetscInt t = 0; t < domain->ne; t++) {
    double x[4][3];
    mt_domain_corners(domain, t, x);
    if (hypot(x[0][0] - 16, x[0][1] - 16) > 3) continue;
    low = fmin(low, strain[6 * t] + strain[6 * t + 1]);
    high = fmax(high, strain[6 * t] + strain[6 * t + 1]);
  }
  PetscCall(PetscFree(strain));
  PetscCallMPI(MPI_Allreduce(&low, &all[0], 1, MPI_DOUBLE, MPI_MIN, PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Allreduce(&high, &all[1], 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  /* trace in the plane: eta ((1 + nu)/(1 - nu) - 2)(1 - <c>) = 0 at nu = 1/3 in strain alone; elastic: -2 eta more */
  const double trace = ETA * ((1 + 1 / 3.) / (1 - 1 / 3.) - 2) * (1 - mean[0]);
  assert_near(all[0], trace, .02 * ETA);
  assert_near(all[1], trace, .02 * ETA);
  return close_case(&s);
}
static void a_cylinder_has_the_strain_of_Eshelby(void **state) {
  (void)state;
  assert_int_equal(round_rod(), 0);
}

static const double RADIUS = 20, INNER = 8;
static double sphere(const double x[3]) {
  return .5 - .5 * tanh((sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) - INNER) / 3);
}
static PetscErrorCode open_ball(const MtElasticModel *model, int n, double (*c)(const double x[3]), Case *s) {
  static const double axis[1][3] = {{0, 0, 1}};
  const Brick b = {.n = {n, n, n},
                   .lo = {-RADIUS, -RADIUS, -RADIUS},
                   .hi = {RADIUS, RADIUS, RADIUS},
                   .nregions = 1,
                   .axis = axis,
                   .radius = RADIUS};
  MtMesh *mesh;
  MtDomain *domain;
  PetscCall(brick_mesh(&b, &mesh));
  PetscCall(mt_domain_mesh(mesh, &domain));
  PetscCall(open_case(domain, mesh, model, s));
  return set(s, c);
}
/* Mean of a third of the trace of the elastic strain near the centre, and of c there. */
static PetscErrorCode inside(const Case *s, double (*profile)(const double x[3]), double *pressure, double *here) {
  double sum[3] = {0, 0, 0}, *strain;
  PetscCall(PetscMalloc1(6 * s->domain->ne + 1, &strain));
  PetscCall(mt_elastic_fields(s->elastic, strain, NULL));
  for (PetscInt t = 0; t < s->domain->ne; t++) {
    double x[4][3], r2 = 0;
    mt_domain_corners(s->domain, t, x);
    for (int c = 0; c < 3; c++) r2 += x[0][c] * x[0][c];
    if (r2 > 9 || !s->domain->element_owned[t]) continue;
    sum[0] += (strain[6 * t] + strain[6 * t + 1] + strain[6 * t + 2]) / 3;
    sum[1]++;
    for (int k = 0; k < 4; k++) sum[2] += profile(x[k]) / 4;
  }
  PetscCall(PetscFree(strain));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 3, MPI_DOUBLE, MPI_SUM, s->domain->comm));
  *pressure = sum[0] / sum[1];
  *here = sum[2] / sum[1];
  return 0;
}
/* A ball with a free surface and a round c: eta^2 E/(1 - nu) (<c^2> - <c>^2), as layers (Eshelby's image included); and
 * the strain inside, (1 + nu)/(3 (1 - nu)) of the misfit there and the
 * image's (1 - that) <c>. */
static PetscErrorCode free_ball(int n, double *ratio) {
  MtElasticModel model = uniform(&STEEL);
  Case s;
  double energy, mean[2], strain = 0, here = 0;
  const double part = (1 + 1 / 3.) / (3 * (1 - 1 / 3.));
  PetscCall(open_ball(&model, n, sphere, &s));
  PetscCall(mt_elastic_energy(s.elastic, &energy));
  PetscCall(moments(&s, mean));
  *ratio = energy / (ETA * ETA * 240e9 * (mean[1] - mean[0] * mean[0]));
  PetscCall(inside(&s, sphere, &strain, &here));
  assert_near(strain / ETA, (part - 1) * (here - mean[0]), .01);
  return close_case(&s);
}
static void a_sphere_has_the_strain_and_energy_of_Eshelby(void **state) {
  (void)state;
  double coarse = 0, fine = 0;
  assert_int_equal(free_ball(14, &coarse), 0);
  assert_int_equal(free_ball(20, &fine), 0);
  assert_true(fine < coarse && fine > 1); /* what linear elements miss falls as h^2 */
  assert_near((fine * 20 * 20 - coarse * 14 * 14) / (20 * 20 - 14 * 14), 1, .005);
}

static double wave(const double x[3]) {
  return .5 + .3 * sin(.4 * x[0] + .1) * cos(.3 * x[1]) + .1 * sin(.5 * x[2]);
}
static double direction(const double x[3]) {
  return sin(.2 * x[0]) + .5 * cos(.35 * x[1] + .2 * x[2]);
}
static PetscErrorCode energy_at(Case *s, Vec c, double *energy) {
  PetscCall(mt_elastic_solve(s->elastic, c));
  PetscCall(mt_elastic_energy(s->elastic, energy));
  *energy = (*energy + mt_elastic_load(s->elastic)) * s->domain->volume;
  return 0;
}
static PetscErrorCode derivative(const MtBox *b, const MtElasticModel *model) {
  const double h = 1e-3;
  MtDomain *domain;
  Case s;
  Vec v, moved, y;
  PetscScalar *a, slope;
  double up, down, here;
  PetscCall(mt_domain_box(PETSC_COMM_WORLD, b, &domain));
  PetscCall(open_case(domain, NULL, model, &s));
  PetscCall(VecDuplicate(s.c, &v));
  PetscCall(VecDuplicate(s.c, &moved));
  PetscCall(VecDuplicate(s.c, &y));
  PetscCall(VecGetArray(v, &a));
  for (PetscInt i = 0; i < domain->n_owned; i++) a[i] = direction(domain->x + 3 * i);
  PetscCall(VecRestoreArray(v, &a));
  PetscCall(set(&s, wave));
  PetscCall(VecWAXPY(moved, h, v, s.c));
  PetscCall(energy_at(&s, moved, &up));
  PetscCall(VecWAXPY(moved, -h, v, s.c));
  PetscCall(energy_at(&s, moved, &down));
  PetscCall(energy_at(&s, s.c, &here));
  PetscCall(VecZeroEntries(y));
  PetscCall(mt_elastic_gradient(s.elastic, y));
  PetscCall(VecDot(y, v, &slope));
  assert_near((up - down) / (2 * h) / slope, 1, 1e-5);
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&moved));
  PetscCall(VecDestroy(&y));
  return close_case(&s);
}
static void the_driving_force_is_the_derivative_of_the_energy(void **state) {
  (void)state;
  MtElasticModel model = {.phase = {STEEL, CUBIC},
                          .high = 1,
                          .misfit = {ETA, -.5 * ETA, .3 * ETA, .2 * ETA, -.1 * ETA, .4 * ETA},
                          .reference = .2,
                          .relaxed = true,
                          .rtol = 1e-10};
  MtBox flat = periodic_box(2, 12), solid = periodic_box(3, 6);
  assert_int_equal(derivative(&flat, &model), 0);
  assert_int_equal(derivative(&solid, &model), 0);
  flat.periodic[1] = false;
  model.clamped = true;
  assert_int_equal(derivative(&flat, &model), 0);
  model.clamped = false;
  flat.periodic[0] = false;
  assert_int_equal(derivative(&flat, &model), 0);
}

/* With a stress applied, of shear too: the mean stress is that, and the force is the derivative of both energies. */
static PetscErrorCode mean_stress(const MtBox *b, const MtElasticModel *model, double mean[6]) {
  MtDomain *domain;
  Case s;
  double *stress, sum[6] = {0};
  PetscCall(mt_domain_box(PETSC_COMM_WORLD, b, &domain));
  PetscCall(open_case(domain, NULL, model, &s));
  PetscCall(set(&s, wave));
  PetscCall(PetscMalloc1(6 * domain->ne + 1, &stress));
  PetscCall(mt_elastic_fields(s.elastic, NULL, stress));
  for (PetscInt t = 0; t < domain->ne; t++) /* all elements of a box are alike in size */
    for (int k = 0; k < 6 && domain->element_owned[t]; k++) sum[k] += stress[6 * t + k] / (double)domain->ne_global;
  PetscCall(PetscFree(stress));
  PetscCallMPI(MPI_Allreduce(sum, mean, 6, MPI_DOUBLE, MPI_SUM, domain->comm));
  return close_case(&s);
}
static void a_stress_is_applied(void **state) {
  (void)state;
  MtElasticModel model = {.phase = {STEEL, CUBIC},
                          .high = 1,
                          .misfit = {ETA, -.5 * ETA, .3 * ETA, .2 * ETA, -.1 * ETA, .4 * ETA},
                          .reference = .2,
                          .relaxed = true,
                          .applied = {3e8, -1e9, 5e8, 2e8, -4e8, 6e8},
                          .rtol = 1e-10};
  const MtBox solid = periodic_box(3, 6);
  double mean[6] = {0};
  assert_int_equal(mean_stress(&solid, &model, mean), 0);
  for (int k = 0; k < 6; k++) assert_near(mean[k], model.applied[k], 10);
  assert_int_equal(derivative(&solid, &model), 0);
}

static double ripple(const double x[3]) {
  return .5 + .01 * cos(2 * MT_PI * x[0] / 32);
}
/* A small wave of c grows at -M k^2 (f'' + kappa k^2 + 2 eta^2 Y): J. W. Cahn's coherent spinodal.  f'' = -4 MJ/m3, the
 * strain's part is 2 eta^2 240 GPa = 48 MJ/m3. */
static PetscErrorCode spinodal(double *ratio) {
  double a[3] = {0, 0, -2e6};
  const MtBox b = periodic_box(2, 32);
  const MtFreeEnergy energy = {.kind = MT_ENERGY_POLYNOMIAL, .n = 3, .a = a, .low = -INFINITY, .high = INFINITY};
  const MtFlowOptions opt = {1e-9, 1e-9};
  MtElasticModel model = uniform(&STEEL);
  MtDomain *domain;
  MtFlow *flow;
  Case s;
  Vec rate;
  PetscScalar top, bottom;
  model.reference = .5;
  PetscCall(mt_domain_box(PETSC_COMM_WORLD, &b, &domain));
  PetscCall(open_case(domain, NULL, &model, &s));
  PetscCall(set(&s, ripple));
  const MtFlowModel m = {
      .kind = MT_FLOW_CONSERVED, .energy = &energy, .kappa = 1e8, .mobility = 1e-7, .elastic = s.elastic};
  PetscCall(mt_flow_create(domain, &m, &opt, &flow));
  PetscCall(mt_flow_create_vec(flow, &rate));
  PetscCall(mt_flow_rate(flow, 0, s.c, rate));
  PetscCall(VecShift(s.c, -.5));
  PetscCall(VecDot(rate, s.c, &top));
  PetscCall(VecDot(s.c, s.c, &bottom));
  const double k = 2 * MT_PI / 32;
  *ratio = top / bottom / (-1e-7 * k * k * (-4e6 + 1e8 * k * k + 2 * ETA * ETA * 240e9));
  PetscCall(VecDestroy(&rate));
  PetscCall(mt_flow_destroy(&flow));
  return close_case(&s);
}
static void strain_slows_a_spinodal_as_Cahn_says(void **state) {
  (void)state;
  double ratio = 0;
  assert_int_equal(spinodal(&ratio), 0);
  assert_near(ratio, 1, .01);
}

/* Iterations do not grow with the mesh: the multigrid knows the rigid motions. */
static void iterations_do_not_grow_with_the_mesh(void **state) {
  (void)state;
  int64_t its[2], solves;
  for (int k = 0; k < 2; k++) {
    const MtBox b = {.dim = 2, .cells = {k ? 64 : 16, k ? 64 : 16}, .size = {32, 32}};
    const MtElasticModel model = uniform(&STEEL);
    MtDomain *domain;
    Case s;
    assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &b, &domain), 0);
    assert_int_equal(open_case(domain, NULL, &model, &s), 0);
    assert_int_equal(set(&s, cylinder), 0);
    mt_elastic_count(s.elastic, &its[k], &solves);
    assert_int_equal(close_case(&s), 0);
  }
  print_message("iterations: %d and %d\n", (int)its[0], (int)its[1]);
  assert_true(its[1] <= 2 * its[0] && its[1] < 40);
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_have_the_energy_of_Cahn),
      cmocka_unit_test(a_cylinder_has_the_strain_of_Eshelby),
      cmocka_unit_test(a_sphere_has_the_strain_and_energy_of_Eshelby),
      cmocka_unit_test(the_driving_force_is_the_derivative_of_the_energy),
      cmocka_unit_test(a_stress_is_applied),
      cmocka_unit_test(strain_slows_a_spinodal_as_Cahn_says),
      cmocka_unit_test(iterations_do_not_grow_with_the_mesh),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
