/* A box of cells: each rank owns a block of its nodes and knows all others by arithmetic. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/phasefield.h"
#include <math.h>

typedef struct {
  MtBox box;
  int64_t n[3];             /* nodes along each axis */
  int p[3], at[3];          /* ranks along each axis, place of this one */
  int64_t start[3], own[3]; /* its block */
} Blocks;

/* Faces of a block of the grid p, what neighbours exchange. */
static double surface(const Blocks *b, const int p[3]) {
  const double e[3] = {(double)b->n[0] / p[0], (double)b->n[1] / p[1], (double)b->n[2] / p[2]};
  return e[0] * e[1] * (p[2] > 1) + e[1] * e[2] * (p[0] > 1) + e[0] * e[2] * (p[1] > 1);
}

/* The grid of ranks with the least surface; false: none fits. */
static bool choose_grid(Blocks *b, int size) {
  double best = INFINITY;
  for (int x = 1; x <= size; x++)
    for (int y = 1; size % x == 0 && y <= size / x; y++) {
      if (size / x % y) continue;
      const int p[3] = {x, y, size / x / y};
      if (p[0] > b->n[0] || p[1] > b->n[1] || p[2] > b->n[2] || !(surface(b, p) < best)) continue;
      best = surface(b, p);
      for (int c = 0; c < 3; c++) b->p[c] = p[c];
    }
  return best < INFINITY;
}

static PetscErrorCode make_blocks(MPI_Comm comm, const MtBox *box, Blocks *b) {
  int rank, size;
  *b = (Blocks){.box = *box, .p = {1, 1, 1}};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (int c = 0; c < 3; c++) b->n[c] = c < box->dim ? box->cells[c] + !box->periodic[c] : 1;
  if (!choose_grid(b, size))
    return mt_error(MT_ERR_INPUT, "a box of %lld x %lld x %lld nodes cannot be dealt to %d ranks", (long long)b->n[0],
                    (long long)b->n[1], (long long)b->n[2], size);
  b->at[0] = rank % b->p[0];
  b->at[1] = rank / b->p[0] % b->p[1];
  b->at[2] = rank / b->p[0] / b->p[1];
  for (int c = 0; c < 3; c++) mt_slab(b->n[c], b->at[c], b->p[c], &b->start[c], &b->own[c]);
  return 0;
}

/* The block along an axis that holds node i: its start and length. */
static void block_of(int64_t n, int p, int64_t i, int64_t *start, int64_t *own) {
  int r = (int)(i * p / n);
  mt_slab(n, r, p, start, own);
  while (i < *start) mt_slab(n, --r, p, start, own);
  while (i >= *start + *own) mt_slab(n, ++r, p, start, own);
}

/* Rows are numbered block after block, x first in each. */
static PetscInt row_of(const Blocks *b, int64_t id) {
  const int64_t i[3] = {id % b->n[0], id / b->n[0] % b->n[1], id / b->n[0] / b->n[1]};
  int64_t s[3], m[3];
  for (int c = 0; c < 3; c++) block_of(b->n[c], b->p[c], i[c], &s[c], &m[c]);
  const int64_t first = s[2] * b->n[1] * b->n[0] + m[2] * (s[1] * b->n[0] + m[1] * s[0]);
  return (PetscInt)(first + ((i[2] - s[2]) * m[1] + i[1] - s[1]) * m[0] + i[0] - s[0]);
}

/* Place of the node in this rank's block, -1: another's. */
static PetscInt own_index(const Blocks *b, int64_t id) {
  const int64_t i[3] = {id % b->n[0] - b->start[0], id / b->n[0] % b->n[1] - b->start[1],
                        id / b->n[0] / b->n[1] - b->start[2]};
  for (int c = 0; c < 3; c++)
    if (i[c] < 0 || i[c] >= b->own[c]) return -1;
  return (PetscInt)((i[2] * b->own[1] + i[1]) * b->own[0] + i[0]);
}

static int64_t node_id(const Blocks *b, const int64_t at[3]) {
  int64_t i[3];
  for (int c = 0; c < 3; c++) i[c] = (at[c] + b->n[c]) % b->n[c];
  return (i[2] * b->n[1] + i[1]) * b->n[0] + i[0];
}

