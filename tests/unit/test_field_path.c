/* The field path: which fields are visited, in fixed and adaptive steps, against made-up magnets whose m(H) is known.
 */
#include "magtwin/loop.h"
#include "near.h"
#include <string.h>

static const double Z[3] = {0, 0, 1};

/* One segment along z. */
static void one_segment(MtFieldPath *p, MtSegment *s, double from, double to, double step) {
  double a[3] = {0, 0, from}, b[3] = {0, 0, to};
  memset(s, 0, sizeof *s);
  mt_segment_line(s, a, b, Z);
  s->step = step;
  *p = (MtFieldPath){.n = 1, .segment = s, .length = s->length};
  memcpy(p->start, a, sizeof a);
  memcpy(p->direction, Z, sizeof Z);
}

typedef struct {
  int accepted, rolled_back;
  double B[400], m[400];
} Walk;

static void walk(const MtFieldPath *p, double (*m_of)(double B, double m_before), Walk *w) {
  MtStepper st;
  double B[3], m = 1;
  memset(w, 0, sizeof *w);
  mt_stepper_begin(p, &st);
  while (mt_stepper_next(p, &st, B)) {
    double trial = m_of(B[2], m);
    if (mt_stepper_judge(p, &st, trial - m) == MT_STEP_ROLLBACK) {
      w->rolled_back++;
      continue;
    }
    assert_true(w->accepted < 400);
    m = trial;
    w->B[w->accepted] = B[2];
    w->m[w->accepted++] = m;
  }
  assert_true(mt_stepper_fraction(p, &st) == 1);
}

static double constant(double B, double m) {
  (void)B;
  return m;
}
/* A hard magnet that switches at -1.2345 T. */
static double hard(double B, double m) {
  return B <= -1.2345 ? -1 : m;
}
/* A soft axis: m = B/2 T, no jump anywhere. */
static double rotation(double B, double m) {
  (void)m;
  return fmax(-1, fmin(1, B / 2));
}

static void test_fixed(void **state) {
  (void)state;
  MtFieldPath p;
  MtSegment s;
  Walk w;
  one_segment(&p, &s, 1, -1, .1);
  walk(&p, constant, &w);
  assert_int_equal(w.accepted, 21);
  for (int i = 0; i < 21; i++) assert_true(fabs(w.B[i] - (1 - .1 * i)) < 1e-12);
  assert_true(w.B[10] == 0 && w.B[20] == -1); /* to the bit */
}

/* Steps that would jump over zero field and over the end hit both. */
static void test_zero_and_end_are_hit(void **state) {
  (void)state;
  MtFieldPath p;
  MtSegment s;
  Walk w;
  one_segment(&p, &s, 1, -.5, .4); /* 1 .6 .2 (0) -.2 -.5 */
  walk(&p, constant, &w);
  const double expected[6] = {1, .6, .2, 0, -.2, -.5};
  assert_int_equal(w.accepted, 6);
  for (int i = 0; i < 6; i++) assert_true(fabs(w.B[i] - expected[i]) < 1e-12);
  assert_true(w.B[3] == 0 && w.B[5] == -.5);
}

static void test_jump_is_bracketed(void **state) {
  (void)state;
  MtFieldPath p;
  MtSegment s;
  Walk w;
  one_segment(&p, &s, 2, -4, .2);
  s.adaptive = true;
  s.dm_max = .02;
  s.resolution = .002;
  walk(&p, hard, &w);
  int k = 0;
  while (w.m[k] > 0) k++;
  assert_true(w.B[k - 1] > -1.2345 && w.B[k] <= -1.2345);
  assert_true(w.B[k - 1] - w.B[k] <= .002 * 1.0001);
  assert_in_range(w.rolled_back, 1, 7);     /* at most log2(.2/.002) halvings */
  assert_in_range(w.accepted, 31, 31 + 16); /* the 31 full steps, the halvings and the growing again */
  assert_true(fabs(w.B[w.accepted - 1] + 4) < 1e-12 && fabs(w.B[w.accepted - 2] + 3.8) < 1e-12); /* full steps again */
}

