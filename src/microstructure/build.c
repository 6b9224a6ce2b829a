/* The whole line from an input to a mesh file. */
#include "air.h"
#include "gb_fill.h"
#include "gb_law.h"
#include "import.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/microstructure.h"
#include "magtwin/run.h"
#include "shapes.h"
#include "tess.h"
#include "thin_grains.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double real_or(const MtInput *in, const char *key, double other) {
  return mt_input_has(in, "%s", key) ? mt_input_real(in, "%s", key) : other;
}

static void pockets_read(const MtInput *in, MtMeshOptions *o) {
  MtPocketOptions *p = &o->pockets;
  p->size = real_or(in, "mesh.gb.pockets.size", 0), p->fraction = real_or(in, "mesh.gb.pockets.fraction", 0);
  p->share = real_or(in, "mesh.gb.pockets.share", 1), p->surface = o->surface;
  p->junctions =
      mt_input_has(in, "mesh.gb.pockets.at") && !strcmp(mt_input_string(in, "mesh.gb.pockets.at"), "junctions");
  p->seed = mt_input_has(in, "mesh.gb.seed") ? (uint64_t)mt_input_int(in, "mesh.gb.seed") : 1;
}

static void options_read(const MtInput *in, MtMeshOptions *o) {
  *o = (MtMeshOptions){.size = mt_input_real(in, "mesh.size"),
                       .thickness = mt_input_real(in, "mesh.gb.thickness"),
                       .layers = (int)mt_input_int(in, "mesh.gb.layers"),
                       .air_radius = mt_input_real(in, "mesh.air.radius"),
                       .air_size = mt_input_real(in, "mesh.air.size")};
  if (mt_input_has(in, "mesh.inner_size")) o->inner_size = mt_input_real(in, "mesh.inner_size");
  o->growth = mt_input_has(in, "mesh.growth") ? mt_input_real(in, "mesh.growth") : 0.3;
  if (mt_input_has(in, "mesh.surface.thickness")) o->surface = mt_input_real(in, "mesh.surface.thickness");
  o->surface_layers = (int)fmax(1, round(o->surface / o->size));
  pockets_read(in, o);
  if (mt_input_has(in, "mesh.surface.layers")) o->surface_layers = (int)mt_input_int(in, "mesh.surface.layers");
}

/* Size of a grain: diameter of the sphere of its volume (nm3). */
static PetscErrorCode thickness_check(const MtInput *in, double thickness, int smallest, double volume) {
  const double size = cbrt(6 * volume / MT_PI);
  if (thickness < size) return 0;
  return mt_input_error(
      in, "mesh.gb.thickness",
      "must be less than the grains: is %g nm, and the smallest grain (number %d) has a size of %.3g nm", thickness,
      smallest, size);
}

/* What the planes of the grains say of the volumes; before short edges are removed. */
typedef struct {
  double volume[MT_REGION_NKINDS]; /* nm3 */
  bool known;
} Geometry;

static PetscErrorCode width_check(const MtInput *in, double thickness, int grain, double width) {
  if (grain < 0) return 0;
  return mt_input_error(in, "mesh.gb.thickness",
                        "would leave nothing of a grain: is %g nm, and grain %d is at most %.3g nm thick; a thinner "
                        "phase, one without this grain, or larger grains",
                        thickness, grain, width);
}

/* Thickness of each boundary, its mean into o. */
static PetscErrorCode boundaries_ask(const MtInput *in, const MtGbLaw *law, MtMeshOptions *o, MtCells *c) {
  PetscCall(mt_gb_law_apply(law, c, &o->thickness));
  double most = c->thickness ? 0 : o->thickness;
  int small = 0;
  for (int f = 0; f < c->nfaces && c->thickness; f++) most = fmax(most, c->thickness[f]);
  for (int k = 1; k < c->ngrains; k++) small = c->volume[k] < c->volume[small] ? k : small;
  PetscCall(thickness_check(in, most, small, c->volume[small]));
  double width = 0;
  const int thin = most > 0 ? mt_cells_too_thin(c, o->thickness, &width) : -1;
  return width_check(in, most, thin, width);
}

