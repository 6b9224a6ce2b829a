/* Minimum-energy path and saddle: a string with a climbing image.
 *
 * Images move across the path down the energy, by preconditioned steps with the force's part along the path taken off,
 * and are put back at equal distances: W. E, W. Ren, E. Vanden-Eijnden, J. Chem. Phys. 126 (2007) 164103; on spheres P.
 * F. Bessarab, V. M. Uzdin, H. Jonsson, Comput. Phys. Commun. 196 (2015) 335.  The highest image climbs along the path
 * and becomes the saddle: G. Henkelman, B. P. Uberuaga, H. Jonsson, J. Chem. Phys. 113 (2000) 9901; tangents by
 * upwinding: G. Henkelman, H. Jonsson, ibid. 9978.
 *
 * Where neighbours are further apart than a wall is wide the path between them means nothing.  Then it is cut behind
 * its top and all images resolve what is before; its open end slides until it is well below the top, and stays there.
 */
#include "path_method.h"
#include "magtwin/error.h"
#include <math.h>

static const double COARSE = 1.2;     /* rad: neighbours turned further at some node do not resolve the path */
static const double UNRESOLVED = 1.7; /* rad: at the top they do not say where the path leads */
static const double CUT = .6;    /* the path is cut where it has come down to this part of its height, behind the top */
static const double PASSED = .3; /* of the height: lower images before an open end have passed it */
static const double SAME_HEIGHT = 1e-4;
enum { CLIMB_FROM = 8, CUT_EVERY = 10, CUT_FIRST = 4, IDLE_MAX = 150, CALM = 20 }; /* rounds */
static const double SHIFT_MOST = 10, SHIFT_STEP = .05;                             /* T */
static const double WORSE = 1.3, BETTER = .8; /* change of the largest torque that changes the shift */
static const double DEMAG_LOOSEST = 1e-3, DEMAG_PER_TORQUE = 1e-2; /* 1/T, as in the minimizer */

static bool owns(const MtPath *p, int i) {
  return i >= p->start && i < p->end;
}

static PetscErrorCode make_image(MtPath *p, MtPathImage *image) {
  PetscCall(mt_energy_create_vec(p->energy, &image->m));
  PetscCall(VecDuplicate(image->m, &image->g));
  PetscCall(VecDuplicate(image->m, &image->step));
  if (!p->energy->poisson) return 0;
  PetscCall(VecDuplicate(p->energy->u, &image->u));
  return VecZeroEntries(image->u);
}

PetscErrorCode mt_path_create(const MtTeam *team, MtEnergy *e, int n, const MtPathOptions *opt, MtPath *p) {
  *p = (MtPath){.team = team, .energy = e, .opt = *opt, .n = n};
  mt_team_images(team, n, &p->start, &p->end);
  PetscCall(PetscCalloc6(n, &p->image, n, &p->E, n, &p->s, n, &p->turn, n, &p->torque, n, &p->shift));
  for (int i = p->start; i < p->end; i++) PetscCall(make_image(p, &p->image[i]));
  Vec *vecs[] = {&p->before, &p->after, &p->tangent, &p->ridge, &p->work};
  for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) PetscCall(mt_energy_create_vec(e, vecs[i]));
  return mt_precond_create(e, .1, &p->pc);
}

PetscErrorCode mt_path_destroy(MtPath *p) {
  if (!p->image) return 0;
  for (int i = 0; i < p->n; i++) {
    PetscCall(VecDestroy(&p->image[i].m));
    PetscCall(VecDestroy(&p->image[i].u));
    PetscCall(VecDestroy(&p->image[i].g));
    PetscCall(VecDestroy(&p->image[i].step));
  }
  Vec *vecs[] = {&p->before, &p->after, &p->tangent, &p->ridge, &p->work};
  for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(mt_precond_destroy(&p->pc));
  return PetscFree6(p->image, p->E, p->s, p->turn, p->torque, p->shift);
}

static PetscErrorCode evaluate(MtPath *p, int i, double rtol) {
  MtPathImage *image = &p->image[i];
  Vec u;
  PetscReal norm;
  PetscCall(VecNorm(image->m, NORM_2, &norm));
  if (!isfinite(norm)) return mt_energy_not_finite(p->energy, image->m, image->m, p->B);
  PetscCall(mt_energy_potential(p->energy, &u));
  if (u) PetscCall(VecCopy(image->u, u));
  PetscCall(mt_energy_eval(p->energy, image->m, p->B, rtol, &p->E[i], image->g));
  if (u) PetscCall(VecCopy(u, image->u));
  if (!isfinite(p->E[i].total)) return mt_energy_not_finite(p->energy, image->m, image->g, p->B);
  return 0;
}

