/* ranks: 1 */
/* Distances of small diagrams against all ways to match them. */
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/topology.h"
#include "near.h"
#include <math.h>

enum { MOST = 5 };

static double diagonal(const MtPair *p) {
  return fabs(p->death - p->birth) / 2;
}

static double apart(const MtPair *p, const MtPair *q) {
  return fmax(fabs(p->birth - q->birth), fabs(p->death - q->death));
}

/* Sums cost^order, or takes the largest where order is 0. */
static double with(double so_far, double cost, double order) {
  return order > 0 ? so_far + pow(cost, order) : fmax(so_far, cost);
}

static double best(int na, const MtPair *a, int nb, const MtPair *b, unsigned used, double so_far, double order) {
  if (na == 0) {
    for (int j = 0; j < nb; j++)
      if (!(used >> j & 1)) so_far = with(so_far, diagonal(&b[j]), order);
    return so_far;
  }
  double least = best(na - 1, a + 1, nb, b, used, with(so_far, diagonal(a), order), order);
  for (int j = 0; j < nb; j++)
    if (!(used >> j & 1))
      least = fmin(least, best(na - 1, a + 1, nb, b, used | 1U << j, with(so_far, apart(a, &b[j]), order), order));
  return least;
}

/* Real numbers, or small whole ones with many ties; births above deaths in every third. */
static int draw(MtRandom *r, int t, MtPair *p) {
  const int n = (int)(mt_random_uniform(r) * (MOST + 1));
  for (int i = 0; i < n; i++) {
    double birth = 4 * mt_random_uniform(r), length = 4 * mt_random_uniform(r);
    if (t % 2) birth = floor(birth), length = 1 + floor(length);
    p[i] = (MtPair){.birth = birth, .death = t % 3 ? birth + length : birth - length};
  }
  return n;
}

static void test_all_matchings(void **state) {
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 11);
  for (int t = 0; t < 400; t++) {
    MtPair a[MOST], b[MOST];
    const int na = draw(&r, t, a), nb = draw(&r, t, b);
    assert_near(mt_bottleneck(na, a, nb, b), best(na, a, nb, b, 0, 0, 0), 1e-15);
    assert_near(mt_wasserstein(na, a, nb, b, 1), best(na, a, nb, b, 0, 0, 1), 1e-13);
    assert_near(mt_wasserstein(na, a, nb, b, 2), sqrt(best(na, a, nb, b, 0, 0, 2)), 1e-13);
  }
}

/* A shift of all values moves each pair by as much; more pairs than can be tried one by one. */
static void test_shift(void **state) {
  enum { N = 200 };
  MtRandom r;
  MtPair a[N + 1], b[N + 1];
  (void)state;
  mt_random_seed(&r, 5);
  for (int i = 0; i < N; i++) {
    a[i] = (MtPair){.birth = i, .death = i + 10 + mt_random_uniform(&r)};
    b[N - 1 - i] = (MtPair){.birth = a[i].birth + .125, .death = a[i].death + .125};
  }
  a[N] = b[0]; /* one that never dies takes no part */
  a[N].death = INFINITY;
  assert_near(mt_bottleneck(N + 1, a, N, b), .125, 1e-12);
  assert_near(mt_wasserstein(N + 1, a, N, b, 2), .125 * sqrt(N), 1e-11);
  assert_near(mt_wasserstein(N, a, N, a, 2), 0, 1e-12);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_matchings),
      cmocka_unit_test(test_shift),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