/* The cells fill what the surface layer leaves of the box. */
static PetscErrorCode box_shrink(const MtInput *in, double surface, MtPower *p) {
  double least = INFINITY;
  for (int k = 0; k < 3; k++) least = fmin(least, p->box[3 + k] - p->box[k]);
  if (2 * surface >= least)
    return mt_input_error(in, "mesh.surface.thickness",
                          "leaves nothing of the magnet: twice %g nm, and its smallest edge is %.4g nm", surface,
                          least);
  for (int k = 0; k < 3 && surface > 0; k++) p->box[k] += surface, p->box[3 + k] -= surface;
  return 0;
}

/* Before hours are spent: sizes in other units than they were meant in give meshes that nothing can hold.  Tets of the
 * grains alone; rank 0 gathers them. */
static PetscErrorCode count_check(const MtInput *in, const MtMeshOptions *o, int n, const double *volume) {
  const double most = 2e9;
  double tets = 0, whole = 0;
  for (int k = 0; k < n; k++) tets += mt_fill_cost(o, volume[k]), whole += volume[k];
  if (tets <= most) return 0;
  return mt_input_error(
      in, "mesh.size",
      "would give about %.1e tetrahedra, more than %g: is %g nm, and the magnet is as large as a cube "
      "of %.3g nm",
      tets, most, o->size, cbrt(whole));
}

/* The cells with what is asked of their boundaries.  p: what they were made from, is freed; NULL: they come from a
 * file. */
static PetscErrorCode cells_ready(const MtInput *in, const MtGbLaw *law, MtMeshOptions *o, MtPower *p, MtCells *c,
                                  Geometry *g, MtJson *json) {
  PetscCall(count_check(in, o, c->ngrains, c->volume));
  PetscCall(boundaries_ask(in, law, o, c));
  const double min_edge =
      mt_input_has(in, "mesh.min_edge") ? mt_input_real(in, "mesh.min_edge") : fmax(o->size / 2, o->thickness);
  PetscCall(mt_cells_regularize(c, o->thickness / 2, min_edge));
  PetscCall(mt_cells_check(c));
  PetscCall(mt_gb_law_contacts(law, c, &o->thickness));
  if (p) {
    PetscCall(mt_power_inset_volumes(p, o->thickness / 2, c, g->volume, &g->known));
    mt_power_free(p);
  }
  mt_log("%d grains: %d faces, %d edges, %d vertices; %d short edges removed", c->ngrains, c->nfaces, c->nedges,
         c->nvertices, c->ncollapsed);
  mt_json_object(json, "cells");
  mt_json_int(json, "faces", c->nfaces);
  mt_json_int(json, "edges", c->nedges);
  mt_json_int(json, "vertices", c->nvertices);
  mt_json_int(json, "short_edges_removed", c->ncollapsed);
  mt_json_end(json);
  return 0;
}

/* Frees p. */
static PetscErrorCode cells_make(const MtInput *in, const MtGbLaw *law, MtMeshOptions *o, MtPower *p, MtCells *c,
                                 Geometry *g, MtJson *json) {
  PetscCall(box_shrink(in, o->surface, p));
  PetscCall(mt_cells_build(p, c));
  return cells_ready(in, law, o, p, c, g, json);
}

static PetscErrorCode cells_from_file(MPI_Comm comm, const MtInput *in, const MtGbLaw *law, MtMeshOptions *o,
                                      MtCells *c, Geometry *g, MtJson *json) {
  if (o->surface > 0)
    return mt_input_error(in, "mesh.surface.thickness", "must be 0 with grains.source: tess, is %g nm", o->surface);
  PetscCall(mt_tess_grains(comm, in, c, json));
  return cells_ready(in, law, o, NULL, c, g, json);
}