static PetscErrorCode evaluate_own(MtPath *p, int from, int to, double rtol) {
  for (int i = from; i < to; i++) {
    if (!owns(p, i)) continue;
    p->in_work = p->image[i].m;
    PetscCall(evaluate(p, i, rtol));
  }
  p->in_work = NULL;
  return 0;
}

/* Images from <= i < to; every group learns their energies. */
static PetscErrorCode evaluate_all(MtPath *p, int from, int to, double rtol) {
  enum { WIDTH = sizeof(MtEnergyValues) / sizeof(double) };
  int64_t before = mt_energy_demag_iterations(p->energy);
  PetscCall(mt_agree(p->team->world, evaluate_own(p, from, to, rtol)));
  for (int i = from; i < to; i++)
    if (!owns(p, i)) p->E[i] = (MtEnergyValues){0};
  PetscCall(mt_team_share(p->team, WIDTH * (to - from), (double *)(void *)&p->E[from]));
  double its = (double)(mt_energy_demag_iterations(p->energy) - before);
  PetscCall(mt_team_share(p->team, 1, &its));
  p->now.evaluations += to - from;
  p->now.demag += its;
  return 0;
}

int mt_path_top(const MtPath *p) {
  int top = -1;
  for (int i = 1; i + 1 < p->n; i++) {
    bool peak = p->E[i].total > p->E[i - 1].total && p->E[i].total >= p->E[i + 1].total;
    if (peak && (top < 0 || p->E[i].total > p->E[top].total)) top = i;
  }
  return top;
}

/* The stray field's own stiffness is not in the preconditioner. */
static double shift_least(const MtPath *p) {
  return SHIFT_STEP + (p->energy->poisson ? mt_energy_saturation(p->energy) / 16 : 0);
}

PetscErrorCode mt_path_begin(MtPath *p, const double B[3]) {
  for (int c = 0; c < 3; c++) p->B[c] = B[c];
  p->now = (MtPathProgress){.climber = -1, .best = INFINITY};
  p->now.shift = shift_least(p);
  PetscCall(evaluate_all(p, 0, 1, p->opt.demag_rtol));
  return evaluate_all(p, p->n - 1, p->n, p->opt.demag_rtol);
}

static double demag_rtol(const MtPath *p) {
  double torque = p->now.rounds > 0 ? p->now.worst : INFINITY;
  return fmax(p->opt.demag_rtol, fmin(DEMAG_LOOSEST, DEMAG_PER_TORQUE * torque));
}

/* Where the path shall end: behind the top, where it has come down; at its end if it does not, or is fine as it is. */
static double cut(const MtPath *p) {
  double length = p->s[p->n - 1], widest = 0;
  int top = mt_path_top(p);
  for (int i = 1; i < p->n; i++) widest = fmax(widest, p->turn[i]);
  if (widest < COARSE) return length;
  if (top < 0) return p->E[1].total < p->E[0].total ? p->s[1] : length;
  double level = p->E[0].total + CUT * (p->E[top].total - p->E[0].total);
  for (int i = top + 1; i < p->n - 1; i++)
    if (p->E[i].total < level) return p->s[i];
  return length;
}

/* Where an open path ends now: at its end, unless its images have gone on down without that or past it, and turn back
 * to it; then where they have come down to the cut. */
static double open_length(const MtPath *p) {
  const int top = p->now.open > 0 ? mt_path_top(p) : -1, n = p->n;
  if (top < 0) return p->s[n - 1];
  const double height = p->E[top].total - p->E[0].total;
  if (p->E[n - 2].total >= p->E[0].total + PASSED * height) return p->s[n - 1];
  int i = n - 2; /* from behind: a valley between two tops is no end */
  while (i > top + 1 && p->E[i - 1].total < p->E[0].total + CUT * height) i--;
  return p->s[i];
}

/* The torque over its limit that is worst, in units of the limit of the saddle. */
static double worst_torque(const MtPath *p, int *at) {
  double worst = 0;
  *at = 0;
  for (int i = 1; i < p->n; i++) {
    double t = i == (int)p->now.climber ? p->torque[i] : p->torque[i] * p->opt.torque / p->opt.path_torque;
    if (t <= worst) continue;
    worst = t;
    *at = i;
  }
  return worst;
}