enum { MOST = 6 };
/* Paths along the axes from the least corner to the greatest (H. W. Kuhn, IBM J. Res. Dev. 4 (1960) 518), and whether
 * two corners must be swapped for a positive volume. */
static const int PATH2[2][3] = {{0, 1, 2}, {1, 0, 2}};
static const int PATH3[MOST][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
static const bool TURNED[MOST] = {false, true, true, false, false, true};

/* The ids of the corners of simplex k of a cell. */
static void simplex_ids(const Blocks *b, const int64_t cell[3], int k, int64_t id[4]) {
  const int dim = b->box.dim == 2 ? 2 : 3, *path = dim == 2 ? PATH2[k] : PATH3[k];
  const bool turned = dim == 2 ? k == 1 : TURNED[k];
  int64_t at[3] = {cell[0], cell[1], cell[2]};
  id[0] = node_id(b, at);
  for (int c = 0; c < dim; c++) {
    at[path[c]]++;
    id[c + 1] = node_id(b, at);
  }
  if (!turned) return;
  const int64_t swap = id[1];
  id[1] = id[2];
  id[2] = swap;
}

/* Cells whose simplices may touch a node of the block: [*first, *last). */
static void cell_range(const Blocks *b, int c, int64_t *first, int64_t *last) {
  *first = b->start[c] - 1;
  *last = b->start[c] + b->own[c];
  if (c >= b->box.dim) {
    *first = 0;
    *last = 1;
  } else if (!b->box.periodic[c]) {
    *first = *first < 0 ? 0 : *first;
    *last = *last > b->box.cells[c] ? b->box.cells[c] : *last;
  } else if (b->own[c] == b->n[c]) {
    *first = 0;
  }
}

static bool touches(const Blocks *b, const int64_t id[4]) {
  for (int k = 0; k <= b->box.dim; k++)
    if (own_index(b, id[k]) >= 0) return true;
  return false;
}

typedef struct {
  PetscInt n;
  int64_t *id; /* [(dim + 1) n]; NULL: only counted */
} Simplices;

static void collect(const Blocks *b, Simplices *s) {
  const int corners = b->box.dim + 1, kinds = b->box.dim == 2 ? 2 : 6;
  int64_t first[3], last[3], cell[3], id[4];
  for (int c = 0; c < 3; c++) cell_range(b, c, &first[c], &last[c]);
  s->n = 0;
  for (cell[2] = first[2]; cell[2] < last[2]; cell[2]++)
    for (cell[1] = first[1]; cell[1] < last[1]; cell[1]++)
      for (cell[0] = first[0]; cell[0] < last[0]; cell[0]++)
        for (int k = 0; k < kinds; k++) {
          simplex_ids(b, cell, k, id);
          if (!touches(b, id)) continue;
          for (int j = 0; s->id && j < corners; j++) s->id[(size_t)corners * (size_t)s->n + (size_t)j] = id[j];
          s->n++;
        }
}

/* Ids of the nodes of others, ascending. */
static PetscErrorCode ghosts_of(const Blocks *b, const Simplices *s, PetscInt *n, PetscInt **ghost) {
  const PetscInt corners = b->box.dim + 1;
  PetscCall(PetscMalloc1(corners * s->n, ghost));
  *n = 0;
  for (PetscInt i = 0; i < corners * s->n; i++)
    if (own_index(b, s->id[i]) < 0) (*ghost)[(*n)++] = (PetscInt)s->id[i];
  return PetscSortRemoveDupsInt(n, *ghost);
}

static void place(const Blocks *b, int64_t id, double x[3]) {
  const int64_t i[3] = {id % b->n[0], id / b->n[0] % b->n[1], id / b->n[0] / b->n[1]};
  for (int c = 0; c < 3; c++) x[c] = c < b->box.dim ? b->box.size[c] * (double)i[c] / (double)b->box.cells[c] : 0;
}

static PetscErrorCode fill_nodes(const Blocks *b, PetscInt nghost, const PetscInt *ghost, MtDomain *d) {
  d->n_owned = (PetscInt)(b->own[0] * b->own[1] * b->own[2]);
  d->n_local = d->n_owned + nghost;
  d->n_global = d->n_file = b->n[0] * b->n[1] * b->n[2];
  PetscCall(PetscMalloc1(d->n_local, &d->id));
  PetscCall(PetscMalloc1(d->n_local, &d->row));
  PetscCall(PetscMalloc1(3 * d->n_local, &d->x));
  for (PetscInt i = 0; i < d->n_local; i++) {
    const int64_t at[3] = {b->start[0] + i % b->own[0], b->start[1] + i / b->own[0] % b->own[1],
                           b->start[2] + i / b->own[0] / b->own[1]};
    d->id[i] = i < d->n_owned ? node_id(b, at) : ghost[i - d->n_owned];
    d->row[i] = row_of(b, d->id[i]);
    place(b, d->id[i], d->x + 3 * i);
  }
  d->row_start = row_of(b, node_id(b, b->start));
  return 0;
}

static PetscErrorCode fill_elements(const Blocks *b, const Simplices *s, PetscInt nghost, const PetscInt *ghost,
                                    MtDomain *d) {
  const int corners = b->box.dim + 1;
  d->ne = s->n;
  PetscCall(PetscMalloc1(corners * s->n, &d->element));
  PetscCall(PetscMalloc1(s->n, &d->element_owned));
  for (PetscInt e = 0; e < s->n; e++) {
    const int64_t *id = s->id + (size_t)corners * (size_t)e;
    int least = 0;
    for (int k = 0; k < corners; k++) {
      PetscInt at = own_index(b, id[k]);
      if (at < 0) {
        PetscCall(PetscFindInt((PetscInt)id[k], nghost, ghost, &at));
        at += d->n_owned;
      }
      d->element[corners * e + k] = at;
      if (id[k] < id[least]) least = k;
    }
    d->element_owned[e] = d->element[corners * e + least] < d->n_owned;
  }
  return 0;
}

static PetscErrorCode make_scatter(MtDomain *d) {
  int rank, size;
  int64_t start, n;
  PetscInt *id;
  IS to, from;
  Vec rows;
  PetscCallMPI(MPI_Comm_rank(d->comm, &rank));
  PetscCallMPI(MPI_Comm_size(d->comm, &size));
  mt_slab(d->n_file, rank, size, &start, &n);
  PetscCall(VecCreateMPI(d->comm, (PetscInt)n, PETSC_DETERMINE, &d->slab));
  PetscCall(VecCreateMPI(d->comm, d->n_owned, PETSC_DETERMINE, &rows));
  PetscCall(PetscMalloc1(d->n_owned, &id));
  for (PetscInt i = 0; i < d->n_owned; i++) id[i] = (PetscInt)d->id[i];
  PetscCall(ISCreateGeneral(d->comm, d->n_owned, id, PETSC_OWN_POINTER, &to));
  PetscCall(ISCreateStride(d->comm, d->n_owned, d->row_start, 1, &from));
  PetscCall(VecScatterCreate(rows, from, d->slab, to, &d->to_slab));
  PetscCall(ISDestroy(&from));
  PetscCall(ISDestroy(&to));
  return VecDestroy(&rows);
}

static PetscErrorCode fill(const Blocks *b, MtDomain *d) {
  Simplices s = {0};
  PetscInt nghost, *ghost;
  collect(b, &s);
  PetscCall(PetscMalloc1((b->box.dim + 1) * s.n, &s.id));
  collect(b, &s);
  PetscCall(ghosts_of(b, &s, &nghost, &ghost));
  PetscCall(fill_nodes(b, nghost, ghost, d));
  PetscCall(fill_elements(b, &s, nghost, ghost, d));
  PetscCall(PetscFree(ghost));
  PetscCall(PetscFree(s.id));
  return make_scatter(d);
}

PetscErrorCode mt_domain_box(MPI_Comm comm, const MtBox *box, MtDomain **domain) {
  Blocks b;
  MtDomain *d;
  *domain = NULL;
  PetscErrorCode rc = make_blocks(comm, box, &b);
  if (rc) return rc;
  PetscCall(PetscNew(&d));
  *domain = d;
  d->comm = comm;
  d->dim = box->dim;
  d->box = *box;
  d->volume = 1;
  d->ne_global = box->dim == 2 ? 2 : 6;
  for (int c = 0; c < box->dim; c++) {
    d->period[c] = box->periodic[c] ? box->size[c] : 0;
    d->volume *= box->size[c];
    d->ne_global *= box->cells[c];
  }
  return fill(&b, d);
}