/* What the voxel route cannot do yet, and a phase thicker than a grain. */
static PetscErrorCode check_labels(MPI_Comm comm, const MtInput *in, const MtGbLaw *law, const MtMeshOptions *o,
                                   const MtLabels *l) {
  int small = 0, thin = -1;
  double width = 0;
  if (o->thickness > 0 && o->layers > 1)
    return mt_input_error(in, "mesh.gb.layers", "must be 1 with mesh.route: voxel, is %d", o->layers);
  if (o->surface > 0)
    return mt_input_error(in, "mesh.surface.thickness", "must be 0 with mesh.route: voxel, is %g nm", o->surface);
  if (o->pockets.size > 0 || o->pockets.fraction > 0)
    return mt_error(MT_ERR_INPUT, "mesh.gb.pockets is not possible with mesh.route: voxel, which auto has chosen");
  if (!mt_gb_law_is_constant(law))
    return mt_input_error(in, "mesh.gb.thickness",
                          "must be the only key on the thickness with mesh.route: voxel, which makes it the same at "
                          "all boundaries");
  if (o->inner_size > o->size)
    mt_warn("mesh.inner_size does nothing with mesh.route: voxel%s: its lattice has edges of mesh.size everywhere",
            strcmp(mt_input_string(in, "mesh.route"), "auto") ? "" : ", which auto has chosen");
  for (int g = 1; g < l->ngrains; g++) small = l->voxels[g] < l->voxels[small] ? g : small;
  const double voxel = l->voxel[0] * l->voxel[1] * l->voxel[2];
  double whole = 0;
  for (int g = 0; g < l->ngrains; g++) whole += (double)l->voxels[g] * voxel;
  MtMeshOptions even = *o;
  even.inner_size = 0;
  PetscCall(count_check(in, &even, 1, &whole));
  PetscCall(thickness_check(in, o->thickness, small, (double)l->voxels[small] * voxel));
  if (o->thickness > 0) PetscCall(mt_labels_too_thin(comm, l, o->thickness, &thin, &width));
  return width_check(in, o->thickness, thin, width);
}

static PetscErrorCode grains_read(MPI_Comm comm, const MtInput *in, MtLabels *l, MtPower *p, bool *voxels,
                                  MtJson *json) {
  *voxels = false;
  if (!strcmp(mt_input_string(in, "grains.source"), "generated")) return mt_grains_make(comm, in, p, json);
  return mt_grains_measure(comm, in, l, p, voxels, json);
}

static PetscErrorCode mesh_grains(MPI_Comm comm, const MtInput *in, MtMeshData *mesh, Geometry *g, MtJson *json) {
  MtMeshOptions o;
  MtGbLaw law;
  MtCells c = {0};
  MtPower p;
  MtLabels l = {0};
  const bool tess = !strcmp(mt_input_string(in, "grains.source"), "tess");
  bool voxels = false;
  options_read(in, &o);
  PetscCall(mt_gb_law_read(in, &law));
  mt_phase_begin("grains");
  if (tess) {
    PetscCall(cells_from_file(comm, in, &law, &o, &c, g, json));
  } else {
    PetscCall(grains_read(comm, in, &l, &p, &voxels, json));
    PetscCall(voxels ? check_labels(comm, in, &law, &o, &l) : cells_make(in, &law, &o, &p, &c, g, json));
  }
  mt_phase_end("grains");
  mt_gb_law_free(&law);
  PetscCall(voxels ? mt_mesh_labels(comm, &l, &o, mesh, json) : mt_mesh_cells(comm, &c, &o, mesh, json));
  mt_labels_free(&l);
  mt_cells_free(&c);
  return 0;
}

/* The last thing done to a mesh: what came before has seen one node at a place. */
static PetscErrorCode split(const MtInput *in, MtMeshData *mesh, MtJson *json) {
  if (!mt_input_has(in, "mesh.split_grains") || !mt_input_bool(in, "mesh.split_grains")) return 0;
  const int64_t n = mt_mesh_split_grains(mesh);
  mt_log("split grains: %lld of %lld nodes are twins on shared faces", (long long)n, (long long)mesh->nv);
  mt_json_int(json, "twin_nodes", n);
  return 0;
}

