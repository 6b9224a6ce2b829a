/* The linear system of a Newton iteration: A = shift w/L + w m f'' + kappa K on the active pairs, symmetric.
 *
 * A = D + L + L' + R: D its diagonal, L what kappa K couples to nodes before on this rank, R the rest: other grains at
 * the node and other ranks.  Conjugate gradients on (1 + L/D)^-1 A (D + L')^-1 with D as their inner product: with
 * p = u + L'u/D the product is u + z, z = (D + L)^-1 (D (p - u) + R u), so that a symmetric sweep of Gauss and Seidel
 * costs what a product does (S. C. Eisenstat, SIAM J. Sci. Stat. Comput. 2 (1981) 1).  Steps follow the motion of
 * interfaces, so that shift/L stays near kappa/l^2 and the iterations count the nodes across an interface, not those of
 * the domain (docs/numerics.md has the counts). */
#include "grains_impl.h"
#include <math.h>

enum { MAX_ITERATIONS = 500 };

/* y += 4 w m gamma c_p c_q x_q over the other grains q at node i. */
static void cross(const MtGrowth *g, PetscInt i, const double *c, const double *x, double *y) {
  const PetscInt first = g->set.start[i], end = g->set.start[i + 1];
  const double four = 4 * g->graph.w[i] * g->model->m;
  double all = 0;
  if (g->model->uniform) {
    for (PetscInt p = first; p < end; p++) all += c[p] * x[p];
    for (PetscInt p = first; p < end; p++) y[p] += four * g->model->gamma * c[p] * (all - c[p] * x[p]);
    return;
  }
  const double *gamma = g->set.gamma + g->set.both_start[i];
  for (PetscInt p = first; p < end; p++)
    for (PetscInt q = p + 1; q < end; q++) {
      const double both = four * *gamma++ * c[p] * c[q];
      y[p] += both * x[q];
      y[q] += both * x[p];
    }
}

/* The same of the bulk energies: -4 w c_p c_q (a_p + a_q)/s, a = above. */
static void cross_driven(const MtGrowth *g, PetscInt i, const double *c, const double *x, double *y) {
  const PetscInt first = g->set.start[i], end = g->set.start[i + 1];
  const MtGrainMixture mix = mt_grain_mixture(g, i, c);
  const double four = 4 * g->graph.w[i] / mix.s;
  double all = 0, weighted = 0;
  for (PetscInt p = first; p < end; p++) {
    all += c[p] * x[p];
    weighted += mt_grain_above(g, mix, p) * c[p] * x[p];
  }
  for (PetscInt p = first; p < end; p++) {
    const double a = mt_grain_above(g, mix, p);
    y[p] -= four * c[p] * (a * all + weighted - 2 * a * c[p] * x[p]);
  }
}

/* The parts of K x at owned pair p of node i: of nodes before i on this rank, after it, and on other ranks. */
static inline double sum_links(const double *k, const PetscInt *link, PetscInt n, const double *x) {
  double y = 0;
  for (PetscInt j = 0; j < n; j++) y += k[j] * x[link[j]];
  return y;
}
static inline double before(const MtGrowth *g, PetscInt i, PetscInt p, const double *x) {
  const MtGrainGraph *a = &g->graph;
  return sum_links(a->k + a->start[i], mt_grain_links_below(g, i, p), a->above[i] - a->start[i], x);
}
static inline double after(const MtGrowth *g, PetscInt i, PetscInt p, const double *x) {
  const MtGrainGraph *a = &g->graph;
  return sum_links(a->k + a->above[i], mt_grain_links_above(g, i, p), a->ghost[i] - a->above[i], x);
}
static inline double elsewhere(const MtGrowth *g, PetscInt i, PetscInt p, const double *x) {
  const MtGrainGraph *a = &g->graph;
  const PetscInt *link = mt_grain_links_above(g, i, p) + (a->ghost[i] - a->above[i]);
  return sum_links(a->k + a->ghost[i], link, a->start[i + 1] - a->ghost[i], x);
}

