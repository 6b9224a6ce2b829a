/* A level of the multigrid: its rows in single precision. */
#include "multigrid_impl.h"
#include <stdbool.h>

/* The rows of this rank: own columns, and those of other ranks with their global numbers (NULL on one rank). */
typedef struct {
  Mat own, other;
  const PetscInt *column;
} Blocks;

static PetscErrorCode get_blocks(Mat A, Blocks *b) {
  PetscBool parallel;
  *b = (Blocks){.own = A};
  PetscCall(PetscObjectTypeCompare((PetscObject)A, MATMPIAIJ, &parallel));
  return parallel ? MatMPIAIJGetSeqAIJ(A, &b->own, &b->other, &b->column) : 0;
}

typedef struct {
  PetscInt n;
  const PetscInt *start, *col;
  const PetscScalar *value;
} Rows;

static PetscErrorCode get_rows(Mat block, Rows *r) {
  PetscBool done;
  *r = (Rows){0};
  if (!block) return 0;
  PetscCall(MatGetRowIJ(block, 0, PETSC_FALSE, PETSC_FALSE, &r->n, &r->start, &r->col, &done));
  if (!done) SETERRQ(PETSC_COMM_SELF, PETSC_ERR_SUP, "rows of a matrix that is not AIJ");
  return MatSeqAIJGetArrayRead(block, &r->value);
}

static PetscErrorCode restore_rows(Mat block, Rows *r) {
  PetscBool done;
  if (!block) return 0;
  PetscCall(MatSeqAIJRestoreArrayRead(block, &r->value));
  return MatRestoreRowIJ(block, 0, PETSC_FALSE, PETSC_FALSE, &r->n, &r->start, &r->col, &done);
}

/* Row i's entries; a rank alone has no rows of others' columns. */
static PetscInt first(const Rows *r, PetscInt i) {
  return r->n ? r->start[i] : 0;
}
static PetscInt end(const Rows *r, PetscInt i) {
  return r->n ? r->start[i + 1] : 0;
}

/* The values of other ranks' columns of A. */
static PetscErrorCode make_halo(Mat A, const Blocks *b, MtHalo *halo) {
  PetscLayout layout;
  *halo = (MtHalo){0};
  if (!b->other) return 0;
  PetscCall(MatGetLocalSize(b->other, NULL, &halo->n));
  PetscCall(MatGetLayouts(A, NULL, &layout));
  PetscCall(PetscSFCreate(PetscObjectComm((PetscObject)A), &halo->sf));
  return PetscSFSetGraphLayout(halo->sf, layout, halo->n, NULL, PETSC_COPY_VALUES, b->column);
}

static void put(MtLevel *l, PetscInt *k, PetscInt column, double value) {
  l->col[*k] = column;
  l->value[(*k)++] = (float)value;
}

static void fill_interpolation(MtLevel *l, const Rows *own, const Rows *other, PetscInt coarse) {
  PetscInt k = 0;
  for (PetscInt i = 0; i < l->n; i++) {
    l->pstart[i] = k;
    for (PetscInt e = first(own, i); e < end(own, i); e++, k++) {
      l->pcol[k] = own->col[e];
      l->pvalue[k] = (float)own->value[e];
    }
    for (PetscInt e = first(other, i); e < end(other, i); e++, k++) {
      l->pcol[k] = coarse + other->col[e];
      l->pvalue[k] = (float)other->value[e];
    }
  }
  l->pstart[l->n] = k;
}

PetscErrorCode mt_level_interpolation(Mat P, MtLevel *fine, MtLevel *coarse) {
  Blocks b;
  Rows own, other;
  PetscInt n;
  PetscCall(MatGetLocalSize(P, &fine->n, &n));
  PetscCall(get_blocks(P, &b));
  PetscCall(get_rows(b.own, &own));
  PetscCall(get_rows(b.other, &other));
  const PetscInt most = end(&own, own.n - 1) + end(&other, other.n - 1);
  PetscCall(PetscMalloc3(fine->n + 1, &fine->pstart, most, &fine->pcol, most, &fine->pvalue));
  fill_interpolation(fine, &own, &other, n);
  PetscCall(restore_rows(b.own, &own));
  PetscCall(restore_rows(b.other, &other));
  PetscCall(make_halo(P, &b, &fine->coarse));
  return PetscCalloc1(n + fine->coarse.n, &coarse->b);
}