/* A steady rotation faster than dm_max per step is followed in smaller steps, not bracketed to the resolution. */
static void test_rotation_is_not_a_jump(void **state) {
  (void)state;
  MtFieldPath p;
  MtSegment s;
  Walk w;
  one_segment(&p, &s, 2, -2, .2); /* .1 in m a step */
  s.adaptive = true;
  s.dm_max = .02;
  s.resolution = 1e-4;
  walk(&p, rotation, &w);
  for (int i = 1; i < w.accepted; i++) assert_true(fabs(w.m[i] - w.m[i - 1]) <= .02);
  assert_in_range(w.accepted, 100, 180); /* 100 steps of .04 T would do */
  assert_in_range(w.rolled_back, 1, 10);
}

static double disturbed(double B, double m) {
  (void)m;
  return rotation(B, m) * (1 + 1e-9 * sin(1e6 * B));
}

/* Digits of m that depend on the number of ranks do not move the fields. */
static void test_fields_do_not_follow_rounding(void **state) {
  (void)state;
  MtFieldPath p;
  MtSegment s;
  Walk w, other;
  one_segment(&p, &s, 2, -2, .2);
  s.adaptive = true;
  s.dm_max = .023;
  s.resolution = .003;
  walk(&p, rotation, &w);
  walk(&p, disturbed, &other);
  assert_int_equal(w.accepted, other.accepted);
  for (int i = 0; i < w.accepted; i++) assert_true(w.B[i] == other.B[i]);
}

/* Segments in other directions: each begins where the last one ended, and is a straight line in field space. */
static void test_turning_path(void **state) {
  (void)state;
  const double X[3] = {1, 0, 0}, a[3] = {0, 0, 1}, b[3] = {1, 0, 0}, c[3] = {-1, 0, 0};
  MtSegment s[2];
  memset(s, 0, sizeof s);
  mt_segment_line(&s[0], a, b, X);
  mt_segment_line(&s[1], b, c, X);
  s[0].step = s[0].length / 4;
  s[1].step = .5;
  assert_true(fabs(s[0].length - sqrt(2)) < 1e-15 && s[0].zero < 0 && s[1].zero == 1);
  MtFieldPath p = {
      .n = 2, .segment = s, .start = {0, 0, 1}, .direction = {0, 0, 1}, .length = s[0].length + s[1].length};
  MtStepper st;
  double B[3], seen[16][3];
  int n = 0;
  mt_stepper_begin(&p, &st);
  while (mt_stepper_next(&p, &st, B)) {
    memcpy(seen[n++], B, sizeof B);
    mt_stepper_judge(&p, &st, 0);
  }
  assert_int_equal(n, 9);
  assert_true(fabs(seen[2][0] - .5) < 1e-12 && fabs(seen[2][2] - .5) < 1e-12);
  assert_memory_equal(seen[4], b, sizeof b);
  assert_memory_equal(seen[8], c, sizeof c);
}

/* Stopped after any number of judgements and continued from a copy of its five numbers, the walk is the same. */
static void test_restart_anywhere(void **state) {
  (void)state;
  MtFieldPath p;
  MtSegment s;
  Walk w;
  one_segment(&p, &s, 2, -4, .3);
  s.adaptive = true;
  s.dm_max = .02;
  s.resolution = .01;
  walk(&p, hard, &w);
  for (int stop = 0; stop < w.accepted; stop++) {
    MtStepper st;
    double B[3], m = 1;
    int n = 0;
    mt_stepper_begin(&p, &st);
    while (mt_stepper_next(&p, &st, B)) {
      double trial = hard(B[2], m);
      if (mt_stepper_judge(&p, &st, trial - m) == MT_STEP_ROLLBACK) continue;
      m = trial;
      assert_true(w.B[n] == B[2]);
      if (n++ == stop) {
        double saved[sizeof st / sizeof(double)];
        memcpy(saved, &st, sizeof st);
        memset(&st, 0xff, sizeof st);
        memcpy(&st, saved, sizeof st);
      }
    }
    assert_int_equal(n, w.accepted);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_fixed),
                                     cmocka_unit_test(test_zero_and_end_are_hit),
                                     cmocka_unit_test(test_jump_is_bracketed),
                                     cmocka_unit_test(test_rotation_is_not_a_jump),
                                     cmocka_unit_test(test_fields_do_not_follow_rounding),
                                     cmocka_unit_test(test_turning_path),
                                     cmocka_unit_test(test_restart_anywhere)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
