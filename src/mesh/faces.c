/* Faces at which a region of the magnet ends: found by sorting the faces of this rank's tets by their nodes.  A rank
 * holds every tet of the nodes it owns, so both sides of a face with an owned node are here. */
#include "magtwin/mesh.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  PetscInt node[3]; /* rows of the places, ascending */
  PetscInt tet, corner;
} Side;

static int compare_side(const void *a, const void *b) {
  const Side *p = a, *q = b;
  for (int k = 0; k < 3; k++)
    if (p->node[k] != q->node[k]) return p->node[k] < q->node[k] ? -1 : 1;
  return (p->tet > q->tet) - (p->tet < q->tet);
}

static int compare_face(const void *a, const void *b) {
  const MtFace *p = a, *q = b;
  if (p->tet != q->tet) return p->tet < q->tet ? -1 : 1;
  return (p->corner > q->corner) - (p->corner < q->corner);
}

static void sort3(PetscInt v[3]) {
  for (int i = 0; i < 3; i++) {
    const int a = i == 1, b = a + 1;
    if (v[a] <= v[b]) continue;
    const PetscInt swap = v[a];
    v[a] = v[b];
    v[b] = swap;
  }
}

/* The side opposite to a corner; false: none of its nodes is owned. */
static bool side_of(const MtMesh *mesh, PetscInt t, int corner, Side *s) {
  bool owned = false;
  int n = 0;
  for (int k = 0; k < 4; k++) {
    const PetscInt v = mesh->tet[4 * t + k];
    if (k == corner) continue;
    owned = owned || v < mesh->nv_owned;
    s->node[n++] = mesh->base_row ? mesh->base_row[v] : mesh->row[v];
  }
  sort3(s->node);
  s->tet = t;
  s->corner = corner;
  return owned;
}

static PetscErrorCode collect(const MtMesh *mesh, PetscInt *n, Side **side) {
  PetscInt room = 0;
  for (PetscInt t = 0; t < mesh->nt_local; t++) room += mesh->regions.kind[mesh->region[t]] != MT_REGION_AIR;
  *n = 0;
  PetscCall(PetscMalloc1(4 * room, side));
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int k = 0; k < 4 && mesh->regions.kind[mesh->region[t]] != MT_REGION_AIR; k++)
      *n += side_of(mesh, t, k, &(*side)[*n]);
  return 0;
}

PetscErrorCode mt_mesh_region_faces(const MtMesh *mesh, PetscInt *n, MtFace **faces) {
  PetscInt nsides, room = 0;
  Side *side;
  PetscCall(collect(mesh, &nsides, &side));
  if (nsides) qsort(side, (size_t)nsides, sizeof *side, compare_side);
  PetscCall(PetscMalloc1(nsides, faces));
  for (PetscInt i = 0; i < nsides; i++) {
    const bool pair = i + 1 < nsides && !memcmp(side[i].node, side[i + 1].node, sizeof side[i].node);
    if (!pair) {
      (*faces)[room++] = (MtFace){side[i].tet, side[i].corner, -1};
      continue;
    }
    if (mesh->region[side[i].tet] != mesh->region[side[i + 1].tet]) {
      (*faces)[room++] = (MtFace){side[i].tet, side[i].corner, side[i + 1].tet};
      (*faces)[room++] = (MtFace){side[i + 1].tet, side[i + 1].corner, side[i].tet};
    }
    i++;
  }
  PetscCall(PetscFree(side));
  if (room) qsort(*faces, (size_t)room, sizeof **faces, compare_face);
  *n = room;
  return 0;
}

void mt_mesh_face(const MtMesh *mesh, const MtFace *face, PetscInt node[3], double area[3]) {
  double x[4][3], normal[4][3];
  int n = 0;
  for (int k = 0; k < 4; k++) {
    const PetscInt v = mesh->tet[4 * face->tet + k];
    if (k != face->corner) node[n++] = v;
    memcpy(x[k], mesh->x + 3 * v, sizeof x[k]);
  }
  mt_tet_normals((const double(*)[3])x, normal);
  for (int c = 0; c < 3; c++) area[c] = -.5 * normal[face->corner][c];
}
