/* Maps of persistence images whose pictures are states sampled onto a grid: on the nodes of the mesh, for ParaView. */
#include "landscape_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 4200, MOST_FIELDS = 10 };

/* Places [count][3] nm and volumes of the slab's nodes. */
static PetscErrorCode take_nodes(MtMesh *mesh, MtOnNodes *o, double **x) {
  double *owned = mt_malloc((size_t)mesh->nv_owned * sizeof *owned), *slab = NULL;
  mt_mesh_node_volumes(mesh, owned);
  PetscErrorCode rc = mt_mesh_to_file_order(mesh, owned, &o->volume, &o->count);
  *x = mt_calloc((size_t)o->count, 3 * sizeof **x);
  for (int a = 0; a < 3 && !rc; a++) {
    for (PetscInt v = 0; v < mesh->nv_owned; v++) owned[v] = mesh->x[3 * v + a];
    rc = mt_mesh_to_file_order(mesh, owned, &slab, &o->count);
    for (int64_t i = 0; i < o->count && !rc; i++) (*x)[3 * i + a] = slab[i];
    free(slab);
    slab = NULL;
  }
  free(owned);
  return rc;
}

static PetscErrorCode read_nodes(const MtLandscape *l, MtOnNodes *o, double **x) {
  MtMesh *mesh;
  PetscCall(mt_mesh_read(l->comm, mt_analysed_mesh(l->places.run), &mesh));
  o->nodes = mesh->nv_global;
  o->tets = mesh->nt_global;
  o->shown = mesh->nt_body;
  PetscErrorCode rc = take_nodes(mesh, o, x), closed = mt_mesh_destroy(&mesh);
  PetscCall(mt_slab_here(l->comm, o->nodes, &o->start, &o->count));
  return rc ? rc : closed;
}

/* Nodes of the air alone have nothing. */
static void lay(const MtLandscape *l, const double *x, const double *pixels, double *nodal) {
  const MtOnNodes *o = &l->places.on;
  mt_analysed_onto_nodes(l->places.run, o->start, o->count, x, pixels, nodal);
  for (int64_t i = 0; i < o->count; i++)
    if (!(o->volume[i] > 0)) nodal[i] = 0;
}

static void lay_map(const MtLandscape *l, const double *x, const MtMap *pixels, MtMap *m) {
  if (!pixels->net) return;
  mt_map_make(l->places.on.count, m);
  lay(l, x, pixels->net, m->net);
  lay(l, x, pixels->resisting, m->resisting);
  lay(l, x, pixels->promoting, m->promoting);
}

/* Interpolation does not keep sums: how much of what resists and promotes has arrived. */
static PetscErrorCode find_share(const MtLandscape *l, MtOnNodes *o) {
  const MtPlaces *p = &l->places;
  const int64_t n = (int64_t)p->size[0] * p->size[1] * p->size[2];
  double here = 0, all = 0;
  for (int64_t i = 0; i < o->count; i++) here += o->volume[i] * (o->path.resisting[i] - o->path.promoting[i]);
  for (int64_t i = 0; i < n; i++) all += p->path.resisting[i] - p->path.promoting[i];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_DOUBLE, MPI_SUM, l->comm));
  o->share = all > 0 ? here / (all * mt_analysed_cell(p->run)) : NAN;
  if (all > 0 && fabs(o->share - 1) > .2)
    mt_warn("the maps on the nodes of %s have %.3g of what they have on the grid: topology.grid is too coarse or too "
            "small for the mesh, or features enclose what is not the magnet",
            mt_analysed_mesh(p->run), o->share);
  return 0;
}

