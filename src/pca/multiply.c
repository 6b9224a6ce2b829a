/* Products with the table, lines in blocks that stay in the cache. */
#include "components.h"
#include "magtwin/memory.h"
#include <string.h>

enum { TILE = 8, DEPTH = 256 };

void mt_pca_multiply(const MtTable *t, int k, const double *x, double *y) {
  for (int64_t i = 0; i < t->n; i++) {
    const double *a = t->value + i * t->width;
    double *out = y + i * k;
    for (int c = 0; c < k; c++) out[c] = 0;
    if (k == 1) { /* eight sums at a time; their order is fixed */
      double sum[TILE] = {0};
      int64_t j = 0;
      for (; j + TILE <= t->width; j += TILE)
        for (int q = 0; q < TILE; q++) sum[q] += a[j + q] * x[j + q];
      for (; j < t->width; j++) sum[0] += a[j] * x[j];
      for (int q = 0; q < TILE; q++) out[0] += sum[q];
    } else {
      for (int64_t j = 0; j < t->width; j++)
        for (int c = 0; c < k; c++) out[c] += a[j] * x[j * k + c];
    }
  }
}

PetscErrorCode mt_pca_multiply_back(const MtTable *t, int k, const double *y, double *x) {
  memset(x, 0, (size_t)t->width * (size_t)k * sizeof *x);
  for (int64_t i = 0; i < t->n; i++) {
    const double *a = t->value + i * t->width, *in = y + i * k;
    if (k == 1) {
      for (int64_t j = 0; j < t->width; j++) x[j] += a[j] * in[0];
    } else {
      for (int64_t j = 0; j < t->width; j++)
        for (int c = 0; c < k; c++) x[j * k + c] += a[j] * in[c];
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, x, (int)(t->width * k), MPI_DOUBLE, MPI_SUM, t->comm));
  return 0;
}

/* Columns [8p, 8p+8) of `depth` lines one after the other; columns that are not there are 0. */
static void pack(const MtTable *t, int64_t line, int64_t depth, double *panel) {
  const int64_t panels = (t->width + TILE - 1) / TILE;
  for (int64_t p = 0; p < panels; p++)
    for (int64_t i = 0; i < depth; i++)
      for (int q = 0; q < TILE; q++) {
        const int64_t j = p * TILE + q;
        panel[(p * DEPTH + i) * TILE + q] = j < t->width ? t->value[(line + i) * t->width + j] : 0;
      }
}

/* c [4][8] += sum over the depth of a [4] b [8]. */
static void add_products(int64_t depth, const double *restrict a, const double *restrict b, double *restrict c) {
  double s[4][TILE];
  memcpy(s, c, sizeof s);
  for (int64_t i = 0; i < depth; i++, a += TILE, b += TILE)
    for (int q = 0; q < TILE; q++) {
      s[0][q] += a[0] * b[q];
      s[1][q] += a[1] * b[q];
      s[2][q] += a[2] * b[q];
      s[3][q] += a[3] * b[q];
    }
  memcpy(c, s, sizeof s);
}

/* Upper triangle in tiles of 8 x 8: tile (p, r), p <= r, at sum [(p panels + r) 64]. */
static void add_block(int64_t panels, int64_t depth, const double *panel, double *sum) {
  for (int64_t p = 0; p < panels; p++)
    for (int64_t r = p; r < panels; r++) {
      const double *a = panel + p * DEPTH * TILE, *b = panel + r * DEPTH * TILE;
      double *c = sum + (p * panels + r) * TILE * TILE;
      add_products(depth, a, b, c);
      add_products(depth, a + 4, b, c + 4 * TILE);
    }
}

PetscErrorCode mt_pca_products(const MtTable *t, double *G) {
  const int64_t w = t->width, panels = (w + TILE - 1) / TILE;
  double *panel = mt_malloc((size_t)(panels * DEPTH * TILE) * sizeof *panel),
         *sum = mt_calloc((size_t)(panels * panels) * TILE * TILE, sizeof *sum);
  for (int64_t i = 0; i < t->n; i += DEPTH) {
    const int64_t depth = t->n - i < DEPTH ? t->n - i : DEPTH;
    pack(t, i, depth, panel);
    add_block(panels, depth, panel, sum);
  }
  for (int64_t i = 0; i < w; i++)
    for (int64_t j = i; j < w; j++)
      G[i * w + j] = G[j * w + i] = sum[((i / TILE) * panels + j / TILE) * TILE * TILE + (i % TILE) * TILE + j % TILE];
  free(panel);
  free(sum);
  for (int64_t i = 0; i < w; i++)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, G + i * w, (int)w, MPI_DOUBLE, MPI_SUM, t->comm));
  return 0;
}