/* A round that made things worse asks for shorter steps, one that did not for longer ones. */
static void adapt(MtPath *p, double worst) {
  double least = shift_least(p);
  if (worst > WORSE * p->now.worst && p->now.rounds > 0)
    p->now.shift = fmin(SHIFT_MOST, 2 * p->now.shift + SHIFT_STEP);
  else if (worst < p->now.worst)
    p->now.shift = fmax(least, BETTER * p->now.shift);
  p->now.worst = worst;
  p->now.idle = worst < .98 * p->now.best ? 0 : p->now.idle + 1;
  p->now.best = fmin(p->now.best, worst);
}

/* Rounds in which the saddle has had no torque and its height has not changed, whatever the path beside it does: where
 * the energy hardly depends on a direction, as on the azimuth of a small particle, that creeps along for long. */
static void wait_for_calm(MtPath *p, int top, bool settled) {
  double height = settled ? p->E[top].total - p->E[0].total : NAN;
  bool calm = settled && p->torque[top] < p->opt.torque && fabs(height - p->now.height) <= SAME_HEIGHT * height;
  p->now.calm = calm ? p->now.calm + 1 : 0;
  if (!calm) p->now.height = height;
}

bool mt_path_inherited(const MtPath *p) {
  return p->now.open > 0 && p->now.cuts == 0;
}

static MtPathEnd judge(MtPath *p) {
  int at, top = mt_path_top(p);
  double worst = worst_torque(p, &at);
  bool settled = (int)p->now.climber >= 0 && top == (int)p->now.climber;
  adapt(p, worst);
  wait_for_calm(p, top, settled);
  if (settled && worst < p->opt.torque) return MT_PATH_CONVERGED;
  if (settled && p->now.calm >= CALM) return MT_PATH_SADDLE;
  if (top < 0 && p->now.rounds > 0 && worst < p->opt.torque) return MT_PATH_NO_BARRIER;
  if (top < 0 && p->now.rounds >= CLIMB_FROM && mt_path_inherited(p)) return MT_PATH_NO_BARRIER;
  if (p->now.idle > IDLE_MAX) return MT_PATH_STAGNATED;
  return p->now.rounds >= p->opt.max_rounds ? MT_PATH_MAX_ROUNDS : MT_PATH_GOES_ON;
}

/* The highest image climbs, where its neighbours are near enough to say which way is along the path. */
static void choose_climber(MtPath *p) {
  int top = mt_path_top(p);
  bool near = top > 0 && fmax(p->turn[top], p->turn[top + 1]) < UNRESOLVED;
  bool late = p->now.rounds >= CLIMB_FROM && p->now.rounds >= p->now.cuts + CLIMB_FROM;
  const double climber = late && near ? top : -1;
  if (climber >= 0 && climber != p->now.climber) { /* its torque along the path counts from now on */
    p->now.best = INFINITY;
    p->now.idle = 0;
  }
  p->now.climber = climber;
}

static PetscErrorCode shorten(MtPath *p, bool *done) {
  *done = false;
  if ((int)p->now.rounds % CUT_EVERY != CUT_FIRST) return 0;
  double length = cut(p);
  *done = length < p->s[p->n - 1];
  if (!*done) return 0;
  p->now.climber = -1;
  p->now.open = 1;
  p->now.cuts = p->now.rounds;
  p->now.best = INFINITY;
  p->now.idle = 0;
  return mt_path_spread(p, length);
}

PetscErrorCode mt_path_round(MtPath *p, MtPathEnd *end) {
  bool shorter;
  *end = MT_PATH_GOES_ON;
  PetscCall(mt_path_lengths(p));
  PetscCall(evaluate_all(p, 1, p->n - (p->now.open > 0 ? 0 : 1), demag_rtol(p)));
  PetscCall(shorten(p, &shorter));
  if (!shorter) {
    choose_climber(p);
    PetscCall(mt_agree(p->team->world, mt_path_forces(p)));
    PetscCall(mt_team_share(p->team, p->n, p->torque));
    *end = judge(p);
    if (*end != MT_PATH_GOES_ON) return 0;
    double its = -p->now.inner;
    PetscCall(mt_agree(p->team->world, mt_path_move(p)));
    its += p->now.inner;
    p->now.inner -= its;
    PetscCall(mt_team_share(p->team, 1, &its));
    p->now.inner += its;
    PetscCall(mt_path_lengths(p));
    PetscCall(mt_path_spread(p, open_length(p)));
  }
  p->now.rounds++;
  return 0;
}

PetscErrorCode mt_path_measure(MtPath *p) {
  PetscCall(mt_path_lengths(p));
  return evaluate_all(p, 0, p->n, p->opt.demag_rtol);
}
