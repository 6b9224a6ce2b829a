/* Meshes through Gmsh's own readers, or through ours of VTK's XML files. */
#include "import.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <gmshc.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { TETRA = 4 }; /* Gmsh's type of a tetrahedron of 4 nodes */

void mt_import_free(MtImported *f) {
  free(f->m.x);
  free(f->m.tet);
  free(f->m.region);
  for (int i = 0; i < f->n; i++) free(f->name[i]);
  free(f->name);
  *f = (MtImported){0};
}

/* number [last + 1]: of each node by its tag, -1: no such tag. */
static PetscErrorCode take_nodes(const char *path, double unit, MtImported *f, int64_t **number, size_t *last) {
  size_t *tag = NULL, n = 0, nx = 0, nu = 0;
  double *x = NULL, *u = NULL;
  int err;
  gmshModelMeshGetNodes(&tag, &n, &x, &nx, &u, &nu, -1, -1, 0, 0, &err);
  *last = 0;
  for (size_t i = 0; i < n; i++) *last = tag[i] > *last ? tag[i] : *last;
  if (!err && *last < 100 * n + 1000) {
    *number = mt_malloc((*last + 1) * sizeof **number);
    for (size_t i = 0; i <= *last; i++) (*number)[i] = -1;
    for (size_t i = 0; i < n; i++) (*number)[tag[i]] = (int64_t)i;
    f->m.nv = (int64_t)n;
    f->m.x = mt_malloc(3 * n * sizeof *f->m.x);
    for (size_t i = 0; i < 3 * n; i++) f->m.x[i] = unit * x[i];
  }
  gmshFree(tag), gmshFree(x), gmshFree(u);
  return *number ? 0 : mt_error(MT_ERR_INPUT, "%s: its nodes cannot be read (%zu of them)", path, n);
}

/* Corners in the order of positive volume; MT_ERR_INPUT for one without any. */
static PetscErrorCode orient(const char *path, const MtTets *m, int64_t t) {
  double y[4][3];
  int64_t *v = m->tet + 4 * t;
  for (int k = 0; k < 12; k++) y[k / 3][k % 3] = m->x[3 * v[k / 3] + k % 3];
  const double volume = mt_tet_volume((const double(*)[3])y);
  if (volume == 0)
    return mt_error(MT_ERR_INPUT, "%s: the tetrahedron at (%g, %g, %g) nm has no volume", path, y[0][0], y[0][1],
                    y[0][2]);
  const int64_t swap = v[2];
  if (volume < 0) v[2] = v[3], v[3] = swap;
  return 0;
}

static PetscErrorCode take_tets(const char *path, size_t n, const size_t *node, const int64_t *number, size_t last,
                                MtImported *f) {
  MtTets *m = &f->m;
  const size_t all = (size_t)m->nt + n;
  m->tet = mt_realloc(m->tet, 4 * all * sizeof *m->tet);
  m->region = mt_realloc(m->region, all * sizeof *m->region);
  for (size_t i = 0; i < n; i++, m->nt++) {
    for (int k = 0; k < 4; k++) {
      const size_t tag = node[4 * i + (size_t)k];
      if (tag > last || number[tag] < 0)
        return mt_error(MT_ERR_INPUT, "%s: a tetrahedron has node %zu, which is not there", path, tag);
      m->tet[4 * m->nt + k] = number[tag];
    }
    m->region[m->nt] = f->n;
    PetscCall(orient(path, m, m->nt));
  }
  return 0;
}

static char *name_of(int volume) {
  int *group = NULL, err;
  size_t n = 0;
  char *name = NULL, *own = NULL;
  gmshModelGetPhysicalGroupsForEntity(3, volume, &group, &n, &err);
  if (n) gmshModelGetPhysicalName(3, group[0], &name, &err);
  own = mt_malloc(strlen(name ? name : "") + 1);
  strcpy(own, name ? name : "");
  gmshFree(group), gmshFree(name);
  return own;
}

