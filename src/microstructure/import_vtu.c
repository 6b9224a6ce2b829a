/* Tetrahedra of a VTK file, given to Gmsh as volumes by the number that an array of the cells tells: what follows is
 * the same as for a mesh that Gmsh reads by itself. */
#include "import.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "vtu.h"
#include <gmshc.h>
#include <stdio.h>
#include <string.h>

enum { TETRA = 10, GMSH_TETRA = 4 };

typedef struct {
  MtVtu f;
  const char *array; /* asked for, NULL: to be found */
  char chosen[64];   /* what the volumes are by; "": nothing */
  int64_t nv, nt;
  double *x;       /* [3 nv] as in the file */
  int64_t *tet;    /* [4 nt] */
  int64_t *number; /* [nt] of the volume */
  int64_t *kind;   /* [nt] MtRegionKind, or NULL: the file does not tell */
  int64_t nnames;
  char *names; /* of the volumes by number, one behind another; NULL: not told */
} Grid;

/* ---- cells */

/* Cells of less than three dimensions have no volume and are left out. */
static bool is_flat(int64_t type) {
  return (type >= 1 && type <= 9) || (type >= 21 && type <= 23) || type == 28 || type == 30 || type == 34;
}

static const char *cell_name(int64_t type) {
  static const char *const name[] = {
      [0] = "an empty cell", [11] = "a voxel", [12] = "a hexahedron", [13] = "a wedge",
      [14] = "a pyramid",    [15] = "a prism", [16] = "a prism",      [24] = "a tetrahedron of 10 nodes",
      [25] = "a hexahedron", [26] = "a wedge", [27] = "a pyramid"};
  const bool known = type >= 0 && type < (int64_t)(sizeof name / sizeof *name) && name[type];
  return known ? name[type] : "of another type";
}

static xmlNode *named(const xmlNode *section, const char *name) {
  xmlNode *a = NULL;
  while (section && (a = mt_vtu_child(section, a, "DataArray")))
    if (mt_vtu_is(a, "Name", name)) return a;
  return NULL;
}

typedef struct {
  int64_t np, nc;
  const xmlNode *cells;
  int64_t *type, *end, *corner; /* [nc], [nc], [end[nc - 1]] */
  int64_t *number, *kind;       /* [nc], or NULL */
} Piece;

static void piece_free(Piece *p) {
  free(p->type), free(p->end), free(p->corner), free(p->number), free(p->kind);
}

static PetscErrorCode cell_array(const Grid *g, const Piece *p, const char *name, int64_t n, int64_t **values) {
  const xmlNode *a = named(p->cells, name);
  if (a) return mt_vtu_integers(&g->f, a, n, values);
  return mt_vtu_fail(&g->f, p->cells, "Cells has no array %s", name);
}

static PetscErrorCode check_cell(const Grid *g, const Piece *p, int64_t c) {
  const int64_t from = c ? p->end[c - 1] : 0, n = p->end[c] - from;
  const long long number = (long long)c;
  if (n < 0) return mt_vtu_fail(&g->f, p->cells, "offsets do not ascend at cell %lld", number);
  if (is_flat(p->type[c])) return 0;
  if (p->type[c] != TETRA)
    return mt_vtu_fail(&g->f, p->cells, "cell %lld is %s (VTK's type %lld): only tetrahedra of 4 nodes can be used",
                       number, cell_name(p->type[c]), (long long)p->type[c]);
  if (n != 4) return mt_vtu_fail(&g->f, p->cells, "cell %lld, a tetrahedron, has %lld nodes", number, (long long)n);
  for (int64_t i = from; i < p->end[c]; i++)
    if (p->corner[i] < 0 || p->corner[i] >= p->np)
      return mt_vtu_fail(&g->f, p->cells, "cell %lld has node %lld, but there are %lld", number,
                         (long long)p->corner[i], (long long)p->np);
  return 0;
}

static PetscErrorCode read_cells(const Grid *g, Piece *p) {
  PetscErrorCode rc = cell_array(g, p, "types", p->nc, &p->type);
  if (!rc) rc = cell_array(g, p, "offsets", p->nc, &p->end);
  const int64_t n = rc || !p->nc ? 0 : p->end[p->nc - 1];
  if (!rc && n < 0) rc = mt_vtu_fail(&g->f, p->cells, "the last of offsets is %lld", (long long)n);
  if (!rc) rc = cell_array(g, p, "connectivity", n, &p->corner);
  for (int64_t c = 0; c < p->nc && !rc; c++) {
    if (p->end[c] > n) rc = mt_vtu_fail(&g->f, p->cells, "offsets do not ascend at cell %lld", (long long)c + 1);
    if (!rc) rc = check_cell(g, p, c);
  }
  return rc;
}

/* ---- which array says the volume */

static PetscErrorCode no_array(const Grid *g, const xmlNode *at, const xmlNode *data, const char *what) {
  char have[256] = "";
  xmlNode *a = NULL;
  while (data && (a = mt_vtu_child(data, a, "DataArray"))) {
    char *name = mt_vtu_text(a, "Name");
    const size_t used = strlen(have);
    snprintf(have + used, sizeof have - used, "%s%s", used ? ", " : "", name ? name : "(without a name)");
    xmlFree(name);
  }
  return mt_vtu_fail(&g->f, at, "%s; its cells have %s", what, *have ? have : "no arrays");
}

