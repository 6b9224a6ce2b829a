/* What stands on the surface of the grains before these are filled: the GB phase, the surface layer of the magnet, and
 * the triangles from which the air begins.  Whichever rank fills the air makes it by itself. */
#include "air.h"
#include "magtwin/memory.h"
#include "mesh_end.h"
#include <stdlib.h>
#include <string.h>

/* Triangles of the grains on walls of the box, outward; *list from malloc. */
static void wall_triangles(const MtCells *c, const MtSurface *s, const MtCopies *q, MtOuterFace **list, int *n) {
  int room = 1024;
  *list = mt_malloc((size_t)room * sizeof **list);
  *n = 0;
  for (int i = 0; i < 2 * c->nfaces; i++) {
    const int f = i / 2, side = i % 2, grain = c->face_cells[i];
    for (int k = s->face_start[f]; k < s->face_start[f + 1] && grain >= 0; k++) {
      MtOuterFace *face = *list + *n;
      for (int j = 0; j < 3; j++) face->tri[j] = mt_copies_find(q, s->tri[3 * k + (side ? 2 - j : j)], grain);
      face->region = grain;
      if (!mt_on_wall(q->x, c->box, face->tri)) continue;
      if (++*n == room) *list = mt_realloc(*list, (size_t)(room *= 2) * sizeof **list);
    }
  }
}

static PetscErrorCode surface_add(const MtCells *c, const MtMeshOptions *opt, MtSkin *k) {
  const int32_t first = k->regions.n - 1 - c->ngrains;
  if (!(opt->surface > 0)) return 0;
  PetscCall(mt_surface_layer(c->box, k->magnet, opt->surface_layers, c->ngrains, first, k->nface, k->face, &k->m));
  free(k->face);
  mt_outer_faces(&k->m, k->magnet, 0, NULL, &k->face, &k->nface);
  return 0;
}

PetscErrorCode mt_skin_make(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q,
                            const MtMeshOptions *opt, const MtPockets *p, MtSkin *skin) {
  int32_t *face, *edge, *vertex, pocket;
  MtOuterFace *wall;
  int nwall;
  memset(skin, 0, sizeof *skin);
  mt_mesh_bounds(c->box, opt, skin->magnet, skin->sphere, &skin->air_size);
  PetscCall(
      mt_gb_regions(c, t, opt->thickness > 0, opt->surface > 0, p, &skin->regions, &face, &edge, &vertex, &pocket));
  PetscCall(mt_gb_layers(c, s, t, q, opt->layers, face, edge, vertex, p->n ? pocket : -1, &skin->m));
  PetscCall(PetscFree3(face, edge, vertex));
  wall_triangles(c, s, q, &wall, &nwall);
  mt_outer_faces(&skin->m, c->box, nwall, wall, &skin->face, &skin->nface);
  free(wall);
  return surface_add(c, opt, skin);
}

void mt_skin_free(MtSkin *skin) {
  MtMeshData d = {.regions = skin->regions};
  mt_mesh_data_free(&d);
  mt_tets_free(&skin->m);
  free(skin->face);
  memset(skin, 0, sizeof *skin);
}
