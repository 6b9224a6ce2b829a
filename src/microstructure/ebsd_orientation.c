/* Orientations as unit quaternions, and the rotations of a crystal class.
 *
 * Convention: Bunge angles, q turns crystal into sample directions, Rz(phi1) Rx(Phi) Rz(phi2); equivalent descriptions
 * are q s with s in the point group.  H.-J. Bunge, Texture Analysis in Materials Science, Butterworths 1982;
 * disorientation as in A. Heinz and P. Neumann, Acta Cryst. A47 (1991) 780. */
#include "measured.h"
#include <math.h>
#include <string.h>

static void multiply(const double a[4], const double b[4], double c[4]) {
  c[0] = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3];
  c[1] = a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2];
  c[2] = a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1];
  c[3] = a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0];
}

/* Turns about z by 2 pi/fold, and each followed by a half turn about x: the dihedral groups 422 and 622. */
static void make_dihedral(int fold, MtSymmetry *s) {
  const double half_turn[4] = {0, 1, 0, 0};
  s->n = 2 * fold;
  for (int i = 0; i < fold; i++) {
    const double angle = MT_PI * i / fold;
    const double turn[4] = {cos(angle), 0, 0, sin(angle)};
    memcpy(s->turn[i], turn, sizeof turn);
    multiply(turn, half_turn, s->turn[fold + i]);
  }
}

/* 432 = 422 times the three-fold turns about [111]. */
static void make_cubic(MtSymmetry *s) {
  const double third[3][4] = {{1, 0, 0, 0}, {.5, .5, .5, .5}, {.5, -.5, -.5, -.5}};
  MtSymmetry four;
  make_dihedral(4, &four);
  s->n = 24;
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 8; k++) multiply(third[i], four.turn[k], s->turn[8 * i + k]);
}

void mt_symmetry_make(const char *name, MtSymmetry *s) {
  memset(s, 0, sizeof *s);
  if (!strcmp(name, "cubic"))
    make_cubic(s);
  else
    make_dihedral(!strcmp(name, "hexagonal") ? 6 : 4, s);
}

void mt_quat_bunge(const double angle[3], double q[4]) {
  const double c = cos(angle[1] / 2), s = sin(angle[1] / 2);
  const double sum = (angle[0] + angle[2]) / 2, diff = (angle[0] - angle[2]) / 2;
  q[0] = c * cos(sum);
  q[1] = s * cos(diff);
  q[2] = s * sin(diff);
  q[3] = c * sin(sum);
}

/* Turn from a to b in the crystal frame: a^-1 b. */
static void between(const double a[4], const double b[4], double r[4]) {
  const double inverse[4] = {a[0], -a[1], -a[2], -a[3]};
  multiply(inverse, b, r);
}

static double real_part(const double a[4], const double b[4]) {
  return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3];
}

double mt_quat_match(const double a[4], const double b[4], const MtSymmetry *s) {
  double r[4], best = 0;
  between(a, b, r);
  /* one group is enough: the angle of s1 r s2 is that of r s2 s1, and s2 s1 runs over the group */
  for (int k = 0; k < s->n; k++) best = fmax(best, fabs(real_part(r, s->turn[k])));
  return best;
}

double mt_quat_disorientation(const double a[4], const double b[4], const MtSymmetry *s) {
  return 2 * acos(fmin(1, mt_quat_match(a, b, s))) * 180 / MT_PI;
}

void mt_quat_nearest(const double ref[4], const double q[4], const MtSymmetry *s, double nearest[4]) {
  double r[4], best = -1;
  int turn = 0;
  between(ref, q, r);
  for (int k = 0; k < s->n; k++) {
    const double c = fabs(real_part(r, s->turn[k]));
    if (c > best) best = c, turn = k;
  }
  multiply(q, s->turn[turn], nearest);
  if (real_part(r, s->turn[turn]) < 0)
    for (int d = 0; d < 4; d++) nearest[d] = -nearest[d];
}

void mt_quat_rotate(const double q[4], const double v[3], double turned[3]) {
  const double p[4] = {0, v[0], v[1], v[2]}, inverse[4] = {q[0], -q[1], -q[2], -q[3]};
  double half[4], full[4];
  multiply(q, p, half);
  multiply(half, inverse, full);
  memcpy(turned, full + 1, 3 * sizeof *turned);
}
