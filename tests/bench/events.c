/* events INPUT MESH STATE BX BY BZ: where one event ends.  From the state file STATE, in the field B (T), the magnet is
 * taken to its next equilibrium three times: by the flow, by minimization, and by the Landau-Lifshitz-Gilbert equation
 * with damping 1 in explicit steps (Heun, as long as accuracy and stability let them be).  One line of numbers for
 * each: method, energy evaluations, mean m along -B, largest torque (T), and the mean m along -B of every grain.  One
 * rank. */
#include "../../src/micromagnetics/energy_impl.h"
#include "../../src/micromagnetics/hysteresis.h"
#include <stdlib.h>
#include <string.h>

static const double POTENTIAL = 1e-4; /* relative residual of LLG's potentials, warm started */
static const double ERROR = 2e-3;     /* rad a step and T of torque, largest node: Heun against Euler */
static const double STILL = 1e-3;     /* T, torque at which LLG has arrived */
enum { MAX_EVALUATIONS = 100000 };

/* dm/dt = -m x B - m x (m x B) at every node, B = -g mu0/moment, t in 1/T; the largest torque. */
static PetscErrorCode rate_of(const MtEnergy *e, Vec m, Vec g, Vec rate, double *torque) {
  const PetscScalar *x, *y;
  PetscScalar *v;
  *torque = 0;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(g, &y));
  PetscCall(VecGetArray(rate, &v));
  for (PetscInt i = 0; i < e->n; i++) {
    double B[3], a[3], b[3];
    for (int c = 0; c < 3; c++) B[c] = -y[3 * i + c] * MT_MU0 / e->moment[i];
    mt_cross3(x + 3 * i, B, a);
    mt_cross3(x + 3 * i, a, b);
    *torque = fmax(*torque, sqrt(mt_dot3(a, a)));
    for (int c = 0; c < 3; c++) v[3 * i + c] = -a[c] - b[c];
  }
  PetscCall(VecRestoreArray(rate, &v));
  PetscCall(VecRestoreArrayRead(g, &y));
  return VecRestoreArrayRead(m, &x);
}

/* out = m + dt (rate + second)/2 at unit length, or m + dt rate without second; error: what second changes. */
static PetscErrorCode advance(const MtEnergy *e, Vec m, Vec rate, Vec second, double dt, Vec out, double *error) {
  const PetscScalar *x, *a, *b = NULL;
  PetscScalar *y;
  *error = 0;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(rate, &a));
  if (second) PetscCall(VecGetArrayRead(second, &b));
  PetscCall(VecGetArray(out, &y));
  for (PetscInt i = 0; i < e->n; i++) {
    double v[3], d[3] = {0, 0, 0}, norm;
    for (int c = 0; c < 3; c++) {
      if (b) d[c] = .5 * dt * (b[3 * i + c] - a[3 * i + c]);
      v[c] = x[3 * i + c] + dt * a[3 * i + c] + d[c];
    }
    norm = sqrt(mt_dot3(v, v));
    *error = fmax(*error, sqrt(mt_dot3(d, d)));
    for (int c = 0; c < 3; c++) y[3 * i + c] = v[c] / norm;
  }
  PetscCall(VecRestoreArray(out, &y));
  if (second) PetscCall(VecRestoreArrayRead(second, &b));
  PetscCall(VecRestoreArrayRead(rate, &a));
  return VecRestoreArrayRead(m, &x);
}

typedef struct {
  MtHysteresis *h;
  const double *B;
  Vec g, rate, next, second;
  int evaluations;
  double torque;
} Llg;

static PetscErrorCode look(Llg *l, Vec m, Vec rate, double *torque) {
  MtEnergyValues E;
  l->evaluations++;
  PetscCall(mt_energy_eval(l->h->energy, m, l->B, POTENTIAL, &E, l->g));
  return rate_of(l->h->energy, m, l->g, rate, torque);
}

static PetscErrorCode llg(Llg *l) {
  const MtEnergy *e = l->h->energy;
  double dt = 1e-3, error, other;
  PetscCall(look(l, l->h->m, l->rate, &l->torque));
  while (l->torque > STILL && l->evaluations < MAX_EVALUATIONS) {
    PetscCall(advance(e, l->h->m, l->rate, NULL, dt, l->next, &error));
    PetscCall(look(l, l->next, l->second, &other));
    PetscCall(advance(e, l->h->m, l->rate, l->second, dt, l->next, &error));
    double allowed = ERROR * fmin(1, l->torque); /* else the stiffest modes would never come to rest */
    if (error <= allowed) {
      PetscCall(VecCopy(l->next, l->h->m));
      PetscCall(look(l, l->h->m, l->rate, &l->torque));
    }
    dt *= fmin(1.2, fmax(.5, .9 * sqrt(allowed / fmax(error, 1e-12))));
  }
  return 0;
}