static bool is_scalar(const xmlNode *a) {
  char *n = mt_vtu_text(a, "NumberOfComponents");
  const bool one = !n || !strcmp(n, "1") || !strcmp(n, "0");
  xmlFree(n);
  return one;
}

/* The usual names, ours first, then those of Gmsh, meshio, OpenGeoSys, MFEM, VTK, DREAM.3D and Neper's users. */
static const xmlNode *usual(const xmlNode *data) {
  static const char *const names[] = {"region",    "CellEntityIds", "gmsh:physical", "gmsh:geometrical", "medit:ref",
                                      "cell_tags", "MaterialIDs",   "MaterialIds",   "material",         "attribute",
                                      "RegionId",  "RegionIds",     "FeatureIds",    "GrainId",          "grain"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const xmlNode *a = named(data, names[i]);
    if (a && is_scalar(a)) return a;
  }
  return NULL;
}

static PetscErrorCode find_array(const Grid *g, const xmlNode *piece, const xmlNode **array) {
  const xmlNode *data = mt_vtu_child(piece, NULL, "CellData"), *any;
  char what[160];
  *array = g->array ? named(data, g->array) : usual(data);
  any = data ? mt_vtu_child(data, NULL, "DataArray") : NULL;
  if (*array && is_scalar(*array)) return 0;
  if (*array) return mt_vtu_fail(&g->f, *array, "array %s has more than one number for a cell", g->array);
  snprintf(what, sizeof what, "there is no cell array \"%s\" (grains.array)", g->array ? g->array : "");
  if (g->array) return no_array(g, data ? data : piece, data, what);
  if (!any) return 0;
  return no_array(g, data, data, "which array says the volume of a cell? grains.array has to name it");
}

static PetscErrorCode read_numbers(Grid *g, const xmlNode *piece, Piece *p) {
  const xmlNode *array, *kind = named(mt_vtu_child(piece, NULL, "CellData"), "kind");
  PetscErrorCode rc = find_array(g, piece, &array);
  if (rc || !array) return rc;
  rc = mt_vtu_integers(&g->f, array, p->nc, &p->number);
  char *name = mt_vtu_text(array, "Name");
  snprintf(g->chosen, sizeof g->chosen, "%s", name);
  xmlFree(name);
  if (!rc && kind && !strcmp(g->chosen, "region")) rc = mt_vtu_integers(&g->f, kind, p->nc, &p->kind);
  return rc;
}

/* ---- pieces */

static void take_cells(Grid *g, const Piece *p, int64_t before) {
  const size_t room = (size_t)(g->nt + p->nc);
  g->tet = mt_realloc(g->tet, 4 * room * sizeof *g->tet);
  g->number = mt_realloc(g->number, room * sizeof *g->number);
  g->kind = mt_realloc(g->kind, room * sizeof *g->kind);
  for (int64_t c = 0; c < p->nc; c++) {
    if (p->type[c] != TETRA) continue;
    for (int k = 0; k < 4; k++) g->tet[4 * g->nt + k] = before + p->corner[p->end[c] - 4 + k];
    g->number[g->nt] = p->number ? p->number[c] : 0;
    g->kind[g->nt++] = p->kind ? p->kind[c] : -1;
  }
}

static PetscErrorCode read_points(Grid *g, const xmlNode *piece, int64_t n) {
  const xmlNode *points = mt_vtu_child(piece, NULL, "Points"),
                *a = points ? mt_vtu_child(points, NULL, "DataArray") : NULL;
  double *x;
  if (!a || !mt_vtu_is(a, "NumberOfComponents", "3"))
    return mt_vtu_fail(&g->f, points ? points : piece, "has no points of 3 components");
  PetscErrorCode rc = mt_vtu_reals(&g->f, a, 3 * n, &x);
  if (rc) return rc;
  g->x = mt_realloc(g->x, 3 * (size_t)(g->nv + n) * sizeof *g->x);
  memcpy(g->x + 3 * g->nv, x, 3 * (size_t)n * sizeof *x);
  g->nv += n;
  free(x);
  return 0;
}

static PetscErrorCode read_piece(Grid *g, const xmlNode *piece) {
  Piece p = {.cells = mt_vtu_child(piece, NULL, "Cells")};
  const int64_t before = g->nv;
  PetscErrorCode rc = mt_vtu_count(&g->f, piece, "NumberOfPoints", &p.np);
  if (!rc) rc = mt_vtu_count(&g->f, piece, "NumberOfCells", &p.nc);
  if (!rc && !p.cells) rc = mt_vtu_fail(&g->f, piece, "has no section Cells");
  if (!rc && p.nc) rc = read_points(g, piece, p.np);
  if (!rc && p.nc) rc = read_cells(g, &p);
  if (!rc && p.nc) rc = read_numbers(g, piece, &p);
  if (!rc && p.nc) take_cells(g, &p, before);
  piece_free(&p);
  return rc;
}