PetscErrorCode mt_landscape_on_nodes(MtLandscape *l) {
  MtOnNodes *o = &l->places.on;
  double *x = NULL;
  if (!mt_analysed_nodes(l->places.run)) return 0;
  PetscErrorCode rc = read_nodes(l, o, &x);
  if (!rc) {
    o->dPC = mt_calloc((size_t)o->count, sizeof *o->dPC);
    lay(l, x, l->places.dPC, o->dPC);
    lay_map(l, x, &l->places.path, &o->path);
    lay_map(l, x, &l->places.ridge, &o->ridge);
    rc = find_share(l, o);
  }
  free(x);
  return rc;
}

static PetscErrorCode write_one(const MtOnNodes *o, MtH5 *f, const char *name, const double *value, const char *unit) {
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, o->nodes, 1, o->start, o->count, value, unit);
}

static PetscErrorCode write_three(const MtOnNodes *o, MtH5 *f, const char *group, const MtMap *m) {
  const double *const part[] = {m->net, m->resisting, m->promoting};
  static const char *const what[] = {"net", "resisting", "promoting"};
  for (int k = 0; k < 3 && m->net; k++) {
    char name[64];
    snprintf(name, sizeof name, "/places/nodes/%s/%s", group, what[k]);
    PetscCall(write_one(o, f, name, part[k], "J/m3"));
  }
  return 0;
}

PetscErrorCode mt_on_nodes_write(const MtLandscape *l, MtH5 *f) {
  const MtOnNodes *o = &l->places.on;
  if (!o->nodes) return 0;
  PetscCall(write_one(o, f, "/places/nodes/volume", o->volume, "nm3"));
  PetscCall(write_one(o, f, "/places/nodes/dPC", o->dPC, "1"));
  PetscCall(write_three(o, f, "path", &o->path));
  return write_three(o, f, "ridge", &o->ridge);
}

typedef struct {
  int n;
  char file[PATH], dataset[MOST_FIELDS][64];
  MtXdmfField field[MOST_FIELDS];
} Fields;

static void add_field(Fields *s, const char *group, const char *map, const char *what) {
  char *dataset = s->dataset[s->n];
  snprintf(dataset, sizeof s->dataset[0], "%s/%s%s", group, map, what);
  s->field[s->n++] = (MtXdmfField){
      .file = s->file, .dataset = dataset, .name = dataset + strlen(group) + 1, .ncomp = 1, .nodal = true};
}

static void add_three(Fields *s, const char *group, const char *map) {
  static const char *const what[] = {"/net", "/resisting", "/promoting"};
  for (int k = 0; k < 3; k++) add_field(s, group, map, what[k]);
}

/* Beside the true work, where that is of the same nodes. */
PetscErrorCode mt_on_nodes_xdmf(const MtLandscape *l) {
  const MtOnNodes *o = &l->places.on;
  Fields *s = mt_calloc(1, sizeof *s);
  char path[PATH], *mesh = realpath(mt_analysed_mesh(l->places.run), NULL);
  snprintf(s->file, sizeof s->file, "%s/landscape.h5", l->folder);
  snprintf(path, sizeof path, "%s/maps.xdmf", l->folder);
  if (l->truth.net && l->energy.nodes.nodes == o->nodes) add_three(s, "/nodes", "truth");
  add_field(s, "/places/nodes", "dPC", "");
  add_three(s, "/places/nodes", "path");
  if (o->ridge.net) add_three(s, "/places/nodes", "ridge");
  const MtXdmf xdmf = {.mesh = mesh ? mesh : mt_analysed_mesh(l->places.run),
                       .nv = o->nodes,
                       .nt = o->tets,
                       .shown = o->shown,
                       .tet_bytes = o->nodes > INT32_MAX ? 8 : 4,
                       .n = s->n,
                       .field = s->field};
  PetscErrorCode rc = mt_xdmf_write(l->comm, &xdmf, path);
  free(mesh);
  free(s);
  return rc;
}

void mt_on_nodes_free(MtOnNodes *o) {
  free(o->volume);
  free(o->dPC);
  mt_map_free(&o->path);
  mt_map_free(&o->ridge);
  memset(o, 0, sizeof *o);
}