/* What gives z at node i but for L: R u/kappa in y. */
static void rest(const MtGrowth *g, PetscInt i, const double *c, const double *u, double *y) {
  const PetscInt first = g->set.start[i], end = g->set.start[i + 1];
  const double part = 1 / g->model->kappa;
  for (PetscInt p = first; p < end; p++) y[p] = 0;
  if (end - first > 1) cross(g, i, c, u, y);
  if (end - first > 1 && g->bulk) cross_driven(g, i, c, u, y);
  for (PetscInt p = first; p < end; p++) y[p] = part * y[p] + elsewhere(g, i, p, u);
}

/* r = (D + L)^-1 r, r'Dr of this rank, and kappa/D; nan: D is not positive. */
static double begin(MtGrowth *g) {
  double *r = g->work[MT_RESIDUAL], *scale = g->work[MT_SCALE], sum = 0;
  const double *D = g->work[MT_DIAGONAL];
  for (PetscInt i = 0; i < g->domain->n_owned; i++)
    for (PetscInt p = g->set.start[i]; p < g->set.start[i + 1]; p++) {
      if (!(D[p] > 0)) return NAN;
      scale[p] = g->model->kappa / D[p];
      r[p] = r[p] / D[p] - scale[p] * before(g, i, p, r);
      sum += r[p] * r[p] * D[p];
    }
  return sum;
}

/* p = r + beta p, u = p - L'u/D */
static void sweep_back(MtGrowth *g, double beta) {
  double *direction = g->work[MT_P], *u = g->work[MT_U];
  const double *r = g->work[MT_RESIDUAL], *scale = g->work[MT_SCALE];
  for (PetscInt i = g->domain->n_owned - 1; i >= 0; i--)
    for (PetscInt p = g->set.start[i]; p < g->set.start[i + 1]; p++) {
      direction[p] = r[p] + beta * direction[p];
      u[p] = direction[p] - scale[p] * after(g, i, p, u);
    }
}

/* z = p - u + (R u - L z)/D; p'D(u + z) of this rank. */
static double sweep_forth(MtGrowth *g, const double *c) {
  double *z = g->work[MT_Z], sum = 0;
  const double *direction = g->work[MT_P], *u = g->work[MT_U], *scale = g->work[MT_SCALE], *D = g->work[MT_DIAGONAL];
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    rest(g, i, c, u, z);
    for (PetscInt p = g->set.start[i]; p < g->set.start[i + 1]; p++) {
      z[p] = direction[p] - u[p] + scale[p] * (z[p] - before(g, i, p, z));
      sum += direction[p] * D[p] * (u[p] + z[p]);
    }
  }
  return sum;
}

/* x += alpha u, r -= alpha (u + z); r'Dr of this rank. */
static double advance(MtGrowth *g, double alpha) {
  double *x = g->work[MT_DELTA], *r = g->work[MT_RESIDUAL], sum = 0;
  const double *u = g->work[MT_U], *z = g->work[MT_Z], *D = g->work[MT_DIAGONAL];
  for (PetscInt p = 0; p < g->set.n_owned; p++) {
    x[p] += alpha * u[p];
    r[p] -= alpha * (u[p] + z[p]);
    sum += r[p] * r[p] * D[p];
  }
  return sum;
}

static PetscErrorCode add_ranks(const MtGrowth *g, double own, double *sum) {
  PetscCallMPI(MPI_Allreduce(&own, sum, 1, MPI_DOUBLE, MPI_SUM, g->domain->comm));
  return 0;
}

PetscErrorCode mt_grain_linear(MtGrowth *g, const double *c, int *iterations, bool *good) {
  double rr, last = INFINITY, along;
  *iterations = 0;
  *good = false;
  PetscCall(PetscArrayzero(g->work[MT_DELTA], g->set.n_owned));
  PetscCall(PetscArrayzero(g->work[MT_P], g->set.n_owned));
  PetscCall(add_ranks(g, begin(g), &rr));
  const double goal = g->opt.linear_rtol * g->opt.linear_rtol * rr;
  while (rr > goal && *iterations < MAX_ITERATIONS) {
    sweep_back(g, rr / last);
    PetscCall(mt_grain_ghosts_values(&g->ghosts, g->work[MT_U]));
    PetscCall(add_ranks(g, sweep_forth(g, c), &along));
    ++*iterations;
    if (!(along > 0)) return 0;
    last = rr;
    PetscCall(add_ranks(g, advance(g, rr / along), &rr));
  }
  *good = rr <= goal;
  return 0;
}
