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

enum { DENSE = 120 };

/* Price of a match in the square matrix of both diagrams with the diagonals of each: rows pa, then the diagonal of b.
 */
static double entry(int na, const MtPair *a, int nb, const MtPair *b, int i, int j) {
  if (i < na && j < nb) return apart(&a[i], &b[j]);
  if (i < na) return j - nb == i ? diagonal(&a[i]) : INFINITY;
  return j >= nb ? 0 : (i - na == j ? diagonal(&b[j]) : INFINITY);
}

static bool reach(int n, double (*c)[DENSE], double price, int i, int *row_of, bool *seen) {
  for (int j = 0; j < n; j++) {
    if (seen[j] || c[i][j] > price) continue;
    seen[j] = true;
    if (row_of[j] >= 0 && !reach(n, c, price, row_of[j], row_of, seen)) continue;
    row_of[j] = i;
    return true;
  }
  return false;
}

static bool perfect(int n, double (*c)[DENSE], double price) {
  int row_of[DENSE];
  for (int j = 0; j < n; j++) row_of[j] = -1;
  for (int i = 0; i < n; i++) {
    bool seen[DENSE] = {false};
    if (!reach(n, c, price, i, row_of, seen)) return false;
  }
  return true;
}

/* The least entry at which there is a perfect matching (H. W. Kuhn's augmenting paths). */
static double dense_bottleneck(int n, double (*c)[DENSE]) {
  double least = INFINITY;
  for (int i = 0; i < n * n; i++) {
    const double price = c[i / n][i % n];
    if (price < least && perfect(n, c, price)) least = price;
  }
  return least;
}

/* The Hungarian method with the whole matrix; infinite entries count as very large. */
static double dense_sum(int n, double (*c)[DENSE], double order) {
  double u[DENSE + 1] = {0}, v[DENSE + 1] = {0}, sum = 0;
  int row_of[DENSE + 1] = {0}, way[DENSE + 1];
  for (int i = 1; i <= n; i++) {
    double least[DENSE + 1];
    bool used[DENSE + 1] = {false};
    int j0 = 0;
    row_of[0] = i;
    for (int j = 0; j <= n; j++) least[j] = INFINITY;
    do {
      int next = 0;
      double delta = INFINITY;
      used[j0] = true;
      for (int j = 1; j <= n; j++) {
        if (used[j]) continue;
        const double price = c[row_of[j0] - 1][j - 1], r = isinf(price) ? 1e9 : pow(price, order);
        if (r - u[row_of[j0]] - v[j] < least[j]) least[j] = r - u[row_of[j0]] - v[j], way[j] = j0;
        if (least[j] < delta) delta = least[j], next = j;
      }
      for (int j = 0; j <= n; j++) {
        if (used[j])
          u[row_of[j]] += delta, v[j] -= delta;
        else
          least[j] -= delta;
      }
      j0 = next;
    } while (row_of[j0]);
    for (; j0; j0 = way[j0]) row_of[j0] = row_of[way[j0]];
  }
  for (int j = 1; j <= n; j++) sum += pow(c[row_of[j] - 1][j - 1], order);
  return sum;
}

/* More points than a leaf of the tree holds; with and without ties. */
static void test_dense(void **state) {
  static double c[DENSE][DENSE];
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 3);
  for (int t = 0; t < 6; t++) {
    MtPair a[DENSE / 2], b[DENSE / 2];
    const int na = 30 + 6 * t, nb = 54 - 5 * t;
    for (int i = 0; i < na + nb; i++) {
      double birth = 8 * mt_random_uniform(&r), length = (t < 3 ? 4 : 1) * mt_random_uniform(&r);
      if (t % 2) birth = floor(birth), length = 1 + floor(length);
      *(i < na ? &a[i] : &b[i - na]) = (MtPair){.birth = birth, .death = birth + length};
    }
    for (int i = 0; i < na + nb; i++)
      for (int j = 0; j < na + nb; j++) c[i][j] = entry(na, a, nb, b, i, j);
    assert_true(mt_bottleneck(na, a, nb, b) == dense_bottleneck(na + nb, c));
    assert_near(mt_wasserstein(na, a, nb, b, 1), dense_sum(na + nb, c, 1), 1e-11);
    assert_near(mt_wasserstein(na, a, nb, b, 2), sqrt(dense_sum(na + nb, c, 2)), 1e-11);
  }
}

/* 40000 pairs moved by as much each, the far ones among them as well as those near the diagonal. */
static void test_many(void **state) {
  enum { N = 40000 };
  MtRandom r;
  MtPair *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
  (void)state;
  mt_random_seed(&r, 9);
  for (int i = 0; i < N; i++) {
    const double x = i % 200, y = i / 200; /* a lattice above the diagonal, far wider than the shift */
    a[i] = (MtPair){.birth = x + .1 * mt_random_uniform(&r), .death = x + 10 + y};
    b[N - 1 - i] = (MtPair){.birth = a[i].birth + .125, .death = a[i].death + .125};
  }
  assert_near(mt_bottleneck(N, a, N, b), .125, 1e-12);
  assert_near(mt_wasserstein(N, a, N, b, 2), .125 * sqrt(N), 1e-9);
  free(a);
  free(b);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_matchings),
      cmocka_unit_test(test_shift),
      cmocka_unit_test(test_dense),
      cmocka_unit_test(test_many),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
