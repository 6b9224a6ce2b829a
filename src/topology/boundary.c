/* Representative cycles: the birth pixel of a domain, the boundary of what a loop of a picture or void of a volume
 * encloses, and the loops of a volume from its reduction. */
#include "cycles.h"
#include "diagrams.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void mt_cycles_free(MtCycles *c) {
  for (int i = 0; i < c->n; i++) free(c->cycle[i].cell);
  free(c->cycle);
  memset(c, 0, sizeof *c);
}

MtCycle *mt_cycles_add(MtCycles *c, int dimension, const MtPair *pair) {
  c->cycle = mt_realloc(c->cycle, ((size_t)c->n + 1) * sizeof *c->cycle);
  c->cycle[c->n] = (MtCycle){.dimension = dimension, .pair = *pair};
  return &c->cycle[c->n++];
}

/* The corners of all top cells: pixels themselves, or the corners of pixels. */
typedef struct {
  const MtCubical *image;
  int dims;
  int64_t m[3]; /* corners along each axis */
} Corners;

static Corners corners_of(const MtCubical *image) {
  Corners c = {.image = image, .dims = image->n[2] > 1 ? 3 : 2};
  for (int a = 0; a < 3; a++) c.m[a] = image->n[a] + (image->top_cells && a < c.dims && !image->periodic[a] ? 1 : 0);
  return c;
}

/* Number of a corner; -1: not in the image. */
static int64_t corner_at(const Corners *c, const int64_t at[3]) {
  int64_t number = 0;
  for (int a = 2; a >= 0; a--) {
    int64_t x = at[a];
    if (c->image->periodic[a]) x = (x + c->m[a]) % c->m[a];
    if (x < 0 || x >= c->m[a]) return -1;
    number = number * c->m[a] + x;
  }
  return number;
}

static void corner_of(const Corners *c, int64_t number, int64_t at[3]) {
  at[0] = number % c->m[0], at[1] = number / c->m[0] % c->m[1], at[2] = number / c->m[0] / c->m[1];
}

static void sort_cells(MtCells *list) {
  mt_sort_keys(list->n, list->cell, NULL);
}

/* Keeps each number that is there an odd number of times (once: at least once). */
static void keep_odd(MtCells *list, bool once) {
  int64_t n = 0;
  for (int64_t i = 0, end; i < list->n; i = end) {
    for (end = i + 1; end < list->n && list->cell[end] == list->cell[i]; end++) {}
    if (once || (end - i) % 2) list->cell[n++] = list->cell[i];
  }
  list->n = n;
}

/* Top cells, by their lowest corners, that a pixel of the region is, or is a corner of. */
static void add_top_cells(const Corners *c, int64_t pixel, MtCells *top) {
  const int *n = c->image->n;
  const int64_t at[3] = {pixel % n[0], pixel / n[0] % n[1], pixel / n[0] / n[1]};
  for (int k = 0; k < (c->image->top_cells ? 1 : 1 << c->dims); k++) {
    int64_t low[3], high[3];
    for (int a = 0; a < 3; a++) {
      low[a] = at[a] - (k >> a & 1);
      high[a] = low[a] + (a < c->dims);
    }
    const int64_t number = corner_at(c, low);
    if (number >= 0 && corner_at(c, high) >= 0) mt_cells_add(top, (uint64_t)number);
  }
}

/* Facets by their lowest corner and the axis across. */
static void add_facets(const Corners *c, uint64_t top, MtCells *facets) {
  int64_t at[3];
  corner_of(c, (int64_t)top, at);
  for (int a = 0; a < c->dims; a++)
    for (int side = 0; side < 2; side++) {
      int64_t low[3] = {at[0], at[1], at[2]};
      low[a] += side;
      mt_cells_add(facets, (uint64_t)corner_at(c, low) * 4 + (uint64_t)a);
    }
}

static void boundary_of(const Corners *c, int64_t n, const int64_t *region, MtCycle *cycle) {
  MtCells top = {0}, facets = {0};
  for (int64_t i = 0; i < n; i++) add_top_cells(c, region[i], &top);
  sort_cells(&top);
  keep_odd(&top, true);
  for (int64_t i = 0; i < top.n; i++) add_facets(c, top.cell[i], &facets);
  sort_cells(&facets);
  keep_odd(&facets, false);
  cycle->n = facets.n;
  cycle->cell = mt_malloc((size_t)facets.n * sizeof *cycle->cell);
  for (int64_t i = 0; i < facets.n; i++) {
    int64_t at[3];
    corner_of(c, (int64_t)(facets.cell[i] / 4), at);
    for (int a = 0; a < 3; a++) {
      const bool shifted = c->image->top_cells && a < c->dims;
      cycle->cell[i][a] = cycle->cell[i][3 + a] = (int32_t)(2 * at[a] - shifted);
      if (a < c->dims && a != (int)(facets.cell[i] % 4)) cycle->cell[i][3 + a] += 2;
    }
  }
  mt_cells_clear(&top);
  mt_cells_clear(&facets);
}

static void point_of(const MtCubical *image, MtCycle *cycle) {
  const int64_t p = cycle->pair.birth_at;
  const int *n = image->n;
  const int64_t at[3] = {p % n[0], p / n[0] % n[1], p / n[0] / n[1]};
  cycle->n = 1;
  cycle->cell = mt_malloc(sizeof *cycle->cell);
  for (int a = 0; a < 3; a++) cycle->cell[0][a] = cycle->cell[0][3 + a] = (int32_t)(2 * at[a]);
}

