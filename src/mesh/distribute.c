/* From slabs of the file to the ranks that own the nodes.
 *
 * The slab that holds a node in the file is its directory: anyone who knows a file id can ask there for the owner, the
 * coordinates and the matrix row.  Questions go through star forests (roots: slab, leaves: who asks), records through
 * one all-to-all.  Records arrive by source rank and thus ascending by file id, so nothing depends on the order of
 * messages. */
#include "magtwin/error.h"
#include "mesh_impl.h"
#include <string.h>

enum { TET_RECORD = 6 }; /* file id, 4 nodes, region */

typedef struct {
  int width;
  PetscInt n, capacity;
  int64_t *data; /* [n width] */
  int *dest;     /* [n] rank */
} Outbox;

static PetscErrorCode outbox_create(int width, PetscInt capacity, Outbox *o) {
  *o = (Outbox){.width = width, .capacity = capacity};
  PetscCall(PetscMalloc2(capacity * width, &o->data, capacity, &o->dest));
  return 0;
}

/* Records grouped by destination, in the order they were put. */
static PetscErrorCode group_by_rank(const Outbox *o, int nranks, int *count, int *start, int64_t *sorted) {
  memset(count, 0, sizeof *count * (size_t)nranks);
  for (PetscInt i = 0; i < o->n; i++) count[o->dest[i]]++;
  start[0] = 0;
  for (int r = 0; r < nranks; r++) start[r + 1] = start[r] + count[r];
  int *next;
  PetscCall(PetscMalloc1(nranks, &next));
  memcpy(next, start, sizeof *next * (size_t)nranks);
  for (PetscInt i = 0; i < o->n; i++)
    memcpy(sorted + (size_t)next[o->dest[i]]++ * (size_t)o->width, o->data + (size_t)i * (size_t)o->width,
           sizeof(int64_t) * (size_t)o->width);
  PetscCall(PetscFree(next));
  return 0;
}

/* Sends every record to its rank and frees the outbox; received: [*nrecv, width], PetscMalloc'ed. */
static PetscErrorCode exchange(MPI_Comm comm, int nranks, Outbox *o, PetscInt *nrecv, int64_t **received) {
  int *count, *start, *count_in, *start_in;
  int64_t *sorted;
  MPI_Datatype record;
  PetscCall(PetscMalloc4(nranks, &count, nranks + 1, &start, nranks, &count_in, nranks + 1, &start_in));
  PetscCall(PetscMalloc1(o->n * o->width, &sorted));
  PetscCall(group_by_rank(o, nranks, count, start, sorted));
  PetscCall(PetscFree2(o->data, o->dest));
  PetscCallMPI(MPI_Alltoall(count, 1, MPI_INT, count_in, 1, MPI_INT, comm));
  start_in[0] = 0;
  for (int r = 0; r < nranks; r++) start_in[r + 1] = start_in[r] + count_in[r];
  *nrecv = start_in[nranks];
  PetscCall(PetscMalloc1(*nrecv * o->width, received));
  PetscCallMPI(MPI_Type_contiguous(o->width, MPI_INT64_T, &record));
  PetscCallMPI(MPI_Type_commit(&record));
  PetscCallMPI(MPI_Alltoallv(sorted, count, start, record, *received, count_in, start_in, record, comm));
  PetscCallMPI(MPI_Type_free(&record));
  PetscCall(PetscFree(sorted));
  PetscCall(PetscFree4(count, start, count_in, start_in));
  return 0;
}

/* Leaves: the n nodes with the given file ids; roots: the slab of the file they lie in. */
static PetscErrorCode ask_slabs(const MtMeshSlab *s, PetscInt n, const PetscInt *vid, PetscSF *sf) {
  PetscLayout layout;
  PetscCall(PetscLayoutCreate(s->comm, &layout));
  PetscCall(PetscLayoutSetLocalSize(layout, (PetscInt)s->nvs));
  PetscCall(PetscLayoutSetUp(layout));
  PetscCall(PetscSFCreate(s->comm, sf));
  PetscCall(PetscSFSetGraphLayout(*sf, layout, n, NULL, PETSC_OWN_POINTER, vid));
  PetscCall(PetscLayoutDestroy(&layout));
  return 0;
}

