/* Grains over all ranks: basins and the graph of them where the voxels are; the graph of all, which grows with the
 * number of basins, is merged on rank 0. */
#include "../microstructure/measured.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "segment.h"
#include "slabs.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 1 << 24 }; /* of sums: strengths are told apart to 6e-8 */

typedef struct {
  int64_t n, room;
  MtLink *link;
} Links;

static void add(Links *l, int64_t a, int64_t b, double value, bool weak) {
  if (l->n == l->room) {
    l->n = mt_links_reduce(l->n, l->link);
    if (!l->link || 2 * l->n >= l->room) {
      l->room = 2 * l->room + 65536;
      l->link = mt_realloc(l->link, (size_t)l->room * sizeof *l->link);
    }
  }
  l->link[l->n++] = (MtLink){a < b ? a : b, a < b ? b : a, llround(value * UNIT), 1, weak};
}

/* Of the slab and the slice above it. */
typedef struct {
  int64_t *basin;
  float *strength, *height;
  uint8_t *phase;
  double closed;
} Field;

/* A face between two voxels that are no pockets. */
static void face(Links *l, const Field *f, int64_t v, int64_t w) {
  if (f->phase[v] || f->phase[w] || f->basin[v] == f->basin[w]) return;
  const double strength = fmaxf(f->strength[v], f->strength[w]);
  add(l, f->basin[v], f->basin[w], strength, strength < f->closed);
}

/* What belongs to this slab: its voxels, and their faces to the right, down and above. */
static void list_links(const MtStack *s, const Field *f, Links *l) {
  const int64_t nx = s->nx, slice = nx * s->ny;
  for (int64_t v = 0; v < slice * s->nz_local; v++) {
    const bool deepest = f->basin[v] == v + slice * s->z0;
    if (!f->phase[v]) add(l, f->basin[v], f->basin[v], deepest ? fmax(0, -f->height[v]) : 0, f->height[v] < 0);
    if (v % nx + 1 < nx) face(l, f, v, v + 1);
    if (v / nx % s->ny + 1 < s->ny) face(l, f, v, v + nx);
    if (v / slice + s->z0 + 1 < s->nz) face(l, f, v, v + slice);
  }
  l->n = mt_links_reduce(l->n, l->link);
}

static PetscErrorCode gather_links(MPI_Comm comm, const Links *mine, Links *all) {
  int rank, size, most = 0, bytes = (int)sizeof(MtLink);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  int *count = mt_calloc(2 * (size_t)size, sizeof *count), *start = count + size;
  const int n = (int)mine->n;
  MPI_Datatype type;
  PetscCallMPI(MPI_Gather(&n, 1, MPI_INT, count, 1, MPI_INT, 0, comm));
  all->n = 0;
  for (int r = 0; r < size; r++) {
    start[r] = (int)all->n;
    all->n += count[r];
    if (all->n > INT_MAX) most = 1;
  }
  PetscErrorCode rc = 0;
  if (most) rc = mt_error(MT_ERR_FAIL, "the graph of basins has more than 2^31 links: smooth the stack more");
  rc = mt_agree(comm, rc);
  if (!rc) {
    all->link = mt_malloc(((size_t)all->n + 1) * sizeof *all->link);
    PetscCallMPI(MPI_Type_contiguous(bytes, MPI_BYTE, &type));
    PetscCallMPI(MPI_Type_commit(&type));
    PetscCallMPI(MPI_Gatherv(mine->link, n, type, all->link, count, start, type, 0, comm));
    PetscCallMPI(MPI_Type_free(&type));
    all->n = mt_links_reduce(all->n, all->link);
  }
  free(count);
  return rc;
}

/* Ids of the links with two equal ends, ascending; those of other links are among them, or all their voxels are
 * pockets.
 */
static int64_t list_ids(const Links *l, int64_t **id) {
  const int64_t n = l->link ? l->n : 0;
  *id = mt_malloc((size_t)(2 * n + 1) * sizeof **id);
  for (int64_t i = 0; i < n; i++) {
    (*id)[2 * i] = l->link[i].a;
    (*id)[2 * i + 1] = l->link[i].b;
  }
  return mt_sort_unique(2 * n, *id);
}

/* Every rank asks rank 0 for the regions of its ids: id [n] ascending -> region [n]. */
static PetscErrorCode ask_root(MPI_Comm comm, int64_t nall, const int64_t *all, const int32_t *region_of, int64_t n,
                               const int64_t *id, int32_t *region) {
  int rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  if (rank) {
    PetscCallMPI(MPI_Send(id, (int)n, MPI_INT64_T, 0, 2, comm));
    PetscCallMPI(MPI_Recv(region, (int)n, MPI_INT32_T, 0, 3, comm, MPI_STATUS_IGNORE));
    return 0;
  }
  for (int r = 0; r < size; r++) {
    MPI_Status status;
    int count = (int)n;
    if (r) PetscCallMPI(MPI_Probe(r, 2, comm, &status));
    if (r) PetscCallMPI(MPI_Get_count(&status, MPI_INT64_T, &count));
    int64_t *asked = mt_malloc(((size_t)count + 1) * sizeof *asked);
    int32_t *answer = mt_malloc(((size_t)count + 1) * sizeof *answer);
    if (r)
      PetscCallMPI(MPI_Recv(asked, count, MPI_INT64_T, r, 2, comm, MPI_STATUS_IGNORE));
    else
      memcpy(asked, id, (size_t)n * sizeof *id);
    for (int i = 0; i < count; i++) {
      const int64_t *at = nall ? bsearch(&asked[i], all, (size_t)nall, sizeof *all, mt_compare_i64) : NULL;
      answer[i] = at ? region_of[at - all] : -1;
    }
    if (r)
      PetscCallMPI(MPI_Send(answer, count, MPI_INT32_T, r, 3, comm));
    else
      memcpy(region, answer, (size_t)n * sizeof *answer);
    free(asked);
    free(answer);
  }
  return 0;
}