static PetscErrorCode by_llg(MtHysteresis *h, const double B[3], MtMinimizerReport *report) {
  Llg l = {.h = h, .B = B};
  Vec *all[] = {&l.g, &l.rate, &l.next, &l.second};
  for (int i = 0; i < 4; i++) PetscCall(VecDuplicate(h->m, all[i]));
  PetscCall(llg(&l));
  report->evaluations = l.evaluations;
  report->torque = l.torque;
  for (int i = 0; i < 4; i++) PetscCall(VecDestroy(all[i]));
  return 0;
}

/* As a run follows an event: past saddles too. */
static PetscErrorCode by_flow(MtHysteresis *h, const double B[3], MtMinimizerReport *report) {
  MtTrial trial = {.eigenvalue = NAN};
  PetscErrorCode rc = mt_event_follow(h, B, &trial);
  *report = trial.report;
  return rc;
}

static PetscErrorCode by_minimization(MtHysteresis *h, const double B[3], MtMinimizerReport *report) {
  return mt_minimizer_run(h->minimizer, h->m, B, report);
}

/* Mean of m.d in every grain. */
static PetscErrorCode print_grains(const MtHysteresis *h, const double d[3]) {
  const MtMesh *mesh = h->mesh;
  const MtSite site = mt_hysteresis_site(h);
  double *m = calloc(3 * (size_t)mesh->nv_local, sizeof *m), *sum = calloc(2 * (size_t)mesh->regions.n, sizeof *sum);
  if (!m || !sum) abort();
  PetscCall(mt_site_m_to_local(&site, h->m, m));
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double x[4][3];
    for (int a = 0; a < 4; a++)
      for (int c = 0; c < 3; c++) x[a][c] = mesh->x[3 * mesh->tet[4 * t + a] + c];
    double volume = mt_tet_volume((const double(*)[3])x);
    for (int a = 0; a < 4; a++)
      sum[2 * mesh->region[t]] += volume / 4 * mt_dot3(m + 3 * (size_t)mesh->tet[4 * t + a], d);
    sum[2 * mesh->region[t] + 1] += volume;
  }
  for (int r = 0; r < mesh->regions.n; r++)
    if (mesh->regions.kind[r] == MT_REGION_GRAIN) printf(" %.6f", sum[2 * r] / sum[2 * r + 1]);
  printf("\n");
  free(sum);
  free(m);
  return 0;
}

typedef PetscErrorCode (*Method)(MtHysteresis *h, const double B[3], MtMinimizerReport *report);

static PetscErrorCode follow(MtHysteresis *h, const char *name, Method method, const double B[3]) {
  MtMinimizerReport report = {0};
  double size = sqrt(mt_dot3(B, B)), along[3] = {-B[0] / size, -B[1] / size, -B[2] / size}, mean[3];
  PetscCall(VecCopy(h->m_accepted, h->m));
  PetscCall(VecCopy(h->u_accepted, h->u));
  PetscCall(method(h, B, &report));
  PetscCall(mt_mean_m(h, h->m, mean));
  printf("%s %d %.9f %.3e", name, report.evaluations, mt_dot3(mean, along), report.torque);
  PetscCall(print_grains(h, along));
  fflush(stdout);
  return 0;
}

static PetscErrorCode run(char **argv) {
  const MtKey *const tables[] = {mt_materials_keys, mt_demag_keys, NULL};
  MtInput *in;
  MtHysteresis h;
  double B[3] = {atof(argv[4]), atof(argv[5]), atof(argv[6])};
  PetscCall(mt_input_read(PETSC_COMM_WORLD, argv[1], 0, NULL, tables, &in));
  PetscCall(mt_hysteresis_open(&h, PETSC_COMM_WORLD, in, argv[2], "."));
  const MtSite site = mt_hysteresis_site(&h);
  PetscCall(mt_site_read_state(&site, argv[3], "field.initial_file", h.m_accepted));
  PetscCall(VecZeroEntries(h.u_accepted));
  PetscCall(follow(&h, "flow", by_flow, B));
  PetscCall(follow(&h, "minimize", by_minimization, B));
  PetscCall(follow(&h, "llg", by_llg, B));
  mt_input_destroy(&in);
  return mt_hysteresis_close(&h);
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: events INPUT MESH STATE BX BY BZ\n");
    return 2;
  }
  int none = 1;
  PetscErrorCode rc = PetscInitialize(&none, &argv, NULL, NULL);
  if (!rc) rc = mt_error_install();
  if (!rc) rc = run(argv);
  if (rc) return mt_error_report(rc);
  return PetscFinalize() ? 1 : 0;
}
