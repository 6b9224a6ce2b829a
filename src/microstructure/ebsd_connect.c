/* Grains from orientations: regions connected by steps of small disorientation, by union-find.
 *
 * Each rank labels its slab of slices with the smallest voxel number of each region; the slices on both sides of a
 * border give the pairs of regions that are one, every rank gets all pairs and joins them alike.  What travels is one
 * slice and the list of pairs, so the cost of the merge grows with the borders, not with the volume.  The result does
 * not depend on the number of ranks. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  const MtEbsd *e;
  const MtSymmetry *s;
  double match;
  MtLabels *l;
  int64_t n, slice, offset; /* voxels here, in a slice, and before this slab */
  int64_t *region;          /* [n] first voxel of the region (file order), -1: not valid */
  int64_t nids, *id,
      *root;      /* regions that cross a border, ascending, and the region that each belongs to; same on all ranks */
  int64_t *count; /* [nids] voxels of the regions that are roots */
} Regions;

static int64_t find(int64_t *parent, int64_t i) {
  /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): every id of a pair is in the list of ids */
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

/* The smaller root wins, so that a region is known by its first member. */
static void join(int64_t *parent, int64_t a, int64_t b) {
  a = find(parent, a);
  b = find(parent, b);
  if (a < b)
    parent[b] = a;
  else
    parent[a] = b;
}

/* Orientations, or equal first numbers where there is no symmetry. */
static bool alike(const Regions *r, const double *a, const double *b) {
  return r->s ? mt_quat_match(a, b, r->s) > r->match : a[0] == b[0];
}

static bool connected(const Regions *r, int64_t a, int64_t b) {
  const MtEbsd *e = r->e;
  return e->valid[a] && e->valid[b] && alike(r, e->q + 4 * a, e->q + 4 * b);
}

static void label_slab(Regions *r) {
  const int64_t nx = r->l->nx;
  int64_t *parent = r->region;
  for (int64_t i = 0; i < r->n; i++) {
    parent[i] = i;
    if (i % nx && connected(r, i - 1, i)) join(parent, i - 1, i);
    if (i % r->slice >= nx && connected(r, i - nx, i)) join(parent, i - nx, i);
    if (i >= r->slice && connected(r, i - r->slice, i)) join(parent, i - r->slice, i);
  }
  for (int64_t i = 0; i < r->n; i++)
    parent[i] = find(parent, i); /* in ascending order every parent is a root already */
  for (int64_t i = 0; i < r->n; i++) parent[i] = r->e->valid[i] ? parent[i] + r->offset : -1;
}

/* The last slice goes up; what comes from below is compared with the first slice: pairs [2 npairs], with repeats
 * removed in runs. */