static const char *const also[] = {"msh", "vtu", "xdmf"};

static PetscErrorCode check_also(const MtInput *in) {
  const int n = mt_input_has(in, "mesh.also") ? mt_input_count(in, "mesh.also") : 0;
  for (int i = 0; i < n; i++) {
    const char *what = mt_input_string_at(in, i, "mesh.also");
    if (strcmp(what, also[0]) && strcmp(what, also[1]) && strcmp(what, also[2]))
      return mt_input_error(in, "mesh.also", "must name msh, vtu or xdmf, says \"%s\"", what);
  }
  return 0;
}

static PetscErrorCode check_split(const MtInput *in) {
  if (!mt_input_has(in, "mesh.split_grains") || !mt_input_bool(in, "mesh.split_grains")) return 0;
  if (!mt_input_has(in, "mesh.gb.thickness") || mt_input_real(in, "mesh.gb.thickness") == 0) return 0;
  return mt_input_error(in, "mesh.split_grains", "needs grains that touch: mesh.gb.thickness must be 0, is %g nm",
                        mt_input_real(in, "mesh.gb.thickness"));
}

static PetscErrorCode check_pockets(const MtInput *in, const MtGbLaw *law) {
  const bool size = mt_input_has(in, "mesh.gb.pockets.size"), part = mt_input_has(in, "mesh.gb.pockets.fraction");
  const char *key = size ? "mesh.gb.pockets.size" : "mesh.gb.pockets.fraction";
  for (int i = 0; i < 2 && !size && !part; i++) {
    const char *alone = i ? "mesh.gb.pockets.share" : "mesh.gb.pockets.at";
    if (mt_input_has(in, "%s", alone))
      return mt_input_error(in, alone, "needs mesh.gb.pockets.size or mesh.gb.pockets.fraction");
  }
  if (!size && !part) return 0;
  if (size && part)
    return mt_input_error(in, key, "and mesh.gb.pockets.fraction exclude each other: the one follows from the other");
  if (size && mt_input_real(in, "%s", key) < mt_input_real(in, "mesh.size"))
    return mt_input_error(in, key, "must be at least mesh.size, %g nm, is %g nm", mt_input_real(in, "mesh.size"),
                          mt_input_real(in, "%s", key));
  if (!(mt_gb_law_most(law) > 0))
    return mt_input_error(in, key, "needs a grain-boundary phase: mesh.gb.thickness is 0");
  if (mt_input_has(in, "mesh.route") && !strcmp(mt_input_string(in, "mesh.route"), "voxel"))
    return mt_input_error(in, key, "is not possible with mesh.route: voxel");
  return 0;
}

/* The volumes of generated grains are known before the grains are. */
static PetscErrorCode check_grains(const MtInput *in, const MtGbLaw *law) {
  int grain;
  double volume;
  const char *source = mt_input_string(in, "grains.source");
  if (!strcmp(source, "shape")) return mt_shape_check(in);
  if (strcmp(source, "generated") != 0) return 0;
  PetscCall(mt_power_smallest(in, &grain, &volume));
  return thickness_check(in, mt_gb_law_most(law), grain, volume);
}

PetscErrorCode mt_microstructure_check(const MtInput *in) {
  const bool complete = mt_input_has(in, "mesh.size") && mt_input_has(in, "grains.source");
  MtGbLaw law = {0};
  PetscErrorCode rc = check_split(in);
  if (!rc) rc = check_also(in);
  if (!rc && complete) rc = mt_air_check(in);
  if (!rc && complete && mt_input_has(in, "mesh.gb.thickness")) rc = mt_gb_law_read(in, &law);
  if (!rc && complete && mt_input_has(in, "mesh.gb.thickness")) rc = check_pockets(in, &law);
  if (!rc && complete) rc = check_grains(in, &law);
  mt_gb_law_free(&law);
  return rc;
}