static PetscErrorCode bcast(PetscSF sf, MPI_Datatype type, const void *root, void *leaf) {
  PetscCall(PetscSFBcastBegin(sf, type, root, leaf, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(sf, type, root, leaf, MPI_REPLACE));
  return 0;
}

/* The owner of each corner of the slab's tets -> owner [4 nts]. */
static PetscErrorCode corner_owners(const MtMeshSlab *s, int *owner) {
  PetscInt n = (PetscInt)(4 * s->nts), *unique;
  int *unique_owner;
  PetscSF sf;
  PetscCall(PetscMalloc1(n, &unique));
  for (PetscInt i = 0; i < n; i++) unique[i] = (PetscInt)s->tet[i];
  PetscCall(PetscSortRemoveDupsInt(&n, unique));
  PetscCall(PetscMalloc1(n, &unique_owner));
  PetscCall(ask_slabs(s, n, unique, &sf));
  PetscCall(bcast(sf, MPI_INT, s->owner, unique_owner));
  PetscCall(PetscSFDestroy(&sf));
  for (PetscInt i = 0; i < (PetscInt)(4 * s->nts); i++) {
    PetscInt at;
    PetscCall(PetscFindInt((PetscInt)s->tet[i], n, unique, &at));
    owner[i] = unique_owner[at];
  }
  PetscCall(PetscFree(unique));
  PetscCall(PetscFree(unique_owner));
  return 0;
}

static bool seen_before(const int *owner, int k) {
  for (int j = 0; j < k; j++)
    if (owner[j] == owner[k]) return true;
  return false;
}

static PetscErrorCode send_tets(const MtMeshSlab *s, PetscInt *n, int64_t **record) {
  int *owner;
  Outbox out;
  PetscCall(PetscMalloc1(4 * s->nts, &owner));
  PetscCall(corner_owners(s, owner));
  PetscInt copies = 0;
  for (int64_t t = 0; t < s->nts; t++)
    for (int k = 0; k < 4; k++) copies += !seen_before(owner + 4 * t, k);
  PetscCall(outbox_create(TET_RECORD, copies, &out));
  for (int64_t t = 0; t < s->nts; t++)
    for (int k = 0; k < 4; k++) {
      if (seen_before(owner + 4 * t, k)) continue;
      int64_t *r = out.data + (size_t)TET_RECORD * (size_t)out.n;
      r[0] = s->t0 + t;
      for (int j = 0; j < 4; j++) r[1 + j] = s->tet[4 * t + j];
      r[5] = s->region[t];
      out.dest[out.n++] = owner[4 * t + k];
    }
  PetscCall(PetscFree(owner));
  return exchange(s->comm, s->nranks, &out, n, record);
}

static PetscErrorCode send_nodes(const MtMeshSlab *s, PetscInt *n, int64_t **vid) {
  Outbox out;
  PetscCall(outbox_create(1, (PetscInt)s->nvs, &out));
  for (int64_t i = 0; i < s->nvs; i++) {
    out.data[i] = s->v0 + i;
    out.dest[i] = s->owner[i];
  }
  out.n = (PetscInt)s->nvs;
  return exchange(s->comm, s->nranks, &out, n, vid);
}

/* Local numbering: owned nodes, then the others the tets touch, both ascending by file id.  vid [*nlocal]. */
static PetscErrorCode number_nodes(PetscInt nowned, const int64_t *owned, PetscInt nt, const int64_t *record,
                                   PetscInt *nlocal, PetscInt **vid) {
  PetscInt n = 4 * nt, *touched, at;
  PetscCall(PetscMalloc1(n, &touched));
  for (PetscInt i = 0; i < n; i++)
    touched[i] = (PetscInt)record[(size_t)TET_RECORD * (size_t)(i / 4) + 1 + (size_t)(i % 4)];
  PetscCall(PetscSortRemoveDupsInt(&n, touched));
  PetscCall(PetscMalloc1(nowned + n, vid));
  for (PetscInt i = 0; i < nowned; i++) (*vid)[i] = (PetscInt)owned[i];
  *nlocal = nowned;
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(PetscFindInt(touched[i], nowned, *vid, &at));
    if (at < 0) (*vid)[(*nlocal)++] = touched[i];
  }
  PetscCall(PetscFree(touched));
  return 0;
}

static PetscErrorCode find_local(const MtMesh *m, const PetscInt *vid, PetscInt id, PetscInt *local) {
  PetscCall(PetscFindInt(id, m->nv_owned, vid, local));
  if (*local >= 0) return 0;
  PetscCall(PetscFindInt(id, m->nv_local - m->nv_owned, vid + m->nv_owned, local));
  *local += m->nv_owned;
  return 0;
}