static PetscErrorCode border_pairs(const Regions *r, double *q, int64_t *region, int64_t *pair, int64_t *npairs) {
  int below, above;
  const int64_t last = r->n - r->slice;
  mt_labels_neighbours(r->comm, r->l, &below, &above);
  PetscCallMPI(MPI_Sendrecv(r->e->q + 4 * (r->n ? last : 0), (int)(4 * r->slice), MPI_DOUBLE, above, 1, q,
                            (int)(4 * r->slice), MPI_DOUBLE, below, 1, r->comm, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Sendrecv(r->region + (r->n ? last : 0), (int)r->slice, MPI_INT64_T, above, 2, region, (int)r->slice,
                            MPI_INT64_T, below, 2, r->comm, MPI_STATUS_IGNORE));
  *npairs = 0;
  if (below == MPI_PROC_NULL) return 0;
  for (int64_t i = 0; i < r->slice; i++) {
    if (region[i] < 0 || r->region[i] < 0 || !alike(r, q + 4 * i, r->e->q + 4 * i)) continue;
    int64_t *p = pair + 2 * *npairs;
    if (*npairs && p[-2] == region[i] && p[-1] == r->region[i]) continue;
    p[0] = region[i];
    p[1] = r->region[i];
    ++*npairs;
  }
  return 0;
}

static int64_t position(int64_t n, const int64_t *sorted, int64_t id) {
  const int64_t *p = n ? bsearch(&id, sorted, (size_t)n, sizeof *sorted, mt_compare_i64) : NULL;
  return p ? p - sorted : -1;
}

static void join_pairs(Regions *r, int64_t nvalues, const int64_t *pair) {
  r->id = mt_malloc((size_t)(nvalues + 1) * sizeof *r->id);
  r->root = mt_malloc((size_t)(nvalues + 1) * sizeof *r->root);
  r->count = mt_calloc((size_t)nvalues + 1, sizeof *r->count);
  if (nvalues) memcpy(r->id, pair, (size_t)nvalues * sizeof *pair);
  r->nids = mt_sort_unique(nvalues, r->id);
  for (int64_t i = 0; i < r->nids; i++) r->root[i] = i;
  for (int64_t i = 0; i < nvalues; i += 2)
    join(r->root, position(r->nids, r->id, pair[i]), position(r->nids, r->id, pair[i + 1]));
  for (int64_t i = 0; i < r->nids; i++) r->root[i] = find(r->root, i);
  for (int64_t i = 0; i < r->nids; i++) r->root[i] = r->id[r->root[i]];
}

static PetscErrorCode merge_borders(Regions *r) {
  double *q = mt_malloc(4 * (size_t)r->slice * sizeof *q);
  int64_t *region = mt_malloc(3 * (size_t)r->slice * sizeof *region), *all = NULL;
  int64_t npairs = 0, nall = 0;
  PetscErrorCode rc = border_pairs(r, q, region, region + r->slice, &npairs);
  if (!rc) rc = mt_gather_i64(r->comm, 2 * npairs, region + r->slice, &nall, &all);
  if (!rc) join_pairs(r, nall, all);
  free(q);
  free(region);
  free(all);
  return rc;
}

/* Takes the merge over to the voxels, counts the regions' voxels, and lists the regions that are large enough.
 * size [n] is by the first voxel of a region in this slab. */
static PetscErrorCode large_regions(Regions *r, int64_t min_voxels, int64_t *size, int64_t *ngrains, int64_t **grain) {
  int64_t regions = 0, nlarge = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->region[i] < 0) continue;
    const int64_t at = position(r->nids, r->id, r->region[i]);
    if (at >= 0)
      r->count[position(r->nids, r->id, r->region[i] = r->root[at])]++;
    else
      size[r->region[i] - r->offset]++;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, r->count, (int)r->nids, MPI_INT64_T, MPI_SUM, r->comm));
  for (int64_t i = 0; i < r->n; i++) {
    if (!size[i]) continue;
    regions++;
    if (size[i] >= min_voxels) size[nlarge++] = i + r->offset; /* nlarge <= i: already read */
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &regions, 1, MPI_INT64_T, MPI_SUM, r->comm));
  int64_t nall, *all;
  PetscCall(mt_gather_i64(r->comm, nlarge, size, &nall, &all));
  *grain = mt_malloc((size_t)(nall + r->nids + 1) * sizeof **grain);
  memcpy(*grain, all, (size_t)nall * sizeof *all);
  free(all);
  for (int64_t i = 0; i < r->nids; i++) {
    if (r->root[i] == r->id[i]) regions++;
    if (r->count[i] >= min_voxels) (*grain)[nall++] = r->id[i];
  }
  *ngrains = mt_sort_unique(nall, *grain);
  r->l->nregions = regions;
  return 0;
}

static PetscErrorCode number_grains(Regions *r, int64_t min_voxels) {
  int64_t ngrains = 0, *grain = NULL, kept = 0;
  int64_t *size = mt_calloc((size_t)r->n + 1, sizeof *size);
  PetscErrorCode rc = large_regions(r, min_voxels, size, &ngrains, &grain);
  free(size);
  if (rc) return rc;
  for (int64_t i = 0; i < r->n; i++) {
    r->l->label[i] = r->region[i] < 0 ? -1 : (int32_t)position(ngrains, grain, r->region[i]);
    kept += r->l->label[i] >= 0;
  }
  free(grain);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &kept, 1, MPI_INT64_T, MPI_SUM, r->comm));
  r->l->ngrains = (int)ngrains;
  r->l->kept = (double)kept / ((double)r->slice * r->l->nz);
  return 0;
}

PetscErrorCode mt_ebsd_connect(MPI_Comm comm, const MtEbsd *e, const MtSymmetry *s, double match, int64_t min_voxels,
                               MtLabels *l) {
  Regions r = {.comm = comm, .e = e, .s = s, .match = match, .l = l};
  r.slice = (int64_t)l->nx * l->ny;
  r.n = r.slice * l->nz_local;
  r.offset = r.slice * l->z0;
  r.region = mt_malloc((size_t)(r.n + 1) * sizeof *r.region);
  label_slab(&r);
  PetscErrorCode rc = merge_borders(&r);
  if (!rc) rc = number_grains(&r, min_voxels);
  free(r.region);
  free(r.id);
  free(r.root);
  free(r.count);
  return rc;
}