static PetscErrorCode take_volume(const char *path, int volume, const int64_t *number, size_t last, MtImported *f) {
  int *type = NULL, err;
  size_t ntypes = 0, **tag = NULL, *ntag = NULL, nn = 0, **node = NULL, *nnode = NULL, mm = 0;
  PetscErrorCode rc = 0;
  gmshModelMeshGetElements(&type, &ntypes, &tag, &ntag, &nn, &node, &nnode, &mm, 3, volume, &err);
  for (size_t i = 0; i < ntypes && !rc; i++)
    rc = type[i] == TETRA ? take_tets(path, ntag[i], node[i], number, last, f)
                          : mt_error(MT_ERR_INPUT,
                                     "%s: volume %d has elements of Gmsh's type %d: only tetrahedra of 4 nodes can be "
                                     "used",
                                     path, volume, type[i]);
  for (size_t i = 0; i < ntypes; i++) gmshFree(tag[i]), gmshFree(node[i]);
  gmshFree(type), gmshFree(tag), gmshFree(ntag), gmshFree(node), gmshFree(nnode);
  if (rc || !ntypes) return rc;
  f->name = mt_realloc(f->name, (size_t)(f->n + 1) * sizeof *f->name);
  f->name[f->n++] = name_of(volume);
  return 0;
}

/* From 4.11 on Gmsh can be told where to look. */
static void merge_nodes(void) {
  int err;
#if GMSH_API_VERSION_MAJOR > 4 || (GMSH_API_VERSION_MAJOR == 4 && GMSH_API_VERSION_MINOR >= 11)
  gmshModelMeshRemoveDuplicateNodes(NULL, 0, &err);
#else
  gmshModelMeshRemoveDuplicateNodes(&err);
#endif
}

static PetscErrorCode take_all(const char *path, double unit, MtImported *f) {
  int *volume = NULL, err;
  size_t n = 0, last;
  int64_t *number = NULL;
  merge_nodes();
  PetscErrorCode rc = take_nodes(path, unit, f, &number, &last);
  gmshModelGetEntities(&volume, &n, 3, &err);
  for (size_t i = 1; i < n && !rc; i += 2) rc = take_volume(path, volume[i], number, last, f); /* dimension, tag */
  gmshFree(volume);
  free(number);
  if (!rc && !f->m.nt) rc = mt_error(MT_ERR_INPUT, "%s: holds no tetrahedra", path);
  return rc;
}

/* Nodes that no tetrahedron uses, those of surfaces and lines alone, go. */
static void drop_unused(MtTets *m) {
  int64_t *number = mt_malloc((size_t)m->nv * sizeof *number), n = 0;
  for (int64_t v = 0; v < m->nv; v++) number[v] = -1;
  for (int64_t i = 0; i < 4 * m->nt; i++) number[m->tet[i]] = 0;
  for (int64_t v = 0; v < m->nv; v++) {
    if (number[v] < 0) continue;
    memmove(m->x + 3 * n, m->x + 3 * v, 3 * sizeof *m->x);
    number[v] = n++;
  }
  for (int64_t i = 0; i < 4 * m->nt; i++) m->tet[i] = number[m->tet[i]];
  m->nv = n;
  free(number);
}

bool mt_import_is_vtu(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && !strcmp(dot, ".vtu");
}

/* The volumes of f got the numbers 1, 2, ... in this order. */
static void name_volumes(int n, char **names, MtImported *f) {
  for (int i = 0; i < n && i < f->n; i++) {
    free(f->name[i]);
    f->name[i] = names[i], names[i] = NULL;
  }
}

PetscErrorCode mt_import_gmsh(const char *path, const char *array, double unit, MtImported *f) {
  int err, n = 0;
  char **names = NULL;
  PetscErrorCode rc;
  *f = (MtImported){0};
  if (access(path, R_OK)) return mt_error(MT_ERR_INPUT, "%s: cannot be read", path);
  gmshClear(&err);
  if (mt_import_is_vtu(path)) {
    rc = mt_import_vtu(path, array, &n, &names);
  } else {
    gmshOpen(path, &err);
    rc = err ? mt_error(MT_ERR_INPUT, "%s: Gmsh cannot read it as a mesh", path) : 0;
  }
  if (!rc) rc = take_all(path, unit, f);
  if (!rc) name_volumes(n, names, f);
  gmshClear(&err);
  for (int i = 0; i < n; i++) free(names[i]);
  free(names);
  if (!rc) drop_unused(&f->m);
  return rc;
}