PetscErrorCode mt_level_no_interpolation(MtLevel *l) {
  PetscCall(PetscMalloc3(l->n + 1, &l->pstart, 0, &l->pcol, 0, &l->pvalue));
  return PetscArrayzero(l->pstart, l->n + 1);
}

/* Sweeps take the nodes that are unknowns of the next level first: their rows of the interpolation are one 1. */
static bool is_coarse(const MtLevel *l, PetscInt i) {
  const PetscInt k = l->pstart[i];
  return l->pstart[i + 1] == k + 1 && l->pvalue[k] == 1;
}

static void make_order(MtLevel *l) {
  PetscInt k = 0;
  for (int pass = 0; pass < 2; pass++)
    for (PetscInt i = 0; i < l->n; i++)
      if (is_coarse(l, i) == !pass) l->node[k++] = i;
}

/* Whether j comes before i in a sweep. */
static bool before(const MtLevel *l, PetscInt j, PetscInt i) {
  const bool a = is_coarse(l, j), b = is_coarse(l, i);
  return a == b ? j < i : a;
}

/* The columns of row i that come before it in a sweep; those after it are the same entries of other rows. */
static void put_earlier(MtLevel *l, double scale, const Rows *r, PetscInt i, PetscInt *k) {
  for (PetscInt e = first(r, i); e < end(r, i); e++) {
    const PetscInt j = r->col[e];
    if (j == i)
      l->inverse[i] = (float)(1 / (scale * r->value[e]));
    else if (before(l, j, i))
      put(l, k, j, scale * r->value[e]);
  }
}

static void fill(MtLevel *l, double scale, const Rows *own, const Rows *other) {
  PetscInt k = 0;
  for (PetscInt row = 0; row < l->n; row++) {
    const PetscInt i = l->node[row];
    l->start[row] = k;
    put_earlier(l, scale, own, i, &k);
    l->other[row] = k;
    for (PetscInt e = first(other, i); e < end(other, i); e++)
      put(l, &k, l->n + other->col[e], scale * other->value[e]);
  }
  l->start[l->n] = k;
}

/* Entries that fill() keeps. */
static PetscInt count(const MtLevel *l, const Rows *own, const Rows *other) {
  PetscInt n = end(other, other->n - 1);
  for (PetscInt i = 0; i < l->n; i++)
    for (PetscInt e = first(own, i); e < end(own, i); e++) n += own->col[e] != i && before(l, own->col[e], i);
  return n;
}

PetscErrorCode mt_level_matrix(Mat A, double scale, MtLevel *l) {
  Blocks b;
  Rows own, other;
  PetscCall(get_blocks(A, &b));
  PetscCall(get_rows(b.own, &own));
  PetscCall(get_rows(b.other, &other));
  const PetscInt most = count(l, &own, &other);
  PetscCall(PetscMalloc4(l->n, &l->node, l->n + 1, &l->start, l->n, &l->other, most, &l->col));
  PetscCall(PetscMalloc1(most, &l->value));
  PetscCall(PetscCalloc1(l->n, &l->inverse));
  make_order(l);
  fill(l, scale, &own, &other);
  PetscCall(restore_rows(b.own, &own));
  PetscCall(restore_rows(b.other, &other));
  PetscCall(make_halo(A, &b, &l->halo));
  PetscCall(PetscMalloc1(l->n, &l->y));
  return PetscCalloc1(l->n + l->halo.n, &l->x);
}

PetscErrorCode mt_level_destroy(MtLevel *l) {
  PetscCall(PetscFree4(l->node, l->start, l->other, l->col));
  PetscCall(PetscFree(l->value));
  PetscCall(PetscFree(l->inverse));
  PetscCall(PetscFree3(l->pstart, l->pcol, l->pvalue));
  PetscCall(PetscFree(l->x));
  PetscCall(PetscFree(l->y));
  PetscCall(PetscFree(l->b));
  PetscCall(PetscSFDestroy(&l->halo.sf));
  return PetscSFDestroy(&l->coarse.sf);
}