/* The tets of the magnet come first in the file; ParaView shows these, or all where there is no air. */
static PetscErrorCode write_xdmf(const char *path, const char *to, const MtMeshData *m) {
  int64_t body = 0;
  while (body < m->nt && m->regions.kind[m->region[body]] != MT_REGION_AIR) body++;
  const MtXdmf x = {.mesh = path, .nv = m->nv, .nt = m->nt, .shown = body, .tet_bytes = m->nv > INT32_MAX ? 8 : 4};
  return mt_xdmf_write(PETSC_COMM_SELF, &x, to);
}

/* Beside mesh.h5: mesh.msh and so on.  Rank 0. */
static PetscErrorCode write_also(const MtInput *in, const char *path, const MtMeshData *m) {
  const int n = mt_input_has(in, "mesh.also") ? mt_input_count(in, "mesh.also") : 0;
  const char *dot = strrchr(path, '.');
  for (int i = 0; i < n; i++) {
    const char *what = mt_input_string_at(in, i, "mesh.also");
    char to[4096];
    snprintf(to, sizeof to, "%.*s.%s", dot ? (int)(dot - path) : (int)strlen(path), path, what);
    PetscErrorCode rc = !strcmp(what, "msh")   ? mt_mesh_data_write_msh(m, to)
                        : !strcmp(what, "vtu") ? mt_mesh_data_write_vtu(m, to)
                                               : write_xdmf(path, to, m);
    if (rc) return rc;
    mt_log("wrote %s", to);
  }
  return 0;
}

static PetscErrorCode mesh_finish(MPI_Comm comm, const MtInput *in, const char *path, MtMeshData *mesh,
                                  const Geometry *g, MtJson *json) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) rc = mt_mesh_report(mesh, json);
  if (rank == 0 && g->known) mt_mesh_report_volumes(mesh, g->volume, json);
  if (rank == 0) mt_mesh_data_reorder(mesh);
  if (rank == 0 && !rc) rc = split(in, mesh, json);
  PetscCall(mt_agree_root(comm, rc));
  mt_phase_begin("write mesh");
  char *text = mt_input_section(in, "grains mesh");
  PetscCall(mt_mesh_data_write(comm, rank == 0 ? mesh : NULL, path, text));
  free(text);
  PetscCall(mt_agree_root(comm, rank == 0 ? write_also(in, path, mesh) : 0));
  mt_phase_end("write mesh");
  return 0;
}

/* On rank 0, whose summary is written. */
static PetscErrorCode note_mesher(MPI_Comm comm, MtJson *json) {
  int rank;
  char version[32];
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank) return 0;
  mt_gmsh_version(version);
  mt_json_string(json, "gmsh", version);
  return 0;
}

PetscErrorCode mt_microstructure_build(MPI_Comm comm, const MtInput *in, const char *path, MtJson *json) {
  MtMeshData mesh;
  Geometry geometry = {.known = false};
  memset(&mesh, 0, sizeof mesh);
  if (mt_input_has(in, "mesh.file"))
    return mt_input_error(in, "mesh.file", "names a finished mesh: there is nothing to build");
  PetscCall(mt_microstructure_check(in));
  mt_phase_begin("mesh");
  PetscCall(note_mesher(comm, json));
  if (strcmp(mt_input_string(in, "grains.source"), "shape") == 0)
    PetscCall(mt_mesh_shape(comm, in, &mesh, json));
  else if (strcmp(mt_input_string(in, "grains.source"), "mesh") == 0)
    PetscCall(mt_mesh_import(comm, in, &mesh, json));
  else
    PetscCall(mesh_grains(comm, in, &mesh, &geometry, json));
  PetscCall(mesh_finish(comm, in, path, &mesh, &geometry, json));
  mt_mesh_data_free(&mesh);
  mt_phase_end("mesh");
  return 0;
}