static PetscErrorCode merge_all(MPI_Comm comm, const Links *mine, const MtGrainRule *rule, int64_t n, const int64_t *id,
                                int32_t *region, int *ngrains, int64_t *nbasins) {
  int rank;
  Links all = {0};
  int64_t *ids = NULL, nall = 0;
  int32_t *region_of = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = gather_links(comm, mine, &all);
  if (!rc && !rank) {
    nall = list_ids(&all, &ids);
    region_of = mt_malloc(((size_t)nall + 1) * sizeof *region_of);
    mt_regions_merge(all.n, all.link, rule->core * UNIT, rule->min_voxels, nall, ids, region_of, ngrains);
  }
  *nbasins = nall;
  if (!rc) rc = ask_root(comm, nall, ids, region_of, n, id, region);
  if (!rc) rc = MPI_Bcast(ngrains, 1, MPI_INT, 0, comm);
  if (!rc) rc = MPI_Bcast(nbasins, 1, MPI_INT64_T, 0, comm);
  free(all.link);
  free(ids);
  free(region_of);
  return rc;
}

static void label_voxels(int64_t n, const int64_t *basin, const uint8_t *phase, int64_t nid, const int64_t *id,
                         const int32_t *region, int32_t *label) {
  for (int64_t v = 0; v < n; v++) {
    label[v] = -1;
    if (phase[v]) continue;
    if (v && !phase[v - 1] && basin[v] == basin[v - 1]) {
      label[v] = label[v - 1];
      continue;
    }
    const int64_t *at = nid ? bsearch(&basin[v], id, (size_t)nid, sizeof *id, mt_compare_i64) : NULL;
    label[v] = at ? region[at - id] : -1;
  }
}

/* Height whose valleys are grains: the deeper inside the lower, then the strength of the boundaries. */
static PetscErrorCode make_height(MPI_Comm comm, const MtStack *s, const float *strength, const uint8_t *phase,
                                  double open, float *height) {
  float *depth = NULL;
  PetscCall(mt_depth(comm, s, strength, phase, open, &depth));
  for (int64_t v = 0; v < (int64_t)s->nx * s->ny * s->nz_local; v++)
    height[v] = phase[v] ? INFINITY : depth[v] > 0 ? -depth[v] : strength[v]; /* no valley begins in a pocket */
  free(depth);
  return 0;
}

static PetscErrorCode segment(MPI_Comm comm, const MtStack *s, const float *strength, const uint8_t *phase,
                              const MtGrainRule *rule, Field *f, Links *mine, int64_t **basin) {
  const int64_t slice = (int64_t)s->nx * s->ny;
  PetscCall(make_height(comm, s, strength, phase, rule->open, f->height));
  PetscCall(mt_basins(comm, s, f->height, basin));
  PetscCall(mt_slab_halo(comm, s->nz, 0, 1, slice, MPI_INT64_T, *basin, f->basin));
  PetscCall(mt_slab_halo(comm, s->nz, 0, 1, slice, MPI_FLOAT, strength, f->strength));
  PetscCall(mt_slab_halo(comm, s->nz, 0, 1, slice, MPI_UINT8_T, phase, f->phase));
  list_links(s, f, mine);
  return 0;
}

PetscErrorCode mt_grains_segment(MPI_Comm comm, const MtStack *s, const float *strength, const uint8_t *phase,
                                 const MtGrainRule *rule, int32_t *label, int *ngrains, int64_t *nbasins) {
  const int64_t slice = (int64_t)s->nx * s->ny, n = slice * s->nz_local;
  const size_t wide = (size_t)(n + slice + 1);
  int64_t *basin = NULL, *id = NULL;
  Field f = {mt_malloc(wide * sizeof *f.basin), mt_malloc(wide * sizeof *f.strength),
             mt_malloc(wide * sizeof *f.height), mt_malloc(wide * sizeof *f.phase), rule->closed};
  int32_t *region = NULL;
  Links mine = {0};
  PetscErrorCode rc = segment(comm, s, strength, phase, rule, &f, &mine, &basin);
  if (!rc) {
    const int64_t nid = list_ids(&mine, &id);
    region = mt_malloc(((size_t)nid + 1) * sizeof *region);
    rc = merge_all(comm, &mine, rule, nid, id, region, ngrains, nbasins);
    if (!rc) label_voxels(n, basin, phase, nid, id, region, label);
  }
  free(basin);
  free(f.basin);
  free(f.strength);
  free(f.height);
  free(f.phase);
  free(region);
  free(id);
  free(mine.link);
  return rc;
}