static PetscErrorCode unpack_tets(MtMesh *m, const PetscInt *vid, const int64_t *record) {
  const PetscInt n = m->nt_local;
  PetscCall(PetscMalloc1(4 * n, &m->tet));
  PetscCall(PetscMalloc1(n, &m->tid));
  PetscCall(PetscMalloc1(n, &m->region));
  PetscCall(PetscMalloc1(n, &m->tet_owned));
  for (PetscInt t = 0; t < n; t++) {
    const int64_t *r = record + (size_t)TET_RECORD * (size_t)t;
    PetscInt *v = m->tet + 4 * t;
    int first = 0;
    for (int k = 0; k < 4; k++) {
      PetscCall(find_local(m, vid, (PetscInt)r[1 + k], v + k));
      if (r[1 + k] < r[1 + first]) first = k;
    }
    m->tid[t] = r[0];
    m->region[t] = (int32_t)r[5];
    m->tet_owned[t] = v[first] < m->nv_owned; /* by the owner of its smallest node */
  }
  return 0;
}

/* Owners tell the slabs their rows, then everyone asks the slabs. */
static PetscErrorCode fetch_rows(const MtMeshSlab *s, MtMesh *m, PetscSF all, const PetscInt *vid) {
  PetscSF mine;
  PetscInt *slab_row;
  PetscCall(PetscMalloc1(s->nvs, &slab_row));
  PetscCall(PetscMalloc1(m->nv_local, &m->row));
  for (PetscInt i = 0; i < m->nv_owned; i++) m->row[i] = m->row_start + i;
  PetscCall(ask_slabs(s, m->nv_owned, vid, &mine));
  PetscCall(PetscSFReduceBegin(mine, MPIU_INT, m->row, slab_row, MPI_REPLACE));
  PetscCall(PetscSFReduceEnd(mine, MPIU_INT, m->row, slab_row, MPI_REPLACE));
  PetscCall(PetscSFDestroy(&mine));
  PetscCall(bcast(all, MPIU_INT, slab_row, m->row));
  PetscCall(PetscFree(slab_row));
  return 0;
}

static PetscErrorCode fetch_nodes(const MtMeshSlab *s, MtMesh *m, const PetscInt *vid) {
  PetscSF all;
  MPI_Datatype triple;
  PetscCall(ask_slabs(s, m->nv_local, vid, &all));
  PetscCall(fetch_rows(s, m, all, vid));
  PetscCall(PetscMalloc1(3 * m->nv_local, &m->x));
  PetscCallMPI(MPI_Type_contiguous(3, MPI_DOUBLE, &triple));
  PetscCallMPI(MPI_Type_commit(&triple));
  PetscCall(bcast(all, triple, s->x, m->x));
  PetscCallMPI(MPI_Type_free(&triple));
  PetscCall(PetscSFDestroy(&all));
  PetscCall(PetscMalloc1(m->nv_local, &m->vid));
  for (PetscInt i = 0; i < m->nv_local; i++) m->vid[i] = vid[i];
  return 0;
}

static PetscErrorCode make_ghost_forest(MtMesh *m) {
  PetscLayout rows;
  PetscCall(PetscLayoutCreate(m->comm, &rows));
  PetscCall(PetscLayoutSetLocalSize(rows, m->nv_owned));
  PetscCall(PetscLayoutSetUp(rows));
  PetscCall(PetscSFCreate(m->comm, &m->sf));
  PetscCall(PetscSFSetGraphLayout(m->sf, rows, m->nv_local, NULL, PETSC_OWN_POINTER, m->row));
  PetscCall(PetscSFSetUp(m->sf));
  PetscCall(PetscLayoutDestroy(&rows));
  return 0;
}

PetscErrorCode mt_mesh_distribute(const MtMeshSlab *s, MtMesh *m) {
  int64_t *owned, *record;
  PetscInt *vid;
  m->nv_global = s->nv;
  m->nt_global = s->nt;
  PetscCall(send_nodes(s, &m->nv_owned, &owned));
  PetscCall(send_tets(s, &m->nt_local, &record));
  PetscCall(number_nodes(m->nv_owned, owned, m->nt_local, record, &m->nv_local, &vid));
  PetscCall(PetscFree(owned));
  PetscCallMPI(MPI_Scan(&m->nv_owned, &m->row_start, 1, MPIU_INT, MPI_SUM, m->comm));
  m->row_start -= m->nv_owned;
  PetscCall(unpack_tets(m, vid, record));
  PetscCall(PetscFree(record));
  PetscCall(fetch_nodes(s, m, vid));
  PetscCall(PetscFree(vid));
  return make_ghost_forest(m);
}