static PetscErrorCode read_names(Grid *g) {
  const xmlNode *a = named(mt_vtu_child(g->f.grid, NULL, "FieldData"), "region_name");
  return a ? mt_vtu_strings(&g->f, a, &g->nnames, &g->names) : 0;
}

static PetscErrorCode read_grid(Grid *g) {
  const xmlNode *piece = NULL;
  PetscErrorCode rc = read_names(g);
  while (!rc && (piece = mt_vtu_child(g->f.grid, piece, "Piece"))) rc = read_piece(g, piece);
  if (rc || g->nt) return rc;
  return mt_error(MT_ERR_INPUT, "%s: holds no tetrahedra", g->f.path);
}

/* ---- to Gmsh */

typedef struct {
  int64_t number, tet;
} Numbered;

static int compare(const void *a, const void *b) {
  const Numbered *p = a, *q = b;
  if (p->number != q->number) return p->number < q->number ? -1 : 1;
  return (p->tet > q->tet) - (p->tet < q->tet);
}

static void name_volume(const Grid *g, int64_t number, int64_t kind, char name[128]) {
  const bool region = !strcmp(g->chosen, "region");
  const char *own = g->names;
  snprintf(name, 128, "%lld", (long long)number);
  if (!*g->chosen) *name = 0;
  if (region && kind == MT_REGION_AIR) snprintf(name, 128, "air");
  if (region && kind >= 0 && kind < MT_REGION_NKINDS && kind != MT_REGION_AIR)
    snprintf(name, 128, "%s %s%lld", mt_region_kind_name((MtRegionKind)kind),
             mt_region_is_grain((MtRegionKind)kind) ? "" : "#", (long long)number);
  if (!region || !own || number < 0 || number >= g->nnames) return;
  for (int64_t i = 0; i < number; i++) own += strlen(own) + 1;
  snprintf(name, 128, "%s", own);
}

static bool add_volume(const Grid *g, int tag, int64_t n, const Numbered *t, char **own) {
  size_t *element = mt_malloc((size_t)n * sizeof *element), *node = mt_malloc(4 * (size_t)n * sizeof *node);
  char name[128];
  int err, bad = 0;
  for (int64_t i = 0; i < n; i++) {
    element[i] = (size_t)t[i].tet + 1;
    for (int k = 0; k < 4; k++) node[4 * i + k] = (size_t)g->tet[4 * t[i].tet + k] + 1;
  }
  gmshModelMeshAddElementsByType(tag, GMSH_TETRA, element, (size_t)n, node, 4 * (size_t)n, &err), bad |= err;
  free(element), free(node);
  name_volume(g, t->number, g->kind[t->tet], name);
  *own = strcpy(mt_malloc(strlen(name) + 1), name);
  return !bad;
}

static bool add_nodes(const Grid *g) {
  size_t *tag = mt_malloc((size_t)g->nv * sizeof *tag);
  int err, bad = 0;
  for (int64_t v = 0; v < g->nv; v++) tag[v] = (size_t)v + 1;
  gmshModelMeshAddNodes(3, 1, tag, (size_t)g->nv, g->x, 3 * (size_t)g->nv, NULL, 0, &err), bad |= err;
  free(tag);
  return !bad;
}

/* One discrete volume for each number, ascending -> their names. */
static PetscErrorCode to_gmsh(const Grid *g, int *nnames, char ***names) {
  Numbered *t = mt_malloc((size_t)g->nt * sizeof *t);
  int err, volumes = 0;
  bool good = true;
  for (int64_t i = 0; i < g->nt; i++) t[i] = (Numbered){g->number[i], i};
  qsort(t, (size_t)g->nt, sizeof *t, compare);
  gmshModelAdd("vtu", &err);
  for (int64_t i = 0; i < g->nt; i++) volumes += !i || t[i].number != t[i - 1].number;
  *names = mt_calloc((size_t)volumes, sizeof **names);
  *nnames = volumes;
  for (int k = 1; k <= volumes && good; k++) gmshModelAddDiscreteEntity(3, k, NULL, 0, &err), good = !err;
  good = good && add_nodes(g);
  for (int64_t i = 0, n, k = 1; i < g->nt && good; i += n, k++) {
    for (n = 1; i + n < g->nt && t[i + n].number == t[i].number; n++) {}
    good = add_volume(g, (int)k, n, t + i, *names + k - 1);
  }
  free(t);
  return good ? 0 : mt_error(MT_ERR_FAIL, "%s: Gmsh does not take its mesh", g->f.path);
}

PetscErrorCode mt_import_vtu(const char *path, const char *array, int *n, char ***names) {
  Grid g = {.array = array};
  PetscErrorCode rc = mt_vtu_open(path, &g.f);
  if (!rc) rc = read_grid(&g);
  if (!rc && *g.chosen && strcmp(g.chosen, "region") != 0)
    mt_log("grains: %s: volumes are by the cell array %s", path, g.chosen);
  if (!rc) rc = to_gmsh(&g, n, names);
  mt_vtu_close(&g.f);
  free(g.x), free(g.tet), free(g.number), free(g.kind), free(g.names);
  return rc;
}