/* Every cell of a volume of top cells as a pixel of its own, which enters with the first pixel it belongs to. */
static void refine(const MtCubical *image, MtCubical *fine, double *value, uint8_t *hidden) {
  const int *m = fine->n, *n = image->n;
  for (int64_t i = 0; i < (int64_t)m[0] * m[1] * m[2]; i++) {
    const int at[3] = {(int)(i % m[0]), (int)(i / m[0] % m[1]), (int)(i / m[0] / m[1])};
    double first = INFINITY;
    for (int k = 0; k < 8; k++) {
      int64_t pixel = 0;
      bool inside = true;
      for (int a = 2; a >= 0; a--) {
        int x = at[a] / 2 - (at[a] % 2 ? 0 : k >> a & 1);
        if (image->periodic[a]) x = (x + n[a]) % n[a];
        inside = inside && x >= 0 && x < n[a];
        pixel = pixel * n[a] + x;
      }
      if (inside && !(image->hidden && image->hidden[pixel]))
        first = fmin(first, image->superlevel ? -image->value[pixel] : image->value[pixel]);
    }
    hidden[i] = isinf(first);
    value[i] = isinf(first) ? 0 : (image->superlevel ? -first : first);
  }
}

static PetscErrorCode find_loops(const MtCubical *image, int most, MtCycles *loops) {
  MtDiagram d;
  MtCubical fine = *image;
  if (!image->top_cells) {
    PetscErrorCode rc = mt_persistence_loops(image, &d, most, loops);
    mt_diagram_free(&d);
    return rc;
  }
  size_t total = 1;
  for (int a = 0; a < 3; a++) total *= (size_t)(fine.n[a] = 2 * image->n[a] + !image->periodic[a]);
  double *value = mt_malloc(total * sizeof *value);
  uint8_t *hidden = mt_malloc(total);
  fine.top_cells = false;
  refine(image, &fine, value, hidden);
  fine.value = value, fine.hidden = hidden;
  PetscErrorCode rc = mt_persistence_loops(&fine, &d, most, loops);
  mt_diagram_free(&d);
  for (int i = 0; i < loops->n && !rc; i++) /* pixels are the odd places of the doubled grid */
    for (int64_t k = 0; k < loops->cycle[i].n; k++)
      for (int a = 0; a < 6; a++) loops->cycle[i].cell[k][a] = loops->cycle[i].cell[k][a] / 2 - 1;
  free(value);
  free(hidden);
  return rc;
}

int mt_by_length(const void *a, const void *b) {
  const MtLength *x = a, *y = b;
  if (x->length != y->length) return x->length < y->length ? 1 : -1;
  return (x->at > y->at) - (x->at < y->at);
}

static void add_longest(const Corners *c, const MtDiagram *d, int k, int most, uint8_t *seen, MtCycles *list) {
  MtLength *e = mt_malloc((size_t)d->n[k] * sizeof *e);
  int64_t n = 0;
  for (int64_t i = 0; i < d->n[k]; i++)
    if (d->pair[k][i].death_at >= 0) e[n++] = (MtLength){fabs(d->pair[k][i].death - d->pair[k][i].birth), i};
  qsort(e, (size_t)n, sizeof *e, mt_by_length);
  for (int64_t i = 0; i < n && i < most; i++) {
    const MtPair *p = &d->pair[k][e[i].at];
    MtCycle *cycle = mt_cycles_add(list, k, p);
    int64_t *pixel = NULL;
    if (k == 0) {
      point_of(c->image, cycle);
    } else {
      const int64_t size = mt_pair_region(c->image, k, p, seen, &pixel);
      boundary_of(c, size, pixel, cycle);
    }
    free(pixel);
  }
  free(e);
}

PetscErrorCode mt_cycles_find(const MtCubical *image, const MtDiagram *d, int most, MtCycles *c) {
  const Corners corners = corners_of(image);
  uint8_t *seen = mt_calloc((size_t)image->n[0] * (size_t)image->n[1] * (size_t)image->n[2], 1);
  PetscErrorCode rc = 0;
  memset(c, 0, sizeof *c);
  add_longest(&corners, d, 0, most, seen, c);
  if (corners.dims == 3) rc = find_loops(image, most, c);
  if (!rc) add_longest(&corners, d, corners.dims - 1, most, seen, c);
  free(seen);
  return rc;
}

static char *half(char *p, int32_t x) {
  return p + sprintf(p, ",%.*f", x % 2 != 0, x / 2.);
}

PetscErrorCode mt_cycles_write(const char *stem, const MtCubical *image, const MtDiagram *d, int most) {
  static const char header[] = "pair,dimension,birth,death,x0,y0,z0,x1,y1,z1\n";
  MtCycles c;
  int64_t lines = 0;
  char path[4300], b[2][32];
  if (!most) return 0;
  PetscErrorCode rc = mt_cycles_find(image, d, most, &c);
  for (int i = 0; i < c.n; i++) lines += c.cycle[i].n;
  char *text = mt_malloc(sizeof header + 200 * (size_t)lines), *p = stpcpy(text, header);
  for (int i = 0; i < c.n; i++)
    for (int64_t k = 0; k < c.cycle[i].n; k++) {
      const MtCycle *y = &c.cycle[i];
      p += sprintf(p, "%d,%d,%s,%s", i + 1, y->dimension, mt_real_text(y->pair.birth, b[0]),
                   mt_real_text(y->pair.death, b[1]));
      for (int a = 0; a < 6; a++) p = half(p, y->cell[k][a]);
      *p++ = '\n';
    }
  *p = 0;
  snprintf(path, sizeof path, "%s_cycles.csv", stem);
  if (!rc) rc = mt_file_write(path, text);
  free(text);
  mt_cycles_free(&c);
  return rc;
}
